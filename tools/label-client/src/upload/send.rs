//! Uploads checked files: announces each to the API and sends it to S3, again after temporary errors.

use super::check::{CHANGED, Prepared};
use super::outcome::Outcome;
use super::state::Known;
use super::stop::Stop;
use super::walk::Found;
use crate::api::{Api, ApiError, NewFile, NewUpload};
use crate::in_parts::{self, InParts};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// An announced file is announced again after this time: its URL is valid for five minutes.
const URL_FRESH: Duration = Duration::from_secs(4 * 60);
/// A service that is throttling asks to wait for at most this time.
const MAX_ASKED: Duration = Duration::from_secs(5 * 60);

/// The person is told about a file that has failed so often, after about six seconds.
const NOTICEABLE: u32 = 4;
/// The run ends after at least so many files in a row that all had temporary errors: one file alone can be the cause.
const MIN_EXHAUSTED: u32 = 3;

/// How often and when a request is retried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backoff {
    /// How often a file is tried.
    pub(super) attempts: u32,
    /// The first pause at most. It doubles each time.
    pub(super) first: Duration,
    /// The longest pause.
    pub(super) max: Duration,
}

impl Default for Backoff {
    /// Two to three minutes in total: longer than the restart of a router.
    fn default() -> Self {
        Self {
            attempts: 10,
            first: Duration::from_millis(500),
            max: Duration::from_secs(60),
        }
    }
}

impl Backoff {
    /// The pause after so many failed attempts: half of it is random, so that parallel uploads do not retry at the same
    /// time. At least what the service asks for.
    fn pause(&self, failed: u32, asked: Option<Duration>) -> Duration {
        let doubled = 2_u32.saturating_pow(failed.saturating_sub(1));
        let longest = self.first.saturating_mul(doubled).min(self.max);
        let pause = longest.mul_f64(0.5 + fastrand::f64() / 2.0);
        pause.max(asked.unwrap_or_default().min(MAX_ASKED))
    }
}

/// What a thread that uploads reports.
pub(super) enum Event<'a> {
    /// The outcome of a file.
    Done(&'a Prepared, Outcome),
    /// The upload of a file in parts has been started, for an image with this id.
    Started(&'a Prepared, String),
    /// A sentence for the person.
    Note(String),
}

/// The state of a file's content. Several files can have the same.
enum Content {
    /// It is being uploaded. These files wait for the result.
    Uploading(Vec<Prepared>),
    /// The id of its image.
    There(String),
}

/// Uploads files, on several threads at once.
pub(super) struct Sender<'a> {
    api: &'a Api,
    stop: &'a Stop,
    backoff: Backoff,
    /// Whether to wait for the next day if the daily limit is reached.
    waits_for_next_day: bool,
    contents: Mutex<HashMap<[u8; 32], Content>>,
    /// Multipart uploads that can be continued.
    known: Option<&'a Known>,
    /// Files in a row whose attempts all had temporary errors.
    exhausted: AtomicU32,
    /// The run ends after so many.
    max_exhausted: u32,
}

impl<'a> Sender<'a> {
    /// `there`: the ids of images by the SHA-256 of their files. `parallel`: how many threads use this.
    pub(super) fn new(
        api: &'a Api,
        stop: &'a Stop,
        backoff: Backoff,
        waits_for_next_day: bool,
        there: &HashMap<[u8; 32], String>,
        parallel: u32,
    ) -> Self {
        let there = there
            .iter()
            .map(|(sha256, image_id)| (*sha256, Content::There(image_id.clone())));
        Self {
            api,
            stop,
            backoff,
            waits_for_next_day,
            contents: Mutex::new(there.collect()),
            known: None,
            exhausted: AtomicU32::new(0),
            max_exhausted: parallel.max(MIN_EXHAUSTED),
        }
    }

    /// Continues the multipart uploads that earlier runs have started.
    pub(super) fn continuing(self, known: &'a Known) -> Self {
        Self {
            known: Some(known),
            ..self
        }
    }

