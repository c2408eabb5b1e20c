//! Reads query parameters: all are known, and each has one place where its rule stands.

use crate::problem::Problem;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use jiff::civil::Date;
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use std::convert::Infallible;

/// The query of a request, decoded: names and values as they came, in order.
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

    /// The parameters, of which a route knows these.
    ///
    /// # Errors
    /// One that it does not know.
    pub(crate) fn known(self, known: &[&str]) -> Result<Parameters, Problem> {
        if self.0.iter().all(|(name, _)| known.contains(&name.as_str())) {
            Ok(Parameters(self.0))
        } else {
            Err(Problem::unknown_parameter(known))
        }
    }
}

/// For routes that take no parameters: refuses them.
pub(crate) struct NoParameters;

impl<S: Send + Sync> FromRequestParts<S> for NoParameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        RawParameters::decode(parts.uri.query().unwrap_or_default()).known(&[])?;
        Ok(Self)
    }
}

/// Query parameters that a route knows.
#[derive(Debug)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// All values of a parameter that may be repeated.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let named = self.0.iter().filter(|(found, _)| found == name);
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// The value of a parameter that may be there once, read by `read`; `rule` completes "… must be".
    ///
    /// # Errors
    /// It is there twice, or `read` cannot read it.
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
            _ => Err(Problem::invalid_field(name, "given once")),
        }
    }
}

/// The instant, or the start of the day in UTC, that ISO 8601 names; in whole milliseconds, as times are stored.
/// What lies between two milliseconds is moved to the later one: then "from" and "before" mean the same as without
/// rounding.
pub(crate) fn instant(text: &str) -> Option<Timestamp> {
    let midnight = || {
        let date: Date = text.parse().ok()?;
        // Dates are ten characters. Others that jiff reads carry a time, which would be lost.
        let midnight = date.at(0, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        (text.len() == 10).then(|| midnight.timestamp())
    };
    let instant: Timestamp = text.parse().ok().or_else(midnight)?;
    let whole = TimestampRound::new()
        .smallest(Unit::Millisecond)
        .mode(RoundMode::Ceil);
    let instant = instant.round(whole).ok()?;
    // Other years have another number of digits, and would sort wrongly.
    (0..=9999)
        .contains(&instant.to_zoned(jiff::tz::TimeZone::UTC).year())
        .then_some(instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        instant(text).map(|instant| format!("{instant:.3}"))
    }

    #[test]
    fn a_date_is_its_first_moment_and_an_instant_itself() {
        assert_eq!(read("2026-11-22").as_deref(), Some("2026-11-22T00:00:00.000Z"));
        assert_eq!(
            read("2026-11-22T10:00:00+01:00").as_deref(),
            Some("2026-11-22T09:00:00.000Z")
        );
        assert_eq!(
            read("2026-11-22T10:00:00.0001Z").as_deref(),
            Some("2026-11-22T10:00:00.001Z")
        );
    }

    #[test]
    fn what_names_no_instant_is_none() {
        for text in [
            "",
            " ",
            "x",
            "2026-02-30",
            "2026-11",
            "20261122T10",
            "2026-11-22T10:00",
            "2026-11-22T25:00Z",
            "-002026-11-22",
            "+012026-11-22T00:00Z",
            "1e999",
            "2026-11-22T10:00:00 01:00",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_parameter_that_is_unknown_or_doubled_is_refused() {
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
