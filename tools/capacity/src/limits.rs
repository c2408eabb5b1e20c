//! The limits that decide how many pictures per second the stack can label.

use crate::assumptions::POLL_REQUESTS_PER_IMAGE;
use crate::items::Items;
use crate::stack::Stack;
use crate::usage::{Workload, milliseconds};

/// When the defaults below were looked up.
pub const LOOKED_UP: &str = "2026-11-29";

/// Calls of DetectLabels per second in us-east-1, us-west-2 and eu-west-1. Elsewhere 5.
pub const DETECT_LABELS_RATE: f64 = 50.0;
/// Executions of standard workflows that can be started per second. A bucket holds 1,300 more.
pub const START_EXECUTION_RATE: f64 = 300.0;
/// Executions that can be open at the same time.
pub const OPEN_EXECUTIONS: f64 = 1_000_000.0;
/// Seconds for which EventBridge retries to start an execution; `MaximumEventAgeInSeconds` in the template.
pub const EVENT_AGE: f64 = 86_400.0;
/// Write units per second of a partition.
pub const PARTITION_WRITES: f64 = 1000.0;
/// Bytes of a partition. Source: Amazon DynamoDB Developer Guide, "Partitions and data distribution".
pub const PARTITION_BYTES: f64 = 10e9;
/// How long a transaction locks its items, in seconds. An assumption, as in
/// `crates/records/src/contention/simulation.rs`.
const TRANSACTION_SECONDS: f64 = 0.020;

/// The pictures to which a limit applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All pictures.
    All,
    /// Those of each owner.
    Owner,
    /// Those that are uploaded through the API.
    Api,
}

/// A limit, and what it means for pictures.
#[derive(Debug, Clone)]
pub struct Limit {
    /// The name in the console *Service Quotas*, or of the template's property.
    pub name: &'static str,
    /// The service.
    pub service: &'static str,
    /// The default.
    pub default: String,
    /// Pictures per second that it allows.
    pub images_per_second: f64,
    /// The pictures that share it.
    pub scope: Scope,
    /// What to do when it is reached.
    pub remedy: &'static str,
    /// The page that states the default.
    pub source: &'static str,
}

