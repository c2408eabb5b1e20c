//! The state file: which files are there already, so that another run neither reads them nor asks the API.
//!
//! It has a line of JSON for each file, and is only appended to. A line that a killed run has not completed is ignored: that
//! file is checked again.

use super::walk::Found;
use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A line of the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    /// The user's id in the user pool: another stack, or another account with the same address, has another one.
    owner: Cow<'a, str>,
    path: Cow<'a, str>,
    /// Bytes.
    size: u64,
    /// Nanoseconds since 1970.
    modified: i64,
    /// Base64.
    sha256: Cow<'a, str>,
    image_id: Cow<'a, str>,
    /// Whether the file is being uploaded in parts, and is not there yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unfinished: bool,
}

/// A file that is there.
struct Entry {
    size: u64,
    modified: i64,
    image_id: String,
}

/// What earlier runs have uploaded or found there.
#[derive(Default)]
pub(super) struct Known {
    paths: HashMap<PathBuf, Entry>,
    /// Multipart uploads that are not complete.
    unfinished: HashMap<PathBuf, Entry>,
    checksums: HashMap<[u8; 32], String>,
}

impl Known {
    /// Reads a state file. `owner`: whose files count. `None`: those of all owners. A file that does not exist is empty.
    ///
    /// # Errors
    /// The file can't be read.
    pub(super) fn read(path: &Path, owner: Option<&str>) -> Result<Self> {
        let cannot_read = || format!("can't read {}", path.display());
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error).with_context(cannot_read),
        };
        let mut known = Self::default();
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).with_context(cannot_read)? > 0 {
            if let Ok(line) = serde_json::from_slice::<Line<'_>>(&line)
                && owner.is_none_or(|owner| owner == line.owner)
            {
                known.add(&line);
            }
            line.clear();
        }
        Ok(known)
    }

    fn add(&mut self, line: &Line<'_>) {
        let sha256 = BASE64_STANDARD.decode(line.sha256.as_bytes()).ok();
        let Some(sha256) = sha256.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()) else {
            return;
        };
        let entry = Entry {
            size: line.size,
            modified: line.modified,
            image_id: line.image_id.to_string(),
        };
        let path = PathBuf::from(&*line.path);
        if line.unfinished {
            self.unfinished.insert(path, entry);
            return;
        }
        self.checksums.insert(sha256, line.image_id.to_string());
        self.unfinished.remove(&path);
        self.paths.insert(path, entry);
    }

    /// The id of the image of a file that has not changed since its multipart upload was started, and is not there yet.
    pub(super) fn unfinished(&self, file: &Found) -> Option<&str> {
        image_of(&self.unfinished, file)
    }

    /// The id of the image of a file that has not changed since.
    pub(super) fn image(&self, file: &Found) -> Option<&str> {
        image_of(&self.paths, file)
    }

    /// The ids of the images by the SHA-256 of their files.
    pub(super) fn checksums(&self) -> &HashMap<[u8; 32], String> {
        &self.checksums
    }
}

fn image_of<'a>(entries: &'a HashMap<PathBuf, Entry>, file: &Found) -> Option<&'a str> {
    let entry = entries.get(&file.path)?;
    let is_unchanged = (entry.size, entry.modified) == (file.size, file.modified);
    is_unchanged.then_some(&entry.image_id)
}

/// A state file to which this run appends.
pub(super) struct State {
    file: File,
    path: PathBuf,
    owner: String,
}

impl State {
    /// Opens or creates the file and locks it for this run.
    ///
    /// # Errors
    /// Another run has locked it, or it can't be written.
    pub(super) fn open(path: &Path, owner: &str) -> Result<Self> {
        let cannot_write = || format!("can't write {}", path.display());
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(cannot_write)?;
        }
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .with_context(cannot_write)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("another upload with the state file {} is running", path.display())
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(cannot_write),
        }
        if !ends_with_line(&mut file).with_context(cannot_write)? {
            file.write_all(b"\n").with_context(cannot_write)?;
        }
        Ok(Self {
            file,
            path: path.to_owned(),
            owner: owner.to_owned(),
        })
    }

    /// Stores that a file is there. Leaves out a path that is not UTF-8: the next run reads that file again.
    ///
    /// # Errors
    /// The line can't be written.
    pub(super) fn add(&mut self, file: &Found, sha256: &[u8; 32], image_id: &str) -> Result<()> {
        self.write(file, sha256, image_id, false)
    }

    /// Stores that the multipart upload of a file has been started, so that another run can continue it.
    ///
    /// # Errors
    /// The line can't be written.
    pub(super) fn begin(&mut self, file: &Found, sha256: &[u8; 32], image_id: &str) -> Result<()> {
        self.write(file, sha256, image_id, true)
    }

    fn write(&mut self, file: &Found, sha256: &[u8; 32], image_id: &str, unfinished: bool) -> Result<()> {
        let Some(path) = file.path.to_str() else {
            return Ok(());
        };
        let line = Line {
            owner: (&self.owner).into(),
            path: path.into(),
            size: file.size,
            modified: file.modified,
            sha256: BASE64_STANDARD.encode(sha256).into(),
            image_id: image_id.into(),
            unfinished,
        };
        let mut line = serde_json::to_string(&line).context("can't write JSON")?;
        line.push('\n');
        // One write, so that a killed run leaves at most one torn line.
        self.file
            .write_all(line.as_bytes())
            .with_context(|| format!("can't write {}", self.path.display()))
    }
}

