//! Multipart uploads: exactly the announced file, in any order, with interruptions, and nothing that remains of those that end
//! early.

use crate::{check_problem, get};
use domain::table::image_sort;
use domain::{ImageId, ImageKey, Status};
use futures_util::join;
use jiff::{SignedDuration, Timestamp};
use records::expression::{Update, text};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::api::{Answer, File, Upload};
use tests::users::User;
use tests::{Stack, pictures, run, wait};
use uuid::Uuid;

/// S3's minimum for all parts except the last one is 5 MB.
const PART_SIZE: usize = 8 * 1024 * 1024;

/// A picture that is announced as a video, with two parts. The file's content decides what it is.
fn two_parts() -> File {
    let mut bytes = pictures::cat();
    bytes.extend(Uuid::new_v4().as_bytes());
    bytes.resize(PART_SIZE + 1000, 0);
    File {
        name: "cat.mp4".into(),
        content_type: "video/mp4",
        bytes,
    }
}

/// A multipart upload.
struct Parts<'a> {
    user: &'a User,
    file: File,
    image_id: ImageId,
}

impl<'a> Parts<'a> {
    async fn start(user: &'a User, file: File) -> Self {
        let announced = user.announce(&announcement(&file)).await;
        assert_eq!(announced.status, 201, "{announced:?}");
        let body = &announced.body;
        assert_eq!(
            body["multipart"],
            json!({"partSize": PART_SIZE, "partCount": file.bytes.len().div_ceil(PART_SIZE)})
        );
        assert_eq!(body["upload"], Value::Null);
        let image_id = serde_json::from_value(body["imageId"].clone()).expect("an ID");
        Self { user, file, image_id }
    }

    fn key(&self) -> String {
        ImageKey::for_upload(&self.user.owner, self.image_id)
    }

    fn bytes(&self, number: usize) -> Vec<u8> {
        let mut parts = self.file.bytes.chunks(PART_SIZE);
        parts.nth(number - 1).expect("a part").to_vec()
    }

    /// A part as the API expects it.
    fn part(&self, number: usize) -> Value {
        let part = File::new("part", self.bytes(number));
        json!({"number": number, "sha256": part.sha256()})
    }

    async fn post(&self, what: &str, parts: &[Value]) -> Answer {
        post(self.user, self.image_id, what, parts).await
    }

    /// The presigned request for a part.
    async fn presign(&self, number: usize) -> Upload {
        let answer = self.post("parts", &[self.part(number)]).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.body["parts"][0]["number"], json!(number));
        serde_json::from_value(answer.body["parts"][0].clone()).expect("a request")
    }

    async fn send(&self, stack: &Stack, number: usize) {
        let upload = self.presign(number).await;
        let status = stack.put(&upload, self.bytes(number), &[]).await;
        assert_eq!(status, StatusCode::OK);
    }

    async fn progress(&self) -> Answer {
        get(self.user, &format!("/uploads/{}/parts", self.image_id)).await
    }

    async fn complete(&self) -> Answer {
        self.post("complete", &[self.part(1), self.part(2)]).await
    }
}

/// The body of `POST /uploads` for a video without a checksum.
fn announcement(file: &File) -> Value {
    json!({"fileName": file.name, "contentType": file.content_type, "size": file.bytes.len()})
}

async fn post(user: &User, image_id: ImageId, what: &str, parts: &[Value]) -> Answer {
    let body = json!({"parts": parts}).to_string();
    let path = format!("/uploads/{image_id}/{what}");
    user.api(Method::POST, &path, Some("application/json"), body)
        .await
}

/// The multipart uploads below a user's prefix that S3 has.
async fn left(stack: &Stack, user: &User) -> usize {
    let listed = stack.s3.list_multipart_uploads().bucket(&stack.bucket);
    let listed = listed
        .prefix(format!("uploads/{}/", user.owner.as_str()))
        .send()
        .await
        .expect("a listing");
    listed.uploads().len()
}

#[test]
fn a_file_in_parts_is_labeled_after_an_interruption_and_can_be_completed_twice() {
    run(async |stack| {
        let user = stack.new_user("parts").await;
        let parts = Parts::start(&user, two_parts()).await;
        // The last part first.
        parts.send(stack, 2).await;
        let progress = parts.progress().await;
        assert_eq!(progress.status, 200, "{progress:?}");
        assert_eq!(
            progress.body,
            json!({
                "complete": false, "multipart": {"partSize": PART_SIZE, "partCount": 2}, "parts": [parts.part(2)],
            })
        );
        let early = parts.complete().await;
        check_problem("a missing part", &early, 409, "parts-missing", Some("parts"));
        assert!(
            early.body["detail"]
                .as_str()
                .expect("a text")
                .starts_with("Part 1 is missing"),
            "{early:?}"
        );
        parts.send(stack, 1).await;
        // A part whose answer was lost is sent again.
        parts.send(stack, 1).await;
        for what in ["once", "again"] {
            let completed = parts.complete().await;
            assert_eq!(completed.status, 204, "{what}: {completed:?}");
        }
        let settled = stack.settled_as(&parts.key(), Status::Labeled).await;
        assert_eq!(settled.notifications.len(), 1, "labeled once");
        assert_eq!(settled.record.size, Some(parts.file.bytes.len() as u64));
        assert_eq!(settled.record.file_name.as_deref(), Some("cat.mp4"));
        // After the workflow, too.
        assert_eq!(parts.complete().await.status, 204);
        assert_eq!(
            parts.progress().await.body,
            json!({"complete": true, "parts": []})
        );
        let late = parts.post("parts", &[parts.part(1)]).await;
        check_problem("a part of a complete file", &late, 409, "not-in-parts", None);
        assert_eq!(left(stack, &user).await, 0);
    });
}

