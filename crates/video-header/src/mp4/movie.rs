//! The box `moov`: tracks, and what each says about itself.
//!
//! Sources: ISO/IEC 14496-12 (boxes), ISO/IEC 14496-15 (codecs), Apple's QuickTime File Format.

use crate::codec::Codec;
use crate::error::VideoError;
use crate::limits::{MAX_AT_ONCE, MAX_CONFIGURATION, MAX_EDITS};
use crate::mp4::boxes::{Boxes, Part};
use crate::mp4::edits::{Edit, Edits};
use crate::source::{Reader, Source, Stop, broken};
use crate::video::{Frame, Hdr, created_at};
use domain::Orientation;
use jiff::civil::DateTime;
use picture_header::heif::Crop;

/// Maximum number of boxes at the top level before `moov`. Real files have some five.
const MAX_BOXES: usize = 1_000;
/// Maximum length in bytes of a box with a fixed layout. `mvhd` has 120 bytes in its longer version.
const MAX_FIXED: u64 = 256;
/// Maximum length in bytes of the names of QuickTime's metadata. Real ones have a few hundred bytes.
const MAX_KEYS: u64 = 64 * 1024;
/// Seconds from 1904, with which MP4 counts, to 1970.
const FROM_1904_TO_1970: i64 = 2_082_844_800;

/// What `moov` says about the video track and the file.
#[derive(Debug)]
pub(crate) struct Movie {
    /// The byte after `moov`.
    pub(crate) end: u64,
    /// Units per second of the durations in `mvhd`, `mehd` and edit lists.
    pub(crate) timescale: u32,
    /// The defaults of the track's fragments, if the file can have fragments.
    pub(crate) fragments: Option<FragmentDefaults>,
    pub(crate) created_at: Option<String>,
    pub(crate) has_audio: bool,
    pub(crate) track: Track,
}

/// The defaults of samples in fragments, from `mvex`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FragmentDefaults {
    /// The duration of the complete video in the movie's units, if it is stated.
    pub(crate) movie_duration: Option<u64>,
    pub(crate) duration: u32,
    pub(crate) size: u32,
    pub(crate) flags: u32,
}

/// The video track.
#[derive(Debug)]
pub(crate) struct Track {
    pub(crate) id: u32,
    /// Units per second of the times of samples.
    pub(crate) timescale: u32,
    pub(crate) orientation: Orientation,
    pub(crate) edits: Edits,
    pub(crate) entry: SampleEntry,
    pub(crate) tables: TableParts,
}

/// Where the tables of a track's samples are.
#[derive(Debug, Default)]
pub(crate) struct TableParts {
    pub(crate) stts: Option<Part>,
    pub(crate) ctts: Option<Part>,
    pub(crate) stss: Option<Part>,
    pub(crate) stsc: Option<Part>,
    pub(crate) stsz: Option<Part>,
    pub(crate) stz2: Option<Part>,
    pub(crate) stco: Option<Part>,
    pub(crate) co64: Option<Part>,
}

/// The clean aperture, in coded pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Aperture {
    width: f64,
    height: f64,
    /// From the middle of the frame to that of the aperture. Unverified.
    right: f64,
    down: f64,
}

/// How the frames are coded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SampleEntry {
    pub(crate) codec: Codec,
    pub(crate) configuration: Vec<u8>,
    pub(crate) coded: (u32, u32),
    aperture: Option<Aperture>,
    /// Width and height of a pixel.
    pixel_aspect: (u32, u32),
    pub(crate) hdr: Option<Hdr>,
}

impl SampleEntry {
    /// Width and height as displayed, before applying the orientation.
    pub(crate) fn frame(&self) -> Frame {
        let (width, height) = match self.aperture {
            Some(aperture) => (aperture.width, aperture.height),
            None => (f64::from(self.coded.0), f64::from(self.coded.1)),
        };
        Frame { width, height }.with_pixel_aspect(self.pixel_aspect)
    }

