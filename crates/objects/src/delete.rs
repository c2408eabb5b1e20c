//! Deletes and lists objects with all their versions.

use aws::ServiceError;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::DateTime;
use jiff::Timestamp;

/// Versions per page. A small number, because a key can be a prefix of many other keys.
const VERSIONS_PER_PAGE: i32 = 100;

/// Deletes an object with all its versions and delete markers. Does nothing if it does not exist.
///
/// In a versioned bucket, a DELETE without a version would only add a delete marker, and earlier versions would stay
/// readable. In a bucket that was never versioned, each object is listed with the version `null`.
///
/// # Errors
/// A call to S3 fails.
pub async fn delete(s3: &Client, bucket: &str, key: &str) -> Result<(), ServiceError> {
    delete_versions(s3, bucket, key, |found| found == key).await
}

/// Deletes all objects whose keys start with `prefix`, with all their versions and delete markers.
///
/// # Errors
/// A call to S3 fails.
pub async fn delete_all(s3: &Client, bucket: &str, prefix: &str) -> Result<(), ServiceError> {
    delete_versions(s3, bucket, prefix, |_| true).await
}

/// Deletes those versions and delete markers of an object that are not newer than `until`.
///
/// # Errors
/// A call to S3 fails.
pub async fn delete_until(
    s3: &Client,
    bucket: &str,
    key: &str,
    until: Timestamp,
) -> Result<(), ServiceError> {
    let mut after = None;
    loop {
        // Not from the start again: the newer versions are not deleted.
        let listed = versions_after(s3, bucket, key, after, VERSIONS_PER_PAGE).await?;
        let is_past = listed.versions.iter().any(|version| version.key != key);
        let old = listed
            .versions
            .into_iter()
            .filter(|version| version.key == key && version.last_modified.is_some_and(|time| time <= until));
        for version in old {
            delete_version(s3, bucket, version).await?;
        }
        after = listed.next;
        if is_past || after.is_none() {
            return Ok(());
        }
    }
}

async fn delete_version(s3: &Client, bucket: &str, version: Version) -> Result<(), ServiceError> {
    s3.delete_object()
        .bucket(bucket)
        .key(version.key)
        .version_id(version.id)
        .send()
        .await
        .map(drop)
        .map_err(|error| ServiceError::of("s3:DeleteObject", &error))
}

/// Lists from the start again after each page, because the versions of the page have been deleted.
async fn delete_versions(
    s3: &Client,
    bucket: &str,
    prefix: &str,
    matches: impl Fn(&str) -> bool,
) -> Result<(), ServiceError> {
    loop {
        let listed = list_versions(s3, bucket, prefix, VERSIONS_PER_PAGE).await?;
        // Keys are listed in ascending order, and the key that equals the prefix comes first.
        let is_past = listed.versions.iter().any(|version| !matches(&version.key));
        for version in listed
            .versions
            .into_iter()
            .filter(|version| matches(&version.key))
        {
            delete_version(s3, bucket, version).await?;
        }
        if is_past || !listed.has_more {
            return Ok(());
        }
    }
}

/// A version of an object, or a delete marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The object's key.
    pub key: String,
    /// The version's id.
    pub id: String,
    /// When it was created.
    pub last_modified: Option<Timestamp>,
}

/// The first page of a listing of versions and delete markers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// Versions in ascending order of their keys, then delete markers in the same order.
    pub versions: Vec<Version>,
    /// Whether there are more versions or delete markers.
    pub has_more: bool,
    /// Where the next page starts.
    next: Option<Marker>,
}

/// The last version of a page. S3 calls it the next marker.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Marker {
    key: String,
    id: Option<String>,
}

/// Lists the first `limit` versions and delete markers of the objects whose keys start with `prefix`.
///
/// # Errors
/// A call to S3 fails.
pub async fn list_versions(
    s3: &Client,
    bucket: &str,
    prefix: &str,
    limit: i32,
) -> Result<Versions, ServiceError> {
    versions_after(s3, bucket, prefix, None, limit).await
}

