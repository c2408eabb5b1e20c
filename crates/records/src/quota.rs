//! Limits how many images are labeled per day (UTC), by each owner and by all owners together, because each image costs money.
//! Uploads and images that are labeled again count alike.
//!
//! Each day has two counters: one in the owner's partition and one for the stack. The owner's counter is incremented
//! first, then the stack's. Each conditional update fails at its limit, so that concurrent requests cannot exceed either.
//! In one transaction over both counters, concurrent uploads would conflict at the stack's counter. In the opposite order,
//! an owner without quota could use up the quota of all owners. A counter expires after its day.
//!
//! Minutes of video have two counters of their own. There are few videos, so one transaction changes both, and the record of the
//! video with them. The record says which minutes are counted, so that a repeated step counts them once, and the minutes of a
//! video that is rejected are returned once.

use crate::Records;
use crate::attribute::{COUNT, COUNTED_MINUTES, EXPIRES_AT};
use crate::contention::Contention;
use crate::expression::{self, Condition, Expressions, Update, at_most, equals, greater};
use crate::key::Key;
use crate::request::WithExpressions;
use crate::result::{LostClaim, is_held, is_held_in, lost_claim};
use crate::transaction::{TransactionError, executed};
use crate::{RecordsError, attribute_value, conditional};
use aws::ServiceError;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::types::TransactWriteItem;
use domain::metric::{self, Quota as Limit};
use domain::record::CountedMinutes;
use domain::{Claim, Owner};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};

/// How long a counter is kept after its day, for operators.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// Whose images, or minutes of video, a counter counts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Counter<'a> {
    /// Those of one owner.
    Owner(&'a Owner),
    /// Those of all owners.
    All,
}

/// What a counter counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Images.
    Images,
    /// Minutes of video. Each of them costs as much as 30 pictures.
    VideoMinutes,
}

/// How many minutes of video may be labeled per day (UTC).
#[derive(Debug, Clone, Copy)]
pub struct VideoQuotas {
    /// By each owner.
    pub minutes_per_day: u32,
    /// By all owners together.
    pub total_minutes_per_day: u32,
}

impl VideoQuotas {
    /// The part of the limits that bulk jobs may use, as for pictures.
    #[must_use]
    pub fn for_jobs(self) -> Self {
        Self {
            minutes_per_day: share_of_jobs(self.minutes_per_day),
            total_minutes_per_day: share_of_jobs(self.total_minutes_per_day),
        }
    }

    /// The minutes of the longest video that can be labeled.
    pub fn max_minutes(self) -> u32 {
        self.minutes_per_day.min(self.total_minutes_per_day)
    }
}

/// A daily limit of minutes of video that is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinutesExhausted {
    /// Whose.
    pub limit: Limit,
    /// The maximum number of minutes per day.
    pub minutes: u32,
    /// The next midnight in UTC, when videos can be labeled again.
    pub until: Timestamp,
    /// Seconds until then. At least one.
    pub seconds_left: u32,
}

/// Why the minutes of a claimed video were not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotCounted {
    /// A limit is reached.
    Exhausted(MinutesExhausted),
    /// The execution no longer holds the claim.
    Lost(LostClaim),
}

impl From<MinutesExhausted> for NotCounted {
    fn from(exhausted: MinutesExhausted) -> Self {
        Self::Exhausted(exhausted)
    }
}

impl From<LostClaim> for NotCounted {
    fn from(lost: LostClaim) -> Self {
        Self::Lost(lost)
    }
}

/// How many images may be labeled per day (UTC).
#[derive(Debug, Clone, Copy)]
pub struct Quotas {
    /// By each owner.
    pub images_per_day: u32,
    /// By all owners together.
    pub total_images_per_day: u32,
}

impl Quotas {
    /// The part of the limits that bulk jobs may use: 80%, rounded down, but at least one image. A job over a large library
    /// would otherwise take the quota of each day as it begins, and nobody could upload.
    #[must_use]
    pub fn for_jobs(self) -> Self {
        Self {
            images_per_day: share_of_jobs(self.images_per_day),
            total_images_per_day: share_of_jobs(self.total_images_per_day),
        }
    }
}

