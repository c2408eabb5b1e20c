//! Files that cannot be labeled: their images end as `REJECTED` with a reason for their owner, and their executions
//! succeed, since a redrive would not help.

use crate::{REJECTED_BY_CONVERSION, REJECTED_BY_VALIDATION};
use aws_sdk_s3::types::{RestoreRequest, StorageClass};
use aws_sdk_sfn::types::ExecutionStatus;
use domain::image::MAX_BYTES;
use domain::{ErrorName, Status};
use serde_json::json;
use tests::api::File;
use tests::images::{LAST_SEQUENCER, Settled};
use tests::{pictures, run};

fn check(settled: &Settled, states: &[&str], name: ErrorName, message: &str) {
    let record = &settled.record;
    assert_eq!(record.status, Status::Rejected);
    let error = record.error.as_ref().expect("an error");
    assert_eq!(
        (error.name.as_str(), error.message.as_str()),
        (name.as_str(), message)
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
        panic!("there must be one notification: {:?}", settled.notifications)
    };
    assert_eq!(notification.detail_type, "Image Rejected");
    assert_eq!(
        notification.detail,
        json!({
            "notificationId": notification.outcome.notification_id, "imageId": record.image_id,
            "owner": record.owner, "bucket": record.bucket, "key": record.key, "status": "REJECTED",
            "labels": [], "error": {"name": error.name, "message": error.message},
            "executionArn": settled.execution.arn,
            "requestedAt": notification.outcome.claim.requested_at,
        }),
    );
}

/// Uploads a file with the media type of its name, and checks what the API returns.
fn rejects(file: &File, states: &[&str], name: ErrorName, message: &str) {
    run(async |stack| {
        let key = stack.upload(file).await;
        let settled = stack.settled(&key).await;
        check(&settled, states, name, message);
        let image = stack.get_image(settled.record.image_id).await.body;
        assert_eq!(image["status"], "REJECTED");
        assert_eq!(image["error"], json!({"name": name, "message": message}));
        assert_eq!(
            (&image["labels"], &image["fileName"]),
            (&json!([]), &json!(file.name))
        );
        assert!(stack.label_rows_of(&stack.image(&key)).await.is_empty());
    });
}

/// Puts an object that the API would not accept, as other tools can.
fn rejects_object(bytes: Vec<u8>, name: ErrorName, message: &str) {
    run(async |stack| {
        let key = format!("uploads/{}/object.jpg", stack.new_owner("rejected"));
        stack.put_object(&key, bytes).await;
        check(&stack.settled(&key).await, &REJECTED_BY_VALIDATION, name, message);
    });
}

#[test]
fn rejects_a_text_file_named_jpg() {
    let message = "Text files aren't supported. Upload a JPEG, PNG, WebP, AVIF, HEIC, GIF, BMP or TIFF picture, or a \
                   camera's raw file.";
    let file = File::new("shopping.jpg", pictures::TEXT);
    rejects(
        &file,
        &REJECTED_BY_VALIDATION,
        ErrorName::UnsupportedFormat,
        message,
    );
}

#[test]
fn rejects_a_truncated_heic_picture() {
    let message = "This file is damaged or incomplete. Upload it again.";
    let file = File::new("IMG_0001.jpg", pictures::TRUNCATED_HEIC);
    rejects(&file, &REJECTED_BY_VALIDATION, ErrorName::InvalidImage, message);
}

#[test]
fn rejects_a_truncated_webp_picture() {
    let mut bytes = pictures::webp();
    bytes.truncate(bytes.len() / 2);
    let message = "This WebP file is damaged, incomplete or of an unsupported kind. Upload it again, or save it as a \
                    new JPEG.";
    let file = File::new("half-a-cat.webp", bytes);
    rejects(&file, &REJECTED_BY_CONVERSION, ErrorName::InvalidImage, message);
}

/// It claims more pixels than fit into memory, in a file of a megabyte.
#[test]
fn rejects_a_png_that_claims_60000_pixels_a_side() {
    let mut bytes = pictures::png(200, 200);
    for place in [16..20, 20..24] {
        bytes[place].copy_from_slice(&60_000_u32.to_be_bytes());
    }
    bytes.resize(1024 * 1024, 0);
    let message =
        "This picture is 60000 × 60000 pixels. Scale it down to at most 150 million pixels in total.";
    let file = File::new("too-many-pixels.png", bytes);
    rejects(&file, &REJECTED_BY_VALIDATION, ErrorName::ImageTooLarge, message);
}

