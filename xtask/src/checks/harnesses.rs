//! Tests that exactly the targets with unit tests have a test harness. Cargo links one for every library and binary, with
//! the whole AWS SDK, unless `Cargo.toml` says `test = false`; and with that, tests would never run.

use super::layers::sources;
use crate::project::{Package, Project, Target};
use std::fs;
use std::path::{Path, PathBuf};

/// The files of a target: all of `src`, but of a binary beside a library or others only its own.
fn files(package: &Package, target: &Target) -> Vec<PathBuf> {
    let of = |kind| package.targets.iter().filter(move |target| target.is(kind));
    if target.is("bin") && (of("lib").next().is_some() || of("bin").count() > 1) {
        return vec![target.src_path.clone()];
    }
    let mut files = vec![];
    sources(target.src_path.parent().unwrap_or(Path::new("")), &mut files);
    files.retain(|file| !of("bin").any(|binary| binary.src_path == *file && binary.name != target.name));
    files
}

fn has_unit_tests(file: &Path) -> bool {
    let code = fs::read_to_string(file).expect("a source file");
    ["#[test]", "#[tokio::test", "proptest!"]
        .iter()
        .any(|mark| code.lines().any(|line| line.trim_start().starts_with(mark)))
}

#[test]
fn exactly_the_targets_with_unit_tests_have_a_harness() {
    let mut wrong = vec![];
    for package in &Project::find().unwrap().packages {
        for target in package
            .targets
            .iter()
            .filter(|target| target.is("lib") || target.is("bin"))
        {
            let tested = files(package, target).iter().any(|file| has_unit_tests(file));
            if tested != target.test {
                let what = if tested {
                    "has unit tests that never run"
                } else {
                    "needs `test = false`"
                };
                wrong.push(format!(
                    "{} {:?} of {} {what}",
                    if target.is("lib") { "lib" } else { "bin" },
                    target.name,
                    package.name
                ));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