fn share_of_jobs(limit: u32) -> u32 {
    (limit - limit.div_ceil(5)).max(limit.min(1))
}

/// An image that was counted.
#[derive(Debug)]
pub struct CountedImage {
    owner: Owner,
    day: Day,
}

/// A limit that is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted {
    /// Whose.
    pub limit: Limit,
    /// The maximum number of images per day.
    pub images: u32,
    /// The next midnight in UTC, when images can be labeled again.
    pub until: Timestamp,
    /// Seconds until then. At least one.
    pub seconds_left: u32,
}

impl Records {
    /// Counts an image that is going to be labeled, unless its owner or all owners together have reached their limit.
    ///
    /// # Errors
    /// A call to DynamoDB fails. Then the image may stay counted.
    pub async fn count_image(
        &self,
        owner: &Owner,
        quotas: Quotas,
        now: Timestamp,
    ) -> Result<Result<CountedImage, Exhausted>, ServiceError> {
        let day = Day::of(now);
        let exhausted = |limit, images| {
            Ok(Err(Exhausted {
                limit,
                images,
                until: day.end,
                seconds_left: day.seconds_left(now),
            }))
        };
        if !self
            .increment(Counter::Owner(owner), &day, quotas.images_per_day)
            .await?
        {
            return exhausted(Limit::User, quotas.images_per_day);
        }
        let all = self
            .increment(Counter::All, &day, quotas.total_images_per_day)
            .await;
        if !matches!(all, Ok(true)) {
            self.decrement(Counter::Owner(owner), &day).await?;
        }
        if !all? {
            return exhausted(Limit::AllUsers, quotas.total_images_per_day);
        }
        metric::image_counted();
        Ok(Ok(CountedImage {
            owner: owner.clone(),
            day,
        }))
    }

    /// Counts the minutes of a video that is going to be labeled, unless its owner or all owners together would exceed their
    /// limit. A repeated call counts them again.
    ///
    /// # Errors
    /// A call to DynamoDB fails. Then the minutes may be counted.
    pub async fn count_video_minutes(
        &self,
        owner: &Owner,
        minutes: u32,
        quotas: VideoQuotas,
        now: Timestamp,
    ) -> Result<Result<(), MinutesExhausted>, ServiceError> {
        let day = Day::of(now);
        let Some(actions) = self.more_minutes(owner, minutes, quotas, &day) else {
            return Ok(Err(self.exhausted(owner, minutes, quotas, now).await?));
        };
        match self.transact(actions.into(), &mut Contention::default()).await {
            Ok(()) => {}
            Err(TransactionError::Service(error)) => return Err(error),
            Err(_) => return Ok(Err(self.exhausted(owner, minutes, quotas, now).await?)),
        }
        metric::video_minutes_counted(minutes);
        Ok(Ok(()))
    }

