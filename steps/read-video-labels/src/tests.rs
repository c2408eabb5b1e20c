use super::*;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_rekognition::error::ErrorMetadata;
use aws_sdk_rekognition::operation::get_label_detection::GetLabelDetectionError;
use aws_sdk_rekognition::types::error::InvalidPaginationTokenException;
use aws_sdk_rekognition::types::{Label as FoundLabel, LabelDetection};
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::operation::put_object::PutObjectOutput;
use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const EXECUTION: &str = "arn:aws:states:us-east-1:123456789012:execution:label-video:one";

/// A job's result, by its pages: the times at which a cat and, every second time, a dog is seen. The token of a page is its
/// number.
struct Job {
    pages: Vec<Vec<(i64, &'static str)>>,
    /// The page whose token has expired.
    expired: Option<usize>,
    /// The page that Rekognition does not return.
    failing: Option<usize>,
    status: VideoJobStatus,
    is_deleted: bool,
}

impl Job {
    fn of(pages: Vec<Vec<(i64, &'static str)>>) -> Self {
        Self {
            pages,
            expired: None,
            failing: None,
            status: VideoJobStatus::Succeeded,
            is_deleted: false,
        }
    }
}

type Read = (
    Result<VideoProgress, ReadVideoLabelsError>,
    BTreeMap<String, LabeledFrames>,
);

fn progress(duration_ms: u64) -> VideoProgress {
    serde_json::from_value(json!({
        "image": {
            "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "bucket": "pictures",
            "key": "uploads/demo/cat.mp4", "executionArn": EXECUTION, "size": 1000,
            "video": {"durationMs": duration_ms, "codec": "H.264", "container": "MP4", "width": 640, "height": 480},
            "policy": {"minConfidence": 55, "maxLabels": 50},
        },
        "labelsBy": "REKOGNITION",
        "frames": 3, "intervalMs": 2000, "parts": [], "next": 0, "done": false,
    }))
    .unwrap()
}

/// Reads a part. Returns the progress, and the parts that were written by their names.
async fn read(job: Job, progress: VideoProgress) -> Read {
    let status = if job.is_deleted { "DELETED" } else { "PROCESSING" };
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let record = mock!(aws_sdk_dynamodb::Client::get_item).then_compute_response(move |request| {
        let output = GetItemOutput::builder();
        let is_of_leases = request.key().and_then(|key| key.get("sk")) == Some(&text("VIDEO_LEASES"));
        let output = if is_of_leases {
            let later = AttributeValue::N((Timestamp::now().as_second() + 1000).to_string());
            let own = LabelJob::new(EXECUTION, 0).execution.to_string();
            output.item("leases", AttributeValue::M([(own, later)].into()))
        } else {
            // The record and the job in one.
            output
                .item("status", text(status))
                .item("executionArn", text(EXECUTION))
                .item("round", AttributeValue::N("0".into()))
                .item("jobId", text("job"))
        };
        MockResponse::Output(output.build())
    });
    let freed = mock!(aws_sdk_dynamodb::Client::update_item)
        .match_requests(|request| {
            request
                .update_expression()
                .is_some_and(|update| update.contains("REMOVE #leases"))
        })
        .then_output(|| UpdateItemOutput::builder().build());
    let found =
        mock!(aws_sdk_rekognition::Client::get_label_detection).then_compute_response(move |request| {
            assert_eq!(request.job_id(), Some("job"));
            let page: usize = request.next_token().map_or(0, |token| token.parse().unwrap());
            if job.expired == Some(page) {
                let expired = InvalidPaginationTokenException::builder().build();
                return MockResponse::Error(GetLabelDetectionError::InvalidPaginationTokenException(expired));
            }
            if job.failing == Some(page) {
                let code = ErrorMetadata::builder().code("AccessDeniedException").build();
                return MockResponse::Error(GetLabelDetectionError::generic(code));
            }
            let labels = job.pages[page].iter().map(|(at_ms, name)| {
                let label = FoundLabel::builder().name(*name).confidence(90.0).build();
                LabelDetection::builder().timestamp(*at_ms).label(label).build()
            });
            let next = page + 1;
            let output = GetLabelDetectionOutput::builder()
                .job_status(job.status.clone())
                .set_labels(Some(labels.collect()))
                .label_model_version("3.0")
                .set_next_token((next < job.pages.len()).then(|| next.to_string()));
            MockResponse::Output(output.build())
        });
    let written = Arc::new(Mutex::new(BTreeMap::new()));
    let parts = Arc::clone(&written);
    let put = mock!(aws_sdk_s3::Client::put_object).then_compute_response(move |request| {
        let key = request.key().unwrap_or_default();
        let name = key.rsplit('/').next().unwrap_or_default().to_owned();
        let part = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        parts.lock().unwrap().insert(name, part);
        MockResponse::Output(PutObjectOutput::builder().build())
    });
    let list = mock!(aws_sdk_s3::Client::list_object_versions)
        .then_output(|| ListObjectVersionsOutput::builder().build());
    let step = ReadVideoLabels {
        rekognition: mock_client!(aws_sdk_rekognition, RuleMode::MatchAny, [&found]),
        s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&put, &list]),
        records: Records::new(
            mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&record, &freed]),
            "images".into(),
        ),
    };
    // The next video of the owner waits for the lease, also if this one was deleted.
    let returns_lease = usize::from(progress.parts.is_empty());
    let read = handle(&step, progress).await;
    assert_eq!(freed.num_calls(), returns_lease);
    let written = written.lock().unwrap().clone();
    (read, written)
}

