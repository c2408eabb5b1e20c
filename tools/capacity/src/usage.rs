//! What a number of pictures uses in a month.

use crate::assumptions::{
    API_BYTES, IMAGES_PER_LIST, LOG_BYTES, MILLISECONDS, MONTH_DAYS, PAGE_BYTES, PAGE_FILES,
    POLL_REQUESTS_PER_IMAGE, POLLS_PER_IMAGE, RENDITION_BYTES, SMALL_THUMBNAIL_BYTES, STORED_LOGS,
    THUMBNAIL_BYTES, VISITS_PER_OWNER,
};
use crate::items::Items;
use crate::prices::Meter;
use crate::stack::{Architecture, Stack};
use std::collections::BTreeMap;

/// AWS's GB.
const GB: f64 = 1024.0 * 1024.0 * 1024.0;
/// A file's MB.
const MB: f64 = 1e6;
/// Thumbnails of a picture.
const THUMBNAILS: f64 = 2.0;
/// Days after which the lifecycle rule of the bucket deletes renditions.
const RENDITION_DAYS: f64 = 15.0;
const SECONDS_PER_DAY: f64 = 86_400.0;
/// X-Ray records the first request in each second and this share of the others. Source: AWS Lambda Developer Guide,
/// "Visualize Lambda function invocations using AWS X-Ray".
const TRACED: f64 = 0.05;

/// What people do with the system.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// Pictures that are uploaded in the first month.
    pub images: u64,
    /// People who sign in each month.
    pub owners: u64,
    /// Labels per picture.
    pub labels: u32,
    /// Megabytes per picture.
    pub average_mb: f64,
    /// Pictures that people look at in a month: in the gallery, and then in full size.
    pub views: u64,
    /// Pictures that must be converted for Rekognition, in percent.
    pub converted_percent: f64,
    /// Durations that replace those of [`MILLISECONDS`].
    pub durations: BTreeMap<String, f64>,
}

/// A month in the life of a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Month {
    /// All pictures are uploaded and labeled.
    First,
    /// Nothing is uploaded, and people look at pictures.
    Later,
    /// Nobody uses the system.
    Idle,
}

/// A quantity on the bill.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What counts.
    pub meter: Meter,
    /// What it is used for.
    pub what: String,
    /// Units of the meter.
    pub quantity: f64,
}

