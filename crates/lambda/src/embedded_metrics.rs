//! Reads lines of a log as CloudWatch reads documents of the embedded metric format, for tests.
//!
//! CloudWatch ignores a document that violates the format, without an error. Sources: "Specification: Embedded metric
//! format" in the CloudWatch User Guide, and the limits of `MetricDatum` and `Dimension` in the CloudWatch API Reference.

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The maximum size of a document, in bytes: that of a log event, which was 256 KB until 2025 and is larger now.
const MAX_BYTES: usize = 256 * 1024;
const MAX_METRICS: usize = 100;
const MAX_VALUES: usize = 100;
const MAX_DIMENSIONS: usize = 30;
const MAX_NAME_CHARS: usize = 255;
const MAX_DIMENSION_VALUE_CHARS: usize = 1024;
const UNITS: [&str; 27] = [
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
];
/// What Lambda adds to a line that is a JSON object, if the line does not have it ("Log-level filtering" in the Lambda
/// Developer Guide). A dimension or a metric of this name would be mistaken for it.
const LAMBDA_MEMBERS: [&str; 2] = ["level", "timestamp"];

/// A metric under one set of dimensions, with its values.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundMetric {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The dimensions with their values.
    pub dimensions: BTreeMap<String, String>,
    /// The values.
    pub values: Vec<f64>,
}

/// Whether the line is meant to be a document of the format.
pub fn is_document(line: &str) -> bool {
    line.contains("\"_aws\"") && line.contains("CloudWatchMetrics")
}

/// The metrics that CloudWatch extracts from a document without faults.
///
/// # Panics
/// If it has faults.
pub fn metrics(line: &str) -> Vec<FoundMetric> {
    let root: Map<_, _> = serde_json::from_str(line).expect("a JSON object");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let mut found = vec![];
    for directive in list(&root["_aws"]["CloudWatchMetrics"]) {
        for metric in list(&directive["Metrics"]) {
            for set in list(&directive["Dimensions"]) {
                let names = list(&set);
                let values = match &root[&text(&metric["Name"])] {
                    Value::Array(values) => values.clone(),
                    value => vec![value.clone()],
                };
                found.push(FoundMetric {
                    namespace: text(&directive["Namespace"]),
                    name: text(&metric["Name"]),
                    dimensions: names
                        .iter()
                        .map(|name| (text(name), text(&root[&text(name)])))
                        .collect(),
                    values: values
                        .iter()
                        .map(|value| value.as_f64().expect("a number"))
                        .collect(),
                });
            }
        }
    }
    found
}

/// What violates the format in a line of the log, after Lambda has completed it.
pub fn faults(line: &str) -> Vec<String> {
    let mut faults = Faults::default();
    faults.check(line.len() <= MAX_BYTES, "the document is too large");
    faults.check(line.trim() == line, "something is before or after the object");
    match serde_json::from_str::<Value>(line) {
        Ok(Value::Object(root)) => faults.document(&root),
        _ => faults.check(false, "the line is not a JSON object"),
    }
    faults.0
}

