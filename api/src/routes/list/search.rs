//! Finds an owner's images in one of three orders.
//!
//! By time, and without labels, the history's index provides the candidates. With labels, the rows of the rarest alternatives
//! do, and each candidate is then looked up among the rows of the other labels. In the other orders, the index of this order
//! provides the candidates. Last, the candidates' records are read and filtered.

use crate::app::App;
use crate::http::problem::Problem;
use crate::routes::list::position::{Place, Position};
use crate::routes::list::query::{Filter, Order, single_name};
use crate::routes::list::summary::{ImageSummary, summaries};
use domain::search::Alternatives;
use domain::{ImageId, ImageRecord, Owner, Status};
use futures_util::future::try_join_all;
use records::{Found, Range, Read};
use std::collections::{BTreeMap, BTreeSet};

/// Maximum number of items that a request reads, not including one count per label.
pub(crate) const MAX_ITEMS: usize = 400;
/// Minimum number of candidates per call, if the filter may exclude many of them.
const MIN_CANDIDATES: usize = 50;

/// A page, and where it ends unless it is the last one.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) images: Vec<ImageSummary>,
    pub(crate) end: Option<Position>,
}

/// The source of candidates.
enum Source {
    /// All of the owner's images by time.
    History,
    /// All of the owner's images by their uploads.
    Added,
    /// The images with a label, by its confidence, which is at least `min`.
    Confidence { label: String, min: Option<f64> },
    /// The images with one of the rarest alternatives. The others have to be looked up.
    Rows {
        rarest: Alternatives,
        others: Vec<Alternatives>,
    },
}

/// Candidates in order, and whether there may be more.
#[derive(Default)]
struct Candidates {
    found: Vec<Candidate>,
    more: bool,
}

struct Candidate {
    position: Position,
    /// Whether it matches the filter so far. `None` if DynamoDB did not return an item.
    matches: Option<bool>,
}

/// Reads from `after` until the page is full, all images are read, or the limit of items is reached.
pub(crate) async fn page(
    app: &App,
    owner: &Owner,
    filter: &Filter,
    after: Option<Position>,
) -> Result<Page, Problem> {
    let mut page = Page {
        images: vec![],
        end: after.clone(),
    };
    let Some(source) = source(app, owner, filter).await? else {
        page.end = None;
        return Ok(page);
    };
    let reads_per_candidate = source.reads_per_candidate();
    let mut budget = MAX_ITEMS / reads_per_candidate;
    let mut many_filtered_out = filter.is_filtered();
    while budget > 0 {
        let missing = filter.limit - page.images.len();
        let count = if many_filtered_out {
            missing.max(MIN_CANDIDATES)
        } else {
            missing
        };
        let count = count.min(budget);
        budget -= count;
        let search = Search { app, owner, filter };
        let candidates = search.candidates(&source, page.end.as_ref(), count).await?;
        let last = candidates.found.last().map(|last| last.position.clone());
        for outcome in search.decide(&source, candidates.found).await? {
            match outcome {
                Decision::Unread if page.end == after => return Err(Problem::unavailable()),
                // The page is shorter but has no gap.
                Decision::Unread => return Ok(page),
                Decision::No(position) => page.end = Some(position),
                Decision::Yes(position, image) => {
                    page.images.push(*image);
                    let is_last = Some(&position) == last.as_ref() && !candidates.more;
                    page.end = Some(position);
                    if page.images.len() == filter.limit && !is_last {
                        return Ok(page);
                    }
                }
            }
        }
        if !candidates.more {
            page.end = None;
            return Ok(page);
        }
        // Otherwise, a page that lacks one image would read the candidates one by one.
        many_filtered_out = true;
    }
    Ok(page)
}

/// `None` if no image can match.
async fn source(app: &App, owner: &Owner, filter: &Filter) -> Result<Option<Source>, Problem> {
    let search = &filter.search;
    let has_other_status = search.status.is_some_and(|status| status != Status::Labeled);
    if search.untagged && (search.min_confidence.is_some() || has_other_status) {
        return Ok(None);
    }
    match (filter.order, single_name(&search.labels)) {
        (Order::Added, _) => return Ok(Some(Source::Added)),
        (Order::Confidence, Some((label, min))) => {
            let label = label.clone();
            return Ok(Some(Source::Confidence { label, min }));
        }
        _ if search.labels.is_empty() => return Ok(Some(Source::History)),
        _ => {}
    }
    let names: BTreeSet<&String> = search.labels.iter().flat_map(Alternatives::keys).collect();
    let counts = app.records.label_counts(owner, names.iter().copied()).await?;
    let mut images = BTreeMap::new();
    for (name, count) in names.into_iter().zip(counts) {
        if let Some(count) = count.known()?.filter(|count| *count > 0) {
            images.insert(name, count);
        }
    }
    let mut labels = vec![];
    for alternatives in &search.labels {
        let mut existing = alternatives.clone();
        existing.retain(|name, _| images.contains_key(name));
        if existing.is_empty() {
            return Ok(None);
        }
        let count: i64 = existing.keys().map(|name| images[name]).sum();
        labels.push((count, existing));
    }
    labels.sort_by_key(|(count, _)| *count);
    let mut labels = labels.into_iter().map(|(_, alternatives)| alternatives);
    let rarest = labels.next().ok_or_else(Problem::internal)?;
    Ok(Some(Source::Rows {
        rarest,
        others: labels.collect(),
    }))
}

