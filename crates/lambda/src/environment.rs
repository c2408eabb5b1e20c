//! Reads the configuration from environment variables. A function parses it once, at start-up.

use domain::FilterPolicy;
use domain::policy::PolicyError;
use std::str::FromStr;

/// A variable that is missing or invalid. The function does not start.
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

/// The source of variables: the process's environment, or the one of a test.
#[derive(Debug, Clone, Copy)]
pub struct Environment<F = fn(&str) -> Option<String>>(F);

impl Environment {
    /// The process's environment.
    pub fn process() -> Self {
        Self(|name| std::env::var(name).ok())
    }
}

impl<F: Fn(&str) -> Option<String>> Environment<F> {
    /// Looks up variables with `get`.
    pub fn new(get: F) -> Self {
        Self(get)
    }

    /// The variable's value.
    ///
    /// # Errors
    /// The variable is not set or empty.
    pub fn text(&self, name: &'static str) -> Result<String, InvalidVariable> {
        match (self.0)(name) {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(InvalidVariable {
                name,
                problem: "is not set".into(),
            }),
        }
    }

    /// The variable's value, parsed as a number or another type. `expected` describes it for the error message.
    ///
    /// # Errors
    /// The variable is not set, or cannot be parsed.
    pub fn parse<T: FromStr>(&self, name: &'static str, expected: &str) -> Result<T, InvalidVariable> {
        let text = self.text(name)?;
        text.parse().map_err(|_| InvalidVariable {
            name,
            problem: format!("must be {expected}, but is \"{text}\""),
        })
    }

    /// A number from 0 to 100.
    ///
    /// # Errors
    /// The variable is not set, cannot be parsed, or is out of range.
    pub fn percent(&self, name: &'static str) -> Result<f64, InvalidVariable> {
        let expected = "a number from 0 to 100";
        let percent: f64 = self.parse(name, expected)?;
        if (0.0..=100.0).contains(&percent) {
            return Ok(percent);
        }
        Err(InvalidVariable {
            name,
            problem: format!("must be {expected}, but is \"{percent}\""),
        })
    }

    /// The filter policy for owners without settings, from `MIN_CONFIDENCE` and `MAX_LABELS`.
    ///
    /// # Errors
    /// A variable is not set, cannot be parsed, or is out of range.
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
            problem: format!("is out of range: {error}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_missing_or_invalid_variable() {
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
