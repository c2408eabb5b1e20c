//! The main scenario: an uploaded picture gets labels.

use crate::LABELED;
use aws_sdk_sfn::types::ExecutionStatus;
use domain::Status;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use tests::api::File;
use tests::{Stack, pictures, run, wait};

#[test]
fn a_photograph_uploaded_through_the_api_gets_labels() {
    run(async |stack| {
        let file = File::new("Ma Chatte 🐈.jpg", pictures::cat());
        let key = stack.upload(&file).await;
        let settled = stack.settled(&key).await;

        let answer = stack.get_image(settled.record.image_id).await;
        assert_eq!(
            (answer.status, answer.content_type.as_str()),
            (200, "application/json")
        );
        let image = answer.body;
        let size = imagesize::blob_size(&file.bytes).unwrap();
        assert_eq!(
            (
                &image["imageId"],
                &image["status"],
                &image["fileName"],
                &image["format"]
            ),
            (
                &json!(settled.record.image_id),
                &json!("LABELED"),
                &json!(file.name),
                &json!("JPEG")
            ),
        );
        assert_eq!(
            (&image["size"], &image["width"], &image["height"]),
            (&json!(file.bytes.len()), &json!(size.width), &json!(size.height)),
        );
        assert!(
            image["createdAt"].as_str() < image["updatedAt"].as_str(),
            "{image}"
        );
        assert!(image["modelVersion"].is_string(), "{image}");
        assert!(image.get("error").is_none(), "{image}");

        let labels = image["labels"].as_array().unwrap();
        // The most specific first: no label comes after one of its ancestors.
        for (index, label) in labels.iter().enumerate() {
            let parents = label["parents"].as_array().unwrap();
            let is_parent = |before: &serde_json::Value| parents.contains(&before["name"]);
            assert!(!labels[..index].iter().any(is_parent), "{labels:?}");
        }
        for label in labels {
            check_shape(label);
        }
        let cat = labels
            .iter()
            .find(|label| label["name"] == "Cat")
            .unwrap_or_else(|| panic!("no Cat: {image}"));
        assert!(cat["confidence"].as_f64().unwrap() >= 90.0, "{cat}");
        assert!(!cat["instances"].as_array().unwrap().is_empty(), "{cat}");

        assert_eq!(settled.execution.status, ExecutionStatus::Succeeded);
        assert_eq!(settled.execution.states, LABELED);
        let [notification] = &settled.notifications[..] else {
            panic!("there must be one notification: {:?}", settled.notifications)
        };
        assert_eq!(notification.detail_type, "Image Labeled");
        let summary = |label: &Value| json!({"name": label["name"], "confidence": label["confidence"]});
        // Events list the highest confidence first.
        let mut summaries: Vec<_> = labels.iter().map(summary).collect();
        summaries.sort_by(|a, b| {
            let confidence = |label: &Value| label["confidence"].as_f64().unwrap();
            confidence(b)
                .total_cmp(&confidence(a))
                .then_with(|| a["name"].as_str().cmp(&b["name"].as_str()))
        });
        assert_eq!(
            notification.detail,
            json!({
                "notificationId": notification.outcome.notification_id, "imageId": settled.record.image_id,
                "owner": stack.demo_user().await.owner, "bucket": stack.bucket, "key": key, "status": "LABELED",
                "labels": summaries,
                "executionArn": settled.execution.arn,
                "requestedAt": notification.outcome.claim.requested_at,
            }),
        );
        check_rows_and_counts(stack, &key).await;
    });
}

