//! The sequence header of AV1. Source: AV1 Bitstream Specification, 5.5.

use crate::coded::{Sequence, UNSPECIFIED};

/// Reads a sequence header, which may be followed by other data. `None` if it is invalid.
pub(super) fn read(header: &[u8]) -> Option<Sequence> {
    let mut bits = Bits { data: header, at: 0 };
    let profile = bits.read(3)?;
    bits.skip(1);
    let is_reduced = bits.flag()?;
    if is_reduced {
        bits.skip(5);
    } else {
        operating_points(&mut bits)?;
    }
    let width_bits = bits.read(4)? + 1;
    let height_bits = bits.read(4)? + 1;
    let mut side = |count| u32::try_from(bits.read(count)? + 1).ok();
    let (width, height) = (side(width_bits)?, side(height_bits)?);
    if !is_reduced && bits.flag()? {
        // Lengths of frame IDs.
        bits.skip(7);
    }
    // Superblocks of 128 pixels, and filters within a frame.
    bits.skip(3);
    if !is_reduced {
        tools_between_frames(&mut bits)?;
    }
    // Filters after decoding.
    bits.skip(3);
    let mut sequence = Sequence {
        width,
        height,
        primaries: UNSPECIFIED,
        transfer: UNSPECIFIED,
        matrix: UNSPECIFIED,
        full_range: false,
    };
    // What follows is only needed for the colors.
    let _ = colors(&mut bits, profile, &mut sequence);
    Some(sequence)
}

/// `color_config`.
fn colors(bits: &mut Bits<'_>, profile: usize, sequence: &mut Sequence) -> Option<()> {
    const SRGB: [u8; 3] = [1, 13, 0];
    let has_high_bit_depth = bits.flag()?;
    if profile == 2 && has_high_bit_depth {
        bits.skip(1);
    }
    let is_gray = profile != 1 && bits.flag()?;
    if bits.flag()? {
        let mut number = || u8::try_from(bits.read(8)?).ok();
        let numbers = [number()?, number()?, number()?];
        [sequence.primaries, sequence.transfer, sequence.matrix] = numbers;
        if !is_gray && numbers == SRGB {
            sequence.full_range = true;
            return Some(());
        }
    }
    sequence.full_range = bits.flag()?;
    Some(())
}

fn operating_points(bits: &mut Bits) -> Option<()> {
    let mut delay_bits = None;
    if bits.flag()? {
        // Timing.
        bits.skip(64);
        if bits.flag()? {
            bits.skip_variable_length()?;
        }
        if bits.flag()? {
            delay_bits = Some(bits.read(5)? + 1);
            bits.skip(42);
        }
    }
    let has_display_delay = bits.flag()?;
    let points = bits.read(5)? + 1;
    for _ in 0..points {
        bits.skip(12);
        let level = bits.read(5)?;
        if level > 7 {
            bits.skip(1);
        }
        if let Some(delay_bits) = delay_bits
            && bits.flag()?
        {
            bits.skip(2 * delay_bits + 1);
        }
        if has_display_delay && bits.flag()? {
            bits.skip(4);
        }
    }
    Some(())
}

fn tools_between_frames(bits: &mut Bits) -> Option<()> {
    bits.skip(4);
    let has_order_hint = bits.flag()?;
    if has_order_hint {
        bits.skip(2);
    }
    let chooses_screen_content = bits.flag()?;
    let can_force_integers = chooses_screen_content || bits.flag()?;
    if can_force_integers && !bits.flag()? {
        bits.skip(1);
    }
    if has_order_hint {
        bits.skip(3);
    }
    Some(())
}

struct Bits<'a> {
    data: &'a [u8],
    /// The position in bits.
    at: usize,
}

impl Bits<'_> {
    fn flag(&mut self) -> Option<bool> {
        self.read(1).map(|bit| bit == 1)
    }

    /// At most 32 bits.
    fn read(&mut self, count: usize) -> Option<usize> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.data.get(self.at / 8)?;
            value = value << 1 | usize::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    fn skip(&mut self, count: usize) {
        self.at += count;
    }

    /// A number after its length in zeros. Source: AV1 Bitstream Specification, 4.10.3.
    fn skip_variable_length(&mut self) -> Option<()> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
        }
        if zeros < 32 {
            self.skip(zeros);
        }
        Some(())
    }
}
