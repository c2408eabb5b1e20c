//! Asks Rekognition what is in the picture. Rekognition reads the object from S3 itself.
//!
//! Input: [`domain::ClaimedImage`]. Output: [`domain::DetectedImage`].

use aws_sdk_rekognition::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_rekognition::operation::detect_labels::DetectLabelsOutput;
use aws_sdk_rekognition::types::{Image, Instance as FoundInstance, Label as FoundLabel, S3Object};
use domain::label::{fit, json_len, sort};
use domain::{BoundingBox, ClaimedImage, Confidence, DetectedImage, ErrorName, Instance, Label};
use lambda::{ServiceError, StepError};
use strum::EnumIter;

/// Most bytes of image and labels as JSON. A state of Step Functions carries 256 KiB, of which its Lambda
/// integration takes some; a record in DynamoDB holds 400 KiB and repeats the labels' names.
const OUTPUT_BUDGET: usize = 200 * 1024;

/// The names of the output's own fields, and the model's version.
const FRAME: usize = 256;

/// What the step works with.
#[derive(Debug, Clone)]
pub struct DetectLabels {
    /// Finds labels.
    pub rekognition: aws_sdk_rekognition::Client,
    /// Tells an object that is gone from one that Rekognition may not read.
    pub s3: aws_sdk_s3::Client,
}

/// Why there are no labels.
#[derive(Debug, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum DetectLabelsError {
    /// Rekognition does not take the original, by what is known of it or by its answer, and there is no rendition yet.
    #[error("the picture has to be converted first")]
    ConversionNeeded,
    /// Rekognition cannot decode the file.
    #[error("This file is broken or incomplete. Upload the picture again.")]
    InvalidImage,
    /// Over Rekognition's limit.
    #[error("This picture is larger than Rekognition takes: 15 MB, 10,000 pixels a side.")]
    ImageTooLarge,
    /// Deleted in the meantime.
    #[error("The file was deleted before it could be labeled. Upload the picture again.")]
    ObjectGone,
    /// AWS is at fault, or a permission is missing.
    #[error(transparent)]
    #[strum(disabled)]
    Service(#[from] ServiceError),
}

impl StepError for DetectLabelsError {
    fn name(&self) -> ErrorName {
        match self {
            Self::ConversionNeeded => ErrorName::ConversionNeeded,
            Self::InvalidImage => ErrorName::InvalidImage,
            Self::ImageTooLarge => ErrorName::ImageTooLarge,
            Self::ObjectGone => ErrorName::ObjectGone,
            Self::Service(error) => error.name(),
        }
    }
}

/// Finds the labels of a picture, surest first.
///
/// # Errors
/// See [`DetectLabelsError`].
pub async fn handle(step: &DetectLabels, image: ClaimedImage) -> Result<DetectedImage, DetectLabelsError> {
    let (key, version_id) = match &image.rendition {
        Some(rendition) => (rendition.key.clone(), None),
        None if image.is_for_rekognition() => (image.key.clone(), image.version_id.clone()),
        None => return Err(DetectLabelsError::ConversionNeeded),
    };
    let object = S3Object::builder()
        .bucket(&image.bucket)
        .name(&key)
        .set_version(version_id.clone())
        .build();
    // Without it, Rekognition cuts at a threshold of its own (55).
    #[allow(clippy::cast_possible_truncation)]
    let min_confidence = image.policy.min_confidence as f32;
    let result = step
        .rekognition
        .detect_labels()
        .image(Image::builder().s3_object(object).build())
        .min_confidence(min_confidence)
        .send()
        .await;
    let found = match result {
        Ok(found) => found,
        Err(SdkError::ServiceError(context)) if context.err().is_invalid_s3_object_exception() => {
            return Err(why_unreadable(&step.s3, &image.bucket, &key, version_id).await);
        }
        Err(SdkError::ServiceError(context)) if context.err().is_image_too_large_exception() => {
            return Err(refused(&image, DetectLabelsError::ImageTooLarge));
        }
        Err(SdkError::ServiceError(context)) if context.err().is_invalid_image_format_exception() => {
            return Err(refused(&image, DetectLabelsError::InvalidImage));
        }
        Err(error) => return Err(ServiceError::of("rekognition:DetectLabels", &error).into()),
    };
    Ok(detected(image, found))
}

/// Formats have corners of which nobody tells whether Rekognition reads them (inks, 16 bits): what it refuses of an
/// original, it takes once that is converted.
fn refused(image: &ClaimedImage, error: DetectLabelsError) -> DetectLabelsError {
    if image.rendition.is_none() {
        DetectLabelsError::ConversionNeeded
    } else {
        error
    }
}

fn detected(image: ClaimedImage, found: DetectLabelsOutput) -> DetectedImage {
    let mut labels: Vec<_> = found
        .labels
        .unwrap_or_default()
        .into_iter()
        .filter_map(label)
        .collect();
    sort(&mut labels);
    let budget = OUTPUT_BUDGET.saturating_sub(FRAME + json_len(&image));
    DetectedImage {
        labels: fit(labels, budget),
        model_version: found.label_model_version,
        image,
    }
}

/// Rekognition says "invalid S3 object" for an object that is gone and for one that it may not read.
async fn why_unreadable(
    s3: &aws_sdk_s3::Client,
    bucket: &str,
    key: &str,
    version_id: Option<String>,
) -> DetectLabelsError {
    let head = s3
        .head_object()
        .bucket(bucket)
        .key(key)
        .set_version_id(version_id)
        .send()
        .await;
    match head {
        Ok(_) => ServiceError::AccessDenied("rekognition:DetectLabels may not read the object".into()).into(),
        Err(error) if matches!(error.code(), Some("NotFound" | "NoSuchKey" | "NoSuchVersion")) => {
            DetectLabelsError::ObjectGone
        }
        Err(error) => ServiceError::of("s3:HeadObject", &error).into(),
    }
}

