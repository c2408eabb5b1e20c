//! How stored pixels are to be turned and mirrored to be seen.

use exif::{In, Tag};

/// EXIF's orientation, 1 to 8: how the stored pixels are to be turned and mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orientation(u8);

impl Orientation {
    /// Stored as seen.
    pub const UPRIGHT: Self = Self(1);

    /// The orientation that an EXIF segment tells, without its leading `Exif\0\0`; upright if it tells none or is
    /// damaged.
    pub fn from_exif_segment(segment: &[u8]) -> Self {
        exif::Reader::new()
            .read_raw(segment.to_vec())
            .ok()
            .and_then(|exif| exif.get_field(Tag::Orientation, In::PRIMARY)?.value.get_uint(0))
            .map_or(Self::UPRIGHT, Self::from_exif)
    }

    /// The orientation with EXIF's number; what is not 1 to 8 counts as upright.
    pub fn from_exif(number: u32) -> Self {
        match u8::try_from(number) {
            Ok(number @ 1..=8) => Self(number),
            _ => Self::UPRIGHT,
        }
    }

    /// Whether the width as seen is the stored height.
    pub fn swaps_sides(self) -> bool {
        self.0 >= 5
    }

    /// Where the pixel seen at (x, y) is stored, in a buffer of `width` x `height` stored pixels: at
    /// `origin + x * step_x + y * step_y`.
    pub fn addressing(self, width: usize, height: usize) -> Addressing {
        let (w, h) = (width as isize, height as isize);
        let (right, down) = (1, w);
        let (origin, step_x, step_y) = match self.0 {
            2 => (w - 1, -right, down),
            3 => (w * h - 1, -right, -down),
            4 => (w * (h - 1), right, -down),
            5 => (0, down, right),
            6 => (w * (h - 1), -down, right),
            7 => (w * h - 1, -down, -right),
            8 => (w - 1, down, -right),
            _ => (0, right, down),
        };
        Addressing {
            origin,
            step_x,
            step_y,
        }
    }

    /// A point as seen, in fractions of the sides, in fractions of the stored sides.
    pub fn stored_point(self, x: f64, y: f64) -> (f64, f64) {
        match self.0 {
            2 => (1.0 - x, y),
            3 => (1.0 - x, 1.0 - y),
            4 => (x, 1.0 - y),
            5 => (y, x),
            6 => (y, 1.0 - x),
            7 => (1.0 - y, 1.0 - x),
            8 => (1.0 - y, x),
            _ => (x, y),
        }
    }
}

/// Finds stored pixels by their place as seen; see [`Orientation::addressing`].
#[derive(Debug, Clone, Copy)]
pub struct Addressing {
    origin: isize,
    step_x: isize,
    step_y: isize,
}

impl Addressing {
    /// Index of the stored pixel that is seen at (x, y), both within the sides as seen.
    pub fn index(self, x: usize, y: usize) -> usize {
        (self.origin + x as isize * self.step_x + y as isize * self.step_y) as usize
    }
}
