//! CSV (RFC 4180): a row for each label of each image.

use crate::{ExportError, Image};
use csv::{Terminator, Writer, WriterBuilder};
use domain::{ImageDetails, LabelDetails};

/// The names of the columns. New ones come last, so that programs find the others at their places. The last three are empty for
/// pictures.
const COLUMNS: [&str; 17] = [
    "imageId",
    "fileName",
    "key",
    "status",
    "createdAt",
    "takenAt",
    "width",
    "height",
    "label",
    "confidence",
    "added",
    "keyword",
    "modelVersion",
    "type",
    "durationMs",
    "firstMs",
    "totalMs",
];

/// Spreadsheets run a cell as a formula if it starts with one of these characters. Source: OWASP, "CSV Injection".
const FORMULA_STARTS: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];

pub(crate) struct Table {
    rows: Writer<Vec<u8>>,
}

impl Table {
    pub(crate) fn new() -> Result<Self, ExportError> {
        let mut rows = WriterBuilder::new()
            .terminator(Terminator::CRLF)
            .from_writer(vec![]);
        rows.write_record(COLUMNS)?;
        Ok(Self { rows })
    }

    /// Adds a row for each label, or one without a label.
    pub(crate) fn add(&mut self, image: &Image) -> Result<(), ExportError> {
        let Image { details, key } = image;
        if details.labels.is_empty() {
            return self.row(details, key, None);
        }
        for label in &details.labels {
            self.row(details, key, Some(label))?;
        }
        Ok(())
    }

    fn row(
        &mut self,
        details: &ImageDetails,
        key: &str,
        label: Option<&LabelDetails>,
    ) -> Result<(), ExportError> {
        let facts = &details.facts;
        let text = |text: Option<&str>| harmless(text.unwrap_or_default());
        let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        let yes_or_no = |value: Option<bool>| value.map(|value| value.to_string()).unwrap_or_default();
        self.rows.write_record([
            facts.image_id.to_string(),
            text(facts.file_name.as_deref()),
            harmless(key),
            facts.status.as_str().to_owned(),
            facts.created_at.clone(),
            text(details.metadata.taken_at.as_deref()),
            number(facts.width.map(u64::from)),
            number(facts.height.map(u64::from)),
            text(label.map(|label| label.name.as_str())),
            label
                .map(|label| label.confidence.percent().to_string())
                .unwrap_or_default(),
            yes_or_no(label.map(|label| label.added)),
            yes_or_no(label.map(|label| label.keyword)),
            text(facts.model_version.as_deref()),
            facts.media_type.as_str().to_owned(),
            number(facts.video.as_ref().map(|video| video.duration_ms)),
            number(label.and_then(|label| label.first_ms)),
            number(label.and_then(|label| label.total_ms)),
        ])?;
        Ok(())
    }

    /// Bytes, apart from those in the buffer of the writer, which has 8 KB.
    pub(crate) fn len(&self) -> usize {
        self.rows.get_ref().len()
    }

    pub(crate) fn finish(self) -> Result<Vec<u8>, ExportError> {
        let finished = self.rows.into_inner();
        finished.map_err(|error| ExportError::Io(error.into_error()))
    }
}

/// The text of a cell, with an apostrophe before it if a spreadsheet would run it as a formula. Quotes do not prevent that.
fn harmless(text: &str) -> String {
    if text.starts_with(FORMULA_STARTS) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{image, label, video};
    use csv::{ReaderBuilder, StringRecord};
    use proptest::prelude::*;

    /// The records of a file without its header.
    fn read(file: &[u8]) -> Vec<StringRecord> {
        let mut reader = ReaderBuilder::new().from_reader(file);
        assert_eq!(reader.headers().unwrap(), &StringRecord::from(COLUMNS.to_vec()));
        reader.records().collect::<Result<_, _>>().unwrap()
    }

    fn written(images: &[Image]) -> Vec<u8> {
        let mut table = Table::new().unwrap();
        for image in images {
            table.add(image).unwrap();
        }
        table.finish().unwrap()
    }

    #[test]
    fn each_label_has_a_row_and_an_image_without_labels_has_one_too() {
        let mut labels = vec![label("Cat", 96.21, &["Animal"]), label("Home", 100.0, &[])];
        labels[1].added = true;
        let file = written(&[image("cat.jpg", labels), image("empty.jpg", vec![])]);
        let text = String::from_utf8(file).unwrap();
        assert!(!text.starts_with('\u{feff}'), "the file has no byte order mark");
        let lines: Vec<_> = text.split("\r\n").collect();
        let common = "LABELED,2026-11-22T12:00:00.000Z,2015-07-13T10:00:00,451,300";
        let id = "0193a5a0-0000-7000-8000-000000000001";
        assert_eq!(
            lines[1..],
            [
                format!("{id},cat.jpg,uploads/demo/cat.jpg,{common},Cat,96.21,false,false,3.0,PICTURE,,,"),
                format!("{id},cat.jpg,uploads/demo/cat.jpg,{common},Home,100,true,false,3.0,PICTURE,,,"),
                format!("{id},empty.jpg,uploads/demo/empty.jpg,{common},,,,,3.0,PICTURE,,,"),
                String::new(),
            ]
        );
    }

    #[test]
    fn a_video_has_its_duration_and_the_times_of_its_labels() {
        let rows = read(&written(&[video("trip.mp4")]));
        let times = |row: &StringRecord| row.iter().skip(8).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            times(&rows[0]),
            [
                "Cat", "96.21", "false", "false", "3.0", "VIDEO", "150000", "4000", "6500"
            ]
        );
        // A label that a person has added is not seen at a time.
        assert_eq!(
            times(&rows[1]),
            ["Home", "100", "true", "false", "3.0", "VIDEO", "150000", "", ""]
        );
    }

    #[test]
    fn a_spreadsheet_runs_no_cell_as_a_formula() {
        for start in FORMULA_STARTS {
            let name = format!("{start}HYPERLINK(\"http://example.com\")");
            let file = written(&[image(&name, vec![label(&name, 90.0, &[])])]);
            let rows = read(&file);
            assert_eq!(&rows[0][1], format!("'{name}"), "file name");
            assert_eq!(&rows[0][8], format!("'{name}"), "label");
        }
        let rows = read(&written(&[image("it's 5-3.jpg", vec![])]));
        assert_eq!(&rows[0][1], "it's 5-3.jpg", "other names stay as they are");
    }

    proptest! {
        #[test]
        fn every_text_is_read_as_it_was_written(
            names in proptest::collection::vec(("\\PC{0,20}|[=+@,\"\r\n\t-]{1,5}", "[\\PC\",\r\n]{0,20}"), 0..10),
        ) {
            let images: Vec<_> = names.iter()
                .map(|(file, name)| image(file, vec![label(name, 50.0, &[])]))
                .collect();
            let rows = read(&written(&images));
            prop_assert_eq!(rows.len(), names.len());
            for (row, (file, name)) in rows.iter().zip(&names) {
                prop_assert_eq!(&row[1], harmless(file));
                prop_assert_eq!(&row[8], harmless(name));
                prop_assert!(row.iter().all(|cell| !cell.starts_with(FORMULA_STARTS)));
            }
        }
    }
}
