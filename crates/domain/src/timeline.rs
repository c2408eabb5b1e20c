//! When labels are seen in a video: merges the labels of single frames, and selects parts of the result.

use crate::label::{self, BoundingBox, Confidence, Instance, Label};
use crate::record::RecordedLabel;
use crate::video::Seen;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Maximum number of labels of a frame, those with the highest confidence. Rekognition finds 20 to 50 in most pictures.
pub const MAX_FRAME_LABELS: usize = 50;
/// Maximum number of boxes of a label in a frame, those with the highest confidence.
pub const MAX_LABEL_BOXES: usize = 10;
/// Maximum number of boxes in a frame, those of the labels with the highest confidence.
pub const MAX_FRAME_BOXES: usize = 30;
/// Maximum number of labels of a video, those that are seen longest.
pub const MAX_LANES: usize = 1000;
/// Maximum number of boxes in a timeline. A box has about 45 bytes of JSON.
pub const MAX_BOXES: usize = 60_000;
/// Maximum number of segments in a timeline. A segment has about 30 bytes of JSON.
pub const MAX_SEGMENTS: usize = 60_000;

/// The labels of some frames of a video, as they are stored until the timeline is complete.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LabeledFrames {
    /// The labels that are found in any of the frames, without instances.
    pub labels: Vec<Label>,
    /// The frames in which labels could be detected, in the order of time.
    pub frames: Vec<LabeledFrame>,
    /// The longest time that a frame stands for, in milliseconds. Without it, a frame stands for the time until the next one.
    /// Results of Rekognition Video do not contain frames without labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_ms: Option<u64>,
    /// The version of the model that found them.
    #[serde(default)]
    pub model_version: Option<String>,
    /// Why the last undecodable frame could not be decoded, as a sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undecodable: Option<crate::record::RecordedError>,
}

/// The labels of a frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LabeledFrame {
    /// When it is displayed, in milliseconds.
    pub at_ms: u64,
    /// The labels: their places in [`LabeledFrames::labels`], confidences and boxes.
    pub found: Vec<(usize, Confidence, Vec<Box>)>,
}

/// A box in a frame. In JSON a list: left, top, width, height, confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(
    from = "(f64, f64, f64, f64, Confidence)",
    into = "(f64, f64, f64, f64, Confidence)"
)]
pub struct Box {
    /// The position.
    pub position: BoundingBox,
    /// The model's confidence.
    pub confidence: Confidence,
}

impl From<(f64, f64, f64, f64, Confidence)> for Box {
    fn from((left, top, width, height, confidence): (f64, f64, f64, f64, Confidence)) -> Self {
        Self {
            position: BoundingBox::new(left, top, width, height),
            confidence,
        }
    }
}

impl From<Box> for (f64, f64, f64, f64, Confidence) {
    fn from(Box { position, confidence }: Box) -> Self {
        let BoundingBox {
            left,
            top,
            width,
            height,
        } = position;
        (left, top, width, height, confidence)
    }
}

impl From<&Instance> for Box {
    fn from(instance: &Instance) -> Self {
        Self {
            position: instance.bounding_box,
            confidence: instance.confidence,
        }
    }
}

impl LabeledFrames {
    /// Adds a frame with the labels that a model has found in it, as many as the limits allow.
    pub fn add(&mut self, at_ms: u64, mut labels: Vec<Label>) {
        label::sort(&mut labels);
        labels.truncate(MAX_FRAME_LABELS);
        let mut found = Vec::with_capacity(labels.len());
        let mut boxes_left = MAX_FRAME_BOXES;
        for mut label in labels {
            let mut instances = std::mem::take(&mut label.instances);
            instances.sort_by(|a, b| b.confidence.percent().total_cmp(&a.confidence.percent()));
            instances.truncate(MAX_LABEL_BOXES.min(boxes_left));
            boxes_left -= instances.len();
            let boxes = instances.iter().map(Box::from).collect();
            let confidence = label.confidence;
            let place = self.labels.iter().position(|known| known.name == label.name);
            let place = place.unwrap_or_else(|| {
                self.labels.push(label);
                self.labels.len() - 1
            });
            found.push((place, confidence, boxes));
        }
        self.frames.push(LabeledFrame { at_ms, found });
    }
}

/// When the labels of a video are seen: all that the model has found, by its names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Timeline {
    /// The video's duration in milliseconds.
    pub duration_ms: u64,
    /// The usual time between two labeled frames in milliseconds.
    pub interval_ms: u64,
    /// A label each. Those that are seen longest come first.
    pub lanes: Vec<Lane>,
}

