//! Runs the parts of the tests in lanes, at the same time: while some parts wait for a stack, others compile.

use crate::console::{Console, Interrupted, Run, Task, seconds};
use anyhow::{Result, anyhow};
use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Where the output of a part's programs goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// To the terminal at once. For a single lane.
    Live,
    /// To a log, which is printed as a whole when the part and all parts before it have ended.
    Logged,
}

/// The parts and their results, in the order in which they are printed.
pub(super) struct Report<'a> {
    console: &'a Console,
    output: Output,
    entries: Mutex<Vec<Entry>>,
}

struct Entry {
    name: String,
    result: Option<Finished>,
    printed: bool,
}

/// How a part ended.
struct Finished {
    time: Duration,
    state: State,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Passed,
    /// With the reason.
    Skipped(String),
    Failed,
    /// It was stopped because another part failed or the user interrupted the tests.
    Stopped,
}

impl<'a> Report<'a> {
    pub(super) fn new(console: &'a Console, output: Output, names: impl Iterator<Item = String>) -> Self {
        let entry = |name| Entry {
            name,
            result: None,
            printed: false,
        };
        Self {
            console,
            output,
            entries: Mutex::new(names.map(entry).collect()),
        }
    }

    /// Runs a part. `work` returns the reason if the part cannot run on this machine.
    pub(super) fn run(&self, name: &str, work: impl FnOnce(Run<'_>) -> Result<Option<String>>) -> Result<()> {
        self.console.check()?;
        let started = Instant::now();
        let result = match self.output {
            Output::Live => {
                self.console.say(&heading(name));
                work(&|command| self.console.show(command))
            }
            Output::Logged => self
                .console
                .part(name, &log(name), |part| work(&|command| part.run(command))),
        };
        let state = match &result {
            Ok(None) => State::Passed,
            Ok(Some(reason)) => State::Skipped(reason.clone()),
            Err(error) if error.is::<Interrupted>() => State::Stopped,
            Err(_) => State::Failed,
        };
        self.finish(name, started.elapsed(), state);
        result.map(drop).map_err(|error| match error.is::<Interrupted>() {
            true => error,
            false => anyhow!("{name}: {error:#}"),
        })
    }

    /// Measures work that is not a part and shows it in the summary.
    pub(super) fn time<T>(&self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let started = Instant::now();
        let result = work();
        let state = match &result {
            Ok(_) => State::Passed,
            Err(error) if error.is::<Interrupted>() => State::Stopped,
            Err(_) => State::Failed,
        };
        self.finish(name, started.elapsed(), state);
        result
    }

    fn finish(&self, name: &str, time: Duration, state: State) {
        let mut entries = self.entries();
        match entries.iter_mut().find(|entry| entry.name == name) {
            Some(entry) => entry.result = Some(Finished { time, state }),
            None => entries.push(Entry {
                name: name.to_owned(),
                result: Some(Finished { time, state }),
                // Only parts have output of their own.
                printed: true,
            }),
        }
        for entry in entries.iter_mut() {
            if entry.printed {
                continue;
            }
            if entry.result.is_none() {
                break;
            }
            self.print(entry);
        }
    }

    /// Prints the output of the parts that ended before a part in front of them.
    pub(super) fn print_rest(&self) {
        for entry in self.entries().iter_mut() {
            if !entry.printed && entry.result.is_some() {
                self.print(entry);
            }
        }
    }

    fn print(&self, entry: &mut Entry) {
        entry.printed = true;
        if self.output == Output::Logged {
            let text = fs::read_to_string(self.console.log(&log(&entry.name))).unwrap_or_default();
            self.console
                .say(&format!("{}\n{}", heading(&entry.name), text.trim_end()));
        }
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        // A thread that panics leaves complete entries.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A line for each part, and the time of all of them together.
    pub(super) fn summary(&self, total: Duration, passed: bool) -> String {
        let entries = self.entries();
        let mut text = "\n━━━ summary ━━━".to_owned();
        let mut skipped = 0;
        for Entry { name, result, .. } in entries.iter() {
            let line = match result {
                None => format!("– {name:<18}     not run"),
                Some(Finished { time, state }) => {
                    let time = seconds(*time);
                    match state {
                        State::Passed => format!("✓ {name:<18} {time:>11}"),
                        State::Failed => format!("✗ {name:<18} {time:>11}"),
                        State::Stopped => format!("– {name:<18} {time:>11}, stopped"),
                        State::Skipped(reason) => {
                            skipped += 1;
                            format!("– {name:<18}     skipped: {reason}")
                        }
                    }
                }
            };
            text.push_str(&format!("\n{line}"));
        }
        let result = match (passed, skipped) {
            (false, _) => "Failed".to_owned(),
            (true, 0) => "All passed".to_owned(),
            (true, skipped) => format!("All others passed, {skipped} skipped,"),
        };
        text + &format!("\n{result} in {}", seconds(total))
    }
}

/// Runs lanes at the same time. The first failure stops the others.
pub(super) fn run(console: &Console, mut lanes: Vec<Task<'_>>) -> Result<()> {
    match lanes.len() {
        // Without threads, a part's output is as if it ran alone.
        1 => lanes.remove(0)(),
        _ => console.parallel(lanes),
    }
}

fn heading(name: &str) -> String {
    format!("\n━━━ {name} ━━━")
}

fn log(name: &str) -> String {
    format!("part-{}", name.trim_matches(['(', ')']).replace(' ', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::Interrupt;
    use anyhow::bail;
    use std::path::Path;
    use std::process::Command;

    fn console(folder: &Path) -> Console {
        Console::new(folder, &Interrupt::listen().unwrap()).unwrap()
    }

    fn names() -> impl Iterator<Item = String> {
        ["format", "invoke", "rust"].map(str::to_owned).into_iter()
    }

    fn printed(report: &Report<'_>) -> Vec<bool> {
        report.entries().iter().map(|entry| entry.printed).collect()
    }

    #[test]
    fn output_is_printed_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let console = console(folder.path());
        let report = Report::new(&console, Output::Logged, names());
        let echo = |run: Run<'_>| run(Command::new("echo").arg("hello")).map(|()| None);
        report.run("rust", echo).unwrap();
        assert_eq!(printed(&report), [false, false, false]);
        report.run("format", echo).unwrap();
        assert_eq!(printed(&report), [true, false, false]);
        report.run("invoke", echo).unwrap();
        assert_eq!(printed(&report), [true, true, true]);
        let log = fs::read_to_string(folder.path().join("part-rust.log")).unwrap();
        assert_eq!(log, "$ echo hello\nhello\n");
    }

    #[test]
    fn the_summary_never_shows_a_skipped_part_as_passed() {
        let folder = tempfile::tempdir().unwrap();
        let console = console(folder.path());
        let report = Report::new(&console, Output::Logged, names());
        for name in ["format", "rust"] {
            report.run(name, |_| Ok(None)).unwrap();
        }
        let no_docker = Some("no Docker daemon answers".to_owned());
        report.run("invoke", |_| Ok(no_docker)).unwrap();
        let text = report.summary(Duration::from_secs(71), true);
        assert!(
            text.contains("– invoke") && text.contains("no Docker daemon"),
            "{text}"
        );
        assert!(
            !text.contains("✓ invoke") && !text.contains("All passed"),
            "{text}"
        );
        assert!(
            text.ends_with("All others passed, 1 skipped, in 1 min 11 s"),
            "{text}"
        );
    }

    #[test]
    fn the_summary_marks_the_part_that_failed_and_those_that_did_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let console = console(folder.path());
        let report = Report::new(&console, Output::Logged, names());
        report.run("format", |_| Ok(None)).unwrap();
        let error = report.run("rust", |_| bail!("a test failed")).unwrap_err();
        assert!(error.to_string().starts_with("rust: "), "{error}");
        let text = report.summary(Duration::from_secs(1), false);
        for line in ["✓ format", "✗ rust", "– invoke"] {
            assert!(text.contains(line), "{text}");
        }
        assert!(
            text.contains("not run") && text.ends_with("Failed in 1.0 s"),
            "{text}"
        );
    }

    #[test]
    fn a_failure_stops_the_other_lanes() {
        let folder = tempfile::tempdir().unwrap();
        let console = console(folder.path());
        let report = Report::new(&console, Output::Logged, names());
        let error = run(
            &console,
            vec![
                Box::new(|| {
                    report.run("format", |run| {
                        run(Command::new("sleep").arg("600")).map(|()| None)
                    })
                }),
                Box::new(|| report.run("rust", |run| run(&mut Command::new("false")).map(|()| None))),
            ],
        )
        .unwrap_err();
        assert!(error.to_string().starts_with("rust: "), "{error}");
        let text = report.summary(Duration::from_secs(1), false);
        assert!(text.contains("✗ rust") && text.contains("stopped"), "{text}");
    }
}
