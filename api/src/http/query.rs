//! Reads query parameters. Unknown parameters are rejected.

use crate::http::problem::Problem;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use jiff::civil::{Date, DateTime};
use std::convert::Infallible;

/// The decoded query of a request: names and values in their order.
#[derive(Debug, Default)]
pub(crate) struct RawParameters(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for RawParameters {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::decode(parts.uri.query().unwrap_or_default()))
    }
}

impl RawParameters {
    pub(crate) fn decode(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// Checks that the route knows all parameters.
    ///
    /// # Errors
    /// A parameter is unknown.
    pub(crate) fn known(self, known: &[&str]) -> Result<Parameters, Problem> {
        if self.0.iter().all(|(name, _)| known.contains(&name.as_str())) {
            Ok(Parameters(self.0))
        } else {
            Err(Problem::unknown_parameter(known))
        }
    }
}

/// Rejects all query parameters, for routes that have none.
pub(crate) struct NoParameters;

impl<S: Send + Sync> FromRequestParts<S> for NoParameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        RawParameters::decode(parts.uri.query().unwrap_or_default()).known(&[])?;
        Ok(Self)
    }
}

/// Query parameters that the route knows.
#[derive(Debug)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// The number of parameters.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// All values of a parameter that can be repeated.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let named = self.0.iter().filter(|(found, _)| found == name);
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// The value of a parameter that can be given once, read by `read`. `rule` completes "… must be".
    ///
    /// # Errors
    /// The parameter is repeated, or `read` returns `None`.
    pub(crate) fn one<T>(
        &self,
        (name, rule): (&'static str, &str),
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        match self.all(name)[..] {
            [] => Ok(None),
            [value] => match read(value) {
                Some(value) => Ok(Some(value)),
                None => Err(Problem::invalid_field(name, rule)),
            },
            _ => Err(Problem::invalid_field(name, "given only once")),
        }
    }
}

/// Reads a time without a zone, or a date as its start, in ISO 8601. The result has whole milliseconds, like stored times.
pub(crate) fn local_time(text: &str) -> Option<String> {
    const DATE: usize = "2015-07-13".len();
    // jiff also reads other forms, such as times with an offset, which it would ignore.
    let has_form = |form: &str| {
        let fits = |(form, text)| {
            if form == b'0' {
                u8::is_ascii_digit(&text)
            } else {
                form == text
            }
        };
        form.len() == text.len() && form.bytes().zip(text.bytes()).all(fits)
    };
    let is_time = [
        "0000-00-00T00:00",
        "0000-00-00T00:00:00",
        "0000-00-00T00:00:00.000",
    ]
    .into_iter()
    .any(has_form);
    let time: DateTime = if is_time {
        text.parse().ok()?
    } else {
        let date: Date = text.parse().ok().filter(|_| text.len() == DATE)?;
        date.at(0, 0, 0, 0)
    };
    Some(format!("{time:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_time_and_a_date_as_its_start() {
        for (text, time) in [
            ("2015-07-13", "2015-07-13T00:00:00.000"),
            ("2015-07-13T18:20", "2015-07-13T18:20:00.000"),
            ("2015-07-13T18:20:05", "2015-07-13T18:20:05.000"),
            ("2015-07-13T18:20:05.123", "2015-07-13T18:20:05.123"),
        ] {
            assert_eq!(local_time(text).as_deref(), Some(time));
        }
    }

    #[test]
    fn rejects_a_text_that_is_not_a_time_without_a_zone() {
        for text in [
            "",
            " ",
            "x",
            "2026-02-30",
            "2026-11",
            "20261122T10",
            "2026-11-22T25:00",
            "2026-11-22T10:00:00Z",
            "2026-11-22T10:00:00+01:00",
            "2026-11-22T10:00:00.1",
            "-002026-11-22",
            "+012026-11-22T00:00",
            "1e999",
            "2026-11-22 10:00:00",
        ] {
            assert_eq!(local_time(text), None, "{text}");
        }
    }

    #[test]
    fn rejects_an_unknown_or_repeated_parameter() {
        let parameters = || RawParameters::decode("a=1&b=%F0%9F%90%88&b=2+3");
        assert!(parameters().known(&["a"]).is_err());
        let known = parameters().known(&["a", "b"]).unwrap();
        assert_eq!(known.all("b"), ["🐈", "2 3"]);
        let number = |name| known.one((name, "a number"), |text| text.parse::<u32>().ok());
        assert_eq!(number("a").unwrap(), Some(1));
        assert_eq!(number("c").unwrap(), None);
        assert!(number("b").is_err());
    }
}
