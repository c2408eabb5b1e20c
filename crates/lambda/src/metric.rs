//! Writes what was measured to the log in CloudWatch's embedded metric format (EMF), from which CloudWatch extracts the
//! metrics.
//!
//! Source: "Specification: Embedded metric format" in the CloudWatch User Guide. A document is a line of its own and one
//! JSON object without anything before or after it, so it is printed and not logged with `tracing`. With the JSON log
//! format, Lambda passes on lines that are JSON objects, treats one without a level as INFO, and adds a timestamp
//! ("Log-level filtering" in the Lambda Developer Guide).

use domain::metric::{self, Dimension, Measurement, Metric, Unit};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

const NAMESPACE: &str = "image-label-generator";
/// The dimension that all metrics have, with the stack's name. A constant of a deployment.
const STACK: &str = "Stack";
/// The maximum number of values of a metric in one document.
const MAX_VALUES: usize = 100;

/// Writes what was measured in this thread.
pub(crate) fn write(stack: &str) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let milliseconds = u64::try_from(now.as_millis()).unwrap_or_default();
    for document in documents(metric::take(), stack, milliseconds) {
        println!("{document}");
    }
}

/// The metrics of one document. A dimension has one value in it.
#[derive(Default)]
struct Document {
    dimensions: BTreeMap<Dimension, &'static str>,
    metrics: BTreeMap<&'static str, (&'static Metric, Vec<Dimension>, Vec<f64>)>,
}

impl Document {
    /// Adds a measurement, unless it needs another document.
    fn add(&mut self, measurement: &Measurement) -> bool {
        let other = |(name, value): &(Dimension, &'static str)| {
            self.dimensions.get(name).is_some_and(|used| used != value)
        };
        if measurement.dimensions.iter().any(other) {
            return false;
        }
        let names: Vec<_> = measurement.dimensions.iter().map(|(name, _)| *name).collect();
        match self.metrics.get_mut(measurement.metric.name) {
            Some((_, used, values)) if *used != names || values.len() == MAX_VALUES => return false,
            Some((_, _, values)) => values.push(measurement.value),
            None => {
                let entry = (measurement.metric, names, vec![measurement.value]);
                self.metrics.insert(measurement.metric.name, entry);
            }
        }
        self.dimensions.extend(measurement.dimensions.iter().copied());
        true
    }

    fn json(&self, stack: &str, milliseconds: u64) -> Value {
        let mut root = Map::from_iter([(STACK.to_owned(), json!(stack))]);
        for (name, value) in &self.dimensions {
            root.insert(<&str>::from(name).to_owned(), json!(value));
        }
        let mut directives: BTreeMap<Vec<Vec<&str>>, Vec<Value>> = BTreeMap::new();
        for (metric, dimensions, values) in self.metrics.values() {
            let value = match metric.unit {
                Unit::Count => json!(values.iter().sum::<f64>()),
                _ if values.len() == 1 => json!(values[0]),
                _ => json!(values),
            };
            root.insert(metric.name.to_owned(), value);
            let unit = <&str>::from(metric.unit);
            directives
                .entry(dimension_sets(metric, dimensions))
                .or_default()
                .push(json!({"Name": metric.name, "Unit": unit}));
        }
        let directives: Vec<_> = directives
            .into_iter()
            .map(|(sets, metrics)| json!({"Namespace": NAMESPACE, "Dimensions": sets, "Metrics": metrics}))
            .collect();
        root.insert(
            "_aws".to_owned(),
            json!({"Timestamp": milliseconds, "CloudWatchMetrics": directives}),
        );
        Value::Object(root)
    }
}

/// The metric's sets of dimensions in which a measurement with these dimensions counts, each with the stack.
fn dimension_sets(metric: &Metric, of: &[Dimension]) -> Vec<Vec<&'static str>> {
    let counts = |set: &&&[Dimension]| set.iter().all(|name| of.contains(name));
    let names = |set: &&[Dimension]| {
        let names = set.iter().map(<&str>::from);
        [STACK].into_iter().chain(names).collect()
    };
    metric.dimensions.iter().filter(counts).map(names).collect()
}

