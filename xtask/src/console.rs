//! Progress output: one line for each part of the work, with its time, and the end of its log if it fails.

use crate::process;
use anyhow::{Context, Result, anyhow, bail};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, IsTerminal, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The number of lines of a log that are shown if its part fails.
const TAIL: usize = 30;
/// The pause between two checks of a running program.
const POLL: Duration = Duration::from_millis(50);
/// Without a terminal, a running part prints a line this often.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Set by SIGINT, SIGTERM and SIGHUP. Loops that wait check it.
#[derive(Clone)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

/// The work was stopped by the user, or because other work failed.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

impl Interrupt {
    /// Catches SIGINT, SIGTERM and SIGHUP from here on.
    pub(crate) fn listen() -> Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&flag)).context("cannot catch signals")?;
        }
        Ok(Self(flag))
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Runs parts of the work and shows their progress: spinners on a terminal, lines elsewhere.
pub(crate) struct Console {
    bars: Option<MultiProgress>,
    logs: PathBuf,
    interrupt: Interrupt,
    /// Set if one of several parallel parts has failed: the others stop.
    failed: Arc<AtomicBool>,
}

/// Runs a program to its end. The output goes to the terminal or to a log.
pub(crate) type Run<'a> = &'a dyn Fn(&mut Command) -> Result<()>;

/// Work that does not depend on the other tasks.
pub(crate) type Task<'a> = Box<dyn FnOnce() -> Result<()> + Send + 'a>;

impl Console {
    /// Logs of the parts go to the folder `logs`.
    pub(crate) fn new(logs: &Path, interrupt: &Interrupt) -> Result<Self> {
        fs::create_dir_all(logs).with_context(|| format!("cannot make {}", logs.display()))?;
        let bars = std::io::stderr()
            .is_terminal()
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        Ok(Self {
            bars,
            logs: logs.to_path_buf(),
            interrupt: interrupt.clone(),
            failed: Arc::default(),
        })
    }

    /// The same console with another folder for the logs.
    pub(crate) fn with_logs(&self, logs: &Path) -> Result<Self> {
        fs::create_dir_all(logs).with_context(|| format!("cannot make {}", logs.display()))?;
        Ok(Self {
            bars: self.bars.clone(),
            logs: logs.to_path_buf(),
            interrupt: self.interrupt.clone(),
            failed: Arc::clone(&self.failed),
        })
    }

    /// Prints a line.
    pub(crate) fn say(&self, line: &str) {
        match &self.bars {
            // Printed above the spinners.
            Some(bars) => drop(bars.println(line)),
            None => eprintln!("{line}"),
        }
    }

    /// Fails if the user has interrupted this command or another part has failed.
    pub(crate) fn check(&self) -> Result<()> {
        if self.interrupt.is_set() || self.failed.load(Ordering::Relaxed) {
            return Err(Interrupted.into());
        }
        Ok(())
    }

