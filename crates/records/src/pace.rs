//! The pace of bulk work: a rate limiter. All jobs, imports and videos together start to label at most `BulkImagesPerSecond`
//! images and frames per second, so that pictures that people upload are labeled at once.
//!
//! One item of the stack stores when the next image may start. A caller first advances this time by its share, then waits
//! until the previous value. The item therefore needs one write per call, and no clock but the callers'.

use crate::Records;
use crate::attribute::NEXT;
use crate::conditional::Written;
use crate::expression::{Condition, Expressions, Update, at_most, greater, number};
use crate::key::Key;
use aws::ServiceError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::{SignedDuration, Timestamp};
use std::num::NonZeroU32;
use std::time::Duration;

/// Attempts while others take slots at the same moment. More than one attempt is necessary only when nobody has taken a slot
/// for a while.
const MAX_TRIES: usize = 5;

impl Records {
    /// Takes the next free slots for `images` images. Returns how long to wait before the first of them starts, at most
    /// `max_wait`. `None` if the next slot is free later than that; then no slots are taken.
    ///
    /// A caller that ends before it has used its slots only leaves them empty.
    ///
    /// # Errors
    /// The call to DynamoDB fails, or too many others take slots.
    pub async fn take_slots(
        &self,
        images: u32,
        per_second: NonZeroU32,
        max_wait: Duration,
    ) -> Result<Option<Duration>, ServiceError> {
        let share = (u64::from(images) * 1000).div_ceil(u64::from(per_second.get()));
        for _ in 0..MAX_TRIES {
            let now = Timestamp::now();
            let latest =
                now.saturating_add(SignedDuration::try_from(max_wait).unwrap_or(SignedDuration::MAX));
            let latest = latest.unwrap_or(Timestamp::MAX);
            // Slots of the past are lost, so that a pause is not followed by a burst.
            let queue = greater(NEXT, milliseconds(now)).and(at_most(NEXT, milliseconds(latest)));
            let queued = self
                .change_pace(queue, Update::new().add(NEXT, number(share)), ReturnValue::AllOld)
                .await?;
            match queued {
                Written::Done(old) => return Ok(Some(until(now, old))),
                Written::Refused(Some(item)) if until(now, Some(item.clone())) > max_wait => return Ok(None),
                Written::Refused(_) => {}
            }
            let idle = Condition::Absent(NEXT).or(at_most(NEXT, milliseconds(now)));
            let share = i64::try_from(share).unwrap_or(i64::MAX);
            let first = number(now.as_millisecond().saturating_add(share));
            let update = Update::new().set(NEXT, first);
            if let Written::Done(_) = self.change_pace(idle, update, ReturnValue::None).await? {
                return Ok(Some(Duration::ZERO));
            }
        }
        Err(ServiceError::Throttled("others set the pace of bulk work".into()))
    }

    async fn change_pace(
        &self,
        condition: Condition,
        update: Update,
        returned: ReturnValue,
    ) -> Result<Written<Option<crate::Item>>, ServiceError> {
        let expressions = Expressions::new().condition(condition).update(update);
        self.update(&Key::pace(), expressions, returned, true).await
    }
}

/// The wait until the stored time. Zero if it is past or cannot be read.
fn until(now: Timestamp, item: Option<crate::Item>) -> Duration {
    let next = item.and_then(|item| item.get(NEXT)?.as_n().ok()?.parse::<i64>().ok());
    let wait = next.map_or(0, |next| next.saturating_sub(now.as_millisecond()));
    Duration::from_millis(u64::try_from(wait).unwrap_or(0))
}

fn milliseconds(time: Timestamp) -> AttributeValue {
    number(time.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_table::FakeTable;

    const TEN: NonZeroU32 = NonZeroU32::new(10).unwrap();
    const MINUTE: Duration = Duration::from_secs(60);

    /// All jobs and imports together start 10 images per second, however many slots each takes.
    #[tokio::test]
    async fn slots_follow_each_other_at_the_pace() {
        let fake = FakeTable::default();
        let records = fake.records();
        let before = Timestamp::now();
        let mut images = 0;
        for count in [1, 20, 5, 1] {
            let wait = records.take_slots(count, TEN, MINUTE).await.unwrap().unwrap();
            let passed = Duration::try_from(Timestamp::now().duration_since(before)).unwrap();
            let slot = Duration::from_millis(images * 100);
            assert!(
                wait <= slot && wait + passed + Duration::from_millis(1) >= slot,
                "{wait:?} {slot:?}"
            );
            images += u64::from(count);
        }
    }

    #[tokio::test]
    async fn a_slot_that_is_too_far_away_is_not_taken() {
        let fake = FakeTable::default();
        let records = fake.records();
        assert_eq!(
            records.take_slots(100, TEN, MINUTE).await,
            Ok(Some(Duration::ZERO))
        );
        let before = fake.state().items[&Key::pace()].clone();
        assert_eq!(records.take_slots(1, TEN, Duration::from_secs(1)).await, Ok(None));
        assert_eq!(fake.state().items[&Key::pace()], before);
    }

    #[tokio::test]
    async fn a_pause_is_not_followed_by_a_burst() {
        let fake = FakeTable::default();
        let records = fake.records();
        let an_hour_ago = Timestamp::now() - SignedDuration::from_hours(1);
        let mut item = Key::pace().item();
        item.insert(NEXT.to_owned(), milliseconds(an_hour_ago));
        fake.state().items.insert(Key::pace(), item);
        assert_eq!(
            records.take_slots(600, TEN, MINUTE).await,
            Ok(Some(Duration::ZERO))
        );
        let wait = records.take_slots(1, TEN, MINUTE).await.unwrap().unwrap();
        assert!(wait > Duration::from_secs(50), "{wait:?}");
    }
}
