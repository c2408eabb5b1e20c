//! Metadata as cameras write it: EXIF. Everything in it may be absurd.

use domain::{Location, Metadata, Orientation};
use exif::{Error, Field, In, Reader, Tag, Value};
use jiff::civil::DateTime;

/// Stands before EXIF in a JPEG's segment.
pub(crate) const PREFIX: &[u8] = b"Exif\0\0";

/// Most bytes of EXIF that are read; in a JPEG's segment there is room for 64 KiB.
pub(crate) const MOST_BYTES: usize = 256 * 1024;

/// Most characters of a text.
const MOST_CHARACTERS: usize = 64;

/// What is used of EXIF.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Exif {
    pub(crate) orientation: Orientation,
    pub(crate) metadata: Metadata,
}

impl Exif {
    /// From what stands behind [`PREFIX`]: a TIFF header and its directories. What is damaged counts as absent.
    pub(crate) fn read(tiff: &[u8]) -> Self {
        let read = Reader::new()
            .continue_on_error(true)
            .read_raw(tiff.to_vec())
            .or_else(|error: Error| error.distill_partial_result(|_| ()));
        let Ok(exif) = read else {
            return Self::default();
        };
        let tags = Tags(&exif);
        Self {
            orientation: tags
                .value(Tag::Orientation)
                .and_then(|value| value.get_uint(0))
                .unwrap_or(1)
                .into(),
            metadata: tags.metadata(),
        }
    }
}

struct Tags<'a>(&'a exif::Exif);

impl Tags<'_> {
    fn value(&self, tag: Tag) -> Option<&Value> {
        self.0
            .get_field(tag, In::PRIMARY)
            .map(|Field { value, .. }| value)
    }

    fn metadata(&self) -> Metadata {
        Metadata {
            camera_make: self.text(Tag::Make),
            camera_model: self.text(Tag::Model),
            lens: self.text(Tag::LensModel),
            exposure_time: self.number(Tag::ExposureTime, 86_400.0),
            f_number: self.number(Tag::FNumber, 1_000.0),
            iso: self
                .value(Tag::PhotographicSensitivity)
                .and_then(|value| value.get_uint(0))
                .filter(|iso| (1..=10_000_000).contains(iso)),
            focal_length: self.number(Tag::FocalLength, 100_000.0),
            taken_at: self.taken_at(),
            location: self.location(),
        }
    }

    fn ascii(&self, tag: Tag) -> Option<&[u8]> {
        match self.value(tag)? {
            Value::Ascii(texts) => texts.first().map(Vec::as_slice),
            _ => None,
        }
    }

    fn text(&self, tag: Tag) -> Option<String> {
        let text = String::from_utf8_lossy(self.ascii(tag)?)
            .chars()
            .filter(|character| !character.is_control() && *character != char::REPLACEMENT_CHARACTER)
            .take(MOST_CHARACTERS)
            .collect::<String>();
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn rational(&self, tag: Tag, index: usize) -> Option<f64> {
        match self.value(tag)? {
            Value::Rational(values) => values.get(index).map(exif::Rational::to_f64),
            _ => None,
        }
        // A denominator of 0 makes no number.
        .filter(|number| number.is_finite())
    }

    /// Above 0, and not above what any camera has.
    fn number(&self, tag: Tag, most: f64) -> Option<f64> {
        self.rational(tag, 0)
            .filter(|number| *number > 0.0 && *number <= most)
    }

    fn taken_at(&self) -> Option<String> {
        let time = self
            .ascii(Tag::DateTimeOriginal)
            .and_then(|text| exif::DateTime::from_ascii(text).ok())?;
        let time = DateTime::new(
            time.year.try_into().ok()?,
            time.month.try_into().ok()?,
            time.day.try_into().ok()?,
            time.hour.try_into().ok()?,
            time.minute.try_into().ok()?,
            time.second.try_into().ok()?,
            0,
        )
        .ok()?;
        let offset = self
            .ascii(Tag::OffsetTimeOriginal)
            .and_then(offset)
            .unwrap_or_default();
        Some(format!("{time}{offset}"))
    }

    fn location(&self) -> Option<Location> {
        let degrees = |tag, reference, negative, most: f64| {
            let [degrees, minutes, seconds] = [
                self.rational(tag, 0)?,
                self.rational(tag, 1)?,
                self.rational(tag, 2)?,
            ];
            let angle = degrees + minutes / 60.0 + seconds / 3600.0;
            let angle = if self.ascii(reference)?.first() == Some(&negative) {
                -angle
            } else {
                angle
            };
            (-most..=most).contains(&angle).then_some(angle)
        };
        let below_sea =
            matches!(self.value(Tag::GPSAltitudeRef), Some(Value::Byte(bytes)) if bytes.first() == Some(&1));
        Some(Location {
            latitude: degrees(Tag::GPSLatitude, Tag::GPSLatitudeRef, b'S', 90.0)?,
            longitude: degrees(Tag::GPSLongitude, Tag::GPSLongitudeRef, b'W', 180.0)?,
            altitude: self
                .rational(Tag::GPSAltitude, 0)
                .filter(|altitude| *altitude <= 100_000.0)
                .map(|altitude| if below_sea { -altitude } else { altitude }),
        })
    }
}

/// `+01:00` and the like.
fn offset(text: &[u8]) -> Option<String> {
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
