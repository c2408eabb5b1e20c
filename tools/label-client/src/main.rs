//! `cargo xtask label`: uploads pictures through the HTTP API, as the page does, and prints their labels.

mod table;

use anyhow::{Context, Result, anyhow, bail};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use ureq::http::Response;
use ureq::{Agent, Body};

/// Pictures that are uploaded and labeled at the same time.
const CONCURRENCY: usize = 4;
/// The timeout of one request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// The timeout from an image's labels to its thumbnails.
const THUMBNAILS_TIMEOUT: Duration = Duration::from_secs(60);
/// The media type of every file: the API finds out the format by the content.
const CONTENT_TYPE: &str = "application/octet-stream";
/// How often the progress is printed if it is not drawn, in files.
const PROGRESS_STEP: usize = 50;
/// The pause before the API is asked again for the labels. Each pause is 1.5 times the previous one, up to `MAX_PAUSE`.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// Uploads pictures to a running system and prints their labels.
#[derive(Debug, Parser)]
struct Options {
    /// Pictures
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
    /// The URL of the HTTP API
    #[arg(long, value_name = "URL")]
    api: String,
    /// The user's access token
    #[arg(long, value_name = "TOKEN", env = "ILG_ACCESS_TOKEN", hide_env_values = true)]
    access_token: String,
}

/// The answer of `POST /uploads`: where the picture is uploaded to.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewUpload {
    image_id: String,
    upload: Upload,
}

#[derive(Deserialize)]
struct Upload {
    method: String,
    url: String,
    headers: BTreeMap<String, String>,
}

