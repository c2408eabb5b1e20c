//! EXIF, the metadata that cameras write. Every value can be invalid.
//!
//! Only the values that are used are read, where they are, so that the size of EXIF and the number and the order of its
//! directories do not matter.

use crate::directory::{Directory, Entry, Tiff, lenient};
use crate::keywords;
use crate::pieces::Pieces;
use crate::stored::Stop;
use domain::{Location, Metadata, Orientation};
use jiff::civil::DateTime;

/// Precedes EXIF in a JPEG's segment.
pub(crate) const PREFIX: &[u8] = b"Exif\0\0";

/// Maximum size of EXIF in bytes. A JPEG's segment has at most 64 KiB.
pub(crate) const MAX_BYTES: usize = 256 * 1024;

/// Maximum length of a text in characters. Longer texts are cut.
const MAX_CHARACTERS: usize = 64;

/// The parts of EXIF that this project uses.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Exif {
    pub(crate) orientation: Orientation,
    pub(crate) metadata: Metadata,
}

mod tag {
    pub(super) const MAKE: u16 = 0x010F;
    pub(super) const MODEL: u16 = 0x0110;
    pub(super) const ORIENTATION: u16 = 0x0112;
    /// Position of the directory of EXIF.
    pub(super) const EXIF: u16 = 0x8769;
    /// Position of the directory of GPS.
    pub(super) const GPS: u16 = 0x8825;
    pub(super) const EXPOSURE_TIME: u16 = 0x829A;
    pub(super) const F_NUMBER: u16 = 0x829D;
    pub(super) const ISO: u16 = 0x8827;
    pub(super) const DATE_TIME_ORIGINAL: u16 = 0x9003;
    pub(super) const OFFSET_TIME_ORIGINAL: u16 = 0x9011;
    pub(super) const FOCAL_LENGTH: u16 = 0x920A;
    pub(super) const LENS_MODEL: u16 = 0xA434;
    pub(super) const LATITUDE_REF: u16 = 1;
    pub(super) const LATITUDE: u16 = 2;
    pub(super) const LONGITUDE_REF: u16 = 3;
    pub(super) const LONGITUDE: u16 = 4;
    pub(super) const ALTITUDE_REF: u16 = 5;
    pub(super) const ALTITUDE: u16 = 6;
}

impl Exif {
    /// Reads the bytes after [`PREFIX`]: a TIFF header and its directories. Damaged entries count as missing.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let file = Pieces::all(bytes);
        Tiff::open(&file, 0)
            .and_then(|tiff| Self::of_directory(&tiff.directory(tiff.first()?)?))
            .unwrap_or_default()
    }

    /// Reads a TIFF page's directory, and the directories of EXIF and GPS that it names.
    pub(crate) fn of_directory(first: &Directory<'_>) -> Result<Self, Stop> {
        let below = |tag| {
            lenient(first.number(tag))?.map_or(Ok(None), |at| lenient(first.tiff.directory(at).map(Some)))
        };
        Self::of_directories(first, below(tag::EXIF)?.as_ref(), below(tag::GPS)?.as_ref())
    }

    /// Reads the directories in which EXIF keeps its values.
    pub(crate) fn of_directories(
        first: &Directory<'_>,
        exif: Option<&Directory<'_>>,
        gps: Option<&Directory<'_>>,
    ) -> Result<Self, Stop> {
        let keywords = keywords::of_windows(first)?;
        // DNG can have them all in the first directory.
        let [first, exif, gps] = [Some(first), exif.or(Some(first)), gps].map(Values);
        Ok(Self {
            orientation: first
                .number(tag::ORIENTATION)?
                .and_then(|number| u32::try_from(number).ok())
                .unwrap_or(1)
                .into(),
            metadata: Metadata {
                camera_make: first.text(tag::MAKE)?,
                camera_model: first.text(tag::MODEL)?,
                lens: exif.text(tag::LENS_MODEL)?,
                exposure_time: exif.positive(tag::EXPOSURE_TIME, 86_400.0)?,
                f_number: exif.positive(tag::F_NUMBER, 1_000.0)?,
                iso: exif
                    .number(tag::ISO)?
                    .and_then(|iso| u32::try_from(iso).ok())
                    .filter(|iso| (1..=10_000_000).contains(iso)),
                focal_length: exif.positive(tag::FOCAL_LENGTH, 100_000.0)?,
                taken_at: exif.taken_at()?,
                location: gps.location()?,
                keywords,
            },
        })
    }
}

/// Reads the values of a directory that may be missing, as may every value.
struct Values<'a>(Option<&'a Directory<'a>>);

