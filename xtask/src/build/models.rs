//! The models that stand in for Rekognition, and the runtime that executes them.

use crate::build::python::MODELS;
use crate::console::Console;
use crate::fingerprint::{Fingerprint, Stamp};
use crate::project::Project;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::PathBuf;

/// Builds the models if their sources have changed. Needs the tool `MODELS`.
pub(crate) fn build(project: &Project, console: &Console) -> Result<()> {
    let sources = project.path("local/models");
    let models = project.models();
    let fingerprint = Fingerprint::default().path(&sources)?.finish();
    let stamp = Stamp::at(project.local().join("models.stamp"));
    if stamp.matches(&fingerprint) && models.is_dir() {
        return Ok(());
    }
    stamp.clear();
    console.part("Build the models", "build-models", |part| {
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
        "no libonnxruntime.so below {}: remove the parent folder and try again",
        libraries.display()
    )
}
