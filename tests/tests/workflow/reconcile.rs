//! The reconciler repairs each kind of leftover once, leaves alone what is in progress, and continues after it was killed.
//! Each test reconciles only its own owner, and ages do not count, so that nothing has to wait.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::image::{THUMBNAILS_PREFIX, VIDEOS_PREFIX, execution_name};
use domain::reconciliation::{Cursor, Leftover, Pass, Repair};
use domain::table::{RECONCILIATION, image_sort};
use domain::{ImageId, ImageKey, ImageRecord, Owner, Rendition, Sequencer, Status};
use futures_util::future::join_all;
use jiff::Timestamp;
use records::expression::{Update, number, text};
use records::{Deletable, Records, Tombstone};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tests::api::File;
use tests::xtask::xtask;
use tests::{Stack, pictures, run, wait};

/// Runs of the reconciler for one owner.
struct Reconciler<'a> {
    stack: &'a Stack,
    owner: Owner,
}

impl Reconciler<'_> {
    async fn invoke(&self, options: &Value) -> Value {
        let mut input = json!({"owner": self.owner, "olderThanSeconds": 0});
        let options = options.as_object().expect("an object").clone();
        input.as_object_mut().expect("an object").extend(options);
        self.stack.invoke("reconcile", &input).await.expect("an answer")
    }

    /// A whole pass.
    async fn pass(&self) -> Pass {
        let mut options = json!({"newPass": true});
        let pass = wait::until("the pass is complete", async || {
            let output = self.invoke(&options).await;
            match output["progress"].as_str() {
                Some("BUSY") => None,
                Some("MORE") => {
                    options = json!({});
                    None
                }
                _ => Some(output["pass"].clone()),
            }
        })
        .await;
        serde_json::from_value(pass).expect("a pass")
    }

    /// What a whole pass has repaired. Nothing is left.
    async fn repaired(&self) -> BTreeMap<&'static str, u64> {
        let pass = self.pass().await;
        let counts = pass.findings.iter().map(|finding| {
            assert_eq!(finding.repair, Repair::Repaired, "{pass:?}");
            (finding.leftover.into(), finding.count)
        });
        counts.collect()
    }
}

/// The items of the image's owner as if no event had arrived. The object stays.
async fn forget(stack: &Stack, image: &ImageKey) {
    stack.delete_items_of(&image.owner).await;
}

/// The record of an image with this status, and nothing about a picture.
async fn put_record(stack: &Stack, image: &ImageKey, status: Status, others: &[(&str, &str)]) {
    let mut attributes = vec![
        ("imageId", text(image.image_id.to_string())),
        ("owner", text(image.owner.as_str())),
        ("status", text(status.as_str())),
        ("updatedAt", text("2026-11-22T12:00:00.000Z")),
        ("bucket", text(&stack.bucket)),
    ];
    attributes.extend(others.iter().map(|(name, value)| (*name, text(*value))));
    stack
        .put_item(&image.owner, image_sort(image.image_id), &attributes)
        .await;
}

async fn update(stack: &Stack, image: &ImageKey, update: Update) {
    stack
        .update_item(&image.owner, image_sort(image.image_id), update)
        .await;
}

/// An owner with a labeled picture under this name, its key, and the reconciler of this owner.
async fn labeled<'a>(stack: &'a Stack, name: &str) -> (String, ImageRecord, Reconciler<'a>) {
    let owner = stack.new_owner("reconcile");
    let key = format!("uploads/{owner}/{name}");
    stack.put_object(&key, pictures::cat()).await;
    let record = stack.settled_as(&key, Status::Labeled).await.record;
    stack.with_thumbnails(&key, |_| true).await;
    let owner = record.owner.clone();
    (key, record, Reconciler { stack, owner })
}

/// Somebody overwrites a picture, and the event is lost.
#[test]
fn an_object_that_has_replaced_another_one_is_labeled_once() {
    run(async |stack| {
        let (key, before, reconciler) = labeled(stack, "replaced.jpg").await;
        // As if the record were about another file.
        let other = Update::new().set("size", number(1));
        update(stack, &stack.image(&key), other).await;
        let repaired = reconciler.repaired().await;
        assert_eq!(repaired, BTreeMap::from([("UnprocessedObject", 1)]));
        let after = stack.settled_again(&before).await.record;
        assert_eq!((after.status, after.size), (Status::Labeled, before.size));
        check_unchanged(&reconciler, &key).await;
    });
}

