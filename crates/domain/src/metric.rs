//! The metrics of the functions, and what the current invocation has measured.
//!
//! Libraries measure with the functions of this module. `crates/lambda` takes the measurements at the end of each
//! invocation and writes them to the log, from which CloudWatch extracts the metrics.
//!
//! CloudWatch bills each combination of dimension values that a metric has had in an hour. All values therefore come
//! from closed lists ([`Dimension::values`]): no id, name or text of a user can become one.

use crate::contract::Outcome;
use crate::error_name::ErrorName;
use crate::image::{Format, Status};
use crate::import::{ImportCounts, ImportResult};
use crate::reconciliation::{Leftover, Repair};
use std::cell::RefCell;
use std::time::Duration;
use strum::{EnumIter, IntoEnumIterator, IntoStaticStr};

/// The maximum number of measurements that are kept until [`take`]. An invocation makes a few. Programs that never take
/// them, such as tests, do not fill the memory.
const MAX_MEASUREMENTS: usize = 1000;

/// A metric. CloudWatch keeps it under the dimension `Stack`, and under `Stack` with each of [`Self::dimensions`].
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// The unit of its values.
    pub unit: Unit,
    /// The sets of dimensions, besides `Stack`. A measurement counts in each set of which it has all dimensions.
    pub dimensions: &'static [&'static [Dimension]],
}

/// The unit of a metric, by CloudWatch's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Unit {
    Count,
    Milliseconds,
    Percent,
    Seconds,
}

/// The name of a dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, EnumIter, IntoStaticStr)]
pub enum Dimension {
    /// A [`Function`].
    Function,
    /// A common name of a [`Format`].
    Kind,
    /// A kind of [`Leftover`].
    Leftover,
    /// A final [`Status`].
    Outcome,
    /// A [`Quota`].
    Quota,
    /// An [`ErrorName`], or one of [`OTHER_REASONS`].
    Reason,
    /// A [`Repair`].
    Repair,
    /// An [`ImportResult`].
    Result,
    /// A [`Service`].
    Service,
}

impl Dimension {
    /// All values that the dimension can have.
    pub fn values(self) -> Vec<&'static str> {
        fn names<T: IntoEnumIterator + Into<&'static str>>() -> Vec<&'static str> {
            T::iter().map(Into::into).collect()
        }
        match self {
            Self::Function => Function::iter().map(Function::as_str).collect(),
            Self::Kind => Format::iter().map(Format::as_str).collect(),
            Self::Leftover => names::<Leftover>(),
            Self::Outcome => OUTCOMES.iter().map(|status| status.as_str()).collect(),
            Self::Quota => names::<Quota>(),
            Self::Reason => [names::<ErrorName>(), OTHER_REASONS.to_vec()].concat(),
            Self::Repair => names::<Repair>(),
            Self::Result => names::<ImportResult>(),
            Self::Service => names::<Service>(),
        }
    }
}

const OUTCOMES: [Status; 3] = [Status::Labeled, Status::Rejected, Status::Failed];

/// Reasons of failed executions that are not the error of a step: an operator has stopped it, its function has crashed or
/// was ended, it has exceeded its time limit, or any other.
pub const OTHER_REASONS: [&str; 4] = ["Aborted", "Crashed", "TimedOut", "Other"];

/// A function of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[expect(missing_docs, reason = "the names of their crates")]
pub enum Function {
    Api,
    CheckImport,
    CollectLabels,
    Convert,
    CopyObjects,
    DetectLabels,
    FilterLabels,
    InspectVideo,
    LabelFrames,
    Notify,
    Persist,
    ReadVideoLabels,
    Reconcile,
    RecordFailure,
    ResumeVideo,
    RunJobPart,
    StartVideoLabels,
    SummarizeImport,
    Thumbnails,
    Validate,
}

impl Function {
    /// The name of its crate, such as `detect-labels`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether the state machine invokes it while a picture is processed. A video takes minutes to hours.
    fn is_step(self) -> bool {
        !matches!(
            self,
            Self::Api
                | Self::CheckImport
                | Self::CollectLabels
                | Self::CopyObjects
                | Self::InspectVideo
                | Self::LabelFrames
                | Self::ReadVideoLabels
                | Self::Reconcile
                | Self::RecordFailure
                | Self::ResumeVideo
                | Self::RunJobPart
                | Self::StartVideoLabels
                | Self::SummarizeImport
                | Self::Thumbnails
        )
    }
}

/// An AWS service that functions call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Service {
    DynamoDb,
    EventBridge,
    Rekognition,
    S3,
    StepFunctions,
}

