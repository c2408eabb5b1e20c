//! The two models: an object detector and an image classifier, run by ONNX Runtime on the CPU.

use crate::geometry::BoundingBox;
use crate::sampling::{CLASSIFIER_SIDE, DETECTOR_SIDE};
use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Number of ImageNet classes that the classifier distinguishes.
pub const CLASSES: usize = 1000;
/// Number of scores for each of the detector's boxes: COCO's ids 1 to 90, ten of which are unused.
const SCORES: usize = 90;
/// Boxes of one class whose intersection over union is greater than this are one object. The detector was evaluated with
/// this value.
const SAME_OBJECT_OVERLAP: f32 = 0.5;
/// Maximum number of detections in a picture. COCO's evaluation allows 100, but each detection costs a run of the
/// classifier.
const MAX_DETECTIONS: usize = 24;

/// Why a model cannot be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// ONNX Runtime could not be loaded.
    #[error("ONNX Runtime cannot be loaded from {path}: {reason}")]
    Runtime {
        /// The library's path.
        path: String,
        /// The loader's message.
        reason: String,
    },
    /// A model file is missing or is not an ONNX model.
    #[error("the model {path} cannot be loaded: {reason}")]
    Load {
        /// The model's path.
        path: String,
        /// ONNX Runtime's message.
        reason: String,
    },
    /// A model failed, or its output has an unexpected shape.
    #[error("a model failed: {0}")]
    Run(String),
}

impl From<ort::Error> for ModelError {
    fn from(error: ort::Error) -> Self {
        Self::Run(error.to_string())
    }
}

/// Loads ONNX Runtime's shared library. Call it once per process.
///
/// # Errors
/// [`ModelError::Runtime`] if the file is not ONNX Runtime, or is too old a version of it.
pub fn load_runtime(library: &Path) -> Result<Environment, ModelError> {
    let failed = |reason: String| ModelError::Runtime {
        path: library.display().to_string(),
        reason,
    };
    ort::init_from(library)
        .map_err(|error| failed(error.to_string()))?
        .with_telemetry(false)
        .build()
        .map_err(|error| failed(error.to_string()))
}

/// An object that the detector found.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// COCO's id of the class, 1 to 90.
    pub coco_id: usize,
    /// The detector's score, 0..=1.
    pub score: f32,
    /// The object's position.
    pub bounding_box: BoundingBox,
}

/// Both models, loaded. Each one processes one picture at a time, on all of its threads: this takes half the latency and
/// half the memory of one set of models per thread.
pub struct Models {
    detector: Mutex<Session>,
    classifier: Mutex<Session>,
}

impl Models {
    /// Loads `detector.onnx` and `classifier.onnx` from a folder. Each model runs on `threads` threads.
    ///
    /// # Errors
    /// [`ModelError::Load`], which names the file.
    pub fn load(environment: &Environment, folder: &Path, threads: usize) -> Result<Self, ModelError> {
        let session = |name: &str| {
            let path = folder.join(name);
            let open = || -> ort::Result<Session> {
                Session::builder(environment)?
                    .with_optimization_level(GraphOptimizationLevel::Level3)?
                    .with_intra_threads(threads)?
                    .with_inter_threads(1)?
                    // Otherwise, idle threads keep a processor busy for a while after each run.
                    .with_intra_op_spinning(false)?
                    .commit_from_file(&path)
            };
            open().map(Mutex::new).map_err(|error| ModelError::Load {
                path: path.display().to_string(),
                reason: error.to_string(),
            })
        };
        Ok(Self {
            detector: session("detector.onnx")?,
            classifier: session("classifier.onnx")?,
        })
    }

    /// Finds the objects with a score of at least `threshold`, highest score first. `input` comes from
    /// [`detector_input`](crate::sampling::detector_input).
    ///
    /// # Errors
    /// [`ModelError::Run`].
    pub fn detect(&self, input: &[f32], threshold: f32) -> Result<Vec<Detection>, ModelError> {
        let tensor = TensorRef::from_array_view(([1, 3, DETECTOR_SIDE, DETECTOR_SIDE], input))?;
        let mut detector = lock(&self.detector);
        let outputs = detector.run(ort::inputs!["image" => tensor])?;
        let (_, boxes) = outputs["boxes"].try_extract_tensor::<f32>()?;
        let (_, scores) = outputs["scores"].try_extract_tensor::<f32>()?;
        Ok(distinct_objects(boxes, scores, threshold))
    }

