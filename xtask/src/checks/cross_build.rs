//! Tests the tools with which `deploy` builds: builds one function for arm64 with the pinned Zig, on any machine.

use crate::aws::elf;
use crate::build::python::{SAM, ZIG};
use crate::console::{Console, Run};
use crate::project::Project;
use anyhow::{Context, Result, bail};
use std::env;
use std::path::{Path, PathBuf};

/// The smallest function: it has no AWS client.
const FUNCTION: &str = "filter-labels";
const TARGET: &str = "aarch64-unknown-linux-gnu";

/// Builds the function and checks the binary. Returns the reason if that is impossible on this machine.
pub(crate) fn check(project: &Project, console: &Console, run: Run<'_>) -> Result<Option<String>> {
    if !has_target(project)?
        && let Err(error) = run(project.command("rustup").args(["target", "add", TARGET]))
    {
        // An interrupt, or a failure of another part, is no reason to skip this one.
        console.check()?;
        return Ok(Some(format!(
            "can't install Rust's library for {TARGET}: {error:#}"
        )));
    }
    let target = project.target.join("cross");
    let mut cargo = project.cargo();
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(SAM.programs(project)).chain(env::split_paths(&path));
    let path = env::join_paths(folders).context("a folder of PATH has a colon in its name")?;
    cargo
        .args(["lambda", "build", "--release", "--arm64"])
        .args(["--package", FUNCTION, "--bin", FUNCTION])
        .env("PATH", path)
        .env("CARGO_ZIGBUILD_PYTHON_PATH", ZIG.program(project, "python"))
        .env("CARGO_TARGET_DIR", &target)
        // Optimization is for deployment: it takes time and does not change which tools are used.
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
    run(&mut cargo)?;
    let binary: PathBuf = target.join("lambda").join(FUNCTION).join("bootstrap");
    let found = elf::architecture_of(&binary)?;
    if found != "arm64" {
        bail!("{} is built for {found}, not for arm64", binary.display());
    }
    Ok(None)
}

/// Whether the compiler has the standard library for the target.
fn has_target(project: &Project) -> Result<bool> {
    let output = project
        .command("rustc")
        .args(["--print", "sysroot"])
        .output()
        .context("cannot run rustc")?;
    let sysroot = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(Path::new(&sysroot)
        .join("lib/rustlib")
        .join(TARGET)
        .join("lib")
        .is_dir())
}
