//! Local files: their names for the API, and their checksums.

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The longest name that the API accepts, in characters.
const MAX_NAME: usize = 255;

/// A file's name as the API accepts it. Replaces other characters.
pub(crate) fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    // As `POST /uploads` does.
    let is_refused = |c: char| {
        c.is_control()
            || matches!(c, '/' | '\\' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    name.chars()
        .take(MAX_NAME)
        .map(|c| if is_refused(c) { '_' } else { c })
        .collect()
}

/// Size and SHA-256 of a file.
///
/// # Errors
/// It can't be read, or is a folder.
pub(crate) fn describe(path: &Path) -> Result<(u64, [u8; 32])> {
    let cannot_read = || format!("can't read {}", path.display());
    let file = File::open(path).with_context(cannot_read)?;
    if file.metadata().with_context(cannot_read)?.is_dir() {
        bail!("{} is a folder; name the pictures in it", path.display());
    }
    digest(file).with_context(cannot_read)
}

/// Number of bytes and their SHA-256. Does not read all of them into memory.
///
/// # Errors
/// They can't be read.
pub(crate) fn digest(mut reader: impl Read) -> io::Result<(u64, [u8; 32])> {
    let mut digest = Sha256::new();
    let mut size = 0;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) => return Ok((size, digest.finalize().into())),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        digest.update(&buffer[..read]);
        size += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use std::fs;

    #[test]
    fn a_large_file_is_hashed_completely() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        fs::write(&file, vec![b'a'; 100_000]).unwrap();
        let (size, sha256) = describe(&file).unwrap();
        assert_eq!(size, 100_000);
        assert_eq!(
            BASE64_STANDARD.encode(sha256),
            "bRzyLXzAmwhd/CXuGh864CZYBMYHvCB0rSU7zIL9ge4="
        );
        assert!(
            describe(folder.path())
                .unwrap_err()
                .to_string()
                .contains("is a folder")
        );
        assert!(
            describe(&folder.path().join("none"))
                .unwrap_err()
                .to_string()
                .contains("can't read")
        );
    }

    #[test]
    fn characters_that_the_api_refuses_are_replaced() {
        let name = |path: &str| file_name(Path::new(path));
        assert_eq!(name("/a/Ça va \"bien\".jpg"), "Ça va \"bien\".jpg");
        assert_eq!(name("a\nb\\\u{202E}gpj.exe"), "a_b__gpj.exe");
        assert_eq!(name(&"x".repeat(300)).len(), 255);
    }
}
