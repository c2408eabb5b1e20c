//! Jobs that label images again, correct their labels or delete them: exact counts, prices, quotas, cancellation, and repeated
//! parts.

use crate::{all, check_problem, get};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sfn::types::ExecutionStatus;
use domain::job::MAX_PARTS;
use domain::table::{image_sort, job_sort, owner_partition};
use domain::{
    BulkDeletion, Correction, CorrectionChange, ImageId, ImageRecord, Job, JobId, JobKind, JobStatus,
    Relabel, Search, Selection, Status, Undo,
};
use jiff::{SignedDuration, Timestamp};
use records::expression::{Update, text};
use records::{Deletable, Records, Tombstone};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use tests::api::{Answer, File};
use tests::seed::{Seed, key};
use tests::users::User;
use tests::{Stack, run, wait};

type Item = HashMap<String, AttributeValue>;

async fn post(user: &User, path: &str, body: &Value) -> Answer {
    user.api(Method::POST, path, Some("application/json"), body.to_string())
        .await
}

async fn start(user: &User, body: &Value) -> Value {
    let started = post(user, "/jobs", body).await;
    assert_eq!(started.status, 202, "{started:?}");
    assert_eq!(
        (&started.body["kind"], &started.body["status"]),
        (&body["kind"], &json!("RUNNING"))
    );
    started.body
}

async fn job_of(user: &User, job: &Value) -> Value {
    let path = format!("/jobs/{}", job["jobId"].as_str().expect("a job"));
    get(user, &path).await.body
}

/// The job when it has ended.
async fn ended(user: &User, job: &Value) -> Value {
    wait::until("the job has ended", async || {
        let job = job_of(user, job).await;
        (job["status"] != "RUNNING").then_some(job)
    })
    .await
}

