//! Copies an object if it is a picture or video that the owner does not have.

use crate::{CopyObjects, CopyObjectsError, PartTime};
use domain::image::MAX_BYTES;
use domain::import::{
    FailureReason, ImportResult, MAX_COPY_BYTES, MAX_METADATA_BYTES, SourceObject, copy_key, metadata,
};
use domain::{ImageKey, Import, Status, StepError};
use objects::{Copy, Found, NotCopied, Original, copy, find, open};
use picture_header::{HeaderError, Pieces, look};

/// How much of an object is read to find out whether it is a picture or a video.
const READ_BYTES: u64 = 4096;

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handled {
    /// It was handled.
    As(ImportResult),
    /// It could not be copied.
    Failed(FailureReason),
}

/// Handles an object. `None` if other bulk work has taken the slots of the next seconds, or if there is not enough time left for
/// the copy. An object that this job has copied before counts as imported again, so that a repeated batch has the same result.
pub(crate) async fn import(
    step: &CopyObjects,
    import: &Import,
    object: &SourceObject,
    time: PartTime,
) -> Result<Option<Handled>, CopyObjectsError> {
    use CopyObjectsError::Object;
    use ImportResult::{Deleted, Imported, NotPicture};
    let source_key = object.key.as_str();
    if source_key.ends_with('/') || object.size == Some(0) {
        return Ok(Some(Handled::As(NotPicture)));
    }
    let key = copy_key(&import.owner, &import.bucket, source_key);
    let stored = find(&step.s3, &step.bucket, &key).await.map_err(Object)?;
    if let Some(result) = object
        .etag
        .as_deref()
        .and_then(|etag| copied(stored.as_ref(), etag, import))
    {
        return Ok(Some(Handled::As(result)));
    }
    let is_in_use = stored.as_ref().is_some_and(|stored| !is_copy(stored));
    let original = match open(&step.s3, &import.bucket, source_key, READ_BYTES)
        .await
        .map_err(Object)?
    {
        Ok(original) => original,
        Err(error) => return Ok(Some(Handled::Failed(reason(error)))),
    };
    if let Some(result) = copied(stored.as_ref(), &original.etag, import) {
        return Ok(Some(Handled::As(result)));
    }
    let Some(max_bytes) = max_bytes(&original) else {
        return Ok(Some(Handled::As(NotPicture)));
    };
    if original.size > max_bytes {
        return Ok(Some(Handled::Failed(FailureReason::ImageTooLarge)));
    }
    if is_in_use {
        return Ok(Some(Handled::Failed(FailureReason::KeyInUse)));
    }
    if stored.is_none() && !import.restore_deleted && is_deleted(step, import, &key).await? {
        return Ok(Some(Handled::As(Deleted)));
    }
    let added = added(&original, import);
    let added_bytes: usize = added.iter().map(|(name, value)| name.len() + value.len()).sum();
    if original.metadata_bytes() + added_bytes > MAX_METADATA_BYTES {
        return Ok(Some(Handled::Failed(FailureReason::MetadataTooLarge)));
    }
    let size = original.size;
    let Some(max_wait) = time.max_wait(size) else {
        return Ok(None);
    };
    // Taken last, so that only objects that are copied use slots.
    let Some(wait) = step.records.take_slots(1, step.per_second, max_wait).await? else {
        return Ok(None);
    };
    tokio::time::sleep(wait).await;
    let etag = original.etag.clone();
    let to = Copy {
        source_bucket: &import.bucket,
        source_key,
        bucket: &step.bucket,
        key: &key,
        replaces: stored.as_ref().map(|stored| stored.etag.as_str()),
    };
    let timeout = time.copy_timeout(size);
    match copy(&step.s3, original, added, to, timeout)
        .await
        .map_err(Object)?
    {
        Ok(()) => Ok(Some(Handled::As(Imported))),
        Err(NotCopied::Changed) => {
            // Either the object was overwritten, or another attempt or another import has copied it at the same moment.
            let now = find(&step.s3, &step.bucket, &key).await.map_err(Object)?;
            let result = copied(now.as_ref(), &etag, import);
            let reason = if now.is_some_and(|now| !is_copy(&now)) {
                FailureReason::KeyInUse
            } else {
                FailureReason::ObjectChanged
            };
            Ok(Some(result.map_or(Handled::Failed(reason), Handled::As)))
        }
        Err(error) => Ok(Some(Handled::Failed(reason(error)))),
    }
}

