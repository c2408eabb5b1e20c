//! From a picture's own color space to sRGB, and from transparency to white.

use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};
use picture_header::heif::ColorSpace;

/// Converts RGB samples by an ICC profile. Ignores a profile that is invalid or not for RGB: the samples then count as
/// sRGB, like those without a profile. CMYK is already converted here, without its profile, by [`rgb_of_cmyk`].
pub(crate) fn to_srgb(rgb: &mut [u8], profile: &[u8]) {
    let Ok(profile) = ColorProfile::new_from_slice(profile) else {
        return;
    };
    if profile.color_space != DataColorSpace::Rgb {
        return;
    }
    let Ok(transform) = profile.create_transform_8bit(
        Layout::Rgb,
        &ColorProfile::new_srgb(),
        Layout::Rgb,
        TransformOptions::default(),
    ) else {
        return;
    };
    // The transform cannot work in place, so a small buffer receives one part after the other.
    let mut converted = [0; 3 * 1024];
    for part in rgb.chunks_mut(converted.len()) {
        let converted = &mut converted[..part.len()];
        if transform.transform(part, converted).is_err() {
            return;
        }
        part.copy_from_slice(converted);
    }
}

/// Converts RGB samples of this color space to sRGB.
pub fn space_to_srgb(rgb: &mut [u8], space: ColorSpace) {
    if let Some(profile) = profile_of(space) {
        to_srgb(rgb, &profile);
    }
}

/// The ICC profile of Display P3, if these are its primary colors, and of BT.2020. All other color spaces count as sRGB,
/// and so do the transfer functions of HDR.
pub(crate) fn profile_of(space: ColorSpace) -> Option<Vec<u8>> {
    const HDR: std::ops::RangeInclusive<u16> = 16..=18;
    let profile = match space.primaries {
        _ if HDR.contains(&space.transfer) => return None,
        9 => ColorProfile::new_bt2020(),
        12 => ColorProfile::new_display_p3(),
        _ => return None,
    };
    profile.encode().ok()
}

/// Blends a sample with white.
pub(crate) fn over_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u16::from(value), u16::from(alpha));
    u8::try_from((value * alpha + 255 * (255 - alpha) + 127) / 255).unwrap_or(u8::MAX)
}

/// Converts cyan, magenta, yellow and black, each from 0 (no ink) to 255.
pub(crate) fn rgb_of_cmyk([cyan, magenta, yellow, black]: [u8; 4]) -> [u8; 3] {
    let light = 255 - u16::from(black);
    [cyan, magenta, yellow]
        .map(|ink| u8::try_from(((255 - u16::from(ink)) * light + 127) / 255).unwrap_or(u8::MAX))
}

/// Converts CIELab, whose white is D50, to sRGB. Lightness is from 0 to 255. The others are numbers with a sign, or have an
/// offset of 128.
pub(crate) fn lab_to_srgb([lightness, a, b]: [u8; 3], signed: bool) -> [u8; 3] {
    let signed_number = |value: u8| {
        if signed {
            f32::from(value as i8)
        } else {
            f32::from(value) - 128.0
        }
    };
    let y = (f32::from(lightness) / 2.55 + 16.0) / 116.0;
    let linear = |value: f32| {
        if value > 6.0 / 29.0 {
            value.powi(3)
        } else {
            (value - 4.0 / 29.0) * 3.0 * (6.0_f32 / 29.0).powi(2)
        }
    };
    let x = 0.9642 * linear(y + signed_number(a) / 500.0);
    let z = 0.8249 * linear(y - signed_number(b) / 200.0);
    let y = linear(y);
    // From XYZ with white D50 to linear sRGB, with Bradford's adaptation to its white, D65.
    [
        3.134_187 * x - 1.617_209 * y - 0.490_694 * z,
        -0.978_749 * x + 1.916_13 * y + 0.033_433 * z,
        0.071_964 * x - 0.228_994 * y + 1.405_754 * z,
    ]
    .map(|linear| {
        let encoded = if linear <= 0.003_130_8 {
            linear * 12.92
        } else {
            1.055 * linear.powf(1.0 / 2.4) - 0.055
        };
        // Conversion to an integer saturates.
        (encoded * 255.0).round() as u8
    })
}