    /// The part that is displayed, in whole pixels.
    pub(crate) fn crop(&self) -> Crop {
        // The casts saturate.
        let part = |side: u32, length: f64, shift: f64| {
            let shift = if shift.is_finite() { shift } else { 0.0 };
            let length = (length.round() as u32).clamp(1, side);
            let start = (f64::from(side - length) / 2.0 + shift).round() as u32;
            (start.min(side - length), length)
        };
        let (width, height) = self.coded;
        let aperture = self.aperture.unwrap_or(Aperture {
            width: width.into(),
            height: height.into(),
            right: 0.0,
            down: 0.0,
        });
        let (left, width) = part(width, aperture.width, aperture.right);
        let (top, height) = part(height, aperture.height, aperture.down);
        Crop {
            left,
            top,
            width,
            height,
        }
    }
}

/// Finds and reads `moov`.
pub(crate) fn read(source: &Source<'_>) -> Result<Movie, Stop> {
    for part in Boxes::of_file(source, 0).take(MAX_BOXES) {
        let part = part?;
        if part.name == *b"moov" {
            if part.length() <= MAX_AT_ONCE {
                source.need(&[part.range()])?;
            }
            return Movie::read(source, part);
        }
    }
    Err(broken("its header (moov) is missing"))
}

impl Movie {
    fn read(source: &Source<'_>, moov: Part) -> Result<Self, Stop> {
        let mut header = None;
        let mut tracks = Vec::new();
        let (mut mvex, mut meta, mut user_data) = (None, None, None);
        for part in moov.children(source) {
            let part = part?;
            match &part.name {
                b"mvhd" => header = Some(MovieHeader::read(source, part)?),
                b"trak" => {
                    source.budget().items(4)?;
                    tracks.push(TrackParts::read(source, part)?);
                }
                b"mvex" => mvex = Some(part),
                b"meta" => meta = Some(part),
                b"udta" => user_data = Some(part),
                b"cmov" => return Err(VideoError::Unsupported("a compressed header").into()),
                _ => {}
            }
        }
        let header = header.ok_or(broken("its movie header (mvhd) is missing"))?;
        let has_audio = tracks.iter().any(|track| track.handler == *b"soun");
        let videos = || tracks.iter().filter(|track| track.handler == *b"vide");
        // Disabled tracks with pictures are thumbnails of chapters.
        let track = videos().find(|track| track.is_enabled).or(videos().next());
        let Some(track) = track else {
            let error = if has_audio {
                VideoError::AudioOnly
            } else {
                VideoError::NoVideo
            };
            return Err(error.into());
        };
        let track = track.track(source, &header)?;
        // FFmpeg writes QuickTime's metadata into the box for other metadata.
        if let (None, Some(user_data)) = (meta, user_data) {
            meta = optional(user_data.child(source, *b"meta"))?.flatten();
        }
        Ok(Self {
            end: moov.to,
            timescale: header.timescale,
            fragments: mvex
                .map(|mvex| FragmentDefaults::read(source, mvex, track.id))
                .transpose()?,
            created_at: match meta {
                Some(meta) => optional(creation_date(source, meta))?.flatten(),
                None => None,
            }
            .or(header.created_at),
            has_audio,
            track,
        })
    }
}

/// `mvhd`.
struct MovieHeader {
    timescale: u32,
    created_at: Option<String>,
    matrix: Matrix,
}

impl MovieHeader {
    fn read(source: &Source<'_>, part: Part) -> Result<Self, Stop> {
        let mut reader = part.reader(source, MAX_FIXED, "its movie header (mvhd) is too short")?;
        let is_wide = reader.u32()? >> 24 == 1;
        let created = reader.sized(is_wide)?;
        let _modified = reader.sized(is_wide)?;
        let timescale = reader.u32()?;
        let _duration = reader.sized(is_wide)?;
        // Rate, volume and reserved bytes.
        reader.skip(16)?;
        if timescale == 0 {
            return Err(broken("its movie header (mvhd) counts 0 units per second"));
        }
        let seconds = i64::try_from(created)
            .ok()
            .and_then(|s| s.checked_sub(FROM_1904_TO_1970));
        Ok(Self {
            timescale,
            created_at: seconds.and_then(created_at),
            matrix: Matrix::read(reader.array()?),
        })
    }
}