/// Another pass finds nothing and changes nothing.
async fn check_unchanged(reconciler: &Reconciler<'_>, key: &str) {
    let stack = reconciler.stack;
    // Not those of an earlier result.
    let are_current = |record: &ImageRecord| {
        let execution = execution_name(record.execution_arn.as_deref().unwrap_or_default());
        let is_of = |thumbnail: &Rendition| thumbnail.key.contains(execution);
        record.thumbnails.iter().all(is_of)
    };
    let before = stack.with_thumbnails(key, are_current).await;
    // The listener deletes those of the earlier result after it has stored the new ones.
    let image = stack.image(key);
    let current: BTreeSet<_> = before
        .thumbnails
        .iter()
        .map(|thumbnail| thumbnail.key.clone())
        .collect();
    wait::until("only the current thumbnails are there", async || {
        let derived = stack.derived_of(&image).await;
        let is_current = |key: &String| !key.starts_with(THUMBNAILS_PREFIX) || current.contains(key);
        derived.iter().all(is_current).then_some(())
    })
    .await;
    assert_eq!(reconciler.repaired().await, BTreeMap::new());
    let after = stack.record_with_thumbnails(&stack.image(key)).await;
    assert_eq!(after, Some(before));
    let consistency = stack.consistency(&reconciler.owner).await;
    assert_eq!(consistency.contradictions, Vec::<String>::new());
}

#[test]
fn an_object_whose_event_was_lost_is_labeled_once_and_a_later_event_wins() {
    run(async |stack| {
        // A key that XML cannot contain would make the listing unreadable.
        let (key, before, reconciler) = labeled(stack, "a cat+%41\u{1}.jpg").await;
        forget(stack, &stack.image(&key)).await;
        let repaired = reconciler.repaired().await;
        assert_eq!(repaired["UnprocessedObject"], 1);
        // The thumbnails belonged to the execution before.
        assert!(repaired["OrphanedThumbnail"] > 0, "{repaired:?}");
        let again = stack.settled_as(&key, Status::Labeled).await.record;
        assert_eq!(again.labels, before.labels);
        assert_eq!(again.sequencer.as_deref(), Some(Sequencer::lowest().as_str()));
        assert!(
            again
                .execution_arn
                .as_deref()
                .expect("a claim")
                .contains("reconcile-")
        );
        check_unchanged(&reconciler, &key).await;

        stack.put_object(&key, pictures::sample("coffee.jpg")).await;
        let newer = stack.settled_again(&again).await.record;
        assert_ne!(newer.labels, before.labels);
        check_unchanged(&reconciler, &key).await;
    });
}

/// Its record has the name of the file.
#[test]
fn an_announced_upload_whose_event_was_lost_is_labeled_under_its_name() {
    run(async |stack| {
        let (key, _, reconciler) = labeled(stack, &ImageId::new().to_string()).await;
        let image = stack.image(&key);
        forget(stack, &image).await;
        let now = format!("{:.3}", Timestamp::now());
        let created = [
            ("key", key.as_str()),
            ("fileName", "my cat.jpg"),
            ("createdAt", now.as_str()),
            ("history", now.as_str()),
        ];
        put_record(stack, &image, Status::AwaitingUpload, &created).await;
        let repaired = reconciler.repaired().await;
        assert_eq!(repaired["UnprocessedObject"], 1);
        let record = stack.settled_as(&key, Status::Labeled).await.record;
        assert_eq!(record.file_name.as_deref(), Some("my cat.jpg"));
        assert_eq!(record.created_at, now);
        check_unchanged(&reconciler, &key).await;
    });
}

#[test]
fn an_object_that_arrived_after_its_deletion_is_deleted() {
    run(async |stack| {
        let (key, ..) = labeled(stack, &ImageId::new().to_string()).await;
        let image = stack.image(&key);
        let reconciler = Reconciler {
            stack,
            owner: image.owner.clone(),
        };
        forget(stack, &image).await;
        put_record(stack, &image, Status::Deleted, &[]).await;
        assert_eq!(reconciler.repaired().await["LateObject"], 1);
        assert!(!stack.has_object(&key).await);
        assert!(stack.derived_of(&image).await.is_empty());
        assert_eq!(reconciler.repaired().await, BTreeMap::new());
        let tombstone = stack.record(&image).await.expect("a tombstone");
        assert_eq!(tombstone.status, Status::Deleted);
    });
}

