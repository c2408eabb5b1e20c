//! Errors as `application/problem+json` (RFC 9457). A caller's mistake names the field.

use aws::ServiceError;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::ImageId;
use domain::metric::Quota as Limit;
use jiff::Timestamp;
use records::MinutesExhausted;
use records::RecordsError;
use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;

/// Identifies the kind of error. Stable: programs compare it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) enum ProblemType {
    #[serde(rename = "urn:image-label-generator:problem:invalid-field")]
    InvalidField,
    #[serde(rename = "urn:image-label-generator:problem:unknown-field")]
    UnknownField,
    #[serde(rename = "urn:image-label-generator:problem:unknown-parameter")]
    UnknownParameter,
    #[serde(rename = "urn:image-label-generator:problem:invalid-body")]
    InvalidBody,
    #[serde(rename = "urn:image-label-generator:problem:invalid-body-type")]
    InvalidBodyType,
    #[serde(rename = "urn:image-label-generator:problem:body-too-large")]
    BodyTooLarge,
    #[serde(rename = "urn:image-label-generator:problem:unsupported-type")]
    UnsupportedType,
    #[serde(rename = "urn:image-label-generator:problem:too-large")]
    TooLarge,
    #[serde(rename = "urn:image-label-generator:problem:too-many-images")]
    TooManyImages,
    #[serde(rename = "urn:image-label-generator:problem:too-many-images-in-total")]
    TooManyImagesInTotal,
    #[serde(rename = "urn:image-label-generator:problem:too-many-video-minutes")]
    TooManyVideoMinutes,
    #[serde(rename = "urn:image-label-generator:problem:too-many-video-minutes-in-total")]
    TooManyVideoMinutesInTotal,
    #[serde(rename = "urn:image-label-generator:problem:not-signed-in")]
    NotSignedIn,
    #[serde(rename = "urn:image-label-generator:problem:no-such-image")]
    NoSuchImage,
    #[serde(rename = "urn:image-label-generator:problem:no-such-job")]
    NoSuchJob,
    #[serde(rename = "urn:image-label-generator:problem:no-execution")]
    NoExecution,
    #[serde(rename = "urn:image-label-generator:problem:no-timeline")]
    NoTimeline,
    #[serde(rename = "urn:image-label-generator:problem:being-labeled")]
    BeingLabeled,
    #[serde(rename = "urn:image-label-generator:problem:nothing-uploaded")]
    NothingUploaded,
    #[serde(rename = "urn:image-label-generator:problem:not-labeled")]
    NotLabeled,
    #[serde(rename = "urn:image-label-generator:problem:too-many-corrections")]
    TooManyCorrections,
    #[serde(rename = "urn:image-label-generator:problem:too-many-exports")]
    TooManyExports,
    #[serde(rename = "urn:image-label-generator:problem:too-many-jobs")]
    TooManyJobs,
    #[serde(rename = "urn:image-label-generator:problem:cannot-resume")]
    CannotResume,
    #[serde(rename = "urn:image-label-generator:problem:job-running")]
    JobRunning,
    #[serde(rename = "urn:image-label-generator:problem:settings-changed")]
    SettingsChanged,
    #[serde(rename = "urn:image-label-generator:problem:already-uploaded")]
    AlreadyUploaded,
    #[serde(rename = "urn:image-label-generator:problem:not-in-parts")]
    NotInParts,
    #[serde(rename = "urn:image-label-generator:problem:parts-missing")]
    PartsMissing,
    #[serde(rename = "urn:image-label-generator:problem:upload-expired")]
    UploadExpired,
    #[serde(rename = "urn:image-label-generator:problem:no-such-route")]
    NoSuchRoute,
    #[serde(rename = "urn:image-label-generator:problem:method-not-allowed")]
    MethodNotAllowed,
    #[serde(rename = "urn:image-label-generator:problem:unavailable")]
    Unavailable,
    #[serde(rename = "urn:image-label-generator:problem:internal")]
    Internal,
}

