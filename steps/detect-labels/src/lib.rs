//! Detects the labels of a picture with Rekognition, which reads the object from S3 itself.
//!
//! Input: [`domain::ClaimedImage`]. Output: [`domain::DetectedImage`].

use aws::ServiceError;
use aws_sdk_rekognition::error::SdkError;
use aws_sdk_rekognition::operation::detect_labels::DetectLabelsOutput;
use aws_sdk_rekognition::types::{Image, S3Object};
use domain::label::{fit, json_len, sort};
use domain::metric;
use domain::{ClaimedImage, DetectedImage, ErrorName, StepError};
use objects::UnreadableObject;
use rekognition::Detected;
use strum::EnumIter;

/// Maximum size of the output as JSON, in bytes. A state of Step Functions can have 256 KiB, of which the Lambda
/// integration uses a part, and `filter-labels` adds up to 200 names.
const MAX_OUTPUT_BYTES: usize = 150 * 1024;

/// Bytes that are reserved for the names of the output's fields and for the model's version.
const RESERVED_BYTES: usize = 256;

/// The step's clients and configuration.
#[derive(Debug, Clone)]
pub struct DetectLabels {
    /// Detects labels.
    pub rekognition: aws_sdk_rekognition::Client,
    /// Checks why Rekognition cannot read an object.
    pub s3: aws_sdk_s3::Client,
    /// The minimum confidence of labels that are stored, in percent: 0 to 100.
    pub min_stored_confidence: f64,
}

/// Why no labels were detected.
#[derive(Debug, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum DetectLabelsError {
    /// Rekognition cannot read the original, according to its format or to Rekognition's answer, and there is no
    /// rendition yet.
    #[error("the picture has to be converted first")]
    ConversionNeeded,
    /// Rekognition cannot decode the rendition.
    #[error("This file is damaged or incomplete. Upload it again.")]
    InvalidImage,
    /// The rendition exceeds Rekognition's limits.
    #[error("This picture is too large to label. Upload a smaller version.")]
    ImageTooLarge,
    /// Rekognition did not answer in time.
    #[error("rekognition:DetectLabels timed out")]
    TimedOut,
    /// S3 does not return the object.
    #[error(transparent)]
    #[strum(disabled)]
    Object(#[from] UnreadableObject),
    /// A call to an AWS service failed.
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
            Self::TimedOut => ErrorName::CallTimedOut,
            Self::Object(error) => error.name(),
            Self::Service(error) => error.name(),
        }
    }
}

/// Detects the labels of a picture, highest confidence first.
///
/// # Errors
/// See [`DetectLabelsError`].
pub async fn handle(step: &DetectLabels, image: ClaimedImage) -> Result<DetectedImage, DetectLabelsError> {
    let claim = &image.claim;
    let (key, version_id) = match &image.rendition {
        Some(rendition) => (rendition.key.clone(), None),
        None if image.file.is_readable_by_rekognition() => (claim.key.clone(), claim.version_id.clone()),
        None => return Err(DetectLabelsError::ConversionNeeded),
    };
    let object = S3Object::builder()
        .bucket(&claim.bucket)
        .name(&key)
        .set_version(version_id.clone())
        .build();
    // Without this parameter, Rekognition uses its default threshold of 55. Labels below the owner's threshold are stored,
    // so that a lower one needs no new call.
    let min_confidence = image.policy.min_confidence.min(step.min_stored_confidence) as f32;
    let result = step
        .rekognition
        .detect_labels()
        .image(Image::builder().s3_object(object).build())
        .min_confidence(min_confidence)
        .send()
        .await;
    metric::rekognition_called();
    let found = match result {
        Ok(found) => found,
        Err(SdkError::ServiceError(context)) if context.err().is_invalid_s3_object_exception() => {
            return Err(why_unreadable(&step.s3, &claim.bucket, &key, version_id.as_deref()).await);
        }
        Err(SdkError::ServiceError(context)) if context.err().is_image_too_large_exception() => {
            return Err(rejected(&image, DetectLabelsError::ImageTooLarge));
        }
        Err(SdkError::ServiceError(context)) if context.err().is_invalid_image_format_exception() => {
            return Err(rejected(&image, DetectLabelsError::InvalidImage));
        }
        Err(error) if aws::has_timed_out(&error) => return Err(DetectLabelsError::TimedOut),
        Err(error) => return Err(ServiceError::of("rekognition:DetectLabels", &error).into()),
    };
    Ok(detected(image, found))
}

