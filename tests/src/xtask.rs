//! The developer's commands.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};

/// Runs `cargo xtask <command> --stack-dir <folder>` and returns its output, also if it fails.
///
/// # Panics
/// If it cannot be started.
pub fn xtask(command: &[&str], folder: &Path) -> Output {
    xtask_command(command, folder).output().expect("xtask")
}

/// The command `cargo xtask <command> --stack-dir <folder>`.
///
/// # Panics
/// If the program is unknown.
pub fn xtask_command(command: &[&str], folder: &Path) -> Command {
    let Some(program) = std::env::var_os("ILG_XTASK") else {
        panic!(
            "This test uses the developer's commands. Run `cargo xtask test`, or set ILG_XTASK to the path of the \
             program `xtask`."
        );
    };
    let mut xtask = Command::new(program);
    xtask
        .args(command.iter().map(OsStr::new))
        .arg("--stack-dir")
        .arg(folder);
    xtask
}
