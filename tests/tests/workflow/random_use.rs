//! People and tools do what they like, in any order: whatever that is, records, label rows, counts and objects tell the
//! same story afterwards.

use domain::{ImageKey, Status};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::{BTreeMap, BTreeSet};
use tests::api::File;
use tests::users::User;
use tests::{Stack, pictures, run};

/// How many owners each do something else.
const OWNERS: usize = 4;

/// What somebody does. Keys and pictures are named by their number.
#[derive(Debug, Clone)]
enum Action {
    /// Another tool puts a picture, over whatever is there.
    Put(usize, usize),
    /// A picture is uploaded through the API: it has the next key.
    Upload(usize),
    Relabel(usize),
    Delete(usize),
    /// The event that the record tells of comes once more.
    Repeat(usize),
    /// An event comes that is older than all others.
    Old(usize),
    /// Nothing, until all that was begun has ended.
    Wait,
}

/// The keys that tools use. Those of uploads follow.
const PUT_KEYS: usize = 2;

fn action() -> impl Strategy<Value = Action> {
    let (key, picture) = (0..PUT_KEYS + 3, 0..4_usize);
    prop_oneof![
        4 => (0..PUT_KEYS, picture.clone()).prop_map(|(key, picture)| Action::Put(key, picture)),
        2 => picture.prop_map(Action::Upload),
        3 => key.clone().prop_map(Action::Relabel),
        3 => key.clone().prop_map(Action::Delete),
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

/// An owner, and how many executions there must be about each key.
struct Life<'a> {
    stack: &'a Stack,
    user: User,
    keys: Vec<String>,
    executions: BTreeMap<String, usize>,
}

impl Life<'_> {
    async fn act(&mut self, action: &Action) {
        let (number, begun) = match action {
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
            // Too early for a key that is not there yet.
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
        *self.executions.entry(self.keys[number].clone()).or_default() += usize::from(begun);
    }

    fn image(&self, number: usize) -> ImageKey {
        self.stack.image(&self.keys[number])
    }

    async fn wait(&self) {
        for (key, count) in &self.executions {
            self.stack.executions_about(key, *count).await;
        }
    }

    async fn check(&self) {
        let story = self.stack.story(&self.user.owner).await;
        assert_eq!(story.contradictions, Vec::<String>::new());
        let objects: BTreeSet<String> = self
            .stack
            .objects_of(&self.user.owner)
            .await
            .into_iter()
            .collect();
        for key in &self.keys {
            let record = self.stack.record(&self.stack.image(key)).await;
            match record.map(|record| record.status) {
                Some(Status::Labeled) => assert!(objects.contains(key), "{key} is labeled and gone"),
                // Of what was deleted, the file can be gone: an event about it came once more.
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
fn whatever_people_do_records_rows_counts_and_objects_tell_the_same_story() {
    run(async |stack| {
        let mut runner = TestRunner::default();
        let actions = prop::collection::vec(action(), 8..20);
        for _ in 0..OWNERS {
            let actions = actions.new_tree(&mut runner).expect("actions").current();
            // Shown where the test fails.
            println!("{actions:?}");
            let user = stack.new_user("random").await;
            let keys = (0..PUT_KEYS).map(|number| format!("uploads/{}/{number}.jpg", user.owner.as_str()));
            let mut life = Life {
                stack,
                keys: keys.collect(),
                user,
                executions: BTreeMap::new(),
            };
            for action in &actions {
                life.act(action).await;
            }
            life.wait().await;
            life.check().await;
            life.user.delete_data().await;
            for key in &life.keys {
                stack.check_nothing_left_of(key).await;
            }
            assert_eq!(stack.left_of_owner(&life.user.owner).await, Vec::<String>::new());
        }
    });
}
