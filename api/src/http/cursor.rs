//! The position at which a page ended, encoded for the next request. It is opaque to the caller, and valid only for the
//! same owner and the same query. In a list of images it is a [`Position`].
//!
//! A cursor is neither a secret nor a permission. The access token decides whose images are read; a cursor only decides
//! after which of them the next page starts.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use domain::{ImageId, Owner};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// Incremented when the format or meaning of cursors changes, which invalidates earlier cursors.
const VERSION: u8 = 1;
/// Bytes of the checksum: enough to detect every accidental change.
const CHECKSUM: usize = 16;
/// Characters of [`domain::table::history_sort`]: a time with milliseconds, `#` and an id.
const POSITION: usize = 24 + 1 + 36;

/// A position in the list of an owner's images: the [`domain::table::history_sort`] of an image, which may have been
/// deleted since.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position(String);

impl Position {
    /// `None` if the text is not a valid sort key.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (time, id) = text.split_once('#')?;
        let instant: Timestamp = time.parse().ok()?;
        let canonical = format!("{instant:.3}") == time && text.len() == POSITION;
        (canonical && ImageId::parse(id).is_some()).then(|| Self(text.to_owned()))
    }

    /// The sort key.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The image's ID.
    pub(crate) fn image_id(&self) -> Option<ImageId> {
        ImageId::parse(self.0.split_once('#')?.1)
    }

    /// A text that sorts directly before this position: DynamoDB's BETWEEN includes its ends. A position ends in a
    /// hexadecimal digit, which always has a preceding character.
    pub(crate) fn just_before(&self) -> String {
        let mut bytes = self.0.clone().into_bytes();
        if let Some(last) = bytes.last_mut() {
            *last -= 1;
        }
        String::from_utf8(bytes).unwrap_or_default()
    }
}

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
    use domain::table::history_sort;

    fn owner(name: &str) -> Owner {
        Owner::new(name).unwrap()
    }

    fn decode(owner: &Owner, query: &str, cursor: &str) -> Option<Position> {
        super::decode(owner, query, cursor, Position::parse)
    }

    fn position() -> Position {
        Position::parse(&history_sort("2026-11-22T12:00:00.000Z", ImageId::new())).unwrap()
    }

    #[test]
    fn a_cursor_decodes_to_its_position() {
        let position = position();
        let cursor = encode(&owner("a"), "label=cat", position.as_str());
        assert_eq!(decode(&owner("a"), "label=cat", &cursor), Some(position));
    }

    #[test]
    fn a_cursor_is_invalid_for_another_owner_or_query_or_after_a_change() {
        let cursor = encode(&owner("a"), "label=cat", position().as_str());
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

    #[test]
    fn a_position_is_a_sort_key_of_an_image() {
        let id = ImageId::new();
        for text in [
            String::new(),
            "#".into(),
            format!("2026-11-22T12:00:00Z#{id}"),
            format!("2026-11-22T12:00:00.000Z#{id}#"),
            format!("-002026-11-22T12:00:00.000Z#{id}"),
            "2026-11-22T12:00:00.000Z#IMAGE".into(),
        ] {
            assert_eq!(Position::parse(&text), None, "{text}");
        }
    }

    #[test]
    fn no_position_is_between_a_position_and_just_before_it() {
        let at = |digit: char| {
            Position::parse(&format!(
                "2026-11-22T12:00:00.000Z#0193a5a0-0000-7000-8000-00000000000{digit}"
            ))
            .unwrap()
        };
        for (lower, upper) in [('0', '1'), ('8', '9'), ('9', 'a'), ('e', 'f')] {
            assert!(at(upper).just_before().as_str() >= at(lower).as_str());
            assert!(at(upper).just_before().as_str() < at(upper).as_str());
        }
        assert!(at('0').just_before().as_str() < at('0').as_str());
    }
}
