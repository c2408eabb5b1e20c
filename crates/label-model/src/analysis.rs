//! Runs both models on a picture and combines their outputs into labels.

use crate::geometry::BoundingBox;
use crate::labels::{self, CROP_MARGIN, Classification, ClassifiedDetection, DETECTION_THRESHOLD, Label};
use crate::models::{CLASSES, ModelError, Models};
use crate::sampling::{center_square, classifier_input, detector_input};
use crate::taxonomy::Taxonomy;
use image::RgbImage;

/// Labels pictures. Threads can share one.
pub struct Analyzer {
    models: Models,
    taxonomy: Taxonomy,
}

impl Analyzer {
    /// Combines models with the taxonomy that names their classes.
    pub fn new(models: Models, taxonomy: Taxonomy) -> Self {
        Self { models, taxonomy }
    }

    /// All labels that [`Self::labels`] can return.
    pub fn taxonomy(&self) -> &Taxonomy {
        &self.taxonomy
    }

    /// Labels a picture. Returns every label of the taxonomy, highest confidence first, including those with a confidence
    /// of 0. Takes tens of milliseconds.
    ///
    /// # Errors
    /// [`ModelError`] if a model fails.
    pub fn labels(&self, picture: &RgbImage) -> Result<Vec<Label>, ModelError> {
        let whole = self.classify(picture, &[BoundingBox::WHOLE, center_square(picture)])?;
        let detections = self
            .models
            .detect(&detector_input(picture), DETECTION_THRESHOLD)?;
        let detections = detections
            .into_iter()
            .map(|detection| {
                let crop = self.classify(picture, &[detection.bounding_box.grown(CROP_MARGIN)])?;
                Ok(ClassifiedDetection { detection, crop })
            })
            .collect::<Result<Vec<_>, ModelError>>()?;
        Ok(labels::labels(&self.taxonomy, &whole, &detections))
    }

    /// The mean of the classifier's outputs for some parts of the picture.
    fn classify(&self, picture: &RgbImage, parts: &[BoundingBox]) -> Result<Classification, ModelError> {
        let mut mean = vec![0.0; CLASSES];
        for part in parts {
            let probabilities = self.models.classify(&classifier_input(picture, part))?;
            for (sum, probability) in mean.iter_mut().zip(probabilities) {
                *sum += probability / parts.len() as f32;
            }
        }
        Ok(Classification::new(&self.taxonomy, &mean))
    }
}
