//! XMP: properties in RDF, which is stored as XML.
//!
//! Two properties list keywords. `dc:subject` has simple ones. In Lightroom's `lr:hierarchicalSubject`, each is a path such
//! as `Places|Europe|Lübeck`.
//!
//! Sources: XMP Specification Part 1 (ISO 16684-1) and Part 2, and ExifTool's tables for Lightroom.

use super::{Enough, Keywords};
use crate::budget::Budget;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

/// Maximum depth of elements. Keywords have a depth of six to eight.
const MAX_DEPTH: usize = 32;

/// Maximum number of namespaces that all open elements declare. Resolving a name searches them. Lightroom declares about 20.
const MAX_NAMESPACES: usize = 128;

pub(super) const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
pub(super) const DUBLIN_CORE: &str = "http://purl.org/dc/elements/1.1/";
pub(super) const LIGHTROOM: &str = "http://ns.adobe.com/lightroom/1.0/";

/// A property with keywords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Property {
    Subject,
    HierarchicalSubject,
}

impl Property {
    /// The property with this name, if the name is in the namespace.
    fn named(name: &str) -> Option<(&'static str, Self)> {
        match name {
            "subject" => Some((DUBLIN_CORE, Self::Subject)),
            "hierarchicalSubject" => Some((LIGHTROOM, Self::HierarchicalSubject)),
            _ => None,
        }
    }
}

/// What an open element means for keywords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    /// Outside RDF.
    Outside,
    Rdf,
    Description,
    /// A property with keywords.
    Property(Property),
    /// The list of a property's keywords.
    List(Property),
    /// A keyword, or a structure with a keyword as its value.
    Keyword(Property),
    Other,
}

impl Element {
    /// What an element with this name means inside this one, if the name is in the namespace.
    fn inner(self, name: &str) -> Option<(&'static str, Self)> {
        match (self, name) {
            (Self::Outside, "RDF") => Some((RDF, Self::Rdf)),
            (Self::Rdf, "Description") => Some((RDF, Self::Description)),
            // Structures below other properties can describe other pictures.
            (Self::Description, _) => {
                Property::named(name).map(|(namespace, property)| (namespace, Self::Property(property)))
            }
            (Self::Property(property), "Bag" | "Seq" | "Alt") => Some((RDF, Self::List(property))),
            (Self::List(property), "li") | (Self::Keyword(property), "Description" | "value") => {
                Some((RDF, Self::Keyword(property)))
            }
            _ => None,
        }
    }

    /// The property to which the element's text belongs. A property without a list has one keyword.
    fn property_of_text(self) -> Option<Property> {
        match self {
            Self::Property(property) | Self::Keyword(property) => Some(property),
            _ => None,
        }
    }
}

/// Adds the keywords of both properties: first the simple ones, then the parts of the paths, from the most specific one on.
pub(super) fn read(bytes: &[u8], keywords: &mut Keywords<'_>) -> Result<(), Enough> {
    let budget = keywords.budget;
    let mut of_paths = Keywords::new(budget);
    parse(bytes, budget, |property, text| match property {
        Property::Subject => keywords.add(text),
        Property::HierarchicalSubject => {
            // Simple keywords can still follow if there are enough of these.
            let (Ok(()) | Err(Enough)) = text.rsplit('|').try_for_each(|part| of_paths.add(part));
            Ok(())
        }
    })?;
    of_paths
        .found
        .iter()
        .try_for_each(|keyword| keywords.add(keyword))
}

/// Passes the texts of both properties to `add`. Ends at the first error in the XML. Entities are not expanded: a text that
/// contains one is ignored.
fn parse(
    bytes: &[u8],
    budget: &Budget,
    mut add: impl FnMut(Property, &str) -> Result<(), Enough>,
) -> Result<(), Enough> {
    budget.bytes(bytes.len() as u64)?;
    let xml = String::from_utf8_lossy(bytes);
    let mut reader = NsReader::from_str(&xml);
    reader.config_mut().expand_empty_elements = true;
    reader.resolver_mut().set_max_namespace_bindings(MAX_NAMESPACES);
    let mut open: Vec<Element> = Vec::new();
    // `None` after an entity.
    let mut text = Some(String::new());
    loop {
        budget.step()?;
        let Ok(event) = reader.read_event() else {
            return Ok(());
        };
        match event {
            Event::Start(start) => {
                if open.len() == MAX_DEPTH {
                    return Ok(());
                }
                let outer = open.last().copied().unwrap_or(Element::Outside);
                let element = element(outer, &start, &reader);
                if element == Element::Description {
                    attributes(&start, &reader, budget, &mut add)?;
                }
                open.push(element);
                text = Some(String::new());
            }
            Event::End(_) => {
                let property = open.pop().and_then(Element::property_of_text);
                if let Some(property) = property
                    && let Some(text) = text
                {
                    add(property, &text)?;
                }
                text = Some(String::new());
            }
            Event::Text(part) => append(&mut text, &part),
            Event::CData(part) => append(&mut text, &part),
            Event::GeneralRef(reference) => match character(&reference) {
                Some(character) => append(&mut text, character.encode_utf8(&mut [0; 4])),
                None => text = None,
            },
            Event::Eof => return Ok(()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Empty(_) => {}
        }
    }
}

fn append(text: &mut Option<String>, part: &str) {
    if let Some(text) = text {
        text.push_str(part);
    }
}

/// The character that a reference stands for. `None` for entities that XML does not define.
fn character(reference: &BytesRef<'_>) -> Option<char> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Some(character),
        _ => resolve_xml_entity(reference)?.chars().next(),
    }
}

/// What an element means. Resolves only names that matter.
fn element(outer: Element, start: &BytesStart<'_>, reader: &NsReader<&[u8]>) -> Element {
    if let Some((namespace, inner)) = outer.inner(start.local_name().as_ref()) {
        let (found, _) = reader.resolver().resolve_element(start.name());
        if found == ResolveResult::Bound(Namespace(namespace)) {
            return inner;
        }
    }
    match outer {
        Element::Outside => Element::Outside,
        _ => Element::Other,
    }
}

/// A property with one keyword can be an attribute.
fn attributes(
    start: &BytesStart<'_>,
    reader: &NsReader<&[u8]>,
    budget: &Budget,
    add: &mut impl FnMut(Property, &str) -> Result<(), Enough>,
) -> Result<(), Enough> {
    // Not checked for repeated names.
    for attribute in start.attributes().with_checks(false) {
        budget.step()?;
        let Ok(attribute) = attribute else {
            break;
        };
        let Some((namespace, property)) = Property::named(attribute.key.local_name().as_ref()) else {
            continue;
        };
        let (found, _) = reader.resolver().resolve_attribute(attribute.key);
        if found == ResolveResult::Bound(Namespace(namespace))
            && let Ok(value) = attribute.normalized_value(XmlVersion::Explicit1_0)
        {
            add(property, &value)?;
        }
    }
    Ok(())
}
