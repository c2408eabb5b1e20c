//! What a Matroska file says about itself before its first frame.

use crate::codec::Codec;
use crate::error::VideoError;
use crate::limits::{MAX_AT_ONCE, MAX_CONFIGURATION};
use crate::matroska::ebml::{Element, elements, float, unsigned};
use crate::matroska::ids;
use crate::source::{Source, Stop, broken};
use crate::video::{Container, Frame, FrameRate, Hdr, created_at};
use domain::Orientation;
use picture_header::heif::Crop;

/// Maximum number of elements before the first cluster. Real files have some ten.
const MAX_ELEMENTS: usize = 1_000;
/// Maximum length of the EBML header in bytes. Real ones have 40.
const MAX_HEADER: u64 = 4 * 1024;
/// Seconds from 1970 to 2001, from which Matroska counts.
const FROM_1970_TO_2001: i64 = 978_307_200;

/// The segment, which contains everything but the header.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) container: Container,
    /// The byte after its last one.
    pub(crate) end: u64,
    /// Nanoseconds per unit of time. Above 0.
    pub(crate) scale: u64,
    pub(crate) duration_ms: Option<u64>,
    pub(crate) created_at: Option<String>,
    pub(crate) has_audio: bool,
    pub(crate) track: Track,
    /// Where the first cluster begins. `None` if there is none.
    pub(crate) first_cluster: Option<u64>,
    /// The index.
    pub(crate) cues: Option<Element>,
    /// The first byte of the content, from which positions count.
    pub(crate) from: u64,
}

/// The video track.
#[derive(Debug)]
pub(crate) struct Track {
    pub(crate) number: u64,
    pub(crate) codec: Codec,
    pub(crate) configuration: Vec<u8>,
    pub(crate) coded: (u32, u32),
    pub(crate) crop: Crop,
    pub(crate) frame: Frame,
    pub(crate) orientation: Orientation,
    pub(crate) frame_rate: Option<FrameRate>,
    /// The duration of a frame in nanoseconds, or 0.
    pub(crate) frame_duration: u64,
    pub(crate) hdr: Option<Hdr>,
}

/// Whether an element is used as far as the file has it.
pub(crate) fn can_be_cut(id: u32) -> bool {
    matches!(id, ids::SEGMENT | ids::CLUSTER)
}

impl Segment {
    pub(crate) fn read(source: &Source<'_>) -> Result<Self, Stop> {
        let header = Element::read(source, 0, source.size(), can_be_cut)?;
        let mut container = None;
        for element in elements(source, header.content(source, MAX_HEADER)?) {
            let (id, content) = element?;
            if id == ids::DOC_TYPE {
                container = match content.trim_ascii_end() {
                    b"webm" => Some(Container::WebM),
                    b"matroska" => Some(Container::Matroska),
                    _ => None,
                };
            }
        }
        let container = container.ok_or(VideoError::OtherKind("EBML files of this kind"))?;
        let mut at = header.to.ok_or(broken("an element has no size"))?;
        let segment = loop {
            let element = Element::read(source, at, source.size(), can_be_cut)?;
            if element.id == ids::SEGMENT {
                break element;
            }
            at = element.to.ok_or(broken("an element has no size"))?;
        };
        let end = segment.to.unwrap_or(source.size());

        let (mut info, mut tracks, mut cues, mut seek_head) = (None, None, None, None);
        let mut first_cluster = None;
        let mut at = segment.from;
        for _ in 0..MAX_ELEMENTS {
            if at >= end {
                break;
            }
            let element = Element::read(source, at, end, can_be_cut)?;
            match element.id {
                ids::CLUSTER => {
                    first_cluster = Some(element.start);
                    break;
                }
                ids::INFO => info = Some(element),
                ids::TRACKS => tracks = Some(element),
                ids::CUES => cues = Some(element),
                ids::SEEK_HEAD => seek_head = seek_head.or(Some(element)),
                _ => {}
            }
            at = element.to.ok_or(broken("an element has no size"))?;
        }
        if let Some(seek_head) = seek_head {
            let positions = seek_positions(source, seek_head)?;
            let find = |id| -> Result<Option<Element>, Stop> {
                let Some((_, position)) = positions.iter().find(|(found, _)| *found == id) else {
                    return Ok(None);
                };
                let at = segment.from.saturating_add(*position);
                if at >= end {
                    return Ok(None);
                }
                match Element::read(source, at, end, can_be_cut) {
                    Ok(element) => Ok(Some(element).filter(|element| element.id == id)),
                    // The file is cut off, or the position is wrong.
                    Err(Stop::Failed(VideoError::Broken(_) | VideoError::Incomplete)) => Ok(None),
                    Err(stop) => Err(stop),
                }
            };
            if info.is_none() {
                info = find(ids::INFO)?;
            }
            if tracks.is_none() {
                tracks = find(ids::TRACKS)?;
            }
            if cues.is_none() {
                cues = find(ids::CUES)?;
            }
        }
        let tracks = tracks.ok_or(broken("the description of its tracks (Tracks) is missing"))?;
        let (track, has_audio) = read_tracks(source, tracks)?;
        let mut segment = Self {
            container,
            end,
            scale: 1_000_000,
            duration_ms: None,
            created_at: None,
            has_audio,
            track,
            first_cluster,
            cues,
            from: segment.from,
        };
        if let Some(info) = info {
            segment.read_info(source, info)?;
        }
        Ok(segment)
    }

