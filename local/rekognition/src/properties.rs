//! The feature `IMAGE_PROPERTIES`: dominant colors, brightness, sharpness and contrast.
//!
//! Rekognition does not document how it measures them. Here, colors come from a histogram, brightness is the mean and
//! contrast the standard deviation of luma, and sharpness is the energy of edges. The foreground is what the detector
//! found.

use crate::css_colors::{nearest_css_color, simplified_color};
use image::{DynamicImage, RgbImage};
use label_model::geometry::BoundingBox;
use serde::Serialize;

/// Longest side in pixels of the small copy that is measured. It has enough pixels for edges, and takes little time.
const LONGEST_SIDE: u32 = 256;
/// Colors are counted in cubes with this side. The whole color space has a side of 256.
const CUBE_SIDE: usize = 16;
const CUBES: usize = 256 / CUBE_SIDE;
/// Colors with a smaller Euclidean distance in RGB count as one dominant color.
const SAME_COLOR_DISTANCE: f32 = 48.0;
/// Standard deviation of luma at full contrast: half of the pixels are black, and half are white.
const FULL_CONTRAST: f32 = 127.5;
/// Standard deviation of the Laplacian at full sharpness. Blurred photographs have less than 5, sharp ones about 40, and
/// drawings more.
const FULL_SHARPNESS: f32 = 60.0;

/// A frequent color.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DominantColor {
    red: u8,
    green: u8,
    blue: u8,
    hex_code: String,
    #[serde(rename = "CSSColor")]
    css_color: &'static str,
    simplified_color: &'static str,
    /// Share of the pixels in percent.
    pixel_percent: f32,
}

/// Each value is 0..=100.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Quality {
    brightness: f32,
    sharpness: f32,
    contrast: f32,
}

/// The properties of a part of the picture.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PartProperties {
    quality: Quality,
    dominant_colors: Vec<DominantColor>,
}

/// The properties of the whole picture and of its parts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ImageProperties {
    quality: Quality,
    dominant_colors: Vec<DominantColor>,
    foreground: PartProperties,
    background: PartProperties,
}

/// A small copy of a picture, which is measured in place of it.
#[derive(Debug, Clone)]
pub struct SmallCopy {
    width: usize,
    height: usize,
    pixels: Vec<[u8; 3]>,
}

impl SmallCopy {
    /// Scales a picture down.
    pub fn of(picture: RgbImage) -> Self {
        let (width, height) = picture.dimensions();
        let longest = width.max(height);
        let picture = if longest > LONGEST_SIDE {
            let side = |side: u32| (side * LONGEST_SIDE / longest).max(1);
            // DynamicImage's methods are compiled in the optimized crate `image`.
            DynamicImage::from(picture)
                .thumbnail_exact(side(width), side(height))
                .into_rgb8()
        } else {
            picture
        };
        Self {
            width: picture.width() as usize,
            height: picture.height() as usize,
            pixels: picture.as_chunks().0.to_vec(),
        }
    }

    /// Measures the whole picture, its foreground, which is inside the boxes, and its background. Without boxes, the middle
    /// of the picture counts as foreground. Each has at most `count` colors.
    pub fn measure(&self, boxes: &[BoundingBox], count: usize) -> ImageProperties {
        let middle = [BoundingBox {
            left: 0.25,
            top: 0.25,
            width: 0.5,
            height: 0.5,
        }];
        let boxes = if boxes.is_empty() { &middle } else { boxes };
        let foreground = self.mask(boxes);
        let background: Vec<bool> = foreground.iter().map(|inside| !inside).collect();
        let whole = self.part(&vec![true; self.pixels.len()], count);
        ImageProperties {
            quality: whole.quality,
            dominant_colors: whole.dominant_colors,
            foreground: self.part(&foreground, count),
            background: self.part(&background, count),
        }
    }