impl Drop for State {
    /// Closing the file is not enough: a program that another thread is starting right now still has it open.
    fn drop(&mut self) {
        // An error leaves the lock until then.
        let _ = self.file.unlock();
    }
}

fn ends_with_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str) -> Found {
        Found {
            path: path.into(),
            size: 5,
            modified: 1_700_000_000_123_456_789,
        }
    }

    #[test]
    fn an_unchanged_file_is_known_and_a_changed_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/ada.jsonl");
        assert!(Known::read(&path, None).unwrap().image(&found("/a")).is_none());
        let mut state = State::open(&path, "ada").unwrap();
        state.add(&found("/a"), &[1; 32], "image-1").unwrap();
        state.add(&found("/b \"ü\"\n"), &[2; 32], "image-2").unwrap();

        let known = Known::read(&path, Some("ada")).unwrap();
        assert_eq!(known.image(&found("/a")), Some("image-1"));
        assert_eq!(known.image(&found("/b \"ü\"\n")), Some("image-2"));
        assert_eq!(known.checksums()[&[2; 32]], "image-2");
        let changed = Found {
            modified: 1,
            ..found("/a")
        };
        assert_eq!(known.image(&changed), None);
        let other = Known::read(&path, Some("eve")).unwrap();
        assert!(other.image(&found("/a")).is_none() && other.checksums().is_empty());
    }

    #[test]
    fn an_upload_in_parts_is_continued_until_the_file_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ada.jsonl");
        let mut state = State::open(&path, "ada").unwrap();
        state.begin(&found("/a"), &[1; 32], "image-1").unwrap();
        let known = Known::read(&path, Some("ada")).unwrap();
        assert_eq!(known.unfinished(&found("/a")), Some("image-1"));
        assert_eq!(known.image(&found("/a")), None);
        assert!(known.checksums().is_empty());
        state.add(&found("/a"), &[1; 32], "image-1").unwrap();
        let known = Known::read(&path, Some("ada")).unwrap();
        assert_eq!(known.unfinished(&found("/a")), None);
        assert_eq!(known.image(&found("/a")), Some("image-1"));
    }

    #[test]
    fn a_line_that_was_torn_at_any_byte_loses_only_its_own_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ada.jsonl");
        let mut state = State::open(&path, "ada").unwrap();
        state.add(&found("/a"), &[1; 32], "image-1").unwrap();
        let complete = fs::metadata(&path).unwrap().len();
        state.add(&found("/b"), &[2; 32], "image-2").unwrap();
        drop(state);
        let bytes = fs::read(&path).unwrap();
        // Without its line break, the last line is complete.
        for length in usize::try_from(complete).unwrap()..bytes.len() - 1 {
            fs::write(&path, &bytes[..length]).unwrap();
            let mut state = State::open(&path, "ada").unwrap();
            state.add(&found("/c"), &[3; 32], "image-3").unwrap();
            let known = Known::read(&path, Some("ada")).unwrap();
            assert_eq!(known.image(&found("/a")), Some("image-1"));
            assert_eq!(known.image(&found("/b")), None);
            assert_eq!(known.image(&found("/c")), Some("image-3"), "torn at {length}");
        }
    }

    #[test]
    fn a_state_file_is_free_again_although_another_program_has_inherited_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ada.jsonl");
        let first = State::open(&path, "ada").unwrap();
        let inherited = first.file.try_clone().unwrap();
        drop(first);
        State::open(&path, "ada").unwrap();
        drop(inherited);
    }

    #[test]
    fn two_runs_do_not_share_a_state_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ada.jsonl");
        let first = State::open(&path, "ada").unwrap();
        let error = State::open(&path, "ada").err().unwrap().to_string();
        assert!(error.contains("another upload"), "{error}");
        drop(first);
        State::open(&path, "ada").unwrap();
    }
}
