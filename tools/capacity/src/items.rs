//! The table's items of a picture: their sizes, and the write units that they cost. `crates/records/src/tests.rs` compares
//! this with what the code writes.

use crate::table::{Column, Table};

/// The largest number of items that a transaction writes. Source: DynamoDB, TransactWriteItems.
const MAX_ACTIONS: u64 = 100;
/// Bytes that one write unit pays for.
const WRITE_UNIT: u64 = 1024;
/// DynamoDB adds this to each stored item, and again to each entry of an index. Source: DynamoDB Developer Guide,
/// "DynamoDB item sizes and formats".
const STORAGE_OVERHEAD: u64 = 100;
/// What the keys and sizes of thumbnails add to the record, in bytes.
const THUMBNAIL_KEYS: u64 = 300;
/// Label rows, label counts and entries of the indexes, in bytes.
const SMALL_ITEM: u64 = 250;

/// The items of a picture with this number of labels that count. The model's answer has three times as many, and a third of
/// them have a box.
#[derive(Debug, Clone, Copy)]
pub struct Items {
    labels: u64,
}

impl Items {
    /// `labels`: labels that count.
    pub fn new(labels: u32) -> Self {
        Self {
            labels: labels.into(),
        }
    }

    /// The record's size, in bytes, without metadata of the file.
    pub fn record(self) -> u64 {
        650 + 50 * self.labels
    }

    /// The size of the result item with the compressed answer, in bytes.
    pub fn result(self) -> u64 {
        250 + 85 * self.labels
    }

    /// Transactions of `persist`.
    pub fn transactions(self) -> u64 {
        (2 * self.labels).div_ceil(MAX_ACTIONS - 2).max(1)
    }

    /// Write units of `persist` without those of the indexes. Writes in a transaction cost twice as much as others.
    pub fn persist_units(self) -> u64 {
        let earlier = (self.transactions() - 1) * self.record().div_ceil(WRITE_UNIT);
        let last = self.record().div_ceil(WRITE_UNIT) + self.result().div_ceil(WRITE_UNIT);
        2 * (earlier + last + 2 * self.labels)
    }

    /// The part of the last transaction of `persist` that is written in the owner's own partition: record, result and
    /// label counts.
    pub fn owner_transaction_units(self) -> u64 {
        let record_and_result = self.record().div_ceil(WRITE_UNIT) + self.result().div_ceil(WRITE_UNIT);
        2 * (record_and_result + self.labels)
    }

    /// Write units of the claim.
    pub fn claim_units(self) -> u64 {
        1
    }

    /// Write units of the indexes when `persist` has written: an entry for each label row, and two to move the picture from
    /// the time of its upload to the time when it was taken. DynamoDB writes them outside of the transaction.
    pub fn index_units(self) -> u64 {
        self.labels + 2
    }

    /// Write units of `POST /uploads`: two quotas, the record, and its entries in three indexes.
    pub fn upload_units(self) -> u64 {
        6
    }

    /// Write units of the file's metadata.
    pub fn metadata_units(self) -> u64 {
        1
    }

    /// Write units of the thumbnails' keys.
    pub fn thumbnails_units(self) -> u64 {
        (self.record() + THUMBNAIL_KEYS).div_ceil(WRITE_UNIT)
    }

    /// Write units of a picture, from `POST /uploads` to its thumbnails.
    pub fn units(self) -> u64 {
        self.upload_units()
            + self.claim_units()
            + self.metadata_units()
            + self.persist_units()
            + self.index_units()
            + self.thumbnails_units()
    }

    /// The part of [`Items::units`] that is written in the owner's own partition: everything but the label rows, which are
    /// in a partition for each label, the quota of all owners, and the entries in the indexes.
    pub fn owner_units(self) -> u64 {
        self.units() - self.index_units() - 2 * self.labels - 4
    }

    /// Stored bytes: record, result, index entries and label rows. Label counts, settings and quotas are left out, because
    /// their number does not grow with the pictures.
    pub fn stored(self) -> u64 {
        let small = SMALL_ITEM + STORAGE_OVERHEAD;
        self.record() + self.result() + 2 * STORAGE_OVERHEAD + small * (3 + 2 * self.labels)
    }

    /// Stored bytes in the owner's own partition.
    pub fn stored_of_owner(self) -> u64 {
        self.record() + self.result() + 2 * STORAGE_OVERHEAD
    }

    /// The write units as a table.
    pub fn table(self) -> Table {
        let mut table = Table::new(
            format!("Write units of a picture with {} labels", self.labels),
            [Column::left("step"), Column::right("write units")],
        );
        for (step, units) in [
            (
                "`POST /uploads`: two quotas, record, three index entries",
                self.upload_units(),
            ),
            ("`validate`: claim", self.claim_units()),
            ("`validate`: metadata", self.metadata_units()),
            (
                "`persist`: record, result, label rows and counts",
                self.persist_units(),
            ),
            (
                "`persist`: index entries of the label rows and of the capture time",
                self.index_units(),
            ),
            ("`thumbnails`: their keys", self.thumbnails_units()),
            ("**total**", self.units()),
        ] {
            table.row([step.to_owned(), units.to_string()]);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_has_at_most_a_hundred_actions() {
        let transactions = [0, 1, 49, 50, 98, 99, 100].map(|labels| Items::new(labels).transactions());
        assert_eq!(transactions, [1, 1, 1, 2, 2, 3, 3]);
    }
}
