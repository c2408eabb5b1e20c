//! Receives the events of the stack's event bus: with a queue and a rule that exist as long as the tests of a program
//! run.

use crate::{Stack, wait};
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, Target};
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, QueueAttributeName};
use domain::{ImageId, Outcome};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// The `source` of the product's events.
const SOURCE: &str = "image-label-generator";

/// The detail type of events about corrected labels.
const CORRECTED: &str = "Image Labels Corrected";
/// The `source` of the tests' own events.
const OWN_SOURCE: &str = "image-label-generator.tests";

/// An event that announces the outcome of an image.
#[derive(Debug, Clone)]
pub struct Notification {
    /// Such as `Image Labeled`.
    pub detail_type: String,
    /// The detail as it was sent.
    pub detail: Value,
    /// The detail as receivers read it.
    pub outcome: Outcome,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Event {
    source: String,
    detail_type: String,
    detail: Value,
}

/// A queue behind a rule on the bus.
#[derive(Debug)]
pub(crate) struct Listener {
    received: Arc<Mutex<Vec<Event>>>,
    receiver: JoinHandle<()>,
    name: String,
    queue_url: String,
    event_bus: String,
    sqs: aws_sdk_sqs::Client,
    eventbridge: aws_sdk_eventbridge::Client,
}

impl Listener {
    pub(crate) async fn start(stack: &Stack) -> Self {
        let name = format!("tests-{}", Uuid::now_v7().simple());
        let created = stack
            .sqs
            .create_queue()
            .queue_name(&name)
            .send()
            .await
            .expect("a queue");
        let queue_url = created.queue_url.expect("the queue's URL");
        let attributes = stack
            .sqs
            .get_queue_attributes()
            .queue_url(&queue_url)
            .attribute_names(QueueAttributeName::QueueArn)
            .send()
            .await
            .expect("the queue's attributes");
        let queue_arn = attributes.attributes.expect("attributes")[&QueueAttributeName::QueueArn].clone();
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage", "Resource": queue_arn,
        }]});
        stack
            .sqs
            .set_queue_attributes()
            .queue_url(&queue_url)
            .attributes(QueueAttributeName::Policy, policy.to_string())
            .send()
            .await
            .expect("the queue's policy");
        stack
            .eventbridge
            .put_rule()
            .name(&name)
            .event_bus_name(&stack.event_bus)
            .event_pattern(json!({"source": [SOURCE, OWN_SOURCE]}).to_string())
            .send()
            .await
            .expect("a rule");
        let target = Target::builder()
            .id("queue")
            .arn(queue_arn)
            .build()
            .expect("a target");
        let answer = stack
            .eventbridge
            .put_targets()
            .rule(&name)
            .event_bus_name(&stack.event_bus)
            .targets(target)
            .send()
            .await
            .expect("the rule's target");
        assert_eq!(answer.failed_entry_count(), 0, "{answer:?}");
        let received = Arc::new(Mutex::new(vec![]));
        let receiver = tokio::spawn(receive(
            stack.sqs.clone(),
            queue_url.clone(),
            Arc::clone(&received),
        ));
        Self {
            received,
            receiver,
            name,
            queue_url,
            event_bus: stack.event_bus.clone(),
            sqs: stack.sqs.clone(),
            eventbridge: stack.eventbridge.clone(),
        }
    }

    async fn all(&self) -> Vec<Notification> {
        let mark = json!({"mark": Uuid::now_v7()});
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.event_bus)
            .source(OWN_SOURCE)
            .detail_type("Mark")
            .detail(mark.to_string())
            .build();
        let answer = self
            .eventbridge
            .put_events()
            .entries(entry)
            .send()
            .await
            .expect("an answer of the bus");
        assert_eq!(answer.failed_entry_count(), 0, "{answer:?}");
        let received = || self.received.lock().expect("received events");
        wait::until("the bus delivers the tests' own event", async || {
            received().iter().any(|event| event.detail == mark).then_some(())
        })
        .await;
        received()
            .iter()
            .filter(|event| event.source == SOURCE && event.detail_type != CORRECTED)
            .map(|event| Notification {
                detail_type: event.detail_type.clone(),
                detail: event.detail.clone(),
                outcome: serde_json::from_value(event.detail.clone()).expect("a notification"),
            })
            .collect()
    }

    /// Removes the queue and the rule.
    pub(crate) async fn stop(self) {
        self.receiver.abort();
        let Self {
            eventbridge,
            event_bus,
            name,
            ..
        } = &self;
        // Errors are ignored: if the emulator has stopped, the failure of a test already says so.
        let _ = eventbridge
            .remove_targets()
            .rule(name)
            .event_bus_name(event_bus)
            .ids("queue")
            .send()
            .await;
        let _ = eventbridge
            .delete_rule()
            .name(name)
            .event_bus_name(event_bus)
            .send()
            .await;
        let _ = self.sqs.delete_queue().queue_url(&self.queue_url).send().await;
    }
}

