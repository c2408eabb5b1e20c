//! `smoke`: checks a deployed stack as a temporary user, on this machine or in AWS.

use crate::aws::target::{Target, TargetOptions};
use crate::console::{Console, Interrupt, Run};
use crate::project::Project;
use anyhow::Result;
use clap::Args;
use std::process::ExitCode;

#[derive(Args)]
pub(crate) struct SmokeOptions {
    #[command(flatten)]
    target: TargetOptions,
}

/// Runs `cargo xtask smoke`.
pub(crate) fn smoke(options: &SmokeOptions, interrupt: &Interrupt) -> Result<ExitCode> {
    let project = Project::find()?;
    let console = Console::new(&project.local().join("logs"), interrupt)?;
    let target = options.target.find(&project)?;
    check(&project, &target, &|command| console.show(command))?;
    Ok(ExitCode::SUCCESS)
}

/// Runs all checks. Fails if one of them fails. Removes all test data in either case.
pub(crate) fn check(project: &Project, target: &Target, run: Run<'_>) -> Result<()> {
    let mut script = target.script(project, "smoke.py")?;
    if let Target::Emulator { stack } = target {
        // The emulator's CloudFront can't reach the API: `local/web` replaces it.
        script.args(["--emulator-web-url", &stack.web_url]);
    }
    run(&mut script)
}