/// How a track is turned, mirrored and scaled: the linear part of a transformation matrix.
#[derive(Debug, Clone, Copy)]
struct Matrix([f64; 4]);

impl Matrix {
    /// Nine numbers: a, b, u, c, d, v, x, y, w.
    fn read(bytes: [u8; 36]) -> Self {
        let number = |index: usize| {
            let bytes = [0, 1, 2, 3].map(|byte| bytes[4 * index + byte]);
            f64::from(i32::from_be_bytes(bytes)) / 65_536.0
        };
        Self([number(0), number(1), number(3), number(4)])
    }

    fn then(self, Self([e, f, g, h]): Self) -> Self {
        let Self([a, b, c, d]) = self;
        Self([a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h])
    }

    /// The nearest one without shearing.
    fn orientation(self) -> Orientation {
        let Self([a, b, c, d]) = self;
        // A step to the right leads by (a, b), and a step down by (c, d).
        let number = if a.abs() + d.abs() >= b.abs() + c.abs() {
            match (a < 0.0, d < 0.0) {
                (false, false) => 1,
                (true, false) => 2,
                (true, true) => 3,
                (false, true) => 4,
            }
        } else {
            match (b < 0.0, c < 0.0) {
                (false, false) => 5,
                (false, true) => 6,
                (true, true) => 7,
                (true, false) => 8,
            }
        };
        Orientation::from(number)
    }
}

/// The boxes of a track.
struct TrackParts {
    handler: [u8; 4],
    is_enabled: bool,
    tkhd: Option<Part>,
    elst: Option<Part>,
    mdia: Option<Part>,
}

impl TrackParts {
    fn read(source: &Source<'_>, trak: Part) -> Result<Self, Stop> {
        let mut track = Self {
            handler: [0; 4],
            is_enabled: false,
            tkhd: None,
            elst: None,
            mdia: None,
        };
        for part in trak.children(source) {
            let part = part?;
            match &part.name {
                b"tkhd" => {
                    let mut reader = part.reader(source, 4, "a track header (tkhd) is too short")?;
                    track.is_enabled = reader.u32()? & 1 == 1;
                    track.tkhd = Some(part);
                }
                b"edts" => track.elst = part.child(source, *b"elst")?,
                b"mdia" => {
                    if let Some(hdlr) = part.child(source, *b"hdlr")? {
                        let mut reader = hdlr.reader(source, 12, "a handler (hdlr) is too short")?;
                        reader.skip(8)?;
                        track.handler = reader.array()?;
                    }
                    track.mdia = Some(part);
                }
                _ => {}
            }
        }
        Ok(track)
    }

    /// Reads the track as a video track.
    fn track(&self, source: &Source<'_>, movie: &MovieHeader) -> Result<Track, Stop> {
        let tkhd = self.tkhd.ok_or(broken("the track header (tkhd) is missing"))?;
        let mut reader = tkhd.reader(source, MAX_FIXED, "the track header (tkhd) is too short")?;
        let is_wide = reader.u32()? >> 24 == 1;
        let (_created, _modified) = (reader.sized(is_wide)?, reader.sized(is_wide)?);
        let id = reader.u32()?;
        reader.skip(4)?;
        let _duration = reader.sized(is_wide)?;
        // Reserved bytes, layer, group and volume.
        reader.skip(16)?;
        let matrix = Matrix::read(reader.array()?);
        // Numbers with 16 binary places.
        let sides = (reader.u32()? >> 16, reader.u32()? >> 16);

        let mdia = self.mdia.ok_or(broken("the track's media (mdia) is missing"))?;
        let mdhd = mdia
            .child(source, *b"mdhd")?
            .ok_or(broken("the track's media header (mdhd) is missing"))?;
        let mut reader = mdhd.reader(source, MAX_FIXED, "the track's media header (mdhd) is too short")?;
        let is_wide = reader.u32()? >> 24 == 1;
        let (_created, _modified) = (reader.sized(is_wide)?, reader.sized(is_wide)?);
        let timescale = reader.u32()?;
        if timescale == 0 {
            return Err(broken(
                "the track's media header (mdhd) counts 0 units per second",
            ));
        }
        let stbl = match mdia.child(source, *b"minf")? {
            Some(minf) => minf.child(source, *b"stbl")?,
            None => None,
        };
        let stbl = stbl.ok_or(broken("the track's sample tables (stbl) are missing"))?;
        let mut tables = TableParts::default();
        let mut stsd = None;
        for part in stbl.children(source) {
            let part = part?;
            let table = match &part.name {
                b"stsd" => &mut stsd,
                b"stts" => &mut tables.stts,
                b"ctts" => &mut tables.ctts,
                b"stss" => &mut tables.stss,
                b"stsc" => &mut tables.stsc,
                b"stsz" => &mut tables.stsz,
                b"stz2" => &mut tables.stz2,
                b"stco" => &mut tables.stco,
                b"co64" => &mut tables.co64,
                _ => continue,
            };
            table.get_or_insert(part);
        }
        let stsd = stsd.ok_or(broken("the description of its codec (stsd) is missing"))?;
        Ok(Track {
            id,
            timescale,
            orientation: matrix.then(movie.matrix).orientation(),
            edits: match self.elst {
                Some(elst) => edits(source, elst, movie.timescale, timescale)?,
                None => Edits::none(timescale),
            },
            entry: sample_entry(source, stsd, sides)?,
            tables,
        })
    }
}