    /// Counts the minutes of a claimed video in the same way, and stores in its record that they are counted. A repeated call
    /// does nothing. `requested` are the minutes that were counted for the request to label the video again; `minutes` are
    /// counted in addition.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn count_minutes_of_video(
        &self,
        claim: &Claim,
        minutes: u32,
        requested: Option<CountedMinutes>,
        quotas: VideoQuotas,
        now: Timestamp,
    ) -> Result<Result<(), NotCounted>, RecordsError> {
        let day = Day::of(now);
        let Some(more) = self.more_minutes(&claim.owner, minutes, quotas, &day) else {
            let exhausted = self.exhausted(&claim.owner, minutes, quotas, now).await?;
            return Ok(Err(exhausted.into()));
        };
        let mut not_counted = Condition::Absent(COUNTED_MINUTES);
        let mut counted = CountedMinutes {
            date: day.date,
            minutes,
        };
        if let Some(requested) = requested {
            not_counted = not_counted.or(equals(COUNTED_MINUTES, attribute_value(&requested)?));
            counted.minutes = counted.minutes.saturating_add(requested.minutes);
        }
        let mark = Update::new().set(COUNTED_MINUTES, attribute_value(&counted)?);
        let expressions = Expressions::new()
            .condition(is_held(claim).and(not_counted))
            .update(mark);
        let mut actions = vec![self.checked_update(&Key::of_claim(claim), expressions)];
        actions.extend(more);
        match self.transact(actions, &mut Contention::default()).await {
            Ok(()) => {}
            Err(TransactionError::Service(error)) => return Err(error.into()),
            // Counted by an earlier call, whose answer was lost.
            Err(TransactionError::FirstConditionFailed(Some(record))) if is_held_in(&record, claim) => {
                return Ok(Ok(()));
            }
            Err(TransactionError::FirstConditionFailed(record)) => {
                return Ok(Err(lost_claim(record.as_ref()).into()));
            }
            Err(TransactionError::OtherConditionFailed) => {
                let exhausted = self.exhausted(&claim.owner, minutes, quotas, now).await?;
                return Ok(Err(exhausted.into()));
            }
        }
        metric::video_minutes_counted(minutes);
        Ok(Ok(()))
    }

    /// Returns the minutes of a video that is rejected, if it is still the day on which they were counted. A repeated call does
    /// nothing, because the record then has none.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub(crate) async fn return_minutes_of_video(
        &self,
        claim: &Claim,
        counted: &CountedMinutes,
        now: Timestamp,
    ) -> Result<(), RecordsError> {
        let day = Day::of(now);
        if counted.date != day.date {
            return Ok(());
        }
        let is_counted = is_held(claim).and(equals(COUNTED_MINUTES, attribute_value(counted)?));
        let expressions = Expressions::new()
            .condition(is_counted)
            .update(Update::new().remove([COUNTED_MINUTES]));
        let mut actions = vec![self.checked_update(&Key::of_claim(claim), expressions)];
        actions.extend(self.fewer_minutes(&claim.owner, counted.minutes, &day));
        // Returned by an earlier call, or an operator has reset a counter.
        executed(self.transact(actions, &mut Contention::default()).await)?;
        Ok(())
    }

    /// Uncounts minutes of a video that will not be labeled, if it is still the day on which they were counted.
    ///
    /// # Errors
    /// A call to DynamoDB fails. Then fewer minutes can be labeled that day.
    pub async fn uncount_video_minutes(
        &self,
        owner: &Owner,
        minutes: u32,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let actions = self.fewer_minutes(owner, minutes, &Day::of(now));
        executed(self.transact(actions.into(), &mut Contention::default()).await).map(drop)
    }

    /// The changes that count minutes. `None` if there are more than a limit.
    fn more_minutes(
        &self,
        owner: &Owner,
        minutes: u32,
        quotas: VideoQuotas,
        day: &Day,
    ) -> Option<[TransactWriteItem; 2]> {
        let more = |counter, limit| {
            let expressions = increment(minutes, day, limit)?;
            let key = Key::quota(counter, Unit::VideoMinutes, &day.date);
            Some(self.plain_update(&key, expressions))
        };
        Some([
            more(Counter::Owner(owner), quotas.minutes_per_day)?,
            more(Counter::All, quotas.total_minutes_per_day)?,
        ])
    }

    /// The changes that uncount minutes.
    fn fewer_minutes(&self, owner: &Owner, minutes: u32, day: &Day) -> [TransactWriteItem; 2] {
        [Counter::Owner(owner), Counter::All].map(|counter| {
            let key = Key::quota(counter, Unit::VideoMinutes, &day.date);
            self.plain_update(&key, decrement(minutes))
        })
    }

    /// Which limit more minutes would exceed. Both counters were checked at once.
    async fn exhausted(
        &self,
        owner: &Owner,
        minutes: u32,
        quotas: VideoQuotas,
        now: Timestamp,
    ) -> Result<MinutesExhausted, ServiceError> {
        let day = Day::of(now);
        let own = self
            .count(Counter::Owner(owner), Unit::VideoMinutes, &day)
            .await?;
        let (limit, minutes) = match own.saturating_add(minutes) > quotas.minutes_per_day {
            true => (Limit::User, quotas.minutes_per_day),
            false => (Limit::AllUsers, quotas.total_minutes_per_day),
        };
        Ok(MinutesExhausted {
            limit,
            minutes,
            until: day.end,
            seconds_left: day.seconds_left(now),
        })
    }

    /// How many minutes of an owner's videos can still be labeled today, or which limit that many minutes would exceed. Counts
    /// nothing: how long a video is, is known for certain when it has been uploaded.
    ///
    /// # Errors
    /// A call to DynamoDB fails.
    pub async fn check_video_minutes(
        &self,
        owner: &Owner,
        minutes: u32,
        quotas: VideoQuotas,
        now: Timestamp,
    ) -> Result<Result<u32, MinutesExhausted>, ServiceError> {
        let left = self.video_minutes_left(owner, quotas, now).await?;
        if minutes <= left {
            return Ok(Ok(left));
        }
        Ok(Err(self.exhausted(owner, minutes, quotas, now).await?))
    }

    /// How many minutes of an owner's videos can still be labeled today.
    ///
    /// # Errors
    /// A call to DynamoDB fails.
    pub async fn video_minutes_left(
        &self,
        owner: &Owner,
        quotas: VideoQuotas,
        now: Timestamp,
    ) -> Result<u32, ServiceError> {
        let day = Day::of(now);
        let own = self
            .count(Counter::Owner(owner), Unit::VideoMinutes, &day)
            .await?;
        let all = self.count(Counter::All, Unit::VideoMinutes, &day).await?;
        let left = quotas.minutes_per_day.saturating_sub(own);
        Ok(left.min(quotas.total_minutes_per_day.saturating_sub(all)))
    }

    /// How many images of an owner can still be labeled today.
    ///
    /// # Errors
    /// A call to DynamoDB fails.
    pub async fn images_left(
        &self,
        owner: &Owner,
        quotas: Quotas,
        now: Timestamp,
    ) -> Result<u32, ServiceError> {
        let day = Day::of(now);
        let own = self.count(Counter::Owner(owner), Unit::Images, &day).await?;
        let all = self.count(Counter::All, Unit::Images, &day).await?;
        let left = quotas.images_per_day.saturating_sub(own);
        Ok(left.min(quotas.total_images_per_day.saturating_sub(all)))
    }

    /// Uncounts an image that will not be labeled.
    ///
    /// # Errors
    /// A call to DynamoDB fails. Then one image fewer can be labeled that day.
    pub async fn uncount_image(&self, counted: CountedImage) -> Result<(), ServiceError> {
        let all = self.decrement(Counter::All, &counted.day).await;
        let own = self.decrement(Counter::Owner(&counted.owner), &counted.day).await;
        all.and(own)
    }

    /// Uncounts an image after an error. After [`ServiceError::ServiceUnavailable`] the image stays counted: the request may
    /// have succeeded.
    ///
    /// # Errors
    /// See [`Self::uncount_image`].
    pub async fn uncount_image_after(
        &self,
        counted: CountedImage,
        error: &ServiceError,
    ) -> Result<(), ServiceError> {
        match error {
            ServiceError::ServiceUnavailable(_) => Ok(()),
            _ => self.uncount_image(counted).await,
        }
    }

    async fn count(&self, counter: Counter<'_>, unit: Unit, day: &Day) -> Result<u32, ServiceError> {
        let item = self
            .get(&Key::quota(counter, unit, &day.date), Expressions::new())
            .await?;
        let count = item.and_then(|item| item.get(COUNT)?.as_n().ok()?.parse().ok());
        Ok(count.unwrap_or_default())
    }

    /// Counts an image, unless it would exceed the limit. Returns whether it was counted.
    async fn increment(&self, counter: Counter<'_>, day: &Day, limit: u32) -> Result<bool, ServiceError> {
        let Some(expressions) = increment(1, day, limit) else {
            return Ok(false);
        };
        self.update_if(&Key::quota(counter, Unit::Images, &day.date), expressions)
            .await
    }

    /// Uncounts an image of a day. The SDK does not retry the call, because a retry after a lost answer would decrement the
    /// count twice.
    async fn decrement(&self, counter: Counter<'_>, day: &Day) -> Result<(), ServiceError> {
        let update = self
            .dynamodb
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::quota(counter, Unit::Images, &day.date).item()))
            .with_expressions(decrement(1));
        let send = || {
            let once = Builder::new().retry_config(RetryConfig::disabled());
            update.clone().customize().config_override(once).send()
        };
        conditional::write("dynamodb:UpdateItem", send).await.map(drop)
    }
}

