//! The first step: claims the image for the execution, then checks the file's format, size and dimensions. Hands a video over
//! to the state machine `label-video`.
//!
//! Input: [`domain::ValidateInput`]. Output: [`domain::ClaimedImage`].

mod claim;
mod header;
mod tombstone;
mod video;

use aws::ServiceError;
use domain::image::MAX_BYTES;
use domain::{
    Claim, ClaimedImage, ErrorName, FilterPolicy, Format, Owner, Picture, StepError, ValidateInput, import,
};
use jiff::Timestamp;
use objects::UnreadableObject;
use picture_header::{Header, HeaderError};
use records::{ClaimedEvent, ClaimedFile, Records, RecordsError};
use std::collections::HashMap;
use strum::EnumIter;

/// The step's clients and configuration.
#[derive(Debug, Clone)]
pub struct Validate {
    /// Reads the start of objects. Deletes objects that arrive after their image was deleted.
    pub s3: aws_sdk_s3::Client,
    /// Stores the claim and reads the owner's settings.
    pub records: Records,
    /// Checks whether the execution of another claim is still running, and starts `label-video`.
    pub sfn: aws_sdk_sfn::Client,
    /// The state machine `label-video`.
    pub video_state_machine_arn: String,
    /// The only bucket from which events are accepted.
    pub bucket: String,
    /// The filter policy for owners without settings.
    pub default_policy: FilterPolicy,
    /// Whether HEIC pictures are accepted. Their codec is patented, so an operator may not want to decode it.
    pub decode_heic: bool,
}