/// When a label is seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    /// The label's name.
    pub name: String,
    /// In the order of time. They do not overlap.
    pub segments: Vec<Segment>,
}

/// A part of a video in which a label is seen. In JSON a list: from, to, confidence, boxes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    from = "(u64, u64, Confidence, Vec<(u64, Box)>)",
    into = "(u64, u64, Confidence, Vec<(u64, Box)>)"
)]
pub struct Segment {
    /// Its start in milliseconds.
    pub from_ms: u64,
    /// Its end in milliseconds.
    pub to_ms: u64,
    /// The highest confidence of its frames.
    pub confidence: Confidence,
    /// Boxes with the times of their frames, in the order of time.
    pub boxes: Vec<(u64, Box)>,
}

type SegmentFields = (u64, u64, Confidence, Vec<(u64, Box)>);

impl From<SegmentFields> for Segment {
    fn from((from_ms, to_ms, confidence, boxes): SegmentFields) -> Self {
        Self {
            from_ms,
            to_ms,
            confidence,
            boxes,
        }
    }
}

impl From<Segment> for SegmentFields {
    fn from(segment: Segment) -> Self {
        (segment.from_ms, segment.to_ms, segment.confidence, segment.boxes)
    }
}

impl Lane {
    /// When the label is seen. `None` if the lane is empty.
    pub fn seen(&self) -> Option<Seen> {
        Some(Seen {
            first_ms: self.segments.first()?.from_ms,
            total_ms: self.total_ms(),
        })
    }

    fn total_ms(&self) -> u64 {
        self.segments
            .iter()
            .map(|segment| segment.to_ms - segment.from_ms)
            .sum()
    }

    /// Adds a part of the video that begins after the others. It continues the last segment unless there are more than
    /// `gap_ms` milliseconds between them.
    fn add(&mut self, part: Segment, gap_ms: u64) {
        match self.segments.last_mut() {
            Some(last) if part.from_ms <= last.to_ms.saturating_add(gap_ms) => {
                last.to_ms = last.to_ms.max(part.to_ms);
                if part.confidence > last.confidence {
                    last.confidence = part.confidence;
                }
                last.boxes.extend(part.boxes);
            }
            _ => self.segments.push(part),
        }
    }
}

impl Timeline {
    /// Merges the frames of a video. Each frame stands for the time until the next one, or for less if its part says so. Frames
    /// with the same time, at the end of a part and the start of the next one, are one frame. A label that is missing for at most
    /// `gap_ms` milliseconds counts as seen. Also returns the labels with their best confidence and their times, highest
    /// confidence first.
    pub fn merge(
        parts: Vec<LabeledFrames>,
        duration_ms: u64,
        interval_ms: u64,
        gap_ms: u64,
    ) -> (Self, Vec<Label>) {
        let mut labels: Vec<Label> = vec![];
        let mut lanes: Vec<Lane> = vec![];
        let mut places: HashMap<String, usize> = HashMap::new();
        let times: Vec<u64> = parts
            .iter()
            .flat_map(|part| part.frames.iter().map(|frame| frame.at_ms))
            .collect();
        let mut next = 0;
        for part in parts {
            let longest_ms = part.longest_ms.unwrap_or(u64::MAX);
            let of_part: Vec<usize> = part
                .labels
                .iter()
                .map(|label| {
                    *places.entry(label.name.clone()).or_insert_with(|| {
                        labels.push(label.clone());
                        lanes.push(Lane {
                            name: label.name.clone(),
                            segments: vec![],
                        });
                        lanes.len() - 1
                    })
                })
                .collect();
            for frame in part.frames {
                next += 1;
                let later = times.iter().skip(next).find(|time| **time > frame.at_ms);
                let end = later.copied().unwrap_or(duration_ms);
                let end = end.min(frame.at_ms.saturating_add(longest_ms));
                for (place, confidence, boxes) in frame.found {
                    // What is read was written by an earlier step, but an index must not panic.
                    let Some(place) = of_part.get(place).copied() else {
                        continue;
                    };
                    if confidence > labels[place].confidence {
                        labels[place].confidence = confidence;
                    }
                    let segment = Segment {
                        from_ms: frame.at_ms,
                        to_ms: end.max(frame.at_ms),
                        confidence,
                        boxes: boxes.into_iter().map(|found| (frame.at_ms, found)).collect(),
                    };
                    lanes[place].add(segment, gap_ms);
                }
            }
        }
        for (label, lane) in labels.iter_mut().zip(&lanes) {
            label.seen = lane.seen();
        }
        sort_lanes(&mut lanes);
        lanes.truncate(MAX_LANES);
        let mut left = MAX_SEGMENTS;
        for lane in &mut lanes {
            lane.segments.truncate(left);
            left -= lane.segments.len();
        }
        lanes.retain(|lane| !lane.segments.is_empty());
        labels.retain(|label| lanes.iter().any(|lane| lane.name == label.name));
        label::sort(&mut labels);
        let mut timeline = Self {
            duration_ms,
            interval_ms,
            lanes,
        };
        timeline.thin_out_boxes(&times);
        (timeline, labels)
    }

