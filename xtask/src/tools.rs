//! The pinned Python tools, each in a virtual environment of its own below `.local/tools`, and the labeler's models.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::console::Console;
use crate::fingerprint::{Fingerprint, Stamp};
use crate::prerequisites::Prerequisites;
use crate::project::Project;

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
/// The SAM CLI with cargo-lambda.
pub(crate) const SAM: Tool = Tool {
    name: "sam",
    title: "Install the SAM CLI",
};
/// What converts the models, and the runtime that the labeler loads.
pub(crate) const MODELS: Tool = Tool {
    name: "models",
    title: "Install the model tools",
};

/// What compares the API's answers with its description.
pub(crate) const SCHEMATHESIS: Tool = Tool {
    name: "schemathesis",
    title: "Install Schemathesis",
};

impl Tool {
    fn folder(self, project: &Project) -> PathBuf {
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
        // The sources' folders stay clean, and what a program prints is in its log at once.
        command
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONUNBUFFERED", "1");
        command
    }

    /// Installs what is pinned, unless exactly that is installed already.
    pub(crate) fn install(
        self,
        project: &Project,
        console: &Console,
        prerequisites: &Prerequisites,
    ) -> Result<()> {
        let requirements = project.path(&format!("local/{}/requirements.txt", self.name));
        let folder = self.folder(project);
        // Scripts in a virtual environment name its folder: a checkout that moved needs new ones.
        let fingerprint = Fingerprint::default()
            .text(&folder.to_string_lossy())
            .path(&requirements)?
            .finish();
        let stamp = Stamp::at(folder.join("installed.stamp"));
        // The interpreter is a link: it leads nowhere once that Python is gone.
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
            // The list is complete and hashed. --no-deps leaves out what it leaves out on purpose.
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

/// Builds the labeler's models, unless they are there already. Needs the tool `MODELS`.
pub(crate) fn build_models(project: &Project, console: &Console) -> Result<()> {
    let sources = project.path("local/models");
    let models = project.models();
    let fingerprint = Fingerprint::default().path(&sources)?.finish();
    let stamp = Stamp::at(project.local().join("models.stamp"));
    if stamp.matches(&fingerprint) && models.is_dir() {
        return Ok(());
    }
    stamp.clear();
    console.part("Build the labeler's models", "build-models", |part| {
        part.run(
            MODELS
                .python(project)
                .arg(sources.join("build.py"))
                .arg("--out")
                .arg(&models),
        )?;
        stamp.write(&fingerprint)
    })
}

/// The ONNX runtime's library inside the tool `MODELS`.
pub(crate) fn onnx_runtime(project: &Project) -> Result<PathBuf> {
    let libraries = MODELS.folder(project).join("lib");
    for python in fs::read_dir(&libraries)
        .with_context(|| format!("cannot list {}", libraries.display()))?
        .flatten()
    {
        let Ok(files) = fs::read_dir(python.path().join("site-packages/onnxruntime/capi")) else {
            continue;
        };
        for file in files.flatten() {
            if file
                .file_name()
                .to_string_lossy()
                .starts_with("libonnxruntime.so.")
            {
                return Ok(file.path());
            }
        }
    }
    bail!(
        "no libonnxruntime.so below {}: remove the folder's parent and start again",
        libraries.display()
    )
}