impl ProblemType {
    fn status(self) -> StatusCode {
        match self {
            Self::InvalidField | Self::UnknownField | Self::UnknownParameter | Self::InvalidBody => {
                StatusCode::BAD_REQUEST
            }
            Self::NotSignedIn => StatusCode::UNAUTHORIZED,
            Self::NoSuchImage
            | Self::NoSuchJob
            | Self::NoExecution
            | Self::NoTimeline
            | Self::NoSuchRoute => StatusCode::NOT_FOUND,
            Self::BeingLabeled
            | Self::NothingUploaded
            | Self::NotLabeled
            | Self::TooManyCorrections
            | Self::TooManyExports
            | Self::TooManyJobs
            | Self::CannotResume
            | Self::JobRunning
            | Self::SettingsChanged
            | Self::AlreadyUploaded
            | Self::NotInParts
            | Self::PartsMissing => StatusCode::CONFLICT,
            Self::UploadExpired => StatusCode::GONE,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooLarge | Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::InvalidBodyType | Self::UnsupportedType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooManyImages
            | Self::TooManyImagesInTotal
            | Self::TooManyVideoMinutes
            | Self::TooManyVideoMinutesInTotal => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::InvalidField => "Invalid field",
            Self::UnknownField => "Unknown field",
            Self::UnknownParameter => "Unknown parameter",
            Self::InvalidBody => "Invalid request body",
            Self::InvalidBodyType => "Unsupported content type",
            Self::BodyTooLarge => "Request body too large",
            Self::UnsupportedType => "Unsupported file type",
            Self::TooLarge => "File too large",
            Self::TooManyImages => "Daily limit reached",
            Self::TooManyImagesInTotal => "Daily limit of all users reached",
            Self::TooManyVideoMinutes => "Daily limit of video reached",
            Self::TooManyVideoMinutesInTotal => "Daily limit of video of all users reached",
            Self::NotSignedIn => "Sign-in required",
            Self::NoSuchImage => "Image not found",
            Self::NoSuchJob => "Job not found",
            Self::NoExecution => "Execution not found",
            Self::NoTimeline => "Timeline not found",
            Self::BeingLabeled => "Labeling in progress",
            Self::NothingUploaded => "Nothing uploaded yet",
            Self::NotLabeled => "No labels",
            Self::TooManyCorrections => "Too many corrections",
            Self::TooManyExports => "Too many exports",
            Self::TooManyJobs => "Too many jobs",
            Self::CannotResume => "Cannot continue",
            Self::JobRunning => "Job in progress",
            Self::SettingsChanged => "Settings changed",
            Self::AlreadyUploaded => "Already uploaded",
            Self::NotInParts => "Not uploaded in parts",
            Self::PartsMissing => "Parts missing",
            Self::UploadExpired => "Upload expired",
            Self::NoSuchRoute => "Route not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::Unavailable => "Service unavailable",
            Self::Internal => "Internal error",
        }
    }
}

/// An error (RFC 9457). Its texts never repeat what the caller sent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    #[serde(rename = "type")]
    kind: ProblemType,
    /// A short summary of the type.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong and how to fix it, for people.
    detail: String,
    /// The invalid field, parameter or part of the path. The first one if several are invalid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    field: Option<Cow<'static, str>>,
    /// All invalid fields, if several are invalid.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// The image that already has this file. Only for `already-uploaded`.
    #[serde(rename = "imageId", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    image_id: Option<ImageId>,
    /// The `retry-after` header, in seconds.
    #[serde(skip)]
    retry_after: Option<u32>,
}

/// One of several invalid fields.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// The name of the field.
    #[schema(value_type = String)]
    field: &'static str,
    /// What the field must be.
    detail: String,
}

