//! Finds an owner's images, newest first.
//!
//! Without labels, the history's index provides the candidates. With labels, the rows of the rarest label do, and each
//! candidate is then looked up among the rows of the other labels. Last, the candidates' records are read and filtered.

use crate::app::App;
use crate::http::cursor::Position;
use crate::http::problem::Problem;
use crate::routes::list::query::Filter;
use crate::routes::list::summary::{ImageSummary, summaries};
use domain::{ImageId, Owner, Status};
use records::{Found, Range, Read};

/// Items that a request reads at most, besides one count per label.
pub(crate) const MAX_ITEMS: usize = 400;
/// Candidates per call at least, if many of them may be filtered out.
const MIN_CANDIDATES: usize = 50;

/// A page, and where it ends unless it is the last one.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) images: Vec<ImageSummary>,
    pub(crate) end: Option<Position>,
}

/// The source of candidates.
enum Source {
    /// All of the owner's images.
    History,
    /// The images with the rarest label. The others have to be looked up.
    Rows { rarest: String, others: Vec<String> },
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
    // Each candidate is read from its source, from the rows of each other label, and as a record.
    let reads_per_candidate = 2 + source.others().len();
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

/// `None` if one of the labels has no images.
async fn source(app: &App, owner: &Owner, filter: &Filter) -> Result<Option<Source>, Problem> {
    if filter.labels.is_empty() {
        return Ok(Some(Source::History));
    }
    let counts = app.records.label_counts(owner, &filter.labels).await?;
    let mut labels = vec![];
    for (label, count) in filter.labels.iter().zip(counts) {
        match count {
            Read::Found(count) if count > 0 => labels.push((count, label.clone())),
            Read::Found(_) | Read::Absent => return Ok(None),
            Read::Unread => return Err(Problem::unavailable()),
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

impl Filter {
    /// Whether more than a few candidates may be filtered out.
    fn is_filtered(&self) -> bool {
        self.status.is_some() || self.min_confidence.is_some() || self.labels.len() > 1
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
        // All times sort after this text: they start with a year.
        let low = self.filter.from.as_deref().unwrap_or("0");
        // A sort key starts with its time, so that a key with the time `to` sorts after it.
        let to = self.filter.to.clone().unwrap_or_else(|| "~".to_owned());
        let high = match after {
            Some(after) => after.just_before().min(to),
            None => to,
        };
        if low > high.as_str() {
            return Ok(Candidates::default());
        }
        let range = Range {
            low,
            high: &high,
            limit: count,
        };
        let records = &self.app.records;
        let Found { items, more } = match source {
            Source::History => {
                let found = records.history(self.owner, range).await?;
                Found {
                    items: found.items.into_iter().map(|place| (place, true)).collect(),
                    more: found.more,
                }
            }
            Source::Rows { rarest, .. } => {
                let found = records.images_with_label(self.owner, rarest, range).await?;
                let items = found.items.into_iter();
                Found {
                    items: items
                        .map(|(place, percent)| (place, self.is_confident_enough(percent)))
                        .collect(),
                    more: found.more,
                }
            }
        };
        let found = items.into_iter().filter_map(|(place, matches)| {
            let position = Position::parse(&place);
            if position.is_none() {
                lambda_http::tracing::error!("a sort key cannot be read");
            }
            Some(Candidate {
                position: position?,
                matches: Some(matches),
            })
        });
        Ok(Candidates {
            found: found.collect(),
            more,
        })
    }

    /// Decides about candidates, in their order.
    async fn decide(
        &self,
        source: &Source,
        mut candidates: Vec<Candidate>,
    ) -> Result<Vec<Decision>, Problem> {
        let records = &self.app.records;
        for label in source.others() {
            let mut left: Vec<_> = candidates
                .iter_mut()
                .filter(|left| left.matches == Some(true))
                .collect();
            let places: Vec<_> = left.iter().map(|left| left.position.as_str()).collect();
            let rows = records.label_confidences(self.owner, label, &places).await?;
            for (candidate, row) in left.iter_mut().zip(rows) {
                candidate.matches = match row {
                    Read::Found(percent) => Some(self.is_confident_enough(percent)),
                    Read::Absent => Some(false),
                    Read::Unread => None,
                };
            }
        }
        let ids: Vec<ImageId> = candidates
            .iter()
            .filter(|left| left.matches == Some(true))
            .filter_map(|left| left.position.image_id())
            .collect();
        let mut images = summaries(self.app, self.owner, &ids).await?.into_iter();
        Ok(candidates
            .into_iter()
            .map(|Candidate { position, matches }| match matches {
                Some(false) => Decision::No(position),
                None => Decision::Unread,
                Some(true) => match images.next() {
                    Some(Read::Found(image)) if self.is_selected(&image) => {
                        Decision::Yes(position, Box::new(image))
                    }
                    Some(Read::Unread) => Decision::Unread,
                    _ => Decision::No(position),
                },
            })
            .collect())
    }

    /// Whether a label's row has at least the confidence of the filter.
    fn is_confident_enough(&self, percent: Option<f64>) -> bool {
        match self.filter.min_confidence {
            Some(min) => percent.is_some_and(|percent| percent >= min),
            None => true,
        }
    }

    fn is_selected(&self, image: &ImageSummary) -> bool {
        match self.filter.status {
            Some(status) if image.status() != status => return false,
            None if image.status() == Status::AwaitingUpload => return false,
            _ => {}
        }
        // With labels, their rows were checked.
        match self.filter.min_confidence {
            Some(min) if self.filter.labels.is_empty() => image
                .highest_confidence()
                .is_some_and(|highest| highest.percent() >= min),
            _ => true,
        }
    }
}
