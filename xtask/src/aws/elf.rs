//! Checks the architecture of built functions: with the wrong one, every invocation fails with only
//! `Runtime.InvalidEntrypoint` or "exec format error".

use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

/// `\x7fELF`, then 64 bits and little-endian, as on both of Lambda's architectures.
const MAGIC: [u8; 6] = [0x7f, b'E', b'L', b'F', 2, 1];
/// Where `e_machine` is in the header.
const MACHINE: std::ops::Range<usize> = 18..20;

/// Fails unless every function in a `sam build` folder is a binary for `architecture`, by Lambda's name.
pub(crate) fn check_functions(folder: &Path, architecture: &str) -> Result<()> {
    let mut wrong = Vec::new();
    let mut functions = 0;
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry
            .with_context(|| format!("cannot list {}", folder.display()))?
            .path();
        if !path.is_dir() {
            continue;
        }
        functions += 1;
        let found = architecture_of(&path.join("bootstrap"))?;
        if found != architecture {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            wrong.push(format!("{name} is built for {found}"));
        }
    }
    if functions == 0 {
        bail!("{} has no functions", folder.display());
    }
    if !wrong.is_empty() {
        wrong.sort();
        bail!(
            "the functions would be deployed as {architecture}, but {}. Something chooses a different target than SAM \
             does: look for CARGO_BUILD_TARGET in your environment, a CargoLambda.toml, and `build.target` in your \
             Cargo configuration",
            wrong.join(", ")
        );
    }
    Ok(())
}

/// The architecture of a binary, by Lambda's name.
pub(crate) fn architecture_of(binary: &Path) -> Result<String> {
    let mut header = [0; MACHINE.end];
    File::open(binary)
        .and_then(|mut file| file.read_exact(&mut header))
        .with_context(|| format!("{} is not a binary", binary.display()))?;
    if !header.starts_with(&MAGIC) {
        bail!("{} is not a 64-bit ELF binary", binary.display());
    }
    // From the ELF specification: EM_X86_64 and EM_AARCH64.
    Ok(match u16::from_le_bytes([header[18], header[19]]) {
        62 => "x86_64".to_owned(),
        183 => "arm64".to_owned(),
        other => format!("a processor that Lambda does not have (ELF machine {other})"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plant(folder: &Path, function: &str, machine: u16) {
        let mut header = MAGIC.to_vec();
        header.resize(18, 0);
        header.extend(machine.to_le_bytes());
        header.resize(64, 0);
        fs::create_dir_all(folder.join(function)).unwrap();
        fs::write(folder.join(function).join("bootstrap"), header).unwrap();
    }

    #[test]
    fn names_functions_for_another_architecture() {
        let folder = tempfile::tempdir().unwrap();
        plant(folder.path(), "ApiFunction", 62);
        plant(folder.path(), "NotifyFunction", 62);
        fs::write(folder.path().join("template.yaml"), "").unwrap();
        check_functions(folder.path(), "x86_64").unwrap();
        let error = check_functions(folder.path(), "arm64").unwrap_err().to_string();
        assert!(error.contains("ApiFunction is built for x86_64"), "{error}");

        plant(folder.path(), "NotifyFunction", 183);
        let error = check_functions(folder.path(), "x86_64").unwrap_err().to_string();
        assert!(error.contains("NotifyFunction is built for arm64"), "{error}");
        assert!(!error.contains("ApiFunction"), "{error}");
    }

    #[test]
    fn rejects_a_folder_without_functions() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check_functions(folder.path(), "arm64").is_err());
        fs::create_dir(folder.path().join("ApiFunction")).unwrap();
        assert!(check_functions(folder.path(), "arm64").is_err());
        fs::write(
            folder.path().join("ApiFunction/bootstrap"),
            "#!/bin/sh\nexit 0 # long enough\n",
        )
        .unwrap();
        let error = check_functions(folder.path(), "arm64").unwrap_err().to_string();
        assert!(error.contains("not a 64-bit ELF binary"), "{error}");
    }

    #[test]
    fn this_test_is_a_binary_for_this_machine() {
        let own = std::env::current_exe().unwrap();
        assert_eq!(
            architecture_of(&own).unwrap(),
            crate::prerequisites::architecture().unwrap()
        );
    }
}