impl Service {
    /// The service of a call, such as `s3:GetObject`.
    pub fn of_call(call: &str) -> Option<Self> {
        Some(match call.split_once(':')?.0 {
            "dynamodb" => Self::DynamoDb,
            "events" => Self::EventBridge,
            "rekognition" => Self::Rekognition,
            "s3" => Self::S3,
            "states" => Self::StepFunctions,
            _ => return None,
        })
    }
}

/// A daily quota of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
pub enum Quota {
    /// Of one user.
    User,
    /// Of all users together.
    AllUsers,
}

/// Images whose labeling has ended, by outcome, and by reason unless labeled.
pub const PICTURES: Metric = Metric {
    name: "Pictures",
    unit: Unit::Count,
    dimensions: &[&[Dimension::Outcome], &[Dimension::Outcome, Dimension::Reason]],
};
/// 100 for each rejected image and 0 for each labeled one: the average is the share of rejected images.
pub const REJECTED_SHARE: Metric = Metric {
    name: "RejectedShare",
    unit: Unit::Percent,
    dimensions: &[&[]],
};
/// From the upload, or the request to label an image again, to its labels.
pub const TIME_TO_LABELS: Metric = Metric {
    name: "TimeToLabels",
    unit: Unit::Seconds,
    dimensions: &[&[]],
};
/// From the upload, or the request to label an image again, to each attempt of each step. Its maximum shows images that
/// are `PROCESSING` for long, because a step that fails temporarily is tried again at least every 15 minutes.
pub const PICTURE_AGE: Metric = Metric {
    name: "PictureAge",
    unit: Unit::Seconds,
    dimensions: &[&[]],
};
/// The duration of each attempt of a step or a listener.
pub const DURATION: Metric = Metric {
    name: "Duration",
    unit: Unit::Milliseconds,
    dimensions: &[&[Dimension::Function]],
};
/// Calls of Rekognition, which cost money.
pub const REKOGNITION_CALLS: Metric = Metric {
    name: "RekognitionCalls",
    unit: Unit::Count,
    dimensions: &[&[]],
};
/// Calls that a service has throttled.
pub const THROTTLES: Metric = Metric {
    name: "Throttles",
    unit: Unit::Count,
    dimensions: &[&[Dimension::Service]],
};
/// Pictures that were converted to JPEG for Rekognition, by the original's format.
pub const CONVERSIONS: Metric = Metric {
    name: "Conversions",
    unit: Unit::Count,
    dimensions: &[&[Dimension::Kind]],
};
/// Labeled pictures that have no thumbnails.
pub const PICTURES_WITHOUT_THUMBNAILS: Metric = Metric {
    name: "PicturesWithoutThumbnails",
    unit: Unit::Count,
    dimensions: &[&[], &[Dimension::Reason]],
};
/// Images that were counted against the daily quotas.
pub const COUNTED_IMAGES: Metric = Metric {
    name: "CountedImages",
    unit: Unit::Count,
    dimensions: &[&[]],
};
/// Minutes of video that were counted against the daily quotas.
pub const COUNTED_VIDEO_MINUTES: Metric = Metric {
    name: "CountedVideoMinutes",
    unit: Unit::Count,
    dimensions: &[&[]],
};
/// Requests that a daily quota has rejected.
pub const QUOTA_REJECTIONS: Metric = Metric {
    name: "QuotaRejections",
    unit: Unit::Count,
    dimensions: &[&[Dimension::Quota]],
};

/// What the reconciler has found, by what happened to it, and by its kind.
pub const LEFTOVERS: Metric = Metric {
    name: "Leftovers",
    unit: Unit::Count,
    dimensions: &[&[Dimension::Repair], &[Dimension::Leftover, Dimension::Repair]],
};
/// Objects that imports have handled, by what became of them. A batch that is repeated after a failure counts again.
pub const IMPORTED_OBJECTS: Metric = Metric {
    name: "ImportedObjects",
    unit: Unit::Count,
    dimensions: &[&[Dimension::Result]],
};

/// All metrics. Alarms and the dashboard refer to no others.
pub const METRICS: [&Metric; 14] = [
    &PICTURES,
    &REJECTED_SHARE,
    &TIME_TO_LABELS,
    &PICTURE_AGE,
    &DURATION,
    &REKOGNITION_CALLS,
    &THROTTLES,
    &CONVERSIONS,
    &PICTURES_WITHOUT_THUMBNAILS,
    &COUNTED_IMAGES,
    &COUNTED_VIDEO_MINUTES,
    &QUOTA_REJECTIONS,
    &LEFTOVERS,
    &IMPORTED_OBJECTS,
];

