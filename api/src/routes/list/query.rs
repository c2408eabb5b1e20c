//! The query parameters of `GET /images`.

use crate::http::problem::Problem;
use crate::http::query::{Parameters, RawParameters, local_time};
use crate::routes::list::labels::{LabelAlternatives, alternatives};
use domain::policy::{LabelName, is_label_name};
use domain::search::Alternatives;
use domain::{ImageId, MediaType, Search, Status};
use jiff::civil::Date;
use std::cmp::Ordering;
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
const TYPE: (&str, &str) = ("type", "PICTURE or VIDEO");
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
const TIME: &str = "a date such as 2015-07-13, or a time without a UTC offset such as 2015-07-13T18:20:00";
const FROM: (&str, &str) = ("from", TIME);
const TO: (&str, &str) = ("to", TIME);
const ORDER: (&str, &str) = (
    "order",
    "time, added or confidence; confidence needs exactly one label parameter with a single name",
);
const BOXES: (&str, &str) = ("boxes", "true or false; can't be true without label");
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
    /// Only pictures, or only videos.
    #[param(inline, rename = "type")]
    media_type: Option<MediaType>,
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
    /// Only images whose `time` is this one or later: a date, or a time without a UTC offset.
    from: Option<String>,
    /// Only images whose `time` is earlier. Same format as `from`.
    to: Option<String>,
    /// `time` (the default): by `time`, latest first. `added`: by `createdAt`, latest first. `confidence`: by the confidence
    /// of the searched label, highest first; needs exactly one `label` parameter with a single name.
    #[param(inline)]
    order: Option<Order>,
    /// Whether the searched labels have `instances`. Needs `label`.
    boxes: Option<bool>,
    /// Only these images, with any status. IDs that aren't yours are omitted. Can't be combined with other parameters.
    #[param(min_items = 1, max_items = 100, explode = true)]
    id: Option<Vec<ImageId>>,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, utoipa::ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) enum Order {
    /// By [`domain::ImageRecord::time`], latest first.
    #[default]
    Time,
    /// By the time of the upload, latest first.
    Added,
    /// By the confidence of the searched label, highest first.
    Confidence,
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

/// Which images a list has, and in which order.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(crate) limit: usize,
    pub(crate) order: Order,
    /// Whether to return the boxes of the searched labels.
    pub(crate) boxes: bool,
    pub(crate) search: Search,
    /// As the caller sent it.
    pub(crate) cursor: Option<String>,
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
            TYPE,
            LABEL,
            WITHOUT,
            UNTAGGED,
            TAKEN,
            MIN_CONFIDENCE,
            FROM,
            TO,
            ORDER,
            BOXES,
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
        let search = search(parameters)?;
        let order = parameters.one(ORDER, |text| match text {
            "time" => Some(Order::Time),
            "added" => Some(Order::Added),
            "confidence" => single_name(&search.labels).map(|_| Order::Confidence),
            _ => None,
        })?;
        let boxes = parameters.one(BOXES, |text| {
            let boxes: bool = text.parse().ok()?;
            (!boxes || !search.labels.is_empty()).then_some(boxes)
        })?;
        Ok(Self {
            limit: limit.unwrap_or(DEFAULT_LIMIT),
            order: order.unwrap_or_default(),
            boxes: boxes.unwrap_or_default(),
            search,
            cursor: parameters.one(CURSOR, |text| Some(text.to_owned()))?,
        })
    }

    /// Canonical form of what decides which images a page has. A cursor is valid only for a filter with the same form.
    pub(crate) fn identity(&self) -> String {
        format!("{:?}", (self.order, &self.search))
    }

    /// The error for a cursor that was made for another query.
    pub(crate) fn invalid_cursor() -> Problem {
        Problem::invalid_field(CURSOR.0, CURSOR.1)
    }
}

/// Reads the parameters of a search. They are the same wherever images are searched.
///
/// # Errors
/// The first invalid parameter.
fn search(parameters: &Parameters) -> Result<Search, Problem> {
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
    let media_type = parameters.one(TYPE, MediaType::parse)?;
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
    let from = parameters.one(FROM, local_time)?;
    let to = parameters.one(TO, local_time)?;
    if from
        .as_ref()
        .zip(to.as_ref())
        .is_some_and(|(from, to)| from >= to)
    {
        return Err(Problem::invalid_field(TO.0, "later than from"));
    }
    Ok(Search {
        status,
        media_type,
        labels,
        without: without.into_iter().map(str::to_lowercase).collect(),
        untagged: untagged.unwrap_or_default(),
        taken,
        min_confidence,
        from,
        to,
    })
}

/// Reads a search from the text of a query, which has no other parameters.
///
/// # Errors
/// The first invalid parameter, or one that a search does not have.
pub(crate) fn search_text(query: &str) -> Result<Search, Problem> {
    let rules = [
        STATUS,
        TYPE,
        LABEL,
        WITHOUT,
        UNTAGGED,
        TAKEN,
        MIN_CONFIDENCE,
        FROM,
        TO,
    ];
    search(&RawParameters::decode(query).known(&rules.map(|(name, _)| name))?)
}

/// The searched label, if there is exactly one.
pub(crate) fn single_name(labels: &[Alternatives]) -> Option<(&String, Option<f64>)> {
    match labels {
        [alternatives] if alternatives.len() == 1 => {
            let (name, min) = alternatives.first_key_value()?;
            Some((name, *min))
        }
        _ => None,
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
            ("type=MOVIE", "type"),
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
            ("from=2026-11-22T10:00:00Z", "from"),
            ("order=newest", "order"),
            ("order=confidence", "order"),
            ("order=confidence&label=Cat|Dog", "order"),
            ("order=confidence&label=Cat&label=Dog", "order"),
            ("order=added&order=time", "order"),
            ("boxes=1&label=Cat", "boxes"),
            ("boxes=true", "boxes"),
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
        assert_ne!(identity("order=added"), identity("order=time"));
        assert_eq!(identity("boxes=true&label=Cat"), identity("label=Cat"));
        identity("label=%F0%9F%90%88");
    }
}
