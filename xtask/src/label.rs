//! `label`: sends pictures through the running system by its API, as the page does, and prints what comes back.

mod content_type;
mod table;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use ureq::http::Response;
use ureq::{Agent, Body};

use crate::http;
use crate::project::Project;
use crate::sign_in;
use crate::stack::Description;
use crate::up::stack_folder;

/// How many pictures are on their way at the same time.
const CONCURRENCY: usize = 4;
/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(60);
/// How long an image may take from its upload to its labels.
const LABELED_WITHIN: Duration = Duration::from_secs(120);
/// The pause before the second question for the labels; each one after it is half as long again, up to a second.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

#[derive(Args)]
pub(crate) struct LabelOptions {
    /// JPEG or PNG pictures
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print a JSON array: the API's images, each with its `file`
    #[arg(long)]
    json: bool,
    /// The stack's folder [default: .local in the project's folder]
    #[arg(long, value_name = "FOLDER")]
    stack_dir: Option<PathBuf>,
}

/// Where the API wants the bytes of a picture.
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

/// Runs `cargo xtask label`. Fails unless every picture has got labels.
pub(crate) fn label(options: &LabelOptions) -> Result<ExitCode> {
    let project = Project::find()?;
    let folder = stack_folder(&project, options.stack_dir.as_deref())?;
    let stack = Description::read(&folder.join("stack.json"))?;
    let api = Api {
        agent: http::agent(REQUEST),
        authorization: format!("Bearer {}", sign_in::access_token(&project, &stack)?),
        url: stack.api_url,
    };

    let mut images = Vec::new();
    let mut all_labeled = true;
    let bar = progress(options.files.len());
    send_all(&api, &options.files, |file, result, took| {
        bar.inc(1);
        all_labeled &= result.as_ref().is_ok_and(is_labeled);
        if options.json {
            images.push(with_file(file, result));
        } else {
            bar.suspend(|| println!("{}", table::render(file, result, took)));
        }
    });
    bar.finish_and_clear();
    if options.json {
        println!(
            "{}",
            serde_json::to_string_pretty(&images).context("cannot write JSON")?
        );
    }
    Ok(if all_labeled {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Sends several files at once and hands the results on in the files' order.
fn send_all(api: &Api, files: &[PathBuf], mut done: impl FnMut(&Path, &Result<Value>, Duration)) {
    let next = AtomicUsize::new(0);
    let (sender, results) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..CONCURRENCY.min(files.len()) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                while let Some((index, file)) = take(files, next) {
                    let started = Instant::now();
                    let result = api.label(file);
                    // Nobody listens any more only if this command is about to end.
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
}

impl Api {
    /// Uploads a file and waits for its image to be finished, one way or the other.
    fn label(&self, file: &Path) -> Result<Value> {
        let name = file
            .file_name()
            .context("a file's name is missing")?
            .to_string_lossy();
        let (size, start, sha256) = describe(file)?;
        let request = json!({
            "fileName": name,
            "contentType": content_type::guess(file, &start),
            "size": size,
            "sha256": BASE64_STANDARD.encode(sha256),
        });
        let answer = self
            .agent
            .post(format!("{}/uploads", self.url))
            .header("content-type", "application/json")
            .header("authorization", &self.authorization)
            .send(request.to_string())
            .context("the API cannot be reached; is the stack still running?")?;
        let NewUpload { image_id, upload } = read(answer)?;
        self.upload(file, &upload)?;
        self.wait(&image_id)
    }

    fn upload(&self, file: &Path, upload: &Upload) -> Result<()> {
        if upload.method != "PUT" {
            bail!(
                "the API asks for {}, and this command knows only PUT",
                upload.method
            );
        }
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let request = upload
            .headers
            .iter()
            .fold(self.agent.put(&upload.url), |request, (name, value)| {
                request.header(name, value)
            });
        // The URL is a secret for as long as it is valid: no error shows it.
        let answer = request
            .send(&bytes[..])
            .map_err(|_| anyhow!("S3 cannot be reached"))?;
        match answer.status().as_u16() {
            // Stored already: an earlier attempt's answer was lost.
            200 | 412 => Ok(()),
            400 | 403 => {
                bail!("S3 refuses the file: it changed while it was read, or took longer than five minutes")
            }
            status => bail!("S3 answers {status}; try again"),
        }
    }

    fn wait(&self, image_id: &str) -> Result<Value> {
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let answer = self
                .agent
                .get(format!("{}/images/{image_id}", self.url))
                .header("authorization", &self.authorization)
                .call()
                .context("the API cannot be reached; is the stack still running?")?;
            let image: Value = read(answer)?;
            match image["status"].as_str() {
                Some("LABELED" | "REJECTED" | "FAILED") => return Ok(image),
                _ if started.elapsed() < LABELED_WITHIN => {}
                status => bail!(
                    "image {image_id} is still {} after {} s; the logs are beside stack.json",
                    status.unwrap_or("without status"),
                    LABELED_WITHIN.as_secs()
                ),
            }
            thread::sleep(pause);
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }
}

/// Size, first bytes and SHA-256 of a file, without holding all of it: it may be no picture at all.
fn describe(file: &Path) -> Result<(u64, Vec<u8>, [u8; 32])> {
    let cannot_read = || format!("cannot read {}", file.display());
    let mut reader = File::open(file).with_context(cannot_read)?;
    if reader.metadata().with_context(cannot_read)?.is_dir() {
        bail!("{} is a folder; name the pictures in it", file.display());
    }
    let mut start = Vec::new();
    let mut digest = Sha256::new();
    let mut size = 0;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = reader.read(&mut buffer).with_context(cannot_read)?;
        if read == 0 {
            return Ok((size, start, digest.finalize().into()));
        }
        if start.is_empty() {
            start = buffer[..read.min(16)].to_vec();
        }
        digest.update(&buffer[..read]);
        size += read as u64;
    }
}

/// The API's answer, or what it says was wrong.
fn read<T: for<'a> Deserialize<'a>>(mut answer: Response<Body>) -> Result<T> {
    let status = answer.status();
    let text = answer
        .body_mut()
        .read_to_string()
        .context("the API's answer broke off")?;
    if !status.is_success() {
        bail!(
            "{}",
            problem(&text).unwrap_or_else(|| format!("the API answers {status}"))
        );
    }
    serde_json::from_str(&text).context("the API answers in an unknown form")
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
    fn a_problem_is_told_in_its_own_words() {
        let text = r#"{"type": "urn:x", "title": "A field is invalid", "status": 400,
            "detail": "size must be from 1 to 15728640.", "field": "size"}"#;
        assert_eq!(
            problem(text).unwrap(),
            "A field is invalid: size must be from 1 to 15728640."
        );
        assert_eq!(problem(r#"{"title": "Only this"}"#).unwrap(), "Only this");
        assert_eq!(problem("<html>502</html>"), None);
        assert_eq!(problem("{}"), None);
    }

    #[test]
    fn a_file_is_described_by_all_of_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        fs::write(&file, vec![b'a'; 100_000]).unwrap();
        let (size, start, sha256) = describe(&file).unwrap();
        assert_eq!((size, start.len()), (100_000, 16));
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
                .contains("cannot read")
        );
    }

    #[test]
    fn scripts_find_each_file_with_its_image_or_its_error() {
        let sent = with_file(Path::new("a/cat.jpg"), &Ok(json!({"status": "LABELED"})));
        assert_eq!(sent, json!({"file": "a/cat.jpg", "status": "LABELED"}));
        let failed = with_file(Path::new("none.jpg"), &Err(anyhow!("cannot read none.jpg")));
        assert_eq!(failed["file"], "none.jpg");
        assert_eq!(failed["error"]["message"], "cannot read none.jpg");
        assert!(!is_labeled(&failed));
    }
}