/// The error for a file that Rekognition rejects. Rekognition does not document which variants of a format it reads,
/// such as CMYK or 16 bits per channel. It can read a rejected original after its conversion.
fn rejected(image: &ClaimedImage, error: DetectLabelsError) -> DetectLabelsError {
    if image.rendition.is_none() {
        DetectLabelsError::ConversionNeeded
    } else {
        error
    }
}

fn detected(image: ClaimedImage, found: DetectLabelsOutput) -> DetectedImage {
    let Detected {
        mut labels,
        model_version,
    } = found.into();
    sort(&mut labels);
    let budget = MAX_OUTPUT_BYTES.saturating_sub(RESERVED_BYTES + json_len(&image));
    DetectedImage {
        labels: fit(labels, budget),
        model_version,
        image: image.into_media(),
    }
}

/// Rekognition reports "invalid S3 object" if S3 does not return the object (it is deleted, archived or encrypted with
/// a customer-provided key), and also if Rekognition has no permission to read it. Reading one byte distinguishes the
/// cases.
async fn why_unreadable(
    s3: &aws_sdk_s3::Client,
    bucket: &str,
    key: &str,
    version_id: Option<&str>,
) -> DetectLabelsError {
    match objects::check_readable(s3, bucket, key, version_id).await {
        Ok(Ok(())) => {
            ServiceError::AccessDenied("rekognition:DetectLabels has no permission to read the object".into())
                .into()
        }
        Ok(Err(object)) => object.into(),
        Err(error) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_rekognition::types::{
        BoundingBox as FoundBox, Instance as FoundInstance, Label as FoundLabel, Parent,
    };
    use domain::policy::{MAX_NAME_LENGTH, MAX_NAMES};
    use domain::{BoundingBox, Claim, FilterPolicy, Format, ImageId, Orientation, Owner, Picture};
    use std::time::Duration;

    fn image() -> ClaimedImage {
        ClaimedImage {
            claim: Claim {
                image_id: ImageId::new(),
                owner: Owner::new("demo").unwrap(),
                bucket: "pictures".into(),
                key: "uploads/demo/a.jpg".into(),
                version_id: None,
                execution_arn: "arn".into(),
                requested_at: None,
            },
            file: Picture {
                size: 1,
                format: Format::Jpeg,
                width: 100,
                height: 100,
                orientation: Orientation::UPRIGHT,
            },
            rendition: None,
            policy: FilterPolicy {
                min_confidence: 0.0,
                max_labels: 100,
                include: vec![],
                exclude: vec![],
            },
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

    /// A function that reaches its timeout has lost an answer that is paid for.
    #[test]
    fn the_call_ends_before_the_timeout_of_the_function() {
        let template = include_str!("../../../template.yaml");
        let (_, function) = template.split_once("\n  DetectLabelsFunction:\n").unwrap();
        let (_, timeout) = function.split_once("\n      Timeout: ").unwrap();
        let timeout: u64 = timeout.lines().next().unwrap().parse().unwrap();
        // Then S3 can be asked why Rekognition cannot read the object.
        assert!(aws::PAID_CALL_TIMEOUT + aws::CALL_TIMEOUT < Duration::from_secs(timeout));
    }

    #[test]
    fn labels_contain_all_details_of_rekognitions_answer() {
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
    fn truncates_an_answer_that_is_too_large_for_a_state() {
        let detected = detected(image(), largest_answer());
        assert!(json_len(&detected) <= MAX_OUTPUT_BYTES, "{}", json_len(&detected));
        assert_eq!(detected.labels.len(), 1000, "instances are removed before labels");
        assert_eq!(
            detected.labels[0].instances.len(),
            100,
            "the label with the highest confidence keeps its instances"
        );
    }

    /// Users choose keys and policies, so their size varies as well.
    #[test]
    fn the_output_with_the_longest_key_and_policy_fits_a_state() {
        let names = vec!["🐈".repeat(MAX_NAME_LENGTH); MAX_NAMES];
        let policy = FilterPolicy {
            min_confidence: 0.0,
            max_labels: 100,
            include: names.clone(),
            exclude: names,
        };
        let owner = "\u{1}".repeat(1012);
        let image = ClaimedImage {
            claim: Claim {
                key: format!("uploads/{owner}/a"),
                owner: Owner::new(&owner).unwrap(),
                version_id: Some("\u{1}".repeat(1024)),
                ..image().claim
            },
            policy: policy.check().unwrap(),
            ..image()
        };
        let detected = detected(image, largest_answer());
        assert!(json_len(&detected) <= MAX_OUTPUT_BYTES, "{}", json_len(&detected));
        assert!(detected.labels.len() >= 100, "as many as a policy can keep");
        assert_eq!(
            detected.labels[0].name, "Label 999",
            "the labels with the highest confidence are kept"
        );
    }
}
