//! The samples for functions, and the result of each.

use super::{BUCKET, files, folder, is_machine, key_of, put_once, read, text};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sfn::types::ExecutionStatus;
use domain::table::{PARTITION_KEY, SORT_KEY, image_sort, owner_partition};
use domain::{ErrorName, Status};
use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tests::images::LAST_SEQUENCER;
use tests::json::contains;
use tests::sam::{self, LocalLambda};
use tests::{Stack, pictures, run};

const EXECUTION: &str =
    "arn:aws:states:us-east-1:000000000000:execution:image-label-generator-label-image:sample";

/// Where a function runs.
#[derive(Debug, Clone, Copy)]
enum Runner<'a> {
    Emulator,
    /// `sam local invoke`, with a new container.
    LocalInvoke,
    /// `sam local start-lambda`, with a container that may have run other events.
    LocalLambda(&'a LocalLambda),
}

/// What must exist before a sample is sent.
#[derive(Debug, Clone, Copy)]
enum Given {
    Nothing,
    /// An object with the key in the sample.
    Object(fn() -> Vec<u8>),
    /// The claim of an execution for the image of the sample, without an object.
    ClaimedBy(&'static str),
    /// An object with the key in the sample, and the claim of its execution.
    ClaimedObject(fn() -> Vec<u8>),
    /// A labeled cat with the id in the sample.
    LabeledUpload,
    /// The tombstone of the sample's image.
    DeletedUpload,
    /// A failed execution with the name and the input in the sample.
    FailedExecution,
}

/// The result of a sample.
#[derive(Debug)]
enum Expected {
    /// The function returns this, or an object that contains this.
    Returns(Value),
    /// The function returns labels with this one among them.
    Finds(&'static str),
    /// The function returns its input, and sends it to the event bus with this detail type.
    Sends(&'static str),
    /// The function fails with this error.
    Fails(ErrorName),
    /// The HTTP API answers with this status and a body that contains this.
    Answers(u16, Value),
}

fn functions() -> BTreeMap<&'static str, (Given, Expected)> {
    use ErrorName::{
        ConversionNeeded, ImageDeleted, InvalidImage, InvalidInput, InvalidSource, NotAnUpload, ObjectGone,
        StaleEvent, UnexpectedAnswer, UnsupportedFormat,
    };
    use Expected::{Answers, Fails, Finds, Returns, Sends};
    use Given::{ClaimedBy, ClaimedObject, DeletedUpload, FailedExecution, LabeledUpload, Nothing, Object};

    let cat = pictures::cat();
    let size = imagesize::blob_size(&cat).expect("a picture");
    let claimed = json!({
        "owner": "samples", "bucket": BUCKET, "key": "uploads/samples/validate/cat.jpg",
        "size": cat.len(), "format": "JPEG", "width": size.width, "height": size.height,
        "orientation": 1, "policy": {"minConfidence": 55, "maxLabels": 50, "include": [], "exclude": []},
        "executionArn": EXECUTION,
    });
    let converted = json!({
        "key": "uploads/samples/convert/cat.webp", "format": "WEBP",
        "rendition": {"width": size.width, "height": size.height},
    });
    let kept = json!({
        "status": "LABELED",
        "labels": [
            {"name": "Cat", "confidence": 98.12, "parents": ["Animal", "Mammal", "Pet"]},
            {"name": "Animal", "confidence": 97.9},
            {"name": "Carpet", "confidence": 61.4},
        ],
        "others": [{"name": "Dog", "confidence": 12.9}],
        "counted": [
            {"name": "Cat", "confidence": 98.12},
            {"name": "Animal", "confidence": 97.9},
            {"name": "Carpet", "confidence": 61.4},
        ],
    });
    let labeled = json!({
        "owner": "samples", "key": "uploads/samples/persist/cat.jpg", "status": "LABELED",
        "labels": [{"name": "Cat", "confidence": 98.12}, {"name": "Animal", "confidence": 97.9}],
        "executionArn": EXECUTION,
    });
    let rejected = json!({"status": "REJECTED", "labels": [], "error": {
        "name": "UnsupportedFormat",
        "message": "Text files aren't supported. Upload a JPEG, PNG, WebP, AVIF, HEIC, GIF, BMP or TIFF picture, or \
                    a camera's raw file.",
    }});
    let problem = |kind: &str| json!({"type": format!("urn:image-label-generator:problem:{kind}")});

    BTreeMap::from([
        ("validate/cat.json", (Object(pictures::cat), Returns(claimed))),
        (
            "validate/text-named-jpg.json",
            (Object(text), Fails(UnsupportedFormat)),
        ),
        ("validate/missing-object.json", (Nothing, Fails(ObjectGone))),
        ("validate/folder-marker.json", (Nothing, Fails(NotAnUpload))),
        (
            "validate/deleted-image.json",
            (DeletedUpload, Fails(ImageDeleted)),
        ),
        (
            "validate/object-deleted-event.json",
            (Nothing, Fails(InvalidInput)),
        ),
        (
            "convert/cat.json",
            (ClaimedObject(pictures::webp), Returns(converted)),
        ),
        (
            "convert/truncated.json",
            (ClaimedObject(pictures::without_pixels), Fails(InvalidImage)),
        ),
        (
            "convert/missing-object.json",
            (ClaimedBy(EXECUTION), Fails(ObjectGone)),
        ),
        (
            "convert/claimed-by-another.json",
            (ClaimedBy("another execution"), Fails(StaleEvent)),
        ),
        ("convert/never-claimed.json", (Nothing, Fails(ImageDeleted))),
        ("convert/no-key.json", (Nothing, Fails(InvalidInput))),
        ("detect-labels/cat.json", (Object(pictures::cat), Finds("Cat"))),
        (
            "detect-labels/not-converted.json",
            (Nothing, Fails(ConversionNeeded)),
        ),
        (
            "detect-labels/truncated.json",
            (Object(pictures::truncated), Fails(ConversionNeeded)),
        ),
        ("detect-labels/missing-object.json", (Nothing, Fails(ObjectGone))),
        ("detect-labels/no-policy.json", (Nothing, Fails(InvalidInput))),
        ("filter-labels/cat.json", (Nothing, Returns(kept))),
        ("filter-labels/no-labels.json", (Nothing, Fails(InvalidInput))),
        ("inspect-video/never-claimed.json", (Nothing, Fails(ImageDeleted))),
        ("inspect-video/no-hand-over.json", (Nothing, Fails(InvalidInput))),
        ("label-frames/never-claimed.json", (Nothing, Fails(ImageDeleted))),
        ("label-frames/no-image.json", (Nothing, Fails(InvalidInput))),
        (
            "start-video-labels/never-claimed.json",
            (Nothing, Fails(ImageDeleted)),
        ),
        ("start-video-labels/no-token.json", (Nothing, Fails(InvalidInput))),
        (
            "read-video-labels/never-claimed.json",
            (Nothing, Fails(ImageDeleted)),
        ),
        ("read-video-labels/no-image.json", (Nothing, Fails(InvalidInput))),
        (
            "resume-video/unknown-job.json",
            (Nothing, Returns(json!(["unknownJob"]))),
        ),
        ("resume-video/no-job.json", (Nothing, Fails(InvalidInput))),
        (
            "collect-labels/never-claimed.json",
            (Nothing, Fails(ImageDeleted)),
        ),
        ("collect-labels/no-image.json", (Nothing, Fails(InvalidInput))),
        ("persist/cat.json", (ClaimedBy(EXECUTION), Returns(labeled))),
        (
            "persist/text-named-jpg.json",
            (ClaimedBy(EXECUTION), Returns(rejected)),
        ),
        (
            "persist/claimed-by-another.json",
            (ClaimedBy("another execution"), Fails(StaleEvent)),
        ),
        ("persist/never-claimed.json", (Nothing, Fails(ImageDeleted))),
        ("persist/no-status.json", (Nothing, Fails(InvalidInput))),
        (
            "run-job-part/unknown-job.json",
            (Nothing, Returns(json!({"done": true}))),
        ),
        ("run-job-part/no-owner.json", (Nothing, Fails(InvalidInput))),
        ("reconcile/scheduled.json", (Nothing, Returns(json!({})))),
        (
            "reconcile/one-owner.json",
            (
                Nothing,
                Returns(json!({"progress": "DONE", "pass": {"objects": 0, "findings": []}})),
            ),
        ),
        ("reconcile/owner-with-slash.json", (Nothing, Fails(InvalidInput))),
        ("reconcile/negative-age.json", (Nothing, Fails(InvalidInput))),
        (
            "check-import/missing-bucket.json",
            (Nothing, Fails(InvalidSource)),
        ),
        (
            "check-import/owner-is-an-address.json",
            (Nothing, Fails(InvalidInput)),
        ),
        (
            "copy-objects/unknown-job.json",
            (Nothing, Returns(json!({"done": true}))),
        ),
        (
            "copy-objects/single-object.json",
            (Nothing, Returns(json!({"done": true}))),
        ),
        ("copy-objects/no-objects.json", (Nothing, Fails(InvalidInput))),
        (
            "summarize-import/unknown-job.json",
            (Nothing, Returns(json!({"done": true}))),
        ),
        ("summarize-import/no-owner.json", (Nothing, Fails(InvalidInput))),
        ("notify/labeled.json", (Nothing, Sends("Image Labeled"))),
        ("notify/labeled-video.json", (Nothing, Sends("Video Labeled"))),
        ("notify/rejected.json", (Nothing, Sends("Image Rejected"))),
        ("notify/processing.json", (Nothing, Fails(InvalidInput))),
        ("notify/no-notification-id.json", (Nothing, Fails(InvalidInput))),
        (
            "record-failure/no-image.json",
            (FailedExecution, Returns(json!("noImage"))),
        ),
        (
            "record-failure/other-bucket.json",
            (FailedExecution, Returns(json!("noImage"))),
        ),
        (
            "record-failure/unknown-execution.json",
            (Nothing, Fails(UnexpectedAnswer)),
        ),
        ("record-failure/no-execution.json", (Nothing, Fails(InvalidInput))),
        (
            "thumbnails/cat.json",
            (Object(pictures::cat), Returns(json!(null))),
        ),
        ("thumbnails/missing-object.json", (Nothing, Returns(json!(null)))),
        ("thumbnails/other-bucket.json", (Nothing, Fails(InvalidInput))),
        ("thumbnails/no-detail.json", (Nothing, Fails(InvalidInput))),
        (
            "api/create-upload.json",
            (Nothing, Answers(201, json!({"upload": {"method": "PUT"}}))),
        ),
        (
            "api/create-upload-too-large.json",
            (Nothing, Answers(413, json!({"field": "size"}))),
        ),
        (
            "api/create-upload-without-body.json",
            (Nothing, Answers(400, problem("invalid-body"))),
        ),
        (
            "api/get-image.json",
            (
                LabeledUpload,
                Answers(200, json!({"status": "LABELED", "format": "JPEG"})),
            ),
        ),
        (
            "api/get-execution.json",
            (LabeledUpload, Answers(200, json!({"status": "SUCCEEDED"}))),
        ),
        (
            "api/get-unknown-execution.json",
            (Nothing, Answers(404, problem("no-such-image"))),
        ),
        ("api/relabel-image.json", (LabeledUpload, Answers(202, json!({})))),
        (
            "api/relabel-unknown-image.json",
            (Nothing, Answers(404, problem("no-such-image"))),
        ),
        (
            "api/delete-unknown-image.json",
            (Nothing, Answers(404, problem("no-such-image"))),
        ),
        (
            "api/delete-data-of-new-user.json",
            (Nothing, Answers(200, json!({"done": true, "deletedImages": 0}))),
        ),
        (
            "api/get-unknown-image.json",
            (Nothing, Answers(404, problem("no-such-image"))),
        ),
        (
            "api/get-image-malformed-id.json",
            (Nothing, Answers(400, json!({"field": "imageId"}))),
        ),
    ])
}

async fn provide(stack: &Stack, given: Given, sample: &Value) {
    match given {
        Given::Nothing => {}
        Given::Object(bytes) => put_once(stack, key_of(sample), bytes()).await,
        Given::ClaimedBy(execution) => {
            let event = stack.object_created(key_of(sample), LAST_SEQUENCER);
            let claim = stack
                .invoke("validate", &json!({"event": event, "executionArn": execution}))
                .await;
            // The claim is made although the object does not exist. After an earlier run, the execution has ended.
            let error = claim.expect_err("the object does not exist").error_type;
            assert!(
                ["ObjectGone", "DuplicateEvent"].contains(&error.as_str()),
                "{error}"
            );
        }
        Given::ClaimedObject(bytes) => {
            put_once(stack, key_of(sample), bytes()).await;
            let event = stack.object_created(key_of(sample), LAST_SEQUENCER);
            let input = json!({"event": event, "executionArn": sample["executionArn"]});
            stack.invoke("validate", &input).await.expect("a claim");
        }
        Given::FailedExecution => {
            let detail = &sample["detail"];
            let start = stack
                .sfn
                .start_execution()
                .state_machine_arn(&stack.state_machine_arn)
                .name(detail["name"].as_str().expect("a name"))
                .input(detail["input"].as_str().expect("an input"));
            // Refused if an earlier run has started it.
            let _ = start.send().await;
            let ended = stack
                .ended(detail["executionArn"].as_str().expect("an ARN"))
                .await;
            assert_eq!(ended.status, ExecutionStatus::Failed);
        }
        Given::DeletedUpload => {
            let image = stack.image(key_of(sample));
            let tombstone = [
                (PARTITION_KEY, owner_partition(&image.owner)),
                (SORT_KEY, image_sort(image.image_id)),
                ("imageId", image.image_id.to_string()),
                ("owner", image.owner.as_str().to_owned()),
                ("bucket", BUCKET.to_owned()),
                ("status", Status::Deleted.as_str().to_owned()),
                ("updatedAt", "2026-11-12T00:00:00.000Z".to_owned()),
            ];
            let mut put = stack.dynamodb.put_item().table_name(&stack.table);
            for (name, value) in tombstone {
                put = put.item(name, AttributeValue::S(value));
            }
            put.send().await.expect("a tombstone");
        }
        Given::LabeledUpload => {
            let id = sample["pathParameters"]["proxy"]
                .as_str()
                .and_then(|path| path.strip_prefix("images/"));
            let id = id.and_then(|path| path.split('/').next());
            let key = format!("uploads/demo/{}", id.expect("an id"));
            put_once(stack, &key, pictures::cat()).await;
            stack.settled_as(&key, Status::Labeled).await;
        }
    }
}

async fn run_function(
    stack: &Stack,
    runner: Runner<'_>,
    path: &str,
    given: Given,
    expected: Expected,
) -> Result<(), String> {
    let sample = read(path);
    provide(stack, given, &sample).await;
    let function = path.split_once('/').expect("a folder").0;
    let result = match runner {
        Runner::Emulator => stack.invoke(function, &sample).await,
        Runner::LocalInvoke => sam::local_invoke(stack, function, &folder().join(path)).await,
        Runner::LocalLambda(lambda) => lambda.invoke(function, &sample).await,
    };
    match (result, expected) {
        (Ok(actual), Expected::Returns(expected)) => contains(&actual, &expected),
        (Ok(actual), Expected::Finds(name)) => {
            let labels = actual["labels"].as_array().ok_or("no labels")?;
            let found = labels.iter().any(|label| label["name"] == name);
            found
                .then_some(())
                .ok_or_else(|| format!("{name} is not among {labels:?}"))
        }
        (Ok(actual), Expected::Sends(detail_type)) => {
            let outcome: domain::Outcome =
                serde_json::from_value(sample.clone()).map_err(|e| e.to_string())?;
            let sent = stack.notifications(outcome.claim.image_id).await;
            let sent: Vec<_> = sent
                .iter()
                .map(|sent| (sent.detail_type.as_str(), &sent.detail))
                .collect();
            let is_expected = actual == sample && sent == [(detail_type, &sample)];
            is_expected
                .then_some(())
                .ok_or_else(|| format!("returns {actual}, sends {sent:?}"))
        }
        (Err(error), Expected::Fails(name)) if error.error_type == name.as_str() => Ok(()),
        (Ok(actual), Expected::Answers(status, expected)) => {
            let body = actual["body"]
                .as_str()
                .and_then(|body| serde_json::from_str(body).ok())
                .unwrap_or_default();
            contains(&actual["statusCode"], &json!(status))?;
            contains(&body, &expected)
        }
        (actual, expected) => Err(format!("returns {actual:?}, not {expected:?}")),
    }
}

/// Functions whose samples run at the same time. Starting a container keeps a processor busy for seconds.
const FUNCTIONS_AT_ONCE: usize = 3;

/// Runs all samples; returns those with a different result than expected. `runner` gets the number of the sample among those
/// of its function.
async fn failures<'a>(stack: &Stack, runner: impl Fn(usize) -> Runner<'a>) -> Vec<String> {
    let mut samples: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for (path, (given, expected)) in functions() {
        let function = path.split_once('/').expect("a folder").0;
        samples.entry(function).or_default().push((path, given, expected));
    }
    let results: Vec<Vec<String>> = stream::iter(samples.into_values())
        // The samples of one function run one after the other, since some of them are about the same image.
        .map(async |samples| {
            let mut failures = vec![];
            for (index, (path, given, expected)) in samples.into_iter().enumerate() {
                if let Err(difference) = run_function(stack, runner(index), path, given, expected).await {
                    failures.push(format!("{path}: {difference}"));
                }
            }
            failures
        })
        .buffer_unordered(FUNCTIONS_AT_ONCE)
        .collect()
        .await;
    results.concat()
}

#[test]
fn every_sample_for_a_function_does_what_its_name_says() {
    run(async |stack| {
        let listed = functions().keys().map(ToString::to_string).collect();
        assert_eq!(files(|folder| !is_machine(folder)), listed);
        let failures = failures(stack, |_| Runner::Emulator).await;
        assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    });
}

/// The first sample of each function runs with `sam local invoke`, as README.md explains, and the others with
/// `sam local start-lambda`. That uses the same container, but keeps it, since starting one takes most of the time.
#[test]
#[ignore = "needs Docker: `cargo xtask test invoke` runs it"]
fn every_sample_for_a_function_does_what_its_name_says_in_docker() {
    run(async |stack| {
        let lambda = &LocalLambda::start(stack).await;
        let failures = failures(stack, |index| match index {
            0 => Runner::LocalInvoke,
            _ => Runner::LocalLambda(lambda),
        })
        .await;
        assert!(failures.is_empty(), "\n{}\n{}", failures.join("\n"), lambda.log());
    });
}