impl<'a> Values<'a> {
    fn entry(&self, tag: u16) -> Result<Option<Entry<'a>>, Stop> {
        self.0.map_or(Ok(None), |directory| directory.entry(tag))
    }

    fn number(&self, tag: u16) -> Result<Option<u64>, Stop> {
        self.entry(tag)?
            .map_or(Ok(None), |entry| lenient(entry.number(0)))
    }

    fn rational(&self, tag: u16, index: u64) -> Result<Option<f64>, Stop> {
        self.entry(tag)?
            .map_or(Ok(None), |entry| lenient(entry.rational(index)))
    }

    /// A number above 0 and at most `max`, which no camera exceeds.
    fn positive(&self, tag: u16, max: f64) -> Result<Option<f64>, Stop> {
        let number = self.rational(tag, 0)?;
        Ok(number.filter(|number| *number > 0.0 && *number <= max))
    }

    fn ascii(&self, tag: u16) -> Result<Option<&'a [u8]>, Stop> {
        self.0.map_or(Ok(None), |directory| lenient(directory.text(tag)))
    }

    fn text(&self, tag: u16) -> Result<Option<String>, Stop> {
        Ok(self.ascii(tag)?.and_then(|bytes| {
            let text = String::from_utf8_lossy(bytes)
                .chars()
                .filter(|character| !character.is_control() && *character != char::REPLACEMENT_CHARACTER)
                .take(MAX_CHARACTERS)
                .collect::<String>();
            let text = text.trim();
            (!text.is_empty()).then(|| text.to_owned())
        }))
    }

    fn taken_at(&self) -> Result<Option<String>, Stop> {
        let Some(time) = self.ascii(tag::DATE_TIME_ORIGINAL)?.and_then(date_time) else {
            return Ok(None);
        };
        let offset = self.ascii(tag::OFFSET_TIME_ORIGINAL)?;
        let offset = offset.and_then(offset_from_utc).unwrap_or_default();
        Ok(Some(format!("{time}{offset}")))
    }

    fn location(&self) -> Result<Option<Location>, Stop> {
        let degrees = |tag, reference, negative, max: f64| -> Result<Option<f64>, Stop> {
            let parts = [
                self.rational(tag, 0)?,
                self.rational(tag, 1)?,
                self.rational(tag, 2)?,
            ];
            let ([Some(degrees), Some(minutes), Some(seconds)], Some(reference)) =
                (parts, self.ascii(reference)?)
            else {
                return Ok(None);
            };
            let angle = degrees + minutes / 60.0 + seconds / 3600.0;
            let angle = if reference.first() == Some(&negative) {
                -angle
            } else {
                angle
            };
            Ok((-max..=max).contains(&angle).then_some(angle))
        };
        let latitude = degrees(tag::LATITUDE, tag::LATITUDE_REF, b'S', 90.0)?;
        let longitude = degrees(tag::LONGITUDE, tag::LONGITUDE_REF, b'W', 180.0)?;
        let altitude = self.rational(tag::ALTITUDE, 0)?;
        let below_sea = self.number(tag::ALTITUDE_REF)? == Some(1);
        Ok(latitude.zip(longitude).map(|(latitude, longitude)| Location {
            latitude,
            longitude,
            altitude: altitude
                .filter(|altitude| *altitude <= 100_000.0)
                .map(|altitude| if below_sea { -altitude } else { altitude }),
        }))
    }
}

/// A time such as `2026:05:01 12:30:00`.
fn date_time(text: &[u8]) -> Option<DateTime> {
    let [
        y3,
        y2,
        y1,
        y0,
        b':',
        m1,
        m0,
        b':',
        d1,
        d0,
        b' ',
        h1,
        h0,
        b':',
        n1,
        n0,
        b':',
        s1,
        s0,
        ..,
    ] = text
    else {
        return None;
    };
    let number = |digits: &[&u8]| {
        digits.iter().try_fold(0_i16, |number, digit| {
            let digit = digit.is_ascii_digit().then(|| i16::from(**digit - b'0'))?;
            Some(number * 10 + digit)
        })
    };
    let two = |digits: [&u8; 2]| number(&digits).and_then(|number| i8::try_from(number).ok());
    DateTime::new(
        number(&[y3, y2, y1, y0])?,
        two([m1, m0])?,
        two([d1, d0])?,
        two([h1, h0])?,
        two([n1, n0])?,
        two([s1, s0])?,
        0,
    )
    .ok()
}

/// An offset from UTC such as `+01:00`.
fn offset_from_utc(text: &[u8]) -> Option<String> {
    let [sign @ (b'+' | b'-'), h1, h0, b':', m1, m0] = text.trim_ascii_end() else {
        return None;
    };
    let digits = [h1, h0, m1, m0];
    let valid =
        digits.iter().all(|digit| digit.is_ascii_digit()) && (*h1, *h0) <= (b'1', b'9') && *m1 <= b'5';
    valid.then(|| {
        let sign = char::from(*sign);
        let [h1, h0, m1, m0] = digits.map(|digit| char::from(*digit));
        format!("{sign}{h1}{h0}:{m1}{m0}")
    })
}
