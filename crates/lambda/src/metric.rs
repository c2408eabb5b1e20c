//! Metrics in CloudWatch's embedded metric format: CloudWatch makes metrics of JSON objects in the log.
//!
//! Source: "Specification: Embedded metric format" in the CloudWatch User Guide.

use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

const NAMESPACE: &str = "image-label-generator";

/// Adds one to a metric of a function, in total and for this reason.
pub fn count(metric: &str, function_name: &str, reason: &str) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    println!("{}", one(metric, function_name, reason, now.as_millis()));
}

fn one(metric: &str, function_name: &str, reason: &str, milliseconds: u128) -> Value {
    json!({
        "_aws": {
            "Timestamp": milliseconds as u64,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["FunctionName"], ["FunctionName", "Reason"]],
                "Metrics": [{"Name": metric, "Unit": "Count"}],
            }],
        },
        "FunctionName": function_name,
        "Reason": reason,
        metric: 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CloudWatch ignores objects that violate the specification, without an error.
    #[test]
    fn each_dimension_and_metric_of_the_declaration_has_a_value() {
        let line = one(
            "PicturesWithoutThumbnails",
            "stack-thumbnails",
            "TooComplex",
            1_764_374_400_000,
        );
        let declaration = &line["_aws"]["CloudWatchMetrics"][0];
        let dimensions = declaration["Dimensions"].as_array().unwrap();
        for name in dimensions.iter().flat_map(|set| set.as_array().unwrap()) {
            assert!(line[name.as_str().unwrap()].is_string(), "{name}");
        }
        let metric = declaration["Metrics"][0]["Name"].as_str().unwrap();
        assert_eq!(line[metric], 1);
        assert_eq!(line["_aws"]["Timestamp"], 1_764_374_400_000_u64);
    }
}
