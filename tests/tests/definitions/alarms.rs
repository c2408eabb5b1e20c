//! The alarms and the dashboard of `template.yaml`: each refers to metrics that something emits, with dimensions that they
//! have, and each alarm has a runbook. CloudWatch accepts an alarm on any name, and such an alarm never goes off.

use crate::assert_no_faults;
use domain::Outcome;
use domain::metric::{self, Dimension, Function, METRICS, Measurement, Metric, Quota, Service, Unit};
use domain::reconciliation::{Leftover, Repair};
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tests::template::{at, entries, text};

const TEMPLATE: &str = include_str!("../../../template.yaml");
const OPERATIONS: &str = include_str!("../../../docs/operations.md");

/// What the functions of a local stack have measured, in periods of ten seconds, from their log: while 40 pictures were
/// uploaded one after another, and during a storm (`tools/storm`) of 150 files with a Rekognition that takes three calls per
/// second. A period stands for one of an alarm. Durations are left out, and of ages, only the highest of each period is kept.
const CALM: &str = include_str!("../../metrics/calm.json");
const STORM: &str = include_str!("../../metrics/storm.json");

/// How executions end or wait without success.
const EXECUTION_METRICS: [&str; 3] = ["ExecutionsFailed", "ExecutionsTimedOut", "ExecutionThrottled"];

/// Without alarms, for the reasons in ADR 24.
const WITHOUT_ALARM: [(&str, &str); 4] = [
    ("ImportObjects", "ExecutionThrottled"),
    ("ImportObjects", "ExecutionsTimedOut"),
    ("RunJob", "ExecutionThrottled"),
    ("RunJob", "ExecutionsTimedOut"),
];

/// The namespace of the functions' own metrics, and the dimension that all of them have.
const OWN: &str = "image-label-generator";
const STACK: &str = "Stack";

/// A month of a standard alarm in cents: <https://aws.amazon.com/cloudwatch/pricing/>, us-east-1, November 2026.
const CENTS_PER_ALARM: usize = 10;

/// A dimension of AWS's metrics, the type of the resources that are its values, and how a template refers to one.
type AwsDimension = (&'static str, &'static str, Reference);
const QUEUE: AwsDimension = ("QueueName", "AWS::SQS::Queue", Reference::Attribute("QueueName"));
const MACHINE: AwsDimension = ("StateMachineArn", "AWS::Serverless::StateMachine", Reference::Ref);
const API: AwsDimension = ("ApiId", "AWS::ApiGatewayV2::Api", Reference::Ref);
const FUNCTION: AwsDimension = ("FunctionName", "AWS::Serverless::Function", Reference::Ref);

#[derive(Clone, Copy)]
enum Reference {
    /// `!Ref Resource`
    Ref,
    /// `!GetAtt Resource.Attribute`
    Attribute(&'static str),
}

/// AWS's metrics: namespace, names, dimensions. Sources: the lists of metrics in the developer guides of SQS, Step
/// Functions, API Gateway (HTTP APIs) and Lambda.
const AWS: [(&str, &[&str], Option<AwsDimension>); 5] = [
    ("AWS/SQS", &["ApproximateNumberOfMessagesVisible"], Some(QUEUE)),
    (
        "AWS/States",
        &[
            "ExecutionsStarted",
            "ExecutionsFailed",
            "ExecutionsTimedOut",
            "ExecutionsAborted",
            "ExecutionThrottled",
        ],
        Some(MACHINE),
    ),
    ("AWS/ApiGateway", &["4xx", "5xx", "Latency"], Some(API)),
    ("AWS/Lambda", &["Errors", "AsyncEventsDropped"], Some(FUNCTION)),
    // Of all functions of the account and region.
    ("AWS/Lambda", &["Throttles"], None),
];

/// A metric that an alarm or a widget refers to.
#[derive(Debug)]
struct Used {
    by: String,
    namespace: String,
    name: String,
    /// Names and values. The value of a reference is its text, such as `DeadLetterQueue.QueueName`.
    dimensions: BTreeMap<String, String>,
    statistic: String,
}

struct Alarm {
    id: String,
    description: String,
    metric: Used,
    evaluation_periods: usize,
    threshold: f64,
    comparison: String,
}

impl Alarm {
    /// The heading of its runbook.
    fn runbook(&self) -> Option<&str> {
        let (_, rest) = self.description.split_once("Runbook: \"")?;
        rest.strip_suffix("\" in docs/operations.md.")
    }

