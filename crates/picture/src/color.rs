//! From a picture's own color space to sRGB, and from transparency to white.

use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

/// Converts RGB pixels by an ICC profile. A profile that is broken, or of another kind than RGB, is left out of account,
/// as if the pixels were sRGB: so are those without any. Inks (CMYK) are converted without their profile, by the plain
/// formula, before they come here.
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
    // In parts, since it does not work in place.
    let mut converted = [0; 3 * 1024];
    for part in rgb.chunks_mut(converted.len()) {
        let converted = &mut converted[..part.len()];
        if transform.transform(part, converted).is_err() {
            return;
        }
        part.copy_from_slice(converted);
    }
}

/// A sample over white, both 0 to 255.
pub(crate) fn over_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u16::from(value), u16::from(alpha));
    u8::try_from((value * alpha + 255 * (255 - alpha) + 127) / 255).unwrap_or(u8::MAX)
}

/// Red, green and blue of four inks, each from 0, none, to 255.
pub(crate) fn rgb_of_inks([cyan, magenta, yellow, black]: [u8; 4]) -> [u8; 3] {
    let light = 255 - u16::from(black);
    [cyan, magenta, yellow]
        .map(|ink| u8::try_from(((255 - u16::from(ink)) * light + 127) / 255).unwrap_or(u8::MAX))
}
