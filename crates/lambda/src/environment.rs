//! Configuration comes from the environment, and is parsed once at start-up.

use domain::FilterPolicy;
use domain::policy::PolicyError;
use std::str::FromStr;

/// A variable that is missing or malformed; stops the start.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidVariable {
    name: &'static str,
    problem: String,
}

impl std::fmt::Display for InvalidVariable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "environment variable {} {}", self.name, self.problem)
    }
}

impl std::error::Error for InvalidVariable {}

/// Where variables are looked up: the process's environment, or a test's.
#[derive(Debug, Clone, Copy)]
pub struct Environment<F = fn(&str) -> Option<String>>(F);

impl Environment {
    /// The process's environment.
    pub fn process() -> Self {
        Self(|name| std::env::var(name).ok())
    }
}

impl<F: Fn(&str) -> Option<String>> Environment<F> {
    /// Looks variables up with `get`.
    pub fn new(get: F) -> Self {
        Self(get)
    }

    /// The variable's text.
    ///
    /// # Errors
    /// The variable is not set, or empty.
    pub fn text(&self, name: &'static str) -> Result<String, InvalidVariable> {
        match (self.0)(name) {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(InvalidVariable {
                name,
                problem: "is not set".into(),
            }),
        }
    }

    /// The variable as a number or another type that can be read from text.
    ///
    /// # Errors
    /// The variable is not set, or is not `expected`.
    pub fn parse<T: FromStr>(&self, name: &'static str, expected: &str) -> Result<T, InvalidVariable> {
        let text = self.text(name)?;
        text.parse().map_err(|_| InvalidVariable {
            name,
            problem: format!("must be {expected}, but is \"{text}\""),
        })
    }
}

impl<F: Fn(&str) -> Option<String>> Environment<F> {
    /// Which labels count for owners without settings of their own: `MIN_CONFIDENCE` and `MAX_LABELS`.
    ///
    /// # Errors
    /// A variable is not set, or out of its range.
    pub fn default_policy(&self) -> Result<FilterPolicy, InvalidVariable> {
        let policy = FilterPolicy {
            min_confidence: self.parse("MIN_CONFIDENCE", "a number")?,
            max_labels: self.parse("MAX_LABELS", "a whole number")?,
            include: vec![],
            exclude: vec![],
        };
        policy.check().map_err(|error| InvalidVariable {
            name: match error {
                PolicyError::MaxLabels => "MAX_LABELS",
                _ => "MIN_CONFIDENCE",
            },
            problem: format!("is out of its range: {error}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_reads_which_variable_is_missing_or_malformed() {
        let environment = Environment::new(|name: &str| (name == "MAX_LABELS").then(|| "many".to_owned()));
        assert_eq!(
            environment.text("TABLE_NAME").unwrap_err().to_string(),
            "environment variable TABLE_NAME is not set"
        );
        assert_eq!(
            environment
                .parse::<u32>("MAX_LABELS", "a whole number")
                .unwrap_err()
                .to_string(),
            "environment variable MAX_LABELS must be a whole number, but is \"many\""
        );
    }
}
