//! A presigned GET for the picture itself, for a page to show.

use crate::Api;
use crate::problem::Problem;
use aws_sdk_s3::presigning::PresigningConfig;
use domain::{Format, ImageRecord, Status};
use jiff::{SignedDuration, Timestamp};
use lambda::ServiceError;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// How long the presigned GET is valid.
const VALID: Duration = Duration::from_secs(5 * 60);
/// Bytes of a file's name that are told: what file systems take.
const LONGEST_NAME: usize = 255;
/// What RFC 8187 has encoded in a header's parameter, and a little more.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Where the picture can be fetched.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct View {
    /// A presigned GET. It says inline, the file's own name and the picture's type.
    #[schema(format = "uri")]
    url: String,
    /// Until when: five minutes later.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// Presigns a GET for the picture, where a picture has been found in the file.
pub(crate) async fn view(api: &Api, record: &ImageRecord) -> Result<Option<View>, Problem> {
    let Some(format) = format(record) else {
        return Ok(None);
    };
    let config = PresigningConfig::expires_in(VALID).map_err(|_| Problem::internal())?;
    let expires_at = Timestamp::now() + SignedDuration::try_from(VALID).unwrap_or_default();
    let get = api
        .s3
        .get_object()
        .bucket(&api.bucket)
        .key(&record.key)
        // Whatever the object was stored as: this is what `validate` has found in it.
        .response_content_type(format.content_type())
        .response_content_disposition(disposition(record, format))
        .presigned(config)
        .await
        .map_err(|error| ServiceError::of("s3:GetObject (presigning)", &error))?;
    Ok(Some(View {
        url: get.uri().to_owned(),
        expires_at: format!("{expires_at:.3}"),
    }))
}

/// The format of a file that is known to be a picture. A rejected one may be anything.
fn format(record: &ImageRecord) -> Option<Format> {
    match record.status {
        Status::Labeled | Status::Processing | Status::Failed => record.format,
        Status::AwaitingUpload | Status::Rejected | Status::Deleted => None,
    }
}

/// `Content-Disposition` (RFC 6266): the file's own name, encoded, and for old programs a plain one in place of it.
fn disposition(record: &ImageRecord, format: Format) -> String {
    let plain = format!("{}.{}", record.image_id, format.extension());
    match &record.file_name {
        Some(name) => {
            let name = utf8_percent_encode(&name[..name.floor_char_boundary(LONGEST_NAME)], ENCODED);
            format!("inline; filename=\"{plain}\"; filename*=UTF-8''{name}")
        }
        None => format!("inline; filename=\"{plain}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ImageId;
    use serde_json::json;

    fn record(status: Status, file_name: Option<&str>) -> ImageRecord {
        serde_json::from_value(json!({
            "imageId": ImageId::parse("0193a5a0-0000-7000-8000-000000000001"), "owner": "demo", "status": status,
            "createdAt": "2026-11-22T12:00:00.000Z", "updatedAt": "2026-11-22T12:00:00.000Z",
            "key": "uploads/demo/a", "bucket": "pictures", "format": "PNG", "fileName": file_name,
        }))
        .unwrap()
    }

    fn told(file_name: Option<&str>) -> String {
        disposition(&record(Status::Labeled, file_name), Format::Png)
    }

    #[test]
    fn a_files_name_arrives_as_it_is() {
        assert_eq!(
            told(Some("Ça va.png")),
            "inline; filename=\"0193a5a0-0000-7000-8000-000000000001.png\"; filename*=UTF-8''%C3%87a%20va.png"
        );
        assert_eq!(
            told(None),
            "inline; filename=\"0193a5a0-0000-7000-8000-000000000001.png\""
        );
    }

    #[test]
    fn no_files_name_breaks_out_of_the_header() {
        for name in [
            "a\"; x=\"y",
            "a\r\nset-cookie: x",
            "a;b'c(d)e*f%00\u{7f}\u{202E}",
            &"🐈".repeat(1000),
        ] {
            let told = told(Some(name));
            let encoded = told.split_once("UTF-8''").unwrap().1;
            assert!(
                encoded
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)),
                "{told}"
            );
            assert!(told.len() < 1000, "{}", told.len());
        }
    }

    #[test]
    fn what_may_be_no_picture_is_not_shown() {
        for (status, shown) in [
            (Status::AwaitingUpload, false),
            (Status::Processing, true),
            (Status::Labeled, true),
            (Status::Failed, true),
            (Status::Rejected, false),
            (Status::Deleted, false),
        ] {
            assert_eq!(format(&record(status, None)).is_some(), shown, "{status:?}");
        }
    }
}
