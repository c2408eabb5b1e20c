//! Finds an owner's images, newest first.
//!
//! Without labels, the index of the history gives candidates; with labels, the rows of the rarest of them do, and the
//! rows of the others are asked whether they have the same image. Candidates' records decide the rest.

use super::query::PageWanted;
use super::{ImageSummary, read_summary};
use crate::Api;
use crate::batch::{self, Item, Key};
use crate::cursor::Position;
use crate::problem::Problem;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::table::{self, HISTORY, HISTORY_INDEX, PARTITION_KEY, SORT_KEY};
use domain::{Owner, Status};
use lambda::ServiceError;

/// The most items that a request reads, beside a count for each label.
pub(crate) const MOST_ITEMS: usize = 400;
/// Fewer candidates at a time are not worth a call where most are filtered out.
const FEWEST_AT_ONCE: usize = 50;

/// A page, and where it ends if it is not the last one.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) images: Vec<ImageSummary>,
    pub(crate) end: Option<Position>,
}

/// Where candidates come from.
enum Source {
    /// All of the owner's images.
    History,
    /// Those with one label; the others have to be asked.
    Rows { rarest: String, others: Vec<String> },
}

/// Candidates in order, and whether more may follow.
#[derive(Default)]
struct Candidates {
    found: Vec<Candidate>,
    more: bool,
}

struct Candidate {
    position: Position,
    /// Whether what is known so far is as wanted; `None` where DynamoDB has left something out.
    fits: Option<bool>,
}

/// Reads on from `after` until the page is full, nothing follows, or enough has been read.
pub(crate) async fn page(
    api: &Api,
    owner: &Owner,
    wanted: &PageWanted,
    after: Option<Position>,
) -> Result<Page, Problem> {
    let mut page = Page {
        images: vec![],
        end: after.clone(),
    };
    let Some(source) = source(api, owner, wanted).await? else {
        page.end = None;
        return Ok(page);
    };
    // A candidate is read where it is listed, in each other label's rows, and as a record.
    let reads_each = 2 + source.others().len();
    let mut budget = MOST_ITEMS / reads_each;
    while budget > 0 {
        let missing = wanted.limit - page.images.len();
        let count = if wanted.is_filtered() {
            missing.max(FEWEST_AT_ONCE)
        } else {
            missing
        };
        let count = count.min(budget);
        budget -= count;
        let search = Search { api, owner, wanted };
        let candidates = search.candidates(&source, page.end.as_ref(), count).await?;
        let last = candidates.found.last().map(|last| last.position.clone());
        for outcome in search.judge(&source, candidates.found).await? {
            match outcome {
                Judged::Unread if page.end == after => return Err(Problem::unavailable()),
                // Shorter, but without a gap.
                Judged::Unread => return Ok(page),
                Judged::No(position) => page.end = Some(position),
                Judged::Yes(position, image) => {
                    page.images.push(*image);
                    let is_last = Some(&position) == last.as_ref() && !candidates.more;
                    page.end = Some(position);
                    if page.images.len() == wanted.limit && !is_last {
                        return Ok(page);
                    }
                }
            }
        }
        if !candidates.more {
            page.end = None;
            return Ok(page);
        }
    }
    Ok(page)
}

/// `None` where one of the labels has no image.
async fn source(api: &Api, owner: &Owner, wanted: &PageWanted) -> Result<Option<Source>, Problem> {
    if wanted.labels.is_empty() {
        return Ok(Some(Source::History));
    }
    let key = |label: &String| (table::owner_partition(owner), table::label_count_sort(label));
    let keys: Vec<Key> = wanted.labels.iter().map(key).collect();
    let count = |item: Item| item.get("count")?.as_n().ok()?.parse::<i64>().ok();
    let mut counts = batch::get(api, &keys, batch::SMALL_ITEMS, count)
        .await?
        .complete()?;
    let mut labels = vec![];
    for (label, key) in wanted.labels.iter().zip(&keys) {
        match counts.remove(key) {
            Some(count) if count > 0 => labels.push((count, label.clone())),
            _ => return Ok(None),
        }
    }
    labels.sort();
    let mut labels = labels.into_iter().map(|(_, label)| label);
    let rarest = labels.next().ok_or_else(Problem::internal)?;
    Ok(Some(Source::Rows {
        rarest,
        others: labels.collect(),
    }))
}

impl Source {
    fn others(&self) -> &[String] {
        match self {
            Self::History => &[],
            Self::Rows { others, .. } => others,
        }
    }
}

impl PageWanted {
    /// Whether more than a few candidates may be refused.
    fn is_filtered(&self) -> bool {
        self.status.is_some() || self.min_confidence.is_some() || self.labels.len() > 1
    }
}

/// What becomes of a candidate.
enum Judged {
    Yes(Position, Box<ImageSummary>),
    No(Position),
    /// DynamoDB has left it out.
    Unread,
}

struct Search<'a> {
    api: &'a Api,
    owner: &'a Owner,
    wanted: &'a PageWanted,
}