#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn check(&mut self, holds: bool, fault: impl Into<String>) {
        if !holds {
            self.0.push(fault.into());
        }
    }

    /// An object must have these members and may have the optional ones.
    fn members(&mut self, what: &str, value: &Value, required: &[&str], optional: &[&str]) {
        let Some(object) = value.as_object() else {
            return self.check(false, format!("{what} is not an object"));
        };
        for name in required {
            self.check(object.contains_key(*name), format!("{what} has no {name}"));
        }
        for name in object.keys() {
            let is_known = required.contains(&name.as_str()) || optional.contains(&name.as_str());
            self.check(is_known, format!("{what} has the unknown member {name}"));
        }
    }

    fn list<'a>(&mut self, what: &str, value: &'a Value, max: usize) -> &'a [Value] {
        let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
        self.check(
            (1..=max).contains(&list.len()),
            format!("{what} must be a list of 1 to {max}"),
        );
        list
    }

    fn name<'a>(&mut self, what: &str, value: &'a Value) -> &'a str {
        let name = value.as_str().unwrap_or_default();
        self.check(
            (1..=MAX_NAME_CHARS).contains(&name.chars().count()),
            format!("{what} must be a text of 1 to {MAX_NAME_CHARS} characters"),
        );
        self.check(
            name.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && !name.starts_with(':'),
            format!("{what} has characters that CloudWatch does not allow"),
        );
        self.check(
            name != "_aws" && !LAMBDA_MEMBERS.contains(&name),
            format!("{what} is a reserved name"),
        );
        name
    }

    fn document(&mut self, root: &Map<String, Value>) {
        let Some(metadata) = root.get("_aws") else {
            return self.check(false, "there is no _aws");
        };
        self.members("_aws", metadata, &["Timestamp", "CloudWatchMetrics"], &[]);
        // Milliseconds since 1970, and not seconds.
        let is_recent = metadata["Timestamp"]
            .as_u64()
            .is_some_and(|time| time > 1_500_000_000_000);
        self.check(is_recent, "Timestamp is not a time in milliseconds");
        let (mut dimensions, mut metrics) = (BTreeSet::new(), BTreeSet::new());
        for directive in self.list("CloudWatchMetrics", &metadata["CloudWatchMetrics"], MAX_METRICS) {
            self.members(
                "a directive",
                directive,
                &["Namespace", "Dimensions", "Metrics"],
                &[],
            );
            let namespace = self.name("Namespace", &directive["Namespace"]);
            let is_allowed = |c: char| c.is_ascii_alphanumeric() || "._-/#: ".contains(c);
            self.check(
                namespace.chars().all(is_allowed) && !namespace.starts_with("AWS/"),
                "Namespace has characters that CloudWatch does not allow",
            );
            for set in self.list("Dimensions", &directive["Dimensions"], MAX_DIMENSIONS) {
                let set = self.list("a set of dimensions", set, MAX_DIMENSIONS);
                let names: BTreeSet<_> = set.iter().map(|name| self.name("a dimension", name)).collect();
                self.check(names.len() == set.len(), "a set has a dimension twice");
                dimensions.extend(names);
            }
            for metric in self.list("Metrics", &directive["Metrics"], MAX_METRICS) {
                self.members("a metric", metric, &["Name"], &["Unit", "StorageResolution"]);
                let name = self.name("a metric's name", &metric["Name"]);
                let unit = metric.get("Unit").map_or(Some("None"), Value::as_str);
                self.check(
                    unit.is_some_and(|unit| UNITS.contains(&unit)),
                    format!("{name} has an unknown unit"),
                );
                let resolution = metric.get("StorageResolution").map_or(Some(60), Value::as_u64);
                self.check(
                    matches!(resolution, Some(1 | 60)),
                    format!("{name} has an invalid resolution"),
                );
                metrics.insert(name);
            }
        }
        self.targets(root, &dimensions, &metrics);
    }

    /// The members of the root that the metadata refers to.
    fn targets(&mut self, root: &Map<String, Value>, dimensions: &BTreeSet<&str>, metrics: &BTreeSet<&str>) {
        let missing = json!(null);
        for name in dimensions {
            let value = root.get(*name).unwrap_or(&missing).as_str().unwrap_or_default();
            let is_valid = (1..=MAX_DIMENSION_VALUE_CHARS).contains(&value.len())
                && value.bytes().all(|byte| (b' '..=b'~').contains(&byte))
                && !value.trim().is_empty()
                && !value.starts_with(':');
            self.check(is_valid, format!("the dimension {name} has no valid value"));
            self.check(
                !metrics.contains(name),
                format!("{name} is a dimension and a metric"),
            );
        }
        for name in metrics {
            let value = root.get(*name).unwrap_or(&missing);
            let values = match value {
                Value::Array(values) => values.as_slice(),
                value => std::slice::from_ref(value),
            };
            self.check(
                (1..=MAX_VALUES).contains(&values.len()) && values.iter().all(Value::is_number),
                format!("the metric {name} must have 1 to {MAX_VALUES} numbers"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        json!({
            "_aws": {
                "Timestamp": 1_764_374_400_000_u64,
                "CloudWatchMetrics": [{
                    "Namespace": "image-label-generator",
                    "Dimensions": [["Stack"], ["Stack", "Reason"]],
                    "Metrics": [{"Name": "Pictures", "Unit": "Count"}],
                }],
            },
            "Stack": "stack", "Reason": "TooComplex", "Pictures": 1.0,
        })
    }

    #[test]
    fn finds_each_fault_and_no_other() {
        assert_eq!(faults(&document().to_string()), [""; 0]);
        let many: Vec<_> = (0..101).collect();
        let directive = "/_aws/CloudWatchMetrics/0";
        for (pointer, value, expected) in [
            ("/_aws/Timestamp".to_owned(), json!(1_764_374_400), "milliseconds"),
            ("/_aws/Timestamp".to_owned(), json!("now"), "milliseconds"),
            ("/_aws/CloudWatchMetrics".to_owned(), json!([]), "1 to 100"),
            (format!("{directive}/Namespace"), json!("AWS/Lambda"), "Namespace"),
            (
                format!("{directive}/Namespace"),
                json!("Bilder für alle"),
                "Namespace",
            ),
            (
                format!("{directive}/Dimensions"),
                json!([["Owner"]]),
                "Owner has no valid value",
            ),
            (
                format!("{directive}/Dimensions"),
                json!([many.clone()]),
                "1 to 30",
            ),
            (
                format!("{directive}/Dimensions"),
                json!([["Stack", "Stack"]]),
                "twice",
            ),
            (
                format!("{directive}/Metrics/0/Unit"),
                json!("Pictures"),
                "unknown unit",
            ),
            (
                format!("{directive}/Metrics/0/Name"),
                json!("Pixels"),
                "Pixels must have",
            ),
            (
                format!("{directive}/Metrics/0/Name"),
                json!("timestamp"),
                "reserved",
            ),
            (
                format!("{directive}/Metrics/0/Name"),
                json!("x".repeat(256)),
                "255",
            ),
            (
                format!("{directive}/Metrics"),
                json!(vec![json!({"Name": "Pictures"}); 101]),
                "1 to 100",
            ),
            ("/Reason".to_owned(), json!(5), "Reason has no valid value"),
            ("/Reason".to_owned(), json!("a\nb"), "Reason has no valid value"),
            ("/Pictures".to_owned(), json!("1"), "numbers"),
            ("/Pictures".to_owned(), json!(many), "numbers"),
        ] {
            let mut document = document();
            *document.pointer_mut(&pointer).unwrap() = value.clone();
            let found = faults(&document.to_string());
            assert!(
                found.iter().any(|fault| fault.contains(expected)),
                "{pointer} {value}: {found:?}"
            );
        }
        let mut unknown = document();
        unknown["_aws"]["CloudWatchMetrics"][0]["Unit"] = json!("Count");
        assert_eq!(
            faults(&unknown.to_string()),
            ["a directive has the unknown member Unit"]
        );
        // As `tracing` would write it.
        let wrapped = json!({"level": "INFO", "fields": {"message": document().to_string()}});
        assert_eq!(faults(&wrapped.to_string()), ["there is no _aws"]);
        assert_eq!(
            faults(&format!("INFO {}", document())),
            ["the line is not a JSON object"]
        );
    }
}