#[test]
fn a_new_picture_under_a_deleted_key_of_another_tool_is_labeled() {
    run(async |stack| {
        let (key, before, reconciler) = labeled(stack, "cat.jpg").await;
        let image = stack.image(&key);
        let seen = before.sequencer.as_deref().and_then(Sequencer::parse);
        let seen = seen.expect("a sequencer");
        forget(stack, &image).await;
        let closed = [("sequencer", seen.as_str()), ("executionArn", "arn")];
        put_record(stack, &image, Status::Deleted, &closed).await;
        assert_eq!(reconciler.repaired().await["UnprocessedObject"], 1);
        let again = stack.settled_as(&key, Status::Labeled).await.record;
        let sequencer = again.sequencer.as_deref().and_then(Sequencer::parse);
        assert_eq!(sequencer, seen.next());
        check_unchanged(&reconciler, &key).await;

        // The next event of S3 is later than both.
        stack.put_object(&key, pictures::cat()).await;
        stack.settled_again(&again).await;
    });
}

#[test]
fn an_image_whose_execution_has_ended_is_failed_and_can_be_labeled_again() {
    run(async |stack| {
        let (key, before, reconciler) = labeled(stack, "cat.jpg").await;
        let image = stack.image(&key);
        let arn = format!(
            "{}:gone-{}",
            stack.state_machine_arn.replace(":stateMachine:", ":execution:"),
            ImageId::new()
        );
        let processing = Update::new()
            .set("status", text("PROCESSING"))
            .set("executionArn", text(&arn));
        update(stack, &image, processing).await;
        assert_eq!(reconciler.repaired().await, BTreeMap::from([("StuckImage", 1)]));
        let failed = stack.record(&image).await.expect("a record");
        assert_eq!((failed.status, failed.execution_arn), (Status::Failed, Some(arn)));
        assert_eq!(failed.labels, before.labels);
        assert!(failed.error.expect("an error").message.contains("Label it again"));
        wait::until("the failure is announced", async || {
            let sent = stack.notifications(image.image_id).await;
            let is_failure = |sent: &&str| *sent == "Image Labeling Failed";
            sent.iter()
                .map(|sent| sent.detail_type.as_str())
                .find(is_failure)
                .map(drop)
        })
        .await;
        assert_eq!(reconciler.repaired().await, BTreeMap::new());

        // An event that repeats a failed one labels the image.
        let sequencer = before.sequencer.expect("a sequencer");
        let ended = stack.execute(&stack.object_created(&key, &sequencer)).await;
        assert_eq!(ended.last_state(), "Send notification");
        check_unchanged(&reconciler, &key).await;
    });
}

#[test]
fn an_interrupted_deletion_is_completed() {
    run(async |stack| {
        for name in ["cat.jpg", &ImageId::new().to_string()] {
            let (key, record, reconciler) = labeled(stack, name).await;
            let records = Records::new(stack.dynamodb.clone(), stack.table.clone());
            let marked = records
                .mark_deleted(&record.owner, record.image_id, Deletable::Image)
                .await
                .expect("a tombstone");
            assert!(matches!(marked, Tombstone::Open(_)), "{marked:?}");
            let repaired = reconciler.repaired().await;
            assert_eq!(repaired.get("OpenTombstone"), Some(&1), "{name}: {repaired:?}");
            stack.check_nothing_left_of(&key).await;
            assert!(stack.label_counts(&record.owner).await.is_empty());
            assert_eq!(reconciler.repaired().await, BTreeMap::new());
        }
    });
}

#[test]
fn missing_thumbnails_are_made_and_those_of_no_image_are_deleted() {
    run(async |stack| {
        let (key, record, reconciler) = labeled(stack, "cat.jpg").await;
        let image = stack.image(&key);
        for key in stack.derived_of(&image).await {
            stack.delete_object(&key).await;
        }
        update(stack, &image, Update::new().remove(["thumbnails"])).await;
        let owner = record.owner.as_str();
        let orphans = [
            format!("thumbnails/{owner}/{}/earlier/320", record.image_id),
            format!("thumbnails/{owner}/{}/one/320", ImageId::new()),
        ];
        for orphan in &orphans {
            stack.put_object(orphan, "a thumbnail").await;
        }
        let expected = BTreeMap::from([("MissingThumbnails", 1), ("OrphanedThumbnail", 2)]);
        assert_eq!(reconciler.repaired().await, expected);
        for orphan in &orphans {
            assert!(!stack.has_object(orphan).await, "{orphan}");
        }
        check_unchanged(&reconciler, &key).await;
    });
}

