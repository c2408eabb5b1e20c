//! S3 events about objects that can be labeled, as EventBridge delivers them.

use crate::record::CountedMinutes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::{Value, json};
use std::cmp::Ordering;

/// Orders the events of one key: a later event has a greater sequencer. To compare two sequencers of different length,
/// S3 pads the shorter one with zeros on the right and compares both as strings.
///
/// Stored in lower case and padded to [`Sequencer::DIGITS`], so that DynamoDB's string comparison gives the same order.
/// Source: Amazon S3 User Guide, "Event message structure".
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Sequencer(String);

impl Sequencer {
    /// The length of the padded form. S3 sends 16 to 18 digits and documents no maximum.
    pub const DIGITS: usize = 64;

    /// `None` if the text is empty, longer than [`Self::DIGITS`] or not a hexadecimal number.
    pub fn parse(text: &str) -> Option<Self> {
        let valid =
            (1..=Self::DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        valid.then(|| {
            Self(format!(
                "{:0<width$}",
                text.to_ascii_lowercase(),
                width = Self::DIGITS
            ))
        })
    }

    /// The lowest sequencer: not later than any that S3 sends.
    pub fn lowest() -> Self {
        Self("0".repeat(Self::DIGITS))
    }

    /// The next one: later than this one, and not later than any other that is later than this one. S3 sends fewer digits, so
    /// there is one between any two of S3. `None` for the last one.
    pub fn next(&self) -> Option<Self> {
        // A hexadecimal number with a fixed number of digits, plus one.
        let kept = self.0.trim_end_matches('f');
        let last = kept.chars().next_back()?;
        let next = char::from_digit(last.to_digit(16)? + 1, 16)?;
        let before = &kept[..kept.len() - 1];
        Some(Self(format!(
            "{before}{next}{}",
            "0".repeat(Self::DIGITS - kept.len())
        )))
    }

    /// The padded form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialOrd for Sequencer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Sequencer {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl<'de> Deserialize<'de> for Sequencer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(format!(
                "sequencer must be a hexadecimal number of at most {} digits",
                Self::DIGITS
            ))
        })
    }
}

/// An "Object Created" or "Object Restore Completed" event, reduced to the fields that the system uses. Unknown fields
/// are ignored, since S3 may add some.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectCreated {
    /// What happened to the object.
    pub kind: EventKind,
    /// When it happened. `None` if the event does not say it, or not as ISO 8601.
    pub time: Option<Timestamp>,
    /// The object and its bucket.
    pub detail: Detail,
    /// Present if the owner requested that the image is labeled again.
    pub relabel: Option<Relabel>,
}

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum EventKind {
    /// The object was created by an upload, a copy or a completed multipart upload.
    #[serde(rename = "Object Created")]
    Created,
    /// The object was archived and is readable again.
    #[serde(rename = "Object Restore Completed")]
    Restored,
}

impl ObjectCreated {
    /// Orders the events of this key. S3 sends no sequencer when an object is restored. A restored object is not a
    /// newer object, so its event has the lowest sequencer.
    pub fn sequencer(&self) -> Sequencer {
        self.detail
            .object
            .sequencer
            .clone()
            .unwrap_or_else(Sequencer::lowest)
    }

    /// When the labeling was requested: the time of the owner's request to label the image again, otherwise the event's.
    pub fn requested_at(&self) -> Option<Timestamp> {
        match &self.relabel {
            Some(relabel) => relabel.requested_at.parse().ok(),
            None => self.time,
        }
    }

    /// The minutes of video that were counted for the owner's request to label the image again. `None` if there are none.
    pub fn counted_minutes(&self) -> Option<CountedMinutes> {
        let relabel = self.relabel.as_ref()?;
        let minutes = relabel.counted_minutes.filter(|minutes| *minutes > 0)?;
        let requested_at: Timestamp = relabel.requested_at.parse().ok()?;
        Some(CountedMinutes {
            date: requested_at.to_zoned(TimeZone::UTC).date().to_string(),
            minutes,
        })
    }

