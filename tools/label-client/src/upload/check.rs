//! Decides by a file's first bytes whether it is a picture or a video that can be labeled, and computes its checksum.

use super::outcome::{Kind, Outcome, Skip};
use super::walk::Found;
use crate::duration::duration_ms;
use crate::file::digest;
use crate::in_parts;
use picture_header::reads::{FIRST_READ_BYTES, MAX_READ_BYTES, MAX_READS};
use picture_header::{HeaderError, Look, Pieces, look};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// The outcome of a file that changes while this program reads it.
pub(super) const CHANGED: &str = "it changed during the upload";

/// A picture or a video with its SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prepared {
    pub(super) file: Found,
    pub(super) sha256: [u8; 32],
}

/// Checks a file and computes its checksum.
///
/// # Errors
/// [`Outcome::Skipped`] or [`Outcome::Failed`].
pub(super) fn prepare(file: &Found) -> Result<Prepared, Outcome> {
    let failed = |error: io::Error| Outcome::Failed(format!("can't read it: {error}"));
    let (mut reader, _) = check(file)?;
    reader.rewind().map_err(failed)?;
    let (size, sha256) = digest(reader).map_err(failed)?;
    if size != file.size {
        return Err(Outcome::Failed(CHANGED.to_owned()));
    }
    Ok(Prepared {
        file: file.clone(),
        sha256,
    })
}

/// Checks a file, and finds out what it is.
///
/// # Errors
/// [`Outcome::Skipped`] or [`Outcome::Failed`].
pub(super) fn kind(file: &Found) -> Result<Kind, Outcome> {
    let (mut reader, is_video) = check(file)?;
    if !is_video {
        return Ok(Kind::Picture);
    }
    let duration_ms = duration_ms(&mut reader, file.size);
    let duration_ms = duration_ms.map_err(|error| Outcome::Failed(format!("can't read it: {error}")))?;
    Ok(Kind::Video(duration_ms.map(domain::video::minutes)))
}

/// Checks whether a file can be labeled. Returns it opened, and whether it is a video.
///
/// # Errors
/// [`Outcome::Skipped`] or [`Outcome::Failed`].
fn check(file: &Found) -> Result<(File, bool), Outcome> {
    let failed = |error: io::Error| Outcome::Failed(format!("can't read it: {error}"));
    let mut reader = File::open(&file.path).map_err(failed)?;
    let is_video = header(&mut reader, file.size).map_err(failed)??;
    if in_parts::is_needed(file.size) && !is_video {
        return Err(Outcome::Skipped(Skip::TooLarge, None));
    }
    Ok((reader, is_video))
}

/// Reads the picture's header: the file's start, and rarely other parts. Returns whether the file is a video, by its first bytes:
/// the service reads the rest.
fn header(reader: &mut (impl Read + Seek), size: u64) -> io::Result<Result<bool, HeaderError>> {
    let mut pieces = Pieces::none(size);
    let mut from = 0;
    let mut length = FIRST_READ_BYTES;
    for _ in 0..MAX_READS {
        let mut bytes = Vec::new();
        reader.seek(SeekFrom::Start(from))?;
        reader.by_ref().take(length).read_to_end(&mut bytes)?;
        if bytes.is_empty() {
            break;
        }
        pieces.add(from, &bytes);
        if from == 0 && matches!(video_header::container(&pieces), Ok(video_header::Look::Found(_))) {
            return Ok(Ok(true));
        }
        match look(&pieces) {
            Ok(Look::Found(_)) => return Ok(Ok(false)),
            Ok(Look::ReadOn(next)) => {
                if from > 0 {
                    length = (2 * length).min(MAX_READ_BYTES);
                }
                from = next;
            }
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Err(HeaderError::Broken))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;
    use std::path::Path;

    /// The outcome of a file with this name and content.
    fn outcome(name: &str, bytes: &[u8]) -> Result<Prepared, Outcome> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let metadata = path.metadata().unwrap();
        prepare(&Found::new(path, &metadata))
    }

    fn project(path: &str) -> Vec<u8> {
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
    }

    #[test]
    fn a_picture_is_recognized_whatever_its_name() {
        for picture in [
            "samples/cat.jpg",
            "tests/pictures/cat.heic",
            "tests/pictures/cat.tif",
            "tests/videos/hevc.mov",
            "tests/videos/vp9.webm",
        ] {
            outcome("notes.txt", &project(picture)).unwrap();
        }
    }

    #[test]
    fn other_files_are_skipped_with_the_reason() {
        let skip = |bytes: &[u8]| match outcome("a.jpg", bytes) {
            Err(Outcome::Skipped(skip, Some(detail))) => (skip, detail),
            other => panic!("{other:?}"),
        };
        let (kind, detail) = skip(b"%PDF-1.7");
        assert_eq!(kind, Skip::NotAPicture);
        assert!(detail.starts_with("PDF documents aren't supported."), "{detail}");
        assert_eq!(skip(b"some text").0, Skip::NotAPicture);
        assert_eq!(skip(&project("samples/cat.jpg")[..100]).0, Skip::Damaged);
    }

    #[test]
    fn the_minutes_of_a_video_are_those_that_the_service_counts() {
        let folder = tempfile::tempdir().unwrap();
        let kind_of = |bytes: &[u8]| {
            let path = folder.path().join("a");
            fs::write(&path, bytes).unwrap();
            kind(&Found::new(path.clone(), &path.metadata().unwrap()))
        };
        assert_eq!(kind_of(&project("samples/cat.jpg")), Ok(Kind::Picture));
        let video = project("samples/video.mp4");
        assert_eq!(kind_of(&video), Ok(Kind::Video(Some(1))));
        assert_eq!(
            kind_of(&project("tests/videos/vp9.webm")),
            Ok(Kind::Video(Some(1)))
        );
        assert_eq!(kind_of(&video[..600]), Ok(Kind::Video(None)), "damaged");
    }

    #[test]
    fn only_a_video_can_be_larger_than_100_mb() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for (sample, expected) in [
            ("samples/video.mp4", Ok(())),
            ("samples/cat.jpg", Err(Outcome::Skipped(Skip::TooLarge, None))),
        ] {
            fs::write(&path, project(sample)).unwrap();
            File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_len(domain::image::MAX_BYTES + 1)
                .unwrap();
            let file = Found::new(path.clone(), &path.metadata().unwrap());
            assert_eq!(check(&file).map(drop), expected, "{sample}");
        }
    }

    #[test]
    fn a_file_that_grows_meanwhile_is_not_uploaded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jpg");
        fs::write(&path, project("samples/cat.jpg")).unwrap();
        let mut file = Found::new(path.clone(), &path.metadata().unwrap());
        file.size -= 1;
        assert_eq!(prepare(&file), Err(Outcome::Failed(CHANGED.to_owned())));
    }

    #[test]
    fn a_missing_file_is_a_failure() {
        let missing = Found {
            path: "/none/a.jpg".into(),
            size: 1,
            modified: 0,
        };
        assert!(
            matches!(prepare(&missing), Err(Outcome::Failed(reason)) if reason.starts_with("can't read it"))
        );
    }

    proptest! {
        /// Any bytes end as a picture or with a reason, also if the file is shorter than its metadata says.
        #[test]
        fn any_file_has_an_outcome(bytes in proptest::collection::vec(any::<u8>(), 1..2000), more in 0_u64..5000) {
            let size = bytes.len() as u64 + more;
            header(&mut io::Cursor::new(&bytes), size).unwrap().ok();
            duration_ms(&mut io::Cursor::new(&bytes), size).unwrap();
        }
    }
}