/// A value of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// The metric.
    pub metric: &'static Metric,
    /// Its dimensions, besides `Stack`, with their values.
    pub dimensions: Vec<(Dimension, &'static str)>,
    /// The value, in the metric's unit.
    pub value: f64,
}

thread_local! {
    /// A function handles one event at a time, in one thread.
    static MEASUREMENTS: RefCell<Vec<Measurement>> = const { RefCell::new(vec![]) };
}

/// Removes and returns what was measured in this thread since the last call, in the order of time.
pub fn take() -> Vec<Measurement> {
    MEASUREMENTS.take()
}

fn measure(metric: &'static Metric, dimensions: &[(Dimension, &'static str)], value: f64) {
    MEASUREMENTS.with_borrow_mut(|measurements| {
        if measurements.len() < MAX_MEASUREMENTS {
            measurements.push(Measurement {
                metric,
                dimensions: dimensions.to_vec(),
                value,
            });
        }
    });
}

/// The labeling of an image has ended, `age` after the upload or the request.
pub fn ended(outcome: &Outcome, age: Option<Duration>) {
    let mut dimensions = vec![(Dimension::Outcome, outcome.status.as_str())];
    dimensions.extend(
        outcome
            .error
            .as_ref()
            .map(|error| (Dimension::Reason, reason(&error.name))),
    );
    measure(&PICTURES, &dimensions, 1.0);
    match outcome.status {
        Status::Labeled => {
            measure(&REJECTED_SHARE, &[], 0.0);
            if let Some(age) = age {
                measure(&TIME_TO_LABELS, &[], age.as_secs_f64());
            }
        }
        Status::Rejected => measure(&REJECTED_SHARE, &[], 100.0),
        _ => {}
    }
}

/// The reason for an error name that a step or Step Functions reports.
fn reason(name: &str) -> &'static str {
    if let Some(name) = ErrorName::iter().find(|known| known.as_str() == name) {
        return name.as_str();
    }
    match name {
        "Aborted" => "Aborted",
        "TimedOut" => "TimedOut",
        "States.Timeout" | "Lambda.Unknown" => "Crashed",
        name if name.starts_with("Runtime.") || name.starts_with("Sandbox.") => "Crashed",
        _ => "Other",
    }
}

/// A function has handled an event in this time. `age` is the time since the upload or the request.
pub fn handled(function: Function, duration: Duration, age: Option<Duration>) {
    let milliseconds = duration.as_secs_f64() * 1000.0;
    measure(
        &DURATION,
        &[(Dimension::Function, function.as_str())],
        milliseconds,
    );
    if let Some(age) = age.filter(|_| function.is_step()) {
        measure(&PICTURE_AGE, &[], age.as_secs_f64());
    }
}

/// Rekognition was called.
pub fn rekognition_called() {
    measure(&REKOGNITION_CALLS, &[], 1.0);
}

/// A service has throttled a call.
pub fn throttled(service: Service) {
    measure(&THROTTLES, &[(Dimension::Service, service.into())], 1.0);
}

/// A picture of this format was converted.
pub fn converted(format: Format) {
    measure(&CONVERSIONS, &[(Dimension::Kind, format.as_str())], 1.0);
}

/// A labeled picture has no thumbnails.
pub fn without_thumbnails(error: ErrorName) {
    measure(
        &PICTURES_WITHOUT_THUMBNAILS,
        &[(Dimension::Reason, error.as_str())],
        1.0,
    );
}

/// An image was counted against the daily quotas.
pub fn image_counted() {
    measure(&COUNTED_IMAGES, &[], 1.0);
}

/// Minutes of video were counted against the daily quotas.
pub fn video_minutes_counted(minutes: u32) {
    measure(&COUNTED_VIDEO_MINUTES, &[], f64::from(minutes));
}

/// A daily quota has rejected a request.
pub fn quota_rejected(quota: Quota) {
    measure(&QUOTA_REJECTIONS, &[(Dimension::Quota, quota.into())], 1.0);
}

/// The reconciler has found leftovers.
pub fn leftovers(leftover: Leftover, repair: Repair, count: u64) {
    let dimensions = [
        (Dimension::Leftover, leftover.into()),
        (Dimension::Repair, repair.into()),
    ];
    measure(&LEFTOVERS, &dimensions, count as f64);
}

