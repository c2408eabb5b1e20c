//! Where a page ended, as the caller carries it to the next request: opaque to the caller, and of use for the same
//! owner and the same query only.
//!
//! It is no secret and no permission. The partition that is read comes from the access token; a cursor says only
//! after which of that owner's images to go on.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use domain::{ImageId, Owner};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// Changes when cursors change their form or meaning: those handed out before are refused then.
const VERSION: u8 = 1;
/// Bytes of the checksum: enough that no accident and no edit hits it.
const CHECKSUM: usize = 16;
/// Characters of [`domain::table::history_sort`]: a time with milliseconds, `#` and an id.
const POSITION: usize = 24 + 1 + 36;

/// A place in an owner's images, newest first: [`domain::table::history_sort`] of an image, which may be gone by now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position(String);

impl Position {
    /// `None` for what is no sort key of this form.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (time, id) = text.split_once('#')?;
        let instant: Timestamp = time.parse().ok()?;
        let canonical = format!("{instant:.3}") == time && text.len() == POSITION;
        (canonical && ImageId::parse(id).is_some()).then(|| Self(text.to_owned()))
    }

    /// The sort key itself.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The image's id.
    pub(crate) fn image_id(&self) -> Option<ImageId> {
        ImageId::parse(self.0.split_once('#')?.1)
    }

    /// The greatest text that sorts before this position and not before any other: DynamoDB's BETWEEN includes its
    /// ends. Positions end in a hexadecimal digit, before which there is always another character.
    pub(crate) fn just_before(&self) -> String {
        let mut bytes = self.0.clone().into_bytes();
        if let Some(last) = bytes.last_mut() {
            *last -= 1;
        }
        String::from_utf8(bytes).unwrap_or_default()
    }
}

/// Hands a position out. `query` is whatever decides which images a page has, in one fixed form.
pub(crate) fn encode(owner: &Owner, query: &str, position: &Position) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend(checksum(owner, query, position));
    bytes.extend(position.as_str().as_bytes());
    BASE64.encode(bytes)
}

/// Takes a position back. `None` for what was not handed out to this owner for this query.
pub(crate) fn decode(owner: &Owner, query: &str, cursor: &str) -> Option<Position> {
    let bytes = BASE64.decode(cursor).ok()?;
    let (version, rest) = bytes.split_first()?;
    let (found, position) = rest.split_at_checked(CHECKSUM)?;
    let position = Position::parse(std::str::from_utf8(position).ok()?)?;
    (*version == VERSION && found == checksum(owner, query, &position)).then_some(position)
}

fn checksum(owner: &Owner, query: &str, position: &Position) -> [u8; CHECKSUM] {
    let mut hash = Sha256::new();
    for part in [
        &[VERSION][..],
        owner.as_str().as_bytes(),
        query.as_bytes(),
        position.as_str().as_bytes(),
    ] {
        // With its length, no part can run into the next.
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

    fn position() -> Position {
        Position::parse(&history_sort("2026-11-22T12:00:00.000Z", ImageId::new())).unwrap()
    }

    #[test]
    fn a_cursor_leads_back_to_where_the_page_ended() {
        let position = position();
        let cursor = encode(&owner("a"), "label=cat", &position);
        assert_eq!(decode(&owner("a"), "label=cat", &cursor), Some(position));
    }

    #[test]
    fn a_cursor_is_of_no_use_for_another_owner_or_query_or_once_changed() {
        let cursor = encode(&owner("a"), "label=cat", &position());
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
    fn only_sort_keys_of_images_are_positions() {
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
    fn nothing_fits_between_a_position_and_what_is_just_before_it() {
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
