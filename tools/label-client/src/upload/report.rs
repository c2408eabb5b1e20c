//! What a run did: counts, the report file, and the summary at the end.

use super::outcome::{Outcome, Skip};
use anyhow::{Context, Result};
use capacity::numbers::grouped;
use indicatif::DecimalBytes;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Failures in the summary. The report file has all of them.
const MAX_FAILURES: usize = 20;

/// Files and their bytes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) files: u64,
    pub(super) bytes: u64,
}

impl Count {
    fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

/// The outcomes of a run.
#[derive(Default)]
pub(super) struct Report {
    pub(super) uploaded: Count,
    pub(super) already_there: Count,
    pub(super) new: Count,
    pub(super) failed: Count,
    skipped: BTreeMap<Skip, u64>,
    failures: Vec<String>,
    file: Option<(BufWriter<File>, PathBuf)>,
}

impl Report {
    /// `path`: a new file that gets a line of JSON for each file.
    ///
    /// # Errors
    /// It can't be written.
    pub(super) fn new(path: Option<&Path>) -> Result<Self> {
        let file = path.map(|path| {
            let file = File::create(path).with_context(|| format!("can't write {}", path.display()))?;
            anyhow::Ok((BufWriter::new(file), path.to_owned()))
        });
        Ok(Self {
            file: file.transpose()?,
            ..Self::default()
        })
    }

    /// # Errors
    /// The report file can't be written.
    pub(super) fn add(&mut self, path: &Path, bytes: u64, outcome: &Outcome) -> Result<()> {
        let (name, reason, image_id) = match outcome {
            Outcome::Uploaded(image_id) => {
                self.uploaded.add(bytes);
                ("uploaded", None, Some(image_id))
            }
            Outcome::AlreadyThere(image_id) => {
                self.already_there.add(bytes);
                ("already there", None, Some(image_id))
            }
            Outcome::New => {
                self.new.add(bytes);
                ("new", None, None)
            }
            Outcome::Skipped(skip, detail) => {
                *self.skipped.entry(*skip).or_default() += 1;
                ("skipped", Some(detail.as_deref().unwrap_or(skip.text())), None)
            }
            Outcome::Failed(reason) => {
                self.failed.add(bytes);
                if self.failures.len() < MAX_FAILURES {
                    self.failures.push(format!("{}: {reason}", path.display()));
                }
                ("failed", Some(reason.as_str()), None)
            }
        };
        let Some((file, report)) = &mut self.file else {
            return Ok(());
        };
        let line = json!({
            "file": path.to_string_lossy(), "size": bytes, "outcome": name, "reason": reason, "imageId": image_id,
        });
        writeln!(file, "{line}").with_context(|| format!("can't write {}", report.display()))
    }

    /// Completes the report file.
    ///
    /// # Errors
    /// It can't be written.
    pub(super) fn finish(&mut self) -> Result<()> {
        let Some((file, path)) = &mut self.file else {
            return Ok(());
        };
        file.flush()
            .with_context(|| format!("can't write {}", path.display()))
    }

    /// Files with an outcome so far.
    pub(super) fn files(&self) -> u64 {
        let counts = [self.uploaded, self.already_there, self.new, self.failed];
        counts.iter().map(|count| count.files).sum::<u64>() + self.skipped.values().sum::<u64>()
    }

    /// The summary. `unfinished`: files without an outcome, and why.
    pub(super) fn text(&self, unfinished: Option<(u64, &str)>) -> String {
        let mut text = String::new();
        let mut row = |name: &str, count: Count| {
            let bytes = match count.bytes {
                0 => String::new(),
                bytes => format!(" ({})", DecimalBytes(bytes)),
            };
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name:<15}{:>9}{bytes}", grouped(count.files as f64));
        };
        if self.new != Count::default() {
            row("New", self.new);
        } else {
            row("Uploaded", self.uploaded);
        }
        row("Already in the library", self.already_there);
        let skipped: u64 = self.skipped.values().sum();
        let files = |files| Count { files, bytes: 0 };
        row("Skipped", files(skipped));
        for (skip, count) in &self.skipped {
            let _ = writeln!(text, "  {:>7}  {}", grouped(*count as f64), skip.text());
        }
        let mut row = |name: &str, count: u64| {
            let _ = writeln!(text, "{name:<15}{:>9}", grouped(count as f64));
        };
        row("Failed", self.failed.files);
        if let Some((count, _)) = unfinished {
            row("Not reached", count);
        }
        for failure in &self.failures {
            let _ = writeln!(text, "  {failure}");
        }
        let more = self.failed.files.saturating_sub(self.failures.len() as u64);
        if more > 0 {
            let advice = if self.file.is_some() {
                "the report lists them"
            } else {
                "--report FILE lists all"
            };
            let _ = writeln!(text, "  and {} more: {advice}", grouped(more as f64));
        }
        if let Some((_, reason)) = unfinished {
            let _ = writeln!(text, "Ended early: {reason}");
        }
        if unfinished.is_some() || self.failed.files > 0 {
            text.push_str("Run the command again to upload the rest.\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::fs;

    #[test]
    fn the_summary_counts_every_outcome_and_names_the_first_failures() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.jsonl");
        let mut report = Report::new(Some(&path)).unwrap();
        let mut add = |name: &str, outcome: &Outcome| report.add(Path::new(name), 1000, outcome).unwrap();
        add("/a", &Outcome::Uploaded("1".into()));
        add("/b", &Outcome::AlreadyThere("1".into()));
        add("/c", &Outcome::Skipped(Skip::Hidden, None));
        add(
            "/d",
            &Outcome::Skipped(Skip::TooFewPixels, Some("This picture is 60 × 60 pixels.".into())),
        );
        for number in 0..22 {
            add(
                &format!("/bad {number}"),
                &Outcome::Failed("can't read it".into()),
            );
        }
        report.finish().unwrap();
        assert_eq!(report.files(), 26);
        let text = report.text(Some((1200, "interrupted")));
        for line in [
            "Uploaded               1 (1.00 kB)\n",
            "Skipped                2\n        1  hidden\n        1  too few pixels\n",
            "Failed                22\nNot reached        1,200\n  /bad 0: can't read it\n",
            "  /bad 19: can't read it\n  and 2 more: the report lists them\nEnded early: interrupted\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }

        let lines = fs::read_to_string(&path).unwrap();
        let lines: Vec<Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 26);
        assert_eq!(
            lines[0],
            json!({"file": "/a", "size": 1000, "outcome": "uploaded", "reason": null, "imageId": "1"})
        );
        assert_eq!(lines[3]["reason"], "This picture is 60 × 60 pixels.");
    }
}
