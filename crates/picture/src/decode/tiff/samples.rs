//! From a row of samples, as stored, to RGB of 8 bits.

use super::layout::{Alpha, Color, Layout, Predictor, Sample};
use crate::color::{lab_to_srgb, over_white, rgb_of_cmyk};

/// Puts a row's samples of 16 bits and more into this machine's byte order, and undoes its predictor. The row has whole
/// pixels.
pub(super) fn restore(layout: &Layout, row: &mut [u8]) {
    use super::directory::Order;
    let samples = layout.chunk_samples();
    let width = usize::from(layout.bits / 8);
    if layout.predictor == Predictor::Float {
        undo_float_predictor(row, samples, width);
        return;
    }
    let native = if cfg!(target_endian = "little") {
        Order::Little
    } else {
        Order::Big
    };
    if layout.order != native && matches!(layout.bits, 16 | 32 | 64) {
        row.chunks_exact_mut(width).for_each(<[u8]>::reverse);
    }
    if layout.predictor == Predictor::Horizontal {
        match layout.bits {
            8 => add_previous::<1>(row, samples, |[a], [b]| [a.wrapping_add(b)]),
            16 => add_previous(row, samples, |a, b| {
                u16::from_ne_bytes(a)
                    .wrapping_add(u16::from_ne_bytes(b))
                    .to_ne_bytes()
            }),
            32 => add_previous(row, samples, |a, b| {
                u32::from_ne_bytes(a)
                    .wrapping_add(u32::from_ne_bytes(b))
                    .to_ne_bytes()
            }),
            _ => add_previous(row, samples, |a, b| {
                u64::from_ne_bytes(a)
                    .wrapping_add(u64::from_ne_bytes(b))
                    .to_ne_bytes()
            }),
        }
    }
}

/// Adds to each sample the sample of the pixel to the left.
fn add_previous<const WIDTH: usize>(
    row: &mut [u8],
    samples: usize,
    add: impl Fn([u8; WIDTH], [u8; WIDTH]) -> [u8; WIDTH],
) {
    let row = row.as_chunks_mut::<WIDTH>().0;
    match samples {
        1 => add_pixels::<1, WIDTH>(row, add),
        3 => add_pixels::<3, WIDTH>(row, add),
        4 => add_pixels::<4, WIDTH>(row, add),
        _ => {
            for at in samples..row.len() {
                row[at] = add(row[at], row[at - samples]);
            }
        }
    }
}

/// The same with a known number of samples, whose sums stay in registers.
fn add_pixels<const SAMPLES: usize, const WIDTH: usize>(
    row: &mut [[u8; WIDTH]],
    add: impl Fn([u8; WIDTH], [u8; WIDTH]) -> [u8; WIDTH],
) {
    let mut sums = [[0; WIDTH]; SAMPLES];
    for pixel in row.as_chunks_mut::<SAMPLES>().0 {
        for (sum, sample) in sums.iter_mut().zip(pixel) {
            *sum = add(*sum, *sample);
            *sample = *sum;
        }
    }
}

/// Adobe's predictor for floating-point numbers: the row has first the highest bytes of all samples, then the next ones,
/// and each byte is a difference.
fn undo_float_predictor(row: &mut [u8], samples: usize, width: usize) {
    for at in samples..row.len() {
        row[at] = row[at].wrapping_add(row[at - samples]);
    }
    let planes = row.to_vec();
    let count = row.len() / width;
    for (index, sample) in row.chunks_exact_mut(width).enumerate() {
        for (byte, value) in sample.iter_mut().enumerate() {
            let significance = if cfg!(target_endian = "little") {
                width - 1 - byte
            } else {
                byte
            };
            *value = planes[significance * count + index];
        }
    }
}

