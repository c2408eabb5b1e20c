//! The folders of this project, and its programs.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// This checkout, from `cargo metadata`.
#[derive(Debug)]
pub(crate) struct Project {
    root: PathBuf,
    /// Cargo's target folder.
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

/// A target of a package.
#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    kind: Vec<String>,
    /// Its first source file.
    #[cfg(test)]
    #[serde(default)]
    pub(crate) src_path: PathBuf,
    /// Whether `cargo test` links a harness for it.
    #[cfg(test)]
    #[serde(default)]
    pub(crate) test: bool,
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
    /// Finds the checkout that this command was built from and reads its metadata.
    pub(crate) fn find() -> Result<Self> {
        // `cargo run` sets it. Otherwise, use the folder in which this program was compiled.
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

    /// The packages that `template.yaml` deploys: those in `api/`, `listeners/` and `steps/`.
    pub(crate) fn functions(&self) -> Vec<&str> {
        self.packages_in(&["api", "listeners", "steps"])
    }

    /// The packages that replace AWS services on this machine, one binary each: those in `local/`.
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

    /// The folder for everything that is installed and built outside of `target`.
    pub(crate) fn local(&self) -> PathBuf {
        self.path(".local")
    }

    /// The models for image labels.
    pub(crate) fn models(&self) -> PathBuf {
        self.local().join("models")
    }

    /// The built page.
    pub(crate) fn page(&self) -> PathBuf {
        self.path("frontend/dist")
    }

    /// A binary of this workspace, as `cargo build` writes it.
    pub(crate) fn binary(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(name)
    }

    /// The `cargo` that runs this command.
    pub(crate) fn cargo(&self) -> Command {
        self.command(cargo_program())
    }

    /// `cargo` with a low scheduling priority, for a compilation beside tests that wait for answers.
    pub(crate) fn low_priority_cargo(&self) -> Command {
        let mut command = self.command("nice");
        command.args(["-n", "19"]).arg(cargo_program());
        command
    }

    /// Another program, in the project's folder and with a clean environment: see [`command`].
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        command(program, &self.root)
    }
}

fn cargo_program() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// A command without the variables that `cargo run` sets for this program, since build scripts that watch them would run
/// again, and without the AWS settings of a real account.
fn command(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null());
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_removed) {
            command.env_remove(name);
        }
    }
    command
}

fn is_removed(variable: &str) -> bool {
    variable == "CARGO"
        || ["CARGO_PKG_", "CARGO_MANIFEST_", "AWS_"]
            .iter()
            .any(|prefix| variable.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_packages_by_their_folder() {
        let metadata: Metadata = serde_json::from_str(
            r#"{"target_directory": "/p/target", "packages": [
                {"name": "api", "manifest_path": "/p/api/Cargo.toml", "targets": []},
                {"name": "local-rekognition", "manifest_path": "/p/local/rekognition/Cargo.toml", "targets": []},
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
        assert_eq!(project.stand_ins(), ["local-rekognition"]);
    }

    #[test]
    fn child_processes_never_get_credentials_of_a_real_account() {
        assert!(is_removed("AWS_PROFILE"));
        assert!(is_removed("AWS_SESSION_TOKEN"));
        assert!(is_removed("CARGO_PKG_NAME"));
        assert!(!is_removed("CARGO_TARGET_DIR"));
        assert!(!is_removed("PATH"));
    }
}
