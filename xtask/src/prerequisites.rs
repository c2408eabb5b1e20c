//! Checks what must be installed on the machine, and explains how to install what is missing.

use anyhow::{Result, bail};
use std::env;
use std::env::consts::{ARCH, OS};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// The oldest Python that every pinned tool supports.
const PYTHON: Version = Version(3, 10);
/// The oldest Node.js that the page's build tools support (`engines` in frontend/package.json).
const NODE: Version = Version(20, 19);

/// The programs found.
#[derive(Debug, Clone)]
pub(crate) struct Prerequisites {
    /// A Python of at least 3.10 that can make virtual environments.
    pub(crate) python: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32);

impl Prerequisites {
    /// Checks everything, so that the error names all that is missing.
    pub(crate) fn check() -> Result<Self> {
        let mut missing = Vec::new();
        operating_system(OS).map_err(|why| missing.push(why)).ok();
        architecture()
            .map_err(|error| missing.push(error.to_string()))
            .ok();
        let python = python().map_err(|why| missing.push(why)).unwrap_or_default();
        if let Err(why) = node() {
            missing.push(why);
        }
        if !on_path("npm") {
            missing.push(
                "npm, which comes with Node.js: https://nodejs.org, or `sudo apt-get install npm`."
                    .to_owned(),
            );
        }
        if !on_path("cc") {
            missing.push(
                "a C compiler `cc`: `sudo apt-get install gcc libc6-dev`, `sudo dnf install gcc`, or your system's own."
                    .to_owned(),
            );
        }
        if !missing.is_empty() {
            bail!("this machine is missing\n  - {}", missing.join("\n  - "));
        }
        Ok(Self { python })
    }
}

fn operating_system(name: &str) -> Result<(), String> {
    if name == "linux" {
        return Ok(());
    }
    Err(format!(
        "Linux: the local mode runs Lambda's Linux binaries, and this is {name}. Use WSL 2 on Windows, a Linux virtual \
         machine elsewhere."
    ))
}

/// This machine's architecture, by Lambda's name.
pub(crate) fn architecture() -> Result<&'static str> {
    match ARCH {
        "x86_64" => Ok("x86_64"),
        "aarch64" => Ok("arm64"),
        other => bail!("an x86_64 or arm64 processor: Lambda has no other, and this is {other}."),
    }
}

fn python() -> Result<String, String> {
    let mut found = String::new();
    for name in [
        "python3",
        "python3.14",
        "python3.13",
        "python3.12",
        "python3.11",
        "python3.10",
    ] {
        let Some(version) = answer(name, &["-c", "import platform; print(platform.python_version())"]) else {
            continue;
        };
        if version_in(&version).is_none_or(|version| version < PYTHON) {
            found.push_str(&format!(" {name} is {version}."));
        } else if answer(name, &["-c", "import ensurepip, venv"]).is_none() {
            found.push_str(&format!(
                " {name} is {version} but cannot make virtual environments: `sudo apt-get install {name}-venv`."
            ));
        } else {
            return Ok(name.to_owned());
        }
    }
    Err(format!(
        "Python {}.{} or later: https://www.python.org/downloads, or `sudo apt-get install python3 python3-venv`.{found}",
        PYTHON.0, PYTHON.1
    ))
}

fn node() -> Result<(), String> {
    let get = format!("Node.js {}.{} or later: https://nodejs.org", NODE.0, NODE.1);
    let Some(version) = answer("node", &["--version"]) else {
        return Err(format!("{get}."));
    };
    match version_in(&version) {
        Some(found) if found >= NODE => Ok(()),
        _ => Err(format!("{get}. The one found is {version}.")),
    }
}

/// Whether a program is on the PATH.
fn on_path(program: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

/// The output of a program, or `None` if it does not exist or fails.
fn answer(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
    // In its own process group: Ctrl-C would make the program fail.
    let output = command.process_group(0).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Major and minor version in texts such as `v20.11.1` and `3.13.0rc1`.
fn version_in(text: &str) -> Option<Version> {
    let mut parts = text.trim().trim_start_matches('v').split('.');
    Some(Version(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_systems_than_linux_get_advice() {
        assert_eq!(operating_system("linux"), Ok(()));
        for name in ["macos", "windows"] {
            let why = operating_system(name).unwrap_err();
            assert!(why.contains("WSL 2") && why.contains("virtual machine"), "{why}");
        }
    }

    #[test]
    fn versions_compare_as_numbers_not_as_text() {
        assert!(version_in("3.9.18").unwrap() < PYTHON);
        assert!(version_in("3.10.0").unwrap() >= PYTHON);
        assert!(version_in("v18.20.4").unwrap() < NODE);
        assert!(version_in("v22.1.0\n").unwrap() >= NODE);
        assert_eq!(version_in("unknown"), None);
    }
}
