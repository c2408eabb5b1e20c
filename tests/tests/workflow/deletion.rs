//! A deleted image is gone and stays gone, whatever arrives later, and images of other owners stay.

use crate::failed_executions::stop_before_first_step;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sfn::types::ExecutionStatus;
use domain::table::{PARTITION_KEY, SORT_KEY, image_sort, owner_partition};
use domain::{ImageId, Status};
use records::WithExpressions;
use records::expression::{Expressions, Update, text};
use tests::api::File;
use tests::images::LAST_SEQUENCER;
use tests::users::User;
use tests::{Stack, pictures, run, wait};

/// The only image of a user.
struct Subject<'a> {
    stack: &'a Stack,
    user: User,
    key: String,
}

impl<'a> Subject<'a> {
    /// Uploaded through the API, with a result and thumbnails.
    async fn uploaded(stack: &'a Stack, file: &File) -> Self {
        let user = stack.new_user("deletion").await;
        let key = stack.upload_of(&user, file).await;
        if stack.settled(&key).await.record.status == Status::Labeled {
            stack.with_thumbnails(&key, |_| true).await;
        }
        Self { stack, user, key }
    }

    /// Put by another tool under its own name, labeled, with thumbnails.
    async fn put(stack: &'a Stack) -> Self {
        let user = stack.new_user("deletion").await;
        let key = format!("uploads/{}/my cat.jpg", user.owner.as_str());
        stack.put_object(&key, pictures::cat()).await;
        stack.settled_as(&key, Status::Labeled).await;
        stack.with_thumbnails(&key, |_| true).await;
        Self { stack, user, key }
    }

    fn id(&self) -> ImageId {
        self.stack.image(&self.key).image_id
    }

    async fn delete(&self) {
        let answer = self.user.delete_image(self.id()).await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }

    async fn check_gone(&self) {
        self.stack.check_nothing_left_of(&self.key).await;
        assert_eq!(self.user.get_image(self.id()).await.status, 404);
        assert!(self.stack.label_counts(&self.user.owner).await.is_empty());
    }

    /// Delivers an event about the object again; returns the last state of its execution.
    async fn deliver(&self, sequencer: &str) -> String {
        let event = self.stack.object_created(&self.key, sequencer);
        let ended = self.stack.execute(&event).await;
        assert_eq!(ended.status, ExecutionStatus::Succeeded, "{ended:?}");
        ended.last_state().to_owned()
    }

    /// Leaves the record as a deletion does that stops before it has deleted anything else.
    async fn mark_only(&self) {
        let update = Update::new().set("status", text("DELETED")).remove([
            "labels",
            "fileName",
            "size",
            "format",
            "width",
            "height",
            "metadata",
            "thumbnails",
            "modelVersion",
        ]);
        self.stack
            .dynamodb
            .update_item()
            .table_name(&self.stack.table)
            .key(
                PARTITION_KEY,
                AttributeValue::S(owner_partition(&self.user.owner)),
            )
            .key(SORT_KEY, AttributeValue::S(image_sort(self.id())))
            .with_expressions(Expressions::new().update(update))
            .send()
            .await
            .expect("a tombstone");
    }
}

#[test]
fn the_deletion_of_an_image_with_any_result_leaves_nothing() {
    run(async |stack| {
        for (file, status) in [
            (File::cat(), Status::Labeled),
            (File::new("cat.webp", pictures::webp()), Status::Labeled),
            (File::new("cat.jpg", pictures::GIF), Status::Rejected),
        ] {
            let subject = Subject::uploaded(stack, &file).await;
            assert_eq!(
                stack
                    .record(&stack.image(&subject.key))
                    .await
                    .map(|record| record.status),
                Some(status)
            );
            subject.delete().await;
            subject.check_gone().await;
            // A page may repeat a request that got no answer.
            subject.delete().await;
            subject.check_gone().await;
        }
    });
}

