//! The codecs, by their names in containers.
//!
//! Sources: the MP4 Registration Authority's list of codecs, Apple's QuickTime File Format, Matroska's codec
//! specifications, and ISO/IEC 14496-15 (`avcC`, `hvcC`).

use serde::{Deserialize, Serialize};
use std::fmt;

/// Profile and level as numbers of the codec's own standard, such as 100 and 41 for H.264 High at level 4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The profile: `profile_idc` (H.264, HEVC), `seq_profile` (AV1) or the profile (VP9).
    pub profile: u8,
    /// The level: ten times its number in H.264 and VP9, thirty times in HEVC, an index (`seq_level_idx`) in AV1.
    pub level: u8,
}

/// A codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Codec {
    /// H.264, also known as AVC. The profile is unknown if there is no `avcC`.
    H264(Option<Profile>),
    /// H.265, also known as HEVC, also as the base layer of Dolby Vision.
    Hevc(Option<Profile>),
    /// H.266, also known as VVC.
    H266,
    /// AV1.
    Av1(Option<Profile>),
    /// VP8.
    Vp8,
    /// VP9.
    Vp9(Option<Profile>),
    /// MPEG-4 part 2, such as DivX and Xvid.
    Mpeg4,
    /// MPEG-1 and MPEG-2.
    Mpeg2,
    /// H.263.
    H263,
    /// Motion JPEG.
    Mjpeg,
    /// Apple ProRes.
    ProRes,
    /// Any other. The text is its name in the container, such as "FFV1" or "V_THEORA".
    Other(Id),
}

/// A codec's name in its container: up to 24 printable ASCII characters.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Id([u8; 24]);

impl Id {
    /// The start of a name. Other characters become question marks, because names are shown and logged.
    fn of(name: &[u8]) -> Self {
        let mut id = [0; 24];
        for (to, from) in id.iter_mut().zip(name.trim_ascii_end()) {
            *to = if from.is_ascii_graphic() || *from == b' ' {
                *from
            } else {
                b'?'
            };
        }
        Self(id)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0)
            .unwrap_or_default()
            .trim_end_matches('\0')
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl fmt::Display for Codec {
    /// The name that people know, such as "H.264 High".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::H264(Some(profile)) => match profile.h264_name() {
                Some(name) => write!(f, "H.264 {name}"),
                None => f.write_str("H.264"),
            },
            Self::Hevc(Some(Profile { profile: 1, .. })) => f.write_str("HEVC Main"),
            Self::Hevc(Some(Profile { profile: 2, .. })) => f.write_str("HEVC Main 10"),
            Self::H264(None) => f.write_str("H.264"),
            Self::Hevc(_) => f.write_str("HEVC"),
            Self::H266 => f.write_str("H.266"),
            Self::Av1(_) => f.write_str("AV1"),
            Self::Vp8 => f.write_str("VP8"),
            Self::Vp9(_) => f.write_str("VP9"),
            Self::Mpeg4 => f.write_str("MPEG-4 part 2"),
            Self::Mpeg2 => f.write_str("MPEG-2"),
            Self::H263 => f.write_str("H.263"),
            Self::Mjpeg => f.write_str("Motion JPEG"),
            Self::ProRes => f.write_str("ProRes"),
            Self::Other(id) => match other_name(id.as_str()) {
                Some(name) => f.write_str(name),
                None => f.write_str(id.as_str()),
            },
        }
    }
}

impl Profile {
    fn h264_name(self) -> Option<&'static str> {
        Some(match self.profile {
            66 => "Baseline",
            77 => "Main",
            88 => "Extended",
            100 => "High",
            110 => "High 10",
            122 => "High 4:2:2",
            244 => "High 4:4:4 Predictive",
            _ => return None,
        })
    }
}

