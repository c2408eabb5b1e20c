//! `GET /duplicates`: groups of images whose files are identical. Also finds the image that already has a file, for
//! `POST /uploads`.

use crate::app::App;
use crate::http::cursor;
use crate::http::owner::Caller;
use crate::http::problem::Problem;
use crate::http::query::RawParameters;
use crate::http::responses::BadRequest;
use crate::routes::list::summary::{ImageSummary, summaries};
use crate::routes::record::log_unreadable;
use axum::Json;
use axum::extract::State;
use domain::{ImageId, ImageRecord, Owner, Status};
use records::{File, Read};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

const CURSOR: (&str, &str) = ("cursor", "the nextCursor of a response of this route");
/// The query of cursors: the route has no filter.
const QUERY: &str = "duplicates";

/// Keys of the index that a request reads. They are about 0.6 MB, less than the 1 MB that a query reads.
const MAX_FILES: i32 = 4000;
/// Images on a page and in a group: their labels and thumbnails fit into a response, as in `GET /images`.
const MAX_IMAGES: usize = 100;
/// Images whose files are looked up in S3 before an upload.
const MAX_LOOKUPS: usize = 5;

/// Query parameters, for the description only.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only utoipa reads it")]
pub(crate) struct DuplicatesQuery {
    /// The `nextCursor` of the previous page.
    #[param(min_length = 1)]
    cursor: Option<String>,
}

/// A page of duplicates.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DuplicateList {
    /// In no particular order.
    groups: Vec<DuplicateGroup>,
    /// The `cursor` of the next page. Null on the last page.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// Images whose files are identical.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DuplicateGroup {
    /// The SHA-256 of the files, in base64.
    sha256: String,
    /// `LABELED` images first, then the oldest first. At most 100, even if there are more.
    #[schema(min_items = 2)]
    images: Vec<ImageSummary>,
}

/// Returns a page of the owner's duplicates.
#[utoipa::path(
    get,
    path = "/duplicates",
    tag = "images",
    operation_id = "listDuplicates",
    summary = "List your duplicates",
    description = "Groups of images whose files have the same SHA-256. Images that were put into the bucket without the \
        API are included if S3 has the SHA-256 of the whole object. A page can be empty and still have a `nextCursor`, \
        because a request reads a limited number of images.",
    params(DuplicatesQuery),
    responses((status = 200, description = "A page", body = DuplicateList), BadRequest),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    parameters: RawParameters,
) -> Result<Json<DuplicateList>, Problem> {
    let after = parameters.known(&[CURSOR.0])?.one(CURSOR, |cursor| {
        cursor::decode(&owner, QUERY, cursor, |sha256| Some(sha256.to_owned()))
    })?;
    let files = app.records.files(&owner, after.as_deref(), MAX_FILES).await?;
    let Page { groups, end } = page(&files.items, files.more);
    let mut groups = read(&app, &owner, &groups).await?;
    for image in groups.iter_mut().flat_map(|group| &mut group.images) {
        image.presign_thumbnails(&app).await?;
    }
    Ok(Json(DuplicateList {
        groups,
        next_cursor: end.map(|end| cursor::encode(&owner, QUERY, &end)),
    }))
}

/// The images of a page that may be duplicates, in groups with the same checksum.
#[derive(Debug, PartialEq)]
struct Page {
    groups: Vec<Vec<File>>,
    /// The last checksum of the page. `None` on the last page.
    end: Option<String>,
}

/// Divides the files, which are sorted by checksum, into groups. `more`: whether more files follow, so that the last group
/// may be incomplete.
fn page(files: &[File], more: bool) -> Page {
    let mut groups = vec![];
    let mut left = MAX_IMAGES;
    let mut end: Option<&str> = None;
    let mut same = files.chunk_by(|a, b| a.checksum == b.checksum).peekable();
    while let Some(group) = same.next() {
        // The next page begins with this group, unless it is so large that it fills a whole page: then its rest is left
        // out.
        let continues = more && same.peek().is_none() && end.is_some();
        let shown = group.len().min(MAX_IMAGES);
        if continues || (shown > 1 && shown > left) {
            break;
        }
        end = Some(&group[0].checksum);
        if shown > 1 {
            left -= shown;
            groups.push(group[..shown].to_vec());
        }
    }
    let is_last = !more && end == files.last().map(|file| file.checksum.as_str());
    Page {
        groups,
        end: end.filter(|_| !is_last).map(str::to_owned),
    }
}