    /// Removes boxes until there are at most [`MAX_BOXES`]: first those of frames in between, so that what remains is spread
    /// over the whole video.
    fn thin_out_boxes(&mut self, times: &[u64]) {
        let mut stride = 1;
        while self.boxes() > MAX_BOXES {
            stride *= 2;
            let kept: std::collections::HashSet<u64> = times.iter().step_by(stride).copied().collect();
            for segment in self.lanes.iter_mut().flat_map(|lane| &mut lane.segments) {
                segment.boxes.retain(|(at_ms, _)| kept.contains(at_ms));
            }
        }
    }

    fn boxes(&self) -> usize {
        let segments = self.lanes.iter().flat_map(|lane| &lane.segments);
        segments.map(|segment| segment.boxes.len()).sum()
    }

    /// The lanes of labels that count, under the names by which they are recorded. Lanes of labels that were renamed to one
    /// name are merged.
    pub fn counted(self, counted: &[RecordedLabel]) -> Vec<Lane> {
        let shown: HashMap<&str, &str> = counted
            .iter()
            .flat_map(|label| label.sources().map(|source| (source, label.name.as_str())))
            .collect();
        let mut lanes: HashMap<&str, Vec<Segment>> = HashMap::new();
        for lane in self.lanes {
            if let Some(name) = shown.get(lane.name.as_str()) {
                lanes.entry(name).or_default().extend(lane.segments);
            }
        }
        let mut lanes: Vec<Lane> = lanes
            .into_iter()
            .map(|(name, mut segments)| {
                segments.sort_by_key(|segment| segment.from_ms);
                let mut lane = Lane {
                    name: name.to_owned(),
                    segments: vec![],
                };
                for segment in segments {
                    lane.add(segment, 0);
                }
                for segment in &mut lane.segments {
                    segment.boxes.sort_by_key(|(at_ms, _)| *at_ms);
                }
                lane
            })
            .collect();
        sort_lanes(&mut lanes);
        lanes
    }
}

/// Those that are seen longest come first.
fn sort_lanes(lanes: &mut [Lane]) {
    lanes.sort_by(|a, b| b.total_ms().cmp(&a.total_ms()).then_with(|| a.name.cmp(&b.name)));
}