/// `elst`.
fn edits(source: &Source<'_>, elst: Part, movie_timescale: u32, timescale: u32) -> Result<Edits, Stop> {
    let mut reader = elst.reader(source, 8 + MAX_EDITS * 20, "its edit list (elst) is too short")?;
    let is_wide = reader.u32()? >> 24 == 1;
    let count = reader.u32()?;
    if u64::from(count) > MAX_EDITS {
        return Err(VideoError::TooComplex.into());
    }
    let mut edits = Vec::new();
    for _ in 0..count {
        source.budget().items(1)?;
        let duration = reader.sized(is_wide)?;
        let media_time = if is_wide {
            reader.u64()?.cast_signed()
        } else {
            reader.i32()?.into()
        };
        let rate = reader.u32()?;
        edits.push(Edit {
            duration,
            // -1 is an empty edit, which shows nothing.
            media_time: u64::try_from(media_time).ok(),
            is_still: rate >> 16 == 0,
        });
    }
    Ok(Edits::new(edits, movie_timescale, timescale))
}

/// `stsd`: the description of the frames, which must be the same for all. `sides` are those of the track, for entries
/// without.
fn sample_entry(source: &Source<'_>, stsd: Part, sides: (u32, u32)) -> Result<SampleEntry, Stop> {
    let mut entry: Option<SampleEntry> = None;
    for part in stsd.children_after(source, 8) {
        let found = read_sample_entry(source, part?, sides)?;
        if entry.as_ref().is_some_and(|entry| *entry != found) {
            return Err(VideoError::CodecChanges.into());
        }
        entry = Some(found);
    }
    entry.ok_or(broken("the description of its codec (stsd) is empty"))
}