    /// Computes the probability of each ImageNet class: [`CLASSES`] values that sum to 1. `input` comes from
    /// [`classifier_input`](crate::sampling::classifier_input).
    ///
    /// # Errors
    /// [`ModelError::Run`].
    pub fn classify(&self, input: &[f32]) -> Result<Vec<f32>, ModelError> {
        let tensor = TensorRef::from_array_view(([1, 3, CLASSIFIER_SIDE, CLASSIFIER_SIDE], input))?;
        let mut classifier = lock(&self.classifier);
        let outputs = classifier.run(ort::inputs!["image" => tensor])?;
        let (_, probabilities) = outputs["probs"].try_extract_tensor::<f32>()?;
        if probabilities.len() != CLASSES {
            return Err(ModelError::Run(format!(
                "{} probabilities, expected {CLASSES}",
                probabilities.len()
            )));
        }
        Ok(probabilities.to_vec())
    }
}

/// Ignores poisoning: a panic during a run leaves the session usable.
fn lock(session: &Mutex<Session>) -> MutexGuard<'_, Session> {
    session.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Non-maximum suppression for each class: of overlapping boxes, keeps the one with the highest score. For each anchor,
/// `boxes` has four values (top, left, bottom, right) and `scores` has [`SCORES`] values.
fn distinct_objects(boxes: &[f32], scores: &[f32], threshold: f32) -> Vec<Detection> {
    let mut candidates: Vec<Detection> = boxes
        .chunks_exact(4)
        .zip(scores.chunks_exact(SCORES))
        .filter_map(|(corners, scores)| {
            let (index, &score) = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
            if score < threshold {
                return None;
            }
            let bounding_box = BoundingBox::from_corners(corners[1], corners[0], corners[3], corners[2])?;
            Some(Detection {
                coco_id: index + 1,
                score,
                bounding_box,
            })
        })
        .collect();
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Detection> = Vec::new();
    for candidate in candidates {
        let is_duplicate = kept.iter().any(|other| {
            other.coco_id == candidate.coco_id
                && other
                    .bounding_box
                    .intersection_over_union(&candidate.bounding_box)
                    > SAME_OBJECT_OVERLAP
        });
        if !is_duplicate {
            kept.push(candidate);
            if kept.len() == MAX_DETECTIONS {
                break;
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The detections of two anchors. Each has one score, for the class with the given COCO id.
    fn detections(first: [f32; 4], second: [f32; 4], ids: [usize; 2], values: [f32; 2]) -> Vec<Detection> {
        let mut scores = vec![0.0; 2 * SCORES];
        scores[ids[0] - 1] = values[0];
        scores[SCORES + ids[1] - 1] = values[1];
        distinct_objects(&[first, second].concat(), &scores, 0.4)
    }

    #[test]
    fn reports_each_object_once_and_highest_score_first() {
        let (here, nearby, elsewhere) = ([0.1, 0.1, 0.5, 0.5], [0.12, 0.1, 0.52, 0.5], [0.5, 0.5, 0.9, 0.9]);
        let scores = |found: &[Detection]| found.iter().map(|detection| detection.score).collect::<Vec<_>>();
        assert_eq!(
            scores(&detections(here, nearby, [17, 17], [0.6, 0.9])),
            [0.9],
            "the same cat twice"
        );
        assert_eq!(
            scores(&detections(here, elsewhere, [17, 17], [0.6, 0.9])),
            [0.9, 0.6],
            "two cats"
        );
        assert_eq!(
            scores(&detections(here, nearby, [17, 18], [0.6, 0.9])),
            [0.9, 0.6],
            "a cat and a dog at the same position"
        );
        assert_eq!(
            scores(&detections(here, elsewhere, [17, 17], [0.6, 0.3])),
            [0.6],
            "a score below the threshold"
        );
    }

    #[test]
    fn reads_corners_as_top_left_bottom_right() {
        let found = detections([0.1, 0.2, 0.3, 0.6], [0.0; 4], [17, 1], [0.9, 0.0]);
        let expected = BoundingBox::from_corners(0.2, 0.1, 0.6, 0.3).expect("it is inside");
        assert_eq!(found[0].bounding_box, expected);
        assert_eq!(found[0].coco_id, 17);
    }
}
