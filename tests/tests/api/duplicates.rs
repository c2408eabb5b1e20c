//! Identical files of a user: reported before they are uploaded, and listed.

use crate::{check_problem, get};
use domain::table::owner_partition;
use domain::{ImageId, ImageKey, Status};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tests::api::{Answer, Created, File};
use tests::seed::Seed;
use tests::users::User;
use tests::{Stack, run};
use uuid::Uuid;

/// Uploads a file that the user does not have. Returns its key.
async fn upload(stack: &Stack, user: &User, file: &File) -> String {
    let answer = user.announce(&file.first_announcement()).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let created: Created = serde_json::from_value(answer.body).expect("an upload");
    let status = stack.put(&created.upload, file.bytes.clone(), &[]).await;
    assert!(status.is_success(), "{status}");
    ImageKey::for_upload(&user.owner, created.image_id)
}

fn check_duplicate(answer: &Answer, image_id: ImageId) {
    check_problem("a duplicate", answer, 409, "already-uploaded", Some("sha256"));
    assert_eq!(answer.body["imageId"], json!(image_id), "{answer:?}");
}

/// The IDs of a page's groups by their SHA-256, and the cursor of the next page.
fn page(answer: &Answer) -> (BTreeMap<String, Vec<String>>, Option<String>) {
    assert_eq!(answer.status, 200, "{answer:?}");
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let groups = answer.body["groups"].as_array().expect("groups");
    let groups = groups.iter().map(|group| {
        let images = group["images"].as_array().expect("images").iter();
        (
            text(&group["sha256"]),
            images.map(|image| text(&image["imageId"])).collect(),
        )
    });
    (
        groups.collect(),
        answer.body["nextCursor"].as_str().map(str::to_owned),
    )
}

#[test]
fn a_file_is_reported_instead_of_uploaded_again_unless_the_user_insists() {
    run(async |stack| {
        let day = stack.day().await;
        let user = stack.new_user("duplicate").await;
        let file = File::unique();
        let count = async || day.images(&owner_partition(&user.owner)).await;
        // At once: the file may not be labeled yet.
        let key = upload(stack, &user, &file).await;
        let first = stack.image(&key).image_id;
        let mut renamed = file.first_announcement();
        renamed["fileName"] = json!("other.jpg");
        for body in [&file.first_announcement(), &renamed] {
            check_duplicate(&user.announce(body).await, first);
        }
        assert_eq!(count().await, 1, "a report does not count toward the daily limit");

        stack.settled_as(&key, Status::Labeled).await;
        check_duplicate(&user.announce(&file.first_announcement()).await, first);
        let second = stack.upload_of(&user, &file).await;
        assert_eq!(count().await, 2);
        stack.settled_as(&second, Status::Labeled).await;
        let (groups, next) = page(&get(&user, "/duplicates").await);
        let ids = [first, stack.image(&second).image_id].map(|id| id.to_string());
        // Oldest first.
        assert_eq!(
            (groups, next),
            (BTreeMap::from([(file.sha256(), ids.to_vec())]), None)
        );
    });
}

/// Otherwise anyone could find out whether somebody else has a file.
#[test]
fn a_file_of_another_user_is_not_reported() {
    run(async |stack| {
        let (ann, bob) = (stack.new_user("ann").await, stack.new_user("bob").await);
        let file = File::unique();
        upload(stack, &ann, &file).await;
        upload(stack, &bob, &file).await;
        assert_eq!(page(&get(&bob, "/duplicates").await), (BTreeMap::new(), None));
    });
}

