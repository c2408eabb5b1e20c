//! Faults that only DynamoDB has, in its format.

use super::call::{JSON, Request, answer};
use serde_json::{Map, Value, json};

/// DynamoDB's answer to a write that conflicts with a transaction on the same item.
pub(super) fn conflict(request: &Request) -> Vec<u8> {
    let body = parse(request.body());
    let error = match body["TransactItems"].as_array() {
        // A reason for each item, in the same order.
        Some(items) => {
            let reasons = (0..items.len()).map(|index| match index {
                0 => json!({"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}),
                _ => json!({"Code": "None"}),
            });
            json!({
                "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
                "CancellationReasons": reasons.collect::<Vec<_>>(),
            })
        }
        None => json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
            "message": "Transaction is ongoing for the item",
        }),
    };
    answer("400 Bad Request", JSON, &error.to_string())
}

/// The answer to a BatchGetItem, with the second half of each table's keys unprocessed.
pub(super) fn leave_keys_out(request: &Request, whole: &[u8]) -> Vec<u8> {
    let start = whole.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let mut body = parse(&whole[start.map_or(whole.len(), |start| start + 4)..]);
    let mut unprocessed = Map::new();
    let asked = parse(request.body());
    for (table, asked) in asked["RequestItems"].as_object().into_iter().flatten() {
        let keys = asked["Keys"].as_array().map(Vec::as_slice).unwrap_or_default();
        let left_out = &keys[keys.len() / 2..];
        if let Some(items) = body["Responses"][table].as_array_mut() {
            items.retain(|item| !left_out.iter().any(|key| has_key(item, key)));
        }
        let mut rest = asked.clone();
        rest["Keys"] = left_out.into();
        unprocessed.insert(table.clone(), rest);
    }
    body["UnprocessedKeys"] = Value::Object(unprocessed);
    answer("200 OK", JSON, &body.to_string())
}

fn has_key(item: &Value, key: &Value) -> bool {
    key.as_object()
        .is_some_and(|key| key.iter().all(|(name, value)| item[name] == *value))
}

fn parse(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}
