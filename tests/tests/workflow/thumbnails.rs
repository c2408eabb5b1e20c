//! Thumbnails: made beside the workflow, once a picture is labeled.

use domain::Rendition;
use reqwest::Method;
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
fn a_labeled_picture_gets_thumbnails_that_are_upright_and_tell_nothing() {
    run(async |stack| {
        let key = format!("uploads/{}/turned.jpg", stack.new_owner("thumbnails"));
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
fn a_picture_that_is_labeled_again_has_the_thumbnails_of_the_new_result_only() {
    run(async |stack| {
        let key = format!("uploads/{}/again.jpg", stack.new_owner("thumbnails"));
        stack.put_object(&key, pictures::cat()).await;
        let before = stack.with_thumbnails(&key, |_| true).await;
        stack.put_object(&key, pictures::sample("coffee.jpg")).await;
        let after = stack
            .with_thumbnails(&key, |record| record.thumbnails != before.thumbnails)
            .await;
        let present: BTreeSet<_> = after.thumbnails.iter().map(|made| made.key.clone()).collect();
        wait::until("the old ones are gone", async || {
            (stack.derived_of(&stack.image(&key)).await == present).then_some(())
        })
        .await;
    });
}

#[test]
fn the_api_hands_out_thumbnails_and_metadata() {
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
        assert!(!listed.to_string().contains("location"), "a list tells no places");
        for thumbnail in thumbnails {
            let url = thumbnail["url"].as_str().expect("a URL");
            let answer = stack.http.get(url).send().await.expect("an answer of S3");
            assert_eq!(answer.headers()["content-type"], "image/jpeg");
            let size = imagesize::blob_size(&answer.bytes().await.expect("its bytes")).expect("a picture");
            assert_eq!(thumbnail["width"], size.width);
        }
    });
}