    /// Whether the alarm goes off after periods with these measurements. A period without any does not count as a breach.
    fn goes_off(&self, periods: &[Vec<Measurement>]) -> bool {
        let latest = periods.iter().rev().take(self.evaluation_periods);
        let breaches =
            latest.filter(|period| self.datapoint(period).is_some_and(|value| self.is_breach(value)));
        breaches.count() == self.evaluation_periods
    }

    fn datapoint(&self, period: &[Measurement]) -> Option<f64> {
        let matches = |measurement: &&Measurement| {
            let of = |name: &str| self.metric.dimensions.get(name).map(String::as_str);
            measurement.metric.name == self.metric.name
                && self
                    .metric
                    .dimensions
                    .keys()
                    .filter(|name| *name != STACK)
                    .all(|name| {
                        let value = measurement
                            .dimensions
                            .iter()
                            .find(|(other, _)| <&str>::from(other) == name);
                        value.map(|(_, value)| *value) == of(name)
                    })
        };
        let values: Vec<_> = period
            .iter()
            .filter(matches)
            .map(|measurement| measurement.value)
            .collect();
        let sum: f64 = values.iter().sum();
        match self.metric.statistic.as_str() {
            _ if values.is_empty() => None,
            "Sum" => Some(sum),
            "Average" => Some(sum / values.len() as f64),
            "Maximum" => values.iter().copied().reduce(f64::max),
            other => panic!("{other} is not implemented"),
        }
    }

    fn is_breach(&self, value: f64) -> bool {
        match self.comparison.as_str() {
            "GreaterThanThreshold" => value > self.threshold,
            "GreaterThanOrEqualToThreshold" => value >= self.threshold,
            other => panic!("{other} is not implemented"),
        }
    }
}

/// What `template.yaml` says about monitoring.
struct Monitoring {
    alarms: Vec<Alarm>,
    widgets: Vec<Used>,
    /// The alarms in the dashboard's list, by their logical ids.
    listed: BTreeSet<String>,
    /// Logical ids and types.
    resources: BTreeMap<String, String>,
    faults: Vec<String>,
}

impl Monitoring {
    fn of(template: &str) -> Self {
        let documents = Yaml::load_from_str(template).expect("YAML");
        let mut monitoring = Self {
            alarms: vec![],
            widgets: vec![],
            listed: BTreeSet::new(),
            resources: BTreeMap::new(),
            faults: vec![],
        };
        for (id, resource) in entries(at(&documents[0], &["Resources"])) {
            let kind = at(resource, &["Type"]).and_then(Yaml::as_str).unwrap_or_default();
            monitoring.resources.insert(id.to_owned(), kind.to_owned());
            match kind {
                "AWS::CloudWatch::Alarm" => {
                    monitoring.add_alarm(id, resource, at(&documents[0], &["Parameters"]));
                }
                "AWS::CloudWatch::Dashboard" => monitoring.add_dashboard(resource),
                _ => {}
            }
        }
        monitoring
    }

