//! Reads the duration of a video.

use picture_header::Pieces;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, Instant};

/// Reading the header of a damaged video can take a minute. Others take less than a second.
const MAX_HEADER_TIME: Duration = Duration::from_secs(10);

/// The duration of the video in a file, in milliseconds. `None` if it is unknown.
pub(crate) fn of_file(path: &Path, size: u64) -> Option<u64> {
    let mut reader = File::open(path).ok()?;
    duration_ms(&mut reader, size).ok().flatten()
}

/// Reads the duration in a video's header: some ranges of the file, within the limits of `video-header`. `None` if the header
/// can't be read, so that the service rejects the video, or if that takes too long.
pub(crate) fn duration_ms(reader: &mut (impl Read + Seek), size: u64) -> io::Result<Option<u64>> {
    let mut pieces = Pieces::none(size);
    let until = Instant::now() + MAX_HEADER_TIME;
    while Instant::now() < until {
        let ranges = match video_header::look(&pieces) {
            Ok(video_header::Look::Found(video)) => return Ok(Some(video.duration_ms)),
            Ok(video_header::Look::Read(ranges)) => ranges,
            Err(_) => return Ok(None),
        };
        for range in ranges {
            let mut bytes = Vec::new();
            reader.seek(SeekFrom::Start(range.start))?;
            reader
                .by_ref()
                .take(range.end - range.start)
                .read_to_end(&mut bytes)?;
            if bytes.is_empty() {
                // The file has become shorter.
                return Ok(None);
            }
            pieces.add(range.start, &bytes);
        }
    }
    Ok(None)
}
