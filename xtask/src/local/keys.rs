//! The access key of a local stack. It is random, and only its owner can read it.

use crate::files::{read_json, write_json};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The access key of the root user of a stack's account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Keys {
    /// A secret: the emulator does not check the root user's signature.
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
}

impl Keys {
    /// The key of the stack in this folder. The first call creates it.
    pub(crate) fn of(folder: &Path) -> Result<Self> {
        let path = folder.join("keys.json");
        if let Some(keys) = read_json(&path)? {
            return Ok(keys);
        }
        let keys = Self {
            // Unlike keys of AWS, which begin with AKIA, so that no scanner reports it as a leaked key.
            access_key_id: format!("LOCAL{}", random_hexadecimal(15)?.to_uppercase()),
            secret_access_key: random_hexadecimal(20)?,
        };
        write_json(&path, &keys)?;
        Ok(keys)
    }
}

fn random_hexadecimal(bytes: usize) -> Result<String> {
    let mut random = vec![0; bytes];
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut random))
        .context("cannot read random bytes from /dev/urandom")?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn each_stack_has_its_own_key() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let keys = Keys::of(one.path()).unwrap();
        assert!(keys == Keys::of(one.path()).unwrap());
        let others = Keys::of(other.path()).unwrap();
        assert_ne!(keys.access_key_id, others.access_key_id);
        assert_ne!(keys.secret_access_key, others.secret_access_key);
    }

    #[test]
    fn keys_have_a_format_that_aws_clients_and_the_guard_accept() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::of(folder.path()).unwrap();
        assert_eq!(keys.access_key_id.len(), 35);
        assert_eq!(keys.secret_access_key.len(), 40);
        assert!(keys.access_key_id.chars().all(|c| c.is_ascii_alphanumeric()));
    }

    #[test]
    fn other_users_cannot_read_the_key() {
        let folder = tempfile::tempdir().unwrap();
        Keys::of(folder.path()).unwrap();
        let mode = folder
            .path()
            .join("keys.json")
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
