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
        valid.then(|| Self(format!("{:0>width$}", text.to_ascii_lowercase(), width = Self::DIGITS)))
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
            D::Error::custom(format!("sequencer must be a hexadecimal number of at most {} digits", Self::DIGITS))
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
    /// Its name.
    #[serde(deserialize_with = "not_empty")]
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
    /// Where the bucket is versioned.
    #[serde(default, rename = "version-id")]
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
    if text.is_empty() { Err(D::Error::custom("must not be empty")) } else { Ok(text) }
}

fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = not_empty(deserializer)?;
    if text.len() > 1024 { Err(D::Error::custom("must have at most 1,024 bytes")) } else { Ok(text) }
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
            serde_json::from_value::<ObjectCreated>(event).unwrap_err().to_string()
        };
        assert!(refused("/source", json!("aws.ec2")).contains("aws.s3"));
        assert!(refused("/detail-type", json!("Object Deleted")).contains("Object Created"));
        assert!(refused("/detail/object/key", json!("")).contains("empty"));
        assert!(refused("/detail/object/key", json!("k".repeat(1025))).contains("1,024"));
        assert!(refused("/detail/object/sequencer", json!("xyz")).contains("hexadecimal"));
        assert!(refused("/detail/bucket", json!({})).contains("name"));
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

    proptest! {
        #[test]
        fn the_order_of_sequencers_is_that_of_numbers(a: u128, b: u128, pad_a in 0_usize..32, pad_b in 0_usize..32) {
            let text = |n: u128, pad| format!("{n:0pad$X}");
            let (x, y) = (Sequencer::parse(&text(a, pad_a)).unwrap(), Sequencer::parse(&text(b, pad_b)).unwrap());
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
            prop_assert_eq!(x.as_str().cmp(y.as_str()), a.cmp(&b));
        }
    }
}
