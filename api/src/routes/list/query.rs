//! The query parameters of `GET /images`.

use crate::http::cursor::{self, Position};
use crate::http::problem::Problem;
use crate::http::query::{Parameters, RawParameters, instant};
use crate::routes::list::labels::{Alternatives, LabelAlternatives, alternatives};
use domain::policy::{LabelName, is_label_name};
use domain::{ImageId, ImageRecord, Owner, Status};
use jiff::civil::Date;
use std::cmp::Ordering;
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
    "a label name (Cat), optionally with a minimum confidence (Cat>90), or several separated by | (Cat|Dog). A name has 1 \
     to 100 characters, none of them |, > or a control character. All label parameters together can have up to 10 names",
);
const WITHOUT: (&str, &str) = (
    "without",
    "a label name of 1 to 100 characters without control characters, given up to 10 times",
);
const UNTAGGED: (&str, &str) = ("untagged", "true or false; can't be true together with label");
const TAKEN: (&str, &str) = (
    "taken",
    "a year, month or day, such as 2015, 2015-07 or 2015-07-13",
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
    /// Only images with this label. Case-insensitive. If repeated, only images that match each value. `Cat|Dog` matches
    /// images with one of these labels, `Cat>90` those with at least this confidence in percent. At most 10 names.
    #[param(inline, min_items = 1, max_items = 10, explode = true)]
    label: Option<Vec<LabelAlternatives>>,
    /// Only images without this label. Case-insensitive. If repeated, only images with none of them.
    #[param(min_items = 1, max_items = 10, explode = true)]
    without: Option<Vec<LabelName>>,
    /// Only labeled images that have no labels. Can't be combined with `label`. With `minConfidence` or another
    /// `status`, no image matches.
    untagged: Option<bool>,
    /// Only images taken in this year or month, or on this day, by the camera's clock.
    #[param(pattern = r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$")]
    taken: Option<String>,
    /// Minimum confidence in percent for the labels in `label` that have none of their own. Without `label`: only images
    /// with at least one label of this confidence.
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
    /// An image must match each of them.
    pub(crate) labels: Vec<Alternatives>,
    /// Lowercase, each once.
    pub(crate) without: BTreeSet<String>,
    pub(crate) untagged: bool,
    /// Prefix of the capture time: a year, month or day.
    pub(crate) taken: Option<String>,
    pub(crate) min_confidence: Option<f64>,
    /// Lower bound of the sort key, inclusive.
    pub(crate) from: Option<String>,
    /// Upper bound of the sort key, exclusive.
    pub(crate) to: Option<String>,
    cursor: Option<String>,
}

impl Selection {
    /// Reads the parameters.
    ///
    /// # Errors
    /// The first invalid parameter.
    pub(crate) fn read(parameters: RawParameters) -> Result<Self, Problem> {
        let rules = [
            ID,
            LIMIT,
            CURSOR,
            STATUS,
            LABEL,
            WITHOUT,
            UNTAGGED,
            TAKEN,
            MIN_CONFIDENCE,
            FROM,
            TO,
        ];
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
        let min_confidence = parameters.one(MIN_CONFIDENCE, |text| {
            let percent: f64 = text.parse().ok()?;
            (0.0..=100.0).contains(&percent).then_some(percent)
        })?;
        let labels = labels(&parameters.all(LABEL.0), min_confidence)
            .ok_or_else(|| Problem::invalid_field(LABEL.0, LABEL.1))?;
        let without = parameters.all(WITHOUT.0);
        if without.len() > MAX_LABELS || !without.iter().all(|label| is_label_name(label)) {
            return Err(Problem::invalid_field(WITHOUT.0, WITHOUT.1));
        }
        let untagged = parameters.one(UNTAGGED, |text| {
            let untagged: bool = text.parse().ok()?;
            (!untagged || labels.is_empty()).then_some(untagged)
        })?;
        let taken = parameters.one(TAKEN, |text| is_taken(text).then(|| text.to_owned()))?;
        let from = parameters.one(FROM, instant)?;
        let to = parameters.one(TO, instant)?;
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            return Err(Problem::invalid_field(TO.0, "later than from"));
        }
        Ok(Self {
            limit: limit.unwrap_or(DEFAULT_LIMIT),
            status,
            labels,
            without: without.into_iter().map(str::to_lowercase).collect(),
            untagged: untagged.unwrap_or_default(),
            taken,
            min_confidence,
            from: from.map(|from| format!("{from:.3}")),
            to: to.map(|to| format!("{to:.3}")),
            cursor: parameters.one(CURSOR, |text| Some(text.to_owned()))?,
        })
    }

    /// Canonical form of the filter without `limit`. A cursor is valid only for a filter with the same form.
    pub(crate) fn identity(&self) -> String {
        format!(
            "{:?}",
            (
                self.status,
                &self.labels,
                &self.without,
                self.untagged,
                &self.taken,
                self.min_confidence,
                &self.from,
                &self.to
            )
        )
    }

    /// Whether a record matches, apart from `labels`: their rows are compared. While an image is relabeled, its record
    /// has the previous labels.
    pub(crate) fn selects(&self, record: &ImageRecord) -> bool {
        let labels = record.labels.as_deref().unwrap_or_default();
        let has_status = match self.status {
            Some(status) => record.status == status,
            None => record.status != Status::AwaitingUpload,
        };
        let is_excluded = !self.without.is_empty()
            && labels
                .iter()
                .any(|label| self.without.contains(&label.name.to_lowercase()));
        let is_confident = !self.labels.is_empty()
            || self
                .min_confidence
                .is_none_or(|min| labels.iter().any(|label| label.confidence.percent() >= min));
        let is_untagged = record.status == Status::Labeled && labels.is_empty();
        let taken_at = record
            .metadata
            .as_ref()
            .and_then(|metadata| metadata.taken_at.as_ref());
        let was_taken = self
            .taken
            .as_ref()
            .is_none_or(|time| taken_at.is_some_and(|taken_at| taken_at.starts_with(time)));
        has_status && !is_excluded && is_confident && (is_untagged || !self.untagged) && was_taken
    }

    /// The position at which the previous page ended.
    ///
    /// # Errors
    /// The cursor was not made for this owner and query.
    pub(crate) fn after(&self, owner: &Owner) -> Result<Option<Position>, Problem> {
        let Some(cursor) = &self.cursor else {
            return Ok(None);
        };
        match cursor::decode(owner, &self.identity(), cursor, Position::parse) {
            Some(position) => Ok(Some(position)),
            None => Err(Problem::invalid_field(CURSOR.0, CURSOR.1)),
        }
    }
}

