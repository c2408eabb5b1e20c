//! Hears what is said on the stack's event bus: a queue and a rule that last as long as a program's
//! tests do.

use crate::{Stack, wait};
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, Target};
use aws_sdk_sqs::types::QueueAttributeName;
use domain::{ImageId, Outcome};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// The `source` of all events of the system.
const SOURCE: &str = "image-label-generator";
/// The `source` of what the tests themselves say on the bus.
const OWN_SOURCE: &str = "image-label-generator.tests";

/// An event that announces how an image ended.
#[derive(Debug, Clone)]
pub struct Notification {
    /// Such as `Image Labeled`.
    pub detail_type: String,
    /// As it was sent.
    pub detail: Value,
    /// The same, as receivers read it.
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
    heard: Arc<Mutex<Vec<Event>>>,
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
        let heard = Arc::new(Mutex::new(vec![]));
        let receiver = tokio::spawn(receive(stack.sqs.clone(), queue_url.clone(), Arc::clone(&heard)));
        Self {
            heard,
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
        let heard = || self.heard.lock().expect("what was heard");
        wait::until("the bus carries the tests' own mark", async || {
            heard().iter().any(|event| event.detail == mark).then_some(())
        })
        .await;
        heard()
            .iter()
            .filter(|event| event.source == SOURCE)
            .map(|event| Notification {
                detail_type: event.detail_type.clone(),
                detail: event.detail.clone(),
                outcome: serde_json::from_value(event.detail.clone()).expect("a notification"),
            })
            .collect()
    }

    /// Takes queue and rule down again.
    pub(crate) async fn stop(self) {
        self.receiver.abort();
        let Self {
            eventbridge,
            event_bus,
            name,
            ..
        } = &self;
        // A test may have failed because nothing answers any more: that is what should be read then.
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
    /// Everything that was said about any image until now.
    ///
    /// To know that nothing more is on its way, it says something itself and waits until it hears it.
    ///
    /// # Panics
    /// Where the bus does not take the tests' own event, or a notification has not the agreed shape.
    pub async fn all_notifications(&self) -> Vec<Notification> {
        self.listener().await.all().await
    }

    /// Everything that was said about an image until now.
    ///
    /// # Panics
    /// See [`Self::all_notifications`].
    pub async fn notifications(&self, image_id: ImageId) -> Vec<Notification> {
        let mut notifications = self.all_notifications().await;
        notifications.retain(|notification| notification.outcome.image_id == image_id);
        notifications
    }
}

async fn receive(sqs: aws_sdk_sqs::Client, queue_url: String, heard: Arc<Mutex<Vec<Event>>>) {
    loop {
        let received = sqs
            .receive_message()
            .queue_url(&queue_url)
            .max_number_of_messages(10)
            .wait_time_seconds(5)
            .send();
        // Whoever waits for a notification fails at the deadline, with a sentence that says for what.
        let Ok(received) = received.await else { continue };
        for message in received.messages.unwrap_or_default() {
            let event = serde_json::from_str(message.body().unwrap_or_default()).expect("an event");
            heard.lock().expect("what was heard").push(event);
            let receipt = message.receipt_handle.unwrap_or_default();
            let _ = sqs
                .delete_message()
                .queue_url(&queue_url)
                .receipt_handle(receipt)
                .send()
                .await;
        }
    }
}