/// The sample at an index of a row, as a number.
pub(super) fn value(layout: &Layout, row: &[u8], index: usize) -> f64 {
    let width = usize::from(layout.bits / 8);
    let bytes = &row[index * width..(index + 1) * width];
    macro_rules! read {
        ($kind:ty) => {
            <$kind>::from_ne_bytes(bytes.try_into().unwrap_or_default())
        };
    }
    match (layout.sample, layout.bits) {
        (Sample::Float, 16) => half(read!(u16)),
        (Sample::Float, 32) => read!(f32).into(),
        (Sample::Float, _) => read!(f64),
        (Sample::Signed, 8) => read!(i8).into(),
        (Sample::Signed, 16) => read!(i16).into(),
        (Sample::Signed, 32) => read!(i32).into(),
        (Sample::Signed, _) => read!(i64) as f64,
        (_, 32) => read!(u32).into(),
        _ => read!(u64) as f64,
    }
}

fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let fraction = f64::from(bits & 0x3FF) / 1_024.0;
    match bits >> 10 & 0x1F {
        0 => sign * fraction * 2_f64.powi(-14),
        0x1F => f64::NAN,
        exponent => sign * (1.0 + fraction) * 2_f64.powi(i32::from(exponent) - 15),
    }
}

/// The bits of an unsigned sample of at most 16 bits.
fn unsigned(bits: u8, row: &[u8], index: usize) -> u16 {
    match bits {
        8 => row[index].into(),
        16 => u16::from_ne_bytes([row[index * 2], row[index * 2 + 1]]),
        _ => {
            let at = index * usize::from(bits);
            let byte = |offset: usize| u32::from(row.get(at / 8 + offset).copied().unwrap_or(0));
            let three = byte(0) << 16 | byte(1) << 8 | byte(2);
            let shifted = three >> (24 - at % 8 - usize::from(bits));
            (shifted & ((1 << bits) - 1)) as u16
        }
    }
}

/// What a sample of wide integers or floating-point numbers must have to be black and white.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Range {
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Range {
    pub(super) const EMPTY: Self = Self {
        min: f64::INFINITY,
        max: f64::NEG_INFINITY,
    };

    /// Marks for missing data are beyond.
    const LARGEST: f64 = 1e30;

    pub(super) fn add(&mut self, value: f64) {
        if value.abs() < Self::LARGEST {
            self.min = self.min.min(value);
            self.max = self.max.max(value);
        }
    }

    pub(super) fn join(self, other: Self) -> Self {
        Self {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }

    /// The range from black to white of a picture with these extremes.
    pub(super) fn of_picture(self, sample: Sample) -> Self {
        let Self { min, max } = self;
        if sample == Sample::Float && min >= 0.0 && max <= 1.0 {
            Self { min: 0.0, max: 1.0 }
        } else if min >= 0.0 && max <= 255.0 {
            Self { min: 0.0, max: 255.0 }
        } else {
            self
        }
    }

    fn scale(self, value: f64) -> u8 {
        let share = (value - self.min) / (self.max - self.min);
        // Not a number becomes 0.
        (share * 255.0).round().clamp(0.0, 255.0) as u8
    }
}

/// Converts rows.
pub(super) struct Converter<'a> {
    layout: &'a Layout,
    palette: Vec<[u8; 3]>,
    range: Range,
    chroma: Chroma,
}

impl<'a> Converter<'a> {
    pub(super) fn new(layout: &'a Layout, palette: Vec<[u8; 3]>, range: Range, chroma: Chroma) -> Self {
        Self {
            layout,
            palette,
            range,
            chroma,
        }
    }

    /// Samples of a pixel that are needed.
    pub(super) fn channels(layout: &Layout) -> usize {
        layout.color.channels() + usize::from(layout.alpha.is_some())
    }

