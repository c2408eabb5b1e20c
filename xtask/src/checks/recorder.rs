//! Records the AWS calls of the stack's functions while a part of the tests runs: `tools/record`.

use crate::console::Console;
use crate::local::services::Services;
use crate::process;
use crate::project::Project;
use anyhow::{Context, Result};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The environment variable with the recorder's origin. Tests that redirect calls restore this origin afterwards.
pub(crate) const ORIGIN: &str = "ILG_RECORDER";

/// The timeout until the recorder prints its address. Long enough for a busy machine.
const READY: Duration = Duration::from_secs(600);

/// A running recorder. Dropping it stops it, and the functions call the services directly again.
pub(crate) struct Recorder {
    process: Child,
    pub(crate) origin: String,
}

/// The folder of the recordings of the last run, one file for each recorded part.
pub(crate) fn folder(project: &Project) -> PathBuf {
    project.path(".local/test/calls")
}

impl Recorder {
    /// Starts a recorder for a part of the tests. Overwrites the recording of an earlier run of this part.
    pub(crate) fn start(
        project: &Project,
        console: &Console,
        services: &Services,
        part: &str,
    ) -> Result<Self> {
        let folder = folder(project);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let log = console.log(&format!("record-{part}"));
        let errors = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = project.command(project.binary("record"));
        command
            .arg("--out")
            .arg(folder.join(part).with_extension("jsonl"))
            .env("ILG_STACK", services.stack.description())
            .stdout(Stdio::piped())
            .stderr(errors);
        let process = process::spawn(&mut command).context("cannot start the recorder")?;
        let mut recorder = Self {
            process,
            origin: String::new(),
        };
        let output = recorder
            .process
            .stdout
            .take()
            .context("the recorder has no output")?;
        let line = first_line(output, READY)
            .with_context(|| format!("the recorder is not ready; its log: {}", log.display()))?;
        recorder.origin = line
            .trim()
            .strip_prefix(&format!("{ORIGIN}="))
            .with_context(|| {
                format!(
                    "the recorder ended before it was ready; its log: {}",
                    log.display()
                )
            })?
            .to_owned();
        Ok(recorder)
    }
}

/// The first line that a program prints.
fn first_line(output: impl Read + Send + 'static, limit: Duration) -> Result<String> {
    let (sender, receiver) = mpsc::channel();
    // It ends with the program's output.
    thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(output).read_line(&mut line).map(|_| line);
        // Fails only after the timeout.
        let _ = sender.send(read);
    });
    receiver
        .recv_timeout(limit)
        .with_context(|| format!("no output after {} s", limit.as_secs()))?
        .context("cannot read its output")
}

impl Drop for Recorder {
    fn drop(&mut self) {
        process::stop_child(&mut self.process);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_read_while_the_program_runs() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        std::io::Write::write_all(&mut writer, b"ready\n").unwrap();
        assert_eq!(first_line(reader, READY).unwrap(), "ready\n");
        drop(writer);
    }

    #[test]
    fn a_program_that_prints_nothing_is_an_error() {
        let (reader, writer) = std::io::pipe().unwrap();
        let error = first_line(reader, Duration::from_millis(50)).unwrap_err();
        assert!(error.to_string().contains("no output"), "{error}");
        drop(writer);
    }
}
