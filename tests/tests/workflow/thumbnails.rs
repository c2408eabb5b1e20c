//! Thumbnails, which a listener makes after a picture is labeled.

use domain::Rendition;
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeSet;
use tests::api::File;
use tests::{Stack, pictures, run, wait};

async fn bytes(stack: &Stack, key: &str) -> Vec<u8> {
    let object = stack.s3.get_object().bucket(&stack.bucket).key(key).send().await;
    object
        .expect(key)
        .body
        .collect()
        .await
        .expect("its bytes")
        .to_vec()
}

#[test]
fn thumbnails_are_upright_and_contain_no_metadata() {
    run(async |stack| {
        let key = format!("uploads/{}/rotated.jpg", stack.new_owner("thumbnails"));
        let wide = pictures::pixels().resize_exact(2_000, 1_000, image::imageops::FilterType::Nearest);
        let stored = pictures::stored_for(&wide, 6);
        stack.put_object(&key, pictures::jpeg(&stored, 6)).await;
        let record = stack.with_thumbnails(&key, |_| true).await;
        let sides: Vec<_> = record
            .thumbnails
            .iter()
            .map(|made| (made.width, made.height))
            .collect();
        assert_eq!(sides, [(320, 160), (1_280, 640)]);
        for Rendition { key, width, height } in &record.thumbnails {
            let bytes = bytes(stack, key).await;
            let size = imagesize::blob_size(&bytes).expect("a picture");
            assert_eq!((size.width, size.height), (*width as usize, *height as usize));
            assert!(!bytes.windows(4).any(|part| part == b"Exif"));
        }
    });
}

#[test]
fn a_picture_with_a_new_result_has_only_the_thumbnails_of_that_result() {
    run(async |stack| {
        let key = format!("uploads/{}/again.jpg", stack.new_owner("thumbnails"));
        stack.put_object(&key, pictures::cat()).await;
        let before = stack.with_thumbnails(&key, |_| true).await;
        stack.put_object(&key, pictures::sample("coffee.jpg")).await;
        let after = stack
            .with_thumbnails(&key, |record| record.thumbnails != before.thumbnails)
            .await;
        let present: BTreeSet<_> = after.thumbnails.iter().map(|made| made.key.clone()).collect();
        wait::until("the old thumbnails are gone", async || {
            (stack.derived_of(&stack.image(&key)).await == present).then_some(())
        })
        .await;
    });
}

#[test]
fn the_api_returns_thumbnails_and_metadata() {
    run(async |stack| {
        let file = File::new("sydney.jpg", pictures::jpeg(&pictures::pixels(), 1));
        let key = stack.upload(&file).await;
        stack.with_thumbnails(&key, |_| true).await;
        let image = stack.get_image(stack.image(&key).image_id).await.body;
        assert!(
            image["metadata"]["location"]["longitude"].as_f64().unwrap() > 151.0,
            "{image}"
        );
        let thumbnails = image["thumbnails"].as_array().expect("thumbnails");
        assert_eq!(thumbnails.len(), 2);
        let path = format!("/images?id={}", stack.image(&key).image_id);
        let listed = stack.api(Method::GET, &path, None, "").await.body;
        assert_eq!(
            listed["images"][0]["thumbnails"].as_array().map(Vec::len),
            Some(2),
            "{listed}"
        );
        assert!(
            !listed.to_string().contains("location"),
            "a list contains no locations"
        );
        for thumbnail in thumbnails {
            let url = thumbnail["url"].as_str().expect("a URL");
            let answer = stack.http.get(url).send().await.expect("an answer of S3");
            assert_eq!(answer.headers()["content-type"], "image/jpeg");
            let size = imagesize::blob_size(&answer.bytes().await.expect("its bytes")).expect("a picture");
            assert_eq!(thumbnail["width"], size.width);
        }
    });
}

/// The file is deleted after labeling, and the event is delivered again.
#[test]
fn the_api_says_why_a_labeled_picture_has_no_thumbnails_until_it_has_some() {
    run(async |stack| {
        let file = File::new("cat.jpg", pictures::cat());
        let key = stack.upload(&file).await;
        let image = stack.image(&key);
        stack.with_thumbnails(&key, |_| true).await;
        let notifications = stack.notifications(image.image_id).await;
        stack.delete_object(&key).await;
        let answer = stack
            .invoke("thumbnails", &json!({"detail": notifications[0].detail}))
            .await;
        answer.expect("no error: a retry would find no file either");
        let shown = stack.get_image(image.image_id).await.body;
        assert_eq!(shown["status"], "LABELED", "{shown}");
        assert_eq!(shown["thumbnails"], json!([]), "{shown}");
        assert_eq!(shown["thumbnailsError"]["name"], "ObjectGone", "{shown}");
        assert_eq!(stack.derived_of(&image).await, BTreeSet::new());
        stack.put_object(&key, pictures::cat()).await;
        let record = stack.with_thumbnails(&key, |_| true).await;
        assert_eq!(record.thumbnails_error, None);
    });
}