    /// At most `count` colors of the pixels inside the boxes, most frequent first.
    pub fn dominant_colors(&self, boxes: &[BoundingBox], count: usize) -> Vec<DominantColor> {
        self.colors(&self.mask(boxes), count)
    }

    fn part(&self, mask: &[bool], count: usize) -> PartProperties {
        PartProperties {
            quality: self.quality(mask),
            dominant_colors: self.colors(mask, count),
        }
    }

    /// For each pixel, whether its center is in one of the boxes.
    fn mask(&self, boxes: &[BoundingBox]) -> Vec<bool> {
        let inside = |x: usize, y: usize| {
            let (x, y) = (
                (x as f32 + 0.5) / self.width as f32,
                (y as f32 + 0.5) / self.height as f32,
            );
            boxes
                .iter()
                .any(|area| area.left <= x && x <= area.right() && area.top <= y && y <= area.bottom())
        };
        (0..self.height)
            .flat_map(|y| (0..self.width).map(move |x| (x, y)))
            .map(|(x, y)| inside(x, y))
            .collect()
    }

    fn colors(&self, mask: &[bool], count: usize) -> Vec<DominantColor> {
        #[derive(Clone, Copy, Default)]
        struct Cube {
            sum: [u32; 3],
            pixels: u32,
        }
        impl Cube {
            fn mean(&self) -> [f32; 3] {
                self.sum.map(|sum| sum as f32 / self.pixels as f32)
            }
        }
        let mut cubes = vec![Cube::default(); CUBES * CUBES * CUBES];
        let mut total = 0;
        for (pixel, _) in self.pixels.iter().zip(mask).filter(|(_, inside)| **inside) {
            let [r, g, b] = pixel.map(|value| usize::from(value) / CUBE_SIDE);
            let cube = &mut cubes[(r * CUBES + g) * CUBES + b];
            cube.pixels += 1;
            for (sum, value) in cube.sum.iter_mut().zip(pixel) {
                *sum += u32::from(*value);
            }
            total += 1;
        }
        cubes.retain(|cube| cube.pixels > 0);
        cubes.sort_by_key(|cube| std::cmp::Reverse(cube.pixels));
        let mut colors: Vec<Cube> = Vec::new();
        // Merges the fullest cube with its neighbors, then the fullest of the rest, and so on.
        while colors.len() < count && !cubes.is_empty() {
            let center = cubes[0].mean();
            let mut color = Cube::default();
            cubes.retain(|cube| {
                let distance: f32 = cube.mean().iter().zip(center).map(|(a, b)| (a - b).powi(2)).sum();
                let same = distance.sqrt() < SAME_COLOR_DISTANCE;
                if same {
                    color.pixels += cube.pixels;
                    for (sum, value) in color.sum.iter_mut().zip(cube.sum) {
                        *sum += value;
                    }
                }
                !same
            });
            colors.push(color);
        }
        colors.sort_by_key(|color| std::cmp::Reverse(color.pixels));
        colors
            .iter()
            .map(|color| {
                let rgb @ [red, green, blue] = color.mean().map(|value| value.round() as u8);
                DominantColor {
                    red,
                    green,
                    blue,
                    hex_code: format!("#{red:02x}{green:02x}{blue:02x}"),
                    css_color: nearest_css_color(rgb),
                    simplified_color: simplified_color(rgb),
                    pixel_percent: color.pixels as f32 / total as f32 * 100.0,
                }
            })
            .collect()
    }