fn label(found: FoundLabel) -> Option<Label> {
    Some(Label {
        name: found.name?,
        confidence: Confidence::new(found.confidence.unwrap_or_default().into()),
        instances: found
            .instances
            .unwrap_or_default()
            .into_iter()
            .filter_map(instance)
            .collect(),
        parents: found
            .parents
            .unwrap_or_default()
            .into_iter()
            .filter_map(|parent| parent.name)
            .collect(),
        aliases: found
            .aliases
            .unwrap_or_default()
            .into_iter()
            .filter_map(|alias| alias.name)
            .collect(),
        categories: found
            .categories
            .unwrap_or_default()
            .into_iter()
            .filter_map(|c| c.name)
            .collect(),
    })
}

fn instance(found: FoundInstance) -> Option<Instance> {
    let edges = found.bounding_box?;
    let [left, top, width, height] =
        [edges.left, edges.top, edges.width, edges.height].map(|edge| edge.unwrap_or_default().into());
    Some(Instance {
        confidence: Confidence::new(found.confidence.unwrap_or_default().into()),
        bounding_box: BoundingBox::new(left, top, width, height),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_rekognition::types::{BoundingBox as FoundBox, Parent};
    use domain::policy::{MAX_NAME_LENGTH, MAX_NAMES};
    use domain::{FilterPolicy, Format, ImageId, Orientation, Owner};

    fn image() -> ClaimedImage {
        ClaimedImage {
            image_id: ImageId::new(),
            owner: Owner::new("demo").unwrap(),
            bucket: "pictures".into(),
            key: "uploads/demo/a.jpg".into(),
            version_id: None,
            size: 1,
            format: Format::Jpeg,
            width: 100,
            height: 100,
            orientation: Orientation::UPRIGHT,
            rendition: None,
            policy: FilterPolicy {
                min_confidence: 0.0,
                max_labels: 100,
                include: vec![],
                exclude: vec![],
            },
            execution_arn: "arn".into(),
        }
    }

    fn found(name: String, confidence: f32, instances: usize) -> FoundLabel {
        let place = FoundBox::builder()
            .left(0.1)
            .top(0.2)
            .width(0.3)
            .height(0.4)
            .build();
        let instance = FoundInstance::builder()
            .confidence(88.888_88)
            .bounding_box(place)
            .build();
        FoundLabel::builder()
            .name(name)
            .confidence(confidence)
            .set_instances(Some(vec![instance; instances]))
            .parents(Parent::builder().name("Animal").build())
            .build()
    }

    fn largest_answer() -> DetectLabelsOutput {
        let labels = (0..1000_u16)
            .map(|i| found(format!("Label {i}"), f32::from(i) / 10.0, 100))
            .collect();
        DetectLabelsOutput::builder()
            .set_labels(Some(labels))
            .label_model_version("3.0")
            .build()
    }

    #[test]
    fn labels_carry_everything_that_rekognition_told() {
        let output = DetectLabelsOutput::builder()
            .labels(found("Dog".into(), 50.0, 0))
            .labels(found("Cat".into(), 94.567_89, 1))
            .label_model_version("3.0")
            .build();
        let detected = detected(image(), output);
        assert_eq!(detected.model_version.as_deref(), Some("3.0"));
        let cat = &detected.labels[0];
        assert_eq!((cat.name.as_str(), cat.confidence.percent()), ("Cat", 94.57));
        assert_eq!(cat.parents, ["Animal"]);
        assert_eq!(
            cat.instances[0].bounding_box,
            BoundingBox::new(0.1, 0.2, 0.3, 0.4)
        );
        assert_eq!(cat.instances[0].confidence.percent(), 88.89);
    }

    #[test]
    fn no_answer_of_rekognition_exceeds_what_a_state_may_carry() {
        let detected = detected(image(), largest_answer());
        assert!(json_len(&detected) <= OUTPUT_BUDGET, "{}", json_len(&detected));
        assert_eq!(detected.labels.len(), 1000, "boxes go before labels");
        assert_eq!(
            detected.labels[0].instances.len(),
            100,
            "the surest label keeps its boxes"
        );
    }

    /// Keys and policies come from people, too.
    #[test]
    fn the_longest_key_and_policy_take_room_from_the_labels_but_do_not_exceed_it() {
        let names = vec!["🐈".repeat(MAX_NAME_LENGTH); MAX_NAMES];
        let policy = FilterPolicy {
            min_confidence: 0.0,
            max_labels: 100,
            include: names.clone(),
            exclude: names,
        };
        let owner = "\u{1}".repeat(1012);
        let image = ClaimedImage {
            key: format!("uploads/{owner}/a"),
            owner: Owner::new(&owner).unwrap(),
            version_id: Some("\u{1}".repeat(1024)),
            policy: policy.check().unwrap(),
            ..image()
        };
        let detected = detected(image, largest_answer());
        assert!(json_len(&detected) <= OUTPUT_BUDGET, "{}", json_len(&detected));
        assert!(detected.labels.len() >= 100, "as many as a policy lets count");
        assert_eq!(detected.labels[0].name, "Label 999", "the surest stay");
    }
}
