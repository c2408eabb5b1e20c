//! XMP sidecars in a ZIP. Photo programs read the labels as keywords.
//!
//! `dc:subject` has the names of the labels, and `lr:hierarchicalSubject`, which Lightroom introduced, their paths. Source of
//! the serialization: Adobe, "XMP Specification", part 1. A test with exiftool reads what an export has written.

use crate::file_names::FileNames;
use crate::{ExportError, hierarchy};
use domain::ImageDetails;
use quick_xml::escape::escape;
use std::fmt::Write as _;
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The extension of sidecars, after the whole name of the picture's file. darktable and digiKam look for it there.
const EXTENSION: &str = ".xmp";

pub(crate) struct Archive {
    zip: ZipWriter<Cursor<Vec<u8>>>,
    names: FileNames,
    /// Bytes of the files and their headers at most, before compression. What a ZIP writer has written so far is unknown.
    bytes: usize,
}

/// Bytes of the two headers of a file, besides its name.
const HEADERS: usize = 30 + 46;

impl Archive {
    pub(crate) fn new() -> Self {
        Self {
            zip: ZipWriter::new(Cursor::new(vec![])),
            names: FileNames::default(),
            bytes: 0,
        }
    }

    /// Adds the sidecar of an image. Returns whether it has one: an image without labels has none.
    pub(crate) fn add(&mut self, image: &ImageDetails) -> Result<bool, ExportError> {
        if image.labels.is_empty() {
            return Ok(false);
        }
        let name = self.names.add(&original_name(image)) + EXTENSION;
        let sidecar = sidecar(image);
        self.bytes += sidecar.len() + 2 * name.len() + HEADERS;
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        self.zip.start_file(name, options)?;
        self.zip.write_all(sidecar.as_bytes())?;
        Ok(true)
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes
    }

    pub(crate) fn finish(self) -> Result<Vec<u8>, ExportError> {
        Ok(self.zip.finish()?.into_inner())
    }
}

/// The name of the image's file: the original one, or its ID with an extension if it has none.
fn original_name(image: &ImageDetails) -> String {
    let facts = &image.facts;
    let name = facts.file_name.clone().filter(|name| !name.is_empty());
    name.unwrap_or_else(|| match facts.format {
        Some(format) => format!("{}.{}", facts.image_id, format.extension()),
        None => facts.image_id.to_string(),
    })
}

fn sidecar(image: &ImageDetails) -> String {
    let names = bag(image.labels.iter().map(|label| label.name.as_str()));
    let paths = hierarchy::paths(&image.labels);
    let paths = bag(paths.iter().map(String::as_str));
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:lr="http://ns.adobe.com/lightroom/1.0/">
   <dc:subject>{names}</dc:subject>
   <lr:hierarchicalSubject>{paths}</lr:hierarchicalSubject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"#
    )
}

/// An unordered array of texts.
fn bag<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut bag = String::from("<rdf:Bag>");
    for text in texts {
        let text: String = text.chars().filter(|character| is_allowed(*character)).collect();
        // Writing to a String cannot fail.
        let _ = write!(bag, "<rdf:li>{}</rdf:li>", escape(&text));
    }
    bag.push_str("</rdf:Bag>");
    bag
}

