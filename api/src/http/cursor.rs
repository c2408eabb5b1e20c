//! The position at which a page ended, encoded for the next request. It is opaque to the caller, and valid only for the
//! same owner and the same query.
//!
//! A cursor is neither a secret nor a permission. The access token decides whose images are read; a cursor only decides
//! after which of them the next page starts.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use domain::Owner;
use sha2::{Digest, Sha256};

/// Incremented when the format or meaning of cursors changes, which invalidates earlier cursors.
const VERSION: u8 = 1;
/// Bytes of the checksum: enough to detect every accidental change.
const CHECKSUM: usize = 16;

/// Encodes a position. `query` is the canonical form of everything that decides which images a page has.
pub(crate) fn encode(owner: &Owner, query: &str, position: &str) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend(checksum(owner, query, position));
    bytes.extend(position.as_bytes());
    BASE64.encode(bytes)
}

/// Decodes a cursor, and reads its position with `parse`. `None` if it was not made for this owner and query.
pub(crate) fn decode<T>(
    owner: &Owner,
    query: &str,
    cursor: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let bytes = BASE64.decode(cursor).ok()?;
    let (version, rest) = bytes.split_first()?;
    let (found, position) = rest.split_at_checked(CHECKSUM)?;
    let position = std::str::from_utf8(position).ok()?;
    let is_valid = *version == VERSION && found == checksum(owner, query, position);
    is_valid.then(|| parse(position)).flatten()
}

fn checksum(owner: &Owner, query: &str, position: &str) -> [u8; CHECKSUM] {
    let mut hash = Sha256::new();
    for part in [
        &[VERSION][..],
        owner.as_str().as_bytes(),
        query.as_bytes(),
        position.as_bytes(),
    ] {
        // The length separates a part from the next one.
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let mut checksum = [0; CHECKSUM];
    checksum.copy_from_slice(&hash.finalize()[..CHECKSUM]);
    checksum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(name: &str) -> Owner {
        Owner::new(name).unwrap()
    }

    const POSITION: &str = "2026-11-22T12:00:00.000#0193a5a0-0000-7000-8000-000000000001";

    fn decode(owner: &Owner, query: &str, cursor: &str) -> Option<String> {
        super::decode(owner, query, cursor, |position| Some(position.to_owned()))
    }

    #[test]
    fn a_cursor_decodes_to_its_position() {
        let cursor = encode(&owner("a"), "label=cat", POSITION);
        assert_eq!(
            decode(&owner("a"), "label=cat", &cursor).as_deref(),
            Some(POSITION)
        );
    }

    #[test]
    fn a_cursor_is_invalid_for_another_owner_or_query_or_after_a_change() {
        let cursor = encode(&owner("a"), "label=cat", POSITION);
        assert_eq!(decode(&owner("b"), "label=cat", &cursor), None);
        assert_eq!(decode(&owner("a"), "label=dog", &cursor), None);
        for index in 0..cursor.len() {
            let mut changed = cursor.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(decode(&owner("a"), "label=cat", &changed), None, "{changed}");
        }
        for cursor in [
            "",
            "A",
            "AQ",
            "%%",
            &cursor[1..],
            &cursor[..cursor.len() - 1],
            &format!("{cursor}A"),
        ] {
            assert_eq!(decode(&owner("a"), "label=cat", cursor), None, "{cursor}");
        }
    }
}