    fn read_info(&mut self, source: &Source<'_>, info: Element) -> Result<(), Stop> {
        let mut duration = None;
        for element in elements(source, info.content(source, MAX_AT_ONCE)?) {
            let (id, content) = element?;
            match id {
                ids::TIMESTAMP_SCALE => {
                    let scale = unsigned(content).filter(|scale| *scale > 0);
                    self.scale = scale.ok_or(broken("its unit of time (TimestampScale) is 0"))?;
                }
                ids::DURATION => duration = float(content),
                ids::DATE_UTC => {
                    let nanoseconds = content.try_into().ok().map(i64::from_be_bytes);
                    self.created_at = nanoseconds
                        .and_then(|time| created_at(time.div_euclid(1_000_000_000) + FROM_1970_TO_2001));
                }
                _ => {}
            }
        }
        let milliseconds = duration.map(|duration| duration * self.scale as f64 / 1e6);
        // The cast saturates. NaN is not above 0.
        self.duration_ms = milliseconds
            .filter(|time| *time > 0.0)
            .map(|time| time.round() as u64);
        Ok(())
    }

    /// A time in milliseconds, rounded down.
    pub(crate) fn milliseconds(&self, time: u64) -> u64 {
        let nanoseconds = u128::from(time) * u128::from(self.scale);
        u64::try_from(nanoseconds / 1_000_000).unwrap_or(u64::MAX)
    }
}

/// Ids and positions of elements, as `SeekHead` states them.
fn seek_positions(source: &Source<'_>, seek_head: Element) -> Result<Vec<(u32, u64)>, Stop> {
    let mut positions = Vec::new();
    for element in elements(source, seek_head.content(source, MAX_AT_ONCE)?) {
        let (id, content) = element?;
        if id != ids::SEEK {
            continue;
        }
        let (mut found, mut position) = (None, None);
        for element in elements(source, content) {
            let (id, content) = element?;
            match id {
                ids::SEEK_ID => found = unsigned(content).and_then(|id| u32::try_from(id).ok()),
                ids::SEEK_POSITION => position = unsigned(content),
                _ => {}
            }
        }
        if let (Some(found), Some(position)) = (found, position) {
            source.budget().items(1)?;
            positions.push((found, position));
        }
    }
    Ok(positions)
}

/// The video track, and whether there is one with sound.
fn read_tracks(source: &Source<'_>, tracks: Element) -> Result<(Track, bool), Stop> {
    let mut video = None;
    let mut has_enabled_video = false;
    let mut has_audio = false;
    for element in elements(source, tracks.content(source, MAX_AT_ONCE)?) {
        let (id, content) = element?;
        if id != ids::TRACK_ENTRY {
            continue;
        }
        let (mut kind, mut is_enabled) = (None, true);
        for element in elements(source, content) {
            let (id, content) = element?;
            match id {
                ids::TRACK_TYPE => kind = unsigned(content),
                ids::FLAG_ENABLED => is_enabled = unsigned(content) != Some(0),
                _ => {}
            }
        }
        match kind {
            Some(1) if video.is_none() || (is_enabled && !has_enabled_video) => {
                video = Some(content);
                has_enabled_video = is_enabled;
            }
            Some(2) => has_audio = true,
            _ => {}
        }
    }
    match video {
        Some(entry) => Ok((Track::read(source, entry)?, has_audio)),
        None if has_audio => Err(VideoError::AudioOnly.into()),
        None => Err(VideoError::NoVideo.into()),
    }
}

impl Track {
    fn read(source: &Source<'_>, entry: &[u8]) -> Result<Self, Stop> {
        let (mut number, mut codec, mut private) = (None, None, &[][..]);
        let mut frame_duration = 0;
        let mut video = None;
        for element in elements(source, entry) {
            let (id, content) = element?;
            match id {
                ids::TRACK_NUMBER => number = unsigned(content),
                ids::CODEC_ID => codec = Some(content),
                ids::CODEC_PRIVATE => private = content,
                ids::DEFAULT_DURATION => frame_duration = unsigned(content).unwrap_or(0),
                ids::VIDEO => video = Some(content),
                ids::CONTENT_ENCODINGS => check_encodings(source, content)?,
                _ => {}
            }
        }
        if private.len() as u64 > MAX_CONFIGURATION {
            return Err(VideoError::TooComplex.into());
        }
        source.budget().bytes(private.len() as u64)?;
        let video = Picture::read(source, video.unwrap_or_default())?;
        Ok(Self {
            number: number.ok_or(broken("its video track has no number"))?,
            codec: Codec::of_matroska(
                codec
                    .ok_or(broken("its video track has no codec"))?
                    .trim_ascii_end(),
                private,
            ),
            configuration: private.to_vec(),
            coded: video.coded,
            crop: video.crop(),
            frame: video.frame(),
            orientation: video.orientation,
            frame_rate: (frame_duration > 0).then(|| FrameRate {
                average: 1e9 / frame_duration as f64,
                is_variable: false,
            }),
            frame_duration,
            hdr: video.hdr,
        })
    }
}