/// Whether a character can be in an XML document at all, also escaped (XML 1.0, production `Char`). No label's name has control
/// characters.
fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{image, label};
    use domain::LabelDetails;
    use proptest::prelude::*;
    use quick_xml::Reader;
    use quick_xml::events::Event;
    use std::collections::BTreeSet;
    use std::io::Read;
    use zip::ZipArchive;

    /// The texts of the elements `rdf:li` in an element.
    fn read(xml: &str, element: &str) -> Vec<String> {
        let mut reader = Reader::from_str(xml);
        let (mut texts, mut open): (Vec<String>, Vec<String>) = (vec![], vec![]);
        loop {
            match reader.read_event().unwrap() {
                Event::Start(start) => {
                    open.push(start.name().as_ref().to_owned());
                    if open.last().unwrap() == "rdf:li" && open.iter().any(|name| name == element) {
                        texts.push(String::new());
                    }
                }
                Event::End(_) => {
                    open.pop();
                }
                Event::Text(text)
                    if open.iter().any(|name| name == element) && open.last().unwrap() == "rdf:li" =>
                {
                    texts.last_mut().unwrap().push_str(&text);
                }
                Event::GeneralRef(reference) if open.iter().any(|name| name == element) => {
                    let character = match reference.resolve_char_ref().unwrap() {
                        Some(character) => character.to_string(),
                        None => quick_xml::escape::resolve_predefined_entity(&reference)
                            .unwrap()
                            .to_owned(),
                    };
                    texts.last_mut().unwrap().push_str(&character);
                }
                Event::Eof => return texts,
                _ => {}
            }
        }
    }

    fn written(images: &[(&str, Vec<LabelDetails>)]) -> Vec<(String, String)> {
        let mut archive = Archive::new();
        for (name, labels) in images {
            archive.add(&image(name, labels.clone()).details).unwrap();
        }
        let mut zip = ZipArchive::new(Cursor::new(archive.finish().unwrap())).unwrap();
        (0..zip.len())
            .map(|index| {
                let mut file = zip.by_index(index).unwrap();
                let name = file.enclosed_name().expect("a name that stays in the folder");
                let name = name.to_str().unwrap().to_owned();
                let mut content = String::new();
                file.read_to_string(&mut content).unwrap();
                (name, content)
            })
            .collect()
    }

    #[test]
    fn a_sidecar_has_the_labels_and_their_paths() {
        let labels = vec![
            label("Cat", 90.0, &["Animal"]),
            label("Animal", 99.0, &[]),
            label("R&D <b>\"x\"</b>", 100.0, &[]),
        ];
        let files = written(&[("cat.jpg", labels), ("empty.jpg", vec![])]);
        assert_eq!(files.len(), 1, "an image without labels has no sidecar");
        let (name, xml) = &files[0];
        assert_eq!(name, "cat.jpg.xmp");
        assert_eq!(read(xml, "dc:subject"), ["Cat", "Animal", "R&D <b>\"x\"</b>"]);
        assert_eq!(
            read(xml, "lr:hierarchicalSubject"),
            ["Animal", "Animal|Cat", "R&D <b>\"x\"</b>"]
        );
    }

    #[test]
    fn two_pictures_with_one_name_have_two_sidecars() {
        let labels = vec![label("Cat", 90.0, &[])];
        let files = written(&[
            ("cat.jpg", labels.clone()),
            ("cat.jpg", labels.clone()),
            ("../x", labels),
        ]);
        let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["cat.jpg.xmp", "cat (2).jpg.xmp", ".._x.xmp"]);
    }

    #[test]
    fn a_picture_without_a_name_is_named_after_its_id() {
        let mut unnamed = image("", vec![label("Cat", 90.0, &[])]).details;
        let id = unnamed.facts.image_id;
        assert_eq!(original_name(&unnamed), format!("{id}.jpg"));
        unnamed.facts.file_name = None;
        unnamed.facts.format = None;
        assert_eq!(original_name(&unnamed), id.to_string());
    }

    proptest! {
        #[test]
        fn labels_and_names_are_read_as_they_were_written(
            images in proptest::collection::vec(
                ("\\PC{0,20}|[./\\\\\u{0}a]{0,8}", proptest::collection::btree_set("[\\PC<>&'\"\u{fffe}\u{ffff}]{1,10}", 1..5)), 0..8,
            ),
        ) {
            let wanted: Vec<_> = images.iter()
                .map(|(name, labels)| {
                    (name.as_str(), labels.iter().map(|name| label(name, 50.0, &[])).collect())
                })
                .collect();
            let files = written(&wanted);
            prop_assert_eq!(files.len(), images.len());
            let distinct: BTreeSet<_> = files.iter().map(|(name, _)| name.to_lowercase()).collect();
            prop_assert_eq!(distinct.len(), files.len());
            for ((_, xml), (_, labels)) in files.iter().zip(&images) {
                let expected: Vec<String> = labels.iter()
                    .map(|name| name.chars().filter(|character| is_allowed(*character)).collect())
                    .collect();
                prop_assert_eq!(read(xml, "dc:subject"), expected);
            }
        }
    }
}