#[test]
fn s3_accepts_only_the_bytes_of_the_part() {
    run(async |stack| {
        let user = stack.new_user("wrong-parts").await;
        let parts = Parts::start(&user, two_parts()).await;
        let upload = parts.presign(1).await;
        let bytes = parts.bytes(1);
        let mut other = bytes.clone();
        other[0] ^= 1;
        assert_eq!(
            stack.put(&upload, other.clone(), &[]).await,
            StatusCode::BAD_REQUEST
        );
        let sha256 = File::new("part", other.clone()).sha256();
        let changed = stack
            .put(&upload, other, &[("x-amz-checksum-sha256", &sha256)])
            .await;
        assert_eq!(changed, StatusCode::FORBIDDEN);
        // A part cannot be longer or shorter than announced.
        for length in [bytes.len() - 1, bytes.len() + 1] {
            let mut resized = bytes.clone();
            resized.resize(length, 0);
            assert_eq!(stack.put(&upload, resized, &[]).await, StatusCode::FORBIDDEN);
        }
        assert_eq!(parts.progress().await.body["parts"], json!([]));
    });
}

#[test]
fn a_completion_with_other_parts_is_refused() {
    run(async |stack| {
        let user = stack.new_user("other-parts").await;
        let parts = Parts::start(&user, two_parts()).await;
        let (one, two) = (parts.part(1), parts.part(2));
        for number in [1, 2] {
            parts.send(stack, number).await;
        }
        let exchanged = [
            json!({"number": 1, "sha256": two["sha256"]}),
            json!({"number": 2, "sha256": one["sha256"]}),
        ];
        let answer = parts.post("complete", &exchanged).await;
        check_problem(
            "exchanged checksums",
            &answer,
            409,
            "parts-missing",
            Some("parts"),
        );
        for (what, list) in [
            ("no part", vec![]),
            ("a part too few", vec![one.clone()]),
            ("another order", vec![two.clone(), one.clone()]),
            ("a part twice", vec![one.clone(), one.clone()]),
            (
                "a part too many",
                vec![
                    one.clone(),
                    two.clone(),
                    json!({"number": 3, "sha256": one["sha256"]}),
                ],
            ),
            (
                "no checksum",
                vec![one.clone(), json!({"number": 2, "sha256": "abc"})],
            ),
        ] {
            let answer = parts.post("complete", &list).await;
            check_problem(what, &answer, 400, "invalid-field", Some("parts"));
        }
        // Nothing is lost.
        assert_eq!(parts.complete().await.status, 204);
        stack.settled_as(&parts.key(), Status::Labeled).await;
    });
}

#[test]
fn invalid_parts_are_not_presigned() {
    run(async |stack| {
        let user = stack.new_user("invalid-parts").await;
        let parts = Parts::start(&user, two_parts()).await;
        let sha256 = parts.part(1)["sha256"].clone();
        let many = (0..101).map(|_| parts.part(2)).collect();
        for (what, list) in [
            ("no part", vec![]),
            ("too many parts", many),
            ("part 0", vec![json!({"number": 0, "sha256": sha256})]),
            (
                "a part after the end",
                vec![json!({"number": 3, "sha256": sha256})],
            ),
            ("no checksum", vec![json!({"number": 1})]),
            ("an invalid checksum", vec![json!({"number": 1, "sha256": "abc"})]),
            (
                "an unknown field",
                vec![json!({"number": 1, "sha256": sha256, "size": 1})],
            ),
        ] {
            let answer = parts.post("parts", &list).await;
            check_problem(what, &answer, 400, "invalid-field", Some("parts"));
        }
        // A file that is uploaded with one request.
        let created = user.create_upload(&File::unique()).await;
        for what in ["parts", "complete"] {
            let answer = post(&user, created.image_id, what, &[parts.part(2)]).await;
            check_problem(what, &answer, 409, "not-in-parts", None);
        }
    });
}

