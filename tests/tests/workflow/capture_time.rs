//! Images are sorted by the time when they were taken, once they are labeled.

use domain::{ImageKey, Status};
use reqwest::Method;
use serde_json::{Value, json};
use tests::api::File;
use tests::users::User;
use tests::{Stack, pictures, run};

fn taken_at(time: &str) -> File {
    File::new("cat.jpg", pictures::jpeg_taken_at(&pictures::pixels(), time))
}

/// The IDs and times of a list of the user's images.
async fn list(user: &User, query: &str) -> Vec<(String, String)> {
    let answer = user.api(Method::GET, &format!("/images?{query}"), None, "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let text = |image: &Value, name: &str| image[name].as_str().expect("a text").to_owned();
    let images = answer.body["images"].as_array().expect("images").iter();
    images
        .map(|image| (text(image, "imageId"), text(image, "time")))
        .collect()
}

async fn check_consistent(stack: &Stack, user: &User) {
    assert_eq!(
        stack.consistency(&user.owner).await.contradictions,
        Vec::<String>::new()
    );
}

#[test]
fn pictures_are_listed_by_their_capture_time_or_else_by_the_upload_by_the_users_clock() {
    run(async |stack| {
        let user = stack.new_user("capture-time").await;
        let old = stack.upload_of(&user, &taken_at("2015:07:13 18:20:00")).await;
        let older = stack.upload_of(&user, &taken_at("2009:01:02 03:04:05")).await;
        let file = File::new("coffee.jpg", pictures::sample("coffee.jpg"));
        let mut announcement = file.announcement();
        announcement["utcOffset"] = json!("+14:00");
        let created = user.announce(&announcement).await;
        assert_eq!(created.status, 201, "{created:?}");
        let created: tests::api::Created = serde_json::from_value(created.body).expect("an upload");
        stack.put(&created.upload, file.bytes.clone(), &[]).await;
        let today = ImageKey::for_upload(&user.owner, created.image_id);
        for key in [&old, &older, &today] {
            stack.settled_as(key, Status::Labeled).await;
        }
        let ids = |keys: &[&String]| -> Vec<String> {
            keys.iter()
                .map(|key| stack.image(key).image_id.to_string())
                .collect()
        };
        let found = list(&user, "").await;
        let found_ids: Vec<_> = found.iter().map(|(id, _)| id.clone()).collect();
        assert_eq!(found_ids, ids(&[&today, &old, &older]));
        assert_eq!(found[1].1, "2015-07-13T18:20:00.000");
        let record = stack.settled_as(&today, Status::Labeled).await.record;
        assert_eq!(
            found[0].1,
            domain::record::uploaded(&record.created_at, Some("+14:00"))
        );
        let cats: Vec<_> = list(&user, "label=cat&to=2015-07-13T18:20")
            .await
            .into_iter()
            .map(|(id, _)| id)
            .collect();
        assert_eq!(cats, ids(&[&older]));
        let added: Vec<_> = list(&user, "order=added")
            .await
            .into_iter()
            .map(|(id, _)| id)
            .collect();
        assert_eq!(added, ids(&[&today, &older, &old]));
        check_consistent(stack, &user).await;
    });
}

/// If it were not moved, its label rows would stay at the place of the first file, and the search would find the image twice.
#[test]
fn a_newer_file_under_the_same_key_moves_the_image_to_its_own_capture_time() {
    run(async |stack| {
        let user = stack.new_user("capture-time").await;
        let key = format!("uploads/{}/cat.jpg", user.owner.as_str());
        let id = stack.image(&key).image_id.to_string();
        let mut before = None;
        for (time, expected) in [
            ("2015:07:13 18:20:00", "2015-07-13T18:20:00.000"),
            ("2009:01:02 03:04:05", "2009-01-02T03:04:05.000"),
            ("2020:12:31 23:59:59", "2020-12-31T23:59:59.000"),
        ] {
            stack.put_object(&key, taken_at(time).bytes).await;
            let settled = match &before {
                None => stack.settled_as(&key, Status::Labeled).await,
                Some(before) => stack.settled_again(before).await,
            };
            assert_eq!(settled.record.status, Status::Labeled);
            before = Some(settled.record);
            assert_eq!(
                list(&user, "label=cat").await,
                [(id.clone(), expected.to_owned())]
            );
            check_consistent(stack, &user).await;
        }
    });
}