impl Search<'_> {
    /// The next candidates behind `after`, at most `count`.
    async fn candidates(
        &self,
        source: &Source,
        after: Option<&Position>,
        count: usize,
    ) -> Result<Candidates, Problem> {
        // Every time begins with a digit.
        let low = self.wanted.from.as_deref().unwrap_or("0");
        // A sort key is its time and more: so one of the instant `to` itself is beyond it.
        let to = self.wanted.to.clone().unwrap_or_else(|| "~".to_owned());
        let high = match after {
            Some(after) => after.just_before().min(to),
            None => to,
        };
        if low > high.as_str() {
            return Ok(Candidates::default());
        }
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let query = self.api.dynamodb.query().table_name(&self.api.table);
        let (query, partition, sort) = match source {
            Source::History => (
                query.index_name(HISTORY_INDEX),
                table::owner_partition(self.owner),
                HISTORY,
            ),
            Source::Rows { rarest, .. } => (
                query.consistent_read(true),
                table::label_partition(self.owner, rarest),
                SORT_KEY,
            ),
        };
        let answer = query
            .key_condition_expression("#pk = :partition AND #sort BETWEEN :low AND :high")
            .expression_attribute_names("#pk", PARTITION_KEY)
            .expression_attribute_names("#sort", sort)
            .expression_attribute_values(":partition", text(&partition))
            .expression_attribute_values(":low", text(low))
            .expression_attribute_values(":high", text(&high))
            .scan_index_forward(false)
            .limit(i32::try_from(count).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| ServiceError::of("dynamodb:Query", &error))?;
        let more = answer.last_evaluated_key().is_some_and(|key| !key.is_empty());
        let found = answer.items.unwrap_or_default().into_iter().filter_map(|item| {
            let position = Position::parse(item.get(sort)?.as_s().ok()?);
            if position.is_none() {
                lambda_http::tracing::error!("a sort key cannot be read");
            }
            let fits = match source {
                Source::History => true,
                Source::Rows { .. } => self.is_sure_enough(&item),
            };
            Some(Candidate {
                position: position?,
                fits: Some(fits),
            })
        });
        Ok(Candidates {
            found: found.collect(),
            more,
        })
    }

    /// Decides over candidates, in their order.
    async fn judge(&self, source: &Source, mut candidates: Vec<Candidate>) -> Result<Vec<Judged>, Problem> {
        for label in source.others() {
            let partition = table::label_partition(self.owner, label);
            let key = |position: &Position| Some((partition.clone(), position.as_str().to_owned()));
            let fits = |item: Item| Some(self.is_sure_enough(&item));
            let rows = self.read(&candidates, key, batch::SMALL_ITEMS, fits).await?;
            for (candidate, row) in candidates.iter_mut().zip(rows) {
                if candidate.fits == Some(true) {
                    candidate.fits = row.map(|fits| fits.unwrap_or(false));
                }
            }
        }
        let key = |position: &Position| {
            let id = position.image_id()?;
            Some((table::owner_partition(self.owner), table::image_sort(id)))
        };
        let records = self.read(&candidates, key, batch::RECORDS, read_summary).await?;
        let judged = candidates.into_iter().zip(records);
        Ok(judged
            .map(|(Candidate { position, fits }, record)| match (fits, record) {
                (Some(false), _) => Judged::No(position),
                (None, _) | (_, None) => Judged::Unread,
                (_, Some(Some(image))) if self.is_wanted(&image) => Judged::Yes(position, Box::new(image)),
                _ => Judged::No(position),
            })
            .collect())
    }

    /// An item for each candidate that still fits, in their order: `None` where DynamoDB has left it out,
    /// `Some(None)` where there is none.
    async fn read<T>(
        &self,
        candidates: &[Candidate],
        key: impl Fn(&Position) -> Option<Key>,
        keys_a_call: usize,
        read: impl Fn(Item) -> Option<T>,
    ) -> Result<Vec<Option<Option<T>>>, Problem> {
        let key = |candidate: &Candidate| {
            let fits = candidate.fits == Some(true);
            fits.then(|| key(&candidate.position)).flatten()
        };
        let keys: Vec<Key> = candidates.iter().filter_map(key).collect();
        let mut found = batch::get(self.api, &keys, keys_a_call, read).await?;
        let item = |candidate: &Candidate| match key(candidate) {
            Some(key) => found.take(&key),
            None => Some(None),
        };
        Ok(candidates.iter().map(item).collect())
    }

    /// Whether a label's row says that its image has the label as surely as is wanted.
    fn is_sure_enough(&self, row: &Item) -> bool {
        let Some(least) = self.wanted.min_confidence else {
            return true;
        };
        let percent = row
            .get("confidence")
            .and_then(|value| value.as_n().ok()?.parse::<f64>().ok());
        percent.is_some_and(|percent| percent >= least)
    }

    fn is_wanted(&self, image: &ImageSummary) -> bool {
        match self.wanted.status {
            Some(status) if image.status() != status => return false,
            None if image.status() == Status::AwaitingUpload => return false,
            _ => {}
        }
        // With labels, their rows have told.
        match self.wanted.min_confidence {
            Some(least) if self.wanted.labels.is_empty() => image
                .labels
                .first()
                .is_some_and(|surest| surest.confidence.percent() >= least),
            _ => true,
        }
    }
}
