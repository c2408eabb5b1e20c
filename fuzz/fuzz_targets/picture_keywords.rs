//! Any bytes as keywords: as the items of XMP, as complete XMP and as IPTC-IIM of a JPEG, and as the tag of Windows. They
//! never prevent that the picture's header is found.

#![no_main]

use libfuzzer_sys::fuzz_target;
use picture_header::{Look, Pieces, look};

/// The start of XMP, up to the items of its only list.
const XMP: &[u8] = b"<x xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:dc='http://purl.org/dc/elements/1.1/' \
    xmlns:lr='http://ns.adobe.com/lightroom/1.0/'><rdf:RDF><rdf:Description><dc:subject><rdf:Bag>";

fuzz_target!(|bytes: &[u8]| {
    let bytes = &bytes[..bytes.len().min(60_000)];
    let prefix = &b"http://ns.adobe.com/xap/1.0/\0"[..];
    let length = (bytes.len() as u32).to_be_bytes();
    // The text begins after the header and a directory of one entry.
    let tag = [
        &b"II*\0\x08\0\0\0\x01\0\x9E\x9C\x01\0"[..],
        &(bytes.len() as u32).to_le_bytes(),
        b"\x1A\0\0\0\0\0\0\0",
    ];
    for (marker, segment) in [
        (0xE1, [prefix, XMP, bytes].concat()),
        (0xE1, [prefix, bytes].concat()),
        (
            0xED,
            [&b"Photoshop 3.0\08BIM\x04\x04\0\0"[..], &length, bytes].concat(),
        ),
        (0xE1, [&b"Exif\0\0"[..], &tag.concat(), bytes].concat()),
    ] {
        let mut jpeg = vec![0xFF, 0xD8, 0xFF, marker];
        jpeg.extend((segment.len() as u16 + 2).to_be_bytes());
        jpeg.extend(segment);
        jpeg.extend(b"\xFF\xC0\0\x11\x08\0\xC8\x01\x2C\x03\x01\x22\0\x02\x11\x01\x03\x11\x01");
        match look(&Pieces::all(&jpeg)) {
            Ok(Look::Found(header)) => {
                assert_eq!(header.width * header.height, 300 * 200);
                fuzz::check_keywords(&header.metadata.keywords);
            }
            other => panic!("{other:?}"),
        }
    }
});
