//! `POST /jobs/preview`: how many images a job would process, and what that would cost. It is a route of its own, so that a
//! field that is forgotten or misspelled cannot start a job.
//!
//! The count is exact for a library of any size, because the caller repeats the request with a cursor: each request examines
//! a limited number of images.

use crate::app::App;
use crate::http::cursor;
use crate::http::problem::Problem;
use crate::routes::jobs::request::Work;
use crate::routes::jobs::undone;
use crate::routes::record::log_unreadable;
use domain::bulk::{DOLLARS_PER_IMAGE, newest};
use domain::{BulkDeletion, ImageId, ImageRecord, JobId, Owner, Relabel, Selection, Status};
use jiff::Timestamp;
use records::Read;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

/// Queries of a request. Each reads at most 1 MB.
const MAX_QUERIES: usize = 4;
/// Images that a query reads, if they have less than 1 MB.
const IMAGES_PER_QUERY: i32 = 1000;
/// The latest uploads, among which the newest model is looked for: as many as one call reads.
const LATEST: usize = 100;

pub(crate) const CURSOR: (&str, &str) = ("cursor", "the nextCursor of a response to the same body");

/// Query parameters, for the description only.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only utoipa reads it")]
pub(crate) struct PreviewQuery {
    /// The `nextCursor` of the previous response.
    #[param(min_length = 1)]
    cursor: Option<String>,
}

/// What a job would do with a part of the library.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Preview {
    /// Images that the job would label, correct, restore, delete or export. Add those of all responses.
    images: u64,
    /// Minutes of the videos among them, of which a part counts as a whole one. 0 unless `kind` is `RELABEL`. Add those of all
    /// responses.
    video_minutes: u64,
    /// Videos that the job would skip, because each has more minutes than jobs may label in a day. They are not among `images`. 0
    /// unless `kind` is `RELABEL`. Add those of all responses.
    skipped_videos: u64,
    /// What labeling these images costs at most, in US dollars: about $0.001 for each picture, Rekognition's price in us-east-1
    /// for the first million images of a month, and as much for each frame of a video that is labeled, or $0.10 for each minute
    /// with Rekognition Video. 0 unless `kind` is `RELABEL`. Add those of all responses.
    dollars: f64,
    /// Images that a job can still label again today (UTC): jobs use at most 80% of the daily limits. A job that labels more
    /// continues on the next days.
    images_left_today: u32,
    /// Minutes of video that a job can still label again today, in the same way.
    video_minutes_left_today: u32,
    /// The `cursor` of the next request. Null if all images have been examined.
    #[schema(required)]
    next_cursor: Option<String>,
    /// When the images were examined. For a `DELETE` job, send that of the first response as `createdBefore`.
    #[schema(format = DateTime)]
    examined_at: String,
}

/// Where the next request continues.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Position {
    after: ImageId,
    /// The newest model, so that all requests count the same images.
    older_than: Option<String>,
}

impl Position {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (after, version) = text.split_once('#')?;
        Some(Self {
            after: ImageId::parse(after)?,
            older_than: (!version.is_empty()).then(|| version.to_owned()),
        })
    }

    fn text(&self) -> String {
        format!(
            "{}#{}",
            self.after,
            self.older_than.as_deref().unwrap_or_default()
        )
    }
}

/// The canonical form of what a job does, for cursors.
pub(crate) fn query(work: &Work) -> Result<String, Problem> {
    serde_json::to_string(work).map_err(|_| Problem::internal())
}

