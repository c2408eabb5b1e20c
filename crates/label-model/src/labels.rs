//! Combines the outputs of the two models into labels.
//!
//! The classifier computes a probability for each of its classes. Sums over the taxonomy give the confidences of more
//! general labels. The detector finds objects and their positions. On pictures that differ from its training data, it
//! also finds objects that are not there, with high scores. So the classifier checks each detection's crop, and a
//! detection counts only if the classifier agrees to some degree. Each label has the higher of the two confidences, and
//! no parent has a lower confidence than its child.
//!
//! The thresholds were measured on 1,000 photographs, one for each ImageNet class.

use crate::geometry::BoundingBox;
use crate::models::Detection;
use crate::taxonomy::{LabelId, LabelValues, Taxonomy};
use std::collections::HashMap;

/// The lowest detector score that is considered. Below it, most detections are wrong.
pub const DETECTION_THRESHOLD: f32 = 0.40;
/// How much a detection's crop grows on each side, as a fraction of its own size, before it is classified: the
/// classifier's training pictures show some surroundings.
pub const CROP_MARGIN: f32 = 0.10;
/// Classes with a lower probability are ignored when the labels of the whole picture are summed up. On pictures unlike
/// the training data (a retina, the moon, noise), the classifier spreads its probability over hundreds of classes. As
/// 398 classes are animals, "Animal" got 15 to 68% without this limit, and gets 0 to 38% with it. In a portrait of a
/// cat, "Cat" loses nothing.
const NOISE_FLOOR: f32 = 0.01;
/// The lowest probability that the classifier must give a detection's label, on the crop or on the whole picture. Of 359
/// detections below it, none showed the subject.
const MIN_AGREEMENT: f32 = 0.02;
/// A detection's confidence is limited to this plus the probability that the classifier gives it. Wrong detections have
/// high scores but little agreement: nearly all detections with less than 0.2 were wrong (a sheep for a horse 0.07, a
/// kite for a goldfish 0.03, "airplane" on a logo 0.16). A wrong label must stay below 70%.
const MAX_CONFIDENCE_WITHOUT_AGREEMENT: f32 = 0.50;
/// The lowest score for objects that the classifier has no class for. Of 21 (scissors, surfboards, frisbees, fire
/// hydrants), the highest wrong score was 0.88. A giraffe has 0.99.
const UNCHECKED_THRESHOLD: f32 = 0.90;
/// The lowest score for a person, which the classifier has no class for either. Between 0.5 and 0.7, about four in five
/// detections were right. Above, 59 of 60 were.
const PERSON_THRESHOLD: f32 = 0.50;
/// The animal probability in the crop from which a person is doubted.
const ANIMAL_IN_DOUBTED_PERSON: f32 = 0.90;
/// A person with at least this score is never doubted.
const SCORE_OF_CERTAIN_PERSON: f32 = 0.90;
/// The highest confidence of a doubted person. The person can be there (people hold their dogs), or be a snake.
const MAX_CONFIDENCE_OF_DOUBTED_PERSON: f32 = 0.65;
/// COCO's id of a person.
const COCO_PERSON: usize = 1;

/// The classifier's output, summed up for each label.
#[derive(Debug, Clone)]
pub struct Classification {
    /// Sums of all probabilities. Used to check detections, which need little agreement.
    pub all: LabelValues,
    /// Sums without classes below the noise floor. Used for the labels of the picture.
    pub above_noise: LabelValues,
}

impl Classification {
    /// Sums up the probabilities of ImageNet's classes.
    pub fn new(taxonomy: &Taxonomy, probabilities: &[f32]) -> Self {
        Self {
            all: taxonomy.sums(probabilities, 0.0),
            above_noise: taxonomy.sums(probabilities, NOISE_FLOOR),
        }
    }
}

/// A detection, and the classifier's output for its crop.
#[derive(Debug, Clone)]
pub struct ClassifiedDetection {
    /// The detector's output.
    pub detection: Detection,
    /// The classifier's output.
    pub crop: Classification,
}

/// One object of a label.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// The object's position.
    pub bounding_box: BoundingBox,
    /// 0..=1.
    pub confidence: f32,
}

