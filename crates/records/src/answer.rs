//! The result item: the model's answer about an image.
//!
//! The answer is compressed, because a write costs as much as the item is large, and the answer repeats the same parents
//! and categories many times.

use crate::attribute::{ANSWER, EXECUTION_ARN};
use crate::expression::text;
use crate::unreadable::without_values;
use crate::{Item, RecordsError, from_item};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Label;
use domain::record::ImageResult;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::Deserialize;
use std::io::{Read, Write};

/// The maximum size of an answer's JSON in bytes. `detect-labels` returns at most 150 KiB.
const MAX_JSON_BYTES: u64 = 1024 * 1024;

/// The attributes of a result item, without its key.
///
/// # Errors
/// See [`RecordsError`].
pub fn item(execution_arn: &str, answer: &[Label]) -> Result<Item, RecordsError> {
    let json = serde_json::to_vec(answer).map_err(unreadable)?;
    let mut encoder = ZlibEncoder::new(vec![], Compression::default());
    encoder.write_all(&json).map_err(unreadable)?;
    let compressed = encoder.finish().map_err(unreadable)?;
    Ok(Item::from([
        (EXECUTION_ARN.to_owned(), text(execution_arn)),
        (ANSWER.to_owned(), AttributeValue::B(Blob::new(compressed))),
    ]))
}

/// Reads a result item.
///
/// # Errors
/// See [`RecordsError`].
pub fn result(item: Item) -> Result<ImageResult, RecordsError> {
    /// Version 0.2.0 stored only the labels that counted, uncompressed.
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Result {
        execution_arn: String,
        #[serde(default)]
        labels: Vec<Label>,
    }
    let answer = match item.get(ANSWER) {
        Some(AttributeValue::B(compressed)) => Some(decompress(compressed.as_ref())?),
        _ => None,
    };
    let result: Result = from_item(item)?;
    Ok(ImageResult {
        execution_arn: result.execution_arn,
        answer: answer.unwrap_or(result.labels),
    })
}

fn decompress(compressed: &[u8]) -> Result<Vec<Label>, RecordsError> {
    let mut json = vec![];
    let mut decoder = ZlibDecoder::new(compressed).take(MAX_JSON_BYTES);
    decoder.read_to_end(&mut json).map_err(unreadable)?;
    serde_json::from_slice(&json)
        .map_err(|error| RecordsError::Unreadable(without_values(&error.to_string())))
}

/// The error for an answer that cannot be compressed or decompressed. Its text contains no values.
fn unreadable(error: impl std::fmt::Display) -> RecordsError {
    RecordsError::Unreadable(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn labels() -> Vec<Label> {
        serde_json::from_value(json!([{
            "name": "Cat", "confidence": 98.76, "parents": ["Animal"], "aliases": [], "categories": ["Animals and Pets"],
            "instances": [{
                "confidence": 90.1, "boundingBox": {"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.4},
            }],
        }]))
        .unwrap()
    }

    #[test]
    fn an_answer_is_read_as_it_was_stored() {
        for answer in [labels(), vec![]] {
            let read = result(item("arn", &answer).unwrap()).unwrap();
            assert_eq!((read.execution_arn.as_str(), read.answer), ("arn", answer));
        }
    }

    #[test]
    fn a_result_of_version_0_2_is_readable() {
        let policy = json!({"minConfidence": 55, "maxLabels": 50, "include": [], "exclude": []});
        let old = json!({"executionArn": "arn", "labels": labels(), "policy": policy});
        let read = result(serde_dynamo::to_item(old).unwrap()).unwrap();
        assert_eq!(read.answer, labels());
    }

    /// Errors are logged.
    #[test]
    fn the_error_of_an_answer_contains_none_of_its_values() {
        let mut invalid = item("arn", &[]).unwrap();
        let mut encoder = ZlibEncoder::new(vec![], Compression::default());
        encoder
            .write_all(br#"[{"name": "Cat", "confidence": "Ada Lovelace"}]"#)
            .unwrap();
        let compressed = AttributeValue::B(Blob::new(encoder.finish().unwrap()));
        invalid.insert(ANSWER.to_owned(), compressed);
        let error = result(invalid).unwrap_err().to_string();
        assert!(!error.contains("Ada"), "{error}");
    }

    #[test]
    fn a_damaged_or_huge_answer_is_an_error() {
        let mut damaged = item("arn", &labels()).unwrap();
        damaged.insert(ANSWER.to_owned(), AttributeValue::B(Blob::new(vec![1, 2, 3])));
        assert!(result(damaged).is_err());
        let mut encoder = ZlibEncoder::new(vec![], Compression::default());
        encoder.write_all(&vec![b' '; 50_000_000]).unwrap();
        let mut huge = item("arn", &[]).unwrap();
        huge.insert(
            ANSWER.to_owned(),
            AttributeValue::B(Blob::new(encoder.finish().unwrap())),
        );
        assert!(result(huge).is_err());
    }
}
