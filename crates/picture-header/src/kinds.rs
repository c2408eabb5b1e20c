//! The names of files that are not supported, by their first bytes.

use crate::pieces::{Gap, Pieces};

pub(crate) const UNKNOWN: &str = "Files of an unknown type";

/// The longest start that is read: a DICOM file's mark is at byte 128, and an SVG drawing can begin with a comment.
const MAX_START: u64 = 512;

/// Position and bytes of a mark, and the plural of what has it. The first match counts.
const MARKS: &[(usize, &[u8], &str)] = &[
    (0, b"8BPS", "Photoshop documents"),
    (0, b"\xFF\x0A", "JPEG XL pictures"),
    (0, b"\0\0\0\x0CJXL ", "JPEG XL pictures"),
    (0, b"\0\0\0\x0CjP", "JPEG 2000 pictures"),
    (0, b"\xFF\x4F\xFF\x51", "JPEG 2000 pictures"),
    (0, b"II\xBC", "JPEG XR pictures"),
    (0, b"%PDF", "PDF documents"),
    (0, b"%!PS", "PostScript files"),
    (0, b"\xC5\xD0\xD3\xC6", "PostScript files"),
    (0, b"\0\0\x01\0", "Icon files"),
    (0, b"\0\0\x02\0", "Icon files"),
    (0, b"icns", "Icon files"),
    (0, b"gimp xcf", "GIMP documents"),
    (0, b"\x76\x2F\x31\x01", "OpenEXR pictures"),
    (0, b"#?RADIANCE", "Radiance HDR pictures"),
    (0, b"#?RGBE", "Radiance HDR pictures"),
    (0, b"SIMPLE  =", "FITS files"),
    (128, b"DICM", "DICOM files"),
    (0, b"qoif", "QOI pictures"),
    (0, b"DDS ", "DDS textures"),
    (0, b"FLIF", "FLIF pictures"),
    (0, b"BPG\xFB", "BPG pictures"),
    (0, b"AT&TFORM", "DjVu documents"),
    (0, b"\x8AMNG", "MNG animations"),
    (0, b"\x8BJNG", "JNG pictures"),
    (0, b"FOVb", "Raw files of Sigma cameras"),
    (0, b"\0MRM", "Raw files of Minolta cameras"),
    (0, b"PK\x03\x04", "ZIP archives and Office documents"),
    (0, b"\xD0\xCF\x11\xE0", "Office documents"),
    (0, b"{\\rtf", "Office documents"),
    (0, b"Rar!", "Archives"),
    (0, b"7z\xBC\xAF\x27\x1C", "Archives"),
    (0, b"\x1F\x8B", "Archives"),
    (0, b"\x1A\x45\xDF\xA3", "Videos"),
    (8, b"AVI ", "Videos"),
    (4, b"moov", "Videos"),
    (4, b"mdat", "Videos"),
    (4, b"wide", "Videos"),
    (0, b"\0\0\x01\xBA", "Videos"),
    (0, b"\0\0\x01\xB3", "Videos"),
    (0, b"FLV\x01", "Videos"),
    (0, b"\x30\x26\xB2\x75", "Videos"),
    (8, b"WAVE", "Sound files"),
    (0, b"ID3", "Sound files"),
    (0, b"\xFF\xFB", "Sound files"),
    (0, b"OggS", "Sound files"),
    (0, b"fLaC", "Sound files"),
];

/// The plural of what the file is.
pub(crate) fn name(file: &Pieces<'_>) -> Result<&'static str, Gap> {
    let length = usize::try_from(file.size().min(MAX_START)).unwrap_or_default();
    let start = file.get(0, length)?;
    let marked = MARKS
        .iter()
        .find(|(at, mark, _)| start.get(*at..).is_some_and(|rest| rest.starts_with(mark)));
    Ok(marked.map_or_else(|| text(start), |(_, _, name)| name))
}

/// The plural of what a text is.
fn text(start: &[u8]) -> &'static str {
    if let [b'P', b'1'..=b'7', b' ' | b'\t' | b'\n' | b'\r', ..] = start {
        return "PNM pictures";
    }
    let start = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start);
    let is_text = match std::str::from_utf8(start) {
        Ok(_) => true,
        // The last character can continue after the start.
        Err(error) => error.error_len().is_none() && error.valid_up_to() > 0,
    };
    let is_control = |byte: &u8| matches!(byte, 0..=8 | 0x0E..=0x1F | 0x7F);
    if start.is_empty() || !is_text || start.iter().any(is_control) {
        return UNKNOWN;
    }
    let start = start.trim_ascii_start().to_ascii_lowercase();
    if start.starts_with(b"<!doctype html") || start.starts_with(b"<html") {
        "Web pages"
    // XML's declaration and comments can come before the drawing.
    } else if start.starts_with(b"<") && start.windows(4).any(|tag| tag == b"<svg") {
        "SVG drawings"
    } else {
        "Text files"
    }
}
