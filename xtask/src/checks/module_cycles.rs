//! Tests that xtask's modules do not import each other in a circle.

use super::layers::sources;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// For each module, the modules that it imports. Modules are files: `local/stack.rs` is `local::stack`.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// The module graph of a crate's sources, by their paths relative to `src`.
fn graph(files: &BTreeMap<String, String>) -> Graph {
    let name = |path: &str| {
        path.trim_end_matches(".rs")
            .trim_end_matches("/mod")
            .replace('/', "::")
    };
    let modules: BTreeSet<String> = files.keys().map(|path| name(path)).collect();
    let module_of = |path: &str| {
        let mut path = path.to_owned();
        loop {
            if modules.contains(&path) {
                return Some(path);
            }
            path = path.rsplit_once("::")?.0.to_owned();
        }
    };
    files
        .iter()
        .map(|(path, code)| {
            let own = name(path);
            // Tests may use modules that use this one.
            let code = code.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            let imported = code
                .split("use crate::")
                .skip(1)
                .filter_map(|rest| rest.split_once(';'))
                .flat_map(|(import, _)| paths(import))
                .filter_map(|path| module_of(&path))
                .filter(|module| *module != own)
                .collect();
            (own, imported)
        })
        .collect()
}

/// The paths that an import names: `a::{b, c::d}` names `a::b` and `a::c::d`. Handles one level of braces.
fn paths(import: &str) -> Vec<String> {
    match import.split_once('{') {
        None => vec![import.trim().to_owned()],
        Some((prefix, names)) => names
            .trim_end_matches('}')
            .split(',')
            .map(|name| format!("{prefix}{}", name.trim()))
            .collect(),
    }
}

/// A circle of imports, if there is one.
fn cycle(graph: &Graph) -> Option<Vec<String>> {
    fn visit(graph: &Graph, module: &str, path: &mut Vec<String>, done: &mut BTreeSet<String>) -> bool {
        if let Some(start) = path.iter().position(|visited| visited == module) {
            path.drain(..start);
            return true;
        }
        if !done.contains(module) {
            path.push(module.to_owned());
            for imported in graph.get(module).into_iter().flatten() {
                if visit(graph, imported, path, done) {
                    return true;
                }
            }
            path.pop();
            done.insert(module.to_owned());
        }
        false
    }
    let (mut path, mut done) = (vec![], BTreeSet::new());
    graph
        .keys()
        .any(|module| visit(graph, module, &mut path, &mut done))
        .then_some(path)
}

#[test]
fn no_module_imports_itself_through_others() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = vec![];
    sources(&folder, &mut found);
    let files = found
        .iter()
        .map(|path| {
            let relative = path.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
            (relative, fs::read_to_string(path).unwrap())
        })
        .collect();
    let graph = graph(&files);
    for (module, imported) in &graph {
        println!(
            "{module} → {}",
            imported.iter().cloned().collect::<Vec<_>>().join(", ")
        );
    }
    assert_eq!(cycle(&graph), None);
}

#[test]
fn finds_a_planted_cycle() {
    let file = |path: &str, code: &str| (path.to_owned(), code.to_owned());
    let mut files = BTreeMap::from([
        file(
            "local/sam.rs",
            "use crate::local::stack::{Ports, Stack};\nuse anyhow::Result;",
        ),
        file("local/stack.rs", "use crate::local::{keys::Keys, project};"),
        file(
            "local/keys.rs",
            "#[cfg(test)]\nmod tests {\n    use crate::local::sam;\n}",
        ),
    ]);
    assert_eq!(cycle(&graph(&files)), None);
    files.extend([file("local/keys.rs", "use crate::local::sam::deploy;")]);
    let found = cycle(&graph(&files)).unwrap();
    assert_eq!(found, ["local::keys", "local::sam", "local::stack"]);
}
