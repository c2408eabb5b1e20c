//! The "Object Created" event as S3 sends it through EventBridge.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::cmp::Ordering;

/// Orders the events of one key: the larger is the later, compared as hexadecimal numbers.
///
/// Kept in lower case and padded to [`Sequencer::DIGITS`], so that the text's order is the number's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Sequencer(String);

impl Sequencer {
    /// S3 sends 16 to 18 digits today and promises no length.
    pub const DIGITS: usize = 64;

    /// `None` where the text is empty, longer than [`Self::DIGITS`] or no hexadecimal number.
    pub fn parse(text: &str) -> Option<Self> {
        let valid =
            (1..=Self::DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        valid.then(|| {
            Self(format!(
                "{:0>width$}",
                text.to_ascii_lowercase(),
                width = Self::DIGITS
            ))
        })
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

/// An "Object Created" event, reduced to what the system uses; S3 may add fields at any time.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ObjectCreated {
    /// What happened to which object.
    pub detail: Detail,
    /// Present where the owner asked for the image to be labeled again.
    #[serde(default)]
    pub relabel: Option<Relabel>,
    #[serde(rename = "source", deserialize_with = "source")]
    _source: (),
    #[serde(rename = "detail-type", deserialize_with = "detail_type")]
    _detail_type: (),
}

/// The `detail` of an [`ObjectCreated`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Detail {
    /// Where the object landed.
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
    /// Its key as it stands, not URL-encoded. 1 to 1,024 bytes.
    #[serde(deserialize_with = "key")]
    pub key: String,
    /// Bytes.
    #[serde(default)]
    pub size: Option<u64>,
    /// The content's tag.
    #[serde(default)]
    pub etag: Option<String>,
    /// Where the bucket is versioned. At most 1,024 bytes.
    #[serde(default, rename = "version-id", deserialize_with = "version_id")]
    pub version_id: Option<String>,
    /// Orders the events of this key.
    pub sequencer: Sequencer,
}

/// Why an image is labeled again.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Relabel {
    /// When the owner asked for it: ISO 8601, UTC.
    pub requested_at: String,
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

fn detail_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    expect(deserializer, "Object Created")
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
    use serde_json::{Value, json};

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
    fn a_key_is_not_decoded() {
        let event: ObjectCreated = serde_json::from_value(event()).unwrap();
        assert_eq!(event.detail.object.key, "uploads/demo/a+b%20c.jpg");
    }

    #[test]
    fn what_is_no_object_created_event_is_refused_with_the_reason() {
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
        assert!(refused("/detail/bucket", json!({})).contains("name"));
        assert!(refused("/detail/bucket/name", json!("b".repeat(256))).contains("255"));
        let version = json!({"key": "uploads/demo/a", "sequencer": "0A", "version-id": "v".repeat(1025)});
        assert!(refused("/detail/object", version).contains("1,024"));
    }

    #[test]
    fn sequencers_are_compared_as_numbers_whatever_their_length() {
        let s = |text| Sequencer::parse(text).unwrap();
        assert!(s("9") < s("10"));
        assert!(s("00ff") < s("100"));
        assert_eq!(s("0A"), s("a"));
        for text in ["", "g", "0x1", " 1", "-1"] {
            assert_eq!(Sequencer::parse(text), None, "{text}");
        }
    }

    /// Any JSON, with the names of the event's own fields among the names.
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
        fn any_event_is_read_or_refused(pointer in prop::sample::select(vec![
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
        fn every_legal_key_is_read_as_it_stands(key in "\\PC{1,256}|[%+ #?&=/\\\\]{1,1024}") {
            let mut event = event();
            *event.pointer_mut("/detail/object/key").unwrap() = json!(key);
            prop_assert_eq!(serde_json::from_value::<ObjectCreated>(event).unwrap().detail.object.key, key);
        }

        #[test]
        fn the_order_of_sequencers_is_that_of_numbers(a: u128, b: u128, pad_a in 0_usize..32, pad_b in 0_usize..32) {
            let text = |n: u128, pad| format!("{n:0pad$X}");
            let (x, y) = (Sequencer::parse(&text(a, pad_a)).unwrap(), Sequencer::parse(&text(b, pad_b)).unwrap());
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
            prop_assert_eq!(x.as_str().cmp(y.as_str()), a.cmp(&b));
        }
    }
}