    /// Uploads a file. Passes its outcome to `tell`, and those of files with the same content that were waiting for it.
    /// There is none if the run ends before.
    pub(super) fn send(&self, file: Prepared, tell: &mut dyn FnMut(Event<'_>)) {
        let Some(file) = self.claim(file, tell) else {
            return;
        };
        let outcome = self.upload(&file, tell);
        self.finish(&file, outcome, tell);
    }

    /// Returns the file if this thread has to upload it. Otherwise, its content is there already, or another thread is
    /// uploading it and will pass on the outcome.
    fn claim(&self, file: Prepared, tell: &mut dyn FnMut(Event<'_>)) -> Option<Prepared> {
        match self.contents().entry(file.sha256) {
            Entry::Vacant(entry) => {
                entry.insert(Content::Uploading(vec![]));
                return Some(file);
            }
            Entry::Occupied(mut entry) => match entry.get_mut() {
                Content::Uploading(waiting) => waiting.push(file),
                Content::There(image_id) => {
                    let outcome = Outcome::AlreadyThere(image_id.clone());
                    tell(Event::Done(&file, outcome));
                }
            },
        }
        None
    }

    /// Passes on the outcome of a file that this thread has uploaded.
    fn finish(&self, file: &Prepared, outcome: Option<Outcome>, tell: &mut dyn FnMut(Event<'_>)) {
        let content = match &outcome {
            Some(Outcome::Uploaded(image_id) | Outcome::AlreadyThere(image_id)) => {
                let there = Content::There(image_id.clone());
                self.contents().insert(file.sha256, there)
            }
            _ => self.contents().remove(&file.sha256),
        };
        let Some(outcome) = outcome else { return };
        let same = match &outcome {
            Outcome::Uploaded(image_id) => Outcome::AlreadyThere(image_id.clone()),
            other => other.clone(),
        };
        tell(Event::Done(file, outcome));
        if let Some(Content::Uploading(waiting)) = content {
            for file in waiting {
                tell(Event::Done(&file, same.clone()));
            }
        }
    }

    /// `None` if the run ends before.
    fn upload(&self, file: &Prepared, tell: &mut dyn FnMut(Event<'_>)) -> Option<Outcome> {
        let mut announced = None;
        let mut in_parts = None;
        let mut failed = 0;
        let mut refused = false;
        while !self.stop.is_set() {
            let arrived = in_parts.as_ref().map_or(0, |upload: &InParts| upload.arrived);
            let attempt = if in_parts::is_needed(file.file.size) {
                self.attempt_in_parts(file, &mut in_parts, tell)
            } else {
                self.attempt(file, &mut announced)
            };
            // Each part that arrives is a success, of which a large file needs many.
            if in_parts.as_ref().is_some_and(|upload| upload.arrived > arrived) {
                (failed, refused) = (0, false);
            }
            let error = match attempt {
                Ok(outcome) => {
                    self.exhausted.store(0, Ordering::Relaxed);
                    return Some(outcome);
                }
                Err(error) => error,
            };
            let asked = match &error {
                ApiError::Stopped => return None,
                ApiError::AlreadyUploaded { .. } | ApiError::Refused(_) => {
                    return Some(Outcome::Failed(error.to_string()));
                }
                ApiError::DailyLimit { message, retry_after } => {
                    if !self.waits_for_next_day {
                        self.stop
                            .because(format!("{message} With --wait, this command waits for that."));
                        return None;
                    }
                    tell(Event::Note(format!("{message} Waiting.")));
                    self.stop.sleep_until(SystemTime::now() + *retry_after);
                    continue;
                }
                // The URL may have expired while this program was suspended. A new one does not help a second time.
                ApiError::UploadRefused if refused => return Some(Outcome::Failed(error.to_string())),
                ApiError::UploadRefused => {
                    announced = None;
                    refused = true;
                    continue;
                }
                ApiError::Unavailable { retry_after, .. } => *retry_after,
                ApiError::Unreachable(..) | ApiError::SignIn(_) => None,
            };
            failed += 1;
            if failed == self.backoff.attempts {
                if self.exhausted.fetch_add(1, Ordering::Relaxed) + 1 >= self.max_exhausted {
                    self.stop.because(format!("{error}, after several attempts"));
                }
                return Some(Outcome::Failed(error.to_string()));
            }
            if failed == NOTICEABLE {
                tell(Event::Note(format!("Retrying: {error}")));
            }
            let pause = self.backoff.pause(failed, asked);
            self.stop.sleep_until(SystemTime::now() + pause);
        }
        None
    }

    /// Sends the file once. `announced`: where to, and since when that is known.
    fn attempt(
        &self,
        file: &Prepared,
        announced: &mut Option<(NewUpload, Instant)>,
    ) -> Result<Outcome, ApiError> {
        announced.take_if(|(_, at)| at.elapsed() > URL_FRESH);
        let (new, _) = match announced {
            Some(announced) => announced,
            None => {
                let new = self.api.announce(&NewFile {
                    path: &file.file.path,
                    size: file.file.size,
                    sha256: &file.sha256,
                    allow_duplicate: false,
                });
                match new {
                    Ok(new) => announced.insert((new, Instant::now())),
                    Err(ApiError::AlreadyUploaded { image_id }) => {
                        return Ok(Outcome::AlreadyThere(image_id));
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        check_unchanged(&file.file)?;
        self.api.put(&file.file.path, new)?;
        Ok(Outcome::Uploaded(new.image_id.clone()))
    }

    /// Sends the parts of a large file that have not arrived, once.
    fn attempt_in_parts(
        &self,
        file: &Prepared,
        upload: &mut Option<InParts>,
        tell: &mut dyn FnMut(Event<'_>),
    ) -> Result<Outcome, ApiError> {
        let Found { path, size, .. } = &file.file;
        let upload = match upload {
            Some(upload) => upload,
            None => {
                let earlier = self.known.and_then(|known| known.unfinished(&file.file));
                let resumed = match earlier {
                    Some(image_id) => InParts::resume(self.api, image_id, *size)?,
                    None => None,
                };
                let started = match resumed {
                    Some(resumed) => resumed,
                    None => {
                        let started = InParts::start(self.api, path, *size)?;
                        tell(Event::Started(file, started.image_id.clone()));
                        started
                    }
                };
                upload.insert(started)
            }
        };
        upload.send(self.api, path, || match self.stop.is_set() {
            true => Err(ApiError::Stopped),
            false => check_unchanged(&file.file),
        })?;
        Ok(Outcome::Uploaded(upload.image_id.clone()))
    }

    fn contents(&self) -> MutexGuard<'_, HashMap<[u8; 32], Content>> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_unchanged(file: &Found) -> Result<(), ApiError> {
    match file.is_unchanged() {
        Ok(true) => Ok(()),
        Ok(false) => Err(ApiError::Refused(CHANGED.to_owned())),
        Err(error) => Err(ApiError::Refused(format!("can't read it: {error}"))),
    }
}

#[cfg(test)]
mod tests;
