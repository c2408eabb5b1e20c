//! The API while DynamoDB does not process all keys of a request, or its index lags behind the table: no image is missing
//! permanently, shown twice, or shown after its deletion.

use domain::{ImageId, Status};
use reqwest::Method;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tests::Stack;
use tests::api::{Answer, File};
use tests::proxy::{Call, Fault, Injection, Proxy};
use tests::reroute::run_through_proxy;
use tests::seed::Seed;
use tests::users::User;

/// Not more than one BatchGetItem asks for.
const IMAGES: usize = 40;

fn image(second: usize) -> Seed {
    let labels = [("Animal", 95.0), ("Cat", 90.0)];
    Seed::labeled(&format!("2026-11-10T00:00:{second:02}.000Z"), &labels)
}

/// A user with images, and the ids of the images, newest first.
async fn library(stack: &Stack) -> (User, Vec<String>) {
    let user = stack.new_user("incomplete-reads").await;
    let images: Vec<_> = (0..IMAGES).map(image).collect();
    stack.seed(&user.owner, &images).await;
    let ids = images.iter().rev().map(|image| image.image_id.to_string());
    (user, ids.collect())
}

async fn get(user: &User, path: &str) -> Answer {
    user.api(Method::GET, path, None, "").await
}

/// The ids of a page, and the cursor of the next one.
async fn page(user: &User, parameters: &str) -> (Vec<String>, Option<String>) {
    let answer = get(user, &format!("/images?{parameters}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let images = answer.body["images"].as_array().expect("images");
    let ids = images
        .iter()
        .map(|image| image["imageId"].as_str().expect("an id").to_owned());
    (
        ids.collect(),
        answer.body["nextCursor"].as_str().map(str::to_owned),
    )
}

/// Leaves keys unprocessed in the BatchGetItem calls about a user that `which` selects by their number, from 0.
fn leave_keys_unprocessed(
    proxy: &Proxy,
    user: &User,
    which: impl Fn(usize) -> bool + Send + 'static,
) -> Injection {
    let mut batches = 0;
    proxy.inject(&["api"], user.owner.as_str(), move |_, call: &Call| {
        if !call.is("BatchGetItem") {
            return None;
        }
        batches += 1;
        which(batches - 1).then_some(Fault::UnprocessedKeys)
    })
}

#[test]
fn keys_that_are_unprocessed_once_are_requested_again() {
    run_through_proxy(async |stack, proxy| {
        let (user, ids) = library(stack).await;
        let injection = leave_keys_unprocessed(proxy, &user, |number| number.is_multiple_of(2));
        assert_eq!(page(&user, "limit=100").await, (ids.clone(), None));
        let named: Vec<_> = ids.iter().map(|id| format!("id={id}")).collect();
        assert_eq!(page(&user, &named.join("&")).await, (ids, None));
        // One batch for each request: the first call leaves keys unprocessed, and a second one requests them.
        assert_eq!(injection.faults(), 2);
    });
}

#[test]
fn a_page_ends_before_keys_that_stay_unprocessed_and_the_next_one_begins_with_them() {
    run_through_proxy(async |stack, proxy| {
        let (user, ids) = library(stack).await;
        // A search by labels first reads the labels' counts. Without them, it cannot start.
        for (query, complete_reads) in [
            ("limit=100", 0),
            ("limit=100&label=Cat&label=Animal%7CCat%3E50", 1),
        ] {
            let injection = leave_keys_unprocessed(proxy, &user, move |number| number >= complete_reads);
            let (mut seen, next) = page(&user, query).await;
            assert!(!seen.is_empty() && seen.len() < IMAGES, "{query}: {seen:?}");
            drop(injection);
            let cursor = next.expect("more images");
            let (rest, end) = page(&user, &format!("{query}&cursor={cursor}")).await;
            seen.extend(rest);
            assert_eq!((seen, end), (ids.clone(), None), "{query}");
        }

        // Of images that are requested by id, either all are returned or none.
        let injection = leave_keys_unprocessed(proxy, &user, |_| true);
        let named = get(&user, &format!("/images?id={}&id={}", ids[0], ids[1])).await;
        assert_eq!(named.status, 503, "{named:?}");
        drop(injection);
    });
}

/// Each call takes some milliseconds, so a page that read the images one by one could take longer than a request may take.
#[test]
fn a_page_that_reaches_images_without_a_file_skips_them_in_few_calls() {
    run_through_proxy(async |stack, proxy| {
        let user = stack.new_user("few-calls").await;
        let mut images: Vec<_> = (0..50).map(image).collect();
        for image in &mut images[..45] {
            image.status = Status::AwaitingUpload;
        }
        stack.seed(&user.owner, &images).await;
        let queries = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&queries);
        let injection = proxy.inject(&["api"], user.owner.as_str(), move |_, call: &Call| {
            counted.fetch_add(usize::from(call.is("Query")), Ordering::Relaxed);
            None
        });
        assert_eq!(page(&user, "limit=6").await.0.len(), 5);
        drop(injection);
        assert_eq!(queries.load(Ordering::Relaxed), 2);
    });
}

/// From now on, each query of the user's history gets the same answer as the first time.
fn lag_behind(proxy: &Proxy, user: &User) -> Injection {
    proxy.inject(&["api"], user.owner.as_str(), |_, call: &Call| {
        (call.is("Query") && call.text.contains("IndexName")).then_some(Fault::Stale)
    })
}

#[test]
fn an_index_that_lags_behind_neither_shows_deleted_images_nor_hides_new_ones_permanently() {
    run_through_proxy(async |stack, proxy| {
        let (user, ids) = library(stack).await;
        let lagging = lag_behind(proxy, &user);
        assert_eq!(page(&user, "limit=100").await.0, ids);

        let deleted = ImageId::parse(&ids[7]).expect("an id");
        assert_eq!(user.delete_image(deleted).await.status, 204);
        let key = stack.upload_of(&user, &File::cat()).await;
        stack.settled(&key).await;
        let mut left = ids.clone();
        left.remove(7);
        assert_eq!(
            page(&user, "limit=100").await.0,
            left,
            "the index does not have the new image yet"
        );

        drop(lagging);
        left.insert(0, stack.image(&key).image_id.to_string());
        assert_eq!(page(&user, "limit=100").await.0, left);
    });
}

/// Images that the index does not have yet are found in the table itself, or by their objects.
#[test]
fn all_data_is_deleted_though_the_index_lags_behind() {
    run_through_proxy(async |stack, proxy| {
        let user = stack.new_user("lagging").await;
        let lagging = lag_behind(proxy, &user);
        // The index is empty, and stays empty.
        assert_eq!(user.delete_data().await, 0);
        let announced = user.create_upload(&File::cat()).await;
        let uploaded = stack.upload_of(&user, &File::cat()).await;
        let put = format!("uploads/{}/cat.jpg", user.owner.as_str());
        stack.put_object(&put, File::cat().bytes).await;
        for key in [&uploaded, &put] {
            stack.settled(key).await;
        }
        assert_eq!(user.delete_data().await, 3);
        for key in [&uploaded, &put] {
            stack.check_nothing_left_of(key).await;
        }
        assert_eq!(user.get_image(announced.image_id).await.status, 404);
        assert_eq!(stack.left_of_owner(&user.owner).await, Vec::<String>::new());
        drop(lagging);
        assert_eq!(page(&user, "limit=100").await.0, Vec::<String>::new());
    });
}