/// The names of codecs that nothing here decodes, for messages.
fn other_name(id: &str) -> Option<&'static str> {
    Some(match id {
        "AVdn" | "AVdh" => "DNxHD",
        "CFHD" => "CineForm",
        "SVQ1" | "SVQ3" => "Sorenson Video",
        "cvid" => "Cinepak",
        "rle" => "QuickTime Animation",
        "dvc" | "dvcp" | "dvpp" | "dv5n" | "dv5p" | "dvh2" | "dvh3" | "dvh5" | "dvh6" | "dvhp" | "dvhq" => {
            "DV"
        }
        "aprh" | "aprn" => "ProRes RAW",
        "apv1" => "APV",
        "vc-1" | "WVC1" | "WMV3" => "VC-1",
        "V_THEORA" => "Theora",
        "V_FFV1" => "FFV1",
        "V_UNCOMPRESSED" | "raw" | "2vuy" | "yuv2" | "v210" => "Uncompressed video",
        "V_MPEG4/MS/V3" | "MP43" | "DIV3" => "MS-MPEG-4",
        _ => return None,
    })
}

impl Codec {
    /// The codec with this name of a sample entry (MP4, QuickTime) or of Microsoft's bitmap header (Matroska).
    pub(crate) fn of_fourcc(name: [u8; 4], configuration: &[u8]) -> Self {
        match &name {
            b"avc1" | b"avc2" | b"avc3" | b"avc4" | b"dva1" | b"dvav" | b"H264" | b"h264" | b"X264"
            | b"x264" => Self::H264(h264_profile(configuration)),
            b"hvc1" | b"hev1" | b"hvc2" | b"hev2" | b"dvh1" | b"dvhe" | b"HEVC" | b"hevc" => {
                Self::Hevc(hevc_profile(configuration))
            }
            b"vvc1" | b"vvi1" => Self::H266,
            b"av01" | b"dav1" => Self::Av1(av1_profile(configuration)),
            b"vp08" | b"VP80" => Self::Vp8,
            b"vp09" | b"VP90" => Self::Vp9(vp9_profile(configuration)),
            b"mp4v" => match object_type(configuration) {
                Some(0x60..=0x65 | 0x6A) => Self::Mpeg2,
                Some(0x6C) => Self::Mjpeg,
                _ => Self::Mpeg4,
            },
            b"DIVX" | b"divx" | b"DX50" | b"XVID" | b"xvid" | b"FMP4" | b"MP4V" | b"3IV2" | b"3IVD" => {
                Self::Mpeg4
            }
            b"mp1v" | b"mp2v" | b"m2v1" | b"mpeg" | b"MPG1" | b"MPG2" => Self::Mpeg2,
            // XDCAM and HDV.
            [b'x', b'd', b'v' | b'h' | b'5', _]
            | [b'h', b'd', b'v', _]
            | [b'm', b'x', b'3' | b'4' | b'5', _] => Self::Mpeg2,
            b"s263" | b"h263" | b"H263" => Self::H263,
            b"jpeg" | b"mjpa" | b"mjpb" | b"mjpg" | b"MJPG" | b"AVDJ" => Self::Mjpeg,
            b"apch" | b"apcn" | b"apcs" | b"apco" | b"ap4h" | b"ap4x" => Self::ProRes,
            _ => Self::Other(Id::of(&name)),
        }
    }

    /// The codec with this CodecID of Matroska.
    pub(crate) fn of_matroska(id: &[u8], private: &[u8]) -> Self {
        match id {
            b"V_MPEG4/ISO/AVC" => Self::H264(h264_profile(private)),
            b"V_MPEGH/ISO/HEVC" => Self::Hevc(hevc_profile(private)),
            b"V_MPEGI/ISO/VVC" => Self::H266,
            b"V_AV1" => Self::Av1(av1_profile(private)),
            b"V_VP8" => Self::Vp8,
            b"V_VP9" => Self::Vp9(None),
            b"V_MPEG4/ISO/SP" | b"V_MPEG4/ISO/ASP" | b"V_MPEG4/ISO/AP" => Self::Mpeg4,
            b"V_MPEG1" | b"V_MPEG2" => Self::Mpeg2,
            b"V_MJPEG" => Self::Mjpeg,
            b"V_PRORES" => Self::ProRes,
            b"V_MS/VFW/FOURCC" => match private.get(16..20).and_then(|name| name.first_chunk()) {
                Some(name) => Self::of_fourcc(*name, &[]),
                None => Self::Other(Id::of(id)),
            },
            _ => Self::Other(Id::of(id)),
        }
    }
}

/// From `avcC`.
fn h264_profile(configuration: &[u8]) -> Option<Profile> {
    match configuration {
        [1, profile, _, level, ..] => Some(Profile {
            profile: *profile,
            level: *level,
        }),
        _ => None,
    }
}