#[test]
fn another_user_does_not_find_the_upload() {
    run(async |stack| {
        let (ann, bob) = (
            stack.new_user("ann-parts").await,
            stack.new_user("bob-parts").await,
        );
        let parts = Parts::start(&ann, two_parts()).await;
        for what in ["parts", "complete"] {
            let foreign = post(&bob, parts.image_id, what, &[parts.part(1)]).await;
            check_problem(what, &foreign, 404, "no-such-image", None);
        }
        let foreign = get(&bob, &format!("/uploads/{}/parts", parts.image_id)).await;
        check_problem("another's progress", &foreign, 404, "no-such-image", None);
    });
}

/// Otherwise its owner would pay for the parts, and a late part would bring the file back.
#[test]
fn deletions_abort_the_upload() {
    run(async |stack| {
        let user = stack.new_user("deleted-parts").await;
        let parts = Parts::start(&user, two_parts()).await;
        parts.send(stack, 1).await;
        let upload = parts.presign(2).await;
        assert_eq!(left(stack, &user).await, 1);
        assert_eq!(user.delete_image(parts.image_id).await.status, 204);
        assert_eq!(left(stack, &user).await, 0);
        assert_eq!(
            stack.put(&upload, parts.bytes(2), &[]).await,
            StatusCode::NOT_FOUND
        );
        check_problem(
            "a deleted upload",
            &parts.complete().await,
            404,
            "no-such-image",
            None,
        );

        let other = Parts::start(&user, two_parts()).await;
        other.send(stack, 1).await;
        user.delete_data().await;
        assert_eq!(left(stack, &user).await, 0);
    });
}

/// Either the upload is aborted, or its object is deleted.
#[test]
fn a_deletion_wins_over_a_completion_at_the_same_moment() {
    run(async |stack| {
        let user = stack.new_user("racing-parts").await;
        for _ in 0..3 {
            let parts = Parts::start(&user, two_parts()).await;
            for number in [1, 2] {
                parts.send(stack, number).await;
            }
            let (deleted, _) = join!(user.delete_image(parts.image_id), parts.complete());
            assert_eq!(deleted.status, 204);
            assert_eq!(left(stack, &user).await, 0);
            wait::until("the object is deleted", async || {
                stack.left_of(&parts.key()).await.is_empty().then_some(())
            })
            .await;
            assert_eq!(user.get_image(parts.image_id).await.status, 404);
        }
    });
}

/// The bucket's lifecycle rule aborts it in AWS.
#[test]
fn an_upload_that_was_aborted_has_expired() {
    run(async |stack| {
        let user = stack.new_user("abandoned-parts").await;
        let parts = Parts::start(&user, two_parts()).await;
        let record = stack.record(&stack.image(&parts.key())).await.expect("a record");
        let upload_id = record.multipart.expect("an upload").upload_id;
        let abort = stack.s3.abort_multipart_upload().bucket(&stack.bucket);
        let aborted = abort.key(parts.key()).upload_id(upload_id).send().await;
        aborted.expect("an abort");
        // S3 no longer has it while a completion is in progress, either: the client must not send all parts again.
        check_problem("a new one", &parts.progress().await, 503, "unavailable", None);
        check_problem("a new one", &parts.complete().await, 503, "unavailable", None);
        let created = Timestamp::now() - SignedDuration::from_hours(24);
        let age = Update::new().set("createdAt", text(format!("{created:.3}")));
        stack
            .update_item(&user.owner, image_sort(parts.image_id), age)
            .await;
        check_problem(
            "its progress",
            &parts.progress().await,
            410,
            "upload-expired",
            None,
        );
        check_problem(
            "its completion",
            &parts.complete().await,
            410,
            "upload-expired",
            None,
        );
    });
}

#[test]
fn limits_are_named_before_anything_is_uploaded() {
    run(async |stack| {
        let user = stack.new_user("large-videos").await;
        let announced = async |change: Value| {
            let mut body =
                json!({"fileName": "a.mp4", "contentType": "video/mp4", "size": 10_737_418_240_u64});
            body.as_object_mut()
                .expect("an object")
                .extend(change.as_object().expect("an object").clone());
            user.announce(&body).await
        };
        let largest = announced(json!({})).await;
        assert_eq!(largest.status, 201, "{largest:?}");
        assert_eq!(largest.body["multipart"]["partCount"], json!(1280));
        let too_large = announced(json!({"size": 10_737_418_241_u64})).await;
        check_problem("10 GB and a byte", &too_large, 413, "too-large", Some("size"));
        assert!(
            too_large.body["detail"]
                .as_str()
                .expect("a text")
                .contains("10 GB"),
            "{too_large:?}"
        );
        let picture = announced(json!({"contentType": "image/jpeg"})).await;
        check_problem("a picture", &picture, 413, "too-large", Some("size"));
        let checksum = announced(json!({"sha256": File::cat().sha256()})).await;
        check_problem("a checksum", &checksum, 400, "invalid-field", Some("sha256"));
        user.delete_data().await;
    });
}