impl Stack {
    /// The details of all events about corrected labels of an image until now.
    ///
    /// # Panics
    /// If the bus refuses the event that marks the end.
    pub async fn corrections(&self, image_id: ImageId) -> Vec<Value> {
        let listener = self.listener().await;
        // Waits until everything before has arrived.
        listener.all().await;
        let received = listener.received.lock().expect("received events");
        let of_image = |detail: &Value| detail["imageId"] == image_id.to_string();
        received
            .iter()
            .filter(|event| {
                event.source == SOURCE && event.detail_type == CORRECTED && of_image(&event.detail)
            })
            .map(|event| event.detail.clone())
            .collect()
    }

    /// All notifications until now.
    ///
    /// To be sure that none is still in transit, it sends an event of its own and waits until that is received.
    ///
    /// # Panics
    /// If the bus refuses that event, or a notification does not have the agreed shape.
    pub async fn all_notifications(&self) -> Vec<Notification> {
        self.listener().await.all().await
    }

    /// All notifications about an image until now.
    ///
    /// # Panics
    /// See [`Self::all_notifications`].
    pub async fn notifications(&self, image_id: ImageId) -> Vec<Notification> {
        let mut notifications = self.all_notifications().await;
        notifications.retain(|notification| notification.outcome.claim.image_id == image_id);
        notifications
    }

    /// The same as [`Self::notifications`], without those that were sent again: receivers get each of them at least once.
    ///
    /// # Panics
    /// See [`Self::all_notifications`].
    pub async fn distinct_notifications(&self, image_id: ImageId) -> Vec<Notification> {
        let mut notifications = self.notifications(image_id).await;
        let mut ids = BTreeSet::new();
        notifications.retain(|notification| ids.insert(notification.outcome.notification_id));
        notifications
    }
}

async fn receive(sqs: aws_sdk_sqs::Client, queue_url: String, events: Arc<Mutex<Vec<Event>>>) {
    loop {
        let received = sqs
            .receive_message()
            .queue_url(&queue_url)
            .max_number_of_messages(10)
            .wait_time_seconds(5)
            .send();
        // Tests that wait for a notification fail at their deadline and say what they waited for.
        let Ok(received) = received.await else { continue };
        let mut receipts = vec![];
        for message in received.messages.unwrap_or_default() {
            let event = serde_json::from_str(message.body().unwrap_or_default()).expect("an event");
            events.lock().expect("received events").push(event);
            let receipt = DeleteMessageBatchRequestEntry::builder()
                .id(receipts.len().to_string())
                .receipt_handle(message.receipt_handle.unwrap_or_default());
            receipts.push(receipt.build().expect("an entry"));
        }
        if !receipts.is_empty() {
            let delete = sqs.delete_message_batch().queue_url(&queue_url);
            let _ = delete.set_entries(Some(receipts)).send().await;
        }
    }
}