#[test]
fn an_image_that_failed_or_has_no_object_can_be_deleted() {
    run(async |stack| {
        let subject = Subject::put(stack).await;
        stack.delete_object(&subject.key).await;
        subject.delete().await;
        subject.check_gone().await;

        let failed = wait::until("an execution is stopped before its first step", async || {
            let subject = Subject::put(stack).await;
            stop_before_first_step(stack, &subject.key).await?;
            Some(subject)
        })
        .await;
        stack.settled_as(&failed.key, Status::Failed).await;
        failed.delete().await;
        failed.check_gone().await;
    });
}

#[test]
fn no_late_event_restores_a_deleted_image() {
    run(async |stack| {
        for subject in [
            Subject::uploaded(stack, &File::cat()).await,
            Subject::put(stack).await,
        ] {
            subject.delete().await;
            for sequencer in ["0", LAST_SEQUENCER] {
                assert_eq!(subject.deliver(sequencer).await, "Leave unchanged");
                subject.check_gone().await;
            }
        }
    });
}

/// The presigned PUT stays valid for minutes, and S3 accepts the file again once the first one is deleted.
#[test]
fn an_upload_after_the_deletion_leaves_nothing() {
    run(async |stack| {
        let (user, file) = (stack.new_user("deletion").await, File::cat());
        let created = user.create_upload(&file).await;
        let subject = Subject {
            stack,
            key: domain::ImageKey::for_upload(&user.owner, created.image_id),
            user,
        };
        // Nothing has been uploaded yet.
        subject.delete().await;
        for _ in 0..2 {
            let put = stack.put(&created.upload, file.bytes.clone(), &[]).await;
            assert_eq!(put, 200);
            wait::until("the late object is deleted", async || {
                (!stack.has_object(&subject.key).await).then_some(())
            })
            .await;
            subject.check_gone().await;
        }
        assert_eq!(stack.notifications(created.image_id).await.len(), 0);
    });
}

/// Other tools choose their keys, and reuse them.
#[test]
fn a_picture_with_the_key_of_a_deleted_one_is_a_new_picture() {
    run(async |stack| {
        let subject = Subject::put(stack).await;
        let before = stack.record(&stack.image(&subject.key)).await.expect("a record");
        subject.delete().await;
        stack
            .put_object(&subject.key, pictures::sample("coffee.jpg"))
            .await;
        let again = stack.settled_as(&subject.key, Status::Labeled).await.record;
        assert!(again.created_at > before.created_at, "{again:?}");
        assert_eq!(
            (again.expires_at, again.file_name.as_deref()),
            (None, Some("my cat.jpg"))
        );
        assert_eq!(subject.user.get_image(subject.id()).await.status, 200);
        let consistency = stack.consistency(&subject.user.owner).await;
        assert_eq!(consistency.contradictions, Vec::<String>::new());
        subject.delete().await;
        subject.check_gone().await;
    });
}

/// The API can be killed at any moment: a repeated DELETE resumes.
#[test]
fn an_interrupted_deletion_is_finished_by_the_next_one() {
    run(async |stack| {
        let subject = Subject::put(stack).await;
        subject.mark_only().await;
        assert_eq!(subject.user.get_image(subject.id()).await.status, 404);
        assert_ne!(stack.left_of(&subject.key).await, Vec::<String>::new());
        subject.delete().await;
        subject.check_gone().await;

        let subject = Subject::put(stack).await;
        subject.mark_only().await;
        stack
            .put_object(&subject.key, pictures::sample("coffee.jpg"))
            .await;
        stack.settled_as(&subject.key, Status::Labeled).await;
        let consistency = stack.consistency(&subject.user.owner).await;
        assert_eq!(
            consistency.contradictions,
            Vec::<String>::new(),
            "a later picture replaces what is left of the first one"
        );
    });
}

#[test]
fn an_image_of_another_owner_cannot_be_deleted() {
    run(async |stack| {
        let subject = Subject::uploaded(stack, &File::cat()).await;
        let other = stack.new_user("other").await;
        let theirs = other.delete_image(subject.id()).await;
        let none = other.delete_image(ImageId::new()).await;
        assert_eq!((theirs.status, &theirs.body), (404, &none.body));
        assert_eq!(
            subject.user.get_image(subject.id()).await.body["status"],
            "LABELED"
        );
        assert!(stack.has_object(&subject.key).await);
    });
}
