//! Only one `cargo xtask` at a time installs, builds or deploys in a checkout.

use crate::console::Console;
use crate::project::Project;
use anyhow::{Context, Result};
use std::fs::{self, File, TryLockError};
use std::thread;
use std::time::Duration;

const POLL: Duration = Duration::from_millis(100);

/// Waits until no other `cargo xtask` installs, builds or deploys. Dropping the file releases the lock.
pub(crate) fn lock(project: &Project, console: &Console) -> Result<File> {
    let path = project.local().join("lock");
    fs::create_dir_all(project.local()).context("cannot make .local")?;
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut printed = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {
                if !printed {
                    console.say("Waiting for another `cargo xtask` to install or build");
                    printed = true;
                }
                console.check()?;
                thread::sleep(POLL);
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
    }
}