    fn add_alarm(&mut self, id: &str, resource: &Yaml<'_>, parameters: Option<&Yaml<'_>>) {
        let property = |name| {
            let value = at(resource, &["Properties", name]);
            value.and_then(text).unwrap_or_default().to_owned()
        };
        let dimensions = at(resource, &["Properties", "Dimensions"]).and_then(Yaml::as_sequence);
        let dimensions = dimensions.into_iter().flatten().map(|dimension| {
            let part = |name| {
                at(dimension, &[name])
                    .and_then(text)
                    .unwrap_or_default()
                    .to_owned()
            };
            (part("Name"), part("Value"))
        });
        for action in ["AlarmActions", "OKActions"] {
            let actions = at(resource, &["Properties", action]).and_then(Yaml::as_sequence);
            let actions: Vec<_> = actions.into_iter().flatten().filter_map(text).collect();
            if actions != ["AlarmTopic"] {
                self.faults
                    .push(format!("{id}: {action} is not the topic, so nobody is notified"));
            }
        }
        if at(resource, &["Condition"]).and_then(Yaml::as_str) != Some("HasAlarms") {
            self.faults
                .push(format!("{id}: the parameter Alarms does not turn it off"));
        }
        let number = |name| {
            let value = at(resource, &["Properties", name]).expect("a number");
            // A reference to a parameter, whose default counts.
            let default = text(value).and_then(|parameter| at(parameters?, &[parameter, "Default"]));
            default.unwrap_or(value).as_integer().expect("a whole number")
        };
        let statistic = [property("Statistic"), property("ExtendedStatistic")].concat();
        self.alarms.push(Alarm {
            id: id.to_owned(),
            description: property("AlarmDescription"),
            evaluation_periods: usize::try_from(number("EvaluationPeriods")).expect("a number of periods"),
            threshold: number("Threshold") as f64,
            comparison: property("ComparisonOperator"),
            metric: Used {
                by: id.to_owned(),
                namespace: property("Namespace"),
                name: property("MetricName"),
                dimensions: dimensions.collect(),
                statistic,
            },
        });
    }

    fn add_dashboard(&mut self, resource: &Yaml<'_>) {
        let body = at(resource, &["Properties", "DashboardBody"]).and_then(text);
        let body = substituted(body.expect("a body"));
        let dashboard: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
        for widget in dashboard["widgets"].as_array().expect("widgets") {
            let properties = &widget["properties"];
            let title = properties["title"].as_str().expect("a title");
            let alarms = properties["alarms"].as_array().into_iter().flatten();
            self.listed.extend(alarms.filter_map(|alarm| {
                let (id, _) = alarm.as_str()?.split_once('.')?;
                Some(id.to_owned())
            }));
            for metric in properties["metrics"].as_array().into_iter().flatten() {
                self.add_metric(title, properties, metric);
            }
        }
    }

    /// A metric of a widget: `[namespace, name, dimension, value, …, options]`, or an expression.
    fn add_metric(&mut self, title: &str, properties: &Value, metric: &Value) {
        let parts = metric.as_array().expect("a list");
        let options = parts.last().filter(|last| last.is_object());
        let option = |name: &str| options.and_then(|options| options[name].as_str());
        if let Some(expression) = option("expression") {
            self.add_expression(title, properties, expression);
            return;
        }
        let mut texts = parts.iter().map_while(Value::as_str).map(str::to_owned);
        let mut next = || texts.next();
        let (namespace, name) = (next().expect("a namespace"), next().expect("a name"));
        let mut dimensions = BTreeMap::new();
        while let Some(dimension) = next() {
            dimensions.insert(dimension, next().expect("a value"));
        }
        let statistic = option("stat").or_else(|| properties["stat"].as_str());
        self.widgets.push(Used {
            by: title.to_owned(),
            namespace,
            name,
            dimensions,
            statistic: statistic.expect("a statistic").to_owned(),
        });
    }

