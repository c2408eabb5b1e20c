//! The log of the functions: what an operator finds in it, what it must not contain, and the metrics that CloudWatch would
//! extract from it. This includes what the programs before this one have caused.

use crate::DAILY_TOTAL;
use domain::metric::{Dimension, METRICS};
use domain::table::owner_partition;
use domain::{ImageKey, Status};
use lambda::embedded_metrics::{faults, is_document, metrics};
use serde_json::json;
use std::collections::BTreeSet;
use tests::api::File;
use tests::logs::now;
use tests::{pictures, run, wait};

/// Without all lines, an operator could not find out what happened to a picture.
#[test]
fn the_saved_query_finds_every_function_that_has_handled_a_picture() {
    run(async |stack| {
        let _total = DAILY_TOTAL.read().await;
        let functions = [
            "api",
            "convert",
            "detect-labels",
            "filter-labels",
            "notify",
            "persist",
            "thumbnails",
            "validate",
        ];
        wait::until("the log has all lines about one of the pictures", async || {
            let start = now();
            let key = stack.upload(&File::new("cat.webp", pictures::webp())).await;
            let record = stack.settled_as(&key, Status::Labeled).await.record;
            stack.with_thumbnails(&key, |_| true).await;
            assert_eq!(stack.get_image(record.image_id).await.status, 200);
            let execution = record.execution_arn.expect("an execution");
            let found = stack
                .functions_in_log(start, &record.image_id.to_string(), &execution)
                .await;
            found.iter().map(String::as_str).eq(functions).then_some(())
        })
        .await;
    });
}

/// Logs are read by more people than pictures, and are copied to other systems.
#[test]
fn the_log_contains_no_file_names_keys_urls_or_tokens() {
    run(async |stack| {
        let _total = DAILY_TOTAL.read().await;
        let start = now();
        let user = stack.new_user("secrets").await;
        let file = File::new("Private holiday.webp", pictures::webp());
        let created = user.create_upload(&file).await;
        stack.put(&created.upload, file.bytes.clone(), &[]).await;
        let key = ImageKey::for_upload(&user.owner, created.image_id);
        stack.settled_as(&key, Status::Labeled).await;
        assert_eq!(user.get_image(created.image_id).await.status, 200);
        let other = format!("uploads/{}/Private diary.jpg", stack.new_owner("secrets"));
        stack.put_object(&other, "Dear diary").await;
        stack.settled_as(&other, Status::Rejected).await;
        // The SDK of S3 warns about such a checksum, with a link.
        let in_parts = format!("uploads/{}/in-parts.webp", stack.new_owner("secrets"));
        stack.put_object_in_parts(&in_parts, &file).await;
        stack.settled_as(&in_parts, Status::Labeled).await;
        // The message of this error quotes the key.
        let mut event = stack.object_created(&other, "0B");
        event["detail"]["object"]["key"] = json!([other]);
        stack.execute(&event).await;

        let image = created.image_id.to_string();
        wait::until("the log has lines about the picture", async || {
            let lines = stack.log(start, &image).await;
            (lines.len() > 3).then_some(())
        })
        .await;
        let signature = created
            .upload
            .url
            .split("Signature=")
            .nth(1)
            .expect("a signature");
        let secrets = [
            "Private",
            "uploads/",
            "http://",
            "https://",
            "X-Amz-",
            "Bearer",
            signature,
            user.tokens.access.as_str(),
        ];
        // Everything that this suite has caused.
        for line in stack.log(0, "").await {
            // The names of routes contain no key.
            let text = line.text.replace("/uploads/{imageId}/", "");
            let found = secrets.iter().find(|secret| text.contains(**secret));
            assert_eq!(found, None, "{}", line.text);
        }
    });
}

/// CloudWatch ignores a document that violates the format, without an error, and bills each value of a dimension.
#[test]
fn cloudwatch_can_read_every_metric_of_the_log_and_no_dimension_has_unknown_values() {
    run(async |stack| {
        let _total = DAILY_TOTAL.read().await;
        // After the lock: waiting for it can take until the next day.
        let day = stack.day().await;
        let start = now();
        let user = stack.new_user("metrics").await;
        let key = stack
            .upload_of(&user, &File::new("cat.webp", pictures::webp()))
            .await;
        let record = stack.settled_as(&key, Status::Labeled).await.record;
        let other = format!("uploads/{}/text.jpg", stack.new_owner("metrics"));
        stack.put_object(&other, "no picture").await;
        stack.settled_as(&other, Status::Rejected).await;
        let limit = stack.quotas().await.images_per_day;
        day.set_images(&owner_partition(&user.owner), limit).await;
        assert_eq!(user.relabel(record.image_id).await.status, 429);

        let expected = [
            "Conversions",
            "CountedImages",
            "Duration",
            "PictureAge",
            "Pictures",
            "QuotaRejections",
            "RejectedShare",
            "RekognitionCalls",
            "TimeToLabels",
        ];
        wait::until("all metrics are in the log", async || {
            let lines = stack.log(start, "CloudWatchMetrics").await;
            let found: BTreeSet<_> = lines
                .iter()
                .flat_map(|line| metrics(&line.text))
                .map(|metric| metric.name)
                .collect();
            if expected.iter().all(|name| found.contains(*name)) {
                return Some(());
            }
            // The emulator loses some lines on a busy machine.
            let key = stack.upload(&File::new("cat.webp", pictures::webp())).await;
            stack.settled_as(&key, Status::Labeled).await;
            user.relabel(record.image_id).await;
            None
        })
        .await;

        for line in stack.log(0, "CloudWatchMetrics").await {
            assert!(is_document(&line.text), "{}", line.text);
            assert_eq!(faults(&line.text), [""; 0], "{}", line.text);
            for found in metrics(&line.text) {
                let metric = METRICS.iter().find(|metric| metric.name == found.name);
                let metric = metric.unwrap_or_else(|| panic!("{} is not declared", found.name));
                let mut dimensions = found.dimensions;
                assert_eq!(
                    dimensions.remove("Stack").as_ref(),
                    Some(&stack.event_bus),
                    "{}",
                    line.text
                );
                let set = metric.dimensions.iter().find(|set| {
                    set.iter()
                        .map(<&str>::from)
                        .eq(dimensions.keys().map(String::as_str))
                });
                let set = set.unwrap_or_else(|| panic!("{} has no dimensions {dimensions:?}", metric.name));
                for name in *set {
                    let value = dimensions[<&str>::from(name)].as_str();
                    assert!(Dimension::values(*name).contains(&value), "{name:?} {value}");
                }
            }
        }
    });
}
