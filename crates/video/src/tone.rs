//! From HDR to sRGB: colors of BT.2020, as bright as PQ or HLG says, to those that a usual screen shows.
//!
//! Sources: ITU-R BT.2100 (PQ and HLG), ITU-R BT.2408 (the white of usual pictures has 203 cd/m²), ITU-R BT.2087 (from BT.2020
//! to BT.709).

use image::RgbImage;
use video_header::Hdr;

/// The brightness in cd/m² that becomes white.
const WHITE: f32 = 203.0;
/// The brightness in cd/m² of the screen for which HLG is converted.
const HLG_PEAK: f32 = 1_000.0;
/// Up to this share of [`WHITE`], brightness stays as it is. Above it, brightness approaches white.
const KNEE: f32 = 0.6;

/// Steps of the table from linear light to sRGB.
const STEPS: usize = 4_096;

/// Converts a picture in place.
pub(crate) fn map(picture: &mut RgbImage, hdr: Hdr) {
    let linear: Vec<f32> = (0_u8..=255)
        .map(|value| {
            let signal = f32::from(value) / 255.0;
            match hdr {
                Hdr::Pq => pq(signal) / WHITE,
                Hdr::Hlg => hlg(signal),
            }
        })
        .collect();
    let srgb: Vec<u8> = (0..=STEPS).map(|step| srgb(step as f32 / STEPS as f32)).collect();
    for pixel in picture.pixels_mut() {
        let [red, green, blue] = pixel.0.map(|value| linear[usize::from(value)]);
        let scale = match hdr {
            Hdr::Pq => 1.0,
            // The system gamma of HLG: 1.2 on a screen of 1,000 cd/m².
            Hdr::Hlg => {
                let luma = 0.2627 * red + 0.6780 * green + 0.0593 * blue;
                luma.powf(0.2) * HLG_PEAK / WHITE
            }
        };
        // All three by the same factor, which keeps the hue.
        let brightest = red.max(green).max(blue) * scale;
        let factor = if brightest > 0.0 {
            scale * compressed(brightest) / brightest
        } else {
            0.0
        };
        let [red, green, blue] = [red, green, blue].map(|color| color * factor);
        pixel.0 = [
            1.6605 * red - 0.5876 * green - 0.0728 * blue,
            -0.1246 * red + 1.1329 * green - 0.0083 * blue,
            -0.0182 * red - 0.1006 * green + 1.1187 * blue,
        ]
        // The cast saturates below 0.
        .map(|color| srgb[((color * STEPS as f32 + 0.5) as usize).min(STEPS)]);
    }
}

/// Brightness as a share of white, at most 1.
fn compressed(brightness: f32) -> f32 {
    if brightness <= KNEE {
        return brightness;
    }
    let above = 1.0 - KNEE;
    KNEE + above * (1.0 - (-(brightness - KNEE) / above).exp())
}

/// cd/m² for a signal of PQ.
fn pq(signal: f32) -> f32 {
    const M1: f32 = 2_610.0 / 16_384.0;
    const M2: f32 = 2_523.0 / 4_096.0 * 128.0;
    const C1: f32 = 3_424.0 / 4_096.0;
    const C2: f32 = 2_413.0 / 4_096.0 * 32.0;
    const C3: f32 = 2_392.0 / 4_096.0 * 32.0;
    let power = signal.powf(1.0 / M2);
    10_000.0 * ((power - C1).max(0.0) / (C2 - C3 * power)).powf(1.0 / M1)
}

/// The light of the scene, from 0 to 1, for a signal of HLG.
fn hlg(signal: f32) -> f32 {
    const A: f32 = 0.178_832_77;
    const B: f32 = 1.0 - 4.0 * A;
    const C: f32 = 0.559_910_7;
    if signal <= 0.5 {
        signal * signal / 3.0
    } else {
        (((signal - C) / A).exp() + B) / 12.0
    }
}

fn srgb(linear: f32) -> u8 {
    let encoded = if linear <= 0.003_130_8 {
        linear * 12.92
    } else {
        1.055 * linear.powf(1.0 / 2.4) - 0.055
    };
    // The cast saturates.
    (encoded * 255.0).round() as u8
}