    /// The event as JSON, reduced to the fields that the system uses. Reading it gives the same event.
    pub fn to_json(&self) -> Value {
        let Detail { bucket, object } = &self.detail;
        let mut event = json!({
            "source": "aws.s3",
            "detail-type": match self.kind {
                EventKind::Created => "Object Created",
                EventKind::Restored => "Object Restore Completed",
            },
            "detail": {
                "bucket": {"name": bucket.name},
                "object": {
                    "key": object.key,
                    "size": object.size,
                    "etag": object.etag,
                    "version-id": object.version_id,
                    "sequencer": object.sequencer,
                },
            },
        });
        if let Some(time) = self.time {
            event["time"] = json!(time.to_string());
        }
        if let Some(relabel) = &self.relabel {
            event["relabel"] = json!({"requestedAt": relabel.requested_at});
            if let Some(minutes) = relabel.counted_minutes {
                event["relabel"]["countedMinutes"] = json!(minutes);
            }
        }
        event
    }
}

impl<'de> Deserialize<'de> for ObjectCreated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Event {
            #[serde(rename = "source", deserialize_with = "source")]
            _source: (),
            #[serde(rename = "detail-type")]
            kind: EventKind,
            #[serde(default)]
            time: serde_json::Value,
            detail: Detail,
            #[serde(default)]
            relabel: Option<Relabel>,
        }
        let Event {
            kind,
            time,
            mut detail,
            relabel,
            ..
        } = Event::deserialize(deserializer)?;
        match kind {
            EventKind::Created if detail.object.sequencer.is_none() => {
                return Err(D::Error::missing_field("sequencer"));
            }
            EventKind::Created => {}
            // The image is the current version under the key, which may be newer than the restored one.
            EventKind::Restored => {
                detail.object.sequencer = None;
                detail.object.version_id = None;
            }
        }
        Ok(Self {
            kind,
            // Only metrics depend on it, so an invalid time does not prevent the labeling.
            time: time.as_str().and_then(|time| time.parse().ok()),
            detail,
            relabel,
        })
    }
}

/// The `detail` of an [`ObjectCreated`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Detail {
    /// The bucket of the object.
    pub bucket: Bucket,
    /// The object.
    pub object: Object,
}

/// The bucket of an event.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Bucket {
    /// Its name. 1 to 255 bytes: S3 allows 63, and allowed 255 to the oldest buckets.
    #[serde(deserialize_with = "bucket_name")]
    pub name: String,
}

/// The object of an event.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Object {
    /// Its key. EventBridge does not URL-encode it. 1 to 1,024 bytes.
    #[serde(deserialize_with = "key")]
    pub key: String,
    /// The object's size in bytes.
    #[serde(default)]
    pub size: Option<u64>,
    /// The object's entity tag.
    #[serde(default)]
    pub etag: Option<String>,
    /// The object's version, if the bucket is versioned. At most 1,024 bytes.
    #[serde(default, rename = "version-id", deserialize_with = "version_id")]
    pub version_id: Option<String>,
    /// See [`ObjectCreated::sequencer`]. `None` only in an event about a restored object.
    #[serde(default)]
    pub sequencer: Option<Sequencer>,
}

/// A request to label an image again.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Relabel {
    /// When the owner requested it: ISO 8601, UTC.
    pub requested_at: String,
    /// The minutes of video that have been counted against the daily quotas for this request. 0 if the duration was not known.
    /// Missing in events of earlier releases, after which nothing more is counted.
    #[serde(default)]
    pub counted_minutes: Option<u32>,
}

fn expect<'de, D: Deserializer<'de>>(deserializer: D, expected: &str) -> Result<(), D::Error> {
    match String::deserialize(deserializer)? {
        found if found == expected => Ok(()),
        _ => Err(D::Error::custom(format!("must be \"{expected}\""))),
    }
}