    /// The path of a log.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.logs.join(format!("{name}.log"))
    }

    /// Runs one part of the work. `log` is the name of its log file.
    pub(crate) fn part<T>(
        &self,
        title: &str,
        log: &str,
        work: impl FnOnce(&Part<'_>) -> Result<T>,
    ) -> Result<T> {
        self.check()?;
        let path = self.log(log);
        File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        let bar = self.bars.as_ref().map(|bars| bars.add(spinner(title)));
        if bar.is_none() {
            self.say(&format!("… {title}"));
        }
        let part = Part {
            console: self,
            title,
            log: &path,
            bar: bar.as_ref(),
            started: Instant::now(),
        };
        let result = work(&part);
        let took = seconds(part.started.elapsed());
        if let Some(bar) = &bar {
            bar.finish_and_clear();
        }
        match result {
            Ok(value) => {
                self.say(&format!("✓ {title} ({took})"));
                Ok(value)
            }
            Err(error) if error.is::<Interrupted>() => {
                self.say(&format!("– {title}: stopped ({took})"));
                Err(error)
            }
            Err(error) => {
                self.say(&format!("✗ {title} ({took})"));
                Err(failed(title, &path, &error))
            }
        }
    }

    /// Runs a program to its end and shows its output.
    pub(crate) fn show(&self, command: &mut Command) -> Result<()> {
        self.check()?;
        self.say(&format!("$ {}", line(command)));
        let mut child =
            process::spawn(command).with_context(|| format!("cannot start `{}`", line(command)))?;
        let status = loop {
            if let Some(status) = child.try_wait().context("cannot wait for a program")? {
                break status;
            }
            if self.check().is_err() {
                process::stop_child(&mut child);
                return Err(Interrupted.into());
            }
            thread::sleep(POLL);
        };
        check_status(command, status)
    }

    /// Runs several tasks at the same time. The first failure stops the others.
    pub(crate) fn parallel(&self, tasks: Vec<Task<'_>>) -> Result<()> {
        let results: Vec<Result<()>> = thread::scope(|scope| {
            let threads: Vec<_> = tasks
                .into_iter()
                .map(|task| {
                    scope.spawn(|| {
                        let result = task();
                        if result.is_err() {
                            self.failed.store(true, Ordering::Relaxed);
                        }
                        result
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|_| Err(anyhow!("a part panicked"))))
                .collect()
        });
        // The cause is the error of the task that was not stopped.
        let (stopped, causes): (Vec<_>, Vec<_>) = results
            .into_iter()
            .filter_map(Result::err)
            .partition(|error| error.is::<Interrupted>());
        match causes.into_iter().chain(stopped).next() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// A running part.
pub(crate) struct Part<'a> {
    console: &'a Console,
    title: &'a str,
    log: &'a Path,
    bar: Option<&'a ProgressBar>,
    started: Instant,
}

impl Part<'_> {
    /// Runs a program to its end; what it prints goes to the part's log.
    pub(crate) fn run(&self, command: &mut Command) -> Result<()> {
        let log = self.open_log(command)?;
        let both = log.try_clone().context("cannot share the log")?;
        let child = self.start(command.stdout(both).stderr(log))?;
        self.wait(command, child)
    }

    /// Runs a program to its end and returns what it prints; its errors go to the part's log.
    pub(crate) fn output(&self, command: &mut Command) -> Result<String> {
        let log = self.open_log(command)?;
        let mut child = self.start(command.stdout(Stdio::piped()).stderr(log))?;
        let mut pipe = child.stdout.take().context("the program has no output")?;
        let reader = thread::spawn(move || {
            let mut text = String::new();
            pipe.read_to_string(&mut text).map(|_| text)
        });
        self.wait(command, child)?;
        let text = reader
            .join()
            .map_err(|_| anyhow!("reading the output panicked"))?;
        text.context("the output is not UTF-8")
    }

    /// Waits until `ready` returns true. `ready` gets the time since the start of the part and can fail to stop waiting.
    pub(crate) fn until(&self, mut ready: impl FnMut(Duration) -> Result<bool>) -> Result<()> {
        loop {
            self.console.check()?;
            if ready(self.started.elapsed())? {
                return Ok(());
            }
            thread::sleep(POLL);
        }
    }

    fn open_log(&self, command: &Command) -> Result<File> {
        let mut log = File::options()
            .append(true)
            .open(self.log)
            .with_context(|| format!("cannot write {}", self.log.display()))?;
        writeln!(log, "$ {}", line(command)).context("cannot write the log")?;
        Ok(log)
    }

    fn start(&self, command: &mut Command) -> Result<Child> {
        self.console.check()?;
        process::spawn(command).with_context(|| format!("cannot start `{}`", line(command)))
    }

    fn wait(&self, command: &Command, mut child: Child) -> Result<()> {
        let mut last_output = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().context("cannot wait for a program")? {
                break status;
            }
            if self.console.check().is_err() {
                process::stop_child(&mut child);
                return Err(Interrupted.into());
            }
            if let Some(bar) = self.bar {
                bar.set_message(last_line(self.log));
            } else if last_output.elapsed() > HEARTBEAT {
                last_output = Instant::now();
                let took = seconds(self.started.elapsed());
                self.console
                    .say(&format!("… {} ({took}) {}", self.title, last_line(self.log)));
            }
            thread::sleep(POLL);
        };
        check_status(command, status)
    }
}

fn check_status(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("`{}` failed ({status})", line(command));
    }
    Ok(())
}

/// The command line, without its environment.
fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

