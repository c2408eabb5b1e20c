//! What is deployed: `template.yaml` and the state machine that labels pictures.

use anyhow::{Context, Result, bail};
use backpressure::{Definition, Retrier};
use saphyr::{LoadableYamlNode, Yaml};
use std::collections::BTreeMap;

/// The error after which a picture is converted.
const CONVERSION: &str = "ConversionNeeded";
/// The error that steps return when a service throttles them.
const THROTTLED: &str = "Throttled";

/// Instruction set of functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// 64-bit ARM.
    Arm64,
    /// 64-bit x86.
    X86,
}

/// A deployed function.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// The name of its crate, such as `validate`.
    pub name: String,
    /// In MB (2²⁰ bytes).
    pub memory: f64,
    /// Its processors.
    pub architecture: Architecture,
}

/// The parts of the deployed stack that cost money or limit throughput.
#[derive(Debug)]
pub struct Stack {
    /// Functions by name.
    pub functions: BTreeMap<String, Function>,
    /// The functions that the state machine invokes for a picture that Rekognition can read, in order.
    pub steps: Vec<String>,
    /// The same for a picture that is converted.
    pub steps_with_conversion: Vec<String>,
    /// State transitions for a picture that Rekognition can read.
    pub transitions: f64,
    /// State transitions for a picture that is converted.
    pub transitions_with_conversion: f64,
    /// The Retry for `Throttled`.
    pub retrier: Retrier,
    /// Days for which logs are kept.
    pub log_retention_days: f64,
    /// Requests per second that API Gateway accepts.
    pub api_rate: f64,
    /// Images per day that all people together can upload through the API.
    pub total_images_per_day: f64,
    /// Whether the table can be restored to any second.
    pub has_table_backup: bool,
    /// Whether the picture bucket sends an event for each new object.
    pub has_bucket_events: bool,
    /// CloudWatch alarms.
    pub alarms: f64,
    /// CloudWatch dashboards.
    pub dashboards: f64,
}

impl Stack {
    /// The stack as this project defines it.
    ///
    /// # Errors
    /// A definition is not as expected.
    pub fn read() -> Result<Self> {
        Self::parse(
            include_str!("../../../template.yaml"),
            include_str!("../../../statemachine/label-image.asl.json"),
        )
    }

    fn parse(template: &str, definition: &str) -> Result<Self> {
        let documents = Yaml::load_from_str(template).context("template.yaml is not YAML")?;
        let template = documents.first().context("template.yaml is empty")?;
        let definition = Definition::parse(definition).context("label-image.asl.json is not a definition")?;
        let resources: Vec<_> = at(template, &["Resources"])
            .and_then(Yaml::as_mapping)
            .context("template.yaml has no Resources")?
            .iter()
            .filter_map(|(id, resource)| Some((id.as_str()?, resource)))
            .collect();
        let of_type = |kind: &str| {
            let is_kind = |resource: &Yaml<'_>| at(resource, &["Type"]).and_then(Yaml::as_str) == Some(kind);
            resources
                .iter()
                .filter(move |(_, resource)| is_kind(resource))
                .copied()
                .collect::<Vec<_>>()
        };
        let mut functions = BTreeMap::new();
        let mut names = BTreeMap::new();
        for (id, resource) in of_type("AWS::Serverless::Function") {
            let function = function(template, resource).with_context(|| format!("template.yaml: {id}"))?;
            names.insert(id, function.name.clone());
            functions.insert(function.name.clone(), function);
        }
        let (_, machine) = *of_type("AWS::Serverless::StateMachine")
            .iter()
            .find(|(_, machine)| {
                let definition = at(machine, &["Properties", "DefinitionUri"]).and_then(Yaml::as_str);
                definition == Some("statemachine/label-image.asl.json")
            })
            .context("template.yaml has no state machine label-image")?;
        let steps = |caught| -> Result<Vec<String>> {
            let path = definition.path(caught);
            path.iter()
                .filter_map(|visit| visit.function)
                .map(|substitution| {
                    let name = substitution.trim_start_matches("${").trim_end_matches('}');
                    let target = at(machine, &["Properties", "DefinitionSubstitutions", name]).and_then(text);
                    let id = target.and_then(|target| target.rsplit_once('.'));
                    let function = id.and_then(|(id, _)| names.get(id));
                    function
                        .cloned()
                        .with_context(|| format!("no function for {substitution}"))
                })
                .collect()
        };
        let number = |path: &[&str]| number(template, path);
        let resource_flag = |path: &[&str]| at(template, path).and_then(Yaml::as_bool) == Some(true);
        Ok(Self {
            steps: steps(None)?,
            steps_with_conversion: steps(Some(CONVERSION))?,
            transitions: definition.path(None).len() as f64,
            transitions_with_conversion: definition.path(Some(CONVERSION)).len() as f64,
            retrier: definition.retrier(THROTTLED)?,
            log_retention_days: number(&["Parameters", "LogRetentionDays", "Default"])?,
            api_rate: number(&[
                "Resources",
                "ApiStage",
                "Properties",
                "DefaultRouteSettings",
                "ThrottlingRateLimit",
            ])?,
            total_images_per_day: number(&["Parameters", "TotalImagesPerDay", "Default"])?,
            has_table_backup: resource_flag(&[
                "Resources",
                "Table",
                "Properties",
                "PointInTimeRecoverySpecification",
                "PointInTimeRecoveryEnabled",
            ]),
            has_bucket_events: resource_flag(&[
                "Resources",
                "Bucket",
                "Properties",
                "NotificationConfiguration",
                "EventBridgeConfiguration",
                "EventBridgeEnabled",
            ]),
            alarms: of_type("AWS::CloudWatch::Alarm").len() as f64,
            dashboards: of_type("AWS::CloudWatch::Dashboard").len() as f64,
            functions,
        })
    }
}

