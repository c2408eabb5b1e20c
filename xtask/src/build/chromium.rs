//! Chromium for the browser tests: an installed one, or Debian's package, installed if the user is allowed to.

use crate::console::Console;
use crate::project::Project;
use anyhow::{Result, bail};
use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The environment variable with the path of another browser. The tests read it.
pub(crate) const VARIABLE: &str = "CHROMIUM";

/// Names under which systems install Chromium and browsers based on it.
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// Finds or installs Chromium, or fails with advice.
pub(crate) fn find_or_install(project: &Project, console: &Console) -> Result<PathBuf> {
    if let Some(chosen) = env::var_os(VARIABLE) {
        let chosen = PathBuf::from(chosen);
        if !chosen.is_file() {
            bail!("{VARIABLE} names {}, which is not a file", chosen.display());
        }
        return Ok(chosen);
    }
    if let Some(found) = find() {
        return Ok(found);
    }
    let advice = format!(
        "the browser tests need Chromium: `sudo apt-get install chromium`, or your system's own package. \
         If it is installed in an unusual place, set {VARIABLE} to its path"
    );
    let Some(become_root) = debian().then(way_to_root).flatten() else {
        bail!(advice)
    };
    console.part("Install Debian's Chromium", "install-chromium", |part| {
        let apt = |arguments: &[&str]| {
            let mut command = match become_root {
                Root::Already => project.command("apt-get"),
                Root::ByPasswordlessSudo => {
                    let mut sudo = project.command("sudo");
                    sudo.args(["-n", "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
                    sudo
                }
            };
            command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
            command
        };
        part.run(&mut apt(&["update"]))?;
        part.run(&mut apt(&[
            "install",
            "--yes",
            "--no-install-recommends",
            "chromium",
        ]))
    })?;
    match find() {
        Some(found) => Ok(found),
        None => bail!(advice),
    }
}

fn find() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|file| file.is_file())
}

#[derive(Clone, Copy)]
enum Root {
    Already,
    ByPasswordlessSudo,
}

fn way_to_root() -> Option<Root> {
    if rustix::process::geteuid().is_root() {
        return Some(Root::Already);
    }
    let mut sudo = Command::new("sudo");
    sudo.args(["-n", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    sudo.status()
        .is_ok_and(|status| status.success())
        .then_some(Root::ByPasswordlessSudo)
}

/// Whether this is Debian or a derivative. Not Ubuntu: its package only installs the snap.
fn debian() -> bool {
    fs::read_to_string("/etc/os-release").is_ok_and(|release| is_debian(&release))
}

fn is_debian(release: &str) -> bool {
    let value = |key: &str| {
        release
            .lines()
            .find_map(|line| line.strip_prefix(key))
            .map(|value| value.trim_matches('"'))
            .unwrap_or_default()
    };
    value("ID=") != "ubuntu"
        && (value("ID=") == "debian" || value("ID_LIKE=").split(' ').any(|id| id == "debian"))
}

#[cfg(test)]
mod tests {
    use super::is_debian;

    #[test]
    fn only_where_the_package_is_a_browser_is_it_installed() {
        assert!(is_debian("PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\n"));
        assert!(is_debian("ID=raspbian\nID_LIKE=debian\n"));
        assert!(!is_debian("ID=ubuntu\nID_LIKE=debian\n"));
        assert!(!is_debian("ID=fedora\n"));
        assert!(!is_debian(""));
    }
}