impl Source {
    fn others(&self) -> &[Alternatives] {
        match self {
            Self::History | Self::Added | Self::Confidence { .. } => &[],
            Self::Rows { others, .. } => others,
        }
    }

    /// Each candidate is read from its source, from the rows of each other label, and as a record.
    fn reads_per_candidate(&self) -> usize {
        let own = match self {
            Self::History | Self::Added | Self::Confidence { .. } => 1,
            Self::Rows { rarest, .. } => rarest.len(),
        };
        own + self.others().iter().map(Alternatives::len).sum::<usize>() + 1
    }
}

impl Filter {
    /// Whether more than a few candidates may be filtered out.
    fn is_filtered(&self) -> bool {
        let domain::Search {
            status,
            media_type,
            labels,
            without,
            untagged,
            taken,
            min_confidence,
            from,
            to,
        } = &self.search;
        let has_minimum = labels.iter().flat_map(Alternatives::values).any(Option::is_some);
        let is_by_time = self.order == Order::Time;
        status.is_some()
            || media_type.is_some()
            || min_confidence.is_some()
            || has_minimum
            || labels.len() > 1
            || !without.is_empty()
            || *untagged
            || taken.is_some()
            || (!is_by_time && (from.is_some() || to.is_some()))
            || (self.order == Order::Added && !labels.is_empty())
    }

    /// Whether an image that the source has returned matches.
    fn selects(&self, record: &ImageRecord) -> bool {
        match self.order {
            // The source returns only images with the labels, and of the time.
            Order::Time => self.search.matches_without_labels(record),
            Order::Added | Order::Confidence => self.search.matches(record),
        }
    }
}

/// What the search decided about a candidate.
enum Decision {
    Yes(Position, Box<ImageSummary>),
    No(Position),
    /// DynamoDB did not return it.
    Unread,
}

struct Search<'a> {
    app: &'a App,
    owner: &'a Owner,
    filter: &'a Filter,
}

impl Search<'_> {
    /// The next candidates after `after`. At most `count`.
    async fn candidates(
        &self,
        source: &Source,
        after: Option<&Position>,
        count: usize,
    ) -> Result<Candidates, Problem> {
        let records = &self.app.records;
        let found = match source {
            Source::History | Source::Rows { .. } => {
                let Some((low, high)) = self.range(after) else {
                    return Ok(Candidates::default());
                };
                let range = Range {
                    low: &low,
                    high: &high,
                    limit: count,
                };
                let found = match source {
                    Source::Rows { rarest, .. } => self.rows(rarest, range).await?,
                    _ => all_match(records.history(self.owner, range).await?),
                };
                positions(found, |place| Place::parse(&place).map(Position::History))
            }
            Source::Added => {
                let after = after.and_then(Position::added);
                let found = records.recently_added(self.owner, after, count).await?;
                positions(all_match(found), |added| Some(Position::Added(added)))
            }
            Source::Confidence { label, min } => {
                let after = after.and_then(Position::confident);
                let found = records
                    .most_confident(self.owner, label, *min, after, count)
                    .await?;
                positions(all_match(found), Position::of_confident)
            }
        };
        Ok(found)
    }

    /// The range of places in the history after `after`. `None` if it is empty.
    fn range(&self, after: Option<&Position>) -> Option<(String, String)> {
        let search = &self.filter.search;
        // All times sort after this text: they start with a year.
        let low = search.from.as_deref().unwrap_or("0").to_owned();
        // A sort key starts with its time, so that a key with the time `to` sorts after it.
        let to = search.to.as_deref().unwrap_or("~").to_owned();
        let high = match after.and_then(Position::place) {
            Some(after) => after.just_before().min(to),
            None => to,
        };
        (low <= high).then_some((low, high))
    }

    /// The places of images that have one of the rarest alternatives.
    async fn rows(&self, rarest: &Alternatives, range: Range<'_>) -> Result<Found<(String, bool)>, Problem> {
        let rows = rarest.iter().map(async |(label, min)| {
            let records = &self.app.records;
            let found = records.images_with_label(self.owner, label, range).await?;
            let items = found.items.into_iter();
            Ok::<_, Problem>(Found {
                items: items
                    .map(|(place, percent)| (place, is_confident_enough(percent, *min)))
                    .collect(),
                more: found.more,
            })
        });
        Ok(merged(try_join_all(rows).await?, range.limit))
    }

    /// Decides about candidates, in their order.
    async fn decide(
        &self,
        source: &Source,
        mut candidates: Vec<Candidate>,
    ) -> Result<Vec<Decision>, Problem> {
        let records = &self.app.records;
        for alternatives in source.others() {
            let mut left: Vec<_> = candidates
                .iter_mut()
                .filter(|left| left.matches == Some(true))
                .collect();
            for candidate in &mut left {
                candidate.matches = Some(false);
            }
            for (label, min) in alternatives {
                left.retain(|candidate| candidate.matches != Some(true));
                let places: Vec<_> = left
                    .iter()
                    .filter_map(|left| left.position.place().map(Place::as_str))
                    .collect();
                let rows = records.label_confidences(self.owner, label, &places).await?;
                for (candidate, row) in left.iter_mut().zip(rows) {
                    match row {
                        Read::Found(percent) if is_confident_enough(percent, *min) => {
                            candidate.matches = Some(true);
                        }
                        Read::Found(_) | Read::Absent => {}
                        // Another alternative can still match.
                        Read::Unread => candidate.matches = None,
                    }
                }
            }
        }
        let ids: Vec<ImageId> = candidates
            .iter()
            .filter(|left| left.matches == Some(true))
            .filter_map(|left| left.position.image_id())
            .collect();
        let selects = |record: &ImageRecord| self.filter.selects(record);
        let images = summaries(self.app, self.owner, &ids, selects).await?;
        let mut images = images.into_iter();
        Ok(candidates
            .into_iter()
            .map(|Candidate { position, matches }| match matches {
                Some(false) => Decision::No(position),
                None => Decision::Unread,
                Some(true) => match images.next() {
                    Some(Read::Found(image)) => Decision::Yes(position, Box::new(image)),
                    Some(Read::Unread) => Decision::Unread,
                    _ => Decision::No(position),
                },
            })
            .collect())
    }
}

