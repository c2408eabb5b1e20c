//! The keys of items.

use crate::Item;
use crate::attribute::{PARTITION_KEY, SORT_KEY};
use crate::expression::text;
use crate::quota::{Counter, Unit};
use domain::reconciliation::Scope;
use domain::{Claim, ImageId, JobId, Owner, table};
use std::collections::HashMap;
use uuid::Uuid;

/// The image whose record has this sort key.
pub(crate) fn image_id(sort: &str) -> Option<ImageId> {
    ImageId::parse(sort.strip_prefix(table::IMAGES)?)
}

/// The key of an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) partition: String,
    pub(crate) sort: String,
}

impl Key {
    fn of_owner(owner: &Owner, sort: String) -> Self {
        Self {
            partition: table::owner_partition(owner),
            sort,
        }
    }

    pub(crate) fn image(owner: &Owner, image_id: ImageId) -> Self {
        Self::of_owner(owner, table::image_sort(image_id))
    }

    /// The key of the record of the claimed image.
    pub(crate) fn of_claim(claim: &Claim) -> Self {
        Self::image(&claim.owner, claim.image_id)
    }

    pub(crate) fn result(owner: &Owner, image_id: ImageId) -> Self {
        Self::of_owner(owner, table::result_sort(image_id))
    }

    pub(crate) fn settings(owner: &Owner) -> Self {
        Self::of_owner(owner, table::SETTINGS.to_owned())
    }

    pub(crate) fn job(owner: &Owner, job_id: JobId) -> Self {
        Self::of_owner(owner, table::job_sort(job_id))
    }

    pub(crate) fn undo(owner: &Owner, job_id: JobId, image_id: ImageId) -> Self {
        Self::of_owner(owner, table::undo_sort(job_id, image_id))
    }

    pub(crate) fn quota(counter: Counter<'_>, unit: Unit, date: &str) -> Self {
        Self {
            partition: match counter {
                Counter::Owner(owner) => table::owner_partition(owner),
                Counter::All => table::STACK_PARTITION.to_owned(),
            },
            sort: match unit {
                Unit::Images => table::quota_sort(date),
                Unit::VideoMinutes => table::video_quota_sort(date),
            },
        }
    }

    pub(crate) fn pace() -> Self {
        Self {
            partition: table::STACK_PARTITION.to_owned(),
            sort: table::PACE.to_owned(),
        }
    }

    pub(crate) fn video_job(execution: Uuid) -> Self {
        Self {
            partition: table::video_job_partition(execution),
            sort: table::VIDEO_JOB.to_owned(),
        }
    }

    pub(crate) fn video_leases(owner: &Owner) -> Self {
        Self::of_owner(owner, table::VIDEO_LEASES.to_owned())
    }

    pub(crate) fn reconciliation(scope: &Scope) -> Self {
        Self {
            partition: match scope {
                Scope::All | Scope::Trial => table::STACK_PARTITION.to_owned(),
                Scope::Owner(owner) => table::owner_partition(owner),
            },
            sort: match scope {
                Scope::All | Scope::Owner(_) => table::RECONCILIATION.to_owned(),
                Scope::Trial => table::RECONCILIATION_TRIAL.to_owned(),
            },
        }
    }

    pub(crate) fn label_count(owner: &Owner, label: &str) -> Self {
        Self::of_owner(owner, table::label_count_sort(label))
    }

    pub(crate) fn label_row(owner: &Owner, label: &str, history: &str) -> Self {
        Self {
            partition: table::label_partition(owner, label),
            sort: history.to_owned(),
        }
    }

    /// The key's attributes.
    pub(crate) fn item(&self) -> Item {
        HashMap::from([
            (PARTITION_KEY.to_owned(), text(&self.partition)),
            (SORT_KEY.to_owned(), text(&self.sort)),
        ])
    }

    /// The key of an item. `None` if a key attribute is missing.
    pub(crate) fn of(item: &Item) -> Option<Self> {
        let text = |name| item.get(name)?.as_s().ok().cloned();
        Some(Self {
            partition: text(PARTITION_KEY)?,
            sort: text(SORT_KEY)?,
        })
    }
}
