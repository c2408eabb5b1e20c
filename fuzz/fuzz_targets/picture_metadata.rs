//! Any bytes in the two most complex structures: the EXIF data of a JPEG, which never prevents that the picture's header is
//! found, and the `meta` box of AVIF, which never names more tiles than it has bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use picture_header::{Look, Pieces, heif_boxes, look};

fuzz_target!(|bytes: &[u8]| {
    let exif = &bytes[..bytes.len().min(65_000)];
    let mut jpeg = vec![0xFF, 0xD8, 0xFF, 0xE1];
    jpeg.extend((exif.len() as u16 + 8).to_be_bytes());
    jpeg.extend(b"Exif\0\0");
    jpeg.extend(exif);
    jpeg.extend(b"\xFF\xC0\0\x11\x08\0\xC8\x01\x2C\x03\x01\x22\0\x02\x11\x01\x03\x11\x01");
    match look(&Pieces::all(&jpeg)) {
        Ok(Look::Found(header)) => assert_eq!(header.width * header.height, 300 * 200),
        other => panic!("{other:?}"),
    }

    let mut avif = b"\0\0\0\x14ftypavif\0\0\0\0avif".to_vec();
    avif.extend((bytes.len() as u32 + 12).to_be_bytes());
    avif.extend(b"meta\0\0\0\0");
    avif.extend(bytes);
    let _ = look(&Pieces::all(&avif));
    if let Ok(boxes) = heif_boxes(&avif) {
        assert!(boxes.color.tiles.len() <= bytes.len());
    }
});
