//! Compares JSON with the parts that it must contain.

use serde_json::Value;

/// Checks that `actual` contains everything that `expected` contains. Objects may have more members.
///
/// # Errors
/// The first difference and its place.
pub fn contains(actual: &Value, expected: &Value) -> Result<(), String> {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => {
            expected.iter().try_for_each(|(name, expected)| {
                let actual = actual.get(name).ok_or_else(|| format!(".{name} is missing"))?;
                contains(actual, expected).map_err(|difference| format!(".{name}{difference}"))
            })
        }
        (Value::Array(actual), Value::Array(expected)) if actual.len() == expected.len() => {
            (actual.iter().zip(expected).enumerate()).try_for_each(|(index, (actual, expected))| {
                contains(actual, expected).map_err(|difference| format!("[{index}]{difference}"))
            })
        }
        // 55 and 55.0 are the same number.
        (Value::Number(actual), Value::Number(expected)) if actual.as_f64() == expected.as_f64() => Ok(()),
        (actual, expected) if actual == expected => Ok(()),
        (actual, expected) => Err(format!(" is {actual}, not {expected}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_the_place_of_a_difference() {
        let actual = json!({"a": [{"b": 1, "more": true}], "c": 55.0});
        assert_eq!(contains(&actual, &json!({"a": [{"b": 1}], "c": 55})), Ok(()));
        assert_eq!(
            contains(&actual, &json!({"a": [{"b": 2}]})).unwrap_err(),
            ".a[0].b is 1, not 2"
        );
        assert_eq!(contains(&actual, &json!({"x": 1})).unwrap_err(), ".x is missing");
        assert!(contains(&actual, &json!({"a": []})).is_err());
    }
}