    /// The identifiers of an expression are ids of metrics in the same widget. `SEARCH` names the dimensions itself.
    fn add_expression(&mut self, title: &str, properties: &Value, expression: &str) {
        if let Some(search) = expression.strip_prefix("SEARCH('{") {
            let (schema, rest) = search.split_once('}').expect("a schema");
            let mut schema = schema.split(',').map(str::to_owned);
            let quoted = |key: &str| {
                rest.split_once(&format!("{key}=\""))
                    .and_then(|(_, rest)| rest.split('"').next())
            };
            self.widgets.push(Used {
                by: title.to_owned(),
                namespace: schema.next().unwrap_or_default(),
                name: quoted("MetricName").unwrap_or_default().to_owned(),
                // A search finds all values of a dimension that it does not name.
                dimensions: schema
                    .map(|name| {
                        let value = quoted(&name).unwrap_or("*").to_owned();
                        (name, value)
                    })
                    .collect(),
                statistic: rest.split('\'').nth(2).unwrap_or_default().to_owned(),
            });
            return;
        }
        let metrics = properties["metrics"].as_array().into_iter().flatten();
        let ids: BTreeSet<_> = metrics
            .filter_map(|metric| metric.as_array()?.last()?["id"].as_str())
            .collect();
        let words = expression.split(|c: char| !c.is_ascii_alphanumeric());
        for word in words.filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase())) {
            if !ids.contains(word) {
                self.faults.push(format!(
                    "{title}: the expression uses {word}, which no metric of the widget is"
                ));
            }
        }
    }

    fn faults(&self) -> Vec<String> {
        let used = || self.alarms.iter().map(|alarm| &alarm.metric).chain(&self.widgets);
        let mut faults = self.faults.clone();
        faults.extend(used().filter_map(|used| Some(format!("{}: {}", used.by, self.fault(used)?))));
        // A metric costs money.
        let names: BTreeSet<_> = used()
            .filter(|used| used.namespace == OWN)
            .map(|used| used.name.as_str())
            .collect();
        faults.extend(
            METRICS
                .iter()
                .filter(|metric| !names.contains(metric.name))
                .map(|metric| format!("neither an alarm nor the dashboard uses {}", metric.name)),
        );
        let ids: BTreeSet<_> = self.alarms.iter().map(|alarm| alarm.id.clone()).collect();
        if self.listed != ids {
            faults.push(format!("the dashboard lists {:?} and not {ids:?}", self.listed));
        }
        faults
    }

    fn fault(&self, used: &Used) -> Option<String> {
        if used.namespace == OWN {
            return match METRICS.iter().find(|metric| metric.name == used.name) {
                Some(metric) => fault_of_own(metric, used),
                None => Some(format!("no function emits {}", used.name)),
            };
        }
        let known = AWS.iter().find(|(namespace, names, _)| {
            *namespace == used.namespace && names.contains(&used.name.as_str())
        });
        let Some((_, _, dimension)) = known else {
            return Some(format!(
                "{} {} is not among AWS's metrics",
                used.namespace, used.name
            ));
        };
        let expected: Vec<_> = dimension.iter().map(|(name, ..)| *name).collect();
        if !used.dimensions.keys().eq(expected.iter()) {
            return Some(format!("{} has the dimensions {expected:?}", used.name));
        }
        let (name, kind, reference) = (*dimension)?;
        let value = &used.dimensions[name];
        let id = match reference {
            Reference::Ref => Some(value.as_str()),
            Reference::Attribute(attribute) => value.strip_suffix(attribute)?.strip_suffix('.'),
        };
        let is_known = id
            .and_then(|id| self.resources.get(id))
            .is_some_and(|found| found == kind);
        (!is_known).then(|| format!("{value} is not a {kind}"))
    }
}

fn fault_of_own(metric: &Metric, used: &Used) -> Option<String> {
    let mut dimensions = used.dimensions.clone();
    if dimensions.remove(STACK).as_deref() != Some("AWS::StackName") {
        return Some(format!("{} is not limited to this stack", metric.name));
    }
    let set = metric.dimensions.iter().find(|set| {
        set.iter()
            .map(<&str>::from)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .eq(dimensions.keys().map(String::as_str))
    });
    let Some(set) = set else {
        return Some(format!("{} has no dimensions {dimensions:?}", metric.name));
    };
    for name in *set {
        let value = dimensions[<&str>::from(name)].as_str();
        if value != "*" && !Dimension::values(*name).contains(&value) {
            return Some(format!("{name:?} is never {value}"));
        }
    }
    // The values of a count are sums already.
    let is_sum = used.statistic == "Sum";
    (is_sum != (metric.unit == Unit::Count)).then(|| format!("{} of {}", used.statistic, metric.name))
}

/// A text of `!Sub` in which each reference stands for itself.
fn substituted(text: &str) -> String {
    let (mut result, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        result += before;
        // `${!Name}` is the text `${Name}`.
        if let Some(literal) = after.strip_prefix('!') {
            result += "${";
            rest = literal;
            continue;
        }
        let (name, after) = after.split_once('}').expect("the end of a reference");
        result += name;
        rest = after;
    }
    result + rest
}

/// The runbooks of `docs/operations.md`: headings and texts.
fn runbooks() -> BTreeMap<&'static str, &'static str> {
    let (_, rest) = OPERATIONS.split_once("\n## Alarms\n").expect("a chapter");
    let chapter = rest.split("\n## ").next().unwrap_or_default();
    let sections = chapter.split("\n### ").skip(1);
    sections.filter_map(|section| section.split_once('\n')).collect()
}

