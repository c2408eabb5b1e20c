//! `cargo xtask upload`: uploads all pictures and videos in folders. Skips files that are already in the library.
//!
//! One thread finds files, some check them and compute checksums, others upload, and the main thread records the outcomes.
//! Bounded queues connect them, and files are streamed, so that memory does not depend on the files' sizes.

mod check;
mod estimate;
mod outcome;
mod progress;
mod report;
mod send;
mod state;
mod stop;
mod walk;

use crate::api::Api;
use anyhow::{Context, Result};
use check::Prepared;
use clap::Args;
use estimate::Terms;
use indicatif::{ProgressBar, ProgressStyle};
use outcome::Outcome;
use progress::Progress;
use report::Report;
use send::{Backoff, Sender};
use state::{Known, State};
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use stop::{INTERRUPTED, Stop};
use walk::Found;

/// The largest number of threads that compute checksums. More would only wait for the disk.
const MAX_CHECKERS: usize = 4;
/// Outcomes and checked files that wait for the next thread.
const QUEUE: usize = 64;
/// How often the main thread looks at the clock.
const TICK: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub(crate) struct UploadOptions {
    /// Folders with pictures and videos, and such files
    #[arg(required = true, value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// The file that remembers what is uploaded
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// Files that are uploaded at the same time
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=64))]
    parallel: u32,
    /// Ignore the state file: read every file and ask the API about it
    #[arg(long)]
    check_again: bool,
    /// Wait for the next day when the daily limit is reached
    #[arg(long)]
    wait: bool,
    /// Write a line of JSON about each file to this file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Upload nothing: count files and bytes, and estimate costs and days
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    terms: Terms,
}

/// What the other threads tell the main thread.
enum Event {
    /// The outcome of a file, with its SHA-256 if that is known.
    Done(Found, Option<[u8; 32]>, Outcome),
    /// The upload of a file in parts has been started, for an image with this id.
    Started(Found, [u8; 32], String),
    /// A sentence for the person.
    Note(String),
}

/// Uploads the pictures and prints a summary. Fails unless each is uploaded or was there.
///
/// # Errors
/// A folder does not exist, the user can't be signed in, or the state or the report can't be written.
pub(crate) fn upload(api: &Api, options: &UploadOptions) -> Result<ExitCode> {
    let stop = Stop::at_signals()?;
    let roots = options
        .folders
        .iter()
        .map(|folder| fs::canonicalize(folder).with_context(|| format!("can't find {}", folder.display())))
        .collect::<Result<Vec<_>>>()?;
    let mut report = Report::new(options.report.as_deref())?;
    // Before the folders are searched: a wrong password is reported at once.
    let (remembered, mut state) = if options.dry_run {
        (Known::read(&options.state, None)?, None)
    } else {
        let owner = api.owner()?;
        let state = State::open(&options.state, &owner)?;
        (Known::read(&options.state, Some(&owner))?, Some(state))
    };
    let nothing = Known::default();
    let known = if options.check_again {
        &nothing
    } else {
        &remembered
    };

    let files = find(&roots, &stop, &mut report)?;
    let mut record = Record {
        progress: Progress::new(files.len() as u64, files.iter().map(|file| file.size).sum()),
        report: &mut report,
        state: state.as_mut(),
        remembered: &remembered,
    };
    let others = record.report.files();
    run(api, options, &stop, &files, known, &mut record);
    record.progress.finish();
    let reached = report.files() - others;
    if let Err(error) = report.finish() {
        stop.because(format!("{error:#}"));
    }

    let left = files.len() as u64 - reached;
    let unfinished = stop.reason().map(|reason| (left, reason));
    print!("{}", report.text(unfinished));
    if options.dry_run && unfinished.is_none() {
        print!(
            "{}",
            estimate::text(report.new, report.new_videos, &options.terms)?
        );
    }
    Ok(if stop.is_interrupted() {
        ExitCode::from(INTERRUPTED)
    } else if unfinished.is_some() || report.failed.files > 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// The files that may be pictures. Others go to the report.
fn find(roots: &[PathBuf], stop: &Stop, report: &mut Report) -> Result<Vec<Found>> {
    let style = ProgressStyle::with_template("{spinner} Looking for files: {pos}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    let spinner = ProgressBar::new_spinner().with_style(style);
    spinner.enable_steady_tick(Duration::from_millis(200));
    let mut failed = Ok(());
    let files = walk::walk(
        roots,
        stop,
        |path, size, outcome| {
            if let Err(error) = report.add(path, size, &outcome) {
                failed = Err(error);
            }
        },
        |count| spinner.set_position(count as u64),
    );
    spinner.finish_and_clear();
    failed.map(|()| files)
}

/// Checks and uploads the files until all have an outcome or the run ends early.
fn run(
    api: &Api,
    options: &UploadOptions,
    stop: &Stop,
    files: &[Found],
    known: &Known,
    record: &mut Record<'_>,
) {
    let (events, outcomes) = mpsc::sync_channel(QUEUE);
    let (checked, to_upload) = mpsc::sync_channel(options.parallel as usize);
    // Several threads take from this end.
    let to_upload = Mutex::new(to_upload);
    let sender = Sender::new(
        api,
        stop,
        Backoff::default(),
        options.wait,
        known.checksums(),
        options.parallel,
    )
    .continuing(known);
    let next = AtomicUsize::new(0);
    let checkers = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MAX_CHECKERS);
    thread::scope(|scope| {
        for _ in 0..checkers {
            let (events, checked, next) = (events.clone(), checked.clone(), &next);
            scope.spawn(move || {
                while let Some(file) = take(files, next, stop) {
                    check_one(file, known, options.dry_run, &events, &checked);
                }
            });
        }
        drop(checked);
        for _ in 0..options.parallel {
            let (events, to_upload, sender) = (events.clone(), &to_upload, &sender);
            scope.spawn(move || {
                while let Some(file) = receive(to_upload) {
                    // Takes the rest out of the queue if the run ends early.
                    if !stop.is_set() {
                        sender.send(file, &mut |event| {
                            // Fails only if the main thread is about to end.
                            drop(events.send(match event {
                                send::Event::Note(sentence) => Event::Note(sentence),
                                send::Event::Started(file, image_id) => {
                                    Event::Started(file.file.clone(), file.sha256, image_id)
                                }
                                send::Event::Done(file, outcome) => {
                                    Event::Done(file.file.clone(), Some(file.sha256), outcome)
                                }
                            }));
                        });
                    }
                }
            });
        }
        drop(events);
        record.all(&outcomes, stop);
    });
}

fn take<'a>(files: &'a [Found], next: &AtomicUsize, stop: &Stop) -> Option<&'a Found> {
    if stop.is_set() {
        return None;
    }
    files.get(next.fetch_add(1, Ordering::Relaxed))
}

