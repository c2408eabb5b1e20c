//! AVIF: from the AV1 data that the file's boxes name to red, green and blue.

use super::{DecodeError, Decoded};
use crate::Pixels;
use crate::color::over_white;
use domain::image::MAX_PIXELS;
use picture_header::avif::{Coded, ColorSpace};
use picture_header::avif_boxes;
use re_rav1d::dav1d::pixel::{MatrixCoefficients, YUVRange};
use re_rav1d::dav1d::{Decoder, Error, Picture, PixelLayout, PlanarImageComponent, Settings};

/// The file's picture. Bright beyond white (HDR) is taken for sRGB: paler than it should be, with the same things in it.
pub(super) fn decode(file: &[u8]) -> Result<Decoded, DecodeError> {
    let boxes = avif_boxes(file).map_err(DecodeError::of)?;
    let (width, height) = (boxes.width as usize, boxes.height as usize);
    let mut rgb = vec![0; width * height * 3];
    for_each_tile(file, &boxes.color, (width, height), |tile, left, top| {
        let conversion = Conversion::of(tile, boxes.color_space);
        let planes = Planes::of(tile);
        for y in 0..planes.height.min(height - top) {
            let columns = planes.width.min(width - left);
            let row = &mut rgb[((top + y) * width + left) * 3..][..columns * 3];
            for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
                pixel.copy_from_slice(&conversion.rgb(planes.sample(x, y)));
            }
        }
    })?;
    if let Some(alpha) = &boxes.alpha {
        for_each_tile(file, alpha, (width, height), |tile, left, top| {
            let planes = Planes::of(tile);
            let most = f32::from(planes.most);
            for y in 0..planes.height.min(height - top) {
                let columns = planes.width.min(width - left);
                let row = &mut rgb[((top + y) * width + left) * 3..][..columns * 3];
                for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
                    let opaque = (f32::from(planes.luma(x, y)) * 255.0 / most).round() as u8;
                    pixel
                        .iter_mut()
                        .for_each(|value| *value = over_white(*value, opaque));
                }
            }
        })?;
    }
    Ok(Decoded {
        pixels: Pixels {
            width: boxes.width,
            height: boxes.height,
            rgb,
        },
        profile: None,
    })
}

/// Decodes tile after tile, and gives each with its place in the picture: left and top edge, both inside.
fn for_each_tile(
    file: &[u8],
    coded: &Coded,
    (width, height): (usize, usize),
    mut with: impl FnMut(&Picture, usize, usize),
) -> Result<(), DecodeError> {
    let (mut left, mut top) = (0, 0);
    for (index, extents) in coded.tiles.iter().enumerate() {
        let tile = decode_frame(data(file, extents)?)?;
        if left >= width || top >= height {
            return Err(DecodeError::of("the tiles are larger than the picture"));
        }
        with(&tile, left, top);
        left += tile.width() as usize;
        let row_ends = (index + 1).is_multiple_of(coded.columns as usize);
        if row_ends {
            if left < width {
                return Err(DecodeError::of("the tiles do not fill the picture"));
            }
            left = 0;
            top += tile.height() as usize;
        }
    }
    if top < height {
        return Err(DecodeError::of("the tiles do not fill the picture"));
    }
    Ok(())
}

fn data(file: &[u8], extents: &[(u64, u64)]) -> Result<Vec<u8>, DecodeError> {
    let mut data = Vec::new();
    for (from, length) in extents {
        let part = usize::try_from(*from)
            .ok()
            .zip(usize::try_from(*length).ok())
            .and_then(|(from, length)| file.get(from..from.checked_add(length)?))
            .ok_or_else(|| DecodeError::of("the file ends before its data"))?;
        if data.len() + part.len() > file.len() {
            return Err(DecodeError::of("the same data again and again"));
        }
        data.extend_from_slice(part);
    }
    Ok(data)
}

fn decode_frame(data: Vec<u8>) -> Result<Picture, DecodeError> {
    let mut settings = Settings::new();
    settings.set_n_threads(1);
    settings.set_max_frame_delay(1);
    settings.set_all_layers(false);
    settings.set_frame_size_limit(u32::try_from(MAX_PIXELS).unwrap_or(u32::MAX));
    let mut decoder = Decoder::with_settings(&settings).map_err(DecodeError::of)?;
    let mut sent = decoder.send_data(data, None, None, None);
    loop {
        match decoder.get_picture() {
            Ok(picture) => return Ok(picture),
            // It has not taken all of the data yet.
            Err(Error::Again) if sent == Err(Error::Again) => sent = decoder.send_pending_data(),
            Err(error) => return Err(DecodeError::of(error)),
        }
    }
}