fn documents(measurements: Vec<Measurement>, stack: &str, milliseconds: u64) -> Vec<Value> {
    let mut documents: Vec<Document> = vec![];
    for measurement in measurements {
        if !documents.iter_mut().any(|document| document.add(&measurement)) {
            let mut document = Document::default();
            document.add(&measurement);
            documents.push(document);
        }
    }
    documents
        .iter()
        .map(|document| document.json(stack, milliseconds))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded_metrics::{faults, metrics};
    use domain::metric::{Function, METRICS, Quota, Service};
    use domain::reconciliation::{Leftover, Repair};
    use domain::{ErrorName, Format, ImportCounts, Outcome};
    use std::time::Duration;
    use strum::IntoEnumIterator;

    const NOW: u64 = 1_764_374_400_000;

    fn outcome(status: &str, error: Option<&str>) -> Outcome {
        serde_json::from_value(json!({
            "notificationId": "6a8c2b5e-55f0-5d0c-9d4e-3a1f0a0b0c0d",
            "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "bucket": "b",
            "key": "uploads/demo/x", "status": status, "labels": [], "executionArn": "arn",
            "error": error.map(|name| json!({"name": name, "message": ""})),
        }))
        .unwrap()
    }

    /// Measures everything that functions can measure.
    fn measure_everything() {
        let (second, hour) = (Duration::from_secs(1), Some(Duration::from_secs(3600)));
        metric::ended(&outcome("LABELED", None), hour);
        for reason in Dimension::Reason.values() {
            metric::ended(&outcome("REJECTED", Some(reason)), hour);
            metric::ended(&outcome("FAILED", Some(reason)), hour);
        }
        for function in Function::iter() {
            metric::handled(function, second, hour);
        }
        metric::rekognition_called();
        Service::iter().for_each(metric::throttled);
        Format::iter().for_each(metric::converted);
        ErrorName::iter().for_each(metric::without_thumbnails);
        metric::image_counted();
        metric::video_minutes_counted(1);
        Quota::iter().for_each(metric::quota_rejected);
        for leftover in Leftover::iter() {
            for repair in Repair::iter() {
                metric::leftovers(leftover, repair, 2);
            }
        }
        metric::imported(&ImportCounts {
            imported: 1,
            skipped: 1,
            deleted: 1,
            not_pictures: 1,
            failed: 1,
        });
    }

    /// CloudWatch ignores documents that violate the specification, without an error.
    #[test]
    fn everything_that_can_be_measured_is_written_as_the_specification_demands() {
        metric::take();
        measure_everything();
        let mut found = std::collections::BTreeSet::new();
        for document in documents(metric::take(), "stack", NOW) {
            let line = document.to_string();
            assert_eq!(faults(&line), [""; 0], "{line}");
            found.extend(metrics(&line).into_iter().map(|metric| metric.name));
        }
        let all = METRICS.iter().map(|metric| metric.name.to_owned());
        assert_eq!(found, all.collect());
    }

    #[test]
    fn a_measurement_counts_under_each_of_its_sets_of_dimensions() {
        metric::take();
        metric::ended(&outcome("REJECTED", Some("TooComplex")), None);
        let documents = documents(metric::take(), "stack", NOW);
        let [document] = documents.as_slice() else {
            panic!("{documents:?}")
        };
        let pictures: Vec<_> = metrics(&document.to_string())
            .into_iter()
            .filter(|metric| metric.name == "Pictures")
            .map(|metric| metric.dimensions)
            .collect();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let (stack, outcome) = (pair("Stack", "stack"), pair("Outcome", "REJECTED"));
        assert_eq!(
            pictures,
            [
                BTreeMap::from([stack.clone(), outcome.clone()]),
                BTreeMap::from([stack, outcome, pair("Reason", "TooComplex")]),
            ]
        );
    }

    #[test]
    fn counts_are_added_up_and_no_duration_is_lost() {
        metric::take();
        for _ in 0..3 {
            metric::rekognition_called();
        }
        for milliseconds in 0..250 {
            metric::handled(Function::Convert, Duration::from_millis(milliseconds), None);
        }
        let documents = documents(metric::take(), "stack", NOW);
        assert_eq!(documents[0]["RekognitionCalls"], 3.0);
        let durations: usize = documents
            .iter()
            .map(|document| document["Duration"].as_array().unwrap().len())
            .sum();
        assert_eq!((documents.len(), durations), (3, 250));
    }

    /// The line of a usual step costs as little as possible.
    #[test]
    fn a_step_writes_one_document() {
        metric::take();
        metric::rekognition_called();
        metric::throttled(Service::Rekognition);
        metric::handled(
            Function::DetectLabels,
            Duration::from_secs(1),
            Some(Duration::from_secs(2)),
        );
        assert_eq!(documents(metric::take(), "stack", NOW).len(), 1);
        assert_eq!(documents(vec![], "stack", NOW), [Value::Null; 0]);
    }
}