/// Reads the images of groups. Leaves out images without these files, and groups with only one image left.
async fn read(app: &App, owner: &Owner, groups: &[Vec<File>]) -> Result<Vec<DuplicateGroup>, Problem> {
    let files: Vec<&File> = groups.iter().flatten().collect();
    let ids: Vec<ImageId> = files.iter().map(|file| file.image_id).collect();
    let checksums: HashMap<ImageId, &str> = files
        .iter()
        .map(|file| (file.image_id, file.checksum.as_str()))
        .collect();
    // The index can be outdated.
    let has_file = |record: &ImageRecord| {
        record.status != Status::AwaitingUpload
            && record.checksum.as_deref() == checksums.get(&record.image_id).copied()
    };
    let mut images = summaries(app, owner, &ids, has_file).await?.into_iter();
    let mut found = vec![];
    for group in groups {
        let mut same = vec![];
        for image in images.by_ref().take(group.len()) {
            same.extend(image.known()?);
        }
        same.sort_by(|a, b| (rank(a.status()), a.created_at()).cmp(&(rank(b.status()), b.created_at())));
        if same.len() > 1 {
            found.push(DuplicateGroup {
                sha256: group[0].checksum.clone(),
                images: same,
            });
        }
    }
    Ok(found)
}

/// An image of the owner that has exactly this file, in S3. `None` if there is none, or if that cannot be found out: then
/// the file is uploaded twice, and listed as a duplicate.
pub(crate) async fn existing(app: &App, owner: &Owner, sha256: &str) -> Option<ImageId> {
    find(app, owner, sha256).await.unwrap_or_else(|error| {
        lambda_http::tracing::warn!(%error, "an upload was not compared with the owner's images");
        None
    })
}

async fn find(app: &App, owner: &Owner, sha256: &str) -> Result<Option<ImageId>, aws::ServiceError> {
    let ids = app.records.images_with_checksum(owner, sha256).await?;
    if ids.is_empty() {
        return Ok(None);
    }
    let candidate = |record: ImageRecord| {
        // A rejected file has no labels, and a later version of this service may accept it.
        let is_candidate = !matches!(record.status, Status::Deleted | Status::Rejected);
        (is_candidate && record.checksum.as_deref() == Some(sha256)).then_some(record)
    };
    let read = app.records.images(owner, &ids, log_unreadable, candidate).await?;
    let mut candidates: Vec<ImageRecord> = read
        .into_iter()
        .filter_map(|record| match record {
            Read::Found(record) => Some(record),
            Read::Absent | Read::Unread => None,
        })
        .collect();
    candidates.sort_by_key(|record| (rank(record.status), Reverse(record.created_at.clone())));
    // The file may not have arrived, or have been deleted or overwritten in the bucket. Only S3 knows.
    for record in candidates.iter().take(MAX_LOOKUPS) {
        let stored = objects::sha256(&app.s3, &record.bucket, &record.key, None).await?;
        if stored.as_deref() == Some(sha256) {
            return Ok(Some(record.image_id));
        }
    }
    Ok(None)
}