/// An error with the end of a log and the path of the whole log.
pub(crate) fn failed(title: &str, log: &Path, error: &anyhow::Error) -> anyhow::Error {
    let tail = tail(log).unwrap_or_default();
    if tail.is_empty() {
        return anyhow!("{title}: {error:#}");
    }
    anyhow!("{title}: {error:#}\n{tail}\nThe whole log: {}", log.display())
}

/// The last lines of a log, indented.
fn tail(log: &Path) -> Result<String> {
    let mut lines = VecDeque::with_capacity(TAIL);
    for line in BufReader::new(File::open(log)?).split(b'\n') {
        if lines.len() == TAIL {
            lines.pop_front();
        }
        lines.push_back(format!("  │ {}", String::from_utf8_lossy(&line?)));
    }
    Ok(Vec::from(lines).join("\n"))
}

/// The last line of a log that is still being written, shortened to one row.
fn last_line(log: &Path) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(500)))?;
        let mut end = Vec::new();
        file.read_to_end(&mut end)?;
        let end = String::from_utf8_lossy(&end).into_owned();
        let last = end
            .lines()
            .rev()
            .map(str::trim)
            .find(|line| !line.is_empty())
            .unwrap_or_default();
        Ok(last.chars().filter(|c| !c.is_control()).take(60).collect())
    };
    // This is only decoration: a log that cannot be read shows nothing.
    read().unwrap_or_default()
}

fn spinner(title: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {prefix} {elapsed} {msg:.dim}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = ProgressBar::new_spinner()
        .with_style(style)
        .with_prefix(title.to_owned());
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// A duration for people: `0.8 s`, `42 s`, `3 min 05 s`.
pub(crate) fn seconds(duration: Duration) -> String {
    let whole = duration.as_secs();
    match whole {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..60 => format!("{whole} s"),
        _ => format!("{} min {:02} s", whole / 60, whole % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn console(folder: &Path) -> Console {
        let interrupt = Interrupt(Arc::new(AtomicBool::new(false)));
        Console {
            bars: None,
            logs: folder.to_path_buf(),
            interrupt,
            failed: Arc::default(),
        }
    }

    #[test]
    fn a_failed_part_shows_the_end_of_its_log_and_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let error = console(folder.path())
            .part("Build the page", "page", |part| {
                part.run(Command::new("sh").args(["-c", "seq 1 100; echo broken >&2; exit 3"]))
            })
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("Build the page") && error.contains("exit status: 3"),
            "{error}"
        );
        assert!(error.contains("│ broken") && error.contains("│ 100"), "{error}");
        assert!(!error.contains("│ 60\n"), "the whole log is too much: {error}");
        assert!(error.contains("page.log"), "{error}");
    }

    #[test]
    fn a_failure_stops_the_other_tasks_and_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let console = console(folder.path());
        let endless = || console.part("Wait", "wait", |part| part.run(Command::new("sleep").arg("600")));
        let failing = || console.part("Fail", "fail", |part| part.run(&mut Command::new("false")));
        let error = console
            .parallel(vec![Box::new(endless), Box::new(failing)])
            .unwrap_err();
        assert!(error.to_string().starts_with("Fail: `false` failed"), "{error}");
    }

    #[test]
    fn an_interrupt_stops_running_programs() {
        let folder = tempfile::tempdir().unwrap();
        let console = console(folder.path());
        console.interrupt.0.store(true, Ordering::Relaxed);
        let error = console
            .part("Wait", "wait", |part| part.run(Command::new("sleep").arg("600")))
            .unwrap_err();
        assert!(error.is::<Interrupted>());
    }

    #[test]
    fn output_is_returned_and_errors_are_logged() {
        let folder = tempfile::tempdir().unwrap();
        let text = console(folder.path())
            .part("Ask", "ask", |part| {
                part.output(Command::new("sh").args(["-c", "echo answer; echo note >&2"]))
            })
            .unwrap();
        assert_eq!(text, "answer\n");
        assert!(
            fs::read_to_string(folder.path().join("ask.log"))
                .unwrap()
                .contains("note")
        );
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(seconds(Duration::from_millis(840)), "0.8 s");
        assert_eq!(seconds(Duration::from_secs(42)), "42 s");
        assert_eq!(seconds(Duration::from_secs(185)), "3 min 05 s");
    }
}
