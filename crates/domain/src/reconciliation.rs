//! What the reconciler finds in the bucket and in the table, and how far it has come.

use crate::image::Owner;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};

/// What a lost event or an interrupted function has left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, IntoStaticStr, Serialize, Deserialize)]
pub enum Leftover {
    /// An object that no execution has processed, because its event was lost.
    UnprocessedObject,
    /// An object that was uploaded after its image was deleted.
    LateObject,
    /// An image that is `PROCESSING` although its execution has ended.
    StuckImage,
    /// The tombstone of a deletion that was interrupted.
    OpenTombstone,
    /// A labeled image that has no thumbnails, and whose record does not say why.
    MissingThumbnails,
    /// A thumbnail that belongs to no image, or to an earlier result of its image.
    OrphanedThumbnail,
    /// An object that was derived from a video and belongs to no image, to an earlier result, or only to the steps of a workflow
    /// that has ended.
    OrphanedVideoObject,
    /// An upload that was announced and whose file has not arrived.
    AbandonedUpload,
    /// A record that is invalid.
    InvalidRecord,
}

/// What happens to a leftover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, IntoStaticStr, Serialize, Deserialize)]
pub enum Repair {
    /// The reconciler has repaired it.
    Repaired,
    /// It expires, and the reconciler leaves it alone.
    Expires,
    /// It is left to an operator.
    Left,
}

/// How many leftovers of a kind were found, and what happened to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Their kind.
    pub leftover: Leftover,
    /// What happened to them.
    pub repair: Repair,
    /// Their number.
    pub count: u64,
}

/// A pass over the bucket and the table, which takes one or more runs of the reconciler.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pass {
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended. `None` until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Where the next run continues.
    #[serde(rename = "place")]
    pub cursor: Cursor,
    /// The number of objects below `uploads/` that were compared with the table.
    pub objects: u64,
    /// The number of records that were examined.
    pub images: u64,
    /// The number of thumbnails that were compared with the table.
    pub thumbnails: u64,
    /// The number of objects below `videos/` that were compared with the table.
    #[serde(default)]
    pub video_objects: u64,
    /// What was found, at most one entry for each kind and repair.
    pub findings: Vec<Finding>,
}

impl Pass {
    /// A pass that starts now.
    pub fn new(now: Timestamp) -> Self {
        Self {
            started_at: now,
            ended_at: None,
            cursor: Cursor::Uploads { after: None },
            objects: 0,
            images: 0,
            thumbnails: 0,
            video_objects: 0,
            findings: vec![],
        }
    }

    /// Counts a leftover.
    pub fn add(&mut self, leftover: Leftover, repair: Repair) {
        let known = self.findings.iter_mut().find(|finding| {
            let Finding {
                leftover: kind,
                repair: what,
                ..
            } = finding;
            (*kind, *what) == (leftover, repair)
        });
        match known {
            Some(finding) => finding.count += 1,
            None => self.findings.push(Finding {
                leftover,
                repair,
                count: 1,
            }),
        }
    }

    /// The number of leftovers of a kind to which this has happened.
    pub fn count(&self, leftover: Leftover, repair: Repair) -> u64 {
        let counts = self
            .findings
            .iter()
            .filter(|finding| finding.leftover == leftover && finding.repair == repair);
        counts.map(|finding| finding.count).sum()
    }
}

/// The position in a pass before which everything has been compared. The pass has four phases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Cursor {
    /// Objects below `uploads/`, in the order of their keys.
    Uploads {
        /// The last key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// Images, in the order of the table's index.
    Images {
        /// The last image.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<IndexKey>,
    },
    /// Objects below `thumbnails/`, in the order of their keys.
    Thumbnails {
        /// The last key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// Objects below `videos/`, in the order of their keys.
    Videos {
        /// The last key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// The pass has ended.
    Done,
}

/// The key of an image in the index `history`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexKey {
    /// The partition key.
    pub partition: String,
    /// The sort key of the record.
    pub sort: String,
    /// The sort key of the index.
    pub history: String,
}

/// What a pass covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All owners.
    All,
    /// All owners, without repairs. It has its own cursor and lease, so that it does not replace a pass that repairs.
    Trial,
    /// The objects and images of one owner.
    Owner(Owner),
}

impl Scope {
    /// The prefix of the keys of the objects in the scope, of those that begin with `prefix`.
    pub fn prefix(&self, prefix: &str) -> String {
        match self {
            Self::All | Self::Trial => prefix.to_owned(),
            Self::Owner(owner) => format!("{prefix}{}/", owner.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_each_kind_and_repair_separately() {
        let mut pass = Pass::new(Timestamp::UNIX_EPOCH);
        pass.add(Leftover::StuckImage, Repair::Repaired);
        pass.add(Leftover::StuckImage, Repair::Left);
        pass.add(Leftover::StuckImage, Repair::Repaired);
        pass.add(Leftover::LateObject, Repair::Repaired);
        assert_eq!(pass.count(Leftover::StuckImage, Repair::Repaired), 2);
        assert_eq!(pass.findings.len(), 3);
    }
}