#[test]
fn rejects_a_picture_more_than_125_times_as_long_as_wide() {
    let message = "This picture is 10001 × 80 pixels. Crop it: the longer side can be at most 125 times the shorter one.";
    let file = File::new("wide.png", pictures::png(10_001, 80));
    rejects(&file, &REJECTED_BY_CONVERSION, ErrorName::ImageTooLarge, message);
}

#[test]
fn rejects_a_picture_79_pixels_wide() {
    let message = "This picture is 79 × 200 pixels. Each side must have at least 80.";
    let file = File::new("narrow.png", pictures::png(79, 200));
    rejects(&file, &REJECTED_BY_VALIDATION, ErrorName::ImageTooSmall, message);
}

#[test]
fn rejects_an_empty_object() {
    let message = "This file is empty. Upload the picture again.";
    rejects_object(vec![], ErrorName::InvalidImage, message);
}

#[test]
fn rejects_an_object_one_byte_too_large() {
    let message = "This file is 100.1 MB. The limit is 100 MB.";
    let mut bytes = pictures::cat();
    bytes.resize(usize::try_from(MAX_BYTES).unwrap() + 1, 0);
    rejects_object(bytes, ErrorName::ImageTooLarge, message);
}

/// An operator cannot read the object either: a failed execution would leave the image FAILED forever.
#[test]
fn rejects_an_archived_object_until_it_is_restored() {
    run(async |stack| {
        let key = format!("uploads/{}/archived.jpg", stack.new_owner("archived"));
        let put = stack.s3.put_object().bucket(&stack.bucket).key(&key);
        let put = put
            .storage_class(StorageClass::Glacier)
            .body(pictures::cat().into());
        put.send().await.expect("an archived object");
        let message = "The file is archived in S3. Restore the object, and it is labeled automatically.";
        check(
            &stack.settled(&key).await,
            &REJECTED_BY_VALIDATION,
            ErrorName::ObjectArchived,
            message,
        );
        let rejected = stack.settled(&key).await.record;

        let days = RestoreRequest::builder().days(1).build();
        let restore = stack.s3.restore_object().bucket(&stack.bucket).key(&key);
        restore
            .restore_request(days)
            .send()
            .await
            .expect("S3 starts to restore the object");
        let labeled = stack.settled_again(&rejected).await.record;
        assert_eq!((labeled.status, &labeled.error), (Status::Labeled, &None));
        assert_eq!(
            labeled.sequencer, rejected.sequencer,
            "a later object still takes precedence"
        );

        // Events can be delivered twice: the result stays.
        let mut again = stack.object_created(&key, "0");
        again["detail-type"] = json!("Object Restore Completed");
        let object = again["detail"]["object"].as_object_mut().expect("an object");
        object.remove("sequencer");
        assert_eq!(stack.execute(&again).await.last_state(), "Leave unchanged");
        let after = stack.record(&stack.image(&key)).await.expect("a record");
        assert_eq!(after.execution_arn, labeled.execution_arn);
    });
}

#[test]
fn rejects_an_object_that_is_encrypted_with_a_customer_provided_key() {
    run(async |stack| {
        let key = format!("uploads/{}/encrypted.jpg", stack.new_owner("encrypted"));
        let put = stack.s3.put_object().bucket(&stack.bucket).key(&key);
        // 32 zeros, and their MD5.
        let put = put
            .sse_customer_algorithm("AES256")
            .sse_customer_key("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
            .sse_customer_key_md5("cLyPS3KoaSFGi/joRB3OUQ==")
            .body(pictures::cat().into());
        put.send().await.expect("an encrypted object");
        let message = "The file is encrypted with a customer-provided key (SSE-C). Upload it without SSE-C.";
        check(
            &stack.settled(&key).await,
            &REJECTED_BY_VALIDATION,
            ErrorName::ObjectEncrypted,
            message,
        );
    });
}

/// The object is deleted before `validate` reads it.
#[test]
fn rejects_an_object_that_is_deleted_before_it_is_read() {
    run(async |stack| {
        let key = format!("uploads/{}/gone.jpg", stack.new_owner("gone"));
        stack.execute(&stack.object_created(&key, LAST_SEQUENCER)).await;
        let message = "The file was deleted before it could be labeled. Upload the file again.";
        check(
            &stack.settled(&key).await,
            &REJECTED_BY_VALIDATION,
            ErrorName::ObjectGone,
            message,
        );
    });
}