/// Why the execution ends at this step.
#[derive(Debug, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum ValidateError {
    /// The file's header is not that of a supported picture.
    #[error(transparent)]
    #[strum(disabled)]
    Header(#[from] HeaderError),
    /// The file is a HEIC picture, and this stack does not decode them.
    #[error(
        "This service doesn't decode HEIC pictures. Convert the picture to JPEG. To take JPEGs with an iPhone, open \
         Settings > Camera > Formats and choose Most Compatible."
    )]
    HeicDisabled,
    /// The file has more than [`MAX_BYTES`]. Contains its size in bytes.
    #[error("This file is {:.1} MB. The limit is {} MB.", (*.0 * 10).div_ceil(1_048_576) as f64 / 10.0, MAX_BYTES / 1_048_576)]
    TooManyBytes(u64),
    /// The file is empty.
    #[error("This file is empty. Upload the picture again.")]
    Empty,
    /// S3 does not return the object.
    #[error(transparent)]
    #[strum(disabled)]
    Object(#[from] UnreadableObject),

    /// The event has already been claimed by another execution, or this execution has already stored its result.
    #[error("this event has been handled, or is being handled by another execution")]
    DuplicateEvent,
    /// A later event for the same key has already been claimed.
    #[error("a later event for this key has been seen")]
    StaleEvent,
    /// The owner has deleted the image.
    #[error("the image has been deleted")]
    ImageDeleted,
    /// The key is not an upload's key.
    #[error("the key is a folder marker, or has no owner or file name")]
    NotAnUpload,

    /// The file is a video. An execution of `label-video` has been started for it.
    #[error("the file is a video, which an execution of label-video labels")]
    VideoFound,

    /// The event is about another bucket. Contains the name of this stack's bucket.
    #[error("the event is about a bucket other than {0}")]
    ForeignBucket(String),
    /// The image's record or the owner's settings are invalid, or a call to DynamoDB failed.
    #[error(transparent)]
    #[strum(disabled)]
    Records(#[from] RecordsError),
    /// A call to an AWS service failed.
    #[error(transparent)]
    #[strum(disabled)]
    Service(#[from] ServiceError),
}

impl StepError for ValidateError {
    fn name(&self) -> ErrorName {
        match self {
            Self::TooManyBytes(_) => ErrorName::ImageTooLarge,
            Self::Header(error) => error.name(),
            Self::HeicDisabled => ErrorName::UnsupportedFormat,
            Self::Empty => ErrorName::InvalidImage,
            Self::Object(error) => error.name(),
            Self::DuplicateEvent => ErrorName::DuplicateEvent,
            Self::StaleEvent => ErrorName::StaleEvent,
            Self::ImageDeleted => ErrorName::ImageDeleted,
            Self::NotAnUpload => ErrorName::NotAnUpload,
            Self::VideoFound => ErrorName::VideoFound,
            Self::ForeignBucket(_) => ErrorName::InvalidInput,
            Self::Records(error) => error.name(),
            Self::Service(error) => error.name(),
        }
    }
}

/// Claims the image and checks its file.
///
/// # Errors
/// See [`ValidateError`].
pub async fn handle(validate: &Validate, input: ValidateInput) -> Result<ClaimedImage, ValidateError> {
    let ValidateInput { event, execution_arn } = input;
    let bucket = &event.detail.bucket.name;
    if *bucket != validate.bucket {
        return Err(ValidateError::ForeignBucket(validate.bucket.clone()));
    }
    let claim = Claim::new(&event, execution_arn).ok_or(ValidateError::NotAnUpload)?;
    // Stored together with the claim, so that the record never has the checksum or the time of another file.
    let version = claim.version_id.as_deref();
    let stored = objects::stored(&validate.s3, &claim.bucket, &claim.key, version).await?;
    let modified_at = modified_at(&stored.metadata);
    // Claimed before the file is read, so that a rejection can be stored in the record.
    let claimed = ClaimedEvent {
        claim: &claim,
        event: &event,
    };
    let file = ClaimedFile {
        checksum: stored.sha256.as_deref(),
        modified_at: modified_at.as_deref(),
    };
    claim::acquire(validate, claimed, file).await?;

    let Some((header, size)) = header::read(&validate.s3, &claim).await? else {
        video::hand_over(validate, &claim, &event).await?;
        return Err(ValidateError::VideoFound);
    };
    check_format(header.format, validate.decode_heic)?;
    let Header {
        format,
        width,
        height,
        orientation,
        metadata,
        preview: _,
    } = header;
    if !metadata.is_empty() {
        // `persist` detects whether the claim has been lost.
        validate.records.store_metadata(&claim, &metadata).await?;
    }
    let policy = policy(validate, &claim.owner).await?;
    Ok(ClaimedImage {
        claim,
        file: Picture {
            size,
            format,
            width,
            height,
            orientation,
        },
        rendition: None,
        policy,
    })
}

/// The filter policy for the image. Invalid settings are an error and not replaced by the default, because the default
/// could keep a label that the owner excludes.
async fn policy(validate: &Validate, owner: &Owner) -> Result<FilterPolicy, ValidateError> {
    let settings = validate.records.settings(owner, &validate.default_policy).await?;
    settings
        .policy
        .check()
        .map_err(|error| RecordsError::Unreadable(error.to_string()).into())
}

/// When an imported file was last modified. Any program can write the metadata, so another text is ignored.
fn modified_at(metadata: &HashMap<String, String>) -> Option<String> {
    let modified: Timestamp = metadata.get(import::metadata::MODIFIED)?.parse().ok()?;
    Some(format!("{modified:.3}"))
}

fn check_bytes(size: u64) -> Result<(), ValidateError> {
    match size {
        0 => Err(ValidateError::Empty),
        size if size > MAX_BYTES => Err(ValidateError::TooManyBytes(size)),
        _ => Ok(()),
    }
}

fn check_format(format: Format, decode_heic: bool) -> Result<(), ValidateError> {
    if format == Format::Heic && !decode_heic {
        return Err(ValidateError::HeicDisabled);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_that_does_not_decode_heic_rejects_it_with_the_reason_and_accepts_avif() {
        let error = check_format(Format::Heic, false).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("This service doesn't decode HEIC pictures.")
        );
        assert_eq!(error.name(), ErrorName::UnsupportedFormat);
        assert_eq!(check_format(Format::Heic, true), Ok(()));
        assert_eq!(check_format(Format::Avif, false), Ok(()));
    }

    #[test]
    fn the_time_of_an_imported_file_is_read_and_any_other_text_is_ignored() {
        let of = |text: &str| modified_at(&HashMap::from([("import-modified".to_owned(), text.to_owned())]));
        assert_eq!(
            of("2019-05-01T10:00:00Z").as_deref(),
            Some("2019-05-01T10:00:00.000Z")
        );
        assert_eq!(of("yesterday"), None);
        assert_eq!(modified_at(&HashMap::new()), None);
    }

    #[test]
    fn accepts_a_file_of_exactly_the_maximum_size() {
        assert_eq!(check_bytes(MAX_BYTES), Ok(()));
        assert_eq!(
            check_bytes(MAX_BYTES + 1),
            Err(ValidateError::TooManyBytes(MAX_BYTES + 1))
        );
        assert_eq!(check_bytes(0), Err(ValidateError::Empty));
    }

    #[test]
    fn the_error_states_the_size_and_the_limit() {
        let message = ValidateError::TooManyBytes(116 * 1024 * 1024).to_string();
        assert_eq!(message, "This file is 116.0 MB. The limit is 100 MB.");
        let message = ValidateError::TooManyBytes(MAX_BYTES + 1).to_string();
        assert_eq!(message, "This file is 100.1 MB. The limit is 100 MB.");
    }
}
