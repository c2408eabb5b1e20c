//! JSON: one document with everything that the API shows about the images.

use crate::{ExportError, Image};

/// The version of the document. It changes if a field is removed or means something else.
const START: &[u8] = b"{\"version\":1,\"images\":[";
const END: &[u8] = b"\n]}\n";

pub(crate) struct Document {
    bytes: Vec<u8>,
    is_empty: bool,
}

impl Document {
    pub(crate) fn new() -> Self {
        Self {
            bytes: START.to_vec(),
            is_empty: true,
        }
    }

    /// Adds an image in a line of its own, so that programs that search lines can read the file.
    pub(crate) fn add(&mut self, image: &Image) -> Result<(), ExportError> {
        self.bytes
            .extend_from_slice(if self.is_empty { b"\n" } else { b",\n" });
        self.is_empty = false;
        serde_json::to_writer(&mut self.bytes, image)?;
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(END);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{image, label, video};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn read(images: &[Image]) -> Value {
        let mut document = Document::new();
        for image in images {
            document.add(image).unwrap();
        }
        serde_json::from_slice(&document.finish()).unwrap()
    }

    #[test]
    fn a_document_has_everything_that_the_api_shows_and_the_key() {
        let cat = image("cat.jpg", vec![label("Cat", 96.21, &["Animal"])]);
        let read = read(&[cat.clone(), image("empty.jpg", vec![])]);
        assert_eq!(read["version"], 1);
        let mut expected = serde_json::to_value(&cat.details).unwrap();
        expected["key"] = json!("uploads/demo/cat.jpg");
        assert_eq!(read["images"][0], expected);
        assert_eq!(read["images"][0]["labels"][0]["parents"], json!(["Animal"]));
        assert_eq!(read["images"][1]["labels"], json!([]));
        assert_eq!(read["images"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn a_video_has_what_its_header_says_and_when_its_labels_are_seen() {
        let read = read(&[video("trip.mp4")]);
        let video = &read["images"][0];
        assert_eq!(video["type"], "VIDEO");
        assert_eq!(
            (
                &video["video"]["durationMs"],
                &video["video"]["codec"],
                &video["video"]["container"]
            ),
            (&json!(150_000), &json!("H.264"), &json!("MP4"))
        );
        assert_eq!(
            (&video["labels"][0]["firstMs"], &video["labels"][0]["totalMs"]),
            (&json!(4000), &json!(6500))
        );
        assert_eq!(video["labels"][1].get("firstMs"), None);
    }

    proptest! {
        #[test]
        fn every_text_is_read_as_it_was_written(names in proptest::collection::vec("\\PC{0,20}|[\u{0}-\u{1f}\"]{1,5}", 0..10)) {
            let images: Vec<_> = names.iter().map(|name| image(name, vec![label(name, 50.0, &[])])).collect();
            let document = read(&images);
            let images = document["images"].as_array().unwrap();
            prop_assert_eq!(images.len(), names.len());
            for (image, name) in images.iter().zip(&names) {
                prop_assert_eq!(image["fileName"].as_str(), Some(name.as_str()));
                prop_assert_eq!(image["labels"][0]["name"].as_str(), Some(name.as_str()));
            }
        }
    }
}
