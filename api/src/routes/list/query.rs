//! The query parameters of `GET /images`.

use crate::http::cursor::{self, Position};
use crate::http::problem::Problem;
use crate::http::query::{Parameters, RawParameters, instant};
use domain::policy::{LabelName, is_label_name};
use domain::{ImageId, Owner, Status};
use std::collections::BTreeSet;
use utoipa::IntoParams;

const LIMIT: (&str, &str) = ("limit", "a whole number from 1 to 100");
const CURSOR: (&str, &str) = (
    "cursor",
    "the nextCursor of a response to the same query; only limit can differ",
);
const STATUS: (&str, &str) = (
    "status",
    "AWAITING_UPLOAD, PROCESSING, LABELED, REJECTED or FAILED",
);
const LABEL: (&str, &str) = (
    "label",
    "a label name of 1 to 100 characters without control characters, given up to 10 times",
);
const MIN_CONFIDENCE: (&str, &str) = ("minConfidence", "a number from 0 to 100");
const INSTANT: &str = "a date such as 2026-11-22, or a time with its UTC offset such as 2026-11-22T12:00:00Z";
const FROM: (&str, &str) = ("from", INSTANT);
const TO: (&str, &str) = ("to", INSTANT);
const ID: (&str, &str) = (
    "id",
    "an image ID as returned by POST /uploads, given up to 100 times and without other parameters",
);

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 100;
const MAX_LABELS: usize = 10;
const MAX_IDS: usize = 100;

/// Query parameters, for the description only. [`Selection::read`] reads them and names the invalid one.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only utoipa reads it")]
pub(crate) struct ListQuery {
    /// Maximum images per page.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
    /// The `nextCursor` of the previous page. All other parameters except `limit` must be the same.
    #[param(min_length = 1)]
    cursor: Option<String>,
    /// Only images with this status. Default: all except AWAITING_UPLOAD.
    #[param(inline)]
    status: Option<ListedStatus>,
    /// Only images with this label. Case-insensitive. If repeated, only images with all labels.
    #[param(min_items = 1, max_items = 10, explode = true)]
    label: Option<Vec<LabelName>>,
    /// Only images whose labels have at least this confidence, in percent: all labels in `label`, or else any label.
    #[param(minimum = 0, maximum = 100, rename = "minConfidence")]
    min_confidence: Option<f64>,
    /// Only images created at or after this time: a date (its start in UTC), or a time with its UTC offset.
    from: Option<String>,
    /// Only images created before this time. Same format as `from`.
    to: Option<String>,
    /// Only these images, with any status. IDs that aren't yours are omitted. Can't be combined with other parameters.
    #[param(min_items = 1, max_items = 100, explode = true)]
    id: Option<Vec<ImageId>>,
}

/// A status to filter by.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only utoipa reads it")]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
enum ListedStatus {
    AwaitingUpload,
    Processing,
    Labeled,
    Rejected,
    Failed,
}

/// Selects images.
#[derive(Debug)]
pub(crate) enum Selection {
    /// By their IDs, each once.
    Named(Vec<ImageId>),
    /// A page of the history.
    Page(Filter),
}

/// Filters the owner's history.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(crate) limit: usize,
    pub(crate) status: Option<Status>,
    /// Lowercase, each once.
    pub(crate) labels: BTreeSet<String>,
    pub(crate) min_confidence: Option<f64>,
    /// The lowest sort key.
    pub(crate) from: Option<String>,
    /// Above the highest sort key.
    pub(crate) to: Option<String>,
    cursor: Option<String>,
}

impl Selection {
    /// Reads the parameters.
    ///
    /// # Errors
    /// The first invalid parameter.
    pub(crate) fn read(parameters: RawParameters) -> Result<Self, Problem> {
        let rules = [ID, LIMIT, CURSOR, STATUS, LABEL, MIN_CONFIDENCE, FROM, TO];
        let parameters = parameters.known(&rules.map(|(name, _)| name))?;
        let ids = parameters.all(ID.0);
        if ids.is_empty() {
            return Filter::read(&parameters).map(Self::Page);
        }
        let invalid = || Problem::invalid_field(ID.0, ID.1);
        if ids.len() > MAX_IDS || ids.len() < parameters.count() {
            return Err(invalid());
        }
        let mut named = vec![];
        for id in ids {
            let id = ImageId::parse(id).ok_or_else(invalid)?;
            if !named.contains(&id) {
                named.push(id);
            }
        }
        Ok(Self::Named(named))
    }
}

