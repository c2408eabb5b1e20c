//! The Rust programs: the functions, the programs of `local/` and the tools.

use crate::console::Console;
use crate::files::{self, remove};
use crate::project::Project;
use anyhow::{Context, Result, anyhow, bail};
use serde_json::json;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Builds the functions, the programs of `local/` and some tools with the features that the whole workspace and its tests
/// need. With `--package`, or without `--examples` (there are none), Cargo would leave out some of these features and
/// compile the AWS SDK a second time for the tests.
pub(crate) fn build(project: &Project, console: &Console, tools: &[&str]) -> Result<()> {
    console.part(
        "Build the functions and the local services",
        "build-programs",
        |part| {
            let mut cargo = project.cargo();
            cargo.args(["build", "--workspace", "--examples"]);
            for binary in [
                &project.functions()[..],
                &project.stand_ins(),
                &["label-client"],
                tools,
            ]
            .concat()
            {
                cargo.args(["--bin", binary]);
            }
            part.run(&mut cargo)?;
            pack(project)
        },
    )
}

/// A program of the folder `tools`, built if it is not up to date.
pub(crate) fn tool(project: &Project, name: &str) -> Result<Command> {
    let mut cargo = project.cargo();
    cargo.args(["build", "--quiet", "--workspace", "--examples", "--bin", name]);
    let status = cargo.status().context("can't start cargo")?;
    if !status.success() {
        bail!("can't build {name}");
    }
    Ok(project.command(project.binary(name)))
}

/// Packs the built functions as `sam build` and `sam deploy` do for AWS: a ZIP file with a `bootstrap` for each function,
/// and a template that names these files.
///
/// `sam build` would compile every dependency a second time: it builds each function separately, with the release profile
/// and only the features of that function. On this machine, the functions are built with everything else ([`build`]).
fn pack(project: &Project) -> Result<()> {
    let folder = build_folder(project);
    remove(&folder)?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    thread::scope(|scope| {
        let packing: Vec<_> = project
            .functions()
            .into_iter()
            .map(|function| {
                let (from, to) = (project.binary(function), packed(&folder, function));
                scope.spawn(move || {
                    zip(&from, &to)
                        .with_context(|| format!("cannot pack {} into {}", from.display(), to.display()))
                })
            })
            .collect();
        packing.into_iter().try_for_each(|packing| {
            packing
                .join()
                .map_err(|_| anyhow!("packing a function panicked"))?
        })
    })?;
    let path = project.path("template.yaml");
    let template = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    files::write(
        &built_template(project),
        &with_built_code(&template, &folder, &project.path("")),
    )
}

fn packed(folder: &Path, function: &str) -> PathBuf {
    folder.join(function).with_extension("zip")
}

/// Packs a program for Lambda. Deterministic: `sam deploy` uploads a file only if its digest is new.
fn zip(program: &Path, zip: &Path) -> Result<()> {
    let mut zip = ZipWriter::new(File::create(zip)?);
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(1))
        .unix_permissions(0o755);
    zip.start_file("bootstrap", options)?;
    io::copy(&mut File::open(program)?, &mut zip)?;
    zip.finish()?;
    Ok(())
}

/// The template with every `CodeUri` replaced by the function's ZIP file in `built`, and every `DefinitionUri` by an
/// absolute path in `root`. The ZIP file has the name of the last folder in `CodeUri`.
fn with_built_code(template: &str, built: &Path, root: &Path) -> String {
    let mut text = String::with_capacity(template.len());
    for line in template.lines() {
        let (indent, entry) = line.split_at(line.len() - line.trim_start().len());
        let absolute = match entry.split_once(": ") {
            Some((name @ "CodeUri", source)) => {
                let function = source.rsplit('/').next().unwrap_or(source);
                Some((name, packed(built, function)))
            }
            Some((name @ "DefinitionUri", source)) => Some((name, root.join(source))),
            _ => None,
        };
        match absolute {
            // A JSON string is a YAML string, whatever characters the path has.
            Some((name, path)) => {
                text.push_str(&format!("{indent}{name}: {}", json!(path)));
            }
            None => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

fn build_folder(project: &Project) -> PathBuf {
    project.local().join("build/functions")
}

/// The template that names the packed functions.
pub(crate) fn built_template(project: &Project) -> PathBuf {
    build_folder(project).join("template.yaml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_and_definitions_are_deployed_from_their_built_files() {
        let template = "Resources:\n  A:\n    Properties:\n      CodeUri: steps/validate\n      Description: It.\n  \
                        B:\n    Properties:\n      DefinitionUri: statemachine/label-image.asl.json\n";
        assert_eq!(
            with_built_code(template, Path::new("/built \"here\""), Path::new("/project")),
            "Resources:\n  A:\n    Properties:\n      CodeUri: \"/built \\\"here\\\"/validate.zip\"\n      \
             Description: It.\n  B:\n    Properties:\n      \
             DefinitionUri: \"/project/statemachine/label-image.asl.json\"\n"
        );
    }
}
