//! Deletes and lists objects with all their versions.

use aws::ServiceError;
use aws_sdk_s3::Client;

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
            s3.delete_object()
                .bucket(bucket)
                .key(version.key)
                .version_id(version.id)
                .send()
                .await
                .map_err(|error| ServiceError::of("s3:DeleteObject", &error))?;
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
}

/// The first page of a listing of versions and delete markers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// Versions in ascending order of their keys, then delete markers in the same order.
    pub versions: Vec<Version>,
    /// Whether there are more versions or delete markers.
    pub has_more: bool,
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
    let listed = s3
        .list_object_versions()
        .bucket(bucket)
        .prefix(prefix)
        .max_keys(limit)
        .send()
        .await
        .map_err(|error| ServiceError::of("s3:ListObjectVersions", &error))?;
    let has_more = listed.is_truncated == Some(true);
    let versions = listed.versions.unwrap_or_default().into_iter();
    let markers = listed.delete_markers.unwrap_or_default().into_iter();
    let entries = versions
        .map(|version| (version.key, version.version_id))
        .chain(markers.map(|marker| (marker.key, marker.version_id)));
    let versions = entries
        .filter_map(|(key, id)| Some(Version { key: key?, id: id? }))
        .collect();
    Ok(Versions { versions, has_more })
}
