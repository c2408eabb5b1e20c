//! Errors as `application/problem+json` (RFC 9457). A caller's mistake names the field.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lambda::ServiceError;
use serde::Serialize;
use utoipa::ToSchema;

/// What went wrong, as programs tell it. Stable.
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
    #[serde(rename = "urn:image-label-generator:problem:not-signed-in")]
    NotSignedIn,
    #[serde(rename = "urn:image-label-generator:problem:no-such-image")]
    NoSuchImage,
    #[serde(rename = "urn:image-label-generator:problem:no-execution")]
    NoExecution,
    #[serde(rename = "urn:image-label-generator:problem:being-labeled")]
    BeingLabeled,
    #[serde(rename = "urn:image-label-generator:problem:nothing-uploaded")]
    NothingUploaded,
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
            Self::NoSuchImage | Self::NoExecution | Self::NoSuchRoute => StatusCode::NOT_FOUND,
            Self::BeingLabeled | Self::NothingUploaded => StatusCode::CONFLICT,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooLarge | Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::InvalidBodyType | Self::UnsupportedType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooManyImages => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::InvalidField => "A field is invalid",
            Self::UnknownField => "A field is not known",
            Self::UnknownParameter => "A parameter is not known",
            Self::InvalidBody => "The body cannot be read",
            Self::InvalidBodyType => "The body's type is not known",
            Self::BodyTooLarge => "The body is too large",
            Self::UnsupportedType => "Pictures of this type are not labeled",
            Self::TooLarge => "The picture is too large",
            Self::TooManyImages => "Too many images today",
            Self::NotSignedIn => "Nobody is signed in",
            Self::NoSuchImage => "There is no such image",
            Self::NoExecution => "There is no execution",
            Self::BeingLabeled => "The image is being labeled",
            Self::NothingUploaded => "There is nothing to label",
            Self::NoSuchRoute => "There is no such route",
            Self::MethodNotAllowed => "The method is not allowed",
            Self::Unavailable => "The service is busy",
            Self::Internal => "Something went wrong",
        }
    }
}

/// An error answer (RFC 9457). Its texts never repeat what the caller sent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    #[serde(rename = "type")]
    kind: ProblemType,
    /// The type in a few words, the same for each problem of the type.
    title: &'static str,
    /// HTTP's status.
    status: u16,
    /// What was wrong and what would be right, in a sentence for people.
    detail: String,
    /// The field, parameter or part of the path that is to blame; the first one, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    field: Option<&'static str>,
    /// All that are to blame, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// Seconds after which another try makes sense: the header `retry-after`.
    #[serde(skip)]
    retry_after: Option<u32>,
}

/// One of several mistakes in a request.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// The field.
    #[schema(value_type = String)]
    field: &'static str,
    /// What would be right.
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
            retry_after: None,
        }
    }

    fn of_field(kind: ProblemType, field: &'static str, rule: &str) -> Self {
        Self {
            field: Some(field),
            ..Self::new(kind, format!("{field} must be {rule}."))
        }
    }

    /// A field of the request is missing or out of its range; `rule` completes "… must be".
    pub(crate) fn invalid_field(field: &'static str, rule: &str) -> Self {
        Self::of_field(ProblemType::InvalidField, field, rule)
    }

    /// The same for all fields that are wrong: names and rules, at least one.
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
            field: fields.first().map(|(field, _)| *field),
            detail: sentences.join(" "),
            errors: if errors.len() > 1 { errors } else { vec![] },
            ..Self::new(ProblemType::InvalidField, "")
        }
    }

    /// A picture of a kind that is not labeled.
    pub(crate) fn unsupported_type(field: &'static str, rule: &str) -> Self {
        Self::of_field(ProblemType::UnsupportedType, field, rule)
    }

    /// A picture with too many bytes.
    pub(crate) fn too_large(field: &'static str, rule: &str) -> Self {
        Self::of_field(ProblemType::TooLarge, field, rule)
    }

    /// A field that the route does not know.
    pub(crate) fn unknown_field(known: &str) -> Self {
        let detail = format!("The body has a field that is not known here. Known fields: {known}.");
        Self::new(ProblemType::UnknownField, detail)
    }

    /// A parameter that the route does not know.
    pub(crate) fn unknown_parameter(known: &[&str]) -> Self {
        let detail = if known.is_empty() {
            "The address has a parameter; this route takes none.".to_owned()
        } else {
            let known = known.join(", ");
            format!("The address has a parameter that is not known here. Known parameters: {known}.")
        };
        Self::new(ProblemType::UnknownParameter, detail)
    }

    pub(crate) fn not_json() -> Self {
        Self::new(ProblemType::InvalidBody, "The body must be a JSON object.")
    }

    pub(crate) fn not_declared_json() -> Self {
        let detail = "The header content-type must be application/json.";
        Self::new(ProblemType::InvalidBodyType, detail)
    }

    pub(crate) fn body_too_large(most: usize) -> Self {
        let detail = format!("The body must have at most {most} bytes. Pictures go to storage, not here.");
        Self::new(ProblemType::BodyTooLarge, detail)
    }

    /// The owner's quota is used up; it starts anew after so many seconds.
    pub(crate) fn too_many_images(most: u32, seconds: u32) -> Self {
        let detail = format!("At most {most} images a day can be uploaded. Go on after midnight, UTC.");
        Self {
            retry_after: Some(seconds),
            ..Self::new(ProblemType::TooManyImages, detail)
        }
    }

    /// API Gateway refuses requests without a valid token by itself, in a form of its own.
    pub(crate) fn not_signed_in() -> Self {
        let detail = "The header authorization must be \"Bearer\" and an access token of this user pool.";
        Self::new(ProblemType::NotSignedIn, detail)
    }

    pub(crate) fn no_such_image() -> Self {
        Self::new(ProblemType::NoSuchImage, "No image has this id.")
    }

    pub(crate) fn no_execution() -> Self {
        let detail = "No execution has begun for this image, or it is more than 90 days ago.";
        Self::new(ProblemType::NoExecution, detail)
    }

    pub(crate) fn being_labeled() -> Self {
        let detail = "An execution is at work on this image. Try again when it has ended.";
        Self::new(ProblemType::BeingLabeled, detail)
    }

    pub(crate) fn nothing_uploaded() -> Self {
        let detail = "Nothing has been uploaded for this image yet.";
        Self::new(ProblemType::NothingUploaded, detail)
    }

    pub(crate) fn no_such_route() -> Self {
        Self::new(ProblemType::NoSuchRoute, "No route of this API has this path.")
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            ProblemType::MethodNotAllowed,
            "The route does not know this method.",
        )
    }

    /// Something that passes by itself.
    pub(crate) fn unavailable() -> Self {
        let detail = "A part of the service does not answer. Try again in a few seconds.";
        Self {
            retry_after: Some(2),
            ..Self::new(ProblemType::Unavailable, detail)
        }
    }

    /// The cause is in the log, not in the answer.
    pub(crate) fn internal() -> Self {
        let detail = "The request could not be answered, and the reason has been logged.";
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
