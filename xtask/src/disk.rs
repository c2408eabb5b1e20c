//! The free space on the disks that the commands write to. Programs that find no space fail in many ways, and most of
//! their messages don't name the disk.

use crate::project::Project;
use anyhow::{Result, bail};
use std::env;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// With less, neither a build nor a stack succeeds, whatever was built before.
const NEEDED: u64 = 2_000_000_000;
/// How often free space is measured.
const INTERVAL: Duration = Duration::from_secs(2);

/// The folders that the commands write to, and the lowest free space of each.
pub(crate) struct Disks(Mutex<Vec<Disk>>);

struct Disk {
    folder: PathBuf,
    /// In bytes. `None` if the system does not say.
    least: Option<u64>,
}

impl Disks {
    pub(crate) fn of(project: &Project) -> Self {
        Self::new([project.target.clone(), env::temp_dir()])
    }

    fn new(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        let disk = |folder: PathBuf| Disk {
            least: free(&folder),
            folder,
        };
        Self(Mutex::new(folders.into_iter().map(disk).collect()))
    }

    /// Fails if a disk has less than [`NEEDED`] free.
    pub(crate) fn check(&self) -> Result<()> {
        match self.too_little(NEEDED) {
            Some(what) => {
                bail!("{what}. Remove files, or set CARGO_TARGET_DIR and TMPDIR to folders on another disk")
            }
            None => Ok(()),
        }
    }

    /// A sentence about the disks that were nearly full.
    pub(crate) fn nearly_full(&self) -> Option<String> {
        self.too_little(NEEDED / 4)
    }

    fn too_little(&self, needed: u64) -> Option<String> {
        let disks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let little: Vec<_> = disks
            .iter()
            .filter_map(|disk| Some((disk, disk.least.filter(|least| *least < needed)?)))
            .map(|(disk, least)| format!("{} in {}", gigabytes(least), disk.folder.display()))
            .collect();
        (!little.is_empty()).then(|| format!("the disk is full: {} are free", little.join(" and ")))
    }

    /// The lowest free space of each folder.
    pub(crate) fn least(&self) -> String {
        let disks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let least: Vec<_> = disks
            .iter()
            .filter_map(|disk| Some(format!("{} in {}", gigabytes(disk.least?), disk.folder.display())))
            .collect();
        least.join(", ")
    }

    /// Watches the disks while `work` runs.
    pub(crate) fn watch<T>(&self, work: impl FnOnce() -> T) -> T {
        let (stop, stopped) = mpsc::channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                    self.measure();
                }
            });
            let result = work();
            drop(stop);
            result
        })
    }

    fn measure(&self) {
        for disk in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            disk.least = disk.least.min(free(&disk.folder)).or(disk.least);
        }
    }
}

fn gigabytes(bytes: u64) -> String {
    // Tenths are exact enough.
    format!("{}.{} GB", bytes / 1_000_000_000, bytes / 100_000_000 % 10)
}

/// The bytes that can be written to a folder, which need not exist yet.
fn free(folder: &Path) -> Option<u64> {
    let existing = folder.ancestors().find(|folder| folder.exists())?;
    let disk = rustix::fs::statvfs(existing).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disks(least: u64) -> Disks {
        Disks(Mutex::new(vec![Disk {
            folder: PathBuf::from("/small"),
            least: Some(least),
        }]))
    }

    #[test]
    fn a_full_disk_is_named_with_what_to_do() {
        let error = disks(150_000_000).check().unwrap_err().to_string();
        assert!(
            error.contains("0.1 GB in /small") && error.contains("TMPDIR"),
            "{error}"
        );
        assert!(disks(NEEDED).check().is_ok());
    }

    #[test]
    fn a_disk_that_was_nearly_full_is_named_after_a_failure() {
        assert!(disks(NEEDED).nearly_full().is_none());
        assert!(disks(3).nearly_full().unwrap().contains("/small"));
    }

    #[test]
    fn the_least_space_is_kept_while_work_runs() {
        let folder = tempfile::tempdir().unwrap();
        let disks = Disks::new([folder.path().join("not/made/yet")]);
        let before = disks.0.lock().unwrap()[0].least.unwrap();
        assert!(before > 0);
        disks.0.lock().unwrap()[0].least = Some(1);
        disks.watch(|| disks.measure());
        assert_eq!(disks.0.lock().unwrap()[0].least, Some(1));
        disks.0.lock().unwrap()[0].least = Some(u64::MAX);
        disks.measure();
        assert!(disks.0.lock().unwrap()[0].least.unwrap() < u64::MAX);
    }
}