/// Lower for the images that are more worth keeping.
fn rank(status: Status) -> u8 {
    match status {
        Status::Labeled => 0,
        Status::Processing => 1,
        Status::Failed => 2,
        Status::Rejected => 3,
        Status::AwaitingUpload | Status::Deleted => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files with these checksums, each with its number of images.
    fn files(groups: &[(&str, usize)]) -> Vec<File> {
        let file = |checksum: &str| File {
            checksum: checksum.to_owned(),
            image_id: ImageId::new(),
        };
        groups
            .iter()
            .flat_map(|(checksum, count)| (0..*count).map(|_| file(checksum)))
            .collect()
    }

    /// The sizes of the page's groups, and its end.
    fn sizes(groups: &[(&str, usize)], more: bool) -> (Vec<usize>, Option<String>) {
        let Page { groups, end } = page(&files(groups), more);
        (groups.iter().map(Vec::len).collect(), end)
    }

    fn end(checksum: &str) -> Option<String> {
        Some(checksum.to_owned())
    }

    #[test]
    fn files_without_a_duplicate_are_not_listed() {
        assert_eq!(sizes(&[], false), (vec![], None));
        assert_eq!(sizes(&[("a", 1), ("b", 3), ("c", 1)], false), (vec![3], None));
    }

    #[test]
    fn a_group_is_not_divided_between_two_pages() {
        // The index has more images with the checksum "c", or the next page has.
        assert_eq!(sizes(&[("a", 2), ("b", 1), ("c", 2)], true), (vec![2], end("b")));
        // 60 and 50 images do not fit into one page.
        assert_eq!(
            sizes(&[("a", 60), ("b", 1), ("c", 50)], false),
            (vec![60], end("b"))
        );
        assert_eq!(
            sizes(&[("a", 50), ("b", 1), ("c", 50)], false),
            (vec![50, 50], None)
        );
    }

    /// Otherwise the same page would be requested forever.
    #[test]
    fn every_page_makes_progress() {
        let all = usize::try_from(MAX_FILES).unwrap();
        assert_eq!(sizes(&[("a", all)], true), (vec![MAX_IMAGES], end("a")));
        assert_eq!(sizes(&[("a", 1)], true), (vec![], end("a")));
        assert_eq!(
            sizes(&[("a", 500), ("b", 2)], false),
            (vec![MAX_IMAGES], end("a"))
        );
    }

    mod existing {
        use super::*;
        use crate::app::fake_app;
        use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
        use aws_sdk_dynamodb::operation::query::{QueryError, QueryOutput};
        use aws_sdk_dynamodb::types::AttributeValue;
        use aws_sdk_dynamodb::types::error::InternalServerError;
        use aws_sdk_s3::operation::head_object::HeadObjectOutput;
        use aws_smithy_mocks::{RuleMode, mock, mock_client};
        use serde_json::{Value, json};
        use std::collections::HashMap;

        const SHA256: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        const OTHER: &str = "uvKdZs2JwJzH2mTOBRJ+Vxsp8Mqsq38ZhkzKHGmhiNE=";

        fn owner() -> Owner {
            Owner::new("demo").unwrap()
        }

        /// A record. The number is the last digit of its ID.
        fn record(number: u8, status: &str, checksum: &str) -> Value {
            let id = id(number);
            json!({
                "pk": "OWNER#demo", "sk": format!("IMAGE#{id}"), "imageId": id, "owner": "demo", "status": status,
                "createdAt": format!("2026-11-22T12:00:0{number}.000Z"), "updatedAt": "2026-11-22T12:00:00.000Z",
                "key": format!("uploads/demo/{id}"), "bucket": "pictures", "checksum": checksum,
            })
        }

        fn id(number: u8) -> ImageId {
            ImageId::parse(&format!("0193a5a0-0000-7000-8000-00000000000{number}")).unwrap()
        }

        /// What is found if the index names these records, and S3 has files with these checksums.
        async fn find_among(records: Vec<Value>, files: &'static [(u8, &str)]) -> Option<ImageId> {
            let to_items = |values: Vec<Value>| -> Vec<HashMap<String, AttributeValue>> {
                values
                    .into_iter()
                    .map(|value| serde_dynamo::to_item(value).unwrap())
                    .collect()
            };
            let items = to_items(records);
            let indexed = items.clone();
            let query = mock!(aws_sdk_dynamodb::Client::query)
                .then_output(move || QueryOutput::builder().set_items(Some(indexed.clone())).build());
            let get = mock!(aws_sdk_dynamodb::Client::batch_get_item).then_output(move || {
                BatchGetItemOutput::builder()
                    .responses("images", items.clone())
                    .build()
            });
            let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&query, &get]);
            let head = mock!(aws_sdk_s3::Client::head_object).then_compute_output(move |request| {
                let key = request.key().unwrap();
                let file = files
                    .iter()
                    .find(|(number, _)| key.ends_with(&number.to_string()));
                let checksum = file.map(|(_, checksum)| (*checksum).to_owned());
                HeadObjectOutput::builder().set_checksum_sha256(checksum).build()
            });
            let mut app = fake_app(dynamodb, mock_client!(aws_sdk_sfn, RuleMode::MatchAny, []));
            app.s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&head]);
            existing(&app, &owner(), SHA256).await
        }

        #[tokio::test]
        async fn an_image_is_reported_only_if_s3_has_its_file() {
            let found = async |status, files| find_among(vec![record(1, status, SHA256)], files).await;
            const FILE: &[(u8, &str)] = &[(1, SHA256)];
            // An upload whose event has not been handled yet, one that is being labeled, and one that can be labeled again.
            for status in ["AWAITING_UPLOAD", "PROCESSING", "LABELED", "FAILED"] {
                assert_eq!(found(status, FILE).await, Some(id(1)), "{status}");
                assert_eq!(found(status, &[]).await, None, "{status}");
                assert_eq!(found(status, &[(1, OTHER)]).await, None, "{status}, overwritten");
            }
            for status in ["REJECTED", "DELETED"] {
                assert_eq!(found(status, FILE).await, None, "{status}");
            }
            assert_eq!(
                find_among(vec![record(1, "LABELED", OTHER)], FILE).await,
                None,
                "outdated index"
            );
            assert_eq!(find_among(vec![], FILE).await, None);
        }

        #[tokio::test]
        async fn a_labeled_image_is_preferred_and_uploads_without_a_file_do_not_hide_it() {
            let mut records: Vec<_> = (2..8)
                .map(|number| record(number, "AWAITING_UPLOAD", SHA256))
                .collect();
            records.push(record(8, "FAILED", SHA256));
            records.push(record(1, "LABELED", SHA256));
            assert_eq!(
                find_among(records.clone(), &[(1, SHA256), (8, SHA256)]).await,
                Some(id(1))
            );
            assert_eq!(find_among(records, &[(8, SHA256)]).await, Some(id(8)));
        }

        /// The comparison saves money. It must not make uploads impossible.
        #[tokio::test]
        async fn nothing_is_reported_if_the_index_cannot_be_read() {
            let query = mock!(aws_sdk_dynamodb::Client::query)
                .then_error(|| QueryError::InternalServerError(InternalServerError::builder().build()));
            let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&query]);
            let app = fake_app(dynamodb, mock_client!(aws_sdk_sfn, RuleMode::MatchAny, []));
            assert_eq!(existing(&app, &owner(), SHA256).await, None);
            assert!(query.num_calls() > 0);
        }
    }
}
