//! The parameters of `GET /images`.

use crate::cursor::{self, Position};
use crate::problem::Problem;
use crate::query::{Parameters, RawParameters, instant};
use domain::policy::{LabelName, is_label_name};
use domain::{ImageId, Owner, Status};
use std::collections::BTreeSet;
use utoipa::IntoParams;

const LIMIT: (&str, &str) = ("limit", "a whole number from 1 to 100");
const CURSOR: (&str, &str) = (
    "cursor",
    "the nextCursor of an answer to the same request: all parameters but limit must be as they were",
);
const STATUS: (&str, &str) = (
    "status",
    "AWAITING_UPLOAD, PROCESSING, LABELED, REJECTED or FAILED",
);
const LABEL: (&str, &str) = (
    "label",
    "a label's name of 1 to 100 characters without control characters, at most 10 times",
);
const MIN_CONFIDENCE: (&str, &str) = ("minConfidence", "a number from 0 to 100");
const INSTANT: &str =
    "a date such as 2026-11-22, or an instant such as 2026-11-22T12:00:00Z, with its offset from UTC";
const FROM: (&str, &str) = ("from", INSTANT);
const TO: (&str, &str) = ("to", INSTANT);
const ID: (&str, &str) = (
    "id",
    "an id as POST /uploads hands it out, at most 100 times, and not beside other parameters",
);

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 100;
const MAX_LABELS: usize = 10;
const MAX_IDS: usize = 100;

/// For the description only: what is read is [`Wanted`], which names what is wrong.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub(crate) struct ListQuery {
    /// Images a page, at most.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
    /// The `nextCursor` of the page before. All other parameters but `limit` must be as they were.
    #[param(min_length = 1)]
    cursor: Option<String>,
    /// Only images that are there. Without it, all but those that still wait for their upload.
    #[param(inline)]
    status: Option<ListedStatus>,
    /// Only images with this label, however it is capitalized; several mean all of them.
    #[param(min_items = 1, max_items = 10, explode = true)]
    label: Option<Vec<LabelName>>,
    /// Only images with labels that are at least so sure, in percent: all those that `label` names, or any.
    #[param(minimum = 0, maximum = 100, rename = "minConfidence")]
    min_confidence: Option<f64>,
    /// Only images from then on: a date (its first moment in UTC) or an instant with its offset from UTC.
    from: Option<String>,
    /// Only images before then, in the same form as `from`.
    to: Option<String>,
    /// Only these images, whatever their status; ids of no image of yours are left out. Goes with no other parameter.
    #[param(min_items = 1, max_items = 100, explode = true)]
    id: Option<Vec<ImageId>>,
}

/// A status that can be asked for.
#[derive(utoipa::ToSchema)]
#[allow(dead_code)]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
enum ListedStatus {
    AwaitingUpload,
    Processing,
    Labeled,
    Rejected,
    Failed,
}

/// What a request wants.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// Images by their ids, each once.
    Named(Vec<ImageId>),
    Page(PageWanted),
}

/// A page of an owner's history.
#[derive(Debug, Default)]
pub(crate) struct PageWanted {
    pub(crate) limit: usize,
    pub(crate) status: Option<Status>,
    /// In lower case, each once.
    pub(crate) labels: BTreeSet<String>,
    pub(crate) min_confidence: Option<f64>,
    /// Sort keys from here on.
    pub(crate) from: Option<String>,
    /// Sort keys before this.
    pub(crate) to: Option<String>,
    cursor: Option<String>,
}

impl Wanted {
    /// Reads the parameters.
    ///
    /// # Errors
    /// The first that is wrong.
    pub(crate) fn read(parameters: RawParameters) -> Result<Self, Problem> {
        let rules = [ID, LIMIT, CURSOR, STATUS, LABEL, MIN_CONFIDENCE, FROM, TO];
        let parameters = parameters.known(&rules.map(|(name, _)| name))?;
        let ids = parameters.all(ID.0);
        if ids.is_empty() {
            return PageWanted::read(&parameters).map(Self::Page);
        }
        let wrong = || Problem::invalid_field(ID.0, ID.1);
        if ids.len() > MAX_IDS || ids.len() < parameters.count() {
            return Err(wrong());
        }
        let mut named = vec![];
        for id in ids {
            let id = ImageId::parse(id).ok_or_else(wrong)?;
            if !named.contains(&id) {
                named.push(id);
            }
        }
        Ok(Self::Named(named))
    }
}

impl PageWanted {
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

    /// What decides which images the pages have, in one form.
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

    /// Where the page before ended.
    ///
    /// # Errors
    /// The cursor was not handed out to this owner for this query.
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

    fn blamed(query: &str) -> String {
        let problem = Wanted::read(RawParameters::decode(query))
            .map(|_| ())
            .unwrap_err();
        let problem = serde_json::to_value(problem).unwrap();
        assert_eq!(problem["status"], 400, "{query}");
        problem["field"].as_str().unwrap_or_default().to_owned()
    }

    #[test]
    fn each_parameter_that_is_wrong_is_named() {
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
            assert_eq!(blamed(query), field, "{query}");
        }
    }

    #[test]
    fn labels_are_the_same_however_capitalized_and_ordered() {
        let identity = |query: &str| match Wanted::read(RawParameters::decode(query)).unwrap() {
            Wanted::Page(wanted) => wanted.identity(),
            Wanted::Named(_) => panic!("a page"),
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
