//! What a run did: counts, the report file, and the summary at the end.

use super::outcome::{Kind, Outcome, Skip};
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

/// New videos. Their minutes are paid for, and count against a daily limit.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Videos {
    pub(super) count: Count,
    /// The minutes of those whose header can be read.
    pub(super) minutes: u64,
    /// The minutes of the longest one.
    pub(super) longest: u32,
    /// Videos whose header can't be read.
    pub(super) unreadable: u64,
}

impl Videos {
    fn add(&mut self, bytes: u64, minutes: Option<u32>) {
        self.count.add(bytes);
        match minutes {
            Some(minutes) => {
                self.minutes += u64::from(minutes);
                self.longest = self.longest.max(minutes);
            }
            None => self.unreadable += 1,
        }
    }

    /// A line of the summary, if there are any.
    fn line(&self) -> String {
        let Self {
            count: Count { files, bytes },
            minutes,
            unreadable,
            ..
        } = *self;
        if files == 0 {
            return String::new();
        }
        let unreadable = match unreadable {
            0 => String::new(),
            1 => ", and one whose length can't be read".to_owned(),
            more => format!(", and {} whose length can't be read", grouped(more as f64)),
        };
        format!(
            "  {:>7}  {} ({}): {}{unreadable}\n",
            grouped(files as f64),
            if files == 1 { "video" } else { "videos" },
            DecimalBytes(bytes),
            plural(minutes, "minute"),
        )
    }
}

/// A number with a noun, such as `1 minute`.
pub(super) fn plural(number: u64, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {noun}{s}", grouped(number as f64))
}

/// A line of the summary.
fn row(name: &str, count: Count) -> String {
    let bytes = match count.bytes {
        0 => String::new(),
        bytes => format!(" ({})", DecimalBytes(bytes)),
    };
    format!("{name:<15}{:>9}{bytes}\n", grouped(count.files as f64))
}

/// The outcomes of a run.
#[derive(Default)]
pub(super) struct Report {
    pub(super) uploaded: Count,
    pub(super) already_there: Count,
    /// New files, with the videos among them.
    pub(super) new: Count,
    pub(super) new_videos: Videos,
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
            Outcome::New(kind) => {
                self.new.add(bytes);
                if let Kind::Video(minutes) = kind {
                    self.new_videos.add(bytes, *minutes);
                }
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
        if self.new != Count::default() {
            text.push_str(&row("New", self.new));
            text.push_str(&self.new_videos.line());
        } else {
            text.push_str(&row("Uploaded", self.uploaded));
        }
        text.push_str(&row("Already in the library", self.already_there));
        let skipped: u64 = self.skipped.values().sum();
        let files = |files| Count { files, bytes: 0 };
        text.push_str(&row("Skipped", files(skipped)));
        for (skip, count) in &self.skipped {
            // Writing to a string does not fail.
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
    fn the_summary_of_a_dry_run_says_how_many_new_files_are_videos() {
        let mut report = Report::default();
        let mut add = |bytes: u64, kind| {
            report.add(Path::new("/a"), bytes, &Outcome::New(kind)).unwrap();
        };
        add(1000, Kind::Picture);
        add(3_000_000, Kind::Video(Some(12)));
        add(1_000_000, Kind::Video(Some(3)));
        add(1000, Kind::Video(None));
        assert_eq!(report.files(), 4);
        let videos = report.new_videos;
        assert_eq!((videos.minutes, videos.longest, videos.unreadable), (15, 12, 1));
        let text = report.text(None);
        let expected = "New                    4 (4.00 MB)\n        3  videos (4.00 MB): 15 minutes, and one whose length \
                        can't be read\n";
        assert!(text.starts_with(expected), "{text}");
    }

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
