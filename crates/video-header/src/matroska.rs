//! Matroska and WebM.
//!
//! Sources: RFC 9559 (Matroska), RFC 8794 (EBML), the WebM Project's container guidelines.

mod clusters;
mod ebml;
mod segment;

use crate::key_frames::KeyFrame;
use crate::select::Select;
use crate::source::{Source, Stop};
use crate::video::Video;
use segment::Segment;

/// The ids of elements.
mod ids {
    pub(super) const DOC_TYPE: u32 = 0x4282;
    pub(super) const SEGMENT: u32 = 0x1853_8067;
    pub(super) const SEEK_HEAD: u32 = 0x114D_9B74;
    pub(super) const SEEK: u32 = 0x4DBB;
    pub(super) const SEEK_ID: u32 = 0x53AB;
    pub(super) const SEEK_POSITION: u32 = 0x53AC;
    pub(super) const INFO: u32 = 0x1549_A966;
    pub(super) const TIMESTAMP_SCALE: u32 = 0x2A_D7B1;
    pub(super) const DURATION: u32 = 0x4489;
    pub(super) const DATE_UTC: u32 = 0x4461;
    pub(super) const TRACKS: u32 = 0x1654_AE6B;
    pub(super) const TRACK_ENTRY: u32 = 0xAE;
    pub(super) const TRACK_NUMBER: u32 = 0xD7;
    pub(super) const TRACK_TYPE: u32 = 0x83;
    pub(super) const FLAG_ENABLED: u32 = 0xB9;
    pub(super) const DEFAULT_DURATION: u32 = 0x23_E383;
    pub(super) const CODEC_ID: u32 = 0x86;
    pub(super) const CODEC_PRIVATE: u32 = 0x63A2;
    pub(super) const CONTENT_ENCODINGS: u32 = 0x6D80;
    pub(super) const CONTENT_ENCODING: u32 = 0x6240;
    pub(super) const CONTENT_ENCODING_TYPE: u32 = 0x5033;
    pub(super) const CONTENT_ENCRYPTION: u32 = 0x5035;
    pub(super) const VIDEO: u32 = 0xE0;
    pub(super) const PIXEL_WIDTH: u32 = 0xB0;
    pub(super) const PIXEL_HEIGHT: u32 = 0xBA;
    pub(super) const PIXEL_CROP_BOTTOM: u32 = 0x54AA;
    pub(super) const PIXEL_CROP_TOP: u32 = 0x54BB;
    pub(super) const PIXEL_CROP_LEFT: u32 = 0x54CC;
    pub(super) const PIXEL_CROP_RIGHT: u32 = 0x54DD;
    pub(super) const DISPLAY_WIDTH: u32 = 0x54B0;
    pub(super) const DISPLAY_HEIGHT: u32 = 0x54BA;
    pub(super) const COLOUR: u32 = 0x55B0;
    pub(super) const TRANSFER_CHARACTERISTICS: u32 = 0x55BA;
    pub(super) const PROJECTION: u32 = 0x7670;
    pub(super) const PROJECTION_POSE_ROLL: u32 = 0x7675;
    pub(super) const CUES: u32 = 0x1C53_BB6B;
    pub(super) const CUE_POINT: u32 = 0xBB;
    pub(super) const CUE_TIME: u32 = 0xB3;
    pub(super) const CUE_TRACK_POSITIONS: u32 = 0xB7;
    pub(super) const CUE_TRACK: u32 = 0xF7;
    pub(super) const CUE_CLUSTER_POSITION: u32 = 0xF1;
    pub(super) const CUE_RELATIVE_POSITION: u32 = 0xF0;
    pub(super) const CLUSTER: u32 = 0x1F43_B675;
    pub(super) const TIMESTAMP: u32 = 0xE7;
    pub(super) const SIMPLE_BLOCK: u32 = 0xA3;
    pub(super) const BLOCK_GROUP: u32 = 0xA0;
    pub(super) const BLOCK: u32 = 0xA1;
    pub(super) const REFERENCE_BLOCK: u32 = 0xFB;
    pub(super) const CHAPTERS: u32 = 0x1043_A770;
    pub(super) const TAGS: u32 = 0x1254_C367;
    pub(super) const ATTACHMENTS: u32 = 0x1941_A469;
    pub(super) const EBML: u32 = 0x1A45_DFA3;
}

/// Reads what the header says.
pub(crate) fn read(source: &Source<'_>) -> Result<Video, Stop> {
    let segment = Segment::read(source)?;
    let duration_ms = match segment.duration_ms {
        Some(duration) => duration,
        None => clusters::duration_ms(source, &segment)?,
    };
    let Segment {
        container,
        created_at,
        has_audio,
        track,
        ..
    } = segment;
    let (width, height) = track.frame.displayed(track.orientation);
    Ok(Video {
        container,
        codec: track.codec,
        configuration: track.configuration,
        width,
        height,
        coded: track.coded,
        crop: track.crop,
        orientation: track.orientation,
        duration_ms,
        frames: None,
        frame_rate: track.frame_rate,
        hdr: track.hdr,
        created_at,
        has_audio,
    })
}

/// Finds key frames.
pub(crate) fn key_frames(source: &Source<'_>, select: Select) -> Result<Vec<KeyFrame>, Stop> {
    let segment = Segment::read(source)?;
    match segment.cues {
        Some(cues) => clusters::key_frames_by_index(source, &segment, cues, select),
        None => clusters::key_frames_by_search(source, &segment, select),
    }
}