/// Reads all `label` parameters. Sorted, so that their order does not change the filter's identity. `None` if one is
/// invalid.
fn labels(values: &[&str], min_confidence: Option<f64>) -> Option<Vec<Alternatives>> {
    if values.len() > MAX_LABELS {
        return None;
    }
    let labels: Option<Vec<_>> = values
        .iter()
        .map(|value| alternatives(value, min_confidence))
        .collect();
    let mut labels = labels?;
    labels.sort_by(|a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal));
    labels.dedup();
    (labels.iter().map(Alternatives::len).sum::<usize>() <= MAX_LABELS).then_some(labels)
}

/// Whether a text is a year, a month or a day.
fn is_taken(text: &str) -> bool {
    let day = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        10 => text.to_owned(),
        _ => return false,
    };
    let dashes_in_place = |(index, character): (usize, u8)| (character == b'-') == matches!(index, 4 | 7);
    day.bytes().enumerate().all(dashes_in_place) && day.parse::<Date>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
        let alternatives: Vec<_> = (0..9).map(|number| format!("y{number}")).collect();
        let many_alternatives = format!("label=x&label=z|{}", alternatives.join("|"));
        let many_without = ["without=x"; 11].join("&");
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
            (&many_alternatives, "label"),
            ("label=Cat>101", "label"),
            ("label=Cat|", "label"),
            ("without=", "without"),
            ("without=a%00", "without"),
            (&many_without, "without"),
            ("untagged=yes", "untagged"),
            ("untagged=true&label=Cat", "untagged"),
            ("taken=15", "taken"),
            ("taken=2015-13", "taken"),
            ("taken=2015-02-30", "taken"),
            ("taken=2015-7-01", "taken"),
            ("taken=20150701T", "taken"),
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
        assert_ne!(identity("label=Cat|Dog"), identity("label=Cat&label=Dog"));
        assert_eq!(identity("label=Dog|cat"), identity("label=Cat|DOG"));
        assert_eq!(
            identity("label=Cat>50&minConfidence=50"),
            identity("label=Cat&minConfidence=50")
        );
        assert_ne!(identity("label=Cat"), identity("without=Cat"));
        assert_ne!(identity("untagged=true"), identity("untagged=false"));
        assert_ne!(identity("taken=2015"), identity(""));
        assert_ne!(identity("from=2026-11-22"), identity("to=2026-11-22"));
        identity("label=%F0%9F%90%88");
    }

    #[test]
    fn the_highest_confidence_can_be_that_of_any_label() {
        let labels = json!([
            {"name": "Squirrel", "confidence": 70.5},
            {"name": "Animal", "confidence": 99.0},
            {"name": "Tree", "confidence": 80.0},
        ]);
        let record = json!({
            "imageId": ImageId::new(), "owner": "demo", "status": "LABELED", "labels": labels,
            "createdAt": "2026-11-22T12:00:00.000Z", "updatedAt": "2026-11-22T12:00:05.250Z",
            "key": "uploads/demo/a.jpg", "bucket": "pictures",
        });
        let record: ImageRecord = serde_json::from_value(record).unwrap();
        let selects = |min| {
            let filter = Filter {
                min_confidence: Some(min),
                ..Filter::default()
            };
            filter.selects(&record)
        };
        assert!(selects(99.0) && !selects(99.01));
    }
}