fn times(part: &LabeledFrames) -> Vec<(u64, usize)> {
    let frames = part.frames.iter();
    frames.map(|frame| (frame.at_ms, frame.found.len())).collect()
}

/// 25 pages with a frame each, whose second label is on the next page.
fn pages() -> Vec<Vec<(i64, &'static str)>> {
    (0..25)
        .map(|page| vec![(page * 500 - 500, "Dog"), (page * 500, "Cat")])
        .map(|page| page.into_iter().filter(|(at_ms, _)| *at_ms >= 0).collect())
        .collect()
}

#[tokio::test]
async fn a_part_has_ten_pages_and_frames_on_two_pages_are_one_frame() {
    let (first, written) = read(Job::of(pages()), progress(12_500)).await;
    let first = first.unwrap();
    assert_eq!((&first.parts[..], first.next, first.done), (&[10][..], 10, false));
    let part = &written["frames-0-10.json"];
    assert_eq!(part.frames.len(), 10);
    assert_eq!(times(part)[..2], [(0, 2), (500, 2)]);
    assert_eq!(
        (part.model_version.as_deref(), part.longest_ms),
        (Some("3.0"), Some(2000))
    );
    let (second, _) = read(Job::of(pages()), first).await;
    let (third, written) = read(Job::of(pages()), second.unwrap()).await;
    let third = third.unwrap();
    assert_eq!(
        (&third.parts[..], third.next, third.done),
        (&[10, 20, 25][..], 25, true)
    );
    // The rest of a frame of the part before.
    assert_eq!(times(&written["frames-20-25.json"])[0], (9500, 1));
}

/// The state of an execution and the memory of the next step are limited.
#[tokio::test]
async fn keeps_at_most_10800_frames_of_a_long_video() {
    let six_hours = 6 * 60 * 60 * 1000;
    let frames = (0..1000).map(|frame| (frame * 500, "Cat")).collect();
    let (_, written) = read(Job::of(vec![frames]), progress(six_hours)).await;
    assert_eq!(
        times(&written["frames-0-1.json"])[..3],
        [(0, 1), (2000, 1), (4000, 1)]
    );
}

#[tokio::test]
async fn a_thousand_pages_take_a_hundred_parts() {
    let pages = || (0..1000).map(|page| vec![(page * 500, "Cat")]).collect();
    let mut progress = progress(500_000);
    for _ in 0..100 {
        assert!(!progress.done);
        progress = read(Job::of(pages()), progress).await.0.unwrap();
    }
    assert!(progress.done);
    assert_eq!((progress.parts.len(), progress.next), (100, 1000));
    let state = serde_json::to_vec(&progress).unwrap();
    assert!(state.len() < 2000, "{}", state.len());
}

#[tokio::test]
async fn a_token_that_has_expired_begins_with_the_first_page_at_most_three_times() {
    let expired = || Job {
        expired: Some(10),
        ..Job::of(pages())
    };
    let mut progress = progress(12_500);
    for restarts in 1..=3 {
        let part = read(expired(), progress).await.0.unwrap();
        assert_eq!(part.parts, [10]);
        progress = read(expired(), part).await.0.unwrap();
        assert_eq!(
            (progress.parts.len(), progress.next, progress.done),
            (0, 0, false)
        );
        assert_eq!(
            progress.pages.as_ref().map(|pages| pages.restarts),
            Some(restarts)
        );
    }
    let part = read(expired(), progress).await.0.unwrap();
    let error = read(expired(), part).await.0.unwrap_err();
    assert_eq!(error.name(), ErrorName::UnexpectedAnswer);
}

#[tokio::test]
async fn pages_that_have_been_read_are_kept_when_the_next_one_fails() {
    let failing = |page| Job {
        failing: Some(page),
        ..Job::of(pages())
    };
    let part = read(failing(4), progress(12_500)).await.0.unwrap();
    assert_eq!((&part.parts[..], part.next, part.done), (&[4][..], 4, false));
    let (error, written) = read(failing(4), part).await;
    assert_eq!(error.unwrap_err().name(), ErrorName::AccessDenied);
    assert!(written.is_empty());
}

#[tokio::test]
async fn a_video_in_which_nothing_is_found_is_labeled() {
    let (part, written) = read(Job::of(vec![vec![]]), progress(12_500)).await;
    assert!(part.unwrap().done);
    assert_eq!(times(&written["frames-0-1.json"]), [(0, 0)]);
}

#[tokio::test]
async fn a_job_that_has_not_succeeded_has_no_result() {
    for (status, name) in [
        (VideoJobStatus::InProgress, ErrorName::ServiceUnavailable),
        (VideoJobStatus::Failed, ErrorName::UnexpectedAnswer),
    ] {
        let job = Job {
            status,
            ..Job::of(pages())
        };
        assert_eq!(read(job, progress(12_500)).await.0.unwrap_err().name(), name);
    }
}

#[tokio::test]
async fn nothing_is_stored_of_a_deleted_video() {
    let job = Job {
        is_deleted: true,
        ..Job::of(pages())
    };
    let (error, written) = read(job, progress(12_500)).await;
    assert_eq!(error.unwrap_err().name(), ErrorName::ImageDeleted);
    assert!(written.is_empty());
}
