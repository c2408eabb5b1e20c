//! Pictures as planes of luma and chroma, as video codecs store them: puts tiles together, scales, and converts to RGB.

use crate::decoded::DecodeError;
use crate::scale::scaled_plane;
use image::RgbImage;
use picture_header::heif::{ColorSpace, Crop};

/// How many samples of chroma there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// No chroma.
    Gray,
    /// One for two by two pixels (4:2:0).
    Quarter,
    /// One for two pixels of a row (4:2:2).
    Half,
    /// One for each pixel (4:4:4).
    Full,
}

impl Layout {
    /// Pixels for each chroma sample, horizontally and vertically.
    pub fn subsampling(self) -> (usize, usize) {
        match self {
            Self::Quarter => (2, 2),
            Self::Half => (2, 1),
            Self::Full | Self::Gray => (1, 1),
        }
    }
}

/// What the coded data says about its samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal {
    /// The matrix from luma and chroma to RGB: its number in ITU-T H.273.
    pub matrix: u16,
    /// Whether black is 0 and not 16.
    pub full_range: bool,
}

/// The number of a matrix that is not specified.
const UNSPECIFIED: u16 = 2;

impl Signal {
    /// The file's color space takes precedence.
    pub(crate) fn specified(self, space: Option<ColorSpace>) -> Self {
        match space {
            Some(space) => Self {
                matrix: if space.matrix == UNSPECIFIED {
                    self.matrix
                } else {
                    space.matrix
                },
                full_range: space.full_range,
            },
            None => self,
        }
    }
}

/// A decoded tile, or a decoded picture without tiles.
pub trait Tile {
    /// Width and height in pixels.
    fn sides(&self) -> (usize, usize);
    /// How many samples of chroma there are.
    fn layout(&self) -> Layout;
    /// What the coded data says about its samples.
    fn signal(&self) -> Signal;
    /// Copies samples of plane 0, 1 or 2 with 8 bits, from this row and column on. The samples are inside the plane.
    fn copy(&self, plane: usize, row: usize, column: usize, to: &mut [u8]);
}

/// Rounds a sample of more than 8 bits.
pub fn narrowed(value: u16, bits: u32) -> u8 {
    let rounded = (u32::from(value) + (1 << bits >> 9)) >> (bits - 8);
    u8::try_from(rounded).unwrap_or(u8::MAX)
}

/// A frame's part in RGB, at this size. Luma and chroma are scaled before the conversion, which then has fewer pixels to
/// convert. `crop` is in pixels of the frame, and is not empty.
pub fn rgb(frame: &impl Tile, crop: Crop, signal: Signal, (width, height): (u32, u32)) -> RgbImage {
    let mut planes = Planes::of(frame, (crop.width, crop.height));
    planes.put_layout(frame, (-i64::from(crop.left), -i64::from(crop.top)));
    let conversion = Conversion::of(signal, &planes);
    let rgb = conversion.rgb(planes.scaled((width, height)));
    RgbImage::from_raw(width, height, rgb).expect("three samples for each pixel")
}

/// A picture put together from its tiles.
pub(crate) struct Planes {
    /// Luma and both chroma planes, or green, blue and red.
    planes: [Plane; 3],
    layout: Layout,
    pub(crate) signal: Signal,
}

impl Planes {
    /// A picture of these sides with tiles like this.
    pub(crate) fn of(tile: &impl Tile, (width, height): (u32, u32)) -> Self {
        let layout = tile.layout();
        let chroma = || {
            let (across, down) = layout.subsampling();
            if layout == Layout::Gray {
                // Neutral chroma, which is scaled to the size of the other planes.
                Plane::of(1, 1)
            } else {
                Plane::of(width.div_ceil(across as u32), height.div_ceil(down as u32))
            }
        };
        Self {
            planes: [Plane::of(width, height), chroma(), chroma()],
            layout,
            signal: tile.signal(),
        }
    }

    /// Copies a tile to this position. Ignores what is outside the picture.
    pub(crate) fn put(&mut self, tile: &impl Tile, (left, top): (i64, i64)) -> Result<(), DecodeError> {
        if tile.layout() != self.layout {
            return Err(DecodeError::of("tiles of different kinds"));
        }
        self.put_layout(tile, (left, top));
        Ok(())
    }

    /// Copies a tile of the same layout.
    fn put_layout(&mut self, tile: &impl Tile, (left, top): (i64, i64)) {
        let (width, height) = tile.sides();
        for (index, plane) in self.planes.iter_mut().enumerate() {
            let (across, down) = match index {
                0 => (1, 1),
                _ if self.layout == Layout::Gray => break,
                _ => self.layout.subsampling(),
            };
            let place = (left.div_euclid(across as i64), top.div_euclid(down as i64));
            let sides = (width.div_ceil(across), height.div_ceil(down));
            plane.put(place, sides, |row, column, to| tile.copy(index, row, column, to));
        }
    }

