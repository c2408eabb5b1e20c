//! The URL of the picture itself, for the page.

use tests::api::File;
use tests::{pictures, run};

#[test]
fn a_labeled_picture_can_be_fetched_under_its_own_name() {
    run(async |stack| {
        let user = stack.new_user("view").await;
        let file = File::new("Ça \"va\"; 🐈.jpg", pictures::cat());
        let key = stack.upload_of(&user, &file).await;
        stack.settled(&key).await;
        let image = user.get_image(stack.image(&key).image_id).await.body;
        let url = image["view"]["url"].as_str().expect("a URL");
        let answer = stack.http.get(url).send().await.expect("an answer of S3");
        assert_eq!(answer.status(), 200);
        let header = |name: &str| answer.headers()[name].to_str().expect("text").to_owned();
        assert_eq!(header("content-type"), "image/jpeg");
        let disposition = header("content-disposition");
        assert!(disposition.starts_with("inline; filename=\""), "{disposition}");
        assert!(
            disposition.ends_with("; filename*=UTF-8''%C3%87a%20%22va%22%3B%20%F0%9F%90%88.jpg"),
            "{disposition}"
        );
        assert_eq!(answer.bytes().await.expect("a picture"), file.bytes);

        // The response headers in the URL are signed.
        let other = url.replace("image%2Fjpeg", "text%2Fhtml");
        assert_ne!(other, url);
        assert_eq!(
            stack
                .http
                .get(other)
                .send()
                .await
                .expect("an answer of S3")
                .status(),
            403
        );
    });
}

#[test]
fn an_image_that_is_rejected_or_not_uploaded_has_no_url() {
    run(async |stack| {
        let user = stack.new_user("view").await;
        let waiting = user.create_upload(&File::cat()).await.image_id;
        let key = stack.upload_of(&user, &File::new("cat.jpg", pictures::GIF)).await;
        stack.settled(&key).await;
        for id in [waiting, stack.image(&key).image_id] {
            let answer = user.get_image(id).await;
            assert_eq!((answer.status, answer.body.get("view")), (200, None));
        }
    });
}