/// Checks the shape of a label, on which clients of the API rely.
fn check_shape(label: &Value) {
    let fields: BTreeSet<_> = label.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        fields,
        BTreeSet::from([
            "added",
            "aliases",
            "categories",
            "confidence",
            "detectedAs",
            "instances",
            "keyword",
            "name",
            "parents"
        ]),
        "{label}"
    );
    let instances = label["instances"].as_array().unwrap();
    for confidence in instances.iter().chain([label]).map(|of| &of["confidence"]) {
        assert!((0.0..=100.0).contains(&confidence.as_f64().unwrap()), "{label}");
        let digits = confidence.to_string();
        assert!(
            digits
                .split_once('.')
                .is_none_or(|(_, decimals)| decimals.len() <= 2),
            "{label}"
        );
    }
    for instance in instances {
        let [left, top, width, height] = ["left", "top", "width", "height"].map(|edge| {
            instance["boundingBox"][edge]
                .as_f64()
                .unwrap_or_else(|| panic!("no {edge}: {instance}"))
        });
        let (right, bottom) = (left + width, top + height);
        assert!(
            [left, top, width, height]
                .iter()
                .all(|edge| (0.0..=1.0).contains(edge)),
            "{instance}"
        );
        // Each of the four is rounded separately.
        assert!(
            right <= 1.000_02 && bottom <= 1.000_02,
            "outside the picture: {instance}"
        );
    }
}

/// Checks that each label has one row, and that the counts match the rows of all images.
async fn check_rows_and_counts(stack: &Stack, key: &str) {
    let image = stack.image(key);
    let record = stack.record(&image).await.unwrap();
    let labels: BTreeMap<_, _> = record
        .labels
        .unwrap()
        .into_iter()
        .map(|label| (label.name, label.confidence.percent()))
        .collect();
    let rows = stack.label_rows_of(&image).await;
    assert_eq!(rows.len(), labels.len(), "{rows:?}");
    assert_eq!(
        rows.into_iter()
            .map(|row| (row.label, row.confidence.percent()))
            .collect::<BTreeMap<_, _>>(),
        labels
    );
    for label in labels.keys() {
        // Other tests label images of the same owner at the same time.
        wait::until(
            &format!("the count of {label} is the number of its rows"),
            async || {
                let before = stack.label_counts(&image.owner).await.remove(label);
                let rows = stack.label_rows(&image.owner, label).await.len();
                let after = stack.label_counts(&image.owner).await.remove(label);
                (before == after && before == i64::try_from(rows).ok()).then_some(())
            },
        )
        .await;
    }
}

#[test]
fn an_object_that_another_tool_puts_into_the_bucket_is_labeled_and_counted_once() {
    run(async |stack| {
        let owner = stack.new_owner("other-tool");
        let key = format!("uploads/{owner}/holidays/cat.jpg");
        stack.put_object(&key, pictures::cat()).await;
        let settled = stack.settled(&key).await;
        assert_eq!(settled.record.status, Status::Labeled);
        assert_eq!(settled.record.file_name.as_deref(), Some("cat.jpg"));
        assert_eq!(settled.notifications.len(), 1, "{:?}", settled.notifications);

        let labels = settled.record.labels.unwrap();
        assert!(labels.iter().any(|label| label.name == "Cat"), "{labels:?}");
        let once: BTreeMap<_, _> = labels.into_iter().map(|label| (label.name, 1)).collect();
        assert_eq!(stack.label_counts(&settled.record.owner).await, once);
    });
}

#[test]
fn a_picture_at_the_limits_of_rekognition_is_labeled() {
    run(async |stack| {
        let key = stack
            .upload(&File::new("wide.png", pictures::png(10_000, 80)))
            .await;
        let record = stack.settled(&key).await.record;
        assert_eq!((record.status, record.error), (Status::Labeled, None));
        assert_eq!((record.width, record.height), (Some(10_000), Some(80)));
    });
}

#[test]
fn a_record_without_an_upload_expires() {
    run(async |stack| {
        let created = stack.create_upload(&File::cat()).await;
        let answer = stack.get_image(created.image_id).await;
        assert_eq!(
            (answer.status, &answer.body["status"]),
            (200, &json!("AWAITING_UPLOAD"))
        );
        assert_eq!(answer.body["labels"], json!([]));
        let key = stack.upload_key(created.image_id).await;
        assert!(
            stack
                .record(&stack.image(&key))
                .await
                .unwrap()
                .expires_at
                .is_some()
        );
    });
}
