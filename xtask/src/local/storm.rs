//! `storm`: uploads many files to a running stack at once, with invalid files, duplicate events, injected faults and a
//! Rekognition stand-in with a rate limit. Fails if an image is lost or processed twice.

use crate::build::{models, programs};
use crate::console::{Console, Interrupt, Run};
use crate::local::stack::{Description, stack_folder};
use crate::process;
use crate::project::Project;
use anyhow::{Context, Result};
use clap::Args;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

/// The stand-in prints this before its address.
const LISTENING: &str = "listening on ";

#[derive(Args)]
pub(crate) struct StormOptions {
    /// Images to upload
    #[arg(long, default_value_t = 500)]
    images: usize,
    /// Short videos to upload among them
    #[arg(long, default_value_t = 10)]
    videos: usize,
    /// The stand-in's rate limit in calls per second
    #[arg(long, default_value_t = 10.0)]
    max_tps: f64,
    /// The folder of a stack that nothing else uses at the same time [default: .local in the project's folder]
    #[arg(long, value_name = "FOLDER")]
    stack_dir: Option<PathBuf>,
}

/// Runs `cargo xtask storm`.
pub(crate) fn storm(options: &StormOptions, interrupt: &Interrupt) -> Result<ExitCode> {
    let project = Project::find()?;
    let folder = stack_folder(&project, options.stack_dir.as_deref())?;
    let console = Console::new(&folder.join("logs"), interrupt)?;
    run(
        &project,
        programs::tool(&project, "storm")?,
        &folder.join("stack.json"),
        (options.images, options.videos),
        options.max_tps,
        &|command| console.show(command),
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Uploads images and videos to the stack that `description` describes. Fails if one is lost or processed twice.
pub(crate) fn run(
    project: &Project,
    mut storm: Command,
    description: &Path,
    (images, videos): (usize, usize),
    max_tps: f64,
    run: Run<'_>,
) -> Result<()> {
    let stack = Description::read(description)?;
    let rekognition = ThrottledRekognition::start(project, &stack, max_tps)?;
    storm.args(["--images", &images.to_string(), "--videos", &videos.to_string()]);
    storm
        .env("ILG_STACK", description)
        .env("ILG_THROTTLED_REKOGNITION", &rekognition.url);
    run(&mut storm)
}

/// A Rekognition stand-in in addition to the stack's own. Dropping it stops it.
struct ThrottledRekognition {
    process: Child,
    url: String,
}

impl ThrottledRekognition {
    fn start(project: &Project, stack: &Description, max_tps: f64) -> Result<Self> {
        let mut command = project.command(project.binary("local-rekognition"));
        command
            .args(["--listen", "127.0.0.1:0", "--max-tps", &max_tps.to_string()])
            .args(["--s3-endpoint", &stack.endpoint])
            .args(["--sns-endpoint", &stack.endpoint])
            .arg("--models")
            .arg(project.models())
            .arg("--onnxruntime")
            .arg(models::onnx_runtime(project)?)
            .env("AWS_ACCESS_KEY_ID", &stack.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", &stack.secret_access_key)
            .env("AWS_REGION", &stack.region)
            .env("RUST_LOG", "error")
            .stdout(Stdio::piped());
        let process = process::spawn(&mut command).context("cannot start a Rekognition stand-in")?;
        let mut rekognition = Self {
            process,
            url: String::new(),
        };
        let output = rekognition
            .process
            .stdout
            .take()
            .context("the Rekognition stand-in has no output")?;
        let mut line = String::new();
        BufReader::new(output)
            .read_line(&mut line)
            .context("cannot read the Rekognition stand-in's address")?;
        rekognition.url = line
            .trim()
            .strip_prefix(LISTENING)
            .context("the Rekognition stand-in ended before it was ready")?
            .to_owned();
        Ok(rekognition)
    }
}

impl Drop for ThrottledRekognition {
    fn drop(&mut self) {
        process::stop_child(&mut self.process);
    }
}