/// Increments a count, unless it would exceed the limit. `None` if it always would.
fn increment(number: u32, day: &Day, limit: u32) -> Option<Expressions> {
    let highest = limit.checked_sub(number)?;
    let has_space = Condition::Absent(COUNT).or(at_most(COUNT, expression::number(highest)));
    let more = Update::new()
        .set(EXPIRES_AT, expression::number((day.end + KEPT).as_second()))
        .add(COUNT, expression::number(number));
    Some(Expressions::new().condition(has_space).update(more))
}

/// Decrements a count, but not below 0.
fn decrement(number: u32) -> Expressions {
    let is_counted = greater(COUNT, expression::number(i64::from(number) - 1));
    let fewer = Update::new().add(COUNT, expression::number(-i64::from(number)));
    Expressions::new().condition(is_counted).update(fewer)
}

/// A day in UTC.
#[derive(Debug)]
struct Day {
    /// Such as `2026-11-22`.
    date: String,
    end: Timestamp,
}

impl Day {
    fn of(now: Timestamp) -> Self {
        let now: Zoned = now.to_zoned(TimeZone::UTC);
        let end = now.start_of_day().and_then(|start| start.checked_add(1.day()));
        Self {
            date: now.date().to_string(),
            // Only the last day that a timestamp can represent has no next day.
            end: end.map_or(Timestamp::MAX, |end| end.timestamp()),
        }
    }