/// From `hvcC`: the general profile, and the level after flags of 11 bytes.
fn hevc_profile(configuration: &[u8]) -> Option<Profile> {
    match configuration {
        [_, space_and_profile, _, _, _, _, _, _, _, _, _, _, level, ..] => Some(Profile {
            profile: space_and_profile & 0x1F,
            level: *level,
        }),
        _ => None,
    }
}

/// From `av1C`.
fn av1_profile(configuration: &[u8]) -> Option<Profile> {
    match configuration {
        [0x81, profile_and_level, ..] => Some(Profile {
            profile: profile_and_level >> 5,
            level: profile_and_level & 0x1F,
        }),
        _ => None,
    }
}

/// From `vpcC`, after its version and flags.
fn vp9_profile(configuration: &[u8]) -> Option<Profile> {
    match configuration {
        [_, _, _, _, profile, level, ..] => Some(Profile {
            profile: *profile,
            level: *level,
        }),
        _ => None,
    }
}

/// The object type of `esds`, after its version and flags: in the second of two nested descriptors.
fn object_type(esds: &[u8]) -> Option<u8> {
    let rest = descriptor(esds.get(4..)?, 3)?;
    let (flags, mut rest) = rest.get(2..)?.split_first()?;
    if flags & 0x80 != 0 {
        rest = rest.get(2..)?;
    }
    if flags & 0x40 != 0 {
        let length = usize::from(*rest.first()?);
        rest = rest.get(1 + length..)?;
    }
    if flags & 0x20 != 0 {
        rest = rest.get(2..)?;
    }
    descriptor(rest, 4)?.first().copied()
}

/// What follows a descriptor's tag and length. The length has up to four bytes, all but the last with the upper bit set.
fn descriptor(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let rest = bytes.strip_prefix(&[tag])?;
    let last = rest.iter().take(4).position(|byte| byte & 0x80 == 0)?;
    rest.get(last + 1..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_codecs_as_people_know_them() {
        let fourcc = |name: &[u8; 4]| Codec::of_fourcc(*name, &[]).to_string();
        assert_eq!(
            Codec::of_fourcc(*b"avc1", &[1, 100, 0, 41]).to_string(),
            "H.264 High"
        );
        assert_eq!(fourcc(b"avc1"), "H.264");
        assert_eq!(fourcc(b"dvh1"), "HEVC");
        assert_eq!(fourcc(b"apch"), "ProRes");
        assert_eq!(fourcc(b"xdvc"), "MPEG-2");
        assert_eq!(fourcc(b"rle "), "QuickTime Animation");
        assert_eq!(fourcc(b"\0\x1B[m"), "??[m");
        assert_eq!(Codec::of_matroska(b"V_THEORA", &[]).to_string(), "Theora");
        let long = Codec::of_matroska(&[b'V'; 1_000], &[]).to_string();
        assert_eq!(long.len(), 24);
    }

    #[test]
    fn a_bitmap_header_in_matroska_names_the_codec() {
        let header = [&[0; 16][..], b"XVID", &[0; 20]].concat();
        assert_eq!(Codec::of_matroska(b"V_MS/VFW/FOURCC", &header), Codec::Mpeg4);
        assert!(matches!(
            Codec::of_matroska(b"V_MS/VFW/FOURCC", &[0; 19]),
            Codec::Other(_)
        ));
    }

    #[test]
    fn the_object_type_of_mp4v_tells_mpeg_4_from_mpeg_2() {
        // The second one has a length of four bytes, and a stream that depends on another one.
        for (esds, codec) in [
            (&b"\0\0\0\0\x03\x19\0\x01\0\x04\x11\x20"[..], Codec::Mpeg4),
            (
                b"\0\0\0\0\x03\x80\x80\x80\x19\0\x01\x80\0\0\x04\x80\x80\x80\x11\x61",
                Codec::Mpeg2,
            ),
            (b"\0\0\0\0\x03\x19\0\x01\0\x04\x11\x6C", Codec::Mjpeg),
            (b"\0\0\0\0\x03", Codec::Mpeg4),
        ] {
            assert_eq!(Codec::of_fourcc(*b"mp4v", esds), codec);
        }
    }
}