    /// Converts the first pixels of a row. `planes`: one row with all samples, or one row for each needed sample.
    pub(super) fn convert(&self, planes: &[&[u8]], samples: &mut Vec<u8>, rgb: &mut [u8]) {
        let channels = Self::channels(self.layout);
        let pixels = rgb.len() / 3;
        let (bits, sample) = (self.layout.bits, self.layout.sample);
        if self.layout.color == Color::Palette {
            self.palette_row(planes, rgb);
            return;
        }
        if (bits, sample) == (8, Sample::Unsigned) && !self.layout.planar && self.layout.samples == channels {
            self.colors(&planes[0][..pixels * channels], rgb);
            return;
        }
        samples.resize(pixels * channels, 0);
        for channel in 0..channels {
            let (row, stride, first) = if self.layout.planar {
                (planes[channel], 1, 0)
            } else {
                (planes[0], self.layout.samples, channel)
            };
            let targets = samples[channel..].iter_mut().step_by(channels);
            let indices = (first..).step_by(stride);
            match (sample, bits) {
                (Sample::Unsigned, 8) => {
                    targets
                        .zip(indices)
                        .for_each(|(target, index)| *target = row[index]);
                }
                (Sample::Unsigned, 16) => targets
                    .zip(row.as_chunks::<2>().0.iter().skip(first).step_by(stride))
                    .for_each(|(target, bytes)| *target = (u16::from_ne_bytes(*bytes) >> 8) as u8),
                (Sample::Unsigned, 9..) => targets.zip(indices).for_each(|(target, index)| {
                    *target = (unsigned(bits, row, index) >> (bits - 8)) as u8;
                }),
                (Sample::Unsigned, _) => {
                    let max = (1_u16 << bits) - 1;
                    targets.zip(indices).for_each(|(target, index)| {
                        *target = (unsigned(bits, row, index) * 255 / max) as u8;
                    });
                }
                _ => targets.zip(indices).for_each(|(target, index)| {
                    *target = self.range.scale(value(self.layout, row, index));
                }),
            }
        }
        self.colors(samples, rgb);
    }

    fn palette_row(&self, planes: &[&[u8]], rgb: &mut [u8]) {
        let stride = self.layout.chunk_samples();
        let alpha = |x: usize| match (self.layout.alpha, self.layout.bits) {
            (Some(_), 8) => {
                let (row, index) = match planes {
                    [_, alpha] => (alpha, x),
                    _ => (&planes[0], x * stride + 1),
                };
                row[index]
            }
            _ => 255,
        };
        for (x, pixel) in rgb.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let index = unsigned(self.layout.bits, planes[0], x * stride);
            let color = self.palette.get(usize::from(index)).copied().unwrap_or_default();
            let alpha = alpha(x);
            *pixel = color.map(|value| over_white(value, alpha));
        }
    }

    /// Converts pixels of 8 bits.
    fn colors(&self, samples: &[u8], rgb: &mut [u8]) {
        let alpha = self.layout.alpha;
        let blend = |rgb: [u8; 3], of_white: u8| match alpha {
            Some(Alpha::Associated) => rgb.map(|value| value.saturating_add(255 - of_white)),
            _ => rgb.map(|value| over_white(value, of_white)),
        };
        match (self.layout.color, alpha.is_some()) {
            (Color::Gray { white_is_zero }, is_transparent) => {
                let flip = if white_is_zero { 255 } else { 0 };
                if is_transparent {
                    fill(rgb, samples, |[gray, alpha]| blend([gray ^ flip; 3], alpha));
                } else {
                    fill(rgb, samples, |[gray]| [gray ^ flip; 3]);
                }
            }
            (Color::Palette, _) => {}
            (Color::Rgb, false) => rgb.copy_from_slice(samples),
            (Color::Rgb, true) => fill(rgb, samples, |[r, g, b, alpha]| blend([r, g, b], alpha)),
            (Color::YCbCr, false) => fill(rgb, samples, |ycc| self.chroma.rgb(ycc)),
            (Color::YCbCr, true) => fill(rgb, samples, |[y, b, r, alpha]| {
                blend(self.chroma.rgb([y, b, r]), alpha)
            }),
            (Color::Cmyk, false) => fill(rgb, samples, rgb_of_cmyk),
            (Color::Cmyk, true) => fill(rgb, samples, |[c, m, y, k, alpha]| {
                blend(rgb_of_cmyk([c, m, y, k]), alpha)
            }),
            (Color::Cmy, false) => fill(rgb, samples, |ink: [u8; 3]| ink.map(|ink| 255 - ink)),
            (Color::Cmy, true) => fill(rgb, samples, |[c, m, y, alpha]| {
                blend([255 - c, 255 - m, 255 - y], alpha)
            }),
            (Color::Lab { signed }, false) => fill(rgb, samples, |lab| lab_to_srgb(lab, signed)),
            (Color::Lab { signed }, true) => fill(rgb, samples, |[l, a, b, alpha]| {
                blend(lab_to_srgb([l, a, b], signed), alpha)
            }),
        }
    }

    /// Converts a row of units with subsampled chroma to several rows of pixels. `rgb`: the rows, beginning at the left
    /// side of the strip or tile.
    pub(super) fn convert_units<'r>(
        &self,
        units: &[u8],
        columns: usize,
        rows: impl Iterator<Item = &'r mut [u8]>,
    ) {
        let (across, down) = self.layout.subsampling;
        let (across, luma) = (across as usize, across as usize * down as usize);
        for (y, row) in rows.enumerate() {
            for (x, pixel) in row.as_chunks_mut::<3>().0[..columns].iter_mut().enumerate() {
                let unit = &units[x / across * (luma + 2)..][..luma + 2];
                *pixel = self
                    .chroma
                    .rgb([unit[y * across + x % across], unit[luma], unit[luma + 1]]);
            }
        }
    }
}

