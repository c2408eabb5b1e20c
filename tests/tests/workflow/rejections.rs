//! Files at fault: their images end as `REJECTED`, with a sentence that a person understands, and their
//! executions succeed, since there is nothing to run again.

use crate::{REJECTED_AT_ONCE, REJECTED_BY_CONVERSION};
use aws_sdk_sfn::types::ExecutionStatus;
use domain::image::MAX_BYTES;
use domain::{ErrorName, Status};
use serde_json::json;
use tests::api::File;
use tests::images::{LAST_SEQUENCER, Settled};
use tests::{pictures, run};

fn check(settled: &Settled, states: &[&str], name: ErrorName, sentence: &str) {
    let record = &settled.record;
    assert_eq!(record.status, Status::Rejected);
    let error = record.error.as_ref().expect("an error");
    assert_eq!(
        (error.name.as_str(), error.message.as_str()),
        (name.as_str(), sentence)
    );
    assert_eq!(record.labels, None);

    assert_eq!(
        settled.execution.status,
        ExecutionStatus::Succeeded,
        "{:?}",
        settled.execution
    );
    assert_eq!(settled.execution.states, states);

    let [notification] = &settled.notifications[..] else {
        panic!("not exactly one notification: {:?}", settled.notifications)
    };
    assert_eq!(notification.detail_type, "Image Rejected");
    assert_eq!(
        notification.detail,
        json!({
            "notificationId": notification.outcome.notification_id, "imageId": record.image_id,
            "owner": record.owner, "bucket": record.bucket, "key": record.key, "status": "REJECTED",
            "labels": [], "error": {"name": error.name, "message": error.message},
            "executionArn": settled.execution.arn,
        }),
    );
}

/// Uploads a file as a browser does that believes its name, and checks what a reader of the API sees.
fn rejects(file: &File, states: &[&str], name: ErrorName, sentence: &str) {
    run(async |stack| {
        let key = stack.upload(file).await;
        let settled = stack.settled(&key).await;
        check(&settled, states, name, sentence);
        let image = stack.get_image(settled.record.image_id).await.body;
        assert_eq!(image["status"], "REJECTED");
        assert_eq!(image["error"], json!({"name": name, "message": sentence}));
        assert_eq!(
            (&image["labels"], &image["fileName"]),
            (&json!([]), &json!(file.name))
        );
        assert!(stack.label_rows_of(&stack.image(&key)).await.is_empty());
    });
}

/// Puts an object that the API would not announce, as other tools can.
fn rejects_object(bytes: Vec<u8>, name: ErrorName, sentence: &str) {
    run(async |stack| {
        let key = format!("uploads/{}/object.jpg", stack.new_owner("rejected"));
        stack.put_object(&key, bytes).await;
        check(&stack.settled(&key).await, &REJECTED_AT_ONCE, name, sentence);
    });
}

#[test]
fn a_text_file_named_jpg() {
    let sentence = "This file is no picture of a known kind. JPEG, PNG, WebP, AVIF, GIF, BMP and TIFF pictures can be labeled.";
    let file = File::new("shopping.jpg", pictures::TEXT);
    rejects(&file, &REJECTED_AT_ONCE, ErrorName::UnsupportedFormat, sentence);
}

#[test]
fn a_heic_picture() {
    let sentence = "This file is a HEIC picture. Convert it to JPEG first: iPhones do so with Settings, Camera, Formats, \
                    Most Compatible.";
    let file = File::new("IMG_0001.jpg", pictures::HEIC);
    rejects(&file, &REJECTED_AT_ONCE, ErrorName::UnsupportedFormat, sentence);
}

#[test]
fn a_truncated_picture_that_has_to_be_converted() {
    let mut bytes = pictures::webp();
    bytes.truncate(bytes.len() / 2);
    let sentence = "This WebP file is broken or incomplete, or of an unusual kind. Upload the picture again, or save it \
                    anew as JPEG.";
    let file = File::new("half-a-cat.webp", bytes);
    rejects(&file, &REJECTED_BY_CONVERSION, ErrorName::InvalidImage, sentence);
}

/// It claims more pixels than would fit into memory, in a file of a megabyte.
#[test]
fn a_bomb() {
    let mut bytes = pictures::png(200, 200);
    for place in [16..20, 20..24] {
        bytes[place].copy_from_slice(&60_000_u32.to_be_bytes());
    }
    bytes.resize(1024 * 1024, 0);
    let sentence = "This picture has 60000 × 60000 pixels. A picture may have at most 150 million in all.";
    let file = File::new("bomb.png", bytes);
    rejects(&file, &REJECTED_AT_ONCE, ErrorName::ImageTooLarge, sentence);
}

#[test]
fn a_picture_far_too_narrow_for_its_length() {
    let sentence =
        "This picture has 10001 × 80 pixels. The longer side may have at most 125 times the shorter one's.";
    let file = File::new("wide.png", pictures::png(10_001, 80));
    rejects(&file, &REJECTED_BY_CONVERSION, ErrorName::ImageTooLarge, sentence);
}

#[test]
fn a_truncated_jpeg() {
    let sentence = "This JPEG file is broken or incomplete, or of an unusual kind. Upload the picture again, or save it \
                    anew as JPEG.";
    let file = File::new("half-a-cat.jpg", pictures::truncated());
    rejects(&file, &REJECTED_BY_CONVERSION, ErrorName::InvalidImage, sentence);
}

#[test]
fn a_picture_one_pixel_too_narrow() {
    let sentence = "This picture has 79 × 200 pixels. A side needs at least 80.";
    let file = File::new("narrow.png", pictures::png(79, 200));
    rejects(&file, &REJECTED_AT_ONCE, ErrorName::ImageTooSmall, sentence);
}

#[test]
fn an_empty_object() {
    let sentence = "This file is empty. Upload the picture again.";
    rejects_object(vec![], ErrorName::InvalidImage, sentence);
}

#[test]
fn an_object_one_byte_too_large() {
    let sentence = "This file has 100.1 MB. A picture may have at most 100 MB.";
    let mut bytes = pictures::cat();
    bytes.resize(usize::try_from(MAX_BYTES).unwrap() + 1, 0);
    rejects_object(bytes, ErrorName::ImageTooLarge, sentence);
}

/// The event comes late: nothing is there any more when `validate` looks.
#[test]
fn an_object_deleted_before_it_is_read() {
    run(async |stack| {
        let key = format!("uploads/{}/gone.jpg", stack.new_owner("gone"));
        stack.execute(&stack.object_created(&key, LAST_SEQUENCER)).await;
        let sentence = "The file was deleted before it could be labeled. Upload the picture again.";
        check(
            &stack.settled(&key).await,
            &REJECTED_AT_ONCE,
            ErrorName::ObjectGone,
            sentence,
        );
    });
}
