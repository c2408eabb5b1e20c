//! `test pictures`: sends every file of some folders through a stack, and compares the results with what Pillow says.

use crate::build::python::PICTURES;
use crate::console::{Console, Run};
use crate::files;
use crate::local::services::Services;
use crate::local::sign_in;
use crate::local::stack::Description;
use crate::project::Project;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Minimum width and height in pixels, as in `domain::image`. This program depends on no crate of the product.
const MIN_SIDE: u32 = 80;
/// Maximum width × height in pixels, as in `domain::image`.
const MAX_PIXELS: u64 = 150_000_000;
/// Maximum size of a file in bytes, as in `domain::image`.
const MAX_BYTES: u64 = 100 * 1024 * 1024;
/// The kinds of pictures that are supported, by their names in Pillow.
const SUPPORTED: [&str; 9] = ["AVIF", "BMP", "DIB", "GIF", "JPEG", "MPO", "PNG", "TIFF", "WEBP"];
/// How the names of files begin that fuzzers made. They are meant to be broken.
const FUZZED: [&str; 6] = ["clusterfuzz-", "crash-", "fuzz-", "oom-", "ossfuzz-", "timeout-"];
/// Files per run of `label-client`, after which the progress is printed.
const FILES_AT_ONCE: usize = 250;
/// Seconds from an upload to its result: long enough for the retries of a conversion that runs out of time.
const RESULT_TIMEOUT: &str = "600";

/// What Pillow says about a file: a line of `pillow_view.py`.
#[derive(Debug, Clone, Deserialize)]
struct Seen {
    file: PathBuf,
    /// The kind of picture. `None` if Pillow does not open the file.
    format: Option<String>,
    /// Pixels, upright.
    width: Option<u32>,
    /// Pixels, upright.
    height: Option<u32>,
    /// Why its pixels cannot be decoded.
    error: Option<String>,
}

/// How a file ended: an entry of the output of `label-client`.
#[derive(Debug, Clone, Deserialize)]
struct Sent {
    file: PathBuf,
    /// `None` if there is no result.
    status: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    error: Option<Reason>,
    #[serde(default)]
    thumbnails: Vec<serde_json::Value>,
}

#[derive(Debug, Clone, Deserialize)]
struct Reason {
    name: String,
    message: Option<String>,
}

/// Sends all files of the folders through the stack and prints a table by kind.
///
/// # Errors
/// A picture failed, or has no result.
pub(super) fn check(
    project: &Project,
    console: &Console,
    services: &Services,
    folders: &[PathBuf],
    run: Run<'_>,
) -> Result<()> {
    let folders = folders
        .iter()
        .map(|folder| fs::canonicalize(folder).with_context(|| format!("can't find {}", folder.display())))
        .collect::<Result<Vec<_>>>()?;
    let folders = folders.as_slice();
    let mut paths = Vec::new();
    for folder in folders {
        add_files(folder, &mut paths)?;
    }
    paths.sort();
    paths.dedup();
    if paths.is_empty() {
        bail!("there are no files in the folders of --corpus");
    }
    // The API refuses an empty or too large file before it is uploaded.
    let (sendable, unsendable): (Vec<_>, Vec<_>) = paths
        .into_iter()
        .partition(|path| fs::metadata(path).is_ok_and(|metadata| (1..=MAX_BYTES).contains(&metadata.len())));

    let work = services.stack.folder().join("pictures");
    fs::create_dir_all(&work).with_context(|| format!("cannot make {}", work.display()))?;
    let (list, output) = (work.join("files.json"), work.join("pillow.json"));
    files::write_json(&list, &sendable)?;
    run(PICTURES
        .python(project)
        .arg(project.path("xtask/python/pillow_view.py"))
        .args([&list, &output]))?;
    let seen: Vec<Seen> = files::read_json(&output)?.context("pillow_view.py wrote nothing")?;

    let stack = Description::read(&services.stack.description())?;
    let mut sent: Vec<Sent> = Vec::new();
    for some in sendable.chunks(FILES_AT_ONCE) {
        let output = work.join("sent.json");
        files::write_json(&list, &some)?;
        let mut client = project.command(project.binary("label-client"));
        client
            .args([
                "--api",
                &stack.api_url,
                "label",
                "--thumbnails",
                "--timeout",
                RESULT_TIMEOUT,
            ])
            .arg("--files-from")
            .arg(&list)
            .arg("--output")
            .arg(&output);
        sign_in::sign_in_with(&mut client, &sign_in::demo_user(project, &stack))?;
        run(&mut client)?;
        sent.extend(files::read_json::<Vec<Sent>>(&output)?.context("label-client wrote nothing")?);
        console.say(&format!("{} of {} files", sent.len(), sendable.len()));
    }

    let report = Report::new(&seen, sent, folders);
    let text = report.text(&unsendable);
    let file = work.join("report.txt");
    files::write(&file, &text)?;
    console.say(&text);
    console.say(&format!("Written to {}", file.display()));
    match report.failed() {
        0 => Ok(()),
        failed => bail!("{failed} files failed"),
    }
}