/// A label of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    /// The label's id in the taxonomy.
    pub id: LabelId,
    /// 0..=1.
    pub confidence: f32,
    /// The objects with this label, highest confidence first. Empty if only the classifier found the label.
    pub instances: Vec<Instance>,
}

/// The labels of a picture, highest confidence first. Of labels with the same confidence, the more general one is first.
///
/// `picture` is the classifier's output for the whole picture.
pub fn labels(
    taxonomy: &Taxonomy,
    picture: &Classification,
    detections: &[ClassifiedDetection],
) -> Vec<Label> {
    let mut confidences = picture.above_noise.clone();
    let mut instances: HashMap<LabelId, Vec<Instance>> = HashMap::new();
    for detection in detections {
        let Some(label) = taxonomy.label_of_coco(detection.detection.coco_id) else {
            continue;
        };
        let Some(confidence) = checked_confidence(taxonomy, label, picture, detection) else {
            continue;
        };
        confidences.raise(label, confidence);
        let instance = Instance {
            bounding_box: detection.detection.bounding_box,
            confidence,
        };
        instances.entry(label).or_default().push(instance);
    }
    // Parents come before their children, so one pass from the end raises all ancestors.
    for (id, entry) in taxonomy.labels().rev() {
        for &ancestor in &entry.ancestors {
            confidences.raise(ancestor, confidences.get(id));
        }
    }
    let mut labels: Vec<Label> = taxonomy
        .labels()
        .map(|(id, _)| {
            let mut instances = instances.remove(&id).unwrap_or_default();
            instances.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
            Label {
                id,
                confidence: confidences.get(id),
                instances,
            }
        })
        .collect();
    labels.sort_by(|a, b| {
        let depth = |label: &Label| taxonomy.entry(label.id).ancestors.len();
        b.confidence
            .total_cmp(&a.confidence)
            .then_with(|| depth(a).cmp(&depth(b)))
    });
    labels
}