fn receive(queue: &Mutex<Receiver<Prepared>>) -> Option<Prepared> {
    let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    queue.recv().ok()
}

fn check_one(
    file: &Found,
    known: &Known,
    dry_run: bool,
    events: &SyncSender<Event>,
    checked: &SyncSender<Prepared>,
) {
    let outcome = match known.image(file) {
        Some(image_id) => Outcome::AlreadyThere(image_id.to_owned()),
        None if dry_run => check::kind(file).map_or_else(|outcome| outcome, Outcome::New),
        None => match check::prepare(file) {
            // Fails only if all other threads have ended.
            Ok(prepared) => return drop(checked.send(prepared)),
            Err(outcome) => outcome,
        },
    };
    drop(events.send(Event::Done(file.clone(), None, outcome)));
}

/// Where outcomes go.
struct Record<'a> {
    progress: Progress,
    report: &'a mut Report,
    state: Option<&'a mut State>,
    /// What the state file had at the start.
    remembered: &'a Known,
}

impl Record<'_> {
    /// Records all outcomes until the other threads have ended.
    fn all(&mut self, events: &Receiver<Event>, stop: &Stop) {
        let mut is_announced = false;
        let mut last = None;
        loop {
            if stop.is_interrupted() && !is_announced {
                is_announced = true;
                self.progress
                    .say("Completing the files that are being uploaded. Press Ctrl+C again to end at once.");
            }
            match events.recv_timeout(TICK) {
                // Several threads can have the same to say.
                Ok(Event::Note(sentence)) if last.as_ref() == Some(&sentence) => {}
                Ok(Event::Note(sentence)) => {
                    self.progress.say(&sentence);
                    last = Some(sentence);
                }
                Ok(Event::Started(file, sha256, image_id)) => {
                    let begun = self
                        .state
                        .as_mut()
                        .map(|state| state.begin(&file, &sha256, &image_id));
                    if let Some(Err(error)) = begun {
                        stop.because(format!("{error:#}"));
                    }
                }
                Ok(Event::Done(file, sha256, outcome)) => {
                    if let Err(error) = self.one(&file, sha256, &outcome) {
                        stop.because(format!("{error:#}"));
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.progress.tick(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn one(&mut self, file: &Found, sha256: Option<[u8; 32]>, outcome: &Outcome) -> Result<()> {
        self.progress.add(file.size, outcome);
        self.report.add(&file.path, file.size, outcome)?;
        if let (Outcome::Uploaded(image_id) | Outcome::AlreadyThere(image_id), Some(sha256), Some(state)) =
            (outcome, sha256, &mut self.state)
            && self.remembered.image(file) != Some(image_id)
        {
            state.add(file, &sha256, image_id)?;
        }
        Ok(())
    }
}
