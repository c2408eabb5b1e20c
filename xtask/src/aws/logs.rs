//! `logs`: prints the log of a stack's functions and state machines, on this machine or in AWS.

use crate::aws::since::Since;
use crate::aws::target::TargetOptions;
use crate::process::exit_code;
use crate::project::Project;
use anyhow::{Context, Result};
use clap::{Args, ValueEnum, value_parser};
use std::process::{Command, ExitCode};

#[derive(Args)]
pub(crate) struct LogsOptions {
    /// Only lines about this image, from all functions and from its executions
    #[arg(long, value_name = "ID", value_parser = image_id)]
    image: Option<String>,
    /// Only lines about this execution
    #[arg(long, value_name = "ARN", value_parser = execution)]
    execution: Option<String>,
    /// Only lines of this function, such as thumbnails
    #[arg(long, value_name = "NAME", value_parser = function)]
    function: Option<String>,
    /// Only lines of this level and of more severe ones
    #[arg(long, value_enum)]
    level: Option<Level>,
    /// Only lines of this time, up to 90d
    #[arg(long, value_name = "TIME", default_value = "1h")]
    since: Since,
    /// The maximum number of lines: the newest ones. With --follow, also of the lines that follow
    #[arg(long, value_name = "NUMBER", default_value = "1000", value_parser = value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Follow new lines until Ctrl-C
    #[arg(long)]
    follow: bool,
    /// Print each line as JSON, also metrics and Lambda's own lines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: TargetOptions,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Level {
    Error,
    Warn,
    Info,
    Debug,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Warn => "WARN",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
        }
    }
}

/// An image's id. It becomes a part of a filter pattern.
fn image_id(text: &str) -> Result<String, String> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_uuid = text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => is_digit(byte),
        });
    if !is_uuid {
        return Err(
            "expected an image's ID, such as 0193a5a0-0000-7000-8000-000000000001. The page's address has it"
                .to_owned(),
        );
    }
    Ok(text.to_owned())
}

/// An execution's ARN or name.
fn execution(text: &str) -> Result<String, String> {
    let is_name = |name: &str| !name.is_empty() && name.len() <= 80 && name.bytes().all(is_name_byte);
    let is_arn = text.starts_with("arn:")
        && text.len() <= 256
        && text.contains(":execution:")
        && text.split(':').all(|part| part.bytes().all(is_name_byte));
    if !is_name(text) && !is_arn {
        return Err("expected an execution's ARN or name. `cargo xtask status` shows ARNs".to_owned());
    }
    Ok(text.to_owned())
}

/// A function's name without the stack's name.
fn function(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > 64 || !text.bytes().all(is_name_byte) {
        return Err(
            "expected a function's name without the stack's name, such as validate or api".to_owned(),
        );
    }
    Ok(text.to_owned())
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

impl LogsOptions {
    fn add_to(&self, script: &mut Command) {
        script.args(["--since", &self.since.seconds().to_string()]);
        script.args(["--limit", &self.limit.to_string()]);
        let values = [
            ("image", self.image.as_deref()),
            ("execution", self.execution.as_deref()),
            ("function", self.function.as_deref()),
            ("level", self.level.map(Level::name)),
        ];
        for (name, value) in values {
            if let Some(value) = value {
                // In one argument: a name can begin with a hyphen.
                script.arg(format!("--{name}={value}"));
            }
        }
        let flags = [(self.follow, "--follow"), (self.json, "--json")];
        script.args(flags.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag));
    }
}

/// Runs `cargo xtask logs`.
pub(crate) fn logs(options: &LogsOptions) -> Result<ExitCode> {
    let project = Project::find()?;
    let mut script = options.target.find(&project)?.script(&project, "logs.py")?;
    options.add_to(&mut script);
    Ok(exit_code(script.status().context("cannot run Python")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:states:us-east-1:000000000000:execution:labels-label-image:one_two";

    #[test]
    fn accepts_what_the_page_and_the_other_commands_show() {
        assert!(image_id("0193a5a0-0000-7000-8000-000000000001").is_ok());
        for text in [ARN, "relabel-0193a5a0", "315c1398-40ff_a850"] {
            assert!(execution(text).is_ok(), "{text}");
        }
        assert!(function("detect-labels").is_ok());
    }

    /// A quotation mark would end the value in the filter pattern.
    #[test]
    fn refuses_text_that_would_change_the_filter_pattern() {
        for text in [
            "",
            "cat.jpg",
            "0193A5A0-0000-7000-8000-000000000001",
            "0193a5a0-0000-7000-8000-00000000000\"",
            "0193a5a00000-7000-8000-000000000001--",
        ] {
            assert!(image_id(text).is_err(), "{text}");
        }
        let with_quote = format!("{ARN}\"");
        let too_long = "a".repeat(81);
        for text in [
            "",
            "*",
            "a b",
            "arn:aws:states:::stateMachine:a",
            &with_quote,
            &too_long,
        ] {
            assert!(execution(text).is_err(), "{text}");
        }
        for text in ["", "api\"", "*"] {
            assert!(function(text).is_err(), "{text}");
        }
    }
}