/// Examines the images after `position`.
pub(crate) async fn preview(
    app: &App,
    owner: &Owner,
    work: &Work,
    position: Option<Position>,
) -> Result<Preview, Problem> {
    let (after, older_than) = position
        .map(|position| (Some(position.after), position.older_than))
        .unwrap_or_default();
    // Before images are read: one that changes meanwhile has not been counted.
    let now = Timestamp::now();
    let renames = match work {
        Work::Correct(_) => app.records.settings(owner, &app.default_policy).await?.renames,
        Work::Export(_) | Work::Relabel { .. } | Work::Undo(_) | Work::Delete { .. } => vec![],
    };
    let deletion = match work {
        Work::Delete {
            selection,
            created_before,
        } => Some(deletion(selection, *created_before, now)),
        Work::Export(_) | Work::Relabel { .. } | Work::Correct(_) | Work::Undo(_) => None,
    };
    let relabel = match work {
        Work::Relabel {
            selection,
            older_model,
        } => Some(relabel(app, owner, selection, *older_model, older_than).await?),
        Work::Export(_) | Work::Correct(_) | Work::Undo(_) | Work::Delete { .. } => None,
    };
    let video_quotas = app.video_quotas.for_jobs();
    let max_minutes = video_quotas.max_minutes();
    let count_one = |image: &ImageRecord| {
        let is_selected = match (work, &relabel) {
            (Work::Export(export), _) => export.selection.selects(image),
            (Work::Correct(correction), _) => correction.changes(image, &renames),
            (Work::Relabel { .. }, Some(relabel)) if image.status != Status::Processing => {
                if relabel.skips(image, max_minutes) {
                    return Counted::SKIPPED_VIDEO;
                }
                relabel.selects(image, max_minutes)
            }
            (Work::Delete { .. }, _) => deletion.as_ref().is_some_and(|deletion| deletion.selects(image)),
            (Work::Relabel { .. }, _) | (Work::Undo(_), _) => false,
        };
        if is_selected {
            Counted::one(image.video_minutes())
        } else {
            Counted::default()
        }
    };
    let selection = match (work, &relabel) {
        (_, Some(relabel)) => Some(&relabel.selection),
        (Work::Export(export), None) => Some(&export.selection),
        (Work::Correct(correction), None) => Some(&correction.selection),
        (Work::Relabel { selection, .. } | Work::Delete { selection, .. }, None) => Some(selection),
        (Work::Undo(_), None) => None,
    };
    let (counted, last) = match (work, selection) {
        (_, Some(Selection::Images(ids))) => (count_named(app, owner, ids, count_one).await?, None),
        (_, Some(Selection::Search(_))) => count(app, owner, after, count_one).await?,
        (Work::Undo(job_id), None) => count_undone(app, owner, *job_id, after).await?,
        (_, None) => (Counted::default(), None),
    };
    let is_relabel = relabel.is_some();
    let next = last.map(|after| Position {
        after,
        older_than: relabel.as_ref().and_then(|relabel| relabel.older_than.clone()),
    });
    let query = query(work)?;
    let records = &app.records;
    Ok(Preview {
        images: counted.images,
        video_minutes: if is_relabel { counted.video_minutes } else { 0 },
        skipped_videos: counted.skipped_videos,
        dollars: if is_relabel {
            counted.dollars(app.dollars_per_video_minute)
        } else {
            0.0
        },
        images_left_today: records.images_left(owner, app.quotas.for_jobs(), now).await?,
        video_minutes_left_today: records.video_minutes_left(owner, video_quotas, now).await?,
        next_cursor: next.map(|next| cursor::encode(owner, &query, &next.text())),
        examined_at: format!("{now:.3}"),
    })
}

/// Images that a job selects.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Counted {
    images: u64,
    /// Those of the images that are videos whose duration is known.
    videos: u64,
    video_minutes: u64,
    /// Videos that are too long for the job, and not among the images.
    skipped_videos: u64,
}

impl Counted {
    const SKIPPED_VIDEO: Self = Self {
        images: 0,
        videos: 0,
        video_minutes: 0,
        skipped_videos: 1,
    };

    /// An image. `minutes` are those of a video.
    fn one(minutes: Option<u32>) -> Self {
        Self {
            images: 1,
            videos: u64::from(minutes.is_some()),
            video_minutes: u64::from(minutes.unwrap_or_default()),
            skipped_videos: 0,
        }
    }

    fn add(&mut self, other: Self) {
        self.images += other.images;
        self.videos += other.videos;
        self.video_minutes += other.video_minutes;
        self.skipped_videos += other.skipped_videos;
    }

    /// What labeling them costs.
    fn dollars(self, per_video_minute: f64) -> f64 {
        // A quotient is rounded once: 260 images cost 0.26, and not 0.260…01.
        let pictures = (self.images - self.videos) as f64 / DOLLARS_PER_IMAGE.recip();
        pictures + self.video_minutes as f64 * per_video_minute
    }
}

/// The job that labels these images again. `older_than` is the newest model, if it is known.
pub(crate) async fn relabel(
    app: &App,
    owner: &Owner,
    selection: &Selection,
    older_model: bool,
    older_than: Option<String>,
) -> Result<Relabel, Problem> {
    let selection = selection.clone();
    if !older_model {
        return Ok(Relabel {
            selection,
            older_than: None,
        });
    }
    let older_than = match older_than {
        Some(version) => Some(version),
        None => newest_model(app, owner).await?,
    };
    Ok(match older_than {
        Some(_) => Relabel {
            selection,
            older_than,
        },
        // Nothing is labeled, so that no labels are from an older model.
        None => Relabel {
            selection: Selection::Images(vec![]),
            older_than,
        },
    })
}