/// An upload that was interrupted must be possible again.
#[test]
fn a_file_that_never_arrived_or_is_gone_is_not_reported() {
    run(async |stack| {
        let user = stack.new_user("no-file").await;
        let file = File::unique();
        for _ in 0..2 {
            let announced = user.announce(&file.first_announcement()).await;
            assert_eq!(announced.status, 201, "{announced:?}");
        }
        let deleted = stack.image(&upload(stack, &user, &file).await).image_id;
        assert_eq!(user.delete_image(deleted).await.status, 204);
        let key = upload(stack, &user, &file).await;
        // Another tool deletes the object.
        stack.settled_as(&key, Status::Labeled).await;
        stack.delete_object(&key).await;
        upload(stack, &user, &file).await;
    });
}

/// It has no labels, and the user can change nothing about that by opening it.
#[test]
fn a_rejected_file_can_be_uploaded_again() {
    run(async |stack| {
        let user = stack.new_user("rejected-twice").await;
        let file = File::new("cat.jpg", format!("not a picture {}", Uuid::new_v4()));
        let key = upload(stack, &user, &file).await;
        stack.settled_as(&key, Status::Rejected).await;
        upload(stack, &user, &file).await;
    });
}

#[test]
fn pages_list_each_group_once_and_completely() {
    run(async |stack| {
        let user = stack.new_user("groups").await;
        let image = |index: usize, checksum: &str, status| Seed {
            status,
            checksum: Some(checksum.to_owned()),
            ..Seed::labeled(
                &format!("2026-11-10T10:{:02}:{:02}.000Z", index / 60, index % 60),
                &[],
            )
        };
        let mut seeds = vec![];
        let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for group in 0..90 {
            let checksum = File::new("seed", format!("group {group}")).sha256();
            // Every third file has one image, the others have two or three.
            for copy in 0..=group % 3 {
                let seed = image(3 * group + copy, &checksum, Status::Labeled);
                if group % 3 > 0 {
                    expected
                        .entry(checksum.clone())
                        .or_default()
                        .push(seed.image_id.to_string());
                }
                seeds.push(seed);
            }
        }
        // These have no file, or none anymore.
        let lonely = File::new("seed", "lonely").sha256();
        seeds.push(image(400, &lonely, Status::Labeled));
        seeds.push(image(401, &lonely, Status::AwaitingUpload));
        let tombstone = image(402, &lonely, Status::Labeled);
        seeds.push(tombstone.clone());
        stack.seed(&user.owner, &seeds).await;
        stack.mark_deleted(&user.owner, &tombstone).await;

        let mut found = BTreeMap::new();
        let mut cursor = String::new();
        for pages in 1.. {
            let answer = get(&user, &format!("/duplicates{cursor}")).await;
            let (groups, next) = page(&answer);
            let images: usize = groups.values().map(Vec::len).sum();
            assert!(images <= 100, "{images} images on a page");
            for (checksum, ids) in groups {
                assert_eq!(found.insert(checksum, ids), None, "a group is listed twice");
            }
            let Some(next) = next else {
                assert!(pages > 1, "there must be several pages");
                break;
            };
            cursor = format!("?cursor={next}");
        }
        // Oldest first.
        assert_eq!(found, expected);

        let other = stack.new_user("other-groups").await;
        let foreign = get(&other, &format!("/duplicates{cursor}")).await;
        check_problem("another's cursor", &foreign, 400, "invalid-field", Some("cursor"));
    });
}

#[test]
fn invalid_requests_name_the_parameter() {
    run(async |stack| {
        let user = stack.new_user("duplicates-bad").await;
        let bad = get(&user, "/duplicates?cursor=AAAA").await;
        check_problem("a changed cursor", &bad, 400, "invalid-field", Some("cursor"));
        let unknown = get(&user, "/duplicates?limit=5").await;
        check_problem("an unknown parameter", &unknown, 400, "unknown-parameter", None);
        for value in [json!(null), json!("yes"), json!(1)] {
            let mut body = File::unique().first_announcement();
            body["allowDuplicate"] = value;
            let bad = user.announce(&body).await;
            check_problem("no boolean", &bad, 400, "invalid-field", Some("allowDuplicate"));
        }
    });
}
