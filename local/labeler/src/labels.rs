//! From what the models say to labels that a person would agree with.
//!
//! The classifier looks at the whole picture and says how probable each of its classes is; sums over the taxonomy
//! turn that into labels of every generality. The detector says what it sees where. It also invents things on
//! pictures unlike those it learned from, with scores as high as true ones: each detection is therefore shown to
//! the classifier, and stays only if that agrees at least a little. One label per name comes out, with the higher
//! of both confidences, and no parent is less certain than its child.

use std::collections::HashMap;

use crate::geometry::BoundingBox;
use crate::models::Detection;
use crate::taxonomy::{LabelId, LabelValues, Taxonomy};

/// The lowest detector score that is looked at. Below, true detections are rarer than inventions.
pub const DETECTION_THRESHOLD: f32 = 0.40;
/// How much of its own size a detection's crop grows on each side before the classifier sees it: the classifier
/// learned from pictures with some surroundings.
pub const CROP_MARGIN: f32 = 0.10;
/// Classes less probable than this count for nothing when labels of the whole picture are summed up. On pictures
/// that the classifier does not know (a retina, the moon, noise) it spreads itself over hundreds of classes, and as
/// 398 of them are animals, "Animal" came to 15 to 68 % without this floor; with it, to 0 to 38 %. In a cat's
/// portrait, "Cat" loses nothing.
const NOISE_FLOOR: f32 = 0.01;
/// The least probability that the classifier must give a detection's label, on its crop or on the whole picture.
/// Of 359 detections below this on 1,000 photographs, one of each ImageNet class, none was of the subject.
const AGREEMENT: f32 = 0.02;
/// A detection is at most this certain, plus the probability that the classifier gives it: inventions have a high
/// score, but little agreement. On the same photographs, nearly all with less than 0.2 were wrong (sheep for a
/// horse 0.07, a kite for a goldfish 0.03, "airplane" on a logo 0.16), and a wrong label may not reach 70 %.
const CERTAINTY_WITHOUT_AGREEMENT: f32 = 0.50;
/// The lowest score for detections that the classifier has no class for. Of 21 on the 1,000 photographs (scissors,
/// surfboards, frisbees, fire hydrants), the best wrong one had 0.88; a giraffe has 0.99.
const UNCHECKED_THRESHOLD: f32 = 0.90;
/// The lowest score for a person, whom the classifier does not know either. Of those seen with 0.5 to 0.7, about
/// four in five were one; above, all but one of sixty.
const PERSON_THRESHOLD: f32 = 0.50;
/// If the classifier is this sure that a person's crop shows an animal, …
const SURELY_ANIMAL: f32 = 0.90;
/// … and the detector less sure than this that it is a person, …
const SURELY_PERSON: f32 = 0.90;
/// … then the person is at most this certain. It may be there (people hold their dogs), or be a snake.
const CERTAINTY_OF_DOUBTED_PERSON: f32 = 0.65;
/// COCO's id of a person.
const COCO_PERSON: usize = 1;

/// What the classifier sees, label by label.
#[derive(Debug, Clone)]
pub struct Sight {
    /// Everything counts: for agreement with detections, which needs little.
    pub faint: LabelValues,
    /// Only what stands out from the noise: for labels.
    pub clear: LabelValues,
}

impl Sight {
    /// Sums up the probabilities of ImageNet's classes.
    pub fn new(taxonomy: &Taxonomy, probabilities: &[f32]) -> Self {
        Self {
            faint: taxonomy.sums(probabilities, 0.0),
            clear: taxonomy.sums(probabilities, NOISE_FLOOR),
        }
    }
}

/// A detection and what the classifier sees in its crop.
#[derive(Debug, Clone)]
pub struct CheckedDetection {
    /// What the detector saw.
    pub detection: Detection,
    /// What the classifier sees there.
    pub crop: Sight,
}

/// One object of a label.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Where it is.
    pub bounding_box: BoundingBox,
    /// 0..=1.
    pub confidence: f32,
}

/// A label of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    /// Which label.
    pub id: LabelId,
    /// 0..=1.
    pub confidence: f32,
    /// Where objects of this label are; empty if only the picture as a whole says so. Best first.
    pub instances: Vec<Instance>,
}

