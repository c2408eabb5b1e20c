//! Random actions of users and other tools, in any order: records, label rows, counts and objects are consistent
//! afterwards.

use domain::{ImageKey, Status};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use reqwest::Method;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use tests::api::File;
use tests::users::User;
use tests::{Stack, pictures, run, wait};

/// Owners, each with its own actions.
const OWNERS: usize = 4;

/// An action. Keys and pictures are numbered.
#[derive(Debug, Clone)]
enum Action {
    /// Another tool puts a picture, and overwrites an earlier one.
    Put(usize, usize),
    /// A picture is uploaded through the API, with the next key.
    Upload(usize),
    Relabel(usize),
    Delete(usize),
    /// A job deletes all images, while the next actions happen.
    DeleteAll,
    /// The event of the current record is delivered again.
    Repeat(usize),
    /// An event is delivered that is older than all others.
    Old(usize),
    /// Waits until all executions have ended.
    Wait,
}

/// The number of keys that other tools use. The keys of uploads follow.
const PUT_KEYS: usize = 2;

fn action() -> impl Strategy<Value = Action> {
    let (key, picture) = (0..PUT_KEYS + 3, 0..4_usize);
    prop_oneof![
        4 => (0..PUT_KEYS, picture.clone()).prop_map(|(key, picture)| Action::Put(key, picture)),
        2 => picture.prop_map(Action::Upload),
        3 => key.clone().prop_map(Action::Relabel),
        3 => key.clone().prop_map(Action::Delete),
        1 => Just(Action::DeleteAll),
        1 => key.clone().prop_map(Action::Repeat),
        1 => key.prop_map(Action::Old),
        3 => Just(Action::Wait),
    ]
}

fn picture(number: usize) -> Vec<u8> {
    match number {
        0 => pictures::cat(),
        1 => pictures::sample("coffee.jpg"),
        2 => pictures::sample("astronaut.jpg"),
        _ => pictures::GIF.to_vec(),
    }
}

/// An owner, and the minimum of executions about each key.
struct Session<'a> {
    stack: &'a Stack,
    user: User,
    keys: Vec<String>,
    executions: BTreeMap<String, usize>,
}

impl Session<'_> {
    async fn act(&mut self, action: &Action) {
        let (number, has_started) = match action {
            Action::Put(number, picture) => {
                self.stack
                    .put_object(&self.keys[*number], self::picture(*picture))
                    .await;
                (*number, true)
            }
            Action::Upload(picture) => {
                let file = File::new("picture.jpg", self::picture(*picture));
                self.keys.push(self.stack.upload_of(&self.user, &file).await);
                (self.keys.len() - 1, true)
            }
            Action::Wait => return self.wait().await,
            Action::DeleteAll => {
                let body = json!({"kind": "DELETE", "search": ""}).to_string();
                let answer = self
                    .user
                    .api(Method::POST, "/jobs", Some("application/json"), body)
                    .await;
                assert!([202, 409].contains(&answer.status), "{answer:?}");
                return;
            }
            // The key does not exist yet.
            Action::Relabel(number)
            | Action::Delete(number)
            | Action::Repeat(number)
            | Action::Old(number)
                if *number >= self.keys.len() =>
            {
                return;
            }
            Action::Relabel(number) => {
                let answer = self.user.relabel(self.image(*number).image_id).await;
                assert!([202, 404, 409].contains(&answer.status), "{answer:?}");
                (*number, answer.status == 202)
            }
            Action::Delete(number) => {
                let answer = self.user.delete_image(self.image(*number).image_id).await;
                assert!([204, 404].contains(&answer.status), "{answer:?}");
                (*number, false)
            }
            Action::Repeat(number) => {
                let record = self.stack.record(&self.image(*number)).await;
                let sequencer = record.and_then(|record| record.sequencer);
                if let Some(sequencer) = &sequencer {
                    let event = self.stack.object_created(&self.keys[*number], sequencer);
                    self.stack.start(&event).await;
                }
                (*number, sequencer.is_some())
            }
            Action::Old(number) => {
                self.stack
                    .start(&self.stack.object_created(&self.keys[*number], "0"))
                    .await;
                (*number, true)
            }
        };
        *self.executions.entry(self.keys[number].clone()).or_default() += usize::from(has_started);
    }

    fn image(&self, number: usize) -> ImageKey {
        self.stack.image(&self.keys[number])
    }

    async fn wait(&self) {
        for (key, count) in &self.executions {
            self.stack.executions_about(key, *count).await;
        }
        wait::until("all jobs have succeeded", async || {
            let listed = self.user.api(Method::GET, "/jobs", None, "").await.body;
            let jobs = listed["jobs"].as_array().expect("jobs");
            assert!(jobs.iter().all(|job| job["status"] != "FAILED"), "{listed}");
            jobs.iter().all(|job| job["status"] == "SUCCEEDED").then_some(())
        })
        .await;
    }

    async fn check(&self) {
        let consistency = self.stack.consistency(&self.user.owner).await;
        assert_eq!(consistency.contradictions, Vec::<String>::new());
        let objects: BTreeSet<String> = self
            .stack
            .objects_of(&self.user.owner)
            .await
            .into_iter()
            .collect();
        for key in &self.keys {
            let record = self.stack.record(&self.stack.image(key)).await;
            match record.map(|record| record.status) {
                Some(Status::Labeled) => assert!(objects.contains(key), "{key} is labeled and has no object"),
                // The file can be deleted, if an event about it was delivered again.
                Some(Status::Rejected) => {}
                Some(Status::Deleted) | None => {
                    self.stack.check_nothing_left_of(key).await;
                }
                other => panic!("{key} is {other:?}"),
            }
        }
    }
}

#[test]
fn random_actions_leave_records_rows_counts_and_objects_consistent() {
    run(async |stack| {
        // The same actions in each run, so that a failure can be repeated.
        let mut runner = TestRunner::deterministic();
        let actions = prop::collection::vec(action(), 8..20);
        for _ in 0..OWNERS {
            let actions = actions.new_tree(&mut runner).expect("actions").current();
            // Shown if the test fails.
            println!("{actions:?}");
            let user = stack.new_user("random").await;
            let keys = (0..PUT_KEYS).map(|number| format!("uploads/{}/{number}.jpg", user.owner.as_str()));
            let mut session = Session {
                stack,
                keys: keys.collect(),
                user,
                executions: BTreeMap::new(),
            };
            for action in &actions {
                session.act(action).await;
            }
            session.wait().await;
            session.check().await;
            session.user.delete_data().await;
            for key in &session.keys {
                stack.check_nothing_left_of(key).await;
            }
            assert_eq!(
                stack.left_of_owner(&session.user.owner).await,
                Vec::<String>::new()
            );
        }
    });
}