fn source<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    expect(deserializer, "aws.s3")
}

fn not_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        Err(D::Error::custom("must not be empty"))
    } else {
        Ok(text)
    }
}

fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = not_empty(deserializer)?;
    if text.len() > 1024 {
        Err(D::Error::custom("must have at most 1,024 bytes"))
    } else {
        Ok(text)
    }
}

fn bucket_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = not_empty(deserializer)?;
    if text.len() > 255 {
        Err(D::Error::custom("must have at most 255 bytes"))
    } else {
        Ok(text)
    }
}

fn version_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Option::<String>::deserialize(deserializer)? {
        Some(text) if text.len() > 1024 => Err(D::Error::custom("must have at most 1,024 bytes")),
        version_id => Ok(version_id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event() -> Value {
        json!({
            "version": "0", "source": "aws.s3", "detail-type": "Object Created", "unknown": [1],
            "detail": {
                "bucket": {"name": "pictures"},
                "object": {"key": "uploads/demo/a+b%20c.jpg", "size": 5, "etag": "e", "sequencer": "0A"},
                "reason": "PutObject",
            },
        })
    }

    #[test]
    fn an_event_is_read_as_it_was_written() {
        let mut relabel = event();
        relabel["relabel"] = json!({"requestedAt": "2026-11-22T12:00:00.000000001Z", "countedMinutes": 3});
        relabel["time"] = json!("2026-11-22T12:00:00Z");
        relabel["detail"]["object"]["version-id"] = json!("v1");
        let restored = json!({
            "source": "aws.s3", "detail-type": "Object Restore Completed",
            "detail": {"bucket": {"name": "pictures"}, "object": {"key": "uploads/demo/a"}},
        });
        for event in [event(), relabel, restored] {
            let event: ObjectCreated = serde_json::from_value(event).unwrap();
            assert_eq!(
                serde_json::from_value::<ObjectCreated>(event.to_json()).unwrap(),
                event
            );
        }
    }

    #[test]
    fn a_key_is_not_decoded() {
        let event: ObjectCreated = serde_json::from_value(event()).unwrap();
        assert_eq!(event.detail.object.key, "uploads/demo/a+b%20c.jpg");
    }

    /// Source: "Object restore completed" in the S3 user guide's EventBridge event message structure.
    #[test]
    fn a_restore_event_has_the_lowest_sequencer_and_no_version() {
        let event: ObjectCreated = serde_json::from_value(json!({
            "version": "0", "source": "aws.s3", "detail-type": "Object Restore Completed",
            "detail": {
                "version": "0", "bucket": {"name": "pictures"},
                "object": {"key": "uploads/demo/a", "size": 5, "etag": "e", "version-id": "v1"},
                "requester": "s3.amazonaws.com",
                "restore-expiry-time": "2026-11-29T00:00:00Z", "source-storage-class": "GLACIER",
            },
        }))
        .unwrap();
        assert_eq!(
            (event.kind, event.sequencer()),
            (EventKind::Restored, Sequencer::lowest())
        );
        assert_eq!(event.detail.object.version_id, None);
    }

    #[test]
    fn rejects_other_events_and_states_the_reason() {
        let refused = |pointer: &str, value: Value| {
            let mut event = event();
            *event.pointer_mut(pointer).unwrap() = value;
            serde_json::from_value::<ObjectCreated>(event)
                .unwrap_err()
                .to_string()
        };
        assert!(refused("/source", json!("aws.ec2")).contains("aws.s3"));
        assert!(refused("/detail-type", json!("Object Deleted")).contains("Object Created"));
        assert!(refused("/detail/object/key", json!("")).contains("empty"));
        assert!(refused("/detail/object/key", json!("k".repeat(1025))).contains("1,024"));
        assert!(refused("/detail/object/sequencer", json!("xyz")).contains("hexadecimal"));
        let unordered = json!({"key": "uploads/demo/a", "size": 5});
        assert!(refused("/detail/object", unordered).contains("sequencer"));
        assert!(refused("/detail/bucket", json!({})).contains("name"));
        assert!(refused("/detail/bucket/name", json!("b".repeat(256))).contains("255"));
        let version = json!({"key": "uploads/demo/a", "sequencer": "0A", "version-id": "v".repeat(1025)});
        assert!(refused("/detail/object", version).contains("1,024"));
    }

    #[test]
    fn pads_a_shorter_sequencer_on_the_right() {
        let s = |text| Sequencer::parse(text).unwrap();
        assert!(s("10") < s("9"));
        assert!(s("00ff") < s("01"));
        assert!(s("0055AED6DCD90281E5") < s("0055AED6DCD90282"));
        assert_eq!(s("0A"), s("0a00"));
        for text in ["", "g", "0x1", " 1", "-1"] {
            assert_eq!(Sequencer::parse(text), None, "{text}");
        }
    }

    /// An event of S3 for a newer object must win over an event that takes the place of a lost one.
    #[test]
    fn the_next_sequencer_is_between_two_of_s3() {
        let s = |text: &str| Sequencer::parse(text).unwrap();
        let seen = s("0055AED6DCD90281E5");
        let next = seen.next().unwrap();
        assert!(seen < next && next < s("0055AED6DCD90281E6"));
        assert!(Sequencer::lowest() < Sequencer::lowest().next().unwrap());
        let carried = s(&format!("0{}", "f".repeat(63))).next();
        assert_eq!(carried, Some(s("1")));
        assert_eq!(s(&"f".repeat(64)).next(), None);
        assert_eq!(Sequencer::parse(next.as_str()), Some(next));
    }

    /// Arbitrary JSON that often uses the names of the event's own fields.
    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,20}".prop_map(Value::from),
            Just(json!("aws.s3")),
            Just(json!("Object Created")),
        ];
        let name =
            "source|detail-type|detail|bucket|object|name|key|size|sequencer|version-id|relabel|\\PC{0,5}";
        leaf.prop_recursive(4, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(name, inner, 0..6)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_event_is_parsed_or_rejected(pointer in prop::sample::select(vec![
            "", "/source", "/detail", "/detail/bucket", "/detail/bucket/name", "/detail/object",
            "/detail/object/key", "/detail/object/size", "/detail/object/sequencer",
        ]), value in any_json()) {
            let mut event = event();
            *event.pointer_mut(pointer).unwrap() = value;
            if let Ok(read) = serde_json::from_value::<ObjectCreated>(event) {
                prop_assert!((1..=1024).contains(&read.detail.object.key.len()));
                prop_assert!((1..=255).contains(&read.detail.bucket.name.len()));
            }
        }

        #[test]
        fn every_legal_key_is_kept_unchanged(key in "\\PC{1,256}|[%+ #?&=/\\\\]{1,1024}") {
            let mut event = event();
            *event.pointer_mut("/detail/object/key").unwrap() = json!(key);
            prop_assert_eq!(serde_json::from_value::<ObjectCreated>(event).unwrap().detail.object.key, key);
        }

        /// S3's documented rule: pad the shorter sequencer with zeros on the right, then compare both as strings.
        #[test]
        fn sequencers_have_the_order_that_s3_documents(a in "[0-9A-Fa-f]{1,64}", b in "[0-9A-Fa-f]{1,64}") {
            let width = a.len().max(b.len());
            let padded = |text: &str| {
                let zeros = "0".repeat(width - text.len());
                format!("{}{zeros}", text.to_lowercase())
            };
            let documented = padded(&a).cmp(&padded(&b));
            let (x, y) = (Sequencer::parse(&a).unwrap(), Sequencer::parse(&b).unwrap());
            prop_assert_eq!(x.cmp(&y), documented);
            prop_assert_eq!(x.as_str().cmp(y.as_str()), documented, "DynamoDB compares the stored strings");
        }
    }
}
