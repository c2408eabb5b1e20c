//! Says what is wrong with an item that cannot be read, without its values: the text is logged, and a value can be the name of a
//! file.

use crate::RecordsError;

/// The error for an item that serde cannot read.
pub(crate) fn unreadable(error: &serde_dynamo::Error) -> RecordsError {
    RecordsError::Unreadable(without_values(&error.to_string()))
}

/// Serde's text without the value that it quotes. A missing field, and what is expected, are names of the type.
pub(crate) fn without_values(error: &str) -> String {
    const KINDS: [&str; 4] = [
        "unknown variant",
        "invalid type",
        "invalid value",
        "invalid length",
    ];
    if error.starts_with("missing field") || error.starts_with("Expected ") {
        return error.to_owned();
    }
    let kind = KINDS.into_iter().find(|kind| error.starts_with(kind));
    match (kind, error.rsplit_once(", expected ")) {
        (Some(kind), Some((_, expected))) => format!("{kind}, expected {expected}"),
        _ => "a value is invalid".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::from_item;
    use domain::ImageRecord;
    use serde_json::{Value, json};

    /// Logs contain no file name.
    #[test]
    fn the_error_of_an_item_contains_none_of_its_values() {
        let record = json!({
            "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "status": "LABELED",
            "updatedAt": "2026-11-22T12:00:00.000Z", "key": "uploads/demo/holiday.jpg", "bucket": "pictures",
            "fileName": "holiday.jpg",
        });
        let error = |name: &str, value: Value| {
            let mut changed = record.clone();
            changed[name] = value;
            let item = serde_dynamo::to_item(changed).unwrap();
            from_item::<ImageRecord>(item).unwrap_err().to_string()
        };
        for name in [
            "imageId",
            "owner",
            "status",
            "size",
            "format",
            "thumbnails",
            "error",
        ] {
            for value in [
                json!("my holiday.jpg"),
                json!(["holiday.jpg"]),
                json!({"holiday.jpg": 1}),
            ] {
                // Any text is an owner.
                if name == "owner" && value.is_string() {
                    continue;
                }
                let error = error(name, value);
                assert!(!error.contains("holiday"), "{error}");
            }
        }
        let status = error("status", json!("holiday.jpg"));
        assert!(
            status.contains("unknown variant, expected one of `AWAITING_UPLOAD`"),
            "{status}"
        );
    }

    #[test]
    fn the_error_of_an_item_says_what_is_expected() {
        for (error, expected) in [
            ("missing field `imageId`", "missing field `imageId`"),
            ("Expected num", "Expected num"),
            (
                r#"invalid type: string "a, expected b.jpg", expected u64"#,
                "invalid type, expected u64",
            ),
            (
                "unknown variant `a.jpg`, expected `LEFT` or `RIGHT`",
                "unknown variant, expected `LEFT` or `RIGHT`",
            ),
            ("Failed to parse 'a.jpg' as an integer", "a value is invalid"),
            ("a.jpg is no time", "a value is invalid"),
        ] {
            assert_eq!(without_values(error), expected);
        }
    }
}
