//! What holds for any bytes, whatever they claim to be.

use domain::metadata::MAX_KEYWORDS;
use domain::policy::is_label_name;
use picture_header::{HeaderError, Look, Pieces, look, preview, rare_jpeg, tiff_page};
use std::collections::HashSet;

/// Looks at a file after `cut` bytes, at the rest of it as far as that is needed, and at all of it.
///
/// # Panics
/// If the header depends on how many bytes had been read, or if the functions for complete files contradict it.
pub fn check(cut: u16, bytes: &[u8]) {
    let whole = look(&Pieces::all(bytes));
    if let Ok(Look::Found(header)) = &whole {
        check_keywords(&header.metadata.keywords);
    }
    let mut file = Pieces::none(bytes.len() as u64);
    file.add(0, &bytes[..bytes.len().min(usize::from(cut))]);
    // More reads than `validate` makes.
    for _ in 0..40 {
        let Ok(Look::ReadOn(from)) = look(&file) else {
            assert_eq!(look(&file), whole);
            break;
        };
        let from = usize::try_from(from).expect("a position in memory");
        assert!(from < bytes.len(), "asks for bytes after the end of the file");
        file.add(from as u64, &bytes[from..bytes.len().min(from + 1_000)]);
    }
    match (&whole, preview(bytes)) {
        (Ok(Look::Found(header)), Ok(preview)) => {
            assert_eq!(
                header.preview.map(|(_, length)| length),
                preview.map(|part| part.len() as u64)
            );
            assert_eq!(header.format.is_raw(), preview.is_some());
        }
        (Ok(Look::ReadOn(_)), _) => panic!("asks for more than the whole file"),
        (Ok(Look::Found(_)), Err(error)) => panic!("a header, but {error}"),
        (Err(HeaderError::NoPreview(_)), preview) => assert!(preview.is_err()),
        (Err(_), _) => {}
    }
    let _ = tiff_page(bytes);
    let _ = rare_jpeg(bytes);
}

/// Checks a picture's keywords.
///
/// # Panics
/// If there are too many, or one is invalid or repeated.
pub fn check_keywords(keywords: &[String]) {
    assert!(keywords.len() <= MAX_KEYWORDS);
    let mut seen = HashSet::new();
    for keyword in keywords {
        assert!(is_label_name(keyword) && keyword.trim() == keyword, "{keyword:?}");
        assert!(seen.insert(keyword.to_lowercase()), "{keyword:?} twice");
    }
}

/// Checks bytes after the first bytes of a format.
pub fn check_after(start: &[u8], (cut, bytes): (u16, &[u8])) {
    check(cut, &[start, bytes].concat());
}

/// Reads the header and key frames of a video by ranges, and all of it at once.
///
/// # Panics
/// If the result depends on how the file is read, if the limits are exceeded, or if a key frame is outside of the file.
pub fn check_video(bytes: &[u8]) {
    use video_header::{Select, key_frames, look};
    let _ = check_video_look(bytes, look);
    let time = bytes.len() as u64;
    for select in [
        Select::Every(time),
        Select::AtOrBefore(time),
        Select::AtOrAfter(time),
    ] {
        let found = check_video_look(bytes, |file| key_frames(file, select));
        for frame in found.as_deref().unwrap_or_default() {
            assert!(frame.size > 0 && frame.position + u64::from(frame.size) <= bytes.len() as u64);
        }
    }
}

fn check_video_look<T: std::fmt::Debug + PartialEq>(
    bytes: &[u8],
    look: impl Fn(&video_header::Pieces<'_>) -> Result<video_header::Look<T>, video_header::VideoError>,
) -> Result<T, video_header::VideoError> {
    use video_header::{Look, MAX_READ_BYTES, MAX_READS, Pieces};
    let mut file = Pieces::none(bytes.len() as u64);
    let found = loop {
        match look(&file) {
            Ok(Look::Found(found)) => break Ok(found),
            Err(error) => break Err(error),
            Ok(Look::Read(ranges)) => {
                for range in ranges {
                    let [from, to] =
                        [range.start, range.end].map(|at| usize::try_from(at).expect("a position in memory"));
                    assert!(from < to, "asks for nothing");
                    file.add(range.start, &bytes[from..to]);
                }
            }
        }
        assert!(file.reads() <= MAX_READS && file.bytes_read() <= MAX_READ_BYTES);
    };
    match look(&Pieces::all(bytes)) {
        Ok(Look::Found(whole)) => assert_eq!(found.as_ref(), Ok(&whole)),
        Ok(Look::Read(ranges)) => panic!("asks for {ranges:?} of the whole file"),
        Err(error) => assert_eq!(found.as_ref().err(), Some(&error)),
    }
    found
}
