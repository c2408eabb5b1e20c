//! The web page: its packages and its build.

use crate::console::Console;
use crate::fingerprint::{Fingerprint, Stamp};
use crate::project::Project;
use anyhow::Result;
use std::path::Path;

/// Installs the locked npm packages of a folder, unless they are installed.
pub(crate) fn install_packages(project: &Project, console: &Console, folder: &str) -> Result<()> {
    let path = project.path(folder);
    let fingerprint = Fingerprint::default()
        .path(&path.join("package-lock.json"))?
        .finish();
    // In the same folder, so that it is removed together with the packages.
    let stamp = Stamp::at(path.join("node_modules/.installed.stamp"));
    if stamp.matches(&fingerprint) {
        return Ok(());
    }
    console.part(
        &format!("Install the npm packages of {folder}"),
        &format!("install-npm-{folder}"),
        |part| {
            part.run(
                project
                    .command("npm")
                    .args(["ci", "--no-fund", "--no-audit"])
                    .current_dir(&path),
            )?;
            stamp.write(&fingerprint)
        },
    )
}

/// Builds the page if its sources have changed. Needs its packages.
pub(crate) fn build(project: &Project, console: &Console) -> Result<()> {
    let sources = project.path("frontend");
    // The page contains the sample pictures.
    let samples = project.path("samples");
    let fingerprint = Fingerprint::default().path(&sources)?.path(&samples)?.finish();
    let stamp = Stamp::at(project.local().join("page.stamp"));
    if stamp.matches(&fingerprint) && is_built(&project.page()) {
        return Ok(());
    }
    stamp.clear();
    console.part("Build the page", "build-page", |part| {
        part.run(
            project
                .command("npm")
                .args(["run", "build"])
                .current_dir(&sources),
        )?;
        stamp.write(&fingerprint)
    })
}

fn is_built(page: &Path) -> bool {
    page.join("index.html").is_file()
}