/// The result for an object that has been copied and has not changed since, also by another tool. `None` if there is no copy of
/// it.
fn copied(stored: Option<&Found>, etag: &str, import: &Import) -> Option<ImportResult> {
    let stored = stored?;
    let copied = stored.metadata.get(metadata::ETAG).unwrap_or(&stored.etag);
    (unquoted(copied) == unquoted(etag)).then(|| {
        if is_of(stored, import) {
            ImportResult::Imported
        } else {
            ImportResult::Skipped
        }
    })
}

/// Whether an import has made the object. Another one is never overwritten.
fn is_copy(stored: &Found) -> bool {
    stored.metadata.contains_key(metadata::ETAG)
}

/// Whether this import has made the object.
pub(crate) fn is_of(stored: &Found, import: &Import) -> bool {
    stored.metadata.get(metadata::JOB) == Some(&import.job_id.to_string())
}

/// An ETag without its quotes, which listings and answers to GET have, and not every client keeps in metadata.
fn unquoted(etag: &str) -> &str {
    etag.trim_matches('"')
}

/// Selects what is imported by its first bytes: files that the workflow labels, or rejects with a reason. A damaged picture is a
/// picture. Returns the largest size of such a file that can be copied, or `None` if the file is left.
fn max_bytes(original: &Original) -> Option<u64> {
    if original.bytes.is_empty() {
        return None;
    }
    let mut start = Pieces::none(original.size);
    start.add(0, &original.bytes);
    if !matches!(look(&start), Err(HeaderError::OtherKind(_))) {
        return Some(MAX_BYTES);
    }
    video_header::container(&start).is_ok().then_some(MAX_COPY_BYTES)
}

/// Whether the owner has deleted the image of this key, at most 30 days ago.
async fn is_deleted(step: &CopyObjects, import: &Import, key: &str) -> Result<bool, CopyObjectsError> {
    let Some(image) = ImageKey::parse(&step.bucket, key) else {
        return Ok(false);
    };
    let record = step.records.image(&import.owner, image.image_id).await?;
    Ok(record.is_some_and(|record| record.status == Status::Deleted))
}

fn added(original: &Original, import: &Import) -> Vec<(&'static str, String)> {
    let mut added = vec![
        (metadata::ETAG, unquoted(&original.etag).to_owned()),
        (metadata::JOB, import.job_id.to_string()),
    ];
    // A copy of a copy keeps the time of the first one.
    if !original.metadata.contains_key(metadata::MODIFIED)
        && let Some(modified) = &original.modified
    {
        added.push((metadata::MODIFIED, modified.clone()));
    }
    added
}

