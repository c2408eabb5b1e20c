//! Tables in documents that are the output of `cargo xtask cost` and `cargo xtask scale`. Such a table is between two
//! comments, of which the first is the command:
//!
//! ```text
//! <!-- cargo xtask cost --images 1000 -->
//! …
//! <!-- end of the output -->
//! ```

use crate::cost::{self, CostOptions};
use crate::scale::{self, ScaleOptions};
use anyhow::{Context, Result, bail};
use clap::Parser;
use std::fs;
use std::path::Path;

const BEGIN: &str = "<!-- cargo xtask ";
const END: &str = "<!-- end of the output -->";

/// Replaces the tables of a document with the output of their commands. Returns what to print.
///
/// # Errors
/// The file cannot be read or written, or one of its commands is wrong.
pub fn renew(document: &Path) -> Result<String> {
    let name = document.display();
    let text = fs::read_to_string(document).with_context(|| format!("cannot read {name}"))?;
    let renewed = renewed(&text).with_context(|| format!("in {name}"))?;
    if renewed == text {
        return Ok(format!("{name} is up to date\n"));
    }
    fs::write(document, renewed).with_context(|| format!("cannot write {name}"))?;
    Ok(format!("renewed the tables in {name}\n"))
}

/// The text with every table replaced.
fn renewed(text: &str) -> Result<String> {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let (command, after) = after.split_once(" -->").context("a comment has no end")?;
        let Some((_, after)) = after.split_once(END) else {
            bail!("`cargo xtask {command}` is not followed by {END}");
        };
        result.push_str(&format!(
            "{before}{BEGIN}{command} -->\n\n{}\n{END}",
            output(command)?
        ));
        rest = after;
    }
    result.push_str(rest);
    Ok(result)
}

/// What a command prints, in Markdown.
fn output(command: &str) -> Result<String> {
    let arguments = || command.split_whitespace().chain(["--format", "markdown"]);
    match command.split_whitespace().next() {
        Some("cost") => cost::run(&CostOptions::try_parse_from(arguments())?),
        Some("scale") => scale::run(&ScaleOptions::try_parse_from(arguments())?),
        _ => bail!("`cargo xtask {command}` does not write tables"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If they differed, documents would show numbers of an earlier version of the code.
    #[test]
    fn tables_in_documents_are_what_the_commands_print() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        let mut tables = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let Some(name) = path
                .file_name()
                .and_then(|name| name.to_str())
                .filter(|name| name.ends_with(".md"))
            else {
                continue;
            };
            let text = fs::read_to_string(&path).unwrap();
            tables += text.matches(BEGIN).count();
            assert!(
                renewed(&text).unwrap() == text,
                "docs/{name} is out of date: run cargo xtask cost --renew docs/{name}"
            );
        }
        assert!(tables > 5, "{tables}");
    }

    #[test]
    fn replaces_only_what_is_between_the_comments() {
        let text = format!("before {BEGIN}cost --assumptions -->old{END} after");
        let renewed = renewed(&text).unwrap();
        assert!(renewed.starts_with(&format!(
            "before {BEGIN}cost --assumptions -->\n\n**Assumptions**"
        )));
        assert!(renewed.ends_with(&format!("\n{END} after")) && !renewed.contains("old"));
        assert_eq!(super::renewed(&renewed).unwrap(), renewed);
    }

    #[test]
    fn says_which_command_is_wrong() {
        for (text, word) in [
            ("<!-- cargo xtask cost -->", "cargo xtask cost"),
            (
                "<!-- cargo xtask up --><!-- end of the output -->",
                "cargo xtask up",
            ),
            (
                "<!-- cargo xtask cost --images x --><!-- end of the output -->",
                "--images",
            ),
        ] {
            let error = format!("{:#}", renewed(text).unwrap_err());
            assert!(error.contains(word), "{error}");
        }
    }
}
