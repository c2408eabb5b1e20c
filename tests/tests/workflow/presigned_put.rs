//! The presigned PUT: S3 accepts exactly the announced file, exactly once. A refused request leaves nothing behind, so
//! that the upload can be retried.

use aws_sdk_s3::presigning::PresigningConfig;
use domain::Status;
use reqwest::StatusCode;
use serde_json::json;
use std::time::{Duration, SystemTime};
use tests::api::{Created, File, Upload};
use tests::{Stack, pictures, run};

async fn refuses(stack: &Stack, created: &Created, bytes: Vec<u8>, headers: &[(&str, &str)], with: &[u16]) {
    let status = stack.put(&created.upload, bytes, headers).await;
    assert!(
        with.contains(&status.as_u16()),
        "S3 answers {status}, not {with:?}"
    );
    let key = stack.upload_key(created.image_id).await;
    let head = stack
        .s3
        .head_object()
        .bucket(&stack.bucket)
        .key(&key)
        .send()
        .await;
    assert!(head.is_err(), "the object exists");
    let record = stack.record(&stack.image(&key)).await.expect("a record");
    assert_eq!(record.status, Status::AwaitingUpload);
}

#[test]
fn returns_exactly_the_headers_that_a_page_must_set() {
    run(async |stack| {
        let file = File::cat();
        let created = stack.create_upload(&file).await;
        assert_eq!(created.upload.method, "PUT");
        let headers = json!({
            "content-type": "image/jpeg", "if-none-match": "*", "x-amz-checksum-sha256": file.sha256(),
        });
        // A browser refuses to set `content-length` or `host`.
        assert_eq!(json!(created.upload.headers), headers);
        assert!(
            created.upload.url.contains("X-Amz-Expires=300"),
            "valid for five minutes"
        );
        assert!(created.expires_at.ends_with('Z'), "{}", created.expires_at);
    });
}

#[test]
fn refuses_a_longer_file_than_announced() {
    run(async |stack| {
        let file = File::cat();
        let longer = [file.bytes.clone(), vec![0]].concat();
        refuses(stack, &stack.create_upload(&file).await, longer, &[], &[403]).await;
    });
}

#[test]
fn refuses_a_shorter_file_than_announced() {
    run(async |stack| {
        let file = File::cat();
        let shorter = file.bytes[..file.bytes.len() - 1].to_vec();
        refuses(stack, &stack.create_upload(&file).await, shorter, &[], &[403]).await;
    });
}

#[test]
fn refuses_other_bytes_than_announced() {
    run(async |stack| {
        let file = File::cat();
        let mut other = file.bytes.clone();
        other.reverse();
        let created = stack.create_upload(&file).await;
        refuses(stack, &created, other.clone(), &[], &[400]).await;
        // Also with the checksum of these bytes.
        let checksum = File::new("other.jpg", other.clone()).sha256();
        refuses(
            stack,
            &created,
            other,
            &[("x-amz-checksum-sha256", &checksum)],
            &[403],
        )
        .await;
    });
}

#[test]
fn refuses_another_type_than_announced() {
    run(async |stack| {
        let file = File::cat();
        let created = stack.create_upload(&file).await;
        for other in ["image/png", "text/html"] {
            refuses(
                stack,
                &created,
                file.bytes.clone(),
                &[("content-type", other)],
                &[403],
            )
            .await;
        }
    });
}

#[test]
fn refuses_another_key_than_signed() {
    run(async |stack| {
        let file = File::cat();
        let (mut created, other) = (stack.create_upload(&file).await, stack.create_upload(&file).await);
        let [from, to] = [&created, &other].map(|created| created.image_id.to_string());
        created.upload.url = created.upload.url.replace(&from, &to);
        refuses(
            stack,
            &other,
            file.bytes.clone(),
            &[("content-type", "text/html")],
            &[403],
        )
        .await;
        created.image_id = other.image_id;
        refuses(stack, &created, file.bytes, &[], &[403]).await;
    });
}

/// The request as the API would have signed it earlier, since a test cannot wait for five minutes.
async fn signed_before(stack: &Stack, created: &Created, file: &File, before: Duration) -> Upload {
    let url = reqwest::Url::parse(&created.upload.url).expect("a URL");
    let parameter = |wanted: &str| {
        let mut found = url.query_pairs().filter(|(name, _)| name == wanted);
        found
            .next()
            .map(|(_, value)| value.into_owned())
            .expect("a parameter")
    };
    let valid: u64 = parameter("X-Amz-Expires").parse().expect("seconds");
    let times = PresigningConfig::builder()
        .start_time(SystemTime::now() - before)
        .expires_in(Duration::from_secs(valid))
        .build()
        .expect("times");
    let put = stack.s3.put_object().bucket(&stack.bucket);
    let put = put
        .key(stack.upload_key(created.image_id).await)
        .content_length(i64::try_from(file.bytes.len()).expect("a length"))
        .content_type(file.content_type)
        .checksum_sha256(file.sha256())
        .if_none_match("*")
        .presigned(times)
        .await
        .expect("a signature");
    let signed = format!(
        "X-Amz-SignedHeaders={}",
        parameter("X-Amz-SignedHeaders").replace(';', "%3B")
    );
    assert!(put.uri().contains(&signed), "the API signs {signed}");
    Upload {
        url: put.uri().to_owned(),
        ..created.upload.clone()
    }
}

#[test]
fn refuses_a_put_after_five_minutes() {
    run(async |stack| {
        let file = File::cat();
        let mut created = stack.create_upload(&file).await;
        created.upload = signed_before(stack, &created, &file, Duration::from_secs(5 * 60 + 1)).await;
        refuses(stack, &created, file.bytes.clone(), &[], &[403]).await;
        // Only the age was wrong.
        let in_time = signed_before(stack, &created, &file, Duration::from_secs(2 * 60)).await;
        assert_eq!(stack.put(&in_time, file.bytes, &[]).await, StatusCode::OK);
    });
}

/// The presigned request must not replace the picture later, and a browser that repeats a PUT without an answer learns
/// that the file is stored.
#[test]
fn refuses_a_second_put_and_keeps_the_first_file() {
    run(async |stack| {
        let file = File::cat();
        let created = stack.create_upload(&file).await;
        assert_eq!(
            stack.put(&created.upload, file.bytes.clone(), &[]).await,
            StatusCode::OK
        );
        assert_eq!(
            stack.put(&created.upload, file.bytes.clone(), &[]).await,
            StatusCode::PRECONDITION_FAILED
        );
        // Changing the condition breaks the signature.
        let forced = stack
            .put(&created.upload, file.bytes, &[("if-none-match", "\"\"")])
            .await;
        assert_eq!(forced, StatusCode::FORBIDDEN);

        let key = stack.upload_key(created.image_id).await;
        let settled = stack.settled(&key).await;
        assert_eq!(settled.record.status, Status::Labeled);
        let stored = stack
            .s3
            .get_object()
            .bucket(&stack.bucket)
            .key(&key)
            .send()
            .await
            .unwrap();
        assert_eq!(stored.body.collect().await.unwrap().to_vec(), pictures::cat());
        let executions = settled
            .notifications
            .iter()
            .map(|notification| &notification.outcome.claim.execution_arn);
        assert_eq!(
            executions.collect::<Vec<_>>(),
            [&settled.execution.arn],
            "labeled once"
        );
    });
}