/// A detection's confidence after the check by the classifier, 0..=1. `None` if the detection does not count.
fn checked_confidence(
    taxonomy: &Taxonomy,
    label: LabelId,
    picture: &Classification,
    checked: &ClassifiedDetection,
) -> Option<f32> {
    let score = checked.detection.score;
    if checked.detection.coco_id == COCO_PERSON {
        let animal = taxonomy
            .find("Animal")
            .map_or(0.0, |animal| checked.crop.all.get(animal));
        let is_doubted = animal >= ANIMAL_IN_DOUBTED_PERSON && score < SCORE_OF_CERTAIN_PERSON;
        let confidence = if is_doubted {
            score.min(MAX_CONFIDENCE_OF_DOUBTED_PERSON)
        } else {
            score
        };
        return (score >= PERSON_THRESHOLD).then_some(confidence);
    }
    let support = &taxonomy.entry(label).support;
    if support.is_empty() {
        return (score >= UNCHECKED_THRESHOLD).then_some(score);
    }
    let agreement = |seen: &Classification| support.iter().map(|&id| seen.all.get(id)).sum::<f32>();
    let agreement = agreement(picture).max(agreement(&checked.crop));
    (agreement >= MIN_AGREEMENT).then_some(score.min(MAX_CONFIDENCE_WITHOUT_AGREEMENT + agreement))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::CLASSES;

    const CAT: usize = 17;
    const SCISSORS: usize = 87;
    /// ImageNet's Egyptian cat and goldfish.
    const EGYPTIAN_CAT: usize = 285;
    const GOLDFISH: usize = 1;

    struct Scene {
        taxonomy: Taxonomy,
        labels: Vec<Label>,
    }

    /// ImageNet classes and their probabilities. All others are 0.
    type Classes<'a> = &'a [(usize, f32)];

    impl Scene {
        /// The labels for these outputs of the classifier for the picture, and of the detector: COCO id, score, and the
        /// classifier's output for the crop.
        fn new(picture: Classes, detection: Option<(usize, f32, Classes)>) -> Self {
            let taxonomy = Taxonomy::built_in().expect("the built-in table is consistent");
            let classification = |classes: Classes| {
                let mut probabilities = vec![0.0; CLASSES];
                for &(class, probability) in classes {
                    probabilities[class] = probability;
                }
                Classification::new(&taxonomy, &probabilities)
            };
            let detection = detection.map(|(coco_id, score, crop)| ClassifiedDetection {
                detection: Detection {
                    coco_id,
                    score,
                    bounding_box: BoundingBox::WHOLE,
                },
                crop: classification(crop),
            });
            let labels = labels(&taxonomy, &classification(picture), detection.as_slice());
            Self { labels, taxonomy }
        }

        fn label(&self, name: &str) -> &Label {
            let id = self.taxonomy.find(name).expect("a label");
            self.labels
                .iter()
                .find(|label| label.id == id)
                .expect("all labels are listed")
        }

        fn confidence(&self, name: &str) -> f32 {
            self.label(name).confidence
        }
    }

    #[test]
    fn a_confirmed_detection_has_a_box_and_raises_its_ancestors() {
        let scene = Scene::new(&[(EGYPTIAN_CAT, 0.6)], Some((CAT, 0.93, &[(EGYPTIAN_CAT, 0.7)])));
        assert_eq!(scene.confidence("Cat"), 0.93);
        assert_eq!(scene.confidence("Animal"), 0.93);
        assert_eq!(scene.confidence("Egyptian Cat"), 0.6);
        assert_eq!(scene.label("Cat").instances.len(), 1);
        assert!(
            scene.label("Egyptian Cat").instances.is_empty(),
            "the detector has no class for Egyptian cats"
        );
    }

    #[test]
    fn drops_a_detection_that_the_classifier_contradicts() {
        let scene = Scene::new(&[(GOLDFISH, 0.9)], Some((CAT, 0.99, &[(GOLDFISH, 0.9)])));
        assert_eq!(scene.confidence("Cat"), 0.0);
        assert!(scene.label("Cat").instances.is_empty());
    }

    #[test]
    fn limits_the_confidence_of_a_detection_with_little_agreement() {
        let scene = Scene::new(&[], Some((CAT, 0.99, &[(EGYPTIAN_CAT, 0.1)])));
        assert!(
            (0.5..0.7).contains(&scene.confidence("Cat")),
            "{}",
            scene.confidence("Cat")
        );
        assert_eq!(
            scene.label("Cat").instances[0].confidence,
            scene.confidence("Cat")
        );
    }

    #[test]
    fn an_object_without_a_class_of_the_classifier_needs_a_high_score() {
        assert_eq!(
            Scene::new(&[], Some((SCISSORS, 0.88, &[]))).confidence("Scissors"),
            0.0
        );
        assert_eq!(
            Scene::new(&[], Some((SCISSORS, 0.95, &[]))).confidence("Scissors"),
            0.95
        );
    }

    #[test]
    fn limits_the_confidence_of_a_person_that_looks_like_an_animal() {
        let snake = 68;
        assert_eq!(
            Scene::new(&[], Some((COCO_PERSON, 0.81, &[]))).confidence("Person"),
            0.81
        );
        assert_eq!(
            Scene::new(&[], Some((COCO_PERSON, 0.81, &[(snake, 0.95)]))).confidence("Person"),
            0.65
        );
        assert_eq!(
            Scene::new(&[], Some((COCO_PERSON, 0.97, &[(snake, 0.95)]))).confidence("Person"),
            0.97
        );
    }

    #[test]
    fn a_thousand_tiny_probabilities_give_no_label() {
        let tiny: Vec<(usize, f32)> = (0..CLASSES).map(|class| (class, 0.001)).collect();
        assert_eq!(Scene::new(&tiny, None).labels[0].confidence, 0.0);
    }

    #[test]
    fn sorts_labels_of_equal_confidence_from_general_to_specific() {
        let scene = Scene::new(&[(EGYPTIAN_CAT, 0.8)], None);
        let name = |label: &Label| scene.taxonomy.entry(label.id).name.clone();
        assert_eq!(name(&scene.labels[0]), "Animal");
        let confidences: Vec<f32> = scene.labels.iter().map(|label| label.confidence).collect();
        assert!(confidences.is_sorted_by(|a, b| a >= b));
    }
}
