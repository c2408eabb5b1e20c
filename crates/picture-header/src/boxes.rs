//! The boxes of ISO/IEC 14496-12 (MP4), read where they are in the file.

use crate::pieces::Pieces;
use crate::stored::Stop;

/// The content of a box, as positions in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Content {
    /// The first byte.
    pub(crate) from: u64,
    /// The byte after the last one.
    pub(crate) to: u64,
}

impl Content {
    /// The rest after this number of bytes.
    pub(crate) fn after(self, bytes: u64) -> Self {
        Self {
            from: self.from.saturating_add(bytes).min(self.to),
            ..self
        }
    }

    /// Bytes.
    pub(crate) fn length(self) -> u64 {
        self.to - self.from
    }
}

/// Iterates over consecutive boxes. Ends after an error.
pub(crate) fn all(
    file: &Pieces<'_>,
    content: Content,
) -> impl Iterator<Item = Result<([u8; 4], Content), Stop>> {
    let mut rest = content;
    std::iter::from_fn(move || {
        if rest.length() < 8 {
            return None;
        }
        let found = next(file, rest);
        rest.from = found.as_ref().map_or(rest.to, |(_, content)| content.to);
        Some(found)
    })
}

/// The first box with this name.
pub(crate) fn first(file: &Pieces<'_>, content: Content, name: [u8; 4]) -> Result<Option<Content>, Stop> {
    for found in all(file, content) {
        let (found, content) = found?;
        if found == name {
            return Ok(Some(content));
        }
    }
    Ok(None)
}

fn next(file: &Pieces<'_>, rest: Content) -> Result<([u8; 4], Content), Stop> {
    let [s3, s2, s1, s0, name @ ..] = file.array::<8>(rest.from)?;
    let (header, size) = match u32::from_be_bytes([s3, s2, s1, s0]) {
        // To the end.
        0 => (8, rest.length()),
        1 => (16, u64::from_be_bytes(file.array(rest.from + 8)?)),
        size => (8, size.into()),
    };
    let to = rest.from.checked_add(size).ok_or(Stop::Broken)?;
    if size < header || to > rest.to {
        return Err(Stop::Broken);
    }
    let from = rest.from + header;
    Ok((name, Content { from, to }))
}
