//! The progress of a run: a bar on a terminal, lines elsewhere.

use super::outcome::Outcome;
use capacity::numbers::grouped;
use indicatif::{DecimalBytes, HumanDuration, ProgressBar, ProgressStyle};
use std::time::{Duration, Instant};

/// Without a terminal, a line is printed this often.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Counts files and bytes. Only uploaded bytes count for the rate.
pub(super) struct Progress {
    bar: ProgressBar,
    files: u64,
    done: u64,
    /// Bytes that are uploaded, and those that are uploaded or may still have to be.
    uploaded: u64,
    total: u64,
    started: Instant,
    last_line: Instant,
}

impl Progress {
    pub(super) fn new(files: u64, bytes: u64) -> Self {
        let style = ProgressStyle::with_template(
            "{bar:25} {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left; {msg}",
        )
        .unwrap_or_else(|_| ProgressStyle::default_bar());
        // Drawn on stderr, and only on a terminal.
        let bar = ProgressBar::new(bytes).with_style(style);
        bar.enable_steady_tick(Duration::from_millis(200));
        let now = Instant::now();
        Self {
            bar,
            files,
            done: 0,
            uploaded: 0,
            total: bytes,
            started: now,
            last_line: now,
        }
    }

    pub(super) fn add(&mut self, bytes: u64, outcome: &Outcome) {
        self.done += 1;
        if matches!(outcome, Outcome::Uploaded(_)) {
            self.uploaded += bytes;
            self.bar.inc(bytes);
        } else {
            self.total = self.total.saturating_sub(bytes);
            self.bar.set_length(self.total);
        }
        self.bar.set_message(self.counted());
        self.tick();
    }

    /// Prints a line if it is time to.
    pub(super) fn tick(&mut self) {
        if self.bar.is_hidden() && self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            eprintln!("{}", self.line(self.started.elapsed()));
        }
    }

    /// Prints a sentence above the bar.
    pub(super) fn say(&self, sentence: &str) {
        self.bar.suspend(|| eprintln!("{sentence}"));
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn counted(&self) -> String {
        format!(
            "{} of {} files",
            grouped(self.done as f64),
            grouped(self.files as f64)
        )
    }

    fn line(&self, elapsed: Duration) -> String {
        let rate = self.uploaded as f64 / elapsed.as_secs_f64().max(0.001);
        let left = (self.total - self.uploaded) as f64 / rate;
        let left = Duration::try_from_secs_f64(left).map_or_else(
            |_| String::new(),
            |left| format!(", {} left", HumanDuration(Duration::from_secs(left.as_secs()))),
        );
        format!(
            "{}; {} of {}, {}/s{left}",
            self.counted(),
            DecimalBytes(self.uploaded),
            DecimalBytes(self.total),
            DecimalBytes(rate as u64),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remaining_time_counts_only_bytes_that_are_uploaded() {
        let mut progress = Progress::new(1000, 10_000_000);
        assert_eq!(
            progress.line(Duration::from_secs(1)),
            "0 of 1,000 files; 0 B of 10.00 MB, 0 B/s"
        );
        progress.add(1_000_000, &Outcome::Uploaded("1".into()));
        progress.add(4_000_000, &Outcome::AlreadyThere("2".into()));
        assert_eq!(
            progress.line(Duration::from_secs(10)),
            "2 of 1,000 files; 1.00 MB of 6.00 MB, 100.00 kB/s, 50 seconds left"
        );
    }
}