async fn versions_after(
    s3: &Client,
    bucket: &str,
    prefix: &str,
    after: Option<Marker>,
    limit: i32,
) -> Result<Versions, ServiceError> {
    let (key, id) = after.map(|marker| (marker.key, marker.id)).unzip();
    let listed = s3
        .list_object_versions()
        .bucket(bucket)
        .prefix(prefix)
        .set_key_marker(key)
        .set_version_id_marker(id.flatten())
        .max_keys(limit)
        .send()
        .await
        .map_err(|error| ServiceError::of("s3:ListObjectVersions", &error))?;
    let has_more = listed.is_truncated == Some(true);
    let marker = listed.next_key_marker.filter(|_| has_more);
    let next = marker.map(|key| Marker {
        key,
        id: listed.next_version_id_marker,
    });
    let versions = listed.versions.unwrap_or_default().into_iter();
    let markers = listed.delete_markers.unwrap_or_default().into_iter();
    let entries = versions
        .map(|version| (version.key, version.version_id, version.last_modified))
        .chain(markers.map(|marker| (marker.key, marker.version_id, marker.last_modified)));
    let versions = entries
        .filter_map(|(key, id, modified)| {
            Some(Version {
                key: key?,
                id: id?,
                last_modified: modified.as_ref().and_then(timestamp),
            })
        })
        .collect();
    Ok(Versions {
        versions,
        has_more,
        next,
    })
}

/// A time of S3.
pub(crate) fn timestamp(time: &DateTime) -> Option<Timestamp> {
    Timestamp::from_millisecond(time.to_millis().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::operation::delete_object::DeleteObjectOutput;
    use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
    use aws_sdk_s3::types::ObjectVersion;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    /// A new picture under the key of a deleted one must survive a deletion that is completed later.
    #[tokio::test]
    async fn deletes_only_versions_that_are_not_newer() {
        let list = mock!(Client::list_object_versions).then_output(|| {
            let version = |key: &str, seconds: i64| {
                ObjectVersion::builder()
                    .key(key)
                    .version_id(seconds.to_string())
                    .last_modified(DateTime::from_secs(seconds))
                    .build()
            };
            ListObjectVersionsOutput::builder()
                .versions(version("a", 3))
                .versions(version("a", 2))
                .versions(version("a", 1))
                .versions(version("a/b", 0))
                .is_truncated(true)
                .build()
        });
        let delete = mock!(Client::delete_object)
            .match_requests(|request| {
                request.key() == Some("a") && ["1", "2"].contains(&request.version_id().unwrap())
            })
            .then_output(|| DeleteObjectOutput::builder().build());
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&list, &delete]);
        let until = Timestamp::from_second(2).unwrap();
        assert_eq!(delete_until(&s3, "pictures", "a", until).await, Ok(()));
        assert_eq!((list.num_calls(), delete.num_calls()), (1, 2));
    }

    /// If only the first page were read, an old version of a deleted picture would stay below a hundred newer ones.
    #[tokio::test]
    async fn deletes_an_old_version_behind_a_page_of_newer_ones() {
        let version = |seconds: i64| {
            let version = ObjectVersion::builder().key("a").version_id(seconds.to_string());
            version.last_modified(DateTime::from_secs(seconds)).build()
        };
        let first = mock!(Client::list_object_versions)
            .match_requests(|request| request.key_marker().is_none())
            .then_output(move || {
                let page = ListObjectVersionsOutput::builder()
                    .versions(version(3))
                    .is_truncated(true);
                page.next_key_marker("a").next_version_id_marker("3").build()
            });
        let second = mock!(Client::list_object_versions)
            .match_requests(|request| {
                (request.key_marker(), request.version_id_marker()) == (Some("a"), Some("3"))
            })
            .then_output(move || ListObjectVersionsOutput::builder().versions(version(1)).build());
        let delete = mock!(Client::delete_object)
            .match_requests(|request| request.version_id() == Some("1"))
            .then_output(|| DeleteObjectOutput::builder().build());
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&first, &second, &delete]);
        let until = Timestamp::from_second(2).unwrap();
        assert_eq!(delete_until(&s3, "pictures", "a", until).await, Ok(()));
        assert_eq!(
            (first.num_calls(), second.num_calls(), delete.num_calls()),
            (1, 1, 1)
        );
    }
}