    fn quality(&self, mask: &[bool]) -> Quality {
        let luma: Vec<f32> = self
            .pixels
            .iter()
            .map(|&[r, g, b]| 0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b))
            .collect();
        let inside = |at: &usize| mask[*at];
        let (mean, deviation) = mean_and_deviation((0..luma.len()).filter(inside).map(|at| luma[at]));
        let edges = (1..self.height.saturating_sub(1))
            .flat_map(|y| (1..self.width.saturating_sub(1)).map(move |x| y * self.width + x))
            .filter(inside)
            .map(|at| {
                let around = luma[at - 1] + luma[at + 1] + luma[at - self.width] + luma[at + self.width];
                around - 4.0 * luma[at]
            });
        let (_, edge_deviation) = mean_and_deviation(edges);
        let percent = |value: f32, full: f32| (value / full * 100.0).clamp(0.0, 100.0);
        Quality {
            brightness: percent(mean, 255.0),
            sharpness: percent(edge_deviation, FULL_SHARPNESS),
            contrast: percent(deviation, FULL_CONTRAST),
        }
    }
}

/// Mean and standard deviation. Both are 0 if there are no values.
fn mean_and_deviation(values: impl Iterator<Item = f32>) -> (f32, f32) {
    let (mut count, mut sum, mut squares) = (0.0_f64, 0.0_f64, 0.0_f64);
    for value in values.map(f64::from) {
        count += 1.0;
        sum += value;
        squares += value * value;
    }
    if count == 0.0 {
        return (0.0, 0.0);
    }
    let mean = sum / count;
    (
        mean as f32,
        (squares / count - mean * mean).max(0.0).sqrt() as f32,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::photograph;
    use image::Rgb;

    /// A red left half and a blue right half.
    fn two_halves() -> RgbImage {
        RgbImage::from_fn(100, 80, |x, _| {
            Rgb(if x < 50 { [200, 0, 0] } else { [0, 0, 200] })
        })
    }

    #[test]
    fn dominant_colors_have_names_and_shares() {
        let colors = SmallCopy::of(two_halves()).dominant_colors(&[BoundingBox::WHOLE], 10);
        assert_eq!(colors.len(), 2);
        let mut named: Vec<_> = colors
            .iter()
            .map(|color| (color.hex_code.as_str(), color.simplified_color))
            .collect();
        named.sort_unstable();
        assert_eq!(named, [("#0000c8", "blue"), ("#c80000", "red")]);
        assert!(
            colors
                .iter()
                .all(|color| (color.pixel_percent - 50.0).abs() < 1.0)
        );
    }

    #[test]
    fn returns_at_most_the_requested_number_of_colors() {
        let copy = SmallCopy::of(photograph(200, 100));
        for count in [0, 1, 5, 20] {
            assert!(copy.dominant_colors(&[BoundingBox::WHOLE], count).len() <= count);
        }
    }

    #[test]
    fn the_foreground_is_inside_the_boxes() {
        let left = BoundingBox {
            left: 0.0,
            top: 0.0,
            width: 0.5,
            height: 1.0,
        };
        let measured = SmallCopy::of(two_halves()).measure(&[left], 3);
        assert_eq!(measured.foreground.dominant_colors[0].simplified_color, "red");
        assert_eq!(measured.background.dominant_colors[0].simplified_color, "blue");
        assert_eq!(measured.background.dominant_colors.len(), 1);
    }

    #[test]
    fn measures_brightness_sharpness_and_contrast() {
        let measure = |picture: RgbImage| SmallCopy::of(picture).measure(&[], 1).quality;
        let plain = |value| RgbImage::from_pixel(100, 100, Rgb([value; 3]));
        assert_eq!(
            measure(plain(255)),
            Quality {
                brightness: 100.0,
                sharpness: 0.0,
                contrast: 0.0
            }
        );
        assert_eq!(measure(plain(0)).brightness, 0.0);
        assert!(measure(two_halves()).sharpness > measure(photograph(100, 80)).sharpness);
        assert!(measure(two_halves()).contrast > measure(plain(120)).contrast);
    }

    #[test]
    fn the_background_is_empty_if_a_box_covers_the_picture() {
        let measured = SmallCopy::of(two_halves()).measure(&[BoundingBox::WHOLE], 5);
        assert!(measured.background.dominant_colors.is_empty());
    }
}