/// All limits, the narrowest first.
pub fn all(workload: &Workload, stack: &Stack) -> Vec<Limit> {
    let items = Items::new(workload.labels);
    let units = items.units() as f64;
    let mut limits = vec![
        Limit {
            name: "Transactions per second for DetectLabels",
            service: "Rekognition",
            default: "50 per second in us-east-1, us-west-2 and eu-west-1, elsewhere 5".to_owned(),
            images_per_second: DETECT_LABELS_RATE,
            scope: Scope::All,
            remedy: "request an increase",
            source: "https://docs.aws.amazon.com/general/latest/gr/rekognition.html",
        },
        Limit {
            name: "StartExecution throttle token refill rate per second",
            service: "Step Functions",
            default: "300 in us-east-1, us-west-2 and eu-west-1, elsewhere 150".to_owned(),
            images_per_second: START_EXECUTION_RATE,
            scope: Scope::All,
            remedy: "request an increase; EventBridge retries for a day",
            source: "https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html",
        },
        Limit {
            name: "StateTransition throttle token refill rate per second",
            service: "Step Functions",
            default: "5,000 in us-east-1, us-west-2 and eu-west-1, elsewhere 800".to_owned(),
            images_per_second: 5000.0 / stack.transitions,
            scope: Scope::All,
            remedy: "request an increase; executions wait",
            source: "https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html",
        },
        Limit {
            name: "Concurrent executions",
            service: "Lambda",
            default: "1,000; new accounts can have 10".to_owned(),
            images_per_second: 1000.0 / seconds(workload, stack),
            scope: Scope::All,
            remedy: "request an increase; Step Functions retries",
            source: "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
        },
        Limit {
            name: "Initial throughput of a new on-demand table",
            service: "DynamoDB",
            default: "4,000 write units per second".to_owned(),
            images_per_second: 4000.0 / units,
            scope: Scope::All,
            remedy: "grows to twice the last peak within 30 minutes; or set warm throughput before an import",
            source: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html",
        },
        Limit {
            name: "Table-level write throughput limit",
            service: "DynamoDB",
            default: "40,000 write units per second".to_owned(),
            images_per_second: 40_000.0 / units,
            scope: Scope::All,
            remedy: "request an increase",
            source: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html",
        },
        Limit {
            name: "Throughput of a partition",
            service: "DynamoDB",
            default: "1,000 write units per second".to_owned(),
            images_per_second: PARTITION_WRITES / items.owner_units() as f64,
            scope: Scope::Owner,
            remedy: "DynamoDB splits a busy partition between items; import several owners at once",
            source: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html",
        },
        Limit {
            name: "Transactions that change the same item, here a label count",
            service: "DynamoDB",
            default: "one at a time, about 20 ms each (assumed)".to_owned(),
            images_per_second: 1.0 / TRANSACTION_SECONDS,
            scope: Scope::Owner,
            remedy: "cannot be raised; import several owners at once",
            source: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html",
        },
        Limit {
            name: "PUT requests per prefix, here `thumbnails/`",
            service: "S3",
            default: "at least 3,500 per second".to_owned(),
            images_per_second: 3500.0 / 2.0,
            scope: Scope::All,
            remedy: "S3 splits a busy prefix; failed writes are retried",
            source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html",
        },
        Limit {
            name: "GET and HEAD requests per prefix, here `uploads/`",
            service: "S3",
            default: "at least 5,500 per second".to_owned(),
            images_per_second: 5500.0 / 4.0,
            scope: Scope::All,
            remedy: "S3 splits a busy prefix; failed reads are retried",
            source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html",
        },
        Limit {
            name: "Invocations throttle limit in transactions per second",
            service: "EventBridge",
            default: "18,750 in us-east-1, us-west-2 and eu-west-1, elsewhere 750 to 4,500".to_owned(),
            // The state machine, and `thumbnails`.
            images_per_second: 18_750.0 / 2.0,
            scope: Scope::All,
            remedy: "request an increase; deliveries wait",
            source: "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html",
        },
        Limit {
            name: "PutEvents throttle limit in transactions per second",
            service: "EventBridge",
            default: "10,000 in us-east-1, elsewhere less".to_owned(),
            images_per_second: 10_000.0,
            scope: Scope::All,
            remedy: "request an increase; Step Functions retries",
            source: "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html",
        },
        Limit {
            name: "`ThrottlingRateLimit` of the API",
            service: "API Gateway",
            default: format!("{} requests per second", stack.api_rate),
            images_per_second: stack.api_rate / (1.0 + POLL_REQUESTS_PER_IMAGE),
            scope: Scope::Api,
            remedy: "change template.yaml",
            source: "template.yaml",
        },
        Limit {
            name: "`TotalImagesPerDay`",
            service: "API",
            default: format!(
                "{} images per day",
                crate::numbers::grouped(stack.total_images_per_day)
            ),
            images_per_second: stack.total_images_per_day / 86_400.0,
            scope: Scope::Api,
            remedy: "`cargo xtask deploy --parameter TotalImagesPerDay=…`",
            source: "template.yaml",
        },
    ];
    limits.sort_by(|a, b| a.images_per_second.total_cmp(&b.images_per_second));
    limits
}

/// How long functions run for a picture that another tool uploads, in seconds.
pub fn seconds(workload: &Workload, stack: &Stack) -> f64 {
    let steps = stack.steps.iter().map(|step| milliseconds(workload, step));
    (steps.sum::<f64>() + milliseconds(workload, "thumbnails")) / 1000.0
}

/// How long an execution runs without retries, in seconds.
pub fn execution_seconds(workload: &Workload, stack: &Stack) -> f64 {
    seconds(workload, stack) - milliseconds(workload, "thumbnails") / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_retried_for_as_long_as_the_template_says() {
        let template = include_str!("../../../template.yaml");
        assert!(template.contains(&format!("MaximumEventAgeInSeconds: {EVENT_AGE}")));
    }
}