    /// All planes at this size.
    pub(crate) fn scaled(self, to: (u32, u32)) -> [Vec<u8>; 3] {
        self.planes.map(|plane| plane.scaled(to))
    }
}

/// Samples of 8 bits.
struct Plane {
    width: u32,
    height: u32,
    samples: Vec<u8>,
}

impl Plane {
    /// A plane in which all samples have the middle value.
    fn of(width: u32, height: u32) -> Self {
        Self {
            width,
            height,
            samples: vec![128; width as usize * height as usize],
        }
    }

    /// Copies a tile of these sides to a place that may be partly outside. `copy` gets a row and a column of the tile.
    fn put(
        &mut self,
        (left, top): (i64, i64),
        (width, height): (usize, usize),
        copy: impl Fn(usize, usize, &mut [u8]),
    ) {
        // The first sample of the tile that is inside, and its place.
        let start = |place: i64| {
            (
                usize::try_from(-place).unwrap_or(0),
                usize::try_from(place).unwrap_or(0),
            )
        };
        let ((skipped_columns, left), (skipped_rows, top)) = (start(left), start(top));
        let own_width = self.width as usize;
        let columns = width
            .saturating_sub(skipped_columns)
            .min(own_width.saturating_sub(left));
        if columns == 0 {
            return;
        }
        let rows = self.samples.chunks_exact_mut(own_width).skip(top);
        for (to, row) in rows.zip(skipped_rows..height) {
            copy(row, skipped_columns, &mut to[left..left + columns]);
        }
    }

    fn scaled(self, to: (u32, u32)) -> Vec<u8> {
        scaled_plane(self.samples, (self.width, self.height), to)
    }
}

/// Converts luma and chroma to RGB.
pub(crate) struct Conversion {
    /// The planes are green, blue and red instead of luma and chroma.
    identity: bool,
    luma_offset: f32,
    luma_scale: f32,
    /// Added to the colors for each step of chroma.
    red_of_v: f32,
    green_of_u: f32,
    green_of_v: f32,
    blue_of_u: f32,
}

impl Conversion {
    pub(crate) fn of(signal: Signal, planes: &Planes) -> Self {
        let Signal { matrix, full_range } = signal;
        let (luma_offset, luma_range, chroma_range) = if full_range {
            (0.0, 255.0, 255.0)
        } else {
            (16.0, 219.0, 224.0)
        };
        // The shares of red and blue in luma. Source: ITU-T H.273, table 4.
        let (red, blue) = match matrix {
            1 => (0.2126, 0.0722),
            4 => (0.30, 0.11),
            7 => (0.212, 0.087),
            9 | 10 => (0.2627, 0.0593),
            _ => (0.299, 0.114),
        };
        let chroma_scale = 255.0 / chroma_range;
        let red_of_v = 2.0 * (1.0 - red) * chroma_scale;
        let blue_of_u = 2.0 * (1.0 - blue) * chroma_scale;
        let green = 1.0 - red - blue;
        Self {
            identity: matrix == 0 && planes.layout == Layout::Full,
            luma_offset,
            luma_scale: 255.0 / luma_range,
            red_of_v,
            green_of_u: -blue * blue_of_u / green,
            green_of_v: -red * red_of_v / green,
            blue_of_u,
        }
    }

    pub(crate) fn rgb(&self, [luma, u, v]: [Vec<u8>; 3]) -> Vec<u8> {
        let mut rgb = vec![0; luma.len() * 3];
        let samples = luma.into_iter().zip(u).zip(v);
        for (pixel, ((luma, u), v)) in rgb.as_chunks_mut().0.iter_mut().zip(samples) {
            *pixel = if self.identity {
                [v, luma, u].map(|value| rounded(self.luma(value)))
            } else {
                let (u, v) = (f32::from(u) - 128.0, f32::from(v) - 128.0);
                [
                    self.red_of_v * v,
                    self.green_of_u * u + self.green_of_v * v,
                    self.blue_of_u * u,
                ]
                .map(|color| rounded(self.luma(luma) + color))
            };
        }
        rgb
    }

    fn luma(&self, value: u8) -> f32 {
        (f32::from(value) - self.luma_offset) * self.luma_scale
    }
}

/// The cast saturates at 0 and 255.
fn rounded(value: f32) -> u8 {
    (value + 0.5) as u8
}