/// Everything that a month uses. Each month has the same lines.
pub fn of(workload: &Workload, stack: &Stack, month: Month) -> Vec<Line> {
    let uploaded = if month == Month::First {
        workload.images as f64
    } else {
        0.0
    };
    let converted = uploaded * workload.converted_percent / 100.0;
    let (views, owners) = match month {
        Month::Idle => (0.0, 0.0),
        _ => (workload.views as f64, workload.owners as f64),
    };
    let library = workload.images as f64;
    let items = Items::new(workload.labels);
    let mut lines = vec![];
    let mut add = |meter, what: &str, quantity: f64| {
        lines.push(Line {
            meter,
            what: what.to_owned(),
            quantity,
        });
    };

    add(Meter::DetectLabels, "images", uploaded);
    let transitions =
        uploaded * stack.transitions + converted * (stack.transitions_with_conversion - stack.transitions);
    add(Meter::StateTransitions, "state transitions", transitions);

    let api_requests = uploaded * (1.0 + POLL_REQUESTS_PER_IMAGE) + views * (1.0 + 1.0 / IMAGES_PER_LIST);
    let mut invocations: BTreeMap<&str, f64> = BTreeMap::new();
    for step in &stack.steps {
        *invocations.entry(step).or_default() += uploaded - converted;
    }
    for step in &stack.steps_with_conversion {
        *invocations.entry(step).or_default() += converted;
    }
    invocations.insert("thumbnails", uploaded);
    invocations.insert("api", api_requests);
    let all_invocations: f64 = invocations.values().sum();
    add(Meter::LambdaRequests, "invocations", all_invocations);
    for (name, function) in &stack.functions {
        let Some(count) = invocations.get(name.as_str()) else {
            continue;
        };
        let seconds = milliseconds(workload, name) / 1000.0;
        let meter = match function.architecture {
            Architecture::Arm64 => Meter::LambdaArm64,
            Architecture::X86 => Meter::LambdaX86,
        };
        let what = format!("`{name}`, {} MB", function.memory);
        add(meter, &what, count * seconds * function.memory / 1024.0);
    }

    add(Meter::WriteUnits, "writes", uploaded * items.units() as f64);
    // `POST /uploads` 0.5, `validate` 1, `filter-labels` 2, `persist` 3 (docs/data-model.md), and the polls of the page.
    let reads = uploaded * (6.5 + POLLS_PER_IMAGE)
        // The record in the gallery, record and result in full size.
        + views * 3.0;
    add(Meter::ReadUnits, "reads", reads);
    let stored = library * items.stored() as f64 / GB;
    add(Meter::TableStorage, "storage", stored);
    add(
        Meter::TableBackup,
        "backup",
        if stack.has_table_backup { stored } else { 0.0 },
    );

    let written = uploaded * (1.0 + THUMBNAILS) + converted;
    add(Meter::S3Writes, "writes", written);
    // Checksum and header for `validate`, the picture for Rekognition and for `thumbnails`.
    add(Meter::S3Reads, "reads", uploaded * 4.0 + converted + views * 2.0);
    let renditions = converted * RENDITION_BYTES * RENDITION_DAYS / MONTH_DAYS;
    let objects = library * (workload.average_mb * MB + THUMBNAIL_BYTES);
    add(Meter::S3Storage, "storage", (objects + renditions) / GB);
    let viewed = views * (workload.average_mb * MB + SMALL_THUMBNAIL_BYTES);
    add(Meter::TransferOut, "transfer to browsers", viewed / GB);

    let bucket_events = if stack.has_bucket_events { written } else { 0.0 };
    add(Meter::Events, "events of the bucket", bucket_events);
    add(Meter::Events, "`Image Labeled`", uploaded);

    add(Meter::ApiRequests, "requests", api_requests);
    let page_requests = owners * VISITS_PER_OWNER * PAGE_FILES;
    add(Meter::CdnRequests, "requests", api_requests + page_requests);
    add(Meter::CdnFunctions, "function", page_requests);
    let page_bytes = owners * VISITS_PER_OWNER * PAGE_BYTES;
    add(
        Meter::CdnTransfer,
        "transfer",
        (page_bytes + api_requests * API_BYTES) / GB,
    );
    add(Meter::ActiveUsers, "active people", owners);

    let logs = all_invocations * LOG_BYTES / GB;
    add(Meter::LogIngestion, "logs", logs);
    let kept = (stack.log_retention_days / MONTH_DAYS).min(1.0);
    add(Meter::LogStorage, "stored logs", logs * STORED_LOGS * kept);
    add(Meter::Alarms, "alarms", stack.alarms);
    add(Meter::Dashboards, "dashboards", stack.dashboards);
    add(Meter::Traces, "traces", traced(uploaded) + traced(api_requests));
    lines
}

/// The traces of a number of requests that are spread evenly over a month.
fn traced(requests: f64) -> f64 {
    let first = requests.min(MONTH_DAYS * SECONDS_PER_DAY);
    first + (requests - first) * TRACED
}

/// What an invocation of a function takes on average.
pub fn milliseconds(workload: &Workload, function: &str) -> f64 {
    let assumed = MILLISECONDS.iter().find(|(name, _)| *name == function);
    let given = workload.durations.get(function).copied();
    given.unwrap_or(assumed.map_or(0.0, |(_, milliseconds)| *milliseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_thumbnails_is_that_of_the_code() {
        assert_eq!(THUMBNAILS, picture::THUMBNAIL_SIDES.len() as f64);
    }

    #[test]
    fn renditions_are_deleted_when_the_template_says() {
        let template = include_str!("../../../template.yaml");
        let rule = template.split("- Id: ExpireRenditions").nth(1).unwrap();
        let days = rule.split("ExpirationInDays: ").nth(1).unwrap();
        let days: f64 = days.split_whitespace().next().unwrap().parse().unwrap();
        assert_eq!(RENDITION_DAYS, days);
    }

    #[test]
    fn a_busy_second_records_a_twentieth_of_its_other_requests() {
        let seconds = MONTH_DAYS * SECONDS_PER_DAY;
        assert_eq!((traced(0.0), traced(1000.0)), (0.0, 1000.0));
        assert_eq!(traced(seconds * 21.0), seconds * 2.0);
    }
}