fn function(template: &Yaml<'_>, resource: &Yaml<'_>) -> Result<Function> {
    let property = |name: &str| {
        at(resource, &["Properties", name]).or_else(|| at(template, &["Globals", "Function", name]))
    };
    let code = property("CodeUri").and_then(Yaml::as_str).context("no CodeUri")?;
    let memory = property("MemorySize")
        .and_then(Yaml::as_integer)
        .context("no MemorySize")?;
    let architectures = property("Architectures").context("no Architectures")?;
    let architecture = architectures
        .as_sequence()
        .and_then(|list| list.first())
        .and_then(text);
    let architecture = architecture.context("no Architectures")?;
    // The name of a parameter behind !Ref, or an architecture.
    let architecture = at(template, &["Parameters", architecture, "Default"])
        .and_then(Yaml::as_str)
        .unwrap_or(architecture);
    Ok(Function {
        name: code.rsplit('/').next().unwrap_or(code).to_owned(),
        memory: memory as f64,
        architecture: match architecture {
            "arm64" => Architecture::Arm64,
            "x86_64" => Architecture::X86,
            other => bail!("{other} is not an architecture of Lambda"),
        },
    })
}

fn number(template: &Yaml<'_>, path: &[&str]) -> Result<f64> {
    let number = at(template, path).and_then(Yaml::as_integer);
    let number = number.with_context(|| format!("template.yaml has no number {}", path.join(".")))?;
    Ok(number as f64)
}

fn at<'a>(yaml: &'a Yaml<'a>, path: &[&str]) -> Option<&'a Yaml<'a>> {
    path.iter().try_fold(yaml, |yaml, name| yaml.as_mapping_get(name))
}

/// A text, also behind a tag such as `!GetAtt`. Of an `!If`, the text of the first value.
fn text<'a>(yaml: &'a Yaml<'a>) -> Option<&'a str> {
    let untagged = yaml.get_tagged_node().unwrap_or(yaml);
    match untagged.as_sequence() {
        Some(values) => text(values.get(1)?),
        None => untagged.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assumptions::MILLISECONDS;

    #[test]
    fn every_function_has_a_duration_and_the_reverse() {
        let stack = Stack::read().unwrap();
        let mut assumed = MILLISECONDS.map(|(name, _)| name.to_owned());
        assumed.sort();
        let deployed: Vec<_> = stack.functions.into_keys().collect();
        assert_eq!(deployed, assumed);
    }

    #[test]
    fn a_picture_takes_the_steps_of_the_definition() {
        let stack = Stack::read().unwrap();
        assert_eq!(
            stack.steps.len() as f64,
            stack.transitions,
            "each state is a step"
        );
        assert!(stack.steps.iter().all(|step| stack.functions.contains_key(step)));
        assert!(stack.steps_with_conversion.contains(&"convert".to_owned()));
        assert_eq!(stack.transitions_with_conversion, stack.transitions + 2.0);
    }

    #[test]
    fn memory_and_architecture_are_those_of_the_template() {
        let template = include_str!("../../../template.yaml")
            .replacen("MemorySize: 256", "MemorySize: 512", 1)
            .replacen("Default: arm64", "Default: x86_64", 1);
        let definition = include_str!("../../../statemachine/label-image.asl.json");
        let stack = Stack::parse(&template, definition).unwrap();
        assert_eq!(stack.functions["validate"].memory, 512.0);
        assert_eq!(stack.functions["validate"].architecture, Architecture::X86);
        assert_eq!(stack.functions["thumbnails"].memory, 3008.0);
    }
}