/// The job that deletes these images. No images that are added after `now`.
pub(crate) fn deletion(
    selection: &Selection,
    created_before: Option<Timestamp>,
    now: Timestamp,
) -> BulkDeletion {
    BulkDeletion {
        selection: selection.clone(),
        created_before: format!("{:.3}", created_before.map_or(now, |time| time.min(now))),
    }
}

/// The newest model among those that have labeled the owner's latest uploads.
async fn newest_model(app: &App, owner: &Owner) -> Result<Option<String>, Problem> {
    let latest = app.records.recently_added(owner, None, LATEST).await?;
    let ids: Vec<_> = latest.items.into_iter().map(|added| added.image_id).collect();
    let version = |image: ImageRecord| image.model_version.filter(|_| image.status == Status::Labeled);
    let versions = app.records.images(owner, &ids, log_unreadable, version).await?;
    // If one was not read, an older one could seem to be the newest.
    let versions: Vec<_> = versions.into_iter().map(Read::known).collect::<Result<_, _>>()?;
    Ok(newest(versions.into_iter().flatten()))
}

/// Counts the images after `after` that a job has corrected, like [`count`].
async fn count_undone(
    app: &App,
    owner: &Owner,
    job_id: JobId,
    after: Option<ImageId>,
) -> Result<(Counted, Option<ImageId>), Problem> {
    undone(app, owner, job_id).await?;
    let mut after = after;
    let mut counted = Counted::default();
    for _ in 0..MAX_QUERIES {
        let page = app
            .records
            .undo_page(owner, job_id, after, IMAGES_PER_QUERY)
            .await?;
        counted.images += page.inverses.len() as u64;
        after = page.last;
        if after.is_none() {
            break;
        }
    }
    Ok((counted, after))
}

async fn count_named(
    app: &App,
    owner: &Owner,
    ids: &[ImageId],
    count_one: impl Fn(&ImageRecord) -> Counted,
) -> Result<Counted, Problem> {
    let select = |image: ImageRecord| Some(count_one(&image));
    let read = app.records.images(owner, ids, log_unreadable, select).await?;
    let selected: Vec<_> = read.into_iter().map(Read::known).collect::<Result<_, _>>()?;
    let mut counted = Counted::default();
    for one in selected.into_iter().flatten() {
        counted.add(one);
    }
    Ok(counted)
}

/// Counts images after `after`. Also returns the last image that was examined, unless all were.
async fn count(
    app: &App,
    owner: &Owner,
    after: Option<ImageId>,
    count_one: impl Fn(&ImageRecord) -> Counted,
) -> Result<(Counted, Option<ImageId>), Problem> {
    let mut after = after;
    let mut counted = Counted::default();
    for _ in 0..MAX_QUERIES {
        let page = app
            .records
            .images_page(owner, after, IMAGES_PER_QUERY, log_unreadable)
            .await?;
        for image in &page.images {
            counted.add(count_one(image));
        }
        after = page.last;
        if after.is_none() {
            break;
        }
    }
    Ok((counted, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_video_costs_as_much_as_its_minutes_and_a_picture_as_one() {
        let mut counted = Counted::default();
        for minutes in [None, Some(3), None, Some(1)] {
            counted.add(Counted::one(minutes));
        }
        counted.add(Counted::SKIPPED_VIDEO);
        assert_eq!((counted.images, counted.video_minutes), (4, 4));
        assert_eq!(counted.skipped_videos, 1);
        assert!((counted.dollars(0.03) - 0.122).abs() < 1e-9);
        let pictures = Counted {
            images: 260,
            ..Counted::default()
        };
        assert_eq!(pictures.dollars(0.03).to_string(), "0.26");
    }

    #[test]
    fn a_position_is_read_as_it_was_written() {
        for older_than in [None, Some("3.0".to_owned()), Some("a#b".to_owned())] {
            let position = Position {
                after: ImageId::new(),
                older_than,
            };
            assert_eq!(Position::parse(&position.text()), Some(position));
        }
        assert_eq!(Position::parse("../images#"), None);
    }
}
