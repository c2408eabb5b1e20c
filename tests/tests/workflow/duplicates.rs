//! Objects of other tools are compared with uploads if S3 has the SHA-256 of the whole object, and are never refused.

use domain::Status;
use records::WithExpressions;
use records::expression::{Expressions, Update};
use reqwest::Method;
use serde_json::Value;
use std::collections::BTreeSet;
use tests::api::File;
use tests::seed::key;
use tests::users::User;
use tests::{pictures, run};

/// The IDs of the images of each group of a user.
async fn duplicates(user: &User) -> Vec<BTreeSet<String>> {
    let answer = user.api(Method::GET, "/duplicates", None, "").await;
    assert_eq!(
        (answer.status, &answer.body["nextCursor"]),
        (200, &().into()),
        "{answer:?}"
    );
    let groups = answer.body["groups"].as_array().expect("groups").iter();
    let id = |image: &Value| Some(image["imageId"].as_str()?.to_owned());
    groups
        .map(|group| {
            group["images"]
                .as_array()
                .expect("images")
                .iter()
                .filter_map(id)
                .collect()
        })
        .collect()
}

#[test]
fn objects_of_other_tools_are_labeled_and_compared_if_s3_has_their_checksum() {
    run(async |stack| {
        let user = stack.new_user("other-tools").await;
        let file = File::unique();
        let folder = format!("uploads/{}", user.owner.as_str());
        let named = |name: &str| format!("{folder}/{name}.jpg");
        stack.put_object_with_checksum(&named("first"), &file).await;
        stack.put_object_with_checksum(&named("second"), &file).await;
        stack
            .put_object(&named("without-checksum"), file.bytes.clone())
            .await;
        stack.put_object_in_parts(&named("in-parts"), &file).await;
        for name in ["first", "second", "without-checksum", "in-parts"] {
            let record = stack.settled_as(&named(name), Status::Labeled).await.record;
            let expected = ["first", "second"].contains(&name).then(|| file.sha256());
            assert_eq!(record.checksum, expected, "{name}");
        }
        let [first, second] = ["first", "second"].map(|name| stack.image(&named(name)).image_id.to_string());
        assert_eq!(duplicates(&user).await, [BTreeSet::from([first, second.clone()])]);
        let reported = user.announce(&file.first_announcement()).await;
        assert_eq!(reported.status, 409, "{reported:?}");

        // Now another file is under the key.
        let other = File::unique();
        stack.put_object_with_checksum(&named("second"), &other).await;
        let before = stack
            .record(&stack.image(&named("second")))
            .await
            .expect("a record");
        if before.checksum.as_ref() != Some(&other.sha256()) {
            stack.settled_again(&before).await;
        }
        assert_eq!(duplicates(&user).await, Vec::<BTreeSet<_>>::new());
        let reported = user.announce(&other.first_announcement()).await;
        assert_eq!(reported.body["imageId"], second, "{reported:?}");
        assert_eq!(
            stack.consistency(&user.owner).await.contradictions,
            Vec::<String>::new()
        );
    });
}

/// The second object has the same bytes, so only its key differs.
#[test]
fn a_deleted_image_is_no_duplicate_and_a_newer_object_under_its_key_is() {
    run(async |stack| {
        let user = stack.new_user("deleted-duplicate").await;
        let file = File::unique();
        let folder = format!("uploads/{}", user.owner.as_str());
        let [first, second] = ["first", "second"].map(|name| format!("{folder}/{name}.jpg"));
        for key in [&first, &second] {
            stack.put_object_with_checksum(key, &file).await;
            stack.settled_as(key, Status::Labeled).await;
        }
        let both = BTreeSet::from([&first, &second].map(|key| stack.image(key).image_id.to_string()));
        assert_eq!(duplicates(&user).await, std::slice::from_ref(&both));
        assert_eq!(user.delete_image(stack.image(&first).image_id).await.status, 204);
        assert_eq!(duplicates(&user).await, Vec::<BTreeSet<_>>::new());
        stack.check_nothing_left_of(&first).await;
        stack.put_object_with_checksum(&first, &file).await;
        stack.settled_as(&first, Status::Labeled).await;
        assert_eq!(duplicates(&user).await, [both]);
        user.delete_data().await;
        assert_eq!(duplicates(&user).await, Vec::<BTreeSet<_>>::new());
    });
}

#[test]
fn an_image_from_before_checksums_were_stored_gets_its_own_when_it_is_labeled_again() {
    run(async |stack| {
        let user = stack.new_user("no-checksum").await;
        let file = File::new("cat.png", pictures::png(90, 90));
        let uploaded = stack.upload_of(&user, &file).await;
        let labeled = stack.settled_as(&uploaded, Status::Labeled).await.record;
        let image = stack.image(&uploaded);
        let item = key(
            domain::table::owner_partition(&user.owner),
            domain::table::image_sort(image.image_id),
        );
        stack
            .dynamodb
            .update_item()
            .table_name(&stack.table)
            .set_key(Some(item))
            .with_expressions(Expressions::new().update(Update::new().remove(["checksum"])))
            .send()
            .await
            .expect("an answer of the table");
        assert_eq!(user.announce(&file.first_announcement()).await.status, 201);
        assert_eq!(user.relabel(image.image_id).await.status, 202);
        let again = stack.settled_again(&labeled).await.record;
        assert_eq!(again.checksum, Some(file.sha256()));
        assert_eq!(user.announce(&file.first_announcement()).await.status, 409);
    });
}