/// Adds the counts of all responses. Also returns the number of requests.
async fn preview(user: &User, body: &Value) -> (u64, f64, usize) {
    let (mut images, mut dollars, mut requests) = (0, 0.0, 0);
    let mut cursor = String::new();
    loop {
        let answer = post(user, &format!("/jobs/preview{cursor}"), body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        images += answer.body["images"].as_u64().expect("a number");
        dollars += answer.body["dollars"].as_f64().expect("a number");
        requests += 1;
        match answer.body["nextCursor"].as_str() {
            Some(next) => cursor = format!("?cursor={next}"),
            None => return (images, dollars, requests),
        }
    }
}

fn time(index: usize) -> String {
    format!(
        "2015-11-{:02}T10:{:02}:{:02}.000Z",
        10 + index / 3600,
        index / 60 % 60,
        index % 60
    )
}

/// Images of which every third one shows a dog.
fn library(images: usize) -> Vec<Seed> {
    (0..images)
        .map(|index| match index % 3 {
            0 => Seed::labeled(&time(index), &[("Cat", 90.0), ("Dog", 80.0)]),
            _ => Seed::labeled(&time(index), &[("Cat", 90.0)]),
        })
        .collect()
}

/// Uploads pictures. Their execution is not the one of a seeded image, which Step Functions does not know.
async fn pictures(stack: &Stack, user: &User, count: usize) -> Vec<ImageRecord> {
    let mut records = vec![];
    for _ in 0..count {
        let key = stack.upload_of(user, &File::unique()).await;
        records.push(stack.settled(&key).await.record);
    }
    records
}

/// Waits until each image has been labeled by a new execution. Returns the names of these executions.
async fn labeled_again(stack: &Stack, before: &[ImageRecord]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for record in before {
        let after = stack.settled_again(record).await;
        let name = after.execution.arn.rsplit(':').next().expect("a name");
        names.insert(name.to_owned());
    }
    names
}

fn job(user: &User, kind: JobKind) -> Job {
    let now = Timestamp::now();
    Job {
        // Longer than a test takes, so that Step Functions is not asked.
        updated_at: format!("{:.3}", now + SignedDuration::from_hours(1)),
        ..Job::new(JobId::new(), &user.owner, kind, now)
    }
}

async fn store(stack: &Stack, job: &Job) {
    let mut item: Item = serde_dynamo::to_item(job).expect("an item");
    item.extend(key(owner_partition(&job.owner), job_sort(job.job_id)));
    stack.write_items([item].into_iter()).await;
}

fn relabel_all(user: &User) -> Job {
    Job {
        relabel: Some(Relabel {
            selection: Selection::Search(Search::default()),
            older_than: None,
        }),
        ..job(user, JobKind::Relabel)
    }
}

fn remove_dog(user: &User) -> Job {
    let label = BTreeMap::from([("dog".to_owned(), None)]);
    Job {
        correction: Some(Correction {
            selection: Selection::Search(Search {
                labels: vec![label],
                ..Search::default()
            }),
            change: CorrectionChange {
                remove: vec!["Dog".into()],
                ..CorrectionChange::default()
            },
        }),
        ..job(user, JobKind::Correct)
    }
}

#[test]
fn relabeling_a_search_labels_exactly_its_images_and_counts_each_once() {
    run(async |stack| {
        let day = stack.day().await;
        let user = stack.new_user("relabel-job").await;
        let before = pictures(stack, &user, 3).await;
        let used = day.images(&owner_partition(&user.owner)).await;
        // A label that only two of them have.
        for record in &before[..2] {
            let path = format!("/images/{}/labels", record.image_id);
            let body = json!({"add": ["Chosen"]}).to_string();
            let corrected = user
                .api(Method::PATCH, &path, Some("application/json"), body)
                .await;
            assert_eq!(corrected.status, 200);
        }
        let body = json!({"kind": "RELABEL", "search": "label=chosen"});
        let (images, dollars, _) = preview(&user, &body).await;
        assert_eq!(images, 2);
        assert!((dollars - 0.002).abs() < 1e-9);
        let job = ended(&user, &start(&user, &body).await).await;
        assert_eq!(
            (&job["status"], &job["processed"], &job["changed"]),
            (&json!("SUCCEEDED"), &json!(3), &json!(2)),
            "{job}"
        );
        let names = labeled_again(stack, &before[..2]).await;
        let id = job["jobId"].as_str().expect("an ID");
        let expected = before[..2]
            .iter()
            .map(|record| format!("job-{id}-{}", record.image_id));
        assert_eq!(names, expected.collect());
        let third = stack
            .record(&stack.image(&before[2].key))
            .await
            .expect("a record");
        assert_eq!(third.execution_arn, before[2].execution_arn);
        assert_eq!(day.images(&owner_partition(&user.owner)).await, used + 2);
        let consistency = stack.consistency(&user.owner).await;
        assert_eq!(consistency.contradictions, Vec::<String>::new());
    });
}

/// The page says what a job costs before it starts.
#[test]
fn a_preview_counts_a_large_library_in_parts_and_starts_nothing() {
    run(async |stack| {
        let user = stack.new_user("preview").await;
        let mut images = library(4_300);
        images.truncate(4_300);
        stack.seed(&user.owner, &images).await;
        let dogs = images.iter().filter(|image| image.labels.len() == 2).count() as u64;
        for (body, expected) in [
            (json!({"kind": "RELABEL", "search": ""}), 4_300),
            (json!({"kind": "RELABEL", "search": "label=dog"}), dogs),
            (
                json!({"kind": "CORRECT", "search": "label=dog", "add": ["Pet"]}),
                dogs,
            ),
            // No image has a correction.
            (json!({"kind": "CORRECT", "search": "", "reset": ["Dog"]}), 0),
            (
                json!({"kind": "EXPORT", "format": "CSV", "search": "label=dog"}),
                dogs,
            ),
            (json!({"kind": "RELABEL", "search": "", "olderModel": true}), 0),
            (json!({"kind": "DELETE", "search": "label=dog"}), dogs),
            (
                json!({"kind": "DELETE", "search": "", "createdBefore": images[300].created_at}),
                300,
            ),
        ] {
            let (counted, dollars, requests) = preview(&user, &body).await;
            assert_eq!(counted, expected, "{body}");
            let price = if body["kind"] == "RELABEL" {
                expected as f64 * 0.001
            } else {
                0.0
            };
            assert!((dollars - price).abs() < 1e-6, "{body} {dollars}");
            assert!(requests > 1, "one request reads a part of the library");
        }
        let named = json!([images[0].image_id, images[1].image_id, ImageId::new()]);
        let (counted, _, requests) = preview(&user, &json!({"kind": "RELABEL", "ids": named})).await;
        assert_eq!((counted, requests), (2, 1));
        assert_eq!(get(&user, "/jobs").await.body["jobs"], json!([]));

        let answer = post(&user, "/jobs/preview", &json!({"kind": "RELABEL", "search": ""})).await;
        let limit = stack.quotas().await.images_of_jobs_per_day();
        assert_eq!(answer.body["imagesLeftToday"], limit);
        let cursor = answer.body["nextCursor"].as_str().expect("more");
        let path = format!("/jobs/preview?cursor={cursor}");
        let other = post(&user, &path, &json!({"kind": "RELABEL", "search": "label=dog"})).await;
        check_problem("another body", &other, 400, "invalid-field", Some("cursor"));
    });
}

/// A new version of the model finds other labels.
#[test]
fn only_images_of_an_older_model_are_labeled_again_on_request() {
    run(async |stack| {
        let user = stack.new_user("older").await;
        let before = pictures(stack, &user, 3).await;
        let set_model = async |record: &ImageRecord, version: &str| {
            use domain::table::{PARTITION_KEY, SORT_KEY};
            use records::WithExpressions;
            use records::expression::{Expressions, Update, text};
            let update = Update::new().set("modelVersion", text(version));
            let key = (owner_partition(&user.owner), image_sort(record.image_id));
            let set = stack.dynamodb.update_item().table_name(&stack.table);
            let set = set
                .key(PARTITION_KEY, AttributeValue::S(key.0))
                .key(SORT_KEY, AttributeValue::S(key.1));
            let set = set.with_expressions(Expressions::new().update(update));
            set.send().await.expect("an answer of the table");
        };
        set_model(&before[0], "local-0.9").await;
        let body = json!({"kind": "RELABEL", "search": "", "olderModel": true});
        assert_eq!(preview(&user, &body).await.0, 1);
        let job = ended(&user, &start(&user, &body).await).await;
        assert_eq!(
            (&job["status"], &job["changed"]),
            (&json!("SUCCEEDED"), &json!(1))
        );
        labeled_again(stack, &before[..1]).await;
        assert_eq!(preview(&user, &body).await.0, 0);
        let job = ended(&user, &start(&user, &body).await).await;
        assert_eq!(
            (&job["status"], &job["changed"]),
            (&json!("SUCCEEDED"), &json!(0))
        );
    });
}

/// A minute of video costs as much as 30 pictures.
#[test]
fn videos_are_labeled_again_with_their_minutes_unless_they_are_longer_than_a_day_allows() {
    run(async |stack| {
        let day = stack.day().await;
        let user = stack.new_user("relabeled-video").await;
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/video.mp4");
        let file = File::new("cat.mp4", std::fs::read(sample).expect("a sample"));
        let video = stack.upload_of(&user, &file).await;
        let before = stack.settled_as(&video, Status::Labeled).await.record;
        assert_eq!(day.video_minutes(&user.owner).await, 1);
        // Needs no file, because the job does not get there.
        let longer = Seed::labeled("2026-11-22T12:00:00.000Z", &[("Cat", 90.0)]);
        stack.seed(&user.owner, std::slice::from_ref(&longer)).await;
        let facts = json!({
            "durationMs": 1_000_000_000, "codec": "H.264", "container": "MP4", "width": 640, "height": 480,
        });
        let update = Update::new()
            .set("type", text("VIDEO"))
            .set("video", serde_dynamo::to_attribute_value(facts).expect("a value"));
        stack
            .update_item(&user.owner, image_sort(longer.image_id), update)
            .await;

        let body = json!({"kind": "RELABEL", "search": ""});
        let answer = post(&user, "/jobs/preview", &body).await.body;
        assert_eq!(
            (
                &answer["images"],
                &answer["videoMinutes"],
                &answer["skippedVideos"]
            ),
            (&json!(1), &json!(1), &json!(1)),
            "{answer}"
        );
        let dollars = answer["dollars"].as_f64().expect("a price");
        assert!((dollars - 0.03).abs() < 1e-9, "{answer}");
        let left = answer["videoMinutesLeftToday"].as_u64().expect("a number");
        let job = ended(&user, &start(&user, &body).await).await;
        assert_eq!(
            (&job["status"], &job["changed"]),
            (&json!("SUCCEEDED"), &json!(1))
        );
        let after = stack.settled_again(&before).await.record;
        assert_eq!(after.status, Status::Labeled);
        assert_eq!(day.video_minutes(&user.owner).await, 2);
        let answer = post(&user, "/jobs/preview", &body).await.body;
        assert_eq!(answer["videoMinutesLeftToday"], left - 1);
    });
}

/// Step Functions repeats a part whose answer it did not get: the images that it has labeled cost nothing again.
#[test]
fn a_repeated_part_labels_and_counts_no_image_twice() {
    run(async |stack| {
        let day = stack.day().await;
        let user = stack.new_user("repeated-relabel").await;
        let before = pictures(stack, &user, 2).await;
        let used = day.images(&owner_partition(&user.owner)).await;
        let running = relabel_all(&user);
        store(stack, &running).await;
        let input = json!({"jobId": running.job_id, "owner": user.owner});
        let done = stack.invoke("run-job-part", &input).await.expect("an answer");
        assert_eq!((&done["done"], &done["changed"]), (&json!(true), &json!(2)));
        let names = labeled_again(stack, &before).await;
        assert_eq!(names.len(), 2);

        // As if the first attempt had ended at its last image, before or after it has started the execution of that image.
        let last = before
            .iter()
            .map(|record| record.image_id)
            .min()
            .expect("an image");
        let first = before
            .iter()
            .map(|record| record.image_id)
            .max()
            .expect("an image");
        let interrupted = Job {
            total: Some(2),
            processed: 1,
            changed: 1,
            after: Some(first),
            pending: vec![last],
            ..running.clone()
        };
        store(stack, &interrupted).await;
        let repeated = stack.invoke("run-job-part", &input).await.expect("an answer");
        assert_eq!(
            (&repeated["done"], &repeated["processed"], &repeated["changed"]),
            (&json!(true), &json!(2), &json!(2))
        );
        // As if its progress had been lost completely.
        store(stack, &running).await;
        let repeated = stack.invoke("run-job-part", &input).await.expect("an answer");
        assert_eq!(
            (&repeated["processed"], &repeated["changed"]),
            (&json!(2), &json!(2))
        );
        for record in &before {
            let newest = stack.record(&stack.image(&record.key)).await.expect("a record");
            let arn = newest.execution_arn.expect("an execution");
            assert!(names.iter().any(|name| arn.ends_with(name)), "{arn}");
        }
        assert_eq!(day.images(&owner_partition(&user.owner)).await, used + 2);
    });
}

#[test]
fn a_job_that_reaches_the_daily_limit_waits_for_the_next_day_and_can_be_canceled() {
    run(async |stack| {
        let day = stack.day().await;
        let user = stack.new_user("limit").await;
        let before = pictures(stack, &user, 2).await;
        let limit = stack.quotas().await.images_of_jobs_per_day();
        let partition = owner_partition(&user.owner);
        day.set_images(&partition, limit - 1).await;
        let body = json!({"kind": "RELABEL", "search": ""});
        let answer = post(&user, "/jobs/preview", &body).await;
        assert_eq!(answer.body["imagesLeftToday"], 1);
        let job = start(&user, &body).await;
        let waiting = wait::until("the job waits", async || {
            let job = job_of(&user, &job).await;
            job.get("waitsUntil").is_some().then_some(job)
        })
        .await;
        assert_eq!(
            (&waiting["status"], &waiting["processed"], &waiting["changed"]),
            (&json!("RUNNING"), &json!(1), &json!(1))
        );
        let until: Timestamp = waiting["waitsUntil"]
            .as_str()
            .expect("a time")
            .parse()
            .expect("a time");
        assert!(until > Timestamp::now() && until.to_string().ends_with("T00:00:00Z"));
        assert_eq!(day.images(&partition).await, limit);
        let newest = before
            .iter()
            .max_by_key(|record| record.image_id)
            .expect("an image");
        labeled_again(stack, std::slice::from_ref(newest)).await;
        // Jobs leave a part of the limit to people.
        let current = stack.record(&stack.image(&newest.key)).await.expect("a record");
        let relabel = format!("/images/{}/relabel", newest.image_id);
        assert_eq!(user.api(Method::POST, &relabel, None, "").await.status, 202);
        labeled_again(stack, &[current]).await;

        let second = post(&user, "/jobs", &body).await;
        check_problem("a second relabeling", &second, 409, "too-many-jobs", None);
        let id = job["jobId"].as_str().expect("an ID");
        let canceled = user.api(Method::DELETE, &format!("/jobs/{id}"), None, "").await;
        assert_eq!(
            (canceled.status, &canceled.body["status"]),
            (200, &json!("CANCELED"))
        );
        assert!(canceled.body.get("waitsUntil").is_none());

        // The canceled job blocks nothing, and its next part does nothing.
        day.set_images(&partition, 0).await;
        let input =
            json!({"jobId": id, "owner": user.owner, "after": newest.image_id, "processed": 1, "changed": 1});
        let part = stack.invoke("run-job-part", &input).await.expect("an answer");
        assert_eq!((&part["done"], &part["changed"]), (&json!(true), &json!(1)));
        assert_eq!(day.images(&partition).await, 0);
        let next = ended(&user, &start(&user, &body).await).await;
        assert_eq!(
            (&next["status"], &next["changed"]),
            (&json!("SUCCEEDED"), &json!(2))
        );
    });
}

/// If it started again, a person would pay twice for the images that it has processed.
#[test]
fn a_canceled_or_failed_job_continues_with_the_images_that_it_has_not_processed() {
    run(async |stack| {
        let day = stack.day().await;
        let user = stack.new_user("resume").await;
        let before = pictures(stack, &user, 2).await;
        let ids = || before.iter().map(|record| record.image_id);
        let (first, last) = (ids().max().expect("an image"), ids().min().expect("an image"));
        let resume = async |job: &Job| {
            let path = format!("/jobs/{}/resume", job.job_id);
            user.api(Method::POST, &path, None, "").await
        };
        let long_ago = format!("{:.3}", Timestamp::now() - SignedDuration::from_hours(1));
        let interrupted = |job: Job, status| Job {
            status,
            total: Some(2),
            processed: 1,
            changed: 1,
            after: Some(first),
            // Step Functions does not know its execution.
            updated_at: long_ago.clone(),
            ..job
        };
        let used = day.images(&owner_partition(&user.owner)).await;
        let canceled = interrupted(relabel_all(&user), JobStatus::Canceled);
        store(stack, &canceled).await;
        let resumed = resume(&canceled).await;
        assert_eq!(
            (resumed.status, &resumed.body["status"]),
            (202, &json!("RUNNING"))
        );
        let ended = ended(&user, &resumed.body).await;
        assert_eq!(
            (&ended["status"], &ended["processed"], &ended["changed"]),
            (&json!("SUCCEEDED"), &json!(2), &json!(2))
        );
        let record = |id| {
            before
                .iter()
                .find(|record| record.image_id == id)
                .expect("an image")
        };
        labeled_again(stack, std::slice::from_ref(record(last))).await;
        let unchanged = stack
            .record(&stack.image(&record(first).key))
            .await
            .expect("a record");
        assert_eq!(unchanged.execution_arn, record(first).execution_arn);
        assert_eq!(day.images(&owner_partition(&user.owner)).await, used + 1);
        check_problem(
            "a job that has succeeded",
            &resume(&canceled).await,
            409,
            "cannot-resume",
            None,
        );

        let failed = interrupted(remove_dog(&user), JobStatus::Running);
        store(stack, &failed).await;
        let path = format!("/jobs/{}", failed.job_id);
        assert_eq!(get(&user, &path).await.body["status"], "FAILED");
        assert_eq!(resume(&failed).await.status, 202);
        let ended = self::ended(&user, &json!({"jobId": failed.job_id})).await;
        assert_eq!(
            (&ended["status"], &ended["processed"]),
            (&json!("SUCCEEDED"), &json!(2))
        );

        let undone = Job {
            is_undone: true,
            ..interrupted(remove_dog(&user), JobStatus::Canceled)
        };
        store(stack, &undone).await;
        check_problem(
            "a correction that was undone",
            &resume(&undone).await,
            409,
            "cannot-resume",
            None,
        );

        let settings = job(&user, JobKind::Refilter);
        store(stack, &settings).await;
        check_problem(
            "new settings",
            &resume(&settings).await,
            409,
            "cannot-resume",
            None,
        );
        check_problem(
            "no job",
            &resume(&job(&user, JobKind::Relabel)).await,
            404,
            "no-such-job",
            None,
        );
    });
}

/// On the next day, the job continues with the image that it could not count.
#[test]
fn a_job_that_has_waited_continues_where_it_stopped() {
    run(async |stack| {
        let user = stack.new_user("next-day").await;
        let before = pictures(stack, &user, 2).await;
        let ids: Vec<_> = before.iter().map(|record| record.image_id).collect();
        let (first, last) = (
            ids.iter().max().expect("an image"),
            ids.iter().min().expect("an image"),
        );
        let waiting = Job {
            total: Some(2),
            processed: 1,
            changed: 1,
            after: Some(*first),
            waits_until: Some("2026-01-01T00:00:00Z".into()),
            ..relabel_all(&user)
        };
        store(stack, &waiting).await;
        let input = json!({
            "jobId": waiting.job_id, "owner": user.owner, "after": first, "processed": 1, "changed": 1,
            "waitsUntil": "2026-01-01T00:00:00Z",
        });
        let done = stack.invoke("run-job-part", &input).await.expect("an answer");
        assert_eq!(
            (
                &done["done"],
                &done["processed"],
                &done["changed"],
                done.get("waitsUntil")
            ),
            (&json!(true), &json!(2), &json!(2), None)
        );
        let job = get(&user, &format!("/jobs/{}", waiting.job_id)).await.body;
        assert_eq!(
            (&job["status"], job.get("waitsUntil")),
            (&json!("SUCCEEDED"), None)
        );
        let last = before
            .iter()
            .find(|record| record.image_id == *last)
            .expect("an image");
        labeled_again(stack, std::slice::from_ref(last)).await;
    });
}

/// An execution can have 25,000 events. The page must not say in between that the job has failed.
#[test]
fn a_long_job_is_continued_by_another_execution_and_runs_at_every_moment() {
    run(async |stack| {
        let user = stack.new_user("long").await;
        let images = library(3);
        stack.seed(&user.owner, &images).await;
        let running = Job {
            // So old that Step Functions is asked at once.
            updated_at: format!("{:.3}", Timestamp::now() - SignedDuration::from_hours(1)),
            ..remove_dog(&user)
        };
        store(stack, &running).await;
        let name = running.job_id.to_string();
        let input = json!({"jobId": running.job_id, "owner": user.owner, "parts": MAX_PARTS});
        let first = stack
            .sfn
            .start_execution()
            .state_machine_arn(stack.machine_arn("run-job"))
            .name(&name)
            .input(input.to_string());
        let first = first.send().await.expect("an execution").execution_arn;
        let path = format!("/jobs/{name}");
        let job = wait::until("the job has ended", async || {
            let job = get(&user, &path).await.body;
            assert_ne!(job["status"], "FAILED", "{job}");
            (job["status"] != "RUNNING").then_some(job)
        })
        .await;
        assert_eq!(
            (&job["status"], &job["processed"], &job["changed"]),
            (&json!("SUCCEEDED"), &json!(3), &json!(1))
        );
        let stored = stack.job(&user.owner, running.job_id).await.expect("a job");
        assert_eq!(stored.execution_arn, Some(format!("{first}-2")));
        assert_eq!(stack.ended(&first).await.status, ExecutionStatus::Succeeded);
        let second = stack.ended(&format!("{first}-2")).await;
        assert_eq!(second.status, ExecutionStatus::Succeeded, "{second:?}");
    });
}

/// The page finds a waiting job again after many exports.
#[test]
fn running_jobs_are_listed_before_newer_ones_that_have_ended() {
    run(async |stack| {
        let user = stack.new_user("many-jobs").await;
        let waiting = relabel_all(&user);
        store(stack, &waiting).await;
        let mut newest = waiting.job_id;
        // More than a page of the list that is read.
        for _ in 0..105 {
            let ended = Job {
                status: JobStatus::Succeeded,
                ..job(&user, JobKind::Refilter)
            };
            store(stack, &ended).await;
            newest = ended.job_id;
        }
        let listed = get(&user, "/jobs").await.body;
        let ids: Vec<_> = listed["jobs"]
            .as_array()
            .expect("jobs")
            .iter()
            .map(|job| &job["jobId"])
            .collect();
        assert_eq!(ids.len(), 20);
        assert_eq!(ids[..2], [&json!(waiting.job_id), &json!(newest)]);
    });
}

#[test]
fn images_of_others_and_deleted_ones_are_neither_labeled_nor_corrected() {
    run(async |stack| {
        let day = stack.day().await;
        let (ann, bob) = (stack.new_user("ann").await, stack.new_user("bob").await);
        let images = library(6);
        stack.seed(&ann.owner, &images[..3]).await;
        stack.seed(&bob.owner, &images[3..]).await;
        stack.mark_deleted(&ann.owner, &images[0]).await;
        let ids: Vec<_> = images.iter().map(|image| image.image_id).collect();
        let body = json!({"kind": "CORRECT", "ids": ids, "add": ["Pet"]});
        assert_eq!(preview(&ann, &body).await.0, 2);
        let job = ended(&ann, &start(&ann, &body).await).await;
        assert_eq!(
            (&job["status"], &job["total"], &job["processed"], &job["changed"]),
            (&json!("SUCCEEDED"), &json!(6), &json!(6), &json!(2))
        );
        assert_eq!(all(&bob, "label=pet").await, Vec::<String>::new());
        let path = format!("/jobs/{}", job["jobId"].as_str().expect("an ID"));
        check_problem("another's job", &get(&bob, &path).await, 404, "no-such-job", None);

        let nobody = json!({"kind": "RELABEL", "ids": [images[0].image_id, images[4].image_id]});
        assert_eq!(preview(&ann, &nobody).await.0, 0);
        let job = ended(&ann, &start(&ann, &nobody).await).await;
        assert_eq!((&job["processed"], &job["changed"]), (&json!(2), &json!(0)));
        assert_eq!(day.images(&owner_partition(&ann.owner)).await, 0);
    });
}

#[test]
fn correcting_a_search_changes_records_rows_and_counts_and_reports_each_image() {
    run(async |stack| {
        let user = stack.new_user("correct-job").await;
        let images = library(150);
        stack.seed(&user.owner, &images).await;
        let body = json!({"kind": "CORRECT", "search": "label=dog", "add": ["Wolf"], "remove": ["Dog"]});
        let job = ended(&user, &start(&user, &body).await).await;
        assert_eq!(
            (&job["status"], &job["processed"], &job["changed"]),
            (&json!("SUCCEEDED"), &json!(150), &json!(50))
        );
        assert_eq!(all(&user, "label=wolf&limit=100").await.len(), 50);
        assert_eq!(all(&user, "label=dog&limit=100").await.len(), 0);
        let consistency = stack.consistency(&user.owner).await;
        assert_eq!(
            (consistency.records.len(), consistency.contradictions),
            (150, vec![])
        );
        for image in images.iter().step_by(30) {
            let events = stack.corrections(image.image_id).await;
            assert_eq!(events.len(), 1, "{:?}", image.labels);
            assert_eq!(
                events[0]["corrections"],
                json!({"added": ["Wolf"], "removed": ["Dog"]})
            );
        }
        assert_eq!(stack.corrections(images[1].image_id).await.len(), 0);
        let again = json!({"kind": "CORRECT", "search": "label=wolf", "add": ["Wolf"]});
        let job = ended(&user, &start(&user, &again).await).await;
        assert_eq!(job["changed"], 0, "they have the correction");
        let reset = json!({"kind": "CORRECT", "search": "label=wolf", "reset": ["Wolf", "Dog"]});
        let job = ended(&user, &start(&user, &reset).await).await;
        assert_eq!(job["changed"], 50);
        assert_eq!(all(&user, "label=dog&limit=100").await.len(), 50);
    });
}

async fn undo(user: &User, job: &Value) -> Value {
    let job = ended(
        user,
        &start(user, &json!({"kind": "UNDO", "jobId": job["jobId"]})).await,
    )
    .await;
    assert_eq!(job["status"], "SUCCEEDED");
    job
}

#[test]
fn a_correction_is_undone_in_exactly_the_images_that_it_has_changed() {
    run(async |stack| {
        let user = stack.new_user("undo-job").await;
        let images = library(150);
        stack.seed(&user.owner, &images).await;
        let patch = async |index: usize, body: Value| {
            let path = format!("/images/{}/labels", images[index].image_id);
            let corrected = user
                .api(Method::PATCH, &path, Some("application/json"), body.to_string())
                .await;
            assert_eq!(corrected.status, 200, "{corrected:?}");
        };
        // The job does not change what these say about a dog: they keep it.
        patch(1, json!({"add": ["Dog"]})).await;
        patch(2, json!({"remove": ["Dog"]})).await;
        let body = json!({"kind": "CORRECT", "search": "label=cat", "add": ["Wolf"], "remove": ["Dog"]});
        let corrected = ended(&user, &start(&user, &body).await).await;
        assert_eq!(
            (
                &corrected["changed"],
                all(&user, "label=dog&limit=100").await.len()
            ),
            (&json!(150), 0)
        );

        // Corrections by hand after the job stay, and a deleted image does not come back.
        patch(3, json!({"add": ["Dog"]})).await;
        patch(4, json!({"reset": ["Wolf"], "add": ["Boat"]})).await;
        let deleted = format!("/images/{}", images[6].image_id);
        assert_eq!(user.api(Method::DELETE, &deleted, None, "").await.status, 204);

        let wanted = json!({"kind": "UNDO", "jobId": corrected["jobId"]});
        assert_eq!(preview(&user, &wanted).await.0, 150);
        let undone = undo(&user, &corrected).await;
        assert_eq!(
            (&undone["kind"], &undone["processed"]),
            (&json!("UNDO"), &json!(150))
        );
        assert_eq!(undone["changed"], 149, "all except the deleted one");
        assert_eq!(all(&user, "label=wolf&limit=100").await.len(), 0);
        // 50 dogs of the model without the deleted one, and the dog that was added before.
        assert_eq!(all(&user, "label=dog&limit=100").await.len(), 50);
        let corrections = async |index: usize| {
            get(&user, &format!("/images/{}", images[index].image_id))
                .await
                .body["corrections"]
                .clone()
        };
        assert_eq!(corrections(0).await, json!({"added": [], "removed": []}));
        assert_eq!(corrections(1).await, json!({"added": ["Dog"], "removed": []}));
        assert_eq!(corrections(2).await, json!({"added": [], "removed": ["Dog"]}));
        assert_eq!(corrections(3).await, json!({"added": ["Dog"], "removed": []}));
        assert_eq!(corrections(4).await, json!({"added": ["Boat"], "removed": []}));
        assert_eq!(
            stack.corrections(images[0].image_id).await.len(),
            2,
            "both are reported"
        );
        let consistency = stack.consistency(&user.owner).await;
        assert_eq!(consistency.contradictions, Vec::<String>::new());

        // Labels that the owner corrects in the same way afterwards are not undone again.
        patch(0, json!({"add": ["Wolf"], "remove": ["Dog"]})).await;
        assert_eq!(undo(&user, &corrected).await["processed"], 0);
        assert_eq!(
            corrections(0).await,
            json!({"added": ["Wolf"], "removed": ["Dog"]})
        );
    });
}

#[test]
fn only_corrections_of_the_owner_that_have_ended_can_be_undone() {
    run(async |stack| {
        let [ann, bob] = [stack.new_user("undo-ann").await, stack.new_user("undo-bob").await];
        stack.seed(&ann.owner, &library(3)).await;
        let running = remove_dog(&ann);
        store(stack, &running).await;
        let export = start(&ann, &json!({"kind": "EXPORT", "format": "CSV"})).await;
        let undo = |id: &Value| json!({"kind": "UNDO", "jobId": id});
        for path in ["/jobs", "/jobs/preview"] {
            let running = json!(running.job_id);
            check_problem(
                "running",
                &post(&ann, path, &undo(&running)).await,
                409,
                "job-running",
                None,
            );
            let anothers = post(&bob, path, &undo(&running)).await;
            check_problem("another's", &anothers, 404, "no-such-job", None);
            let export = post(&ann, path, &undo(&export["jobId"])).await;
            check_problem("an export", &export, 400, "invalid-field", Some("jobId"));
        }
    });
}

/// What restores the images that the first attempt has restored is deleted.
#[test]
fn a_repeated_part_counts_restored_images_once() {
    run(async |stack| {
        let user = stack.new_user("repeated-undo").await;
        stack.seed(&user.owner, &library(9)).await;
        let body = json!({"kind": "CORRECT", "search": "label=dog", "add": ["Wolf"]});
        let corrected = ended(&user, &start(&user, &body).await).await;
        let job_id = JobId::parse(corrected["jobId"].as_str().expect("a job")).expect("an ID");
        let wolves = all(&user, "label=wolf").await;
        let wolves: Vec<_> = wolves.iter().filter_map(|id| ImageId::parse(id)).collect();
        let change = CorrectionChange {
            add: vec!["Wolf".into()],
            ..CorrectionChange::default()
        };
        let undo = Job {
            total: Some(3),
            pending: wolves,
            undo: Some(Undo { job_id, change }),
            ..job(&user, JobKind::Undo)
        };
        let input = json!({"jobId": undo.job_id, "owner": user.owner});
        // The second time as if the first attempt had ended before it could store its progress.
        for _ in 0..2 {
            store(stack, &undo).await;
            let done = stack.invoke("run-job-part", &input).await.expect("an answer");
            assert_eq!(
                (&done["done"], &done["processed"], &done["changed"]),
                (&json!(true), &json!(3), &json!(3))
            );
        }
        assert_eq!(all(&user, "label=wolf").await.len(), 0);
        assert_eq!(
            stack.consistency(&user.owner).await.contradictions,
            Vec::<String>::new()
        );
    });
}

/// The images that the first attempt has corrected no longer match the search.
#[test]
fn a_repeated_part_counts_corrected_images_once_and_reports_them_again() {
    run(async |stack| {
        let user = stack.new_user("repeated-correction").await;
        let images = library(9);
        stack.seed(&user.owner, &images).await;
        let running = remove_dog(&user);
        let input = json!({"jobId": running.job_id, "owner": user.owner});
        let dogs: Vec<_> = images
            .iter()
            .filter(|image| image.labels.len() == 2)
            .map(|image| image.image_id)
            .collect();
        // As if the first attempt had ended before it could store its progress.
        let interrupted = Job {
            total: Some(9),
            pending: dogs.clone(),
            ..running.clone()
        };
        for _ in 0..2 {
            store(stack, &interrupted).await;
            let done = stack.invoke("run-job-part", &input).await.expect("an answer");
            assert_eq!(
                (&done["done"], &done["processed"], &done["changed"]),
                (&json!(true), &json!(9), &json!(3))
            );
        }
        assert_eq!(stack.corrections(dogs[0]).await.len(), 2);
        assert_eq!(
            stack.consistency(&user.owner).await.contradictions,
            Vec::<String>::new()
        );
    });
}

fn delete_all(user: &User) -> Job {
    Job {
        deletion: Some(BulkDeletion {
            selection: Selection::Search(Search::default()),
            created_before: format!("{:.3}", Timestamp::now()),
        }),
        ..job(user, JobKind::Delete)
    }
}

/// With their objects, rows and counts, also while they are being labeled. Nothing costs anything.
#[test]
fn deleting_a_search_deletes_exactly_its_images_and_nothing_that_came_later() {
    run(async |stack| {
        let day = stack.day().await;
        let user = stack.new_user("delete-job").await;
        // Labels that the model does not know.
        let mut images: Vec<_> = (0..150)
            .map(|index| match index % 3 {
                0 => Seed::labeled(&time(index), &[("Alpha", 90.0), ("Beta", 80.0)]),
                _ => Seed::labeled(&time(index), &[("Alpha", 90.0)]),
            })
            .collect();
        // Added after the person has seen the number.
        let later = Seed::labeled("2099-01-01T00:00:00.000Z", &[("Beta", 90.0)]);
        images.push(later.clone());
        stack.seed(&user.owner, &images).await;
        let pictures = pictures(stack, &user, 3).await;
        let used = day.images(&owner_partition(&user.owner)).await;
        let ids: Vec<_> = pictures[..2].iter().map(|record| record.image_id).collect();
        let add = json!({"kind": "CORRECT", "ids": ids, "add": ["Beta"]});
        assert_eq!(ended(&user, &start(&user, &add).await).await["changed"], 2);
        // One of them is labeled again, and another request deletes one of the others.
        let before = stack
            .record(&stack.image(&pictures[0].key))
            .await
            .expect("a record");
        assert_eq!(user.relabel(ids[0]).await.status, 202);
        stack.settled_again(&before).await;
        assert_eq!(user.delete_image(images[0].image_id).await.status, 204);

        let mut body = json!({"kind": "DELETE", "search": "label=beta"});
        let counted = post(&user, "/jobs/preview", &body).await.body;
        assert_eq!(
            (&counted["images"], &counted["dollars"]),
            (&json!(51), &json!(0.0))
        );
        body["createdBefore"] = counted["examinedAt"].clone();
        let job = ended(&user, &start(&user, &body).await).await;
        assert_eq!(
            (&job["status"], &job["changed"], &job["resumable"]),
            (&json!("SUCCEEDED"), &json!(51), &json!(false)),
            "{job}"
        );
        assert_eq!(all(&user, "label=beta").await, [later.image_id.to_string()]);
        assert_eq!(all(&user, "label=alpha&limit=100").await.len(), 100);
        for record in &pictures[..2] {
            stack.check_nothing_left_of(&record.key).await;
        }
        let kept = stack.record(&stack.image(&pictures[2].key)).await;
        assert!(kept.is_some_and(|record| record.status == Status::Labeled));
        let consistency = stack.consistency(&user.owner).await;
        assert_eq!(consistency.contradictions, Vec::<String>::new());
        // The relabeling has counted one.
        assert_eq!(day.images(&owner_partition(&user.owner)).await, used + 1);
    });
}

/// A part that is repeated finds tombstones of its first attempt, closed or open, and images that it has not reached.
#[test]
fn a_repeated_part_deletes_and_counts_each_image_once() {
    run(async |stack| {
        let user = stack.new_user("repeated-deletion").await;
        let images = library(9);
        stack.seed(&user.owner, &images).await;
        let ids: Vec<_> = images.iter().map(|image| image.image_id).collect();
        let records = Records::new(stack.dynamodb.clone(), stack.table.clone());
        let open = records.mark_deleted(&user.owner, ids[1], Deletable::Image).await;
        assert!(matches!(open, Ok(Tombstone::Open(_))), "{open:?}");
        assert_eq!(user.delete_image(ids[2]).await.status, 204);
        for selection in [
            Selection::Search(Search::default()),
            Selection::Images(ids.clone()),
        ] {
            let deletion = BulkDeletion {
                selection,
                created_before: format!("{:.3}", Timestamp::now()),
            };
            let interrupted = Job {
                total: Some(9),
                pending: ids.clone(),
                deletion: Some(deletion),
                ..delete_all(&user)
            };
            store(stack, &interrupted).await;
            let input = json!({"jobId": interrupted.job_id, "owner": user.owner});
            let done = stack.invoke("run-job-part", &input).await.expect("an answer");
            assert_eq!(
                (&done["done"], &done["processed"], &done["changed"]),
                (&json!(true), &json!(9), &json!(9))
            );
        }
        assert_eq!(
            stack.consistency(&user.owner).await.contradictions,
            Vec::<String>::new()
        );
        assert_eq!(all(&user, "").await, Vec::<String>::new());
    });
}

/// The page offers to continue it, and says why it has stopped.
#[test]
fn a_deletion_that_has_stopped_can_be_continued_and_only_one_runs() {
    run(async |stack| {
        let user = stack.new_user("stopped-deletion").await;
        stack.seed(&user.owner, &library(6)).await;
        let running = delete_all(&user);
        store(stack, &running).await;
        let second = post(&user, "/jobs", &json!({"kind": "DELETE", "search": ""})).await;
        check_problem("a second deletion", &second, 409, "too-many-jobs", None);
        let path = format!("/jobs/{}", running.job_id);
        let canceled = user.api(Method::DELETE, &path, None, "").await.body;
        assert_eq!(
            (&canceled["status"], &canceled["resumable"], canceled.get("error")),
            (&json!("CANCELED"), &json!(true), None)
        );
        assert_eq!(all(&user, "").await.len(), 6);
        let resumed = user.api(Method::POST, &format!("{path}/resume"), None, "").await;
        assert_eq!(resumed.status, 202, "{resumed:?}");
        let job = ended(&user, &resumed.body).await;
        assert_eq!(
            (&job["status"], &job["changed"]),
            (&json!("SUCCEEDED"), &json!(6))
        );

        // Its execution has failed, because the record does not say what to delete.
        let broken = Job {
            deletion: None,
            updated_at: format!("{:.3}", Timestamp::now() - SignedDuration::from_hours(1)),
            ..delete_all(&user)
        };
        store(stack, &broken).await;
        let execution = stack
            .sfn
            .start_execution()
            .state_machine_arn(stack.machine_arn("run-job"))
            .name(broken.job_id.to_string())
            .input(json!({"jobId": broken.job_id, "owner": user.owner}).to_string());
        let execution = execution.send().await.expect("an execution").execution_arn;
        assert_eq!(stack.ended(&execution).await.status, ExecutionStatus::Failed);
        // The part has stored its execution, which is progress.
        store(stack, &broken).await;
        let failed = get(&user, &format!("/jobs/{}", broken.job_id)).await.body;
        assert_eq!(
            (&failed["status"], &failed["error"], &failed["resumable"]),
            (&json!("FAILED"), &json!("UnexpectedAnswer"), &json!(true)),
            "{failed}"
        );
        let listed = get(&user, "/jobs").await.body;
        assert_eq!(listed["jobs"][0]["error"], "UnexpectedAnswer", "{listed}");
    });
}

/// Whenever the owner cancels, the job changes nothing afterwards, and its counts stay.
#[test]
fn a_canceled_job_changes_nothing_more() {
    run(async |stack| {
        let day = stack.day().await;
        let user = stack.new_user("cancel-job").await;
        // Step Functions does not know them, and the workflow ignores their keys: each only takes its time.
        // They are enough for more than a minute, so that the job is still running when a busy machine cancels it.
        stack.seed(&user.owner, &library(400)).await;
        let job = start(&user, &json!({"kind": "RELABEL", "search": ""})).await;
        wait::until("some images have started", async || {
            let job = job_of(&user, &job).await;
            (job["changed"].as_u64() >= Some(1)).then_some(())
        })
        .await;
        let id = job["jobId"].as_str().expect("an ID");
        let canceled = user
            .api(Method::DELETE, &format!("/jobs/{id}"), None, "")
            .await
            .body;
        assert_eq!(canceled["status"], "CANCELED");
        let machine = stack.state_machine_arn.replace("-label-image", "-run-job");
        let execution = machine.replace(":stateMachine:", ":execution:");
        stack.ended(&format!("{execution}:{id}")).await;
        let ended = job_of(&user, &job).await;
        assert_eq!(ended["status"], "CANCELED");
        let counted = day.images(&owner_partition(&user.owner)).await;
        assert_eq!(ended["changed"], counted, "also the image that was being started");
        assert!(counted < 400);
    });
}

#[test]
fn an_invalid_job_is_rejected_with_the_field() {
    run(async |stack| {
        let user = stack.new_user("invalid-job").await;
        let id = ImageId::new();
        for (body, field) in [
            (json!({"kind": "REFILTER", "search": ""}), "kind"),
            (json!({"kind": "DELETE"}), "search"),
            (
                json!({"kind": "DELETE", "search": "", "createdBefore": "now"}),
                "createdBefore",
            ),
            (json!({"kind": "RELABEL"}), "search"),
            (json!({"kind": "RELABEL", "search": "", "ids": [id]}), "ids"),
            (json!({"kind": "RELABEL", "ids": []}), "ids"),
            (json!({"kind": "RELABEL", "ids": vec![id; 101]}), "ids"),
            (json!({"kind": "RELABEL", "search": "limit=5"}), "search"),
            (
                json!({"kind": "RELABEL", "search": "", "olderModel": 1}),
                "olderModel",
            ),
            (json!({"kind": "RELABEL", "search": "", "add": ["Cat"]}), "add"),
            (json!({"kind": "CORRECT", "search": ""}), "add"),
            (
                json!({"kind": "CORRECT", "search": "", "add": ["Cat"], "reset": ["cat"]}),
                "reset",
            ),
            (
                json!({"kind": "CORRECT", "search": "", "remove": ["a\u{0}b"]}),
                "remove",
            ),
        ] {
            for path in ["/jobs", "/jobs/preview"] {
                let answer = post(&user, path, &body).await;
                check_problem(
                    &body.to_string()[..40.min(body.to_string().len())],
                    &answer,
                    400,
                    "invalid-field",
                    Some(field),
                );
            }
        }
        let unknown = json!({"kind": "RELABEL", "search": "", "owner": "somebody"});
        check_problem(
            "owner",
            &post(&user, "/jobs", &unknown).await,
            400,
            "unknown-field",
            None,
        );
        let parameter = post(
            &user,
            "/jobs/preview?limit=5",
            &json!({"kind": "RELABEL", "search": ""}),
        )
        .await;
        check_problem("limit", &parameter, 400, "unknown-parameter", None);
        assert_eq!(get(&user, "/jobs").await.body["jobs"], json!([]));
    });
}
