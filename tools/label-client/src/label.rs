//! `cargo xtask label`: uploads pictures and videos, as the page does, and prints their labels.

use crate::api::{Api, NewFile};
use crate::file::describe;
use crate::in_parts::{self, InParts};
use crate::table;
use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Pictures that are uploaded and labeled at the same time.
const CONCURRENCY: usize = 4;
/// The timeout from an image's labels to its thumbnails.
const THUMBNAILS_TIMEOUT: Duration = Duration::from_secs(60);
/// How often the progress is printed if it is not drawn, in files.
const PROGRESS_STEP: usize = 50;
/// The pause before the API is asked again for the labels. Each pause is 1.5 times the previous one, up to `MAX_PAUSE`.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub(crate) struct LabelOptions {
    /// Pictures and videos
    #[arg(required_unless_present = "files_from", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print a JSON array: the API's images, each with its `file`
    #[arg(long)]
    json: bool,
    /// Read more files' paths from a JSON array
    #[arg(long, value_name = "FILE")]
    files_from: Option<PathBuf>,
    /// Write the JSON array to this file and succeed, however the pictures ended
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Wait up to a minute for the thumbnails of each labeled picture, or for the reason why it has none
    #[arg(long)]
    thumbnails: bool,
    /// Seconds from an image's upload to its result
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    timeout: u64,
}

/// Returns whether every picture is labeled.
pub(crate) fn label(api: Api, options: LabelOptions) -> Result<bool> {
    let mut files = options.files;
    if let Some(list) = &options.files_from {
        let text = fs::read(list).with_context(|| format!("can't read {}", list.display()))?;
        let listed: Vec<PathBuf> = serde_json::from_slice(&text)
            .with_context(|| format!("{} is not a JSON array of paths", list.display()))?;
        files.extend(listed);
    }
    let labels = Labels {
        api,
        timeout: Duration::from_secs(options.timeout),
        waits_for_thumbnails: options.thumbnails,
    };
    let as_json = options.json || options.output.is_some();

    let mut images = Vec::new();
    let mut all_labeled = true;
    let bar = progress(files.len());
    let mut done = 0;
    label_all(&labels, &files, |file, result, took| {
        bar.inc(1);
        done += 1;
        if as_json && bar.is_hidden() && done % PROGRESS_STEP == 0 {
            eprintln!("{done} of {} done", files.len());
        }
        all_labeled &= result.as_ref().is_ok_and(is_labeled);
        if as_json {
            images.push(with_file(file, result));
        } else {
            bar.suspend(|| println!("{}", table::render(file, result, took)));
        }
    });
    bar.finish_and_clear();
    let array = serde_json::to_string_pretty(&images).context("can't write JSON")?;
    if let Some(output) = &options.output {
        fs::write(output, array).with_context(|| format!("can't write {}", output.display()))?;
        return Ok(true);
    }
    if options.json {
        println!("{array}");
    }
    Ok(all_labeled)
}

/// Uploads several files at once and passes the results to `done` in the order of the files.
fn label_all(labels: &Labels, files: &[PathBuf], mut done: impl FnMut(&Path, &Result<Value>, Duration)) {
    let next = AtomicUsize::new(0);
    let (sender, results) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..CONCURRENCY.min(files.len()) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                while let Some((index, file)) = take(files, next) {
                    let started = Instant::now();
                    let result = labels.of(file);
                    // Fails only if this program is about to end.
                    let _ = sender.send((index, result, started.elapsed()));
                }
            });
        }
        drop(sender);
        let mut early = BTreeMap::new();
        let mut shown = 0;
        for (index, result, took) in results {
            early.insert(index, (result, took));
            while let Some((result, took)) = early.remove(&shown) {
                done(&files[shown], &result, took);
                shown += 1;
            }
        }
    });
}

fn take<'a>(files: &'a [PathBuf], next: &AtomicUsize) -> Option<(usize, &'a PathBuf)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    files.get(index).map(|file| (index, file))
}

struct Labels {
    api: Api,
    /// From the upload to the result.
    timeout: Duration,
    waits_for_thumbnails: bool,
}

impl Labels {
    /// Uploads a file and waits until its image is labeled, rejected or failed, and has thumbnails if they are wanted.
    fn of(&self, path: &Path) -> Result<Value> {
        let (size, sha256) = describe(path)?;
        if in_parts::is_needed(size) {
            let mut upload = InParts::start(&self.api, path, size)?;
            upload.send(&self.api, path, || Ok(()))?;
            return self.wait(&upload.image_id);
        }
        let new = self.api.announce(&NewFile {
            path,
            size,
            sha256: &sha256,
            // Labels the picture with the current code and settings, even if it was labeled before.
            allow_duplicate: true,
        })?;
        self.api.put(path, &new)?;
        self.wait(&new.image_id)
    }

    fn wait(&self, image_id: &str) -> Result<Value> {
        let ended =
            |image: &Value| matches!(image["status"].as_str(), Some("LABELED" | "REJECTED" | "FAILED"));
        let image = self.until(image_id, self.timeout, ended)?;
        if !ended(&image) {
            bail!(
                "image {image_id} is still {} after {} s; the logs are in the same folder as stack.json",
                image["status"].as_str().unwrap_or("without status"),
                self.timeout.as_secs()
            );
        }
        if !self.waits_for_thumbnails || !is_labeled(&image) {
            return Ok(image);
        }
        // At the timeout, the image is returned without thumbnails.
        self.until(image_id, THUMBNAILS_TIMEOUT, |image| {
            let made = image["thumbnails"]
                .as_array()
                .is_some_and(|made| !made.is_empty());
            made || !image["thumbnailsError"].is_null()
        })
    }

    /// The image as soon as it fulfills the condition, or as it is at the timeout.
    fn until(&self, image_id: &str, timeout: Duration, fulfilled: impl Fn(&Value) -> bool) -> Result<Value> {
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let image = self.api.image(image_id)?;
            if fulfilled(&image) || started.elapsed() >= timeout {
                return Ok(image);
            }
            thread::sleep(pause);
            pause = (pause * 3 / 2).min(MAX_PAUSE);
        }
    }
}

fn is_labeled(image: &Value) -> bool {
    image["status"] == "LABELED"
}

fn with_file(file: &Path, result: &Result<Value>) -> Value {
    let mut image = match result {
        Ok(image) => image.clone(),
        Err(error) => json!({"error": {"name": "NotSent", "message": format!("{error:#}")}}),
    };
    image["file"] = json!(file.to_string_lossy());
    image
}

fn progress(files: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {pos} of {len} done, {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    // Drawn on stderr, and only on a terminal.
    let bar = ProgressBar::new(files as u64).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn json_contains_each_file_with_its_image_or_its_error() {
        let sent = with_file(Path::new("a/cat.jpg"), &Ok(json!({"status": "LABELED"})));
        assert_eq!(sent, json!({"file": "a/cat.jpg", "status": "LABELED"}));
        let failed = with_file(Path::new("none.jpg"), &Err(anyhow!("can't read none.jpg")));
        assert_eq!(failed["file"], "none.jpg");
        assert_eq!(failed["error"]["message"], "can't read none.jpg");
        assert!(!is_labeled(&failed));
    }
}