/// An import has handled objects.
pub fn imported(counts: &ImportCounts) {
    for (result, number) in [
        (ImportResult::Imported, counts.imported),
        (ImportResult::Skipped, counts.skipped),
        (ImportResult::Deleted, counts.deleted),
        (ImportResult::NotPicture, counts.not_pictures),
        (ImportResult::Failed, counts.failed),
    ] {
        if number > 0 {
            measure(
                &IMPORTED_OBJECTS,
                &[(Dimension::Result, result.into())],
                number as f64,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn outcome(status: &str, error: Option<&str>) -> Outcome {
        serde_json::from_value(json!({
            "notificationId": "6a8c2b5e-55f0-5d0c-9d4e-3a1f0a0b0c0d",
            "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "bucket": "b",
            "key": "uploads/demo/x", "status": status, "labels": [], "executionArn": "arn",
            "error": error.map(|name| json!({"name": name, "message": "cat.jpg is broken"})),
        }))
        .unwrap()
    }

    fn values(of: &Metric) -> Vec<f64> {
        take()
            .into_iter()
            .filter(|measurement| measurement.metric == of)
            .map(|measurement| measurement.value)
            .collect()
    }

    /// An alarm compares the average with a threshold.
    #[test]
    fn the_average_of_the_rejected_share_is_the_percentage_of_rejected_images() {
        for (status, error) in [
            ("LABELED", None),
            ("REJECTED", Some("InvalidImage")),
            ("FAILED", Some("AccessDenied")),
            ("LABELED", None),
            ("LABELED", None),
        ] {
            ended(&outcome(status, error), None);
        }
        let shares = values(&REJECTED_SHARE);
        assert_eq!(shares.iter().sum::<f64>() / shares.len() as f64, 25.0);
    }

    /// Names of errors come from Step Functions, and can be any text.
    #[test]
    fn every_reason_is_from_the_closed_list() {
        let known = Dimension::Reason.values();
        for (name, expected) in [
            ("InvalidImage", "InvalidImage"),
            ("AccessDenied", "AccessDenied"),
            ("TimedOut", "TimedOut"),
            ("Aborted", "Aborted"),
            ("Runtime.OutOfMemory", "Crashed"),
            ("Sandbox.Timedout", "Crashed"),
            ("States.Timeout", "Crashed"),
            ("States.DataLimitExceeded", "Other"),
            ("cat.jpg", "Other"),
            ("", "Other"),
        ] {
            ended(&outcome("FAILED", Some(name)), None);
            let measured = take();
            assert_eq!(measured[0].dimensions[1], (Dimension::Reason, expected), "{name}");
            assert!(known.contains(&expected));
        }
    }

    #[test]
    fn only_steps_measure_how_long_an_image_has_been_processed() {
        let (hour, second) = (Duration::from_secs(3600), Duration::from_secs(1));
        handled(Function::DetectLabels, second, Some(hour));
        assert_eq!(values(&PICTURE_AGE), [3600.0]);
        // A redriven dead letter is about an image that was labeled days ago.
        handled(Function::Thumbnails, second, Some(hour));
        assert_eq!(values(&PICTURE_AGE), [0.0; 0]);
        handled(Function::Validate, second, None);
        assert_eq!(values(&DURATION), [1000.0]);
    }

    /// Tests and tools never take the measurements.
    #[test]
    fn measurements_that_nobody_takes_do_not_fill_the_memory() {
        for _ in 0..2 * MAX_MEASUREMENTS {
            rekognition_called();
        }
        assert_eq!(take().len(), MAX_MEASUREMENTS);
        assert_eq!(take(), []);
    }

    #[test]
    fn all_dimensions_of_a_measurement_have_a_set() {
        ended(&outcome("REJECTED", Some("InvalidImage")), None);
        handled(Function::Notify, Duration::ZERO, None);
        throttled(Service::S3);
        converted(Format::Heic);
        without_thumbnails(ErrorName::TooComplex);
        quota_rejected(Quota::AllUsers);
        leftovers(Leftover::StuckImage, Repair::Left, 2);
        imported(&ImportCounts {
            imported: 2,
            failed: 1,
            ..ImportCounts::default()
        });
        for measurement in take() {
            let names: Vec<_> = measurement.dimensions.iter().map(|(name, _)| *name).collect();
            let sets = measurement.metric.dimensions;
            assert!(sets.contains(&names.as_slice()), "{measurement:?}");
            for (name, value) in measurement.dimensions {
                assert!(name.values().contains(&value), "{value}");
            }
        }
    }
}