#[test]
fn every_alarm_and_widget_refers_to_a_metric_that_something_emits() {
    let monitoring = Monitoring::of(TEMPLATE);
    assert!(monitoring.alarms.len() > 10 && monitoring.widgets.len() > 30);
    assert_no_faults(&monitoring.faults());
}

/// An operator who gets an alarm at night needs to know what to do.
#[test]
fn every_alarm_has_a_runbook_and_every_runbook_an_alarm() {
    let monitoring = Monitoring::of(TEMPLATE);
    let named: BTreeSet<_> = monitoring
        .alarms
        .iter()
        .map(|alarm| {
            let runbook = alarm.runbook();
            runbook.unwrap_or_else(|| panic!("{} names no runbook: {}", alarm.id, alarm.description))
        })
        // The notifications of AWS Budgets have no description.
        .chain(["The budget is exceeded"])
        .collect();
    assert_eq!(named.len(), monitoring.alarms.len() + 1, "each has its own");
    let runbooks = runbooks();
    assert_eq!(runbooks.keys().copied().collect::<BTreeSet<_>>(), named);
    for (heading, text) in runbooks {
        let parts = ["**Meaning.**", "**Look.**", "**Do.**", "**Confirm.**"];
        let found: Vec<_> = parts.iter().filter_map(|part| text.find(part)).collect();
        assert!(
            found.len() == parts.len() && found.is_sorted(),
            "{heading} needs {parts:?}"
        );
    }
}

#[test]
fn the_stated_price_is_that_of_the_number_of_alarms() {
    let alarms = Monitoring::of(TEMPLATE).alarms.len();
    let cents = alarms * CENTS_PER_ALARM;
    let price = format!("{alarms} alarms cost ${}.{:02} a month", cents / 100, cents % 100);
    let template = TEMPLATE.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(template.contains(&price), "template.yaml must say: {price}");
    assert!(
        OPERATIONS.contains(&price),
        "docs/operations.md must say: {price}"
    );
}

#[test]
fn only_the_listed_execution_metrics_have_no_alarm() {
    let monitoring = Monitoring::of(TEMPLATE);
    let (name, kind, _) = MACHINE;
    let machines = monitoring.resources.iter().filter(|(_, found)| *found == kind);
    let missing: Vec<_> = machines
        .flat_map(|(machine, _)| EXECUTION_METRICS.map(|metric| (machine.as_str(), metric)))
        .filter(|(machine, metric)| {
            !monitoring.alarms.iter().any(|alarm| {
                alarm.metric.name == *metric
                    && alarm.metric.dimensions.get(name).map(String::as_str) == Some(*machine)
            })
        })
        .collect();
    assert_eq!(
        missing.into_iter().collect::<BTreeSet<_>>(),
        BTreeSet::from(WITHOUT_ALARM)
    );
}

/// Lambda gives up on an event after three failed attempts. What a schedule starts is repeated by its next run.
#[test]
fn every_function_that_events_invoke_has_an_alarm_on_dropped_ones() {
    let documents = Yaml::load_from_str(TEMPLATE).expect("YAML");
    let (dimension, kind, _) = FUNCTION;
    let invoked: BTreeSet<_> = entries(at(&documents[0], &["Resources"]))
        .filter(|(_, resource)| at(resource, &["Type"]).and_then(Yaml::as_str) == Some(kind))
        .filter(|(_, resource)| {
            let mut events = entries(at(resource, &["Properties", "Events"]));
            events.any(|(_, event)| at(event, &["Properties", "Schedule"]).is_none())
        })
        .map(|(name, _)| name.to_owned())
        .collect();
    assert!(invoked.contains("ResumeVideoFunction"), "{invoked:?}");
    let monitoring = Monitoring::of(TEMPLATE);
    let dropped = monitoring
        .alarms
        .iter()
        .filter(|alarm| alarm.metric.name == "AsyncEventsDropped")
        .map(|alarm| alarm.metric.dimensions[dimension].clone());
    assert_eq!(dropped.collect::<BTreeSet<_>>(), invoked);
}