/// Items that match as far as their source knows.
fn all_match<T>(found: Found<T>) -> Found<(T, bool)> {
    Found {
        items: found.items.into_iter().map(|item| (item, true)).collect(),
        more: found.more,
    }
}

/// Candidates at the positions of what was found.
fn positions<T>(found: Found<(T, bool)>, read: impl Fn(T) -> Option<Position>) -> Candidates {
    let candidates = found.items.into_iter().filter_map(|(item, matches)| {
        let position = read(item);
        if position.is_none() {
            lambda_http::tracing::error!("a sort key cannot be read");
        }
        Some(Candidate {
            position: position?,
            matches: Some(matches),
        })
    });
    Candidates {
        found: candidates.collect(),
        more: found.more,
    }
}

/// Whether a label's row has at least the minimum confidence.
fn is_confident_enough(percent: Option<f64>, min: Option<f64>) -> bool {
    match min {
        Some(min) => percent.is_some_and(|percent| percent >= min),
        None => true,
    }
}

/// Merges the rows of several labels into at most `count` sort keys, newest first. A sort key matches if any of its rows
/// does. If a label has unread rows, the sort keys below its last row are omitted: that label may have rows between them.
fn merged(rows: Vec<Found<(String, bool)>>, count: usize) -> Found<(String, bool)> {
    let unfinished = rows.iter().filter(|found| found.more);
    let complete_down_to = unfinished
        .filter_map(|found| found.items.last())
        .map(|(place, _)| place.clone())
        .max();
    let mut more = rows.iter().any(|found| found.more);
    let mut places: BTreeMap<String, bool> = BTreeMap::new();
    for (place, matches) in rows.into_iter().flat_map(|found| found.items) {
        *places.entry(place).or_default() |= matches;
    }
    let is_known = |place: &String| {
        complete_down_to
            .as_ref()
            .is_none_or(|complete_down_to| place >= complete_down_to)
    };
    let mut items: Vec<_> = places
        .into_iter()
        .rev()
        .filter(|(place, _)| is_known(place))
        .collect();
    more |= items.len() > count;
    items.truncate(count);
    Found { items, more }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(places: &[(&str, bool)], more: bool) -> Found<(String, bool)> {
        let items = places
            .iter()
            .map(|(place, matches)| ((*place).to_owned(), *matches));
        Found {
            items: items.collect(),
            more,
        }
    }

    #[test]
    fn alternatives_are_merged_down_to_the_last_place_that_all_of_them_have_read() {
        let rows = || {
            vec![
                found(&[("9", true), ("7", false), ("5", true)], true),
                found(&[("8", true), ("7", true), ("6", false), ("3", true)], false),
            ]
        };
        let all = [("9", true), ("8", true), ("7", true), ("6", false), ("5", true)];
        assert_eq!(merged(rows(), 9), found(&all, true), "3 may be followed by 4");
        assert_eq!(merged(rows(), 2), found(&all[..2], true));
        let complete = vec![found(&[("2", true)], false), found(&[("1", false)], false)];
        assert_eq!(
            merged(complete.clone(), 2),
            found(&[("2", true), ("1", false)], false)
        );
        assert_eq!(merged(complete, 1), found(&[("2", true)], true));
    }
}
