//! Finds the files in folders. Their contents are not read here.

use super::outcome::{Outcome, Skip};
use super::stop::Stop;
use domain::video::MAX_BYTES;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use walkdir::{DirEntry, WalkDir};

/// Files and folders that operating systems and network storage create, in lower case. The page skips the first two as well.
const SYSTEM: [&str; 4] = ["thumbs.db", "desktop.ini", "@eadir", "__macosx"];
/// Extensions of files beside a picture, in lower case. A `.thm` file is a small JPEG of the picture or video beside it.
const SIDECARS: [&str; 7] = ["aae", "dop", "lrv", "on1", "pp3", "thm", "xmp"];

/// A file that may be a picture or a video.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    /// Absolute.
    pub(super) path: PathBuf,
    /// Bytes: 1 to [`MAX_BYTES`], the limit of videos.
    pub(super) size: u64,
    /// When it was modified, in nanoseconds since 1970. 0 if that is unknown.
    pub(super) modified: i64,
}

impl Found {
    pub(super) fn new(path: PathBuf, metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok();
        let modified = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Self {
            path,
            size: metadata.len(),
            modified: modified.map_or(0, |time| i64::try_from(time.as_nanos()).unwrap_or(0)),
        }
    }

    /// Whether the file is still as it was found.
    ///
    /// # Errors
    /// Its metadata can't be read.
    pub(super) fn is_unchanged(&self) -> io::Result<bool> {
        let metadata = self.path.metadata()?;
        Ok(Self::new(self.path.clone(), &metadata) == *self)
    }
}

/// The files in folders that may be pictures, in the order of their paths. Follows links. `other` gets all other paths with
/// their sizes in bytes and the reasons, and `progress` the number of files so far.
pub(super) fn walk(
    roots: &[PathBuf],
    stop: &Stop,
    mut other: impl FnMut(&Path, u64, Outcome),
    progress: impl Fn(usize),
) -> Vec<Found> {
    let mut found = Vec::new();
    for root in roots {
        let mut entries = WalkDir::new(root).follow_links(true).into_iter();
        while let Some(entry) = entries.next() {
            if stop.is_set() {
                return found;
            }
            match entry {
                Ok(entry) => match look(&entry) {
                    Entry::Folder => {}
                    Entry::File(file) => {
                        found.push(file);
                        progress(found.len());
                    }
                    Entry::Other(size, outcome) => {
                        if entry.file_type().is_dir() {
                            entries.skip_current_dir();
                        }
                        other(entry.path(), size, outcome);
                    }
                },
                Err(error) => {
                    let path = error.path().unwrap_or(root).to_owned();
                    other(&path, 0, failed(&error, &path));
                }
            }
        }
    }
    // Folders can contain each other.
    found.sort();
    found.dedup();
    found
}

enum Entry {
    Folder,
    File(Found),
    Other(u64, Outcome),
}

fn look(entry: &DirEntry) -> Entry {
    let skipped = |size, skip| Entry::Other(size, Outcome::Skipped(skip, None));
    // A folder that the person names is not skipped.
    if let Some(skip) = by_name(entry.file_name()).filter(|_| entry.depth() > 0) {
        return skipped(0, skip);
    }
    if entry.file_type().is_dir() {
        return Entry::Folder;
    }
    // Opening a pipe would wait for another program.
    if !entry.file_type().is_file() {
        return skipped(0, Skip::NotAFile);
    }
    match entry.metadata() {
        Ok(metadata) => match metadata.len() {
            0 => skipped(0, Skip::Empty),
            size if size > MAX_BYTES => skipped(size, Skip::TooLarge),
            _ => Entry::File(Found::new(entry.path().to_owned(), &metadata)),
        },
        Err(error) => Entry::Other(0, Outcome::Failed(format!("can't read it: {error}"))),
    }
}

fn by_name(name: &OsStr) -> Option<Skip> {
    if name.as_encoded_bytes().starts_with(b".") {
        return Some(Skip::Hidden);
    }
    let is_one_of = |name: &OsStr, list: &[&str]| list.iter().any(|entry| name.eq_ignore_ascii_case(entry));
    if is_one_of(name, &SYSTEM) {
        return Some(Skip::System);
    }
    let extension = Path::new(name).extension()?;
    is_one_of(extension, &SIDECARS).then_some(Skip::Sidecar)
}