/// Without planted faults, the checks above could pass because they look at nothing.
#[test]
fn each_planted_fault_is_found() {
    for (what, original, fault, expected) in [
        (
            "a metric that AWS does not have",
            "MetricName: ExecutionsFailed",
            "MetricName: ExecutionsFail",
            "ExecutionsFail is not",
        ),
        (
            "a metric that no function emits",
            "MetricName: PictureAge",
            "MetricName: PicturesAge",
            "emits PicturesAge",
        ),
        (
            "a metric of other stacks",
            "{Name: Stack, Value: !Ref AWS::StackName}",
            "{Name: Stack, Value: production}",
            "this stack",
        ),
        (
            "a value that never occurs",
            "{Name: Service, Value: DynamoDb}",
            "{Name: Service, Value: DynamoDB}",
            "never DynamoDB",
        ),
        (
            "a missing dimension",
            "        - {Name: Quota, Value: AllUsers}\n",
            "",
            "QuotaRejections has no dimensions",
        ),
        (
            "a dimension that is a resource of another type",
            "{Name: ApiId, Value: !Ref Api}",
            "{Name: ApiId, Value: !Ref ApiStage}",
            "ApiStage is not a",
        ),
        (
            "a widget about a reason that does not exist",
            "\"Reason\", \"ObjectGone\"",
            "\"Reason\", \"ObjectLost\"",
            "never ObjectLost",
        ),
        (
            "an expression about a metric that is missing",
            "FILL(calls,0)",
            "FILL(call,0)",
            "uses call,",
        ),
        (
            "an alarm that notifies nobody",
            "AlarmActions: [!Ref AlarmTopic]",
            "AlarmActions: []",
            "nobody is notified",
        ),
        (
            "an alarm that is missing on the dashboard",
            "\"${DeadLettersAlarm.Arn}\",",
            "",
            "the dashboard lists",
        ),
    ] {
        assert!(
            TEMPLATE.contains(original),
            "{what}: template.yaml does not contain {original}"
        );
        let faults = Monitoring::of(&TEMPLATE.replacen(original, fault, 1)).faults();
        assert!(
            faults.iter().any(|found| found.contains(expected)),
            "{what}: {faults:?}"
        );
    }
}

/// What the functions measure in a number of equal periods.
fn measured(periods: usize, what: impl Fn()) -> Vec<Vec<Measurement>> {
    metric::take();
    let period = || {
        what();
        metric::take()
    };
    (0..periods).map(|_| period()).collect()
}

/// Images with these results, in percent.
fn results(rejected: usize) {
    for number in 0..100 {
        let status = if number < rejected { "REJECTED" } else { "LABELED" };
        let outcome: Outcome = serde_json::from_value(json!({
            "notificationId": "6a8c2b5e-55f0-5d0c-9d4e-3a1f0a0b0c0d",
            "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "bucket": "b",
            "key": "uploads/demo/x", "status": status, "labels": [], "executionArn": "arn",
        }))
        .expect("an outcome");
        metric::ended(&outcome, None);
    }
}

/// For each alarm on the functions' own metrics: its fault, and what is close to it.
#[test]
fn each_alarm_on_own_metrics_goes_off_on_its_fault_and_not_without_it() {
    let throttled = |periods, service| measured(periods, || metric::throttled(service));
    let rejected = |quota| measured(1, || metric::quota_rejected(quota));
    let aged = |function, seconds| {
        let age = Duration::from_secs(seconds);
        measured(1, move || metric::handled(function, Duration::ZERO, Some(age)))
    };
    let calls = |number| {
        let [call] = &measured(1, metric::rekognition_called)[..] else {
            panic!("one period")
        };
        vec![vec![call[0].clone(); number]]
    };
    let found = |repair| {
        measured(1, move || {
            metric::leftovers(Leftover::UnprocessedObject, repair, 1);
        })
    };
    let interrupted = [
        throttled(3, Service::Rekognition),
        vec![vec![]],
        throttled(5, Service::Rekognition),
    ]
    .concat();
    let cases = [
        (
            "RekognitionThrottlesAlarm",
            throttled(6, Service::Rekognition),
            interrupted,
        ),
        (
            "DynamoDbThrottlesAlarm",
            throttled(3, Service::DynamoDb),
            throttled(3, Service::S3),
        ),
        (
            "WaitingPicturesAlarm",
            aged(Function::Persist, 3601),
            aged(Function::Persist, 3600),
        ),
        (
            "DailyLimitAlarm",
            rejected(Quota::AllUsers),
            rejected(Quota::User),
        ),
        (
            "RejectedPicturesAlarm",
            measured(3, || results(90)),
            measured(3, || results(89)),
        ),
        ("RekognitionCallsAlarm", calls(20_000), calls(19_999)),
        (
            "LeftoversAlarm",
            found(Repair::Left),
            [found(Repair::Repaired), found(Repair::Expires)].concat(),
        ),
    ];
    let alarms = Monitoring::of(TEMPLATE).alarms;
    let own = alarms.iter().filter(|alarm| alarm.metric.namespace == OWN);
    let own: BTreeMap<_, _> = own.map(|alarm| (alarm.id.as_str(), alarm)).collect();
    assert_eq!(
        own.keys().copied().collect::<BTreeSet<_>>(),
        cases.iter().map(|(id, ..)| *id).collect()
    );
    for (id, fault, close) in cases {
        assert!(own[id].goes_off(&fault), "{id} does not go off");
        assert!(!own[id].goes_off(&close), "{id} goes off without its fault");
        assert!(!own[id].goes_off(&[]), "{id} goes off while nothing happens");
    }
}

