use super::*;
use crate::response::ResponseLabel;
use crate::video::results::{Frame, VideoMetadata};

const HOUR: Duration = Duration::from_secs(3_600);

fn start(parameters: &str) -> StartLabelDetection {
    let body = format!(r#"{{"Video":{{"S3Object":{{"Bucket":"videos","Name":"a.mp4"}}}}{parameters}}}"#);
    StartLabelDetection::parse(body.as_bytes()).unwrap()
}

fn get(id: &str, parameters: &str) -> GetLabelDetection {
    GetLabelDetection::parse(format!(r#"{{"JobId":"{id}"{parameters}}}"#).as_bytes()).unwrap()
}

fn kind<T: std::fmt::Debug>(result: Result<T, ApiError>) -> ErrorKind {
    result.unwrap_err().kind
}

fn label(name: &str, confidence: f32) -> ResponseLabel {
    ResponseLabel::for_tests(name, confidence)
}

/// A cat in the first two seconds and the last one, and a dog in the second one. A frame each second.
fn results() -> Results {
    let frames = [
        vec![label("Cat", 90.0)],
        vec![label("Dog", 80.0), label("Cat", 70.0)],
        vec![],
        vec![label("Cat", 95.0)],
    ];
    Results {
        metadata: VideoMetadata {
            codec: "h264",
            duration_millis: 4_000,
            format: "QuickTime / MOV",
            frame_rate: 25.0,
            frame_height: 48,
            frame_width: 64,
            color_range: "LIMITED",
        },
        frames: (0..)
            .zip(frames)
            .map(|(second, labels)| Frame {
                time: second * 1_000,
                labels,
            })
            .collect(),
    }
}

#[test]
fn a_token_starts_one_job() {
    let (jobs, now) = (Jobs::new(20), Instant::now());
    let request = start(r#","ClientRequestToken":"once","JobTag":"a""#);
    let (id, is_new) = jobs.start(&request, now).unwrap();
    assert!(is_new && id.len() == 64);
    assert_eq!(jobs.start(&request, now).unwrap(), (id.clone(), false));
    assert_eq!(jobs.repeated(&request, now).unwrap(), Some(id.clone()));
    let other = start(r#","ClientRequestToken":"once","JobTag":"b""#);
    assert_eq!(
        kind(jobs.start(&other, now)),
        ErrorKind::IdempotentParameterMismatchException
    );
    let (without, again) = (start(""), start(""));
    assert_ne!(
        jobs.start(&without, now).unwrap().0,
        jobs.start(&again, now).unwrap().0
    );
    // As long as the results are kept.
    jobs.finish(&id, Ok(results()), now);
    assert_eq!(
        jobs.repeated(&request, now + 167 * HOUR).unwrap(),
        Some(id.clone())
    );
    assert_eq!(jobs.repeated(&request, now + 169 * HOUR).unwrap(), None);
    assert_eq!(
        kind(jobs.page(&get(&id, ""), now + 169 * HOUR)),
        ErrorKind::ResourceNotFoundException
    );
}

#[test]
fn jobs_in_progress_are_limited() {
    let (jobs, now) = (Jobs::new(2), Instant::now());
    let first = jobs.start(&start(""), now).unwrap().0;
    jobs.start(&start(r#","ClientRequestToken":"t""#), now).unwrap();
    assert_eq!(
        kind(jobs.start(&start(""), now)),
        ErrorKind::LimitExceededException
    );
    // A repeated request starts nothing.
    assert!(jobs.start(&start(r#","ClientRequestToken":"t""#), now).is_ok());
    jobs.finish(&first, Err("No.".into()), now);
    assert!(jobs.start(&start(""), now).is_ok());
    // A job in progress does not expire.
    assert_eq!(
        kind(jobs.start(&start(""), now + 1_000 * HOUR)),
        ErrorKind::LimitExceededException
    );
}

#[test]
fn a_job_is_in_progress_until_it_succeeds_or_fails() {
    let (jobs, now) = (Jobs::new(20), Instant::now());
    let id = jobs.start(&start(r#","JobTag":"tag""#), now).unwrap().0;
    let page = jobs.page(&get(&id, ""), now).unwrap();
    assert_eq!(
        (&page["JobStatus"], &page["JobTag"]),
        (&json!("IN_PROGRESS"), &json!("tag"))
    );
    assert_eq!(page["Labels"], json!([]));
    jobs.finish(&id, Err("Unsupported codec".into()), now);
    let page = jobs.page(&get(&id, ""), now).unwrap();
    assert_eq!(page["JobStatus"], "FAILED");
    assert_eq!(page["StatusMessage"], "Unsupported codec");
}

#[test]
fn segments_end_where_a_label_is_missing() {
    let (jobs, now) = (Jobs::new(20), Instant::now());
    let id = jobs.start(&start(""), now).unwrap().0;
    jobs.finish(&id, Ok(results()), now);
    let found = |parameters: &str| {
        let page = jobs.page(&get(&id, parameters), now).unwrap();
        let labels = page["Labels"].as_array().unwrap().iter();
        labels
            .map(|found| {
                let end = found["EndTimestampMillis"].as_u64().unwrap_or(0);
                let name = found["Label"]["Name"].as_str().unwrap().to_owned();
                (
                    found["Timestamp"].as_u64().unwrap(),
                    end,
                    name,
                    found["Label"]["Confidence"].as_f64().unwrap(),
                )
            })
            .collect::<Vec<_>>()
    };
    let row = |from, to, name: &str, confidence| (from, to, name.to_owned(), confidence);
    assert_eq!(
        found(r#","AggregateBy":"SEGMENTS""#),
        [
            row(0, 2_000, "Cat", 90.0),
            row(1_000, 2_000, "Dog", 80.0),
            row(3_000, 4_000, "Cat", 95.0),
        ]
    );
    assert_eq!(
        found(r#","SortBy":"NAME""#),
        [
            row(3_000, 0, "Cat", 95.0),
            row(0, 0, "Cat", 90.0),
            row(1_000, 0, "Cat", 70.0),
            row(1_000, 0, "Dog", 80.0),
        ]
    );
}

#[test]
fn pages_have_no_gaps_and_their_tokens_expire() {
    let (jobs, now) = (Jobs::new(20), Instant::now());
    let id = jobs.start(&start(""), now).unwrap().0;
    jobs.finish(&id, Ok(results()), now);
    let whole = jobs.page(&get(&id, ""), now).unwrap();
    let first = jobs.page(&get(&id, r#","MaxResults":3"#), now).unwrap();
    let token = first["NextToken"].as_str().unwrap();
    let second = format!(r#","MaxResults":3,"NextToken":"{token}""#);
    let last = jobs.page(&get(&id, &second), now + 23 * HOUR).unwrap();
    assert_eq!(last["NextToken"], Value::Null);
    let all = [
        first["Labels"].as_array().unwrap().as_slice(),
        last["Labels"].as_array().unwrap(),
    ]
    .concat();
    assert_eq!(json!(all), whole["Labels"]);
    let invalid = ErrorKind::InvalidPaginationTokenException;
    assert_eq!(kind(jobs.page(&get(&id, &second), now + 25 * HOUR)), invalid);
    let first = jobs.page(&get(&id, r#","MaxResults":3"#), now).unwrap();
    let token = first["NextToken"].as_str().unwrap();
    let other = format!(r#","NextToken":"{token}","SortBy":"NAME""#);
    assert_eq!(kind(jobs.page(&get(&id, &other), now)), invalid);
    assert_eq!(
        kind(jobs.page(&get(&id, r#","NextToken":"unknown""#), now)),
        invalid
    );
}

#[test]
fn parameters_outside_their_limits_are_rejected() {
    for parameters in [
        r#","ClientRequestToken":"""#.to_owned(),
        format!(r#","ClientRequestToken":"{}""#, "a".repeat(65)),
        r#","ClientRequestToken":"a b""#.into(),
        r#","JobTag":"a,b""#.into(),
        format!(r#","JobTag":"{}""#, "a".repeat(1_025)),
        r#","MinConfidence":101"#.into(),
        r#","Features":["IMAGE_PROPERTIES"]"#.into(),
        r#","NotificationChannel":{"SNSTopicArn":"topic","RoleArn":"arn:aws:iam::1:role/r"}"#.into(),
        r#","NotificationChannel":{"SNSTopicArn":"arn:aws:sns:us-east-1:1:t"}"#.into(),
    ] {
        let body = format!(r#"{{"Video":{{"S3Object":{{"Bucket":"videos","Name":"a.mp4"}}}}{parameters}}}"#);
        let error = kind(StartLabelDetection::parse(body.as_bytes()));
        assert_eq!(error, ErrorKind::InvalidParameterException, "{parameters}");
    }
    for body in [
        r#"{}"#,
        r#"{"JobId":"a b"}"#,
        r#"{"JobId":"a","MaxResults":0}"#,
        r#"{"JobId":"a","SortBy":"TIME"}"#,
        r#"{"JobId":"a","AggregateBy":"FRAMES"}"#,
    ] {
        let error = kind(GetLabelDetection::parse(body.as_bytes()));
        assert_eq!(error, ErrorKind::InvalidParameterException, "{body}");
    }
    assert_eq!(
        kind(start("").check_length(10 * 1024 * 1024 * 1024 + 1)),
        ErrorKind::VideoTooLargeException
    );
}
