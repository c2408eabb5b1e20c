//! `sam local invoke` with a local stack: the files that it needs, and the connection from its containers to the stack.
//!
//! The stack listens on 127.0.0.1, which is another interface inside a container. `local/forward` connects the two
//! through Unix sockets in the folder of the functions' code, which the SAM CLI mounts into the container.

use crate::build::python::SAM;
use crate::console::Console;
use crate::deployed::STACK_NAME;
use crate::files::remove;
use crate::local::stack::{Stack, aws_environment};
use crate::project::Project;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// The image in which the tests run functions; `local/invoke/base_image.py` makes it.
pub(crate) const BASE_IMAGE: &str = "image-label-generator-test-base";
/// The exit status of `local/invoke/base_image.py` if no Docker daemon answers.
const NO_DOCKER: i32 = 69;

/// The output of `local/invoke/prepare.py`.
#[derive(Debug, Deserialize)]
struct Prepared {
    /// The ports on 127.0.0.1 that the functions connect to.
    ports: Vec<u16>,
}

/// The files of a stack for `sam local invoke`.
#[derive(Debug)]
pub(crate) struct InvokeFiles {
    sockets: PathBuf,
    ports: Vec<u16>,
}

/// Writes the files for `sam local invoke`: a template of the deployed functions and their code.
pub(crate) fn prepare(project: &Project, console: &Console, stack: &Stack) -> Result<InvokeFiles> {
    console.part(
        "Write the files for `sam local invoke`",
        "prepare-invoke",
        |part| {
            let mut python = SAM.python(project);
            aws_environment(&mut python, &stack.endpoints(), &stack.keys()?);
            python
                .arg("local/invoke/prepare.py")
                .args(["--stack-name", STACK_NAME])
                .arg("--template")
                .arg(project.path("template.yaml"))
                .arg("--programs")
                .arg(project.binary(""))
                .arg("--folder")
                .arg(stack.invoke_folder());
            let prepared: Prepared = serde_json::from_str(&part.output(&mut python)?)
                .context("local/invoke/prepare.py printed an unknown format")?;
            Ok(InvokeFiles {
                sockets: stack.invoke_folder().join("code/sockets"),
                ports: prepared.ports,
            })
        },
    )
}

impl InvokeFiles {
    /// The program that forwards from the sockets in the code's folder to the stack.
    pub(crate) fn forward(&self, project: &Project) -> Result<Command> {
        // Remove the sockets of an earlier run, which may have had other ports.
        remove(&self.sockets)?;
        fs::create_dir(&self.sockets).with_context(|| format!("cannot make {}", self.sockets.display()))?;
        let mut command = project.command(project.binary("forward"));
        // A socket's path is limited to 107 bytes, and this folder's may be longer.
        command.current_dir(&self.sockets);
        for port in &self.ports {
            command.arg(format!("unix:{port}.sock=tcp:127.0.0.1:{port}"));
        }
        Ok(command)
    }
}

/// Builds the image in which the tests run functions. Returns the reason if Docker is not available.
pub(crate) fn build_base_image(project: &Project) -> Result<Option<String>> {
    let mut python = SAM.python(project);
    python
        .arg("local/invoke/base_image.py")
        .args(["--name", BASE_IMAGE]);
    let output = python.output().context("cannot run local/invoke/base_image.py")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => Ok(None),
        Some(NO_DOCKER) => Ok(Some(errors.trim().to_owned())),
        _ => bail!("local/invoke/base_image.py failed ({})\n{errors}", output.status),
    }
}