fn reason(error: NotCopied) -> FailureReason {
    match error {
        NotCopied::Unreadable(object) => {
            FailureReason::of_unreadable(object.name()).unwrap_or(FailureReason::CopyRefused)
        }
        NotCopied::Denied => FailureReason::AccessDenied,
        NotCopied::Changed => FailureReason::ObjectChanged,
        NotCopied::Refused => FailureReason::CopyRefused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::started_before;
    use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
    use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
    use aws_sdk_s3::Client;
    use aws_sdk_s3::config::http::HttpResponse;
    use aws_sdk_s3::operation::copy_object::CopyObjectOutput;
    use aws_sdk_s3::operation::get_object::GetObjectOutput;
    use aws_sdk_s3::operation::head_object::HeadObjectOutput;
    use aws_sdk_s3::types::CopyObjectResult;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use records::Records;
    use serde_json::json;
    use std::collections::HashMap;
    use std::num::NonZeroU32;
    use std::time::Duration;

    const JOB: &str = "0193a5a0-7a3c-7e11-8a55-3f1b7c9d2e10";
    const OTHER_JOB: &str = "0193a5a0-7a3c-7e11-8a55-3f1b7c9d2e11";
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0DIHDR\0\0\0\x64\0\0\0\x64\x08\x02\0\0\0";
    const MP4: &[u8] = b"\0\0\0\x18ftypisom\0\0\0\0isommp41";

    fn an_import() -> Import {
        let import = json!({"jobId": JOB, "owner": "demo", "bucket": "holidays"});
        serde_json::from_value(import).unwrap()
    }

    fn listed(key: &str, size: u64) -> SourceObject {
        SourceObject {
            key: key.into(),
            etag: Some("\"0a\"".into()),
            size: Some(size),
        }
    }

    /// The metadata of a copy that this job has made of an object with this ETag.
    fn copy_of(etag: &str, job: &str) -> HashMap<String, String> {
        [(metadata::ETAG, etag), (metadata::JOB, job)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    fn get(bytes: &'static [u8], size: u64) -> Rule {
        mock!(Client::get_object).then_output(move || {
            GetObjectOutput::builder()
                .e_tag("\"0a\"")
                .content_range(format!("bytes 0-9/{size}"))
                .body(bytes.to_vec().into())
                .build()
        })
    }

    fn head(metadata: HashMap<String, String>) -> Rule {
        mock!(Client::head_object).then_output(move || {
            HeadObjectOutput::builder()
                .e_tag("\"0b\"")
                .set_metadata(Some(metadata.clone()))
                .build()
        })
    }

    fn absent() -> Rule {
        mock!(Client::head_object)
            .then_http_response(|| HttpResponse::new(404.try_into().unwrap(), "".into()))
    }

    async fn handled(s3: Client, object: &SourceObject) -> Option<Handled> {
        handled_at(s3, object, PartTime::start()).await
    }

    async fn handled_at(s3: Client, object: &SourceObject, time: PartTime) -> Option<Handled> {
        let item = mock!(aws_sdk_dynamodb::Client::get_item).then_output(|| GetItemOutput::builder().build());
        let slot =
            mock!(aws_sdk_dynamodb::Client::update_item).then_output(|| UpdateItemOutput::builder().build());
        let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&item, &slot]);
        let step = CopyObjects {
            s3,
            bucket: "pictures".into(),
            records: Records::new(dynamodb, "table".into()),
            per_second: NonZeroU32::MIN,
        };
        import(&step, &an_import(), object, time).await.unwrap()
    }

    /// A second run over a million objects reads none of them.
    #[tokio::test]
    async fn an_object_that_is_there_costs_one_head_and_counts_for_the_job_that_has_copied_it() {
        for (metadata, expected) in [
            (copy_of("0a", JOB), ImportResult::Imported),
            (copy_of("0a", OTHER_JOB), ImportResult::Skipped),
        ] {
            let head = head(metadata);
            let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&head]);
            assert_eq!(
                handled(s3, &listed("a.png", 5)).await,
                Some(Handled::As(expected))
            );
            assert_eq!(head.num_calls(), 1);
        }
    }

    /// A file that its owner has uploaded under the same key, with a tool of S3, would be lost.
    #[tokio::test]
    async fn an_object_that_no_import_has_made_is_not_overwritten() {
        let stored = head(HashMap::new());
        let get = get(PNG, 1000);
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&stored, &get]);
        assert_eq!(
            handled(s3, &listed("a.png", 1000)).await,
            Some(Handled::Failed(FailureReason::KeyInUse))
        );
        let same =
            mock!(Client::head_object).then_output(|| HeadObjectOutput::builder().e_tag("\"0a\"").build());
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&same]);
        assert_eq!(
            handled(s3, &listed("a.png", 1000)).await,
            Some(Handled::As(ImportResult::Skipped)),
            "the same bytes"
        );
    }

    #[tokio::test]
    async fn folder_markers_and_empty_objects_cost_nothing() {
        for object in [listed("2019/", 0), listed("2019/", 5), listed("empty.jpg", 0)] {
            let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, []);
            let expected = Some(Handled::As(ImportResult::NotPicture));
            assert_eq!(handled(s3, &object).await, expected);
        }
    }

    #[tokio::test]
    async fn the_first_bytes_decide_and_not_the_name() {
        for (bytes, size, expected) in [
            (&b"%PDF-1.7"[..], 8, Handled::As(ImportResult::NotPicture)),
            (&b"notes"[..], 5, Handled::As(ImportResult::NotPicture)),
            (
                MP4,
                MAX_COPY_BYTES + 1,
                Handled::Failed(FailureReason::ImageTooLarge),
            ),
            (PNG, MAX_BYTES + 1, Handled::Failed(FailureReason::ImageTooLarge)),
        ] {
            let (absent, get) = (absent(), get(bytes, size));
            let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&absent, &get]);
            assert_eq!(
                handled(s3, &listed("a.jpg", size)).await,
                Some(expected),
                "{bytes:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_video_may_be_larger_than_a_picture() {
        let (absent, get) = (absent(), get(MP4, MAX_BYTES + 1));
        let made = mock!(Client::copy_object).then_output(|| {
            let result = CopyObjectResult::builder().build();
            CopyObjectOutput::builder().copy_object_result(result).build()
        });
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&absent, &get, &made]);
        let imported = Some(Handled::As(ImportResult::Imported));
        assert_eq!(handled(s3, &listed("a.jpg", MAX_BYTES + 1)).await, imported);
    }

    /// A video of some GB takes S3 longer than what is left when the last objects of a part begin. It would fail in each attempt.
    #[tokio::test]
    async fn a_large_object_is_left_to_the_next_part_if_there_is_not_enough_time() {
        for (bytes, size, expected) in [
            (PNG, 1000, Some(Handled::As(ImportResult::Imported))),
            (MP4, MAX_BYTES + 1, None),
        ] {
            let (absent, get) = (absent(), get(bytes, size));
            let made = mock!(Client::copy_object).then_output(|| {
                let result = CopyObjectResult::builder().build();
                CopyObjectOutput::builder().copy_object_result(result).build()
            });
            let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&absent, &get, &made]);
            let late = started_before(Duration::from_secs(50));
            assert_eq!(handled_at(s3, &listed("a.jpg", size), late).await, expected);
            assert_eq!(made.num_calls(), usize::from(expected.is_some()));
        }
    }

    /// S3 refuses the copy if the object was overwritten after it was read, and also if another attempt has made the copy.
    #[tokio::test]
    async fn a_refused_condition_is_a_change_unless_the_copy_is_there_now() {
        for (now, expected) in [
            (None, Handled::Failed(FailureReason::ObjectChanged)),
            (Some(copy_of("0a", JOB)), Handled::As(ImportResult::Imported)),
            (Some(copy_of("0a", OTHER_JOB)), Handled::As(ImportResult::Skipped)),
            (
                Some(copy_of("0c", OTHER_JOB)),
                Handled::Failed(FailureReason::ObjectChanged),
            ),
            (Some(HashMap::new()), Handled::Failed(FailureReason::KeyInUse)),
        ] {
            let first = mock!(Client::head_object).sequence().http_status(404, None);
            let head = match now.clone() {
                None => first.http_status(404, None).build(),
                Some(metadata) => first
                    .output(move || {
                        HeadObjectOutput::builder()
                            .set_metadata(Some(metadata.clone()))
                            .build()
                    })
                    .build(),
            };
            let get = get(PNG, 1000);
            let refused = mock!(Client::copy_object).then_http_response(|| {
                let body = "<Error><Code>PreconditionFailed</Code></Error>";
                HttpResponse::new(412.try_into().unwrap(), body.into())
            });
            let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&head, &get, &refused]);
            assert_eq!(
                handled(s3, &listed("a.png", 1000)).await,
                Some(expected),
                "{now:?}"
            );
        }
    }
}
