//! Reads JSON bodies. An invalid one is a [`Problem`].

use crate::http::problem::Problem;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::Number;

/// The largest valid body is settings with two full lists of the longest names and full renames, each character escaped
/// as `\ud83d\udc08`: 486 kB.
pub(crate) const MAX_BODY_BYTES: usize = 512 * 1024;

/// A body's fields: their names in JSON, and the rule that completes "… must be".
pub(crate) trait Fields: DeserializeOwned {
    const RULES: &'static [(&'static str, &'static str)];
}

/// A JSON body.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<S: Send + Sync, T: Fields> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let content_type = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let essence = content_type
            .and_then(|content_type| content_type.split(';').next())
            .map(str::trim);
        let is_json = essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                Problem::body_too_large(MAX_BODY_BYTES)
            } else {
                Problem::not_json()
            }
        })?;
        if bytes.is_empty() {
            return Err(Problem::not_json());
        }
        if !is_json {
            return Err(Problem::not_declared_json());
        }
        parse(&bytes).map(Self)
    }
}

/// Reads a whole number. In JSON Schema, `308.0` is one as well.
pub(crate) fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<Number>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let whole = number.as_u64().or_else(|| {
        // Up to 2^53, f64 represents every whole number.
        let number = number.as_f64()?;
        let is_whole = number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&number);
        is_whole.then_some(number as u64)
    });
    whole
        .map(Some)
        .ok_or_else(|| D::Error::custom("must be a whole number"))
}

/// Like [`whole_number`], for a field of an entry of a list.
pub(crate) fn required_whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    whole_number(deserializer)?.ok_or_else(|| D::Error::custom("must be a whole number"))
}

fn parse<T: Fields>(bytes: &[u8]) -> Result<T, Problem> {
    // serde would also accept a list of the fields' values.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(Problem::not_json());
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = error
            .path()
            .iter()
            .next()
            .map(ToString::to_string)
            .unwrap_or_default();
        match T::RULES.iter().find(|(name, _)| *name == field) {
            Some((name, rule)) => Problem::invalid_field(name, rule),
            None if error.inner().is_data() && error.inner().to_string().starts_with("unknown field") => {
                Problem::unknown_field(
                    &T::RULES
                        .iter()
                        .map(|(name, _)| *name)
                        .collect::<Vec<_>>()
                        .join(", "),
                )
            }
            None => Problem::not_json(),
        }
    })?;
    json.end().map_err(|_| Problem::not_json())?;
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Named {
        name: Option<String>,
    }

    impl Fields for Named {
        const RULES: &'static [(&'static str, &'static str)] = &[("name", "a string")];
    }

    fn problem_type(body: &str) -> String {
        let problem = parse::<Named>(body.as_bytes()).unwrap_err();
        serde_json::to_value(problem).unwrap()["type"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    #[test]
    fn reads_whole_numbers_in_every_notation() {
        let read = |text: &str| whole_number(&mut serde_json::Deserializer::from_str(text)).ok();
        assert_eq!(read("308"), Some(Some(308)));
        assert_eq!(read("308.0"), Some(Some(308)));
        assert_eq!(read("1e3"), Some(Some(1000)));
        assert_eq!(read("null"), Some(None));
        for text in ["1.5", "-1", "-1.0", "1e300", "\"308\"", "[308]"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_body_is_an_object_with_known_fields() {
        assert_eq!(
            parse::<Named>(br#" {"name": "a"} "#).unwrap().name.as_deref(),
            Some("a")
        );
        for body in [r#"["a"]"#, "null", "\"a\"", "{", "{} {}", &"[".repeat(10_000)] {
            assert!(problem_type(body).ends_with(":invalid-body"), "{body}");
        }
        assert!(problem_type(r#"{"name": 5}"#).ends_with(":invalid-field"));
        assert!(problem_type(r#"{"other": 5}"#).ends_with(":unknown-field"));
    }
}