/// Fails unless every picture is labeled.
fn main() -> ExitCode {
    match label(Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether every picture is labeled.
fn label(options: Options) -> Result<bool> {
    let mut files = options.files;
    if let Some(list) = &options.files_from {
        let text = fs::read(list).with_context(|| format!("can't read {}", list.display()))?;
        let listed: Vec<PathBuf> = serde_json::from_slice(&text)
            .with_context(|| format!("{} is not a JSON array of paths", list.display()))?;
        files.extend(listed);
    }
    let api = Api {
        agent: Agent::config_builder()
            // The system is on this machine, whatever proxy is set.
            .proxy(None)
            .http_status_as_error(false)
            .timeout_global(Some(REQUEST_TIMEOUT))
            .build()
            .into(),
        authorization: format!("Bearer {}", options.access_token),
        url: options.api,
        timeout: Duration::from_secs(options.timeout),
        waits_for_thumbnails: options.thumbnails,
    };
    let as_json = options.json || options.output.is_some();

    let mut images = Vec::new();
    let mut all_labeled = true;
    let bar = progress(files.len());
    let mut done = 0;
    label_all(&api, &files, |file, result, took| {
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
fn label_all(api: &Api, files: &[PathBuf], mut done: impl FnMut(&Path, &Result<Value>, Duration)) {
    let next = AtomicUsize::new(0);
    let (sender, results) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..CONCURRENCY.min(files.len()) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                while let Some((index, file)) = take(files, next) {
                    let started = Instant::now();
                    let result = api.label(file);
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

struct Api {
    agent: Agent,
    url: String,
    authorization: String,
    /// From the upload to the result.
    timeout: Duration,
    waits_for_thumbnails: bool,
}

impl Api {
    /// Uploads a file and waits until its image is labeled, rejected or failed, and has thumbnails if they are wanted.
    fn label(&self, file: &Path) -> Result<Value> {
        let name = file
            .file_name()
            .context("the path has no file name")?
            .to_string_lossy();
        let (size, sha256) = describe(file)?;
        let request = json!({
            "fileName": name,
            "contentType": CONTENT_TYPE,
            "size": size,
            "sha256": BASE64_STANDARD.encode(sha256),
            // Labels the picture with the current code and settings, even if it was labeled before.
            "allowDuplicate": true,
        });
        let answer = self
            .agent
            .post(format!("{}/uploads", self.url))
            .header("content-type", "application/json")
            .header("authorization", &self.authorization)
            .send(request.to_string())
            .context("can't reach the API; is the stack still running?")?;
        let NewUpload { image_id, upload } = read(answer)?;
        self.upload(file, &upload)?;
        self.wait(&image_id)
    }

    fn upload(&self, file: &Path, upload: &Upload) -> Result<()> {
        if upload.method != "PUT" {
            bail!(
                "the API asks for {}, but this command supports only PUT",
                upload.method
            );
        }
        let bytes = fs::read(file).with_context(|| format!("can't read {}", file.display()))?;
        let request = upload
            .headers
            .iter()
            .fold(self.agent.put(&upload.url), |request, (name, value)| {
                request.header(name, value)
            });
        // The URL is a secret for as long as it is valid: no error shows it.
        let answer = request.send(&bytes[..]).map_err(|_| anyhow!("can't reach S3"))?;
        match answer.status().as_u16() {
            // 412: it is stored already, and the response to an earlier attempt was lost.
            200 | 412 => Ok(()),
            400 | 403 => {
                bail!(
                    "S3 rejects the file: it changed while it was read, or the upload took longer than five minutes"
                )
            }
            status => bail!("S3 responds with status {status}; try again"),
        }
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
            let answer = self
                .agent
                .get(format!("{}/images/{image_id}", self.url))
                .header("authorization", &self.authorization)
                .call()
                .context("can't reach the API; is the stack still running?")?;
            let image: Value = read(answer)?;
            if fulfilled(&image) || started.elapsed() >= timeout {
                return Ok(image);
            }
            thread::sleep(pause);
            pause = (pause * 3 / 2).min(MAX_PAUSE);
        }
    }
}

/// Size and SHA-256 of a file. Does not read the whole file into memory: it may be a large file that
/// is not a picture.
fn describe(file: &Path) -> Result<(u64, [u8; 32])> {
    let cannot_read = || format!("can't read {}", file.display());
    let mut reader = File::open(file).with_context(cannot_read)?;
    if reader.metadata().with_context(cannot_read)?.is_dir() {
        bail!("{} is a folder; name the pictures in it", file.display());
    }
    let mut digest = Sha256::new();
    let mut size = 0;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = reader.read(&mut buffer).with_context(cannot_read)?;
        if read == 0 {
            return Ok((size, digest.finalize().into()));
        }
        digest.update(&buffer[..read]);
        size += read as u64;
    }
}

/// The API's answer, or its error message.
fn read<T: for<'a> Deserialize<'a>>(mut answer: Response<Body>) -> Result<T> {
    let status = answer.status();
    let text = answer
        .body_mut()
        .read_to_string()
        .context("the API's response ended early")?;
    if !status.is_success() {
        bail!(
            "{}",
            problem(&text).unwrap_or_else(|| format!("the API responds with status {status}"))
        );
    }
    serde_json::from_str(&text).context("can't parse the API's response")
}

/// The sentence in a problem document (RFC 9457).
fn problem(text: &str) -> Option<String> {
    let problem: Value = serde_json::from_str(text).ok()?;
    let part = |name: &str| problem[name].as_str().filter(|text| !text.is_empty());
    match (part("title"), part("detail")) {
        (Some(title), Some(detail)) => Some(format!("{}: {detail}", title.trim_end_matches('.'))),
        (Some(only), None) | (None, Some(only)) => Some(only.to_owned()),
        (None, None) => None,
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

    #[test]
    fn an_error_shows_the_title_and_detail_of_the_problem() {
        let text = r#"{"type": "urn:x", "title": "A field is invalid", "status": 400,
            "detail": "size must be from 1 to 104857600.", "field": "size"}"#;
        assert_eq!(
            problem(text).unwrap(),
            "A field is invalid: size must be from 1 to 104857600."
        );
        assert_eq!(problem(r#"{"title": "Only this"}"#).unwrap(), "Only this");
        assert_eq!(problem("<html>502</html>"), None);
        assert_eq!(problem("{}"), None);
    }

    #[test]
    fn a_large_file_is_hashed_completely() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        fs::write(&file, vec![b'a'; 100_000]).unwrap();
        let (size, sha256) = describe(&file).unwrap();
        assert_eq!(size, 100_000);
        assert_eq!(
            BASE64_STANDARD.encode(sha256),
            "bRzyLXzAmwhd/CXuGh864CZYBMYHvCB0rSU7zIL9ge4="
        );
        assert!(
            describe(folder.path())
                .unwrap_err()
                .to_string()
                .contains("is a folder")
        );
        assert!(
            describe(&folder.path().join("none"))
                .unwrap_err()
                .to_string()
                .contains("can't read")
        );
    }

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
