//! The HTTP API: every route, one Lambda function behind API Gateway.
//!
//! Picture bytes never pass through here: `POST /api/uploads` returns a presigned PUT.

mod app;
mod http;
#[cfg(test)]
mod openapi;
mod quota;
mod router;
mod routes;

pub use app::App;
pub use router::router;

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::{Path, PathBuf};

    fn sources(folder: &Path) -> Vec<PathBuf> {
        let paths = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        paths
            .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
            .collect()
    }

    /// The modules that each module names by `crate::…`.
    fn imports() -> BTreeMap<String, BTreeSet<String>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let module = |path: &Path| {
            let path = path.strip_prefix(&folder).unwrap().with_extension("");
            path.to_str().unwrap().replace(std::path::MAIN_SEPARATOR, "::")
        };
        let paths = sources(&folder);
        let modules: BTreeSet<String> = paths.iter().map(|path| module(path)).collect();
        let imported = |path: &Path| {
            let text = std::fs::read_to_string(path).unwrap();
            let names = text.split("crate::").skip(1).map(|rest| {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
                rest[..end.unwrap_or(rest.len())].to_owned()
            });
            let is_in = |name: &str, module: &str| name == module || name.starts_with(&format!("{module}::"));
            let longest = |name: String| {
                modules
                    .iter()
                    .filter(|module| is_in(&name, module))
                    .max_by_key(|m| m.len())
            };
            names.filter_map(longest).cloned().collect()
        };
        paths.iter().map(|path| (module(path), imported(path))).collect()
    }

    #[test]
    fn http_imports_nothing_but_http() {
        for (module, imported) in imports() {
            if module.starts_with("http") {
                assert!(
                    imported.iter().all(|other| other.starts_with("http")),
                    "{module}: {imported:?}"
                );
            }
        }
    }

    #[test]
    fn modules_do_not_import_each_other_in_a_cycle() {
        let mut left = imports();
        // Without a cycle, some module imports only modules that are gone.
        while !left.is_empty() {
            let before = left.len();
            let names: BTreeSet<String> = left.keys().cloned().collect();
            left.retain(|name, imported| {
                imported
                    .iter()
                    .any(|other| other != name && names.contains(other))
            });
            assert!(left.len() < before, "{left:?}");
        }
    }
}