fn failed(error: &walkdir::Error, path: &Path) -> Outcome {
    if error.loop_ancestor().is_some() {
        return Outcome::Skipped(Skip::Loop, None);
    }
    let cause = error.io_error();
    let is_missing = cause.is_some_and(|cause| cause.kind() == io::ErrorKind::NotFound);
    if is_missing
        && path
            .symlink_metadata()
            .is_ok_and(|metadata| metadata.is_symlink())
    {
        return Outcome::Skipped(Skip::BrokenLink, None);
    }
    let cause = cause.map_or_else(|| error.to_string(), ToString::to_string);
    Outcome::Failed(format!("can't read it: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    /// The names of the files that may be pictures, and the outcomes of all others by their names.
    fn names(roots: &[PathBuf]) -> (Vec<String>, BTreeMap<String, Outcome>) {
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        let mut others = BTreeMap::new();
        let found = walk(
            roots,
            &Stop::default(),
            |path, _, outcome| {
                others.insert(name(path), outcome);
            },
            |_| {},
        );
        (found.iter().map(|file| name(&file.path)).collect(), others)
    }

    #[test]
    fn finds_files_in_nested_folders_and_says_why_others_are_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("2019/summer")).unwrap();
        fs::create_dir_all(root.join(".trash")).unwrap();
        fs::create_dir_all(root.join("@eaDir")).unwrap();
        for file in ["2019/b.jpg", "2019/summer/a", ".trash/c.jpg", "@eaDir/d.jpg"] {
            fs::write(root.join(file), "x").unwrap();
        }
        for file in ["._b.jpg", "b.XMP", "clip.THM", "Thumbs.db"] {
            fs::write(root.join(file), "x").unwrap();
        }
        fs::write(root.join("empty.jpg"), "").unwrap();
        let large = fs::File::create(root.join("large.tif")).unwrap();
        large.set_len(MAX_BYTES + 1).unwrap();
        let _socket = UnixListener::bind(root.join("socket")).unwrap();
        symlink(root.join("none"), root.join("broken")).unwrap();
        symlink(root.join("2019"), root.join("2019/again")).unwrap();

        let (found, others) = names(&[root.to_owned()]);
        assert_eq!(found, ["b.jpg", "a"]);
        let expected = [
            (".trash", Skip::Hidden),
            ("._b.jpg", Skip::Hidden),
            ("@eaDir", Skip::System),
            ("Thumbs.db", Skip::System),
            ("again", Skip::Loop),
            ("b.XMP", Skip::Sidecar),
            ("broken", Skip::BrokenLink),
            ("clip.THM", Skip::Sidecar),
            ("empty.jpg", Skip::Empty),
            ("large.tif", Skip::TooLarge),
            ("socket", Skip::NotAFile),
        ];
        let expected = expected.map(|(name, skip)| (name.to_owned(), Outcome::Skipped(skip, None)));
        assert_eq!(others, BTreeMap::from(expected));
    }

    #[test]
    fn a_file_in_two_of_the_folders_is_found_once() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        fs::write(inner.join("a.jpg"), "x").unwrap();
        let roots = [folder.path().to_owned(), inner.clone(), inner.join("a.jpg")];
        assert_eq!(names(&roots).0, ["a.jpg"]);
    }

    #[test]
    fn a_hidden_folder_that_is_named_is_searched() {
        let folder = tempfile::tempdir().unwrap();
        let hidden = folder.path().join(".photos");
        fs::create_dir(&hidden).unwrap();
        fs::write(hidden.join("a.jpg"), "x").unwrap();
        assert_eq!(names(&[hidden]).0, ["a.jpg"]);
    }

    #[test]
    fn a_path_that_can_t_be_read_is_a_failure_and_the_rest_is_found() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.jpg"), "x").unwrap();
        let gone = folder.path().join("gone");
        let (found, others) = names(&[gone, folder.path().to_owned()]);
        assert_eq!(found, ["a.jpg"]);
        assert!(
            matches!(&others["gone"], Outcome::Failed(reason) if reason.starts_with("can't read it: ")),
            "{others:?}"
        );
    }
}