/// The part of lanes from `from_ms` (inclusive) to `to_ms` (exclusive), but at most `budget` segments and boxes. If the
/// budget is exhausted, also returns the end of the complete part. A segment is kept whole if a part of it is in this time; only
/// boxes of this time are kept.
pub fn window(lanes: Vec<Lane>, from_ms: u64, to_ms: u64, budget: usize) -> (Vec<Lane>, Option<u64>) {
    let mut starts: Vec<u64> = vec![];
    let mut open = 0;
    for segment in lanes.iter().flat_map(|lane| &lane.segments) {
        if segment.from_ms < from_ms && segment.to_ms > from_ms {
            open += 1;
        }
        if (from_ms..to_ms).contains(&segment.from_ms) {
            starts.push(segment.from_ms);
        }
        let boxes = segment.boxes.iter().map(|(at_ms, _)| *at_ms);
        starts.extend(boxes.filter(|at_ms| (from_ms..to_ms).contains(at_ms)));
    }
    let budget = budget.saturating_sub(open);
    let mut end = to_ms;
    if starts.len() > budget {
        starts.sort_unstable();
        // Everything of one time is in the same part. At least one time is in each, so that every part is later than the one
        // before: a frame has at most 50 labels and 30 boxes.
        let first = starts.iter().copied().find(|start| *start > starts[0]);
        end = starts[budget].max(first.unwrap_or(to_ms));
    }
    let lanes = lanes
        .into_iter()
        .filter_map(|mut lane| {
            lane.segments
                .retain(|segment| segment.from_ms < end && segment.to_ms > from_ms);
            for segment in &mut lane.segments {
                segment.boxes.retain(|(at_ms, _)| (from_ms..end).contains(at_ms));
            }
            (!lane.segments.is_empty()).then_some(lane)
        })
        .collect();
    (lanes, (end < to_ms).then_some(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn label(name: &str, confidence: f64, boxes: usize) -> Label {
        let instance = json!({"confidence": confidence, "boundingBox": {"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.4}});
        serde_json::from_value(json!({
            "name": name, "confidence": confidence, "instances": vec![instance; boxes], "parents": ["Thing"],
        }))
        .unwrap()
    }

    fn frames(frames: &[(u64, &[(&str, f64)])]) -> LabeledFrames {
        let mut labeled = LabeledFrames::default();
        for (at_ms, labels) in frames {
            let labels = labels
                .iter()
                .map(|(name, confidence)| label(name, *confidence, 1));
            labeled.add(*at_ms, labels.collect());
        }
        labeled
    }

    fn spans(lane: &Lane) -> Vec<(u64, u64)> {
        let segments = lane.segments.iter();
        segments.map(|segment| (segment.from_ms, segment.to_ms)).collect()
    }

    #[test]
    fn a_label_that_is_missing_for_longer_than_the_gap_begins_another_segment() {
        let parts = || {
            vec![
                frames(&[(0, &[("Cat", 80.0)]), (2000, &[("Cat", 90.0), ("Dog", 70.0)])]),
                frames(&[(4000, &[]), (6000, &[("Cat", 60.0)]), (8000, &[])]),
            ]
        };
        let (timeline, labels) = Timeline::merge(parts(), 9000, 2000, 1999);
        assert_eq!(timeline.lanes[0].name, "Cat");
        assert_eq!(spans(&timeline.lanes[0]), [(0, 4000), (6000, 8000)]);
        assert_eq!(spans(&timeline.lanes[1]), [(2000, 4000)]);
        assert_eq!(timeline.lanes[0].segments[0].confidence.percent(), 90.0);
        let cat = &labels[0];
        assert_eq!((cat.name.as_str(), cat.confidence.percent()), ("Cat", 90.0));
        let seen = Seen {
            first_ms: 0,
            total_ms: 6000,
        };
        assert_eq!(
            (cat.seen, cat.parents.as_slice()),
            (Some(seen), &["Thing".to_owned()][..])
        );
        assert!(cat.instances.is_empty(), "boxes are in the timeline");
        let (timeline, _) = Timeline::merge(parts(), 9000, 2000, 2000);
        assert_eq!(spans(&timeline.lanes[0]), [(0, 8000)]);
    }

    #[test]
    fn the_last_frame_stands_for_the_time_until_the_end() {
        let (timeline, _) = Timeline::merge(vec![frames(&[(500, &[("Cat", 80.0)])])], 3300, 2000, 0);
        assert_eq!(spans(&timeline.lanes[0]), [(500, 3300)]);
        // A frame can be later than the duration that the file states.
        let (timeline, _) = Timeline::merge(vec![frames(&[(500, &[("Cat", 80.0)])])], 400, 2000, 0);
        assert_eq!(spans(&timeline.lanes[0]), [(500, 500)]);
    }

    /// A page of Rekognition's result can end within a frame.
    #[test]
    fn a_frame_on_two_parts_is_one_frame() {
        let parts = vec![
            frames(&[(0, &[("Cat", 80.0)]), (500, &[("Cat", 80.0)])]),
            frames(&[(500, &[("Dog", 80.0)]), (1000, &[])]),
        ];
        let (timeline, _) = Timeline::merge(parts, 2000, 500, 0);
        let lanes: Vec<_> = timeline
            .lanes
            .iter()
            .map(|lane| (lane.name.as_str(), spans(lane)))
            .collect();
        assert_eq!(lanes, [("Cat", vec![(0, 1000)]), ("Dog", vec![(500, 1000)])]);
    }

    /// If it did, the cat would be shown in a time without labels.
    #[test]
    fn a_frame_does_not_stand_for_later_ones_without_labels() {
        let part = LabeledFrames {
            longest_ms: Some(1000),
            ..frames(&[
                (0, &[("Cat", 80.0)]),
                (500, &[("Cat", 80.0)]),
                (60_000, &[("Cat", 80.0)]),
            ])
        };
        let (timeline, _) = Timeline::merge(vec![part], 60_300, 500, 0);
        assert_eq!(spans(&timeline.lanes[0]), [(0, 1500), (60_000, 60_300)]);
    }

    #[test]
    fn a_timeline_is_read_as_it_was_written() {
        let (timeline, _) = Timeline::merge(vec![frames(&[(0, &[("Cat", 80.0)])])], 2000, 2000, 0);
        let json = serde_json::to_string(&timeline).unwrap();
        assert_eq!(
            json,
            r#"{"durationMs":2000,"intervalMs":2000,"lanes":[{"name":"Cat","segments":[[0,2000,80.0,[[0,[0.1,0.2,0.3,0.4,80.0]]]]]}]}"#
        );
        assert_eq!(serde_json::from_str::<Timeline>(&json).unwrap(), timeline);
    }

    #[test]
    fn only_labels_that_count_have_lanes_and_renamed_ones_share_one() {
        let frame: &[(&str, f64)] = &[("Cat", 80.0), ("Kitten", 70.0), ("Sofa", 90.0)];
        let (timeline, _) = Timeline::merge(
            vec![frames(&[(0, &[("Kitten", 60.0)]), (2000, frame), (4000, &[])])],
            6000,
            2000,
            0,
        );
        let counted: Vec<RecordedLabel> = serde_json::from_value(json!([
            {"name": "Pet", "confidence": 80, "detectedAs": ["Cat", "Kitten"]},
            {"name": "Home", "confidence": 100, "added": true},
        ]))
        .unwrap();
        let lanes = timeline.counted(&counted);
        assert_eq!(lanes.len(), 1);
        assert_eq!(
            (lanes[0].name.as_str(), spans(&lanes[0])),
            ("Pet", vec![(0, 4000)])
        );
        assert_eq!(lanes[0].segments[0].boxes.len(), 3);
        assert_eq!(lanes[0].segments[0].confidence.percent(), 80.0);
    }

    /// 90 minutes with a frame every two seconds, and as many labels and boxes in each as are kept.
    #[test]
    fn the_largest_timeline_is_bounded() {
        let mut parts = vec![];
        for chunk in 0..45_u64 {
            let mut part = LabeledFrames::default();
            for frame in 0..60 {
                let at = chunk * 60 + frame;
                // Every second frame has other labels, so that no two frames continue a segment.
                let labels = (0..60).map(|number| label(&format!("Label {} {}", at % 2, number), 90.0, 12));
                part.add(at * 2000, labels.collect());
            }
            parts.push(part);
        }
        let (timeline, labels) = Timeline::merge(parts, 5_400_000, 2000, 0);
        let json = serde_json::to_vec(&timeline).unwrap();
        assert!(json.len() < 6_000_000, "{}", json.len());
        assert!(
            timeline.boxes() > MAX_BOXES / 4,
            "some are kept: {}",
            timeline.boxes()
        );
        assert!(!labels.is_empty() && labels.len() <= 100);
        let (mut from, mut responses, mut boxes) = (0, 0, 0);
        loop {
            let (lanes, next) = window(timeline.lanes.clone(), from, u64::MAX, 10_000);
            let segments = lanes.iter().flat_map(|lane| &lane.segments);
            let found: usize = segments.map(|segment| segment.boxes.len()).sum();
            assert!(found <= 10_000, "{found}");
            boxes += found;
            responses += 1;
            let Some(next) = next else { break };
            assert!(next > from);
            from = next;
        }
        assert!(responses > 3, "{responses}");
        assert_eq!(boxes, timeline.boxes(), "each box is in one response");
    }

    #[test]
    fn a_window_has_the_segments_and_the_boxes_of_its_time() {
        let (timeline, _) = Timeline::merge(
            vec![frames(&[
                (0, &[("Cat", 80.0)]),
                (2000, &[("Cat", 80.0)]),
                (4000, &[("Dog", 80.0)]),
            ])],
            6000,
            2000,
            0,
        );
        let (lanes, next) = window(timeline.lanes.clone(), 2000, 4000, 100);
        assert_eq!(lanes.len(), 1);
        assert_eq!(spans(&lanes[0]), [(0, 4000)]);
        let times: Vec<_> = lanes[0].segments[0].boxes.iter().map(|(at, _)| *at).collect();
        assert_eq!((times, next), (vec![2000], None));
        let (lanes, next) = window(timeline.lanes, 0, u64::MAX, 1);
        assert_eq!((lanes.len(), next), (1, Some(2000)));
    }
}