/// Recorded measurements.
fn recorded(periods: &str) -> Vec<Vec<Measurement>> {
    let measurements = |recorded: &Value| {
        let name = recorded["metric"].as_str().expect("a name");
        let metric = METRICS.into_iter().find(|metric| metric.name == name);
        let metric = metric.unwrap_or_else(|| panic!("no function measures {name}"));
        let known = metric.dimensions.iter().copied().flatten();
        let dimensions: Vec<_> = recorded["dimensions"]
            .as_object()
            .expect("dimensions")
            .iter()
            .map(|(name, value)| {
                let dimension = known.clone().find(|known| <&str>::from(*known) == name);
                let dimension = *dimension.expect("a dimension of the metric");
                let values = dimension.values();
                let value = values.into_iter().find(|known| value == known);
                (dimension, value.expect("a value of the dimension"))
            })
            .collect();
        let values = recorded["values"].as_array().expect("values").iter();
        values
            .map(|value| Measurement {
                metric,
                dimensions: dimensions.clone(),
                value: value.as_f64().expect("a number"),
            })
            .collect::<Vec<_>>()
    };
    let periods: Vec<Vec<Value>> = serde_json::from_str(periods).expect("periods");
    periods
        .iter()
        .map(|period| period.iter().flat_map(measurements).collect())
        .collect()
}

/// The alarms on the functions' own metrics that go off at the end of one of the periods.
fn gone_off(periods: &[Vec<Measurement>]) -> Vec<String> {
    let alarms = Monitoring::of(TEMPLATE).alarms.into_iter();
    alarms
        .filter(|alarm| alarm.metric.namespace == OWN)
        .filter(|alarm| (1..=periods.len()).any(|end| alarm.goes_off(&periods[..end])))
        .map(|alarm| alarm.id)
        .collect()
}

/// A storm throttles Rekognition all the time. Some calls of DynamoDB are throttled as well, and a tenth of the files is
/// rejected, which are no reasons to wake somebody.
#[test]
fn a_storm_sets_off_the_alarm_on_its_fault_and_no_other_and_calm_uploads_none() {
    assert_eq!(gone_off(&recorded(CALM)), [""; 0]);
    let mut storm = recorded(STORM);
    assert_eq!(gone_off(&storm), ["RekognitionThrottlesAlarm"]);
    let of_rekognition = |measurement: &Measurement| {
        measurement.metric.name == "Throttles"
            && measurement.dimensions == [(Dimension::Service, <&str>::from(Service::Rekognition))]
    };
    for period in &mut storm {
        period.retain(|measurement| !of_rekognition(measurement));
    }
    assert_eq!(gone_off(&storm), [""; 0]);
    let measured = |name: &str, value: &str| {
        let mut all = storm.iter().flatten();
        all.any(|of| of.metric.name == name && of.dimensions.iter().any(|(_, found)| *found == value))
    };
    assert!(measured("Throttles", "DynamoDb") && measured("Pictures", "REJECTED"));
}
