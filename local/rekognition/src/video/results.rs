//! The labels of a video's frames, and how they are put together.

use crate::response::ResponseLabel;
use crate::video::request::{AggregateBy, SortBy};
use serde::Serialize;
use std::collections::HashMap;

/// What a job has found.
#[derive(Debug, Clone)]
pub(crate) struct Results {
    pub(crate) metadata: VideoMetadata,
    /// In the order of time.
    pub(crate) frames: Vec<Frame>,
}

/// What the video's header says.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct VideoMetadata {
    pub(crate) codec: &'static str,
    pub(crate) duration_millis: u64,
    pub(crate) format: &'static str,
    pub(crate) frame_rate: f64,
    pub(crate) frame_height: u32,
    pub(crate) frame_width: u32,
    pub(crate) color_range: &'static str,
}

/// The labels of a frame.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// Milliseconds.
    pub(crate) time: u64,
    pub(crate) labels: Vec<ResponseLabel>,
}

/// A label at a time, or during one.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Detection {
    pub(crate) timestamp: u64,
    pub(crate) label: ResponseLabel,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start_timestamp_millis: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end_timestamp_millis: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duration_millis: Option<u64>,
}

impl Results {
    pub(crate) fn detections(&self, aggregate_by: AggregateBy, sort_by: SortBy) -> Vec<Detection> {
        let mut detections = match aggregate_by {
            AggregateBy::Timestamps => self.timestamps(),
            AggregateBy::Segments => self.segments(),
        };
        // Stable: labels of a frame stay in the order of their confidence.
        detections.sort_by(|one, other| match sort_by {
            SortBy::Timestamp => one.timestamp.cmp(&other.timestamp),
            SortBy::Name => {
                let by_name = one.label.name.cmp(&other.label.name);
                by_name.then(other.label.confidence.total_cmp(&one.label.confidence))
            }
        });
        detections
    }

    fn timestamps(&self) -> Vec<Detection> {
        let frames = self.frames.iter();
        frames
            .flat_map(|frame| {
                frame.labels.iter().map(|label| Detection {
                    timestamp: frame.time,
                    label: label.clone(),
                    start_timestamp_millis: None,
                    end_timestamp_millis: None,
                    duration_millis: None,
                })
            })
            .collect()
    }

    /// A segment has a label in all of its frames. It lasts until the next frame, which does not have it, and has the highest
    /// confidence and no instances.
    fn segments(&self) -> Vec<Detection> {
        let mut segments: Vec<Detection> = Vec::new();
        // The segments that include the last frame, by name.
        let mut open: HashMap<&str, usize> = HashMap::new();
        for (index, frame) in self.frames.iter().enumerate() {
            let end = self
                .frames
                .get(index + 1)
                .map_or(self.metadata.duration_millis.max(frame.time), |next| next.time);
            let mut still_open = HashMap::new();
            for label in &frame.labels {
                let index = match open.get(label.name.as_str()) {
                    Some(index) => *index,
                    None => {
                        let mut label = label.clone();
                        label.instances.clear();
                        segments.push(Detection {
                            timestamp: frame.time,
                            label,
                            start_timestamp_millis: Some(frame.time),
                            end_timestamp_millis: None,
                            duration_millis: None,
                        });
                        segments.len() - 1
                    }
                };
                let segment = &mut segments[index];
                segment.label.confidence = segment.label.confidence.max(label.confidence);
                segment.end_timestamp_millis = Some(end);
                segment.duration_millis = Some(end - segment.timestamp);
                still_open.insert(label.name.as_str(), index);
            }
            open = still_open;
        }
        segments
    }
}
