//! A presigned GET for an image's file.

use crate::app::App;
use crate::http::problem::Problem;
use domain::{ImageRecord, Status};
use jiff::{SignedDuration, Timestamp};
use objects::{PresignedUrl, ResponseHeaders};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// How long the presigned GET is valid.
const VALID_FOR: Duration = Duration::from_secs(5 * 60);
/// Bytes of a file name that are returned: the limit of file systems.
const MAX_NAME_BYTES: usize = 255;
/// Characters that are percent-encoded: those that RFC 8187 requires, and a few more.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Where to get the file.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct View {
    /// A presigned GET. Its response is inline and has the original file name and the file's type. It accepts ranges.
    #[schema(value_type = String, format = "uri")]
    url: PresignedUrl,
    /// When the URL expires: after five minutes.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// Presigns a GET for the file. `None` unless the file is a picture or a video.
pub(crate) async fn view(app: &App, record: &ImageRecord) -> Result<Option<View>, Problem> {
    let Some(file) = file(record) else {
        return Ok(None);
    };
    let expires_at = Timestamp::now() + SignedDuration::try_from(VALID_FOR).unwrap_or_default();
    let headers = ResponseHeaders {
        // The format that was found in the file, whatever content type the object was stored with.
        content_type: file.content_type.to_owned(),
        content_disposition: disposition(record, file.extension),
    };
    Ok(Some(View {
        url: objects::presign_get(&app.s3, &app.bucket, &record.key, Some(headers), VALID_FOR).await?,
        expires_at: format!("{expires_at:.3}"),
    }))
}

/// How a file is returned.
struct File {
    content_type: &'static str,
    extension: &'static str,
}

/// A file that is a picture or a video. A rejected file can be anything.
fn file(record: &ImageRecord) -> Option<File> {
    match record.status {
        Status::Labeled | Status::Processing | Status::Failed => {}
        Status::AwaitingUpload | Status::Rejected | Status::Deleted => return None,
    }
    if let Some(video) = &record.video {
        return Some(File {
            content_type: video.facts.container.content_type(),
            extension: video.facts.container.extension(),
        });
    }
    record.format.map(|format| File {
        content_type: format.content_type(),
        extension: format.extension(),
    })
}

/// `Content-Disposition` (RFC 6266): the original file name, encoded, and a plain name for old programs.
fn disposition(record: &ImageRecord, extension: &str) -> String {
    let fallback = format!("{}.{extension}", record.image_id);
    match &record.file_name {
        Some(name) => {
            let name = utf8_percent_encode(&name[..name.floor_char_boundary(MAX_NAME_BYTES)], ENCODED);
            format!("inline; filename=\"{fallback}\"; filename*=UTF-8''{name}")
        }
        None => format!("inline; filename=\"{fallback}\""),
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

    fn header(file_name: Option<&str>) -> String {
        disposition(&record(Status::Labeled, file_name), "png")
    }

    #[test]
    fn the_header_has_the_original_file_name() {
        assert_eq!(
            header(Some("Ça va.png")),
            "inline; filename=\"0193a5a0-0000-7000-8000-000000000001.png\"; filename*=UTF-8''%C3%87a%20va.png"
        );
        assert_eq!(
            header(None),
            "inline; filename=\"0193a5a0-0000-7000-8000-000000000001.png\""
        );
    }

    #[test]
    fn a_file_name_cannot_add_to_the_header() {
        for name in [
            "a\"; x=\"y",
            "a\r\nset-cookie: x",
            "a;b'c(d)e*f%00\u{7f}\u{202E}",
            &"🐈".repeat(1000),
        ] {
            let header = header(Some(name));
            let encoded = header.split_once("UTF-8''").unwrap().1;
            assert!(
                encoded
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)),
                "{header}"
            );
            assert!(header.len() < 1000, "{}", header.len());
        }
    }

    #[test]
    fn only_pictures_are_shown() {
        for (status, shown) in [
            (Status::AwaitingUpload, false),
            (Status::Processing, true),
            (Status::Labeled, true),
            (Status::Failed, true),
            (Status::Rejected, false),
            (Status::Deleted, false),
        ] {
            assert_eq!(file(&record(status, None)).is_some(), shown, "{status:?}");
        }
    }
}