fn fill<const CHANNELS: usize>(rgb: &mut [u8], samples: &[u8], color: impl Fn([u8; CHANNELS]) -> [u8; 3]) {
    let pixels = rgb.as_chunks_mut::<3>().0.iter_mut();
    for (pixel, samples) in pixels.zip(samples.as_chunks().0) {
        *pixel = color(*samples);
    }
}

/// How to convert YCbCr.
#[derive(Clone, Copy)]
pub(super) struct Chroma {
    /// The shares of red, green and blue in luma.
    shares: [f32; 3],
    /// Black and white of the three samples.
    levels: [[f32; 2]; 3],
}

impl Chroma {
    /// `shares`: YCbCrCoefficients. `levels`: ReferenceBlackWhite. Both can be missing or invalid.
    pub(super) fn new(shares: &[f64], levels: &[f64]) -> Self {
        let shares = match *shares {
            [red, green, blue]
                if [red, green, blue]
                    .iter()
                    .all(|share| *share > 0.0 && *share < 1.0) =>
            {
                [red as f32, green as f32, blue as f32]
            }
            _ => [0.299, 0.587, 0.114],
        };
        let levels = match *levels {
            [y0, y1, b0, b1, r0, r1] if y1 > y0 && b1 > b0 && r1 > r0 => {
                [[y0, y1], [b0, b1], [r0, r1]].map(|pair| pair.map(|level| level as f32))
            }
            _ => [[0.0, 255.0], [128.0, 255.0], [128.0, 255.0]],
        };
        Self { shares, levels }
    }

    fn rgb(&self, samples: [u8; 3]) -> [u8; 3] {
        let [red_share, green_share, blue_share] = self.shares;
        let scaled = |index: usize, full: f32| {
            let [black, white] = self.levels[index];
            (f32::from(samples[index]) - black) * full / (white - black)
        };
        let (luma, blue, red) = (scaled(0, 255.0), scaled(1, 127.0), scaled(2, 127.0));
        let red = luma + red * (2.0 - 2.0 * red_share);
        let blue = luma + blue * (2.0 - 2.0 * blue_share);
        let green = (luma - red_share * red - blue_share * blue) / green_share;
        // Conversion to an integer saturates.
        [red, green, blue].map(|value| value.round() as u8)
    }
}
