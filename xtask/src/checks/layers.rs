//! Tests the dependency direction between the workspace's crates:
//!
//! `steps`, `listeners`, `api` → `records`, `objects`, `picture`, … → `aws` → `domain`
//!
//! Only `main.rs` files of functions use `lambda`. Nothing that is deployed depends on `local`, `tools`, `tests` or
//! `xtask`, except for its own tests.

use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The part of the project that a crate belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    Domain,
    Aws,
    Lambda,
    /// All other crates in `crates`.
    Library,
    Step,
    Listener,
    Api,
    Local,
    Tool,
    Tests,
    Xtask,
}

impl Layer {
    /// The layer of a folder, relative to the project's.
    fn of(folder: &str) -> Option<Self> {
        Some(match folder.split_once('/').unwrap_or((folder, "")) {
            ("crates", "domain") => Self::Domain,
            ("crates", "aws") => Self::Aws,
            ("crates", "lambda") => Self::Lambda,
            ("crates", _) => Self::Library,
            ("steps", _) => Self::Step,
            ("listeners", _) => Self::Listener,
            ("api", _) => Self::Api,
            ("local", _) => Self::Local,
            ("tools", _) => Self::Tool,
            ("tests", _) => Self::Tests,
            ("xtask", _) => Self::Xtask,
            _ => return None,
        })
    }

    fn may_depend_on(self, other: Self) -> bool {
        use Layer::{Api, Aws, Domain, Lambda, Library, Listener, Local, Step, Tests, Tool, Xtask};
        match self {
            // xtask is the first thing that compiles on a new machine.
            Domain | Xtask => false,
            Aws | Lambda => other == Domain,
            Library => matches!(other, Domain | Aws | Library),
            Step | Api => matches!(other, Domain | Aws | Lambda | Library),
            // record-failure and reconcile send the same notification as the step notify.
            Listener => matches!(other, Domain | Aws | Lambda | Library | Step),
            Local => matches!(other, Domain | Aws | Library | Local),
            Tool => other != Xtask,
            Tests => !matches!(other, Tool | Xtask),
        }
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// Only crates of this workspace have one.
    path: Option<PathBuf>,
    kind: Option<String>,
}

/// One sentence for each dependency in a forbidden direction.
fn violations(metadata: &Metadata) -> Vec<String> {
    let layer = |folder: &Path| {
        let relative = folder.strip_prefix(&metadata.workspace_root).ok()?;
        Layer::of(relative.to_str()?)
    };
    let mut found = vec![];
    for package in &metadata.packages {
        let folder = package.manifest_path.parent().unwrap_or(Path::new(""));
        let Some(from) = layer(folder) else {
            found.push(format!("{} is in a folder without a layer", package.name));
            continue;
        };
        for dependency in &package.dependencies {
            let Some(path) = &dependency.path else { continue };
            if dependency.kind.as_deref() == Some("dev") {
                continue;
            }
            if !layer(path).is_some_and(|to| from.may_depend_on(to)) {
                found.push(format!("{} depends on {}", package.name, dependency.name));
            }
        }
    }
    found
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("cargo");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a workspace")
}

/// The Rust sources in a folder, without build results.
pub(super) fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("target") && !path.ends_with("node_modules") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Whether code uses the crate `lambda`. `aws_sdk_lambda` and modules called `lambda` are something else.
fn uses_lambda(code: &str) -> bool {
    code.match_indices("lambda::").any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

#[test]
fn dependencies_point_in_one_direction() {
    let metadata = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: Metadata = serde_json::from_str(&metadata).unwrap();
    assert_eq!(violations(&metadata), Vec::<String>::new());
}

#[test]
fn only_main_files_use_the_lambda_runtime() {
    let mut files = vec![];
    for folder in ["api", "crates", "listeners", "local", "steps"] {
        sources(&root().join(folder), &mut files);
    }
    let found: Vec<_> = files
        .iter()
        .filter(|path| !path.ends_with("src/main.rs") && !path.starts_with(root().join("crates/lambda")))
        .filter(|path| uses_lambda(&fs::read_to_string(path).unwrap()))
        .collect();
    assert_eq!(found, Vec::<&PathBuf>::new());
}

#[test]
fn xtask_compiles_without_the_aws_sdk_and_tokio() {
    let tree = cargo(&[
        "tree",
        "--package",
        "xtask",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
    ]);
    let heavy = |line: &&str| {
        ["aws-", "tokio", "reqwest", "hyper"]
            .iter()
            .any(|name| line.starts_with(name))
    };
    assert_eq!(tree.lines().find(heavy), None);
}

fn planted(folder: &str, dependency: &str, kind: Option<&str>) -> Vec<String> {
    let metadata = serde_json::json!({
        "workspace_root": "/project",
        "packages": [{
            "name": "planted",
            "manifest_path": format!("/project/{folder}/Cargo.toml"),
            "dependencies": [
                {"name": "serde", "path": null, "kind": null},
                {"name": "other", "path": format!("/project/{dependency}"), "kind": kind},
            ],
        }],
    });
    violations(&serde_json::from_value(metadata).unwrap())
}

#[test]
fn finds_planted_violations() {
    for (folder, dependency) in [
        ("crates/domain", "crates/aws"),
        ("crates/aws", "crates/records"),
        ("crates/lambda", "crates/aws"),
        ("crates/records", "crates/lambda"),
        ("crates/records", "steps/persist"),
        ("crates/picture", "local/guard"),
        ("steps/persist", "steps/notify"),
        ("steps/persist", "listeners/thumbnails"),
        ("api", "steps/validate"),
        ("api", "tools/backpressure"),
        ("listeners/thumbnails", "tests"),
        ("local/rekognition", "api"),
        ("local/web", "crates/lambda"),
        ("tests", "tools/storm"),
        ("xtask", "crates/domain"),
        ("elsewhere", "crates/domain"),
    ] {
        assert_eq!(
            planted(folder, dependency, None).len(),
            1,
            "{folder} → {dependency}"
        );
        let build = planted(folder, dependency, Some("build"));
        assert_eq!(build.len(), 1, "{folder} → {dependency}, in a build script");
    }
}

#[test]
fn allows_the_intended_direction() {
    for (folder, dependency) in [
        ("crates/records", "crates/aws"),
        ("crates/picture", "crates/picture-header"),
        ("steps/persist", "crates/records"),
        ("steps/persist", "crates/lambda"),
        ("listeners/record-failure", "steps/notify"),
        ("api", "crates/domain"),
        ("local/rekognition", "local/guard"),
        ("tools/storm", "tests"),
    ] {
        assert_eq!(
            planted(folder, dependency, None),
            [""; 0],
            "{folder} → {dependency}"
        );
    }
    // Tests may use whatever helps.
    assert_eq!(
        planted("crates/records", "tools/backpressure", Some("dev")),
        [""; 0]
    );
}

#[test]
fn tells_the_lambda_crate_from_others() {
    assert!(uses_lambda("use lambda::environment;"));
    assert!(uses_lambda("    lambda::run(handle).await"));
    assert!(!uses_lambda("use aws_sdk_lambda::Client;"));
    assert!(!uses_lambda("use aws_lambda_events::event;"));
    assert!(!uses_lambda("events::lambda::Event"));
}
