//! The deployed stack, in AWS or in the emulator, as CloudFormation describes it.

use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The stack's name, in the emulator as in AWS.
pub(crate) const STACK_NAME: &str = "image-label-generator";

/// Status, outputs and parameters of a stack.
#[derive(Debug, Deserialize)]
pub(crate) struct Deployed {
    /// CloudFormation's status, or `None` if there is no such stack.
    pub(crate) status: Option<String>,
    outputs: BTreeMap<String, String>,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
}

impl Deployed {
    /// An output of the template.
    pub(crate) fn output(&self, name: &str) -> Result<&str> {
        self.outputs
            .get(name)
            .map(String::as_str)
            .with_context(|| format!("template.yaml has no output {name}, which the local mode needs"))
    }

    /// A parameter. `None` if the stack does not have it.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// A parameter that is a number. `None` if the stack does not have it.
    pub(crate) fn number(&self, parameter: &str) -> Option<u64> {
        self.parameter(parameter)?.parse().ok()
    }

    /// Whether the last operation on the stack succeeded.
    pub(crate) fn is_complete(&self) -> bool {
        self.status
            .as_deref()
            .is_some_and(|status| matches!(status, "CREATE_COMPLETE" | "UPDATE_COMPLETE"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(json: &str) -> Deployed {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn only_a_complete_stack_is_deployed() {
        assert!(described(r#"{"status": "UPDATE_COMPLETE", "outputs": {}}"#).is_complete());
        assert!(!described(r#"{"status": "ROLLBACK_COMPLETE", "outputs": {}}"#).is_complete());
        assert!(!described(r#"{"status": "UPDATE_IN_PROGRESS", "outputs": {}}"#).is_complete());
        assert!(!described(r#"{"status": null, "outputs": {}}"#).is_complete());
    }

    #[test]
    fn a_missing_output_is_named() {
        let deployed = described(r#"{"status": "CREATE_COMPLETE", "outputs": {"ApiId": "abc"}}"#);
        assert_eq!(deployed.output("ApiId").unwrap(), "abc");
        assert!(
            deployed
                .output("TableName")
                .unwrap_err()
                .to_string()
                .contains("TableName")
        );
    }
}
