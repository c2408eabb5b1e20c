//! The options of frames as bytes.

use crate::wire::FrameOptions;
use domain::Orientation;
use video::{Size, Track};
use video_header::{Codec, Crop, Hdr, Profile};

pub(super) fn write(FrameOptions { track, size }: &FrameOptions) -> Vec<u8> {
    let (codec, profile) = match track.codec {
        Codec::H264(profile) => (0, profile),
        Codec::Hevc(profile) => (1, profile),
        Codec::Av1(profile) => (2, profile),
        Codec::Vp8 => (3, None),
        Codec::Vp9(profile) => (4, profile),
        // The parent does not send others.
        _ => (u8::MAX, None),
    };
    let [known, profile, level] = match profile {
        Some(Profile { profile, level }) => [1, profile, level],
        None => [0; 3],
    };
    let hdr = match track.hdr {
        None => 0,
        Some(Hdr::Pq) => 1,
        Some(Hdr::Hlg) => 2,
    };
    let mut bytes = vec![
        codec,
        known,
        profile,
        level,
        hdr,
        track.orientation.number(),
        size.quality,
    ];
    let Crop {
        left,
        top,
        width,
        height,
    } = track.crop;
    let (coded, displayed) = (track.coded, track.displayed);
    for number in [
        size.longest_side,
        coded.0,
        coded.1,
        displayed.0,
        displayed.1,
        left,
        top,
        width,
        height,
    ] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend_from_slice(&track.configuration);
    bytes
}

/// `None` if the bytes are not those of [`write`].
pub(super) fn read(bytes: &[u8]) -> Option<FrameOptions> {
    let (&[codec, known, profile, level, hdr, orientation, quality], rest) = bytes.split_first_chunk()?;
    let (numbers, configuration) = rest.split_first_chunk::<36>()?;
    let mut numbers = numbers
        .as_chunks()
        .0
        .iter()
        .map(|number| u32::from_le_bytes(*number));
    let mut number = || numbers.next();
    let profile = (known == 1).then_some(Profile { profile, level });
    let longest_side = number()?;
    let track = Track {
        codec: match codec {
            0 => Codec::H264(profile),
            1 => Codec::Hevc(profile),
            2 => Codec::Av1(profile),
            3 => Codec::Vp8,
            4 => Codec::Vp9(profile),
            _ => return None,
        },
        coded: (number()?, number()?),
        displayed: (number()?, number()?),
        crop: Crop {
            left: number()?,
            top: number()?,
            width: number()?,
            height: number()?,
        },
        orientation: Orientation::from(u32::from(orientation)),
        hdr: match hdr {
            0 => None,
            1 => Some(Hdr::Pq),
            2 => Some(Hdr::Hlg),
            _ => return None,
        },
        configuration: configuration.to_vec(),
    };
    let size = Size {
        longest_side,
        quality,
    };
    Some(FrameOptions { track, size })
}
