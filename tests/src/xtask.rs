//! The developer's commands.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};

/// Runs `cargo xtask <command> --stack-dir <folder>` and returns its output, also if it fails.
///
/// # Panics
/// If it cannot be started.
pub fn xtask(command: &[&str], folder: &Path) -> Output {
    let Some(program) = std::env::var_os("ILG_XTASK") else {
        panic!(
            "This test uses the developer's commands. Run `cargo xtask test`, or set ILG_XTASK to the path of the \
             program `xtask`."
        );
    };
    Command::new(program)
        .args(command.iter().map(OsStr::new))
        .arg("--stack-dir")
        .arg(folder)
        .output()
        .expect("xtask")
}
