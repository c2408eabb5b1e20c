//! Sends events to the stack's event bus.

use aws::ServiceError;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use serde::Serialize;

/// The `source` of all events of this system.
pub const SOURCE: &str = "image-label-generator";

/// The maximum number of events in a call of `PutEvents`. All of them together can have 1 MB.
const MAX_ENTRIES: usize = 10;

/// The maximum size of the details of the events in a call, in bytes. The rest of an event is small.
const MAX_BYTES: usize = 900_000;

const CALL: &str = "events:PutEvents";

/// A client and the name of the stack's event bus.
#[derive(Debug, Clone)]
pub struct EventBus {
    /// Sends events.
    pub eventbridge: aws_sdk_eventbridge::Client,
    /// The name of the bus.
    pub name: String,
}

impl EventBus {
    /// Sends an event. `detail` is serialized as a JSON object.
    ///
    /// # Errors
    /// The call fails, or EventBridge rejects the entry, which it reports in a successful answer.
    pub async fn send(&self, detail_type: &str, detail: &impl Serialize) -> Result<(), ServiceError> {
        self.send_all(detail_type, std::slice::from_ref(detail)).await
    }

    /// Sends an event for each of `details`.
    ///
    /// # Errors
    /// See [`Self::send`]. Some events may have been sent.
    pub async fn send_all(&self, detail_type: &str, details: &[impl Serialize]) -> Result<(), ServiceError> {
        let entries = details.iter().map(|detail| self.entry(detail_type, detail));
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        for entries in chunks(entries) {
            let answer = self
                .eventbridge
                .put_events()
                .set_entries(Some(entries))
                .send()
                .await
                .map_err(|error| ServiceError::of(CALL, &error))?;
            if answer.failed_entry_count() > 0 {
                let code = answer.entries().iter().find_map(|entry| entry.error_code());
                return Err(ServiceError::of_code(CALL, code, 200));
            }
        }
        Ok(())
    }

    fn entry(
        &self,
        detail_type: &str,
        detail: &impl Serialize,
    ) -> Result<PutEventsRequestEntry, ServiceError> {
        let detail = serde_json::to_string(detail)
            .map_err(|_| ServiceError::UnexpectedAnswer("the event cannot be written as JSON".into()))?;
        Ok(PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(detail_type)
            .detail(detail)
            .build())
    }
}

/// Splits events into calls.
fn chunks(entries: Vec<PutEventsRequestEntry>) -> Vec<Vec<PutEventsRequestEntry>> {
    let size = |entry: &PutEventsRequestEntry| entry.detail().map_or(0, str::len);
    let mut chunks: Vec<Vec<PutEventsRequestEntry>> = vec![];
    for entry in entries {
        match chunks.last_mut() {
            Some(chunk)
                if chunk.len() < MAX_ENTRIES
                    && chunk.iter().map(size).sum::<usize>() + size(&entry) <= MAX_BYTES =>
            {
                chunk.push(entry);
            }
            _ => chunks.push(vec![entry]),
        }
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_at_most_ten_events_and_a_megabyte() {
        let entry = |bytes: usize| PutEventsRequestEntry::builder().detail("x".repeat(bytes)).build();
        let calls = |bytes: &[usize]| -> Vec<usize> {
            let entries = bytes.iter().map(|bytes| entry(*bytes)).collect();
            chunks(entries).iter().map(Vec::len).collect()
        };
        assert_eq!(calls(&[100; 25]), [10, 10, 5]);
        assert_eq!(calls(&[400_000; 5]), [2, 2, 1]);
        assert_eq!(calls(&[2_000_000]), [1]);
        assert_eq!(calls(&[]), [0; 0]);
    }
}