/// What the element `Video` says.
struct Picture {
    coded: (u32, u32),
    /// Pixels that are not displayed at the left, right, top and bottom.
    crop: [u64; 4],
    /// Width and height as displayed, in any unit.
    display: (u64, u64),
    orientation: Orientation,
    hdr: Option<Hdr>,
}

impl Picture {
    fn read(source: &Source<'_>, content: &[u8]) -> Result<Self, Stop> {
        let mut picture = Self {
            coded: (0, 0),
            crop: [0; 4],
            display: (0, 0),
            orientation: Orientation::UPRIGHT,
            hdr: None,
        };
        for element in elements(source, content) {
            let (id, content) = element?;
            let value = unsigned(content).unwrap_or(0);
            let side = || u32::try_from(value).map_err(|_| broken("its width or height is too large"));
            match id {
                ids::PIXEL_WIDTH => picture.coded.0 = side()?,
                ids::PIXEL_HEIGHT => picture.coded.1 = side()?,
                ids::PIXEL_CROP_LEFT => picture.crop[0] = value,
                ids::PIXEL_CROP_RIGHT => picture.crop[1] = value,
                ids::PIXEL_CROP_TOP => picture.crop[2] = value,
                ids::PIXEL_CROP_BOTTOM => picture.crop[3] = value,
                ids::DISPLAY_WIDTH => picture.display.0 = value,
                ids::DISPLAY_HEIGHT => picture.display.1 = value,
                ids::COLOUR => {
                    for element in elements(source, content) {
                        let (id, content) = element?;
                        if id == ids::TRANSFER_CHARACTERISTICS {
                            picture.hdr = unsigned(content).and_then(Hdr::of_transfer);
                        }
                    }
                }
                ids::PROJECTION => {
                    for element in elements(source, content) {
                        let (id, content) = element?;
                        if id == ids::PROJECTION_POSE_ROLL {
                            picture.orientation = roll(float(content).unwrap_or(0.0));
                        }
                    }
                }
                _ => {}
            }
        }
        if picture.coded.0 == 0 || picture.coded.1 == 0 {
            return Err(broken("its width or height is 0"));
        }
        Ok(picture)
    }

    /// The part of the frame that is displayed.
    fn crop(&self) -> Crop {
        let [left, right, top, bottom] = self.crop;
        let part = |side: u32, before: u64, after: u64| {
            let rest = u64::from(side).saturating_sub(before).saturating_sub(after);
            match (u32::try_from(before), u32::try_from(rest)) {
                (Ok(before), Ok(rest)) if rest > 0 => (before, rest),
                // Players ignore what crops everything.
                _ => (0, side),
            }
        };
        let (left, width) = part(self.coded.0, left, right);
        let (top, height) = part(self.coded.1, top, bottom);
        Crop {
            left,
            top,
            width,
            height,
        }
    }

    /// Width and height as displayed, before applying the orientation.
    fn frame(&self) -> Frame {
        let crop = self.crop();
        let mut frame = Frame {
            width: crop.width.into(),
            height: crop.height.into(),
        };
        // Only the ratio counts, because it can be in centimeters.
        if self.display.0 > 0 && self.display.1 > 0 {
            frame.width = frame.height * self.display.0 as f64 / self.display.1 as f64;
        }
        frame
    }
}

/// The orientation for a rotation in degrees, counterclockwise, if it is a multiple of 90.
fn roll(degrees: f64) -> Orientation {
    let number = if (degrees - 90.0).abs() < 1.0 {
        8
    } else if (degrees + 90.0).abs() < 1.0 {
        6
    } else if (degrees.abs() - 180.0).abs() < 1.0 {
        3
    } else {
        1
    };
    Orientation::from(number)
}

/// Encryption and compression of a track's frames.
fn check_encodings(source: &Source<'_>, content: &[u8]) -> Result<(), Stop> {
    for element in elements(source, content) {
        let (id, encoding) = element?;
        if id != ids::CONTENT_ENCODING {
            continue;
        }
        let mut error = VideoError::Unsupported("compressed tracks");
        for element in elements(source, encoding) {
            let (id, content) = element?;
            if id == ids::CONTENT_ENCRYPTION
                || (id == ids::CONTENT_ENCODING_TYPE && unsigned(content) == Some(1))
            {
                error = VideoError::Encrypted;
            }
        }
        return Err(error.into());
    }
    Ok(())
}
