//! Runs both models on a picture and turns what they say into labels.

use crate::geometry::BoundingBox;
use crate::labels::{self, CROP_MARGIN, CheckedDetection, DETECTION_THRESHOLD, Label, Sight};
use crate::models::{CLASSES, ModelError, Models};
use crate::picture::Picture;
use crate::sampling::{center_square, classifier_input, detector_input};
use crate::taxonomy::Taxonomy;

/// Labels pictures; any number of threads may share one.
pub struct Analyzer {
    models: Models,
    taxonomy: Taxonomy,
}

impl Analyzer {
    /// Labels pictures by these models, in the words of this taxonomy.
    pub fn new(models: Models, taxonomy: Taxonomy) -> Self {
        Self { models, taxonomy }
    }

    /// The labels that the analyzer knows.
    pub fn taxonomy(&self) -> &Taxonomy {
        &self.taxonomy
    }

    /// All labels of the picture, most certain first, those with a confidence of 0 included. Takes tens of
    /// milliseconds.
    ///
    /// # Errors
    /// [`ModelError`] if a model fails.
    pub fn labels(&self, picture: &Picture) -> Result<Vec<Label>, ModelError> {
        let whole = self.classify(picture, &[BoundingBox::WHOLE, center_square(picture)])?;
        let detections = self
            .models
            .detect(&detector_input(picture), DETECTION_THRESHOLD)?;
        let checked = detections
            .into_iter()
            .map(|detection| {
                let crop = self.classify(picture, &[detection.bounding_box.grown(CROP_MARGIN)])?;
                Ok(CheckedDetection { detection, crop })
            })
            .collect::<Result<Vec<_>, ModelError>>()?;
        Ok(labels::labels(&self.taxonomy, &whole, &checked))
    }

    /// What the classifier sees on average in these parts of the picture.
    fn classify(&self, picture: &Picture, parts: &[BoundingBox]) -> Result<Sight, ModelError> {
        let mut mean = vec![0.0; CLASSES];
        for part in parts {
            let probabilities = self.models.classify(&classifier_input(picture, part))?;
            for (sum, probability) in mean.iter_mut().zip(probabilities) {
                *sum += probability / parts.len() as f32;
            }
        }
        Ok(Sight::new(&self.taxonomy, &mean))
    }
}
