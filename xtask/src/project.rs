//! Where things are: the folders of this project and how its programs are called.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// This checkout, as Cargo describes it.
#[derive(Debug)]
pub(crate) struct Project {
    root: PathBuf,
    /// Where Cargo puts what it builds.
    pub(crate) target: PathBuf,
    /// The workspace's members.
    pub(crate) packages: Vec<Package>,
}

/// A member of the workspace.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    manifest_path: PathBuf,
    pub(crate) targets: Vec<Target>,
}

/// What Cargo builds of a package.
#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    kind: Vec<String>,
}

impl Target {
    /// Whether it is a `lib`, a `bin`, a `test`, …
    pub(crate) fn is(&self, kind: &str) -> bool {
        self.kind.iter().any(|own| own == kind)
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

impl Project {
    /// Finds the checkout that this command was built from and asks Cargo about it.
    pub(crate) fn find() -> Result<Self> {
        // `cargo run` sets it; without it, the folder this program was compiled in is as good.
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest
            .parent()
            .context("xtask has no parent folder")?
            .to_path_buf();
        let output = command(cargo_program(), &root)
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .stderr(Stdio::inherit())
            .output()
            .context("cannot run cargo")?;
        if !output.status.success() {
            bail!("`cargo metadata` failed in {}", root.display());
        }
        let metadata: Metadata =
            serde_json::from_slice(&output.stdout).context("`cargo metadata` has an unknown form")?;
        Ok(Self {
            root,
            target: metadata.target_directory,
            packages: metadata.packages,
        })
    }

    /// The packages that `template.yaml` deploys: those in `api/` and `steps/`.
    pub(crate) fn functions(&self) -> Vec<&str> {
        self.packages_in(&["api", "steps"])
    }

    /// The packages that stand in for AWS on this machine, one binary each: those in `local/`.
    pub(crate) fn stand_ins(&self) -> Vec<&str> {
        self.packages_in(&["local"])
    }

    fn packages_in(&self, folders: &[&str]) -> Vec<&str> {
        let inside = |package: &&Package| {
            folders
                .iter()
                .any(|folder| package.manifest_path.starts_with(self.path(folder)))
        };
        self.packages
            .iter()
            .filter(inside)
            .map(|package| package.name.as_str())
            .collect()
    }

    /// A file or folder of this project.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// What is installed and built for this project and is no part of it.
    pub(crate) fn local(&self) -> PathBuf {
        self.path(".local")
    }

    /// The labeler's models.
    pub(crate) fn models(&self) -> PathBuf {
        self.local().join("models")
    }

    /// The page as it is served.
    pub(crate) fn page(&self) -> PathBuf {
        self.path("frontend/dist")
    }

    /// A binary of this workspace, as `cargo build` leaves it.
    pub(crate) fn binary(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(name)
    }

    /// `cargo`, the one that runs this command.
    pub(crate) fn cargo(&self) -> Command {
        self.command(cargo_program())
    }

    /// Another program, in the project's folder and without the environment's traps.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        command(program, &self.root)
    }
}

fn cargo_program() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// A command without the variables that would mislead it: those that `cargo run` sets for this program (build scripts
/// that watch them would run again), and everything that could lead an AWS client to a real account.
fn command(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null());
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(misleads) {
            command.env_remove(name);
        }
    }
    command
}

fn misleads(variable: &str) -> bool {
    variable == "CARGO"
        || ["CARGO_PKG_", "CARGO_MANIFEST_", "AWS_"]
            .iter()
            .any(|prefix| variable.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_known_by_their_folder() {
        let metadata: Metadata = serde_json::from_str(
            r#"{"target_directory": "/p/target", "packages": [
                {"name": "api", "manifest_path": "/p/api/Cargo.toml", "targets": []},
                {"name": "labeler", "manifest_path": "/p/local/labeler/Cargo.toml", "targets": []},
                {"name": "lambda", "manifest_path": "/p/crates/lambda/Cargo.toml", "targets": []},
                {"name": "validate", "manifest_path": "/p/steps/validate/Cargo.toml", "targets": []},
                {"name": "xtask", "manifest_path": "/p/xtask/Cargo.toml", "targets": []}]}"#,
        )
        .unwrap();
        let project = Project {
            root: "/p".into(),
            target: metadata.target_directory,
            packages: metadata.packages,
        };
        assert_eq!(project.functions(), ["api", "validate"]);
        assert_eq!(project.stand_ins(), ["labeler"]);
    }

    #[test]
    fn a_real_accounts_credentials_reach_no_child() {
        assert!(misleads("AWS_PROFILE"));
        assert!(misleads("AWS_SESSION_TOKEN"));
        assert!(misleads("CARGO_PKG_NAME"));
        assert!(!misleads("CARGO_TARGET_DIR"));
        assert!(!misleads("PATH"));
    }
}