impl Problem {
    fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self {
            kind,
            title: kind.title(),
            status: kind.status().as_u16(),
            detail: detail.into(),
            field: None,
            errors: vec![],
            image_id: None,
            retry_after: None,
        }
    }

    fn of_field(kind: ProblemType, field: &'static str, rule: &str) -> Self {
        Self {
            field: Some(Cow::Borrowed(field)),
            ..Self::new(kind, format!("{field} must be {rule}."))
        }
    }

    /// A field is missing or out of range. `rule` completes "… must be".
    pub(crate) fn invalid_field(field: &'static str, rule: &str) -> Self {
        Self::of_field(ProblemType::InvalidField, field, rule)
    }

    /// Like [`Self::invalid_field`], for all invalid fields: at least one name and rule.
    pub(crate) fn invalid_fields(fields: &[(&'static str, &str)]) -> Self {
        let errors: Vec<_> = fields
            .iter()
            .map(|(field, rule)| FieldError {
                field,
                detail: format!("{field} must be {rule}."),
            })
            .collect();
        let sentences: Vec<_> = errors.iter().map(|error| error.detail.as_str()).collect();
        Self {
            field: fields.first().map(|(field, _)| Cow::Borrowed(*field)),
            detail: sentences.join(" "),
            errors: if errors.len() > 1 { errors } else { vec![] },
            ..Self::new(ProblemType::InvalidField, "")
        }
    }

    /// The problem of a query that is the value of a field: names the field and the parameter, such as `search.label`. `rule`
    /// is that of the field.
    pub(crate) fn within(self, (field, rule): (&'static str, &str)) -> Self {
        match &self.field {
            Some(parameter) => Self {
                field: Some(format!("{field}.{parameter}").into()),
                detail: format!("{field}.{}", self.detail),
                ..self
            },
            // A parameter is unknown.
            None => Self::invalid_field(field, rule),
        }
    }

    /// A file of an unsupported type.
    pub(crate) fn unsupported_type(field: &'static str, rule: &str) -> Self {
        Self::of_field(ProblemType::UnsupportedType, field, rule)
    }

    /// A file with too many bytes.
    pub(crate) fn too_large(field: &'static str, rule: &str) -> Self {
        Self::of_field(ProblemType::TooLarge, field, rule)
    }

    /// A video that has more minutes than its owner can have labeled in a day.
    pub(crate) fn video_too_long(field: &'static str, minutes_per_day: u32) -> Self {
        let detail = format!(
            "The video is longer than your limit of {minutes_per_day} minutes of video a day. Split it."
        );
        Self {
            field: Some(field.into()),
            ..Self::new(ProblemType::TooLarge, detail)
        }
    }

    /// A field that the route does not have.
    pub(crate) fn unknown_field(known: &str) -> Self {
        let detail = format!("The body has an unknown field. Known fields: {known}.");
        Self::new(ProblemType::UnknownField, detail)
    }

    /// A query parameter that the route does not have.
    pub(crate) fn unknown_parameter(known: &[&str]) -> Self {
        let detail = if known.is_empty() {
            "This route has no query parameters.".to_owned()
        } else {
            let known = known.join(", ");
            format!("The URL has an unknown query parameter. Known parameters: {known}.")
        };
        Self::new(ProblemType::UnknownParameter, detail)
    }

    pub(crate) fn not_json() -> Self {
        Self::new(ProblemType::InvalidBody, "The body must be a JSON object.")
    }

    pub(crate) fn not_declared_json() -> Self {
        let detail = "The content-type header must be application/json.";
        Self::new(ProblemType::InvalidBodyType, detail)
    }

    pub(crate) fn body_too_large(max: usize) -> Self {
        let detail =
            format!("The body can have up to {max} bytes. Send files to the URL that POST /uploads returns.");
        Self::new(ProblemType::BodyTooLarge, detail)
    }

    /// The owner's daily quota is used up until `resets_at`, which is `seconds` from now.
    pub(crate) fn too_many_images(limit: u32, resets_at: Timestamp, seconds: u32) -> Self {
        let detail = format!(
            "You've reached your limit of {limit} images a day, including relabeled images. It resets at {resets_at}."
        );
        Self {
            retry_after: Some(seconds),
            ..Self::new(ProblemType::TooManyImages, detail)
        }
    }

    /// The daily quota of all users together is used up until `resets_at`, which is `seconds` from now.
    pub(crate) fn too_many_images_in_total(limit: u32, resets_at: Timestamp, seconds: u32) -> Self {
        let detail = format!(
            "All users together have reached the service's limit of {limit} images a day. It resets at {resets_at}."
        );
        Self {
            retry_after: Some(seconds),
            ..Self::new(ProblemType::TooManyImagesInTotal, detail)
        }
    }

    /// A video would exceed a daily limit of minutes of video.
    pub(crate) fn too_many_video_minutes(exhausted: MinutesExhausted) -> Self {
        let MinutesExhausted {
            limit,
            minutes,
            until,
            seconds_left,
        } = exhausted;
        let (kind, detail) = match limit {
            Limit::User => (
                ProblemType::TooManyVideoMinutes,
                format!(
                    "With this video, you would exceed your limit of {minutes} minutes of video a day. It resets at {until}."
                ),
            ),
            Limit::AllUsers => (
                ProblemType::TooManyVideoMinutesInTotal,
                format!(
                    "With this video, all users together would exceed the service's limit of {minutes} minutes of video a day. \
                     It resets at {until}."
                ),
            ),
        };
        Self {
            retry_after: Some(seconds_left),
            ..Self::new(kind, detail)
        }
    }

    /// The token is not an access token. API Gateway itself answers requests without a valid token.
    pub(crate) fn not_signed_in() -> Self {
        let detail = "You don't have access. Sign in again.";
        Self::new(ProblemType::NotSignedIn, detail)
    }

    pub(crate) fn no_such_image() -> Self {
        Self::new(ProblemType::NoSuchImage, "No image has this ID.")
    }

    pub(crate) fn no_such_job() -> Self {
        let detail = "No job has this ID, or it was started more than 30 days ago (imports: 60 days after their last progress).";
        Self::new(ProblemType::NoSuchJob, detail)
    }

    pub(crate) fn cannot_resume() -> Self {
        let detail = "Only a relabeling, correction or deletion that was canceled or has failed can be resumed, and no \
            correction that was undone.";
        Self::new(ProblemType::CannotResume, detail)
    }

    pub(crate) fn not_labeled() -> Self {
        let detail = "This image has no labels, so they can't be corrected.";
        Self::new(ProblemType::NotLabeled, detail)
    }

    /// The image would have too many added or removed labels.
    pub(crate) fn too_many_corrections(field: &'static str, max: usize) -> Self {
        let detail = format!("An image can have up to {max} such corrections. Reset some of them first.");
        Self {
            field: Some(Cow::Borrowed(field)),
            ..Self::new(ProblemType::TooManyCorrections, detail)
        }
    }

    /// The owner has as many running exports as allowed.
    pub(crate) fn too_many_exports(max: usize) -> Self {
        let detail =
            format!("You already have {max} exports in progress. Wait until one is done, or cancel it.");
        Self::new(ProblemType::TooManyExports, detail)
    }

    /// The owner has as many running jobs of a kind as allowed.
    pub(crate) fn too_many_jobs(max: usize) -> Self {
        let (jobs, one) = if max == 1 { ("job", "it") } else { ("jobs", "one") };
        let detail = format!(
            "You already have {max} {jobs} of this kind in progress. Wait until {one} is done, or cancel {one}."
        );
        Self::new(ProblemType::TooManyJobs, detail)
    }

    /// The job that would be undone has not ended.
    pub(crate) fn job_running() -> Self {
        let detail = "This job is still in progress, or has just been canceled. Wait until it has ended, or cancel it.";
        Self::new(ProblemType::JobRunning, detail)
    }

    /// The settings have a different version than the request names.
    pub(crate) fn settings_changed() -> Self {
        let detail = "Your settings have changed since you read them. Get them again, repeat your change, and send it with \
            their version.";
        Self::new(ProblemType::SettingsChanged, detail)
    }

    pub(crate) fn no_execution() -> Self {
        let detail = "No execution has started for this image, or it ended more than 90 days ago.";
        Self::new(ProblemType::NoExecution, detail)
    }

    pub(crate) fn no_timeline() -> Self {
        let detail = "This image has no timeline. Only labeled videos have one.";
        Self::new(ProblemType::NoTimeline, detail)
    }

    pub(crate) fn being_labeled() -> Self {
        let detail = "This image is being labeled. Try again when that's done.";
        Self::new(ProblemType::BeingLabeled, detail)
    }

    pub(crate) fn nothing_uploaded() -> Self {
        let detail = "No file has been uploaded for this image yet.";
        Self::new(ProblemType::NothingUploaded, detail)
    }

    /// The owner's image `image_id` has the same file.
    pub(crate) fn already_uploaded(field: &'static str, image_id: ImageId) -> Self {
        let detail = format!(
            "This file is already uploaded, as image {image_id}. To upload it again, set allowDuplicate to true."
        );
        Self {
            field: Some(Cow::Borrowed(field)),
            image_id: Some(image_id),
            ..Self::new(ProblemType::AlreadyUploaded, detail)
        }
    }

    /// The file is uploaded with one request, or has arrived.
    pub(crate) fn not_in_parts() -> Self {
        let detail = "The file of this image isn't uploaded in parts, or has already arrived.";
        Self::new(ProblemType::NotInParts, detail)
    }

    /// An upload cannot be completed. `which` is a sentence that names the missing parts.
    pub(crate) fn parts_missing(field: &'static str, which: &str) -> Self {
        Self {
            field: Some(Cow::Borrowed(field)),
            ..Self::new(
                ProblemType::PartsMissing,
                format!("{which} Upload them and try again."),
            )
        }
    }

    /// S3 has removed the parts of an upload.
    pub(crate) fn upload_expired() -> Self {
        let detail = "The upload wasn't completed within 24 hours. Upload the file again.";
        Self::new(ProblemType::UploadExpired, detail)
    }

    pub(crate) fn no_such_route() -> Self {
        Self::new(ProblemType::NoSuchRoute, "No route has this path.")
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            ProblemType::MethodNotAllowed,
            "This route doesn't support this method.",
        )
    }

    /// A temporary error.
    pub(crate) fn unavailable() -> Self {
        let detail = "The service is temporarily unavailable. Try again in a few seconds.";
        Self {
            retry_after: Some(2),
            ..Self::new(ProblemType::Unavailable, detail)
        }
    }

    /// The cause is logged and not part of the response.
    pub(crate) fn internal() -> Self {
        let detail = "Something went wrong. The error has been logged.";
        Self::new(ProblemType::Internal, detail)
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        lambda_http::tracing::error!(%error, "a call to AWS failed");
        match error {
            ServiceError::Throttled(_) | ServiceError::ServiceUnavailable(_) => Self::unavailable(),
            ServiceError::AccessDenied(_) | ServiceError::UnexpectedAnswer(_) => Self::internal(),
        }
    }
}

impl From<RecordsError> for Problem {
    fn from(error: RecordsError) -> Self {
        match error {
            RecordsError::Service(error) => error.into(),
            RecordsError::Unreadable(error) => {
                lambda_http::tracing::error!(%error, "an item cannot be read");
                Self::internal()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let retry_after = self.retry_after;
        let mut response = (self.kind.status(), Json(self)).into_response();
        let headers = response.headers_mut();
        let problem = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, problem);
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
