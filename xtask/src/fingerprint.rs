//! Skips work that is done: fingerprints of the inputs of a result, and stamp files that store them.

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Folders with results, not sources.
const RESULTS: [&str; 5] = ["node_modules", "dist", "target", "test-results", "__pycache__"];

/// A digest of everything that a result depends on.
#[derive(Clone, Default)]
pub(crate) struct Fingerprint(Sha256);

impl Fingerprint {
    /// Adds a piece of text, such as a version or a parameter.
    pub(crate) fn text(mut self, text: &str) -> Self {
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text);
        self
    }

    /// Adds names and contents of a file, or of all files in a folder, except for hidden files and results. A path that
    /// does not exist has a fingerprint, too.
    pub(crate) fn path(mut self, path: &Path) -> Result<Self> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                let mut entries = fs::read_dir(path)
                    .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                    .with_context(|| format!("cannot list {}", path.display()))?;
                entries.sort_by_key(fs::DirEntry::file_name);
                for entry in entries {
                    let name = entry.file_name().to_string_lossy().into_owned();
                    if !name.starts_with('.') && !RESULTS.contains(&name.as_str()) {
                        self = self.text(&name).path(&entry.path())?;
                    }
                }
                Ok(self.text("end of the folder"))
            }
            Ok(_) => {
                let content = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
                self.0.update((content.len() as u64).to_le_bytes());
                self.0.update(content);
                Ok(self)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(self.text("absent")),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// The digest in hexadecimal.
    pub(crate) fn finish(self) -> String {
        self.0
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// A small file with the fingerprint of a result.
pub(crate) struct Stamp(PathBuf);

impl Stamp {
    pub(crate) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// Whether the result has this fingerprint.
    pub(crate) fn matches(&self, fingerprint: &str) -> bool {
        fs::read_to_string(&self.0).is_ok_and(|stamp| stamp == fingerprint)
    }

    /// Stores the fingerprint of a complete result.
    pub(crate) fn write(&self, fingerprint: &str) -> Result<()> {
        if let Some(folder) = self.0.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        fs::write(&self.0, fingerprint).with_context(|| format!("cannot write {}", self.0.display()))
    }

    /// Removes the stamp before the result changes: the result is incomplete until the stamp is written again.
    pub(crate) fn clear(&self) {
        // Fails only if there is no stamp.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &Path) -> String {
        Fingerprint::default().path(path).unwrap().finish()
    }

    #[test]
    fn a_changed_moved_or_new_source_changes_the_fingerprint() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("src")).unwrap();
        fs::write(folder.path().join("src/a.rs"), "one").unwrap();
        let first = of(folder.path());
        assert_eq!(of(folder.path()), first);

        fs::write(folder.path().join("src/a.rs"), "two").unwrap();
        let changed = of(folder.path());
        assert_ne!(changed, first);

        fs::rename(folder.path().join("src/a.rs"), folder.path().join("src/b.rs")).unwrap();
        let moved = of(folder.path());
        assert_ne!(moved, changed);

        fs::write(folder.path().join("src/c.rs"), "").unwrap();
        assert_ne!(of(folder.path()), moved);
    }

    #[test]
    fn results_and_hidden_files_do_not_count() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("main.ts"), "one").unwrap();
        let first = of(folder.path());
        fs::create_dir(folder.path().join("node_modules")).unwrap();
        fs::write(folder.path().join("node_modules/x"), "x").unwrap();
        fs::write(folder.path().join(".swp"), "x").unwrap();
        assert_eq!(of(folder.path()), first);
    }

    #[test]
    fn pieces_of_text_are_separated() {
        let one = Fingerprint::default().text("ab").text("c").finish();
        let other = Fingerprint::default().text("a").text("bc").finish();
        assert_ne!(one, other);
    }

    #[test]
    fn a_stamp_matches_until_it_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let stamp = Stamp::at(folder.path().join("deep/stamp"));
        assert!(!stamp.matches("abc"));
        stamp.write("abc").unwrap();
        assert!(stamp.matches("abc"));
        assert!(!stamp.matches("abd"));
        stamp.clear();
        assert!(!stamp.matches("abc"));
    }
}