/// The samples of a picture.
struct Planes {
    width: usize,
    height: usize,
    layout: PixelLayout,
    wide: bool,
    most: u16,
    planes: [Option<(re_rav1d::dav1d::Plane, usize)>; 3],
}

impl Planes {
    fn of(picture: &Picture) -> Self {
        let layout = picture.pixel_layout();
        let plane = |component| Some((picture.plane(component), picture.stride(component) as usize));
        let chroma = |component| {
            if layout == PixelLayout::I400 {
                None
            } else {
                plane(component)
            }
        };
        let bits = picture.bit_depth();
        Self {
            width: picture.width() as usize,
            height: picture.height() as usize,
            layout,
            wide: bits > 8,
            most: ((1_u32 << bits) - 1) as u16,
            planes: [
                plane(PlanarImageComponent::Y),
                chroma(PlanarImageComponent::U),
                chroma(PlanarImageComponent::V),
            ],
        }
    }

    fn value(&self, plane: usize, x: usize, y: usize) -> Option<u16> {
        let (bytes, stride) = self.planes[plane].as_ref()?;
        Some(if self.wide {
            let at = y * stride + x * 2;
            u16::from_ne_bytes([bytes[at], bytes[at + 1]])
        } else {
            bytes[y * stride + x].into()
        })
    }

    fn luma(&self, x: usize, y: usize) -> u16 {
        self.value(0, x, y).unwrap_or_default()
    }

    /// Luma and both chromas; the middle, which is gray, where there are none.
    fn sample(&self, x: usize, y: usize) -> [u16; 3] {
        let (chroma_x, chroma_y) = match self.layout {
            PixelLayout::I420 => (x / 2, y / 2),
            PixelLayout::I422 => (x / 2, y),
            PixelLayout::I444 | PixelLayout::I400 => (x, y),
        };
        let middle = self.most / 2 + 1;
        [
            self.luma(x, y),
            self.value(1, chroma_x, chroma_y).unwrap_or(middle),
            self.value(2, chroma_x, chroma_y).unwrap_or(middle),
        ]
    }
}

/// From luma and chroma to red, green and blue.
struct Conversion {
    /// Green, blue and red stand in the place of luma and chroma.
    identity: bool,
    luma_offset: f32,
    luma_scale: f32,
    chroma_offset: f32,
    chroma_scale: f32,
    /// How much of luma is red, and how much blue.
    red: f32,
    blue: f32,
}

impl Conversion {
    fn of(picture: &Picture, space: Option<ColorSpace>) -> Self {
        let matrix = space.map_or_else(
            || match picture.matrix_coefficients() {
                MatrixCoefficients::Identity => 0,
                MatrixCoefficients::BT709 => 1,
                MatrixCoefficients::BT2020NonConstantLuminance => 9,
                _ => 6,
            },
            |space| space.matrix,
        );
        let full_range = space.map_or_else(
            || picture.color_range() == YUVRange::Full,
            |space| space.full_range,
        );
        let bits = picture.bit_depth();
        let most = ((1_u32 << bits) - 1) as f32;
        let unit = (1_u32 << (bits - 8)) as f32;
        let (luma_offset, luma_range, chroma_range) = if full_range {
            (0.0, most, most)
        } else {
            (16.0 * unit, 219.0 * unit, 224.0 * unit)
        };
        // Source: ITU-T H.273, table 4.
        let (red, blue) = match matrix {
            1 => (0.2126, 0.0722),
            4 => (0.30, 0.11),
            7 => (0.212, 0.087),
            9 | 10 => (0.2627, 0.0593),
            _ => (0.299, 0.114),
        };
        Self {
            identity: matrix == 0 && picture.pixel_layout() == PixelLayout::I444,
            luma_offset,
            luma_scale: 255.0 / luma_range,
            chroma_offset: 128.0 * unit,
            chroma_scale: 255.0 / chroma_range,
            red,
            blue,
        }
    }

    fn rgb(&self, sample: [u16; 3]) -> [u8; 3] {
        let [y, u, v] = sample.map(f32::from);
        let luma = |value: f32| (value - self.luma_offset) * self.luma_scale;
        let rounded = |value: f32| (value + 0.5).clamp(0.0, 255.0) as u8;
        if self.identity {
            return [v, y, u].map(|value| rounded(luma(value)));
        }
        let (u, v) = (
            (u - self.chroma_offset) * self.chroma_scale,
            (v - self.chroma_offset) * self.chroma_scale,
        );
        let y = luma(y);
        let red = y + 2.0 * (1.0 - self.red) * v;
        let blue = y + 2.0 * (1.0 - self.blue) * u;
        let green = (y - self.red * red - self.blue * blue) / (1.0 - self.red - self.blue);
        [red, green, blue].map(rounded)
    }
}
