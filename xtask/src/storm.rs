//! `storm`: many uploads at once through a running stack, with bad files, events that come twice, services that break
//! and a labeler that takes only so many calls a second. Afterwards it counts what was lost and what was doubled.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitCode, Stdio};

use anyhow::{Context, Result};
use clap::Args;

use crate::console::{Console, Interrupt};
use crate::process;
use crate::project::Project;
use crate::stack::{ACCESS_KEY_ID, Description, SECRET_ACCESS_KEY};
use crate::tools;
use crate::up::stack_folder;

/// What the labeler prints before its address.
const LISTENING: &str = "listening on ";

#[derive(Args)]
pub(crate) struct StormOptions {
    /// How many images to upload
    #[arg(long, default_value_t = 500)]
    images: usize,
    /// Calls a second that the labeler takes; beyond them it throttles
    #[arg(long, default_value_t = 10.0)]
    max_tps: f64,
    /// The folder of a stack that nobody else uses meanwhile [default: .local in the project's folder]
    #[arg(long, value_name = "FOLDER")]
    stack_dir: Option<PathBuf>,
}

/// Runs `cargo xtask storm`.
pub(crate) fn storm(options: &StormOptions, interrupt: &Interrupt) -> Result<ExitCode> {
    let project = Project::find()?;
    let folder = stack_folder(&project, options.stack_dir.as_deref())?;
    let console = Console::new(&folder.join("logs"), interrupt)?;
    rage(
        &project,
        &console,
        &folder.join("stack.json"),
        options.images,
        options.max_tps,
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Sends so many images through the stack that `description` describes; fails if one is lost or doubled.
pub(crate) fn rage(
    project: &Project,
    console: &Console,
    description: &Path,
    images: usize,
    max_tps: f64,
) -> Result<()> {
    let stack = Description::read(description)?;
    let labeler = ThrottledLabeler::start(project, &stack, max_tps)?;
    // Built as the tests of the whole workspace are, whose programs Cargo builds with them: else the AWS SDK would be
    // compiled again, for other features.
    console.show(
        project
            .cargo()
            .args(["test", "--quiet", "--workspace", "--no-run", "--test", "faults"]),
    )?;
    let mut storm = project.command(project.binary("storm"));
    storm.args(["--images", &images.to_string()]);
    storm
        .env("ILG_STACK", description)
        .env("ILG_THROTTLED_LABELER", &labeler.url);
    console.show(&mut storm)
}

/// A labeler beside the stack's own. It stops when dropped.
struct ThrottledLabeler {
    process: Child,
    url: String,
}

impl ThrottledLabeler {
    fn start(project: &Project, stack: &Description, max_tps: f64) -> Result<Self> {
        let mut command = project.command(project.binary("labeler"));
        command
            .args(["--listen", "127.0.0.1:0", "--max-tps", &max_tps.to_string()])
            .args(["--s3-endpoint", &stack.endpoint])
            .arg("--models")
            .arg(project.models())
            .arg("--onnxruntime")
            .arg(tools::onnx_runtime(project)?)
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
            .env("AWS_REGION", &stack.region)
            .env("RUST_LOG", "error")
            .stdout(Stdio::piped());
        let process = process::spawn(&mut command).context("cannot start a labeler")?;
        let mut labeler = Self {
            process,
            url: String::new(),
        };
        let output = labeler
            .process
            .stdout
            .take()
            .context("the labeler has no output")?;
        let mut line = String::new();
        BufReader::new(output)
            .read_line(&mut line)
            .context("cannot read the labeler's address")?;
        labeler.url = line
            .trim()
            .strip_prefix(LISTENING)
            .context("the labeler ended before it was ready")?
            .to_owned();
        Ok(labeler)
    }
}

impl Drop for ThrottledLabeler {
    fn drop(&mut self) {
        process::stop_child(&mut self.process);
    }
}