/// A run of a step may have died before it deleted them, and so may `thumbnails`.
#[test]
fn files_of_videos_that_nothing_needs_are_deleted() {
    run(async |stack| {
        let owner = stack.new_owner("reconcile");
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/video.mp4");
        let key = format!("uploads/{owner}/cat.mp4");
        stack
            .put_object(&key, std::fs::read(sample).expect("a sample"))
            .await;
        let labeled = stack.with_thumbnails(&key, |_| true).await;
        // A picture, so that no step is needed.
        let rejected = format!("uploads/{owner}/text.jpg");
        stack.put_object(&rejected, pictures::TEXT).await;
        let rejected = stack.settled_as(&rejected, Status::Rejected).await.record;
        let image = stack.image(&key);
        let is_of_video = |key: &String| key.starts_with(VIDEOS_PREFIX);
        wait::until("the video has only what its record names", async || {
            let derived = stack.derived_of(&image).await;
            (derived.iter().filter(|key| is_of_video(key)).count() == 3).then_some(())
        })
        .await;
        let before = stack.derived_of(&image).await;
        let name = |record: &ImageRecord| {
            let arn = record.execution_arn.as_deref().expect("a claim");
            execution_name(arn).to_owned()
        };
        let orphans = [
            format!("videos/{owner}/{}/one/poster.jpg", ImageId::new()),
            format!("videos/{owner}/{}/earlier/timeline.json", labeled.image_id),
            format!(
                "videos/{owner}/{}/{}/frames-0-60.json",
                labeled.image_id,
                name(&labeled)
            ),
            format!(
                "videos/{owner}/{}/{}/plan.json",
                rejected.image_id,
                name(&rejected)
            ),
        ];
        for orphan in &orphans {
            stack.put_object(orphan, "a file").await;
        }
        let owner = labeled.owner.clone();
        let reconciler = Reconciler { stack, owner };
        let expected = BTreeMap::from([("OrphanedVideoObject", 4)]);
        assert_eq!(reconciler.repaired().await, expected);
        for orphan in &orphans {
            assert!(!stack.has_object(orphan).await, "{orphan}");
        }
        assert_eq!(stack.derived_of(&image).await, before);
        assert_eq!(reconciler.repaired().await, BTreeMap::new());
    });
}

/// Deletions, uploads of the page, and objects of other tools, while one pass follows the other, and nothing is too young.
#[test]
fn passes_beside_live_uploads_and_deletions_change_nothing_of_theirs() {
    const IMAGES: usize = 4;
    run(async |stack| {
        let user = &stack.new_user("reconcile").await;
        let reconciler = &Reconciler {
            stack,
            owner: user.owner.clone(),
        };
        let owner = user.owner.as_str();
        let upload = async |file: File| stack.upload_of(user, &file).await;
        let put = async |number: usize| {
            let key = format!("uploads/{owner}/{number}.jpg");
            stack.put_object(&key, pictures::cat()).await;
            key
        };
        let delete = async |key: String| {
            // At any moment between its upload and its thumbnails.
            let answer = user.delete_image(stack.image(&key).image_id).await;
            assert!([204, 404].contains(&answer.status), "{answer:?}");
        };
        let live = async {
            let uploaded = join_all((0..2 * IMAGES).map(|_| upload(File::unique()))).await;
            let put = join_all((0..IMAGES).map(put)).await;
            let (deleted, kept) = uploaded.split_at(IMAGES);
            join_all(deleted.iter().cloned().map(delete)).await;
            let kept: Vec<String> = kept.iter().chain(&put).cloned().collect();
            join_all(kept.iter().map(async |key| {
                wait::until("the picture is labeled", async || {
                    let record = stack.record(&stack.image(key)).await?;
                    (record.status == Status::Labeled).then_some(())
                })
                .await;
            }))
            .await;
            (deleted.to_vec(), kept)
        };
        let passes = async {
            loop {
                reconciler.pass().await;
            }
        };
        let (deleted, kept) = tokio::select! {
            keys = live => keys,
            () = passes => unreachable!("passes do not end"),
        };
        // Until the executions that passes have started, and their thumbnails, are complete.
        wait::until("a pass finds nothing", async || {
            let pass = reconciler.pass().await;
            pass.findings.is_empty().then_some(())
        })
        .await;
        for key in &deleted {
            stack.check_nothing_left_of(key).await;
        }
        let consistency = stack.consistency(&user.owner).await;
        assert_eq!(consistency.contradictions, Vec::<String>::new());
        for key in &kept {
            let record = stack.with_thumbnails(key, |_| true).await;
            assert_eq!(record.status, Status::Labeled, "{record:?}");
        }
        let cats = stack.label_counts(&user.owner).await["Cat"];
        assert_eq!(usize::try_from(cats), Ok(kept.len()), "each counts once");
    });
}