    /// Seconds until the next day. At least one.
    fn seconds_left(&self, now: Timestamp) -> u32 {
        let left = self.end.duration_since(now).as_secs() + 1;
        u32::try_from(left.max(1)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_table::FakeTable;
    use aws_sdk_dynamodb::Client;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    fn day() -> Day {
        Day::of("2026-11-22T12:00:00Z".parse().unwrap())
    }

    #[tokio::test]
    async fn a_count_never_falls_below_zero() {
        let fake = FakeTable::default();
        let records = fake.records();
        assert_eq!(records.increment(Counter::All, &day(), 1).await, Ok(true));
        for _ in 0..2 {
            assert_eq!(records.decrement(Counter::All, &day()).await, Ok(()));
            let key = Key::quota(Counter::All, Unit::Images, &day().date);
            assert_eq!(fake.state().items[&key][COUNT], expression::number(0));
        }
    }

    #[tokio::test]
    async fn does_not_retry_a_return_after_a_lost_answer() {
        let update = mock!(Client::update_item)
            .sequence()
            .http_status(500, None)
            .repeatedly()
            .build();
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&update], |config| config
            .retry_config(
                RetryConfig::standard().with_initial_backoff(std::time::Duration::from_millis(1))
            ));
        let returned = Records::new(client, "images".into())
            .decrement(Counter::All, &day())
            .await;
        assert!(matches!(returned, Err(ServiceError::ServiceUnavailable(_))));
        assert_eq!(update.num_calls(), 1);
    }

    #[test]
    fn a_day_ends_at_midnight_utc() {
        let now: Timestamp = "2026-11-22T23:59:58.5Z".parse().unwrap();
        let day = Day::of(now);
        assert_eq!(day.date, "2026-11-22");
        assert_eq!(format!("{}", day.end), "2026-11-23T00:00:00Z");
        assert_eq!(day.seconds_left(now), 2, "not before midnight");
        assert_eq!(Day::of(day.end).date, "2026-11-23");
    }