fn read_sample_entry(source: &Source<'_>, part: Part, sides: (u32, u32)) -> Result<SampleEntry, Stop> {
    /// Length of the fixed fields in bytes, before the boxes.
    const FIXED: u64 = 78;
    // Fairplay, and all others.
    if matches!(&part.name, b"drmi" | b"encv") {
        return Err(VideoError::Encrypted.into());
    }
    let mut reader = part.reader(source, FIXED, "the description of its codec (stsd) is too short")?;
    reader.skip(24)?;
    let mut coded = (u32::from(reader.u16()?), u32::from(reader.u16()?));
    if coded.0 == 0 || coded.1 == 0 {
        coded = sides;
    }
    if coded.0 == 0 || coded.1 == 0 {
        return Err(broken("its width or height is 0"));
    }
    reader.skip(FIXED as usize - 28)?;
    let mut entry = SampleEntry {
        codec: Codec::of_fourcc(part.name, &[]),
        configuration: Vec::new(),
        coded,
        aperture: None,
        pixel_aspect: (1, 1),
        hdr: None,
    };
    for part in part.children_after(source, FIXED) {
        let part = match part {
            Ok(part) => part,
            // Old QuickTime files have other bytes at the end.
            Err(Stop::Failed(VideoError::Broken(_))) => break,
            Err(stop) => return Err(stop),
        };
        const TOO_SHORT: &str = "a box in the description of its codec (stsd) is too short";
        let mut reader = part.reader(source, MAX_FIXED, TOO_SHORT)?;
        match &part.name {
            b"avcC" | b"hvcC" | b"av1C" | b"vpcC" | b"esds" if entry.configuration.is_empty() => {
                if part.length() > MAX_CONFIGURATION {
                    return Err(VideoError::TooComplex.into());
                }
                source.budget().bytes(part.length())?;
                entry.configuration = source.get(part.from, part.length())?.to_vec();
            }
            b"sinf" => return Err(VideoError::Encrypted.into()),
            b"pasp" => {
                entry.pixel_aspect = (reader.u32()?, reader.u32()?);
            }
            b"clap" => {
                let mut fraction = || {
                    let (numerator, denominator) = (f64::from(reader.u32()?), f64::from(reader.u32()?));
                    Ok::<_, Stop>(numerator / denominator)
                };
                let (width, height) = (fraction()?, fraction()?);
                let signed = |reader: &mut Reader<'_>| {
                    Ok::<_, Stop>(f64::from(reader.i32()?) / f64::from(reader.u32()?))
                };
                let (right, down) = (signed(&mut reader)?, signed(&mut reader)?);
                let is_inside = |side: f64, coded: u32| side >= 1.0 && side <= f64::from(coded);
                // Anything else is ignored, as players do. NaN is not inside.
                if is_inside(width, coded.0) && is_inside(height, coded.1) {
                    entry.aperture = Some(Aperture {
                        width,
                        height,
                        right,
                        down,
                    });
                }
            }
            b"colr" => {
                let kind = reader.array::<4>()?;
                if matches!(&kind, b"nclx" | b"nclc") {
                    let _primaries = reader.u16()?;
                    entry.hdr = Hdr::of_transfer(reader.u16()?.into());
                }
            }
            _ => {}
        }
    }
    entry.codec = Codec::of_fourcc(part.name, &entry.configuration);
    Ok(entry)
}

impl FragmentDefaults {
    /// `mvex`.
    fn read(source: &Source<'_>, mvex: Part, track: u32) -> Result<Self, Stop> {
        let mut defaults = Self::default();
        for part in mvex.children(source) {
            let part = part?;
            let mut reader = part.reader(
                source,
                MAX_FIXED,
                "the defaults of its fragments (mvex) are too short",
            )?;
            match &part.name {
                b"mehd" => {
                    let is_wide = reader.u32()? >> 24 == 1;
                    defaults.movie_duration = Some(reader.sized(is_wide)?).filter(|duration| *duration > 0);
                }
                b"trex" => {
                    reader.skip(4)?;
                    if reader.u32()? == track {
                        let _entry = reader.u32()?;
                        defaults.duration = reader.u32()?;
                        defaults.size = reader.u32()?;
                        defaults.flags = reader.u32()?;
                    }
                }
                _ => {}
            }
        }
        Ok(defaults)
    }
}

/// What a part without which the video can be displayed says. `None` if it is invalid.
fn optional<T>(found: Result<T, Stop>) -> Result<Option<T>, Stop> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(Stop::Failed(VideoError::Broken(_))) => Ok(None),
        Err(stop) => Err(stop),
    }
}

