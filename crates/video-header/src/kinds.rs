//! Recognizes a file by its first bytes.

use crate::error::VideoError;
use crate::limits::{FIRST_READ, READ_AHEAD};
use crate::source::{Source, Stop};
use crate::video::Container;
use picture_header::{HeaderError, Pieces};

/// The longest start that is searched for marks, in bytes. In a transport stream, every 188th or 192nd byte is a mark.
const MAX_START: u64 = 512;

/// Position and bytes of a mark, and the plural of what has it. The first match counts.
const MARKS: &[(usize, &[u8], &str)] = &[
    (8, b"AVI ", "AVI videos"),
    (0, b"FLV", "Flash videos"),
    (0, b"\x30\x26\xB2\x75\x8E\x66\xCF\x11", "Windows Media videos"),
    (0, b"OggS", "Ogg files"),
    (0, b".RMF", "RealMedia videos"),
    (0, b"\x06\x0E\x2B\x34\x02\x05\x01\x01", "MXF videos"),
    (0, b"\0\0\x01\xBA", "MPEG program streams"),
    (0, b"\0\0\x01\xB3", "MPEG videos without a container"),
    (0, b"\0\0\0\x01\x67", "H.264 videos without a container"),
    (0, b"\0\0\x01\x67", "H.264 videos without a container"),
    (0, b"\0\0\0\x01\x40\x01", "HEVC videos without a container"),
    (0, b"DKIF", "IVF videos"),
    (0, b"YUV4MPEG2", "Uncompressed videos"),
    (4, b"moof", "Single segments of a stream"),
    (4, b"styp", "Single segments of a stream"),
];

/// Finds out the container.
pub(crate) fn recognize(source: &Source<'_>) -> Result<Container, Stop> {
    if source.size() == 0 {
        return Err(VideoError::Incomplete.into());
    }
    source.set_read_ahead(FIRST_READ);
    let start = source.get(0, source.size().min(MAX_START))?;
    source.set_read_ahead(READ_AHEAD);
    match start {
        [0x1A, 0x45, 0xDF, 0xA3, ..] => Ok(Container::Matroska),
        [s3, s2, s1, s0, b'f', b't', b'y', b'p', rest @ ..] => {
            let size = u32::from_be_bytes([*s3, *s2, *s1, *s0]);
            if u64::from(size) > source.size() {
                return Err(VideoError::Incomplete.into());
            }
            // Where brands name both a picture and a video, `picture-header` decides.
            match other_kind(start) {
                Some("Videos") => Ok(if rest.starts_with(b"qt  ") {
                    Container::QuickTime
                } else {
                    Container::Mp4
                }),
                _ => Err(VideoError::OtherKind("Pictures").into()),
            }
        }
        // QuickTime files of before 2001 have no box that names their kind.
        [_, _, _, _, b'm', b'o', b'o', b'v', ..]
        | [_, _, _, _, b'm', b'd', b'a', b't', ..]
        | [_, _, _, _, b'w', b'i', b'd', b'e', ..]
        | [_, _, _, _, b'f', b'r', b'e', b'e', ..]
        | [_, _, _, _, b's', b'k', b'i', b'p', ..]
        | [_, _, _, _, b'p', b'n', b'o', b't', ..] => Ok(Container::QuickTime),
        _ => Err(VideoError::OtherKind(unsupported(start)).into()),
    }
}

/// The plural of a file that is neither MP4, QuickTime nor Matroska.
fn unsupported(start: &[u8]) -> &'static str {
    let marked = MARKS
        .iter()
        .find(|(at, mark, _)| start.get(*at..).is_some_and(|rest| rest.starts_with(mark)));
    if let Some((_, _, name)) = marked {
        return name;
    }
    let is_transport_stream = |first: usize, packet: usize| {
        let marks = [0, 1, 2].map(|packets| start.get(first + packets * packet));
        marks == [Some(&0x47); 3]
    };
    if is_transport_stream(0, 188) || is_transport_stream(4, 192) {
        return "MPEG transport streams";
    }
    other_kind(start).unwrap_or("Pictures")
}

/// The plural of what the file is by its first bytes. `None` if it is a picture of a supported format.
fn other_kind(start: &[u8]) -> Option<&'static str> {
    match picture_header::look(&Pieces::all(start)) {
        Err(HeaderError::OtherKind(kind)) => Some(kind),
        _ => None,
    }
}