    #[test]
    fn jobs_leave_a_fifth_of_the_limits_to_uploads() {
        for (limit, share) in [
            (0, 0),
            (1, 1),
            (2, 1),
            (5, 4),
            (9, 7),
            (5000, 4000),
            (u32::MAX, 3_435_973_836),
        ] {
            let quotas = Quotas {
                images_per_day: limit,
                total_images_per_day: limit,
            };
            let jobs = quotas.for_jobs();
            assert_eq!((jobs.images_per_day, jobs.total_images_per_day), (share, share));
            let quotas = VideoQuotas {
                minutes_per_day: limit,
                total_minutes_per_day: u32::MAX,
            };
            assert_eq!(quotas.for_jobs().max_minutes(), share);
        }
    }

    /// An owner whose image is refused because of the others can use the quota later.
    #[tokio::test]
    async fn an_image_that_is_refused_is_not_counted() {
        let fake = FakeTable::default();
        let records = fake.records();
        let quotas = Quotas {
            images_per_day: 2,
            total_images_per_day: 1,
        };
        let owner = Owner::new("demo").unwrap();
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        assert_eq!(records.images_left(&owner, quotas, now).await, Ok(1));
        let counted = records.count_image(&owner, quotas, now).await.unwrap().unwrap();
        assert_eq!(records.images_left(&owner, quotas, now).await, Ok(0));
        for _ in 0..3 {
            let refused = records
                .count_image(&owner, quotas, now)
                .await
                .unwrap()
                .unwrap_err();
            assert_eq!((refused.limit, refused.images), (Limit::AllUsers, 1));
            assert_eq!(
                (refused.until.to_string().as_str(), refused.seconds_left),
                ("2026-11-23T00:00:00Z", 43_201)
            );
        }
        records.uncount_image(counted).await.unwrap();
        assert!(records.count_image(&owner, quotas, now).await.unwrap().is_ok());
    }

    #[tokio::test]
    async fn a_video_counts_with_all_its_minutes_and_apart_from_pictures() {
        let fake = FakeTable::default();
        let records = fake.records();
        let quotas = VideoQuotas {
            minutes_per_day: 60,
            total_minutes_per_day: 90,
        };
        let [anna, ben] = ["anna", "ben"].map(|name| Owner::new(name).unwrap());
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let count = async |owner: &Owner, minutes| {
            let counted = records.count_video_minutes(owner, minutes, quotas, now).await;
            counted
                .unwrap()
                .map_err(|exhausted| (exhausted.limit, exhausted.minutes))
        };
        assert_eq!(
            count(&anna, 61).await,
            Err((Limit::User, 60)),
            "longer than a day's limit"
        );
        assert_eq!(count(&anna, 50).await, Ok(()));
        assert_eq!(count(&anna, 11).await, Err((Limit::User, 60)));
        assert_eq!(count(&anna, 10).await, Ok(()));
        assert_eq!(records.video_minutes_left(&anna, quotas, now).await, Ok(0));
        assert_eq!(records.video_minutes_left(&ben, quotas, now).await, Ok(30));
        // What is refused because of the others is not counted.
        assert_eq!(count(&ben, 31).await, Err((Limit::AllUsers, 90)));
        let check = async |owner: &Owner, minutes| {
            let left = records.check_video_minutes(owner, minutes, quotas, now).await;
            left.unwrap().map_err(|exhausted| exhausted.limit)
        };
        assert_eq!(check(&ben, 30).await, Ok(30));
        assert_eq!(check(&ben, 31).await, Err(Limit::AllUsers));
        assert_eq!(check(&ben, 61).await, Err(Limit::User));
        assert_eq!(count(&ben, 30).await, Ok(()), "a check counts nothing");
        assert_eq!(check(&anna, 1).await, Err(Limit::User));
        assert_eq!(check(&ben, 1).await, Err(Limit::AllUsers));
        let images = Quotas {
            images_per_day: 1,
            total_images_per_day: 1,
        };
        assert_eq!(records.images_left(&anna, images, now).await, Ok(1));
    }
}