/// The time in QuickTime's metadata, which has the camera's UTC offset.
fn creation_date(source: &Source<'_>, meta: Part) -> Result<Option<String>, Stop> {
    const TOO_SHORT: &str = "its metadata (meta) is too short";
    if meta.length() < 8 {
        return Ok(None);
    }
    // MP4 has a version before the boxes, and QuickTime has not.
    let [.., n3, n2, n1, n0] = source.array::<8>(meta.from)?;
    let skip = if [n3, n2, n1, n0] == *b"hdlr" { 0 } else { 4 };
    let (mut keys, mut values) = (None, None);
    for part in meta.children_after(source, skip) {
        let part = part?;
        match &part.name {
            b"keys" => keys = Some(part),
            b"ilst" => values = Some(part),
            _ => {}
        }
    }
    let (Some(keys), Some(values)) = (keys, values) else {
        return Ok(None);
    };
    let mut reader = keys.reader(source, MAX_KEYS, TOO_SHORT)?;
    reader.skip(4)?;
    // Values name the key by its number, which counts from 1.
    let mut name = None;
    for number in 1..=reader.u32()? {
        source.budget().step()?;
        let length = (reader.u32()? as usize).checked_sub(4).ok_or(broken(TOO_SHORT))?;
        if reader.bytes(length)? == b"mdtacom.apple.quicktime.creationdate" {
            name = Some(number.to_be_bytes());
            break;
        }
    }
    let Some(name) = name else { return Ok(None) };
    let Some(value) = values.child(source, name)? else {
        return Ok(None);
    };
    let mut reader = value.reader(source, MAX_KEYS, TOO_SHORT)?;
    // A box `data`: size, name, type and language. Then the text.
    reader.skip(16)?;
    Ok(date_time(reader.rest()))
}

/// A time such as `2026-05-01T12:30:00+0200`.
fn date_time(text: &[u8]) -> Option<String> {
    let (time, offset) = std::str::from_utf8(text).ok()?.split_at_checked(19)?;
    let time: DateTime = time.parse().ok()?;
    let offset = match offset.as_bytes() {
        [] => String::new(),
        b"Z" => "+00:00".into(),
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let digits: Vec<u8> = rest.iter().copied().filter(|byte| *byte != b':').collect();
            let [h1, h0, m1, m0] = digits[..] else { return None };
            let is_digits = digits.iter().all(u8::is_ascii_digit);
            if !is_digits || [h1, h0] > *b"14" || [m1, m0] > *b"59" {
                return None;
            }
            let [sign, h1, h0, m1, m0] = [*sign, h1, h0, m1, m0].map(char::from);
            format!("{sign}{h1}{h0}:{m1}{m0}")
        }
        _ => return None,
    };
    Some(format!("{time}{offset}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_with_offsets_and_ignores_others() {
        for (text, time) in [
            ("2026-05-01T12:30:00+0200", Some("2026-05-01T12:30:00+02:00")),
            ("2026-05-01T12:30:00-09:30", Some("2026-05-01T12:30:00-09:30")),
            ("2026-05-01T12:30:00Z", Some("2026-05-01T12:30:00+00:00")),
            ("2026-05-01T12:30:00", Some("2026-05-01T12:30:00")),
            ("2026-05-01T12:30:00+9999", None),
            ("2026-05-01T12:30:00+02:0", None),
            ("2026-13-01T12:30:00+0200", None),
            ("2026-05-01", None),
            ("", None),
        ] {
            assert_eq!(date_time(text.as_bytes()).as_deref(), time, "{text}");
        }
    }

    #[test]
    fn a_matrix_gives_the_orientation_of_exif() {
        for (matrix, number) in [
            ([1.0, 0.0, 0.0, 1.0], 1),
            ([-1.0, 0.0, 0.0, 1.0], 2),
            ([-1.0, 0.0, 0.0, -1.0], 3),
            ([1.0, 0.0, 0.0, -1.0], 4),
            ([0.0, 1.0, 1.0, 0.0], 5),
            ([0.0, 1.0, -1.0, 0.0], 6),
            ([0.0, -1.0, -1.0, 0.0], 7),
            ([0.0, -1.0, 1.0, 0.0], 8),
            ([2.0, 0.0, 0.0, 2.0], 1),
            ([0.0; 4], 1),
        ] {
            assert_eq!(Matrix(matrix).orientation().number(), number, "{matrix:?}");
        }
        let quarter = Matrix([0.0, 1.0, -1.0, 0.0]);
        assert_eq!(quarter.then(quarter).orientation().number(), 3);
    }
}