/// Adds the files in a folder and in its subfolders, except hidden ones.
fn add_files(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    let cannot_read = || format!("cannot read {}", folder.display());
    if !folder.is_dir() {
        paths.push(folder.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(folder).with_context(cannot_read)? {
        let entry = entry.with_context(cannot_read)?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let kind = entry.file_type().with_context(cannot_read)?;
        if kind.is_dir() {
            add_files(&entry.path(), paths)?;
        } else if kind.is_file() {
            paths.push(entry.path());
        }
    }
    Ok(())
}

/// How a file ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Ending {
    Labeled,
    /// With the reason as the person sees it.
    Rejected(String),
    /// With the name of the error, or why there is no result.
    Failed(String),
}

impl Ending {
    fn of(sent: &Sent) -> Self {
        let message = || sent.error.as_ref().and_then(|error| error.message.clone());
        let name = || sent.error.as_ref().map(|error| error.name.clone());
        match sent.status.as_deref() {
            Some("LABELED") => Self::Labeled,
            Some("REJECTED") => Self::Rejected(message().or_else(name).unwrap_or_default()),
            Some(_) => Self::Failed(name().unwrap_or_default()),
            None => Self::Failed(message().unwrap_or_default()),
        }
    }
}

/// The results of one kind of picture.
#[derive(Debug, Default, PartialEq, Eq)]
struct Row {
    files: usize,
    labeled: usize,
    rejected: usize,
    failed: usize,
    /// Labeled, but with other dimensions than Pillow sees.
    other_dimensions: usize,
    /// Labeled, but without thumbnails.
    no_thumbnails: usize,
}

impl Row {
    fn add(&mut self, other: &Self) {
        self.files += other.files;
        self.labeled += other.labeled;
        self.rejected += other.rejected;
        self.failed += other.failed;
        self.other_dimensions += other.other_dimensions;
        self.no_thumbnails += other.no_thumbnails;
    }

    fn line(&self, kind: &str) -> String {
        format!(
            "{kind:<8} {:>6} {:>8} {:>9} {:>7} {:>17} {:>14}",
            self.files, self.labeled, self.rejected, self.failed, self.other_dimensions, self.no_thumbnails
        )
    }
}

/// The results of all files.
#[derive(Debug, Default)]
struct Report {
    /// By kind: pictures of supported kinds that Pillow decodes, at least 80 pixels per side, and not made by a fuzzer.
    rows: BTreeMap<String, Row>,
    /// Names of these pictures, by what is wrong: a heading of the report.
    wrong: BTreeMap<String, Vec<String>>,
    /// All other files, by the reason why they do not count and how they ended.
    others: BTreeMap<(String, Ending), Vec<String>>,
}

impl Report {
    fn new(seen: &[Seen], sent: Vec<Sent>, folders: &[PathBuf]) -> Self {
        let seen: BTreeMap<_, _> = seen.iter().map(|seen| (&seen.file, seen)).collect();
        let mut report = Self::default();
        for sent in sent {
            let name = short(&sent.file, folders);
            let ending = Ending::of(&sent);
            match seen
                .get(&sent.file)
                .copied()
                .map_or(Err("not seen".to_owned()), counts)
            {
                Ok((kind, sides)) => report.add(kind, sides, &sent, ending, name),
                Err(why) => {
                    let ending = match ending {
                        Ending::Rejected(reason) => Ending::Rejected(without_dimensions(&reason)),
                        ending => ending,
                    };
                    report.others.entry((why, ending)).or_default().push(name);
                }
            }
        }
        report
    }

    fn add(&mut self, kind: &str, sides: (u32, u32), sent: &Sent, ending: Ending, name: String) {
        let mut row = Row {
            files: 1,
            ..Row::default()
        };
        let mut note = |heading: String, name: String| self.wrong.entry(heading).or_default().push(name);
        match ending {
            Ending::Labeled => {
                row.labeled = 1;
                let found = sent.width.zip(sent.height);
                if found != Some(sides) {
                    row.other_dimensions = 1;
                    let (width, height) = found.unwrap_or_default();
                    let name = format!("{name}: {width} × {height}, Pillow {} × {}", sides.0, sides.1);
                    note(format!("{kind}, other dimensions"), name);
                }
                if sent.thumbnails.is_empty() {
                    row.no_thumbnails = 1;
                    note(format!("{kind}, no thumbnails"), name);
                }
            }
            Ending::Rejected(reason) => {
                row.rejected = 1;
                note(format!("{kind}, rejected: {reason}"), name);
            }
            Ending::Failed(reason) => {
                row.failed = 1;
                note(format!("{kind}, FAILED: {reason}"), name);
            }
        }
        self.rows.entry(kind.to_owned()).or_default().add(&row);
    }

    /// All files that failed, also those that do not count.
    fn failed(&self) -> usize {
        let counted: usize = self.rows.values().map(|row| row.failed).sum();
        let others = self.others.iter();
        let failed = others.filter(|((_, ending), _)| matches!(ending, Ending::Failed(_)));
        counted + failed.map(|(_, names)| names.len()).sum::<usize>()
    }

    fn text(&self, unsendable: &[PathBuf]) -> String {
        let mut text = String::from(
            "\nPictures that Pillow decodes, of supported kinds, at least 80 pixels per side, not made by a fuzzer\n\n\
             kind      files  labeled  rejected  failed  other dimensions  no thumbnails\n",
        );
        let mut total = Row::default();
        for (kind, row) in &self.rows {
            total.add(row);
            writeln!(text, "{}", row.line(kind)).expect("written to a string");
        }
        let share = total.labeled as f64 / total.files.max(1) as f64 * 100.0;
        writeln!(text, "{}\n\nlabeled: {share:.2} %", total.line("all")).expect("written to a string");
        for (heading, names) in &self.wrong {
            write!(text, "\n{heading} ({})\n", names.len()).expect("written to a string");
            for name in names {
                writeln!(text, "  {name}").expect("written to a string");
            }
        }
        text.push_str("\nOther files\n");
        for ((why, ending), names) in &self.others {
            let ending = match ending {
                Ending::Labeled => "labeled".to_owned(),
                Ending::Rejected(reason) => format!("rejected: {reason}"),
                Ending::Failed(reason) => format!("FAILED: {reason}"),
            };
            writeln!(text, "  {why}; {ending} ({}): {}", names.len(), some(names))
                .expect("written to a string");
        }
        if !unsendable.is_empty() {
            writeln!(text, "  empty or above 100 MB; not sent ({})", unsendable.len())
                .expect("written to a string");
        }
        text
    }
}

/// Kind and sides of a picture that counts, or why it does not count.
fn counts(seen: &Seen) -> Result<(&str, (u32, u32)), String> {
    let (Some(format), Some(width), Some(height)) = (seen.format.as_deref(), seen.width, seen.height) else {
        return Err("Pillow doesn't open it".to_owned());
    };
    let name = seen.file.file_name().unwrap_or_default().to_string_lossy();
    if FUZZED.iter().any(|start| name.starts_with(start)) {
        return Err(format!("{format}, made by a fuzzer"));
    }
    if !SUPPORTED.contains(&format) {
        return Err(format!("{format}, not a supported kind"));
    }
    if seen.error.is_some() {
        return Err(format!("{format} that Pillow opens, but doesn't decode"));
    }
    if width.min(height) < MIN_SIDE {
        return Err(format!("{format} with less than {MIN_SIDE} pixels per side"));
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(format!("{format} above {} megapixels", MAX_PIXELS / 1_000_000));
    }
    Ok((format, (width, height)))
}

/// A reason without the picture's dimensions, so that one line lists all pictures with this reason.
fn without_dimensions(reason: &str) -> String {
    match reason
        .strip_prefix("This picture is ")
        .and_then(|rest| rest.split_once(" pixels"))
    {
        Some((_, rest)) => format!("This picture is … × … pixels{rest}"),
        None => reason.to_owned(),
    }
}

/// The path relative to the folder of the corpus that contains it.
fn short(file: &Path, folders: &[PathBuf]) -> String {
    let relative = folders.iter().find_map(|folder| file.strip_prefix(folder).ok());
    relative.unwrap_or(file).display().to_string()
}

/// The first names of a list.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        shown + ", …"
    } else {
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn seen(file: &str, format: Option<&str>, sides: (u32, u32)) -> Seen {
        serde_json::from_value(json!({
            "file": format!("/corpus/{file}"), "format": format, "width": sides.0, "height": sides.1,
        }))
        .unwrap()
    }

    fn sent(file: &str, result: serde_json::Value) -> Sent {
        let serde_json::Value::Object(mut sent) = result else {
            panic!("an object")
        };
        sent.insert("file".into(), json!(format!("/corpus/{file}")));
        serde_json::from_value(sent.into()).unwrap()
    }

    fn report(seen: &[Seen], sent: Vec<Sent>) -> Report {
        Report::new(seen, sent, &["/corpus".into()])
    }

    #[test]
    fn every_defect_of_a_picture_is_counted_and_listed() {
        let files = [
            "good.jpg",
            "turned.jpg",
            "bare.jpg",
            "bad.jpg",
            "dead.jpg",
            "lost.jpg",
        ];
        let seen = files.map(|file| seen(file, Some("JPEG"), (200, 100)));
        let labeled = json!({"status": "LABELED", "width": 200, "height": 100, "thumbnails": [{}]});
        let report = report(
            &seen,
            vec![
                sent("good.jpg", labeled),
                sent(
                    "turned.jpg",
                    json!({"status": "LABELED", "width": 100, "height": 200, "thumbnails": [{}]}),
                ),
                sent(
                    "bare.jpg",
                    json!({"status": "LABELED", "width": 200, "height": 100, "thumbnails": []}),
                ),
                sent(
                    "bad.jpg",
                    json!({"status": "REJECTED", "error": {"name": "InvalidImage", "message": "Damaged."}}),
                ),
                sent(
                    "dead.jpg",
                    json!({"status": "FAILED", "error": {"name": "Timeout"}}),
                ),
                sent(
                    "lost.jpg",
                    json!({"error": {"name": "NotSent", "message": "still PROCESSING"}}),
                ),
            ],
        );
        let row = Row {
            files: 6,
            labeled: 3,
            rejected: 1,
            failed: 2,
            other_dimensions: 1,
            no_thumbnails: 1,
        };
        assert_eq!(report.rows, BTreeMap::from([("JPEG".to_owned(), row)]));
        assert_eq!(report.failed(), 2);
        let text = report.text(&["/corpus/empty".into()]);
        for line in [
            "JPEG, other dimensions (1)\n  turned.jpg: 100 × 200, Pillow 200 × 100\n",
            "JPEG, no thumbnails (1)\n  bare.jpg\n",
            "JPEG, rejected: Damaged. (1)\n  bad.jpg\n",
            "JPEG, FAILED: Timeout (1)\n  dead.jpg\n",
            "JPEG, FAILED: still PROCESSING (1)\n  lost.jpg\n",
            "labeled: 50.00 %\n",
            "not sent (1)",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }

    #[test]
    fn files_that_cannot_be_expected_to_be_labeled_do_not_count_but_must_not_fail() {
        let broken = Seen {
            error: Some("OSError: truncated".into()),
            ..seen("half.png", Some("PNG"), (200, 100))
        };
        let seen = [
            broken,
            seen("tiny.png", Some("PNG"), (200, 79)),
            seen("thin.png", Some("PNG"), (78, 200)),
            seen("huge.png", Some("PNG"), (15_001, 10_000)),
            seen("fax.psd", Some("PSD"), (200, 100)),
            seen("crash-1.tif", Some("TIFF"), (200, 100)),
            seen("notes.txt", None, (0, 0)),
        ];
        let because = |message: &str| json!({"status": "REJECTED", "error": {"name": "InvalidImage", "message": message}});
        let rejected = because("No.");
        let report = report(
            &seen,
            vec![
                sent(
                    "half.png",
                    json!({"status": "LABELED", "width": 200, "height": 100}),
                ),
                sent("tiny.png", because("This picture is 200 × 79 pixels. Too small.")),
                sent("thin.png", because("This picture is 78 × 200 pixels. Too small.")),
                sent("huge.png", rejected.clone()),
                sent("fax.psd", rejected.clone()),
                sent(
                    "crash-1.tif",
                    json!({"status": "FAILED", "error": {"name": "Timeout"}}),
                ),
                sent("notes.txt", rejected),
            ],
        );
        assert_eq!(report.rows, BTreeMap::new());
        assert_eq!(report.failed(), 1);
        let text = report.text(&[]);
        for line in [
            "PNG that Pillow opens, but doesn't decode; labeled (1): half.png",
            "PNG with less than 80 pixels per side; rejected: This picture is … × … pixels. Too small. (2): tiny.png, thin.png",
            "PNG above 150 megapixels; rejected: No. (1): huge.png",
            "PSD, not a supported kind; rejected: No. (1): fax.psd",
            "TIFF, made by a fuzzer; FAILED: Timeout (1): crash-1.tif",
            "Pillow doesn't open it; rejected: No. (1): notes.txt",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }

    #[test]
    fn hidden_files_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("a/.git")).unwrap();
        for name in ["a/b.jpg", "a/.git/c.jpg", ".d.jpg", "e"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let mut paths = Vec::new();
        add_files(folder.path(), &mut paths).unwrap();
        paths.sort();
        assert_eq!(paths, [folder.path().join("a/b.jpg"), folder.path().join("e")]);
    }
}