/// The labels of a picture, most certain first; of equally certain ones, the more general first.
///
/// `picture` is what the classifier sees in the whole picture.
pub fn labels(taxonomy: &Taxonomy, picture: &Sight, detections: &[CheckedDetection]) -> Vec<Label> {
    let mut confidences = picture.clear.clone();
    let mut instances: HashMap<LabelId, Vec<Instance>> = HashMap::new();
    for checked in detections {
        let Some(label) = taxonomy.of_coco(checked.detection.coco_id) else {
            continue;
        };
        let Some(confidence) = certainty(taxonomy, label, picture, checked) else {
            continue;
        };
        confidences.raise(label, confidence);
        let instance = Instance {
            bounding_box: checked.detection.bounding_box,
            confidence,
        };
        instances.entry(label).or_default().push(instance);
    }
    // Children come after their parents, so that one pass from the end lifts all ancestors.
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

/// How certain a detection is after the classifier has been asked, 0..=1; `None` if it is not to be believed.
fn certainty(
    taxonomy: &Taxonomy,
    label: LabelId,
    picture: &Sight,
    checked: &CheckedDetection,
) -> Option<f32> {
    let score = checked.detection.score;
    if checked.detection.coco_id == COCO_PERSON {
        let animal = taxonomy
            .find("Animal")
            .map_or(0.0, |animal| checked.crop.faint.get(animal));
        let doubted = animal >= SURELY_ANIMAL && score < SURELY_PERSON;
        let certainty = if doubted {
            score.min(CERTAINTY_OF_DOUBTED_PERSON)
        } else {
            score
        };
        return (score >= PERSON_THRESHOLD).then_some(certainty);
    }
    let agreeing = &taxonomy.entry(label).agreeing;
    if agreeing.is_empty() {
        return (score >= UNCHECKED_THRESHOLD).then_some(score);
    }
    let agreement = |sight: &Sight| agreeing.iter().map(|&id| sight.faint.get(id)).sum::<f32>();
    let agreement = agreement(picture).max(agreement(&checked.crop));
    (agreement >= AGREEMENT).then_some(score.min(CERTAINTY_WITHOUT_AGREEMENT + agreement))
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

    /// ImageNet classes and their probabilities; all others are 0.
    type Seen<'a> = &'a [(usize, f32)];

    impl Scene {
        /// What comes out if the classifier sees these classes in the picture, and the detector one thing, in
        /// whose crop the classifier sees those classes.
        fn new(picture: Seen, detection: Option<(usize, f32, Seen)>) -> Self {
            let taxonomy = Taxonomy::built_in().expect("the built-in table is consistent");
            let sight = |classes: Seen| {
                let mut probabilities = vec![0.0; CLASSES];
                for &(class, probability) in classes {
                    probabilities[class] = probability;
                }
                Sight::new(&taxonomy, &probabilities)
            };
            let checked = detection.map(|(coco_id, score, crop)| CheckedDetection {
                detection: Detection {
                    coco_id,
                    score,
                    bounding_box: BoundingBox::WHOLE,
                },
                crop: sight(crop),
            });
            let labels = labels(&taxonomy, &sight(picture), checked.as_slice());
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
    fn a_detection_that_the_classifier_confirms_has_its_box_and_lifts_its_ancestors() {
        let scene = Scene::new(&[(EGYPTIAN_CAT, 0.6)], Some((CAT, 0.93, &[(EGYPTIAN_CAT, 0.7)])));
        assert_eq!(scene.confidence("Cat"), 0.93);
        assert_eq!(scene.confidence("Animal"), 0.93);
        assert_eq!(scene.confidence("Egyptian Cat"), 0.6);
        assert_eq!(scene.label("Cat").instances.len(), 1);
        assert!(
            scene.label("Egyptian Cat").instances.is_empty(),
            "the detector knows no Egyptian cats"
        );
    }

    #[test]
    fn a_detection_that_the_classifier_denies_is_dropped() {
        let scene = Scene::new(&[(GOLDFISH, 0.9)], Some((CAT, 0.99, &[(GOLDFISH, 0.9)])));
        assert_eq!(scene.confidence("Cat"), 0.0);
        assert!(scene.label("Cat").instances.is_empty());
    }

    #[test]
    fn a_detection_with_little_agreement_is_not_certain() {
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
    fn what_the_classifier_does_not_know_needs_a_high_score() {
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
    fn a_person_that_looks_like_an_animal_is_not_certain() {
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
    fn a_thousand_faint_guesses_make_no_label() {
        let faint: Vec<(usize, f32)> = (0..CLASSES).map(|class| (class, 0.001)).collect();
        assert_eq!(Scene::new(&faint, None).labels[0].confidence, 0.0);
    }

    #[test]
    fn the_more_general_of_equally_certain_labels_comes_first() {
        let scene = Scene::new(&[(EGYPTIAN_CAT, 0.8)], None);
        let name = |label: &Label| scene.taxonomy.entry(label.id).name.clone();
        assert_eq!(name(&scene.labels[0]), "Animal");
        let confidences: Vec<f32> = scene.labels.iter().map(|label| label.confidence).collect();
        assert!(confidences.is_sorted_by(|a, b| a >= b));
    }
}