/// A function that is killed leaves its cursor and its lease behind.
#[test]
fn a_run_continues_at_the_place_of_one_that_was_killed_and_waits_for_one_that_works() {
    run(async |stack| {
        let (key, _, reconciler) = labeled(stack, "cat.jpg").await;
        let owner = &reconciler.owner;
        forget(stack, &stack.image(&key)).await;
        let orphan = format!("thumbnails/{}/{}/one/320", owner.as_str(), ImageId::new());
        stack.put_object(&orphan, "a thumbnail").await;
        let mut pass = Pass::new(Timestamp::now());
        pass.cursor = Cursor::Thumbnails { after: None };
        pass.add(Leftover::StuckImage, Repair::Repaired);
        let stored: AttributeValue = serde_dynamo::to_attribute_value(&pass).expect("a pass");
        let left_by = async |until: i64| {
            let attributes = [
                ("holder", text("killed")),
                ("until", AttributeValue::N(until.to_string())),
                ("pass", stored.clone()),
            ];
            stack
                .put_item(owner, RECONCILIATION.to_owned(), &attributes)
                .await;
        };
        let now = Timestamp::now().as_millisecond();
        left_by(now + 3_600_000).await;
        assert_eq!(reconciler.invoke(&json!({})).await["progress"], "BUSY");
        assert_eq!(
            reconciler.invoke(&json!({"newPass": true})).await["progress"],
            "BUSY"
        );
        assert!(stack.has_object(&orphan).await);

        left_by(now - 1).await;
        let output = reconciler.invoke(&json!({})).await;
        assert_eq!(output["progress"], "DONE");
        let done: Pass = serde_json::from_value(output["pass"].clone()).expect("a pass");
        assert_eq!(done.started_at, pass.started_at);
        assert_eq!(
            done.count(Leftover::StuckImage, Repair::Repaired),
            1,
            "what was counted before"
        );
        assert_eq!(
            done.count(Leftover::UnprocessedObject, Repair::Repaired),
            0,
            "this phase was complete"
        );
        assert!(!stack.has_object(&orphan).await);
        assert_eq!(stack.record(&stack.image(&key)).await, None);

        // The next pass is due in a day.
        assert_eq!(reconciler.invoke(&json!({})).await["progress"], "NOT_DUE");
        assert_eq!(reconciler.repaired().await["UnprocessedObject"], 1);
        stack.settled_as(&key, Status::Labeled).await;
    });
}

#[test]
fn the_command_shows_what_is_left_over_before_it_repairs_it() {
    run(async |stack| {
        let (key, _, reconciler) = labeled(stack, "cat.jpg").await;
        let image = stack.image(&key);
        forget(stack, &image).await;
        let command = |options: &[&str]| {
            let owner = format!("--owner={}", reconciler.owner.as_str());
            let arguments = [&["reconcile", &owner, "--older-than", "1s"], options].concat();
            let output = xtask(&arguments, &stack.folder);
            let printed = String::from_utf8_lossy(&output.stdout).into_owned();
            (
                output.status.code(),
                printed + &String::from_utf8_lossy(&output.stderr),
            )
        };
        wait::until("the object is a second old", async || {
            let (code, printed) = command(&["--dry-run"]);
            printed.contains("1  objects that were not processed").then(|| {
                assert_eq!(code, Some(1), "{printed}");
            })
        })
        .await;
        assert_eq!(stack.record(&image).await, None, "a dry run repairs nothing");
        let (code, printed) = command(&[]);
        assert_eq!(code, Some(0), "{printed}");
        stack.settled_as(&key, Status::Labeled).await;
        stack.with_thumbnails(&key, |_| true).await;
        wait::until("nothing is left over", async || {
            command(&[]).1.contains("Nothing is left over.").then_some(())
        })
        .await;
    });
}
