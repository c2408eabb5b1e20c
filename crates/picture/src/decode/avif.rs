//! AVIF: from the AV1 data that the file's boxes name to red, green and blue.

use super::{DecodeError, Decoded};
use crate::Pixels;
use crate::color::over_white;
use crate::scale::resized;
use domain::image::MAX_PIXELS;
use fast_image_resize::PixelType;
use picture_header::avif::{Coded, ColorSpace};
use picture_header::avif_boxes;
use re_rav1d::dav1d::pixel::{MatrixCoefficients, YUVRange};
use re_rav1d::dav1d::{Decoder, Error, Picture, PixelLayout, PlanarImageComponent, Settings};
use std::num::NonZero;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Each takes some memory, and a single picture keeps no more of them busy.
const MOST_THREADS: usize = 8;

/// For all tiles of the colors, and again for those of the transparency: together, two thirds of what the functions have.
/// The largest picture takes some seconds.
const MOST_TIME: Duration = Duration::from_secs(40);

/// The file's picture, of these sides. Bright beyond white (HDR) is taken for sRGB: paler than it should be, with the same
/// things in it.
///
/// Luma and chroma are scaled before they become colors, of which there are then fewer to reckon. Not so where
/// transparency mixes colors with white: that has to come first, or what is not to be seen would shine through.
pub(super) fn decode(file: &[u8], wanted: (u32, u32)) -> Result<Decoded, DecodeError> {
    let boxes = avif_boxes(file).map_err(DecodeError::of)?;
    let sides = (boxes.width, boxes.height);
    let target = if boxes.alpha.is_some() { sides } else { wanted };
    let color = Frame::decode(file, &boxes.color, sides)?;
    let conversion = Conversion::of(&color, boxes.color_space);
    let mut rgb = conversion.rgb(color.planes.map(|plane| plane.scaled(target)));
    if let Some(alpha) = &boxes.alpha {
        let [alpha, ..] = Frame::decode(file, alpha, sides)?.planes;
        for (pixel, alpha) in rgb.chunks_exact_mut(3).zip(alpha.samples) {
            pixel
                .iter_mut()
                .for_each(|value| *value = over_white(*value, alpha));
        }
    }
    Ok(Decoded {
        pixels: Pixels {
            width: target.0,
            height: target.1,
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
    mut with: impl FnMut(&Picture, usize, usize) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let deadline = Instant::now() + MOST_TIME;
    let (mut left, mut top) = (0, 0);
    for (index, extents) in coded.tiles.iter().enumerate() {
        let tile = decode_frame(data(file, extents)?, deadline)?;
        if left >= width || top >= height {
            return Err(DecodeError::of("the tiles are larger than the picture"));
        }
        with(&tile, left, top)?;
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

/// On all processors, and in a thread of its own: should one of the decoder's threads panic, the decoder would wait for it
/// for ever.
fn decode_frame(data: Vec<u8>, deadline: Instant) -> Result<Picture, DecodeError> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(first_frame(data)));
    receiver
        .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        .map_err(DecodeError::of)?
        .map_err(DecodeError::of)
}

fn first_frame(data: Vec<u8>) -> Result<Picture, Error> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let mut settings = Settings::new();
    settings.set_n_threads(u32::try_from(processors.min(MOST_THREADS)).unwrap_or(1));
    settings.set_max_frame_delay(1);
    settings.set_all_layers(false);
    settings.set_frame_size_limit(u32::try_from(MAX_PIXELS).unwrap_or(u32::MAX));
    let mut decoder = Decoder::with_settings(&settings)?;
    let mut sent = decoder.send_data(data, None, None, None);
    loop {
        match decoder.get_picture() {
            // It has not taken all of the data yet.
            Err(Error::Again) if sent == Err(Error::Again) => sent = decoder.send_pending_data(),
            result => return result,
        }
    }
}

/// A picture put together of its tiles.
struct Frame {
    /// Luma and both chromas, or green, blue and red.
    planes: [Plane; 3],
    identity: bool,
    matrix: u16,
    full_range: bool,
}

impl Frame {
    fn decode(file: &[u8], coded: &Coded, (width, height): (u32, u32)) -> Result<Self, DecodeError> {
        let mut frame: Option<(Self, PixelLayout)> = None;
        for_each_tile(
            file,
            coded,
            (width as usize, height as usize),
            |tile, left, top| {
                let (frame, layout) = frame.get_or_insert_with(|| {
                    let frame = Self::empty(tile, (width, height));
                    (frame, tile.pixel_layout())
                });
                if tile.pixel_layout() != *layout {
                    return Err(DecodeError::of("tiles of different kinds"));
                }
                frame.planes[0].put(tile, PlanarImageComponent::Y, (left, top));
                if *layout != PixelLayout::I400 {
                    let (across, down) = subsampling(*layout);
                    let place = (left / across, top / down);
                    frame.planes[1].put(tile, PlanarImageComponent::U, place);
                    frame.planes[2].put(tile, PlanarImageComponent::V, place);
                }
                Ok(())
            },
        )?;
        frame
            .map(|(frame, _)| frame)
            .ok_or_else(|| DecodeError::of("no tile"))
    }

    fn empty(tile: &Picture, (width, height): (u32, u32)) -> Self {
        let layout = tile.pixel_layout();
        let chroma = || {
            let (across, down) = subsampling(layout);
            if layout == PixelLayout::I400 {
                // Scaled with the others, it is gray everywhere.
                Plane::of(1, 1)
            } else {
                Plane::of(width.div_ceil(across as u32), height.div_ceil(down as u32))
            }
        };
        Self {
            planes: [Plane::of(width, height), chroma(), chroma()],
            identity: layout == PixelLayout::I444,
            matrix: match tile.matrix_coefficients() {
                MatrixCoefficients::Identity => 0,
                MatrixCoefficients::BT709 => 1,
                MatrixCoefficients::BT2020NonConstantLuminance => 9,
                _ => 6,
            },
            full_range: tile.color_range() == YUVRange::Full,
        }
    }
}

/// Pixels to each sample of chroma, across and down.
fn subsampling(layout: PixelLayout) -> (usize, usize) {
    match layout {
        PixelLayout::I420 => (2, 2),
        PixelLayout::I422 => (2, 1),
        PixelLayout::I444 | PixelLayout::I400 => (1, 1),
    }
}

/// Samples of 8 bits: of more, the upper ones.
struct Plane {
    width: u32,
    height: u32,
    samples: Vec<u8>,
}

impl Plane {
    /// The middle everywhere.
    fn of(width: u32, height: u32) -> Self {
        Self {
            width,
            height,
            samples: vec![128; width as usize * height as usize],
        }
    }

    /// Puts a tile's samples at this place, as far as they are inside.
    fn put(&mut self, tile: &Picture, component: PlanarImageComponent, (left, top): (usize, usize)) {
        let (stride, rows) = tile.plane_data_geometry(component);
        let across = match component {
            PlanarImageComponent::Y => 1,
            _ => subsampling(tile.pixel_layout()).0,
        };
        let bits = tile.bit_depth();
        let bytes = if bits > 8 { 2 } else { 1 };
        let tile_row = (tile.width() as usize).div_ceil(across) * bytes;
        let rounding = (1 << bits >> 8) / 2;
        let from = tile.plane(component);
        let width = self.width as usize;
        for (row, from) in self
            .samples
            .chunks_exact_mut(width)
            .skip(top)
            .zip(from.chunks(stride as usize).take(rows as usize))
        {
            let (row, from) = (&mut row[left.min(width)..], &from[..tile_row]);
            if bytes == 1 {
                let columns = row.len().min(from.len());
                row[..columns].copy_from_slice(&from[..columns]);
            } else {
                for (sample, from) in row.iter_mut().zip(from.as_chunks().0) {
                    let rounded = (u32::from(u16::from_ne_bytes(*from)) + rounding) >> (bits - 8);
                    *sample = u8::try_from(rounded).unwrap_or(u8::MAX);
                }
            }
        }
    }

    fn scaled(self, to: (u32, u32)) -> Vec<u8> {
        resized(self.samples, PixelType::U8, (self.width, self.height), to)
    }
}

/// From luma and chroma to red, green and blue.
struct Conversion {
    /// Green, blue and red stand in the place of luma and chroma.
    identity: bool,
    luma_offset: f32,
    luma_scale: f32,
    /// What each chroma adds to the colors for each of its steps.
    red_of_v: f32,
    green_of_u: f32,
    green_of_v: f32,
    blue_of_u: f32,
}

impl Conversion {
    fn of(frame: &Frame, space: Option<ColorSpace>) -> Self {
        let matrix = space.map_or(frame.matrix, |space| space.matrix);
        let full_range = space.map_or(frame.full_range, |space| space.full_range);
        let (luma_offset, luma_range, chroma_range) = if full_range {
            (0.0, 255.0, 255.0)
        } else {
            (16.0, 219.0, 224.0)
        };
        // How much of luma is red, and how much blue. Source: ITU-T H.273, table 4.
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
            identity: matrix == 0 && frame.identity,
            luma_offset,
            luma_scale: 255.0 / luma_range,
            red_of_v,
            green_of_u: -blue * blue_of_u / green,
            green_of_v: -red * red_of_v / green,
            blue_of_u,
        }
    }

    fn rgb(&self, [luma, u, v]: [Vec<u8>; 3]) -> Vec<u8> {
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

/// The cast keeps it from 0 to 255.
fn rounded(value: f32) -> u8 {
    (value + 0.5) as u8
}