impl Filter {
    fn read(parameters: &Parameters) -> Result<Self, Problem> {
        let limit = parameters.one(LIMIT, |text| {
            text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit))
        })?;
        let status = parameters.one(STATUS, |text| {
            let listed = [
                Status::AwaitingUpload,
                Status::Processing,
                Status::Labeled,
                Status::Rejected,
                Status::Failed,
            ];
            listed.into_iter().find(|status| status.as_str() == text)
        })?;
        let labels = parameters.all(LABEL.0);
        if labels.len() > MAX_LABELS || !labels.iter().all(|label| is_label_name(label)) {
            return Err(Problem::invalid_field(LABEL.0, LABEL.1));
        }
        let min_confidence = parameters.one(MIN_CONFIDENCE, |text| {
            let percent: f64 = text.parse().ok()?;
            (0.0..=100.0).contains(&percent).then_some(percent)
        })?;
        let from = parameters.one(FROM, instant)?;
        let to = parameters.one(TO, instant)?;
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            return Err(Problem::invalid_field(TO.0, "later than from"));
        }
        Ok(Self {
            limit: limit.unwrap_or(DEFAULT_LIMIT),
            status,
            labels: labels.into_iter().map(str::to_lowercase).collect(),
            min_confidence,
            from: from.map(|from| format!("{from:.3}")),
            to: to.map(|to| format!("{to:.3}")),
            cursor: parameters.one(CURSOR, |text| Some(text.to_owned()))?,
        })
    }

    /// The canonical form of everything that decides which images the pages have.
    pub(crate) fn identity(&self) -> String {
        format!(
            "{:?}",
            (
                self.status,
                &self.labels,
                self.min_confidence,
                &self.from,
                &self.to
            )
        )
    }

    /// The position at which the previous page ended.
    ///
    /// # Errors
    /// The cursor was not made for this owner and query.
    pub(crate) fn after(&self, owner: &Owner) -> Result<Option<Position>, Problem> {
        let Some(cursor) = &self.cursor else {
            return Ok(None);
        };
        match cursor::decode(owner, &self.identity(), cursor) {
            Some(position) => Ok(Some(position)),
            None => Err(Problem::invalid_field(CURSOR.0, CURSOR.1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invalid_field(query: &str) -> String {
        let problem = Selection::read(RawParameters::decode(query))
            .map(|_| ())
            .unwrap_err();
        let problem = serde_json::to_value(problem).unwrap();
        assert_eq!(problem["status"], 400, "{query}");
        problem["field"].as_str().unwrap_or_default().to_owned()
    }

    #[test]
    fn each_invalid_parameter_is_named() {
        let id = ImageId::new();
        let many_labels = ["label=x"; 11].join("&");
        let many_ids = vec![format!("id={id}"); 101].join("&");
        let long = format!("label={}", "x".repeat(10_000));
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=-1", "limit"),
            ("limit=10000", "limit"),
            ("limit=1.5", "limit"),
            ("limit=ten", "limit"),
            ("limit=", "limit"),
            ("limit=1&limit=2", "limit"),
            ("status=DELETED", "status"),
            ("status=labeled", "status"),
            ("label=", "label"),
            ("label=a%00", "label"),
            ("label=Cat&label=%0A", "label"),
            (&long, "label"),
            (&many_labels, "label"),
            ("minConfidence=-1", "minConfidence"),
            ("minConfidence=101", "minConfidence"),
            ("minConfidence=NaN", "minConfidence"),
            ("minConfidence=1e999", "minConfidence"),
            ("from=yesterday", "from"),
            ("to=2026-02-30", "to"),
            ("from=2026-11-22&to=2026-11-22", "to"),
            ("id=1", "id"),
            (&format!("id={id}&limit=5"), "id"),
            (&many_ids, "id"),
            ("Limit=5", ""),
        ] {
            assert_eq!(invalid_field(query), field, "{query}");
        }
    }

    #[test]
    fn labels_are_compared_without_case_and_order() {
        let identity = |query: &str| match Selection::read(RawParameters::decode(query)).unwrap() {
            Selection::Page(filter) => filter.identity(),
            Selection::Named(_) => panic!("a page"),
        };
        assert_eq!(
            identity("label=CAT&label=dog"),
            identity("label=Dog&label=cat&limit=7")
        );
        assert_ne!(identity("label=CAT"), identity("label=cat&minConfidence=5"));
        assert_ne!(identity("from=2026-11-22"), identity("to=2026-11-22"));
        identity("label=%F0%9F%90%88");
    }
}
