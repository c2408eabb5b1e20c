//! Works with the key frames of video files.
//!
//! ```text
//! cargo run --release --package video --example frames -- measure VIDEO…
//! cargo run --package video --example frames -- corpus FOLDER VIDEO…
//! ```
//!
//! `measure` makes the poster of each video, reading only the ranges that it needs, and then decodes key frames, one every two
//! seconds, as for labeling. `corpus` writes the key frames as inputs of the fuzz target `video_decode`.

use peak_alloc::PeakAlloc;
use std::error::Error;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;
use video::{Size, Track, check, jpeg};
use video_header::{Codec, KeyFrame, Look, Pieces, Select, VideoError, key_frames, look};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// As for labeling.
const SIZE: Size = Size {
    longest_side: 1_280,
    quality: 85,
};
const INTERVAL_MS: u64 = 2_000;
/// Frames that are decoded to measure.
const MAX_FRAMES: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [command, videos @ ..] if command == "measure" => videos.iter().try_for_each(|path| measure(path)),
        [command, folder, videos @ ..] if command == "corpus" => {
            std::fs::create_dir_all(folder)?;
            videos.iter().try_for_each(|path| corpus(folder, path))
        }
        _ => Err("expected: measure VIDEO…, or corpus FOLDER VIDEO…".into()),
    }
}

/// A file that is read by ranges.
struct Source {
    file: File,
    size: u64,
    bytes: u64,
    reads: u64,
}

impl Source {
    fn open(path: &str) -> Result<Self, Box<dyn Error>> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        Ok(Self {
            file,
            size,
            bytes: 0,
            reads: 0,
        })
    }

    fn read(&mut self, from: u64, length: u64) -> Result<Vec<u8>, Box<dyn Error>> {
        let mut bytes = vec![0; usize::try_from(length)?];
        self.file.read_exact_at(&mut bytes, from)?;
        self.bytes += length;
        self.reads += 1;
        Ok(bytes)
    }

    fn find<T>(
        &mut self,
        look: impl Fn(&Pieces<'_>) -> Result<Look<T>, VideoError>,
    ) -> Result<T, Box<dyn Error>> {
        // Each look gets all ranges that have been read so far.
        let mut ranges: Vec<(u64, Vec<u8>)> = Vec::new();
        loop {
            let mut pieces = Pieces::none(self.size);
            for (from, bytes) in &ranges {
                pieces.add(*from, bytes);
            }
            let needed = match look(&pieces)? {
                Look::Found(found) => return Ok(found),
                Look::Read(needed) => needed,
            };
            for range in needed {
                let bytes = self.read(range.start, range.end - range.start)?;
                ranges.push((range.start, bytes));
            }
        }
    }

    fn frame(&mut self, frame: &KeyFrame) -> Result<Vec<u8>, Box<dyn Error>> {
        self.read(frame.position, frame.size.into())
    }
}

fn measure(path: &str) -> Result<(), Box<dyn Error>> {
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    let started = Instant::now();
    let mut source = Source::open(path)?;
    let video = source.find(look)?;
    let track = Track::from(&video);
    check(&track)?;
    let frames = source.find(|file| key_frames(file, Select::AtOrAfter(1_000)))?;
    let frame = source.frame(&frames[0])?;
    let poster = jpeg(&track, &frame, SIZE)?;
    drop(frame);
    println!(
        "{path}: {} {} x {}, {} s; poster {} x {} in {:.3} s, peak {:.1} MB, {:.2} MB in {} reads",
        track.codec,
        video.width,
        video.height,
        video.duration_ms / 1_000,
        poster.width,
        poster.height,
        started.elapsed().as_secs_f64(),
        (ALLOCATOR.peak_usage() - before) as f64 / 1e6,
        source.bytes as f64 / 1e6,
        source.reads,
    );
    let mut frames = source.find(|file| key_frames(file, Select::Every(INTERVAL_MS)))?;
    frames.truncate(MAX_FRAMES);
    let mut seconds = 0.0;
    for frame in &frames {
        let bytes = source.frame(frame)?;
        let started = Instant::now();
        std::hint::black_box(jpeg(&track, &bytes, SIZE)?);
        seconds += started.elapsed().as_secs_f64();
    }
    let each = seconds / frames.len() as f64;
    println!(
        "{path}: {} key frames, {:.1} ms each: {:.0} times real time with one every {INTERVAL_MS} ms",
        frames.len(),
        each * 1e3,
        INTERVAL_MS as f64 / 1e3 / each,
    );
    Ok(())
}

fn corpus(folder: &str, path: &str) -> Result<(), Box<dyn Error>> {
    let mut source = Source::open(path)?;
    let video = source.find(look)?;
    let codec = match video.codec {
        Codec::H264(_) => 0_u8,
        Codec::Hevc(_) => 1,
        Codec::Av1(_) => 2,
        Codec::Vp8 => 3,
        Codec::Vp9(_) => 4,
        _ => return Ok(()),
    };
    let frames = source.find(|file| key_frames(file, Select::Every(0)))?;
    let name = Path::new(path).file_name().ok_or("no file name")?;
    let length = u16::try_from(video.configuration.len())?.to_be_bytes();
    let content = [
        &[codec][..],
        &length,
        &video.configuration,
        &source.frame(&frames[0])?,
    ]
    .concat();
    std::fs::write(Path::new(folder).join(name), content)?;
    Ok(())
}
