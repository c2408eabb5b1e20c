//! JPEG as in TIFF 6.0. Writers disagreed on where its parts are, so there are several forms.

use super::directory::Directory;
use super::layout::{Compression, Layout};

const STREAM_FROM: u16 = 513;
const STREAM_LENGTH: u16 = 514;
const RESTART_INTERVAL: u16 = 515;
const QUANTIZATION_TABLES: u16 = 519;
const DC_TABLES: u16 = 520;
const AC_TABLES: u16 = 521;
const SUBSAMPLING: u16 = 530;

const START: &[u8] = &[0xFF, 0xD8];

/// Assembles the JPEG of a whole page. `None` if the page has no such JPEG, or a separate one in each strip.
pub(super) fn assemble(directory: &Directory<'_>, layout: &Layout, file: &[u8]) -> Option<Vec<u8>> {
    if layout.compression != Compression::OldJpeg {
        return None;
    }
    let strips = || {
        let chunks = layout.chunks.iter();
        chunks.map(|chunk| &file[chunk.from..chunk.from + chunk.length])
    };
    // A complete JPEG, or one without its scan, which is in the strips.
    let from = directory
        .number(STREAM_FROM)
        .and_then(|from| usize::try_from(from).ok());
    if let Some(rest) = from.and_then(|from| file.get(from..))
        && rest.starts_with(START)
    {
        let length = directory.number(STREAM_LENGTH).unwrap_or(0);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let stream = if length == 0 {
            rest
        } else {
            &rest[..length.min(rest.len())]
        };
        let stream = stream.strip_suffix(&[0xFF, 0xD9]).unwrap_or(stream);
        let has_scan = stream.windows(2).any(|marker| marker == [0xFF, 0xDA]);
        let mut jpeg = stream.to_vec();
        if !has_scan {
            jpeg.extend(strips().flatten());
        }
        jpeg.extend([0xFF, 0xD9]);
        return Some(jpeg);
    }
    if strips().next().is_none_or(|strip| strip.starts_with(START)) {
        return None;
    }
    from_tables(directory, layout, file, strips())
}

/// Assembles a baseline JPEG from tables that the directory refers to, and strips that have only the coded samples.
fn from_tables<'f>(
    directory: &Directory<'_>,
    layout: &Layout,
    file: &'f [u8],
    strips: impl Iterator<Item = &'f [u8]>,
) -> Option<Vec<u8>> {
    let components = layout.samples;
    let side = |side: u32| u16::try_from(side).ok().map(u16::to_be_bytes);
    let (width, height) = (side(layout.width)?, side(layout.height)?);
    let mut jpeg = START.to_vec();
    let mut segment = |marker: u8, content: &[u8]| {
        let length = u16::try_from(content.len() + 2).unwrap_or(u16::MAX);
        jpeg.extend([0xFF, marker]);
        jpeg.extend(length.to_be_bytes());
        jpeg.extend(content);
    };
    for (index, table) in tables(directory, QUANTIZATION_TABLES, file).enumerate() {
        segment(0xDB, &[&[index as u8], table.get(..64)?].concat());
    }
    for (class, tag) in [(0, DC_TABLES), (0x10, AC_TABLES)] {
        for (index, table) in tables(directory, tag, file).enumerate() {
            let lengths = table.get(..16)?;
            let values = lengths.iter().map(|count| usize::from(*count)).sum::<usize>();
            segment(
                0xC4,
                &[&[class | index as u8], table.get(..16 + values)?].concat(),
            );
        }
    }
    let (across, down) = match directory.numbers(SUBSAMPLING, 2)[..] {
        [across @ 1..=4, down @ 1..=4] => (across as u32, down as u32),
        _ if components == 3 => (2, 2),
        _ => (1, 1),
    };
    // 8 bits, the sides, and each component with its sampling and quantization table.
    let mut frame = [&[8], &height[..], &width[..], &[components as u8]].concat();
    let mut scan = vec![components as u8];
    for component in 0..components as u8 {
        let sampling = if component == 0 {
            (across << 4 | down) as u8
        } else {
            0x11
        };
        frame.extend([component + 1, sampling, component]);
        scan.extend([component + 1, component << 4 | component]);
    }
    scan.extend([0, 63, 0]);
    segment(0xC0, &frame);
    // Each strip begins with reset predictions, as after a restart marker.
    let blocks_across = layout.width.div_ceil(8 * across);
    let blocks_in_strip = blocks_across * layout.chunk_height.div_ceil(8 * down);
    let interval = match directory.number(RESTART_INTERVAL) {
        Some(interval @ 1..) => u16::try_from(interval).ok()?,
        _ if layout.down > 1 => u16::try_from(blocks_in_strip).ok()?,
        _ => 0,
    };
    if interval > 0 {
        segment(0xDD, &interval.to_be_bytes());
    }
    segment(0xDA, &scan);
    for (index, strip) in strips.enumerate() {
        if index > 0 {
            jpeg.extend([0xFF, 0xD0 + ((index - 1) % 8) as u8]);
        }
        jpeg.extend(strip.strip_suffix(&[0xFF, 0xD9]).unwrap_or(strip));
    }
    jpeg.extend([0xFF, 0xD9]);
    Some(jpeg)
}

/// The tables of the components. Each begins at an offset.
fn tables<'f>(directory: &Directory<'_>, tag: u16, file: &'f [u8]) -> impl Iterator<Item = &'f [u8]> {
    let offsets = directory.numbers(tag, 4).into_iter();
    offsets.filter_map(|offset| file.get(usize::try_from(offset).ok()?..))
}
