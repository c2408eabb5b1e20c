use super::xmp::{DUBLIN_CORE, LIGHTROOM, RDF};
use super::*;
use crate::tests::{
    camera_file, cr3, directory, found, gif_with_frame, jpeg, look_by_pieces, mp4_box, parts, png, riff, tiff,
};
use crate::{Header, HeaderError, Look, look};
use domain::Format;
use proptest::prelude::*;

/// Written by ExifTool and Exiv2: see `fixtures/keywords.py`.
const FIXTURES: [(&[u8], Format, &[&str]); 9] = [
    (
        include_bytes!("../fixtures/keywords.jpg"),
        Format::Jpeg,
        WITH_IPTC,
    ),
    (
        include_bytes!("../fixtures/keywords.tif"),
        Format::Tiff,
        WITH_IPTC,
    ),
    (
        include_bytes!("../fixtures/keywords.png"),
        Format::Png,
        WITHOUT_IPTC,
    ),
    (
        include_bytes!("../fixtures/keywords.webp"),
        Format::WebP,
        WITHOUT_IPTC,
    ),
    (
        include_bytes!("../fixtures/keywords.avif"),
        Format::Avif,
        WITHOUT_IPTC,
    ),
    (
        include_bytes!("../fixtures/keywords.heic"),
        Format::Heic,
        WITHOUT_IPTC,
    ),
    (
        include_bytes!("../fixtures/keywords.gif"),
        Format::Gif,
        &["Harbor", "Übersee", "Lübeck", "Europe", "Places"],
    ),
    (
        include_bytes!("../fixtures/keywords-exiv2.jpg"),
        Format::Jpeg,
        &["Harbor", "Übersee", "Lübeck", "Europe", "Places", "Möwe"],
    ),
    // The IPTC-IIM is in a compressed text, which is not read.
    (
        include_bytes!("../fixtures/keywords-exiv2.png"),
        Format::Png,
        &["Harbor", "Übersee", "Lübeck", "Europe", "Places"],
    ),
];
const WITH_IPTC: &[&str] = &["Harbor", "Übersee", "Lübeck", "Europe", "Places", "Möwe", "Kran"];
const WITHOUT_IPTC: &[&str] = &["Harbor", "Übersee", "Lübeck", "Europe", "Places", "Kran"];

/// XMP with this content of its only description, with the usual prefixes.
fn xmp(content: &str) -> String {
    format!(
        "<?xpacket begin='\u{FEFF}' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>\
         <rdf:RDF xmlns:rdf='{RDF}'><rdf:Description rdf:about='' xmlns:dc='{DUBLIN_CORE}' xmlns:lr='{LIGHTROOM}'>\
         {content}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
    )
}

/// XMP with these items of `dc:subject`.
fn subject(items: &str) -> String {
    xmp(&format!("<dc:subject><rdf:Bag>{items}</rdf:Bag></dc:subject>"))
}

fn of_xmp(xml: &str) -> Vec<String> {
    Keywords::collect(&Budget::default(), |keywords| xmp::read(xml.as_bytes(), keywords))
}

/// A dataset of IPTC-IIM.
fn dataset(record: u8, number: u8, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap().to_be_bytes();
    [&[0x1C, record, number][..], &length, value].concat()
}

fn of_iptc(bytes: &[u8]) -> Vec<String> {
    Keywords::collect(&Budget::default(), |keywords| iptc::read(bytes, keywords))
}

/// A JPEG of 300 x 200 pixels with these segments.
fn jpeg_with(segments: &[(u8, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0xFF, 0xD8];
    for (marker, content) in segments {
        bytes.extend([0xFF, *marker]);
        bytes.extend(u16::try_from(content.len() + 2).unwrap().to_be_bytes());
        bytes.extend(*content);
    }
    bytes.extend(&jpeg(0, 300, 200)[2..]);
    bytes
}

fn xmp_segment(xml: &str) -> Vec<u8> {
    [&b"http://ns.adobe.com/xap/1.0/\0"[..], xml.as_bytes()].concat()
}

/// An image resource of Photoshop.
fn resource(number: u16, name: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = [
        &b"8BIM"[..],
        &number.to_be_bytes(),
        &[u8::try_from(name.len()).unwrap()],
    ]
    .concat();
    bytes.extend(name.as_bytes());
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes
}

fn keywords_of(bytes: &[u8]) -> Vec<String> {
    found(bytes).metadata.keywords
}

/// Asserts what every list of keywords promises.
fn assert_valid(keywords: &[String]) {
    assert!(keywords.len() <= MAX_KEYWORDS);
    for (index, keyword) in keywords.iter().enumerate() {
        assert!(
            is_searchable_name(keyword) && keyword.trim() == keyword,
            "{keyword:?}"
        );
        let is_same = |other: &String| other.to_lowercase() == keyword.to_lowercase();
        assert!(!keywords[..index].iter().any(is_same), "{keyword:?} twice");
    }
}

#[test]
fn reads_keywords_that_exiftool_and_exiv2_have_written_in_every_format() {
    for (bytes, format, expected) in FIXTURES {
        let header = found(bytes);
        assert_eq!(header.format, format);
        assert_eq!(header.metadata.keywords, expected, "{format:?}");
        for piece in [50, 100, 1_000] {
            assert_eq!(
                look_by_pieces(bytes, piece).0,
                look(&Pieces::all(bytes)),
                "{format:?}"
            );
        }
    }
}

#[test]
fn reads_all_forms_of_the_properties() {
    let bag = |items: &str| format!("<dc:subject><rdf:Bag>{items}</rdf:Bag></dc:subject>");
    for (what, content, expected) in [
        (
            "a bag",
            bag("<rdf:li>Cat</rdf:li><rdf:li>Dog</rdf:li>"),
            &["Cat", "Dog"][..],
        ),
        (
            "a sequence",
            bag("<rdf:li>Cat</rdf:li>").replace("Bag", "Seq"),
            &["Cat"],
        ),
        (
            "a property without a list",
            "<dc:subject>Cat</dc:subject>".into(),
            &["Cat"],
        ),
        (
            "spaces",
            bag("\n <rdf:li>\n  Coffee cup \n</rdf:li>\n"),
            &["Coffee cup"],
        ),
        (
            "CDATA",
            bag("<rdf:li><![CDATA[<Rock & ]]>Roll</rdf:li>"),
            &["<Rock & Roll"],
        ),
        (
            "references",
            bag("<rdf:li>R&amp;B</rdf:li><rdf:li>Caf&#xE9;&#32;&#x1F600;</rdf:li>"),
            &["R&B", "Café 😀"],
        ),
        (
            "a comment",
            bag("<rdf:li>Coffee<!-- and --> cup</rdf:li>"),
            &["Coffee cup"],
        ),
        (
            "empty items",
            bag("<rdf:li/><rdf:li></rdf:li><rdf:li>Cat</rdf:li>"),
            &["Cat"],
        ),
        (
            "a qualified item",
            bag("<rdf:li rdf:parseType='Resource'><rdf:value>Cat</rdf:value><x:by>Me</x:by></rdf:li>"),
            &["Cat"],
        ),
        (
            "a qualified item in a description",
            bag("<rdf:li><rdf:Description><rdf:value>Cat</rdf:value></rdf:Description></rdf:li>"),
            &["Cat"],
        ),
        (
            "paths after keywords",
            format!(
                "<lr:hierarchicalSubject><rdf:Bag><rdf:li>Animal|Pet|Cat</rdf:li></rdf:Bag></lr:hierarchicalSubject>{}",
                bag("<rdf:li>Dog</rdf:li><rdf:li>pet</rdf:li>")
            ),
            &["Dog", "pet", "Cat", "Animal"],
        ),
        (
            "other properties",
            "<dc:title><rdf:Alt><rdf:li>Cat</rdf:li></rdf:Alt></dc:title>".into(),
            &[],
        ),
        (
            "keywords of another picture, which this one contains",
            format!(
                "<x:Ingredients><rdf:Bag><rdf:li><rdf:Description>{}",
                bag("<rdf:li>Cat</rdf:li>")
            ),
            &[],
        ),
        (
            "RDF inside another property",
            format!(
                "<x:Other><rdf:RDF><rdf:Description>{}",
                bag("<rdf:li>Cat</rdf:li>")
            ),
            &[],
        ),
        (
            "a structure with 20 levels before the keywords",
            format!(
                "{}{}{}",
                "<x:a>".repeat(20),
                "</x:a>".repeat(20),
                bag("<rdf:li>Cat</rdf:li>")
            ),
            &["Cat"],
        ),
        (
            "a structure with 40 levels before the keywords",
            format!(
                "{}{}{}",
                "<x:a>".repeat(40),
                "</x:a>".repeat(40),
                bag("<rdf:li>Cat</rdf:li>")
            ),
            &[],
        ),
        (
            "text outside the items",
            bag("Cat<rdf:li>Dog</rdf:li>Cow"),
            &["Dog"],
        ),
    ] {
        assert_eq!(of_xmp(&xmp(&content)), expected, "{what}");
    }
}

#[test]
fn reads_properties_that_are_attributes() {
    let xml = |attributes: &str| {
        format!(
            "<r:RDF xmlns:r='{RDF}' xmlns:l='{LIGHTROOM}' xmlns:d='{DUBLIN_CORE}'><r:Description {attributes}/></r:RDF>"
        )
    };
    assert_eq!(of_xmp(&xml("d:subject='R&amp;B' d:title='Dog'")), ["R&B"]);
    assert_eq!(
        of_xmp(&xml("l:hierarchicalSubject='Animal|Cat' d:subject='Dog'")),
        ["Dog", "Cat", "Animal"]
    );
    assert_eq!(of_xmp(&xml("subject='Cat' x:subject='Dog'")), [""; 0]);
    assert_eq!(of_xmp(&xml("d:subject='&unknown;'")), [""; 0]);
}

#[test]
fn namespaces_count_and_not_prefixes() {
    let subject = subject("<rdf:li>Cat</rdf:li>");
    assert_eq!(
        of_xmp(&subject.replace("dc:", "x1:").replace(":dc", ":x1")),
        ["Cat"]
    );
    assert_eq!(
        of_xmp(&subject.replace("rdf:", "r:").replace(":rdf", ":r")),
        ["Cat"]
    );
    let default = subject.replace("rdf:", "").replace("xmlns:rdf", "xmlns");
    assert_eq!(of_xmp(&default), ["Cat"]);
    assert_eq!(
        of_xmp(&subject.replace(DUBLIN_CORE, "http://example.com/")),
        [""; 0]
    );
    assert_eq!(of_xmp(&subject.replace("xmlns:dc", "xmlns:other")), [""; 0]);
    // The prefix has another meaning inside.
    let redefined = subject.replace("<dc:subject>", "<dc:subject xmlns:dc='http://example.com/'>");
    assert_eq!(of_xmp(&redefined), [""; 0]);
}

#[test]
fn keeps_only_valid_keywords_and_at_most_50() {
    let item = |text: &str| format!("<rdf:li>{text}</rdf:li>");
    let longest = "🐈".repeat(100);
    let items = [
        "",
        " ",
        &longest,
        &format!("{longest}x"),
        "a&#9;b",
        "Cat",
        "CAT",
        "ÜBER",
        "über",
        "a\u{FFFD}",
    ];
    assert_eq!(
        of_xmp(&subject(&items.map(item).concat())),
        [longest.as_str(), "Cat", "ÜBER"]
    );

    let many = |from: usize| {
        (from..from + 1_000)
            .map(|number| item(&format!("Keyword {number}")))
            .collect::<String>()
    };
    let content = format!(
        "<lr:hierarchicalSubject><rdf:Bag>{}</rdf:Bag></lr:hierarchicalSubject>\
         <dc:subject><rdf:Bag>{}{}</rdf:Bag></dc:subject>",
        many(5_000),
        item("Keyword 1").repeat(1_000),
        many(1)
    );
    let keywords = of_xmp(&xmp(&content));
    assert_eq!(
        keywords,
        (1..=50)
            .map(|number| format!("Keyword {number}"))
            .collect::<Vec<_>>()
    );
}

#[test]
fn hostile_xml_gives_the_keywords_before_its_first_error_and_always_a_header() {
    let cat = "<rdf:li>Cat</rdf:li>";
    let laughs = (1..10).fold("<!ENTITY e0 'ha'>".to_owned(), |entities, number| {
        let references = format!("&e{};", number - 1).repeat(10);
        format!("{entities}<!ENTITY e{number} '{references}'>")
    });
    for (what, xml, expected) in [
        (
            "a billion laughs",
            format!(
                "<!DOCTYPE x [{laughs}]>{}",
                subject(&format!("<rdf:li>&e9;</rdf:li>{cat}"))
            ),
            &["Cat"][..],
        ),
        (
            "an external entity",
            format!(
                "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>{}",
                subject("<rdf:li>a&e;b</rdf:li>")
            ),
            &[],
        ),
        (
            "elements in elements",
            subject(&format!("{cat}{}", "<rdf:li>".repeat(8_000))),
            &["Cat"],
        ),
        (
            "a deep structure before the keywords",
            subject(&format!("{}{cat}", "<a>".repeat(1_000))),
            &[],
        ),
        (
            "a wrong end",
            subject(&format!("{cat}</rdf:Bag><rdf:Bag></dc:subject>{cat}")),
            &["Cat"],
        ),
        (
            "a truncated item",
            subject(&format!("{cat}<rdf:li>Do"))
                .split("Do")
                .next()
                .unwrap()
                .to_owned()
                + "Do",
            &["Cat"],
        ),
        (
            "a truncated tag",
            xmp("<dc:subject><rdf:Bag><rdf:li>Cat</rdf:li><rdf:")
                .split("</rdf:Desc")
                .next()
                .unwrap()
                .to_owned(),
            &["Cat"],
        ),
        (
            "an invalid character",
            subject(&format!(
                "{cat}<rdf:li>&#0;</rdf:li><rdf:li>&#xD800;</rdf:li><rdf:li>a\0b</rdf:li>"
            )),
            &["Cat"],
        ),
        (
            "thousands of attributes",
            subject(cat).replace("rdf:about=''", &"a:b='' ".repeat(7_000)),
            &["Cat"],
        ),
        (
            "thousands of namespaces",
            subject(cat).replace(
                "rdf:about=''",
                &(0..3_000).map(|n| format!("xmlns:a{n}='a' ")).collect::<String>(),
            ),
            &[],
        ),
        ("no XML", "\0\0\0 no XML".into(), &[]),
        ("nothing", String::new(), &[]),
    ] {
        let header = found(&jpeg_with(&[(0xE1, &xmp_segment(&xml))]));
        assert_eq!(header.width, 300, "{what}");
        assert_eq!(header.metadata.keywords, expected, "{what}");
    }
}

#[test]
fn bytes_that_are_not_utf_8_damage_only_their_own_keyword() {
    let mut bytes = xmp_segment(&subject("<rdf:li>Caf?</rdf:li><rdf:li>Cat</rdf:li>"));
    let at = bytes.windows(4).position(|text| text == b"Caf?").unwrap();
    bytes[at + 3] = 0xE9;
    assert_eq!(keywords_of(&jpeg_with(&[(0xE1, &bytes)])), ["Cat"]);
}

#[test]
fn reads_iptc_in_its_declared_and_in_undeclared_character_sets() {
    let utf_8 = dataset(1, 90, b"\x1B%G");
    let keyword = |text: &[u8]| dataset(2, 25, text);
    for (what, bytes, expected) in [
        (
            "declared UTF-8",
            [utf_8.clone(), keyword("Möwe".as_bytes())].concat(),
            &["Möwe"][..],
        ),
        ("undeclared UTF-8", keyword("Möwe".as_bytes()), &["Möwe"]),
        (
            "Latin-1",
            [keyword(b"M\xF6we"), keyword(b"Cat")].concat(),
            &["Möwe", "Cat"],
        ),
        (
            "another character set",
            [dataset(1, 90, b"\x1B.A"), keyword(b"M\xF6we")].concat(),
            &["Möwe"],
        ),
        (
            "declared UTF-8 that is none",
            [utf_8, keyword(b"M\xF6we"), keyword(b"Cat")].concat(),
            &["Cat"],
        ),
        ("a zero byte at the end", keyword(b"Cat\0"), &["Cat"]),
        (
            "other datasets",
            [dataset(2, 5, b"Title"), dataset(3, 25, b"Dog"), keyword(b"Cat")].concat(),
            &["Cat"],
        ),
        (
            "a long dataset",
            [b"\x1C\x02\x19\x80\x04\0\0\0\x03Dog".to_vec(), keyword(b"Cat")].concat(),
            &["Dog", "Cat"],
        ),
        (
            "a length of 2^64 - 1",
            [
                keyword(b"Cat"),
                b"\x1C\x02\x19\x80\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF".to_vec(),
            ]
            .concat(),
            &["Cat"],
        ),
        (
            "a length of 32,767 bytes",
            [keyword(b"Cat"), b"\x1C\x02\x19\xFF\xFF".to_vec()].concat(),
            &["Cat"],
        ),
        (
            "a dataset after the end",
            [keyword(b"Cat"), b"\x1C\x02\x19\0\x09Dog".to_vec()].concat(),
            &["Cat"],
        ),
        (
            "other bytes between datasets",
            [keyword(b"Cat"), vec![0], keyword(b"Dog")].concat(),
            &["Cat"],
        ),
        ("nothing", vec![], &[]),
    ] {
        assert_eq!(of_iptc(&bytes), expected, "{what}");
    }
}

#[test]
fn finds_iptc_among_the_image_resources_of_photoshop() {
    let iptc = dataset(2, 25, b"Cat");
    let prefix = b"Photoshop 3.0\0".to_vec();
    let of = |resources: &[Vec<u8>]| {
        let segment = [prefix.clone(), resources.concat()].concat();
        keywords_of(&jpeg_with(&[(0xED, b"Ducky"), (0xED, &segment)]))
    };
    assert_eq!(of(&[resource(0x0404, "", &iptc)]), ["Cat"]);
    assert_eq!(
        of(&[resource(0x03ED, "even", b"12345"), resource(0x0404, "odd", &iptc)]),
        ["Cat"]
    );
    assert_eq!(of(&[resource(0x03ED, "", &iptc)]), [""; 0]);
    // Resources without end, after the end of the segment, and more than any program writes.
    let mut too_long = resource(0x0404, "", &iptc);
    too_long[11] = 200;
    assert_eq!(of(&[too_long]), [""; 0]);
    assert_eq!(of(&[b"8BIM\x04\x04\xFF".to_vec()]), [""; 0]);
    assert_eq!(of(&[vec![0; 60_000]]), [""; 0]);
}

#[test]
fn reads_the_tag_of_windows() {
    let with = |kind: u16, text: &str| {
        let text: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let exif = tiff(&[(0x9C9E, kind, u32::try_from(text.len()).unwrap(), 26)], &text);
        keywords_of(&jpeg_with(&[(0xE1, &[b"Exif\0\0", &exif[..]].concat())]))
    };
    assert_eq!(with(1, "Cat; Möwe 😀;;cat;\0Dog"), ["Cat", "Möwe 😀"]);
    assert_eq!(with(7, "Cat"), ["Cat"]);
    assert_eq!(with(2, "Cat"), [""; 0], "a text has no UTF-16");
    assert_eq!(with(1, &"Cat;".repeat(8_000)), ["Cat"]);
    let lone_surrogate = tiff(&[(0x9C9E, 1, 4, 0x00D8_4100)], &[]);
    assert_eq!(
        keywords_of(&jpeg_with(&[(
            0xE1,
            &[b"Exif\0\0", &lone_surrogate[..]].concat()
        )])),
        [""; 0]
    );
}

#[test]
fn merges_sources_in_the_order_of_preference() {
    let windows: Vec<u8> = "Three;CAT".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let exif = tiff(&[(0x9C9E, 1, 18, 26)], &windows);
    let iptc = [dataset(2, 25, b"Two"), dataset(2, 25, b"cat")].concat();
    let file = jpeg_with(&[
        (0xE1, &[b"Exif\0\0", &exif[..]].concat()),
        (
            0xED,
            &[b"Photoshop 3.0\0".to_vec(), resource(0x0404, "", &iptc)].concat(),
        ),
        (
            0xE1,
            &xmp_segment(&subject("<rdf:li>One</rdf:li><rdf:li>Cat</rdf:li>")),
        ),
        // Only the first one counts.
        (0xE1, &xmp_segment(&subject("<rdf:li>Other</rdf:li>"))),
    ]);
    assert_eq!(keywords_of(&file), ["One", "Cat", "Two", "Three"]);
}

/// Positions of XMP and IPTC-IIM in a TIFF directory, for parts at 5,000 and 6,000.
fn names_sources(xmp: &[u8], iptc: &[u8]) -> [(u16, u16, u32, u32); 2] {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap();
    // Many programs store IPTC-IIM as numbers of 32 bits.
    [(700, 1, length(xmp), 5_000), (33_723, 4, length(iptc) / 4, 6_000)]
}

#[test]
fn reads_the_tags_of_tiff_and_raw_files() {
    let xmp = subject("<rdf:li>Cat</rdf:li>").into_bytes();
    let mut iptc = dataset(2, 25, b"Dog");
    iptc.resize(iptc.len().next_multiple_of(4), 0);
    let sources = names_sources(&xmp, &iptc);

    let page = directory(&[&[(256, 3, 1, 300), (257, 3, 1, 200)][..], &sources].concat(), 0);
    let file = parts(&[(0, b"MM\0*\0\0\0\x08"), (8, &page), (5_000, &xmp), (6_000, &iptc)]);
    assert_eq!(
        (found(&file).format, keywords_of(&file)),
        (Format::Tiff, vec!["Cat".into(), "Dog".into()])
    );
    // The file ends before the IPTC-IIM, and then within the XMP.
    assert_eq!(keywords_of(&file[..6_004]), ["Cat"]);
    assert_eq!(keywords_of(&file[..5_100]), [""; 0]);

    let preview = [
        (259, 3, 1, 6),
        (273, 4, 1, 1_000),
        (279, 4, 1, 900),
        (50_706, 1, 4, 0x0104_0000),
        (254, 4, 1, 1),
    ];
    let first = directory(&[&preview[..], &sources].concat(), 0);
    let mut file = camera_file("Some maker", [&first, &[], &[], &[]]);
    file.resize(5_000, 0);
    let file = parts(&[(0, &file), (5_000, &xmp), (6_000, &iptc)]);
    assert_eq!(
        (found(&file).format, keywords_of(&file)),
        (Format::Dng, vec!["Cat".into(), "Dog".into()])
    );
}

#[test]
fn reads_xmp_of_cr3_and_of_the_preview_of_raf() {
    let xmp = subject("<rdf:li>Cat</rdf:li>");
    let name = b"\xBE\x7A\xCF\xCB\x97\xA9\x42\xE8\x9C\x71\x99\x94\x91\xE3\xAF\xAC";
    let with_xmp = mp4_box(b"uuid", &[&name[..], xmp.as_bytes()].concat());
    let file = cr3();
    let movie = file.windows(4).position(|name| name == b"moov").unwrap() - 4;
    // Only the preview in full size keeps its position.
    let mut file = [&file[..movie], &with_xmp, &file[movie..]].concat();
    let at = file
        .windows(8)
        .position(|bytes| bytes == 4_000_u64.to_be_bytes())
        .unwrap();
    file[at..at + 8].copy_from_slice(&(4_000 + with_xmp.len() as u64).to_be_bytes());
    assert_eq!(
        (found(&file).format, keywords_of(&file)),
        (Format::Cr3, vec!["Cat".into()])
    );

    let preview = jpeg_with(&[(0xE1, &xmp_segment(&xmp))]);
    let raf = parts(&[
        (0, b"FUJIFILMCCD-RAW 0201FF123456X-Test"),
        (84, &200_u32.to_be_bytes()),
        (88, &u32::try_from(preview.len()).unwrap().to_be_bytes()),
        (200, &preview),
    ]);
    assert_eq!(
        (found(&raf).format, keywords_of(&raf)),
        (Format::Raf, vec!["Cat".into()])
    );
}

/// A chunk of PNG.
fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&length, &name[..], content, &[0; 4]].concat()
}

fn xmp_chunk(xml: &str) -> Vec<u8> {
    chunk(
        b"iTXt",
        &[b"XML:com.adobe.xmp\0\0\0\0\0", xml.as_bytes()].concat(),
    )
}

#[test]
fn reads_the_text_of_a_png_before_or_after_exif() {
    let xmp = xmp_chunk(&subject("<rdf:li>Cat</rdf:li>"));
    let exif = chunk(b"eXIf", &tiff(&[(0x0112, 3, 1, 6)], &[]));
    let other = chunk(b"iTXt", b"Comment\0\0\0\0\0Dog");
    for chunks in [
        vec![xmp.clone()],
        vec![exif.clone(), xmp.clone()],
        vec![xmp.clone(), exif.clone()],
        vec![other.clone(), exif.clone(), other, xmp.clone()],
    ] {
        let header = found(&png(300, 200, &chunks.concat()));
        assert_eq!(header.metadata.keywords, ["Cat"]);
        assert_eq!(header.orientation.number() == 6, chunks.contains(&exif));
    }
    // EXIF counts, whatever follows.
    let header = found(&png(
        300,
        200,
        &[exif, chunk(b"tEXt", b"").repeat(450_000), xmp].concat(),
    ));
    assert_eq!(
        (header.orientation.number(), header.metadata.keywords.len()),
        (6, 0)
    );
}

#[test]
fn reads_xmp_of_a_webp_only_if_the_file_announces_it() {
    let xmp = subject("<rdf:li>Cat</rdf:li>");
    let exif = tiff(&[(0x0112, 3, 1, 6)], &[]);
    let of = |flags| {
        let header = found(&riff(&[
            (b"VP8X", &[flags, 0, 0, 0, 43, 1, 0, 199, 0, 0]),
            (b"VP8 ", &[0; 1_001]),
            (b"EXIF", &exif),
            (b"XMP ", xmp.as_bytes()),
        ]));
        (header.orientation.number(), header.metadata.keywords.len())
    };
    assert_eq!([of(0), of(8), of(4), of(12)], [(1, 0), (6, 0), (1, 1), (6, 1)]);
}

#[test]
fn reads_xmp_of_a_gif_before_its_first_frame() {
    let xml = subject("<rdf:li>Cat</rdf:li>");
    let end: Vec<u8> = [1].into_iter().chain((0..=255).rev()).chain([0]).collect();
    let extension = [&b"!\xFF\x0BXMP DataXMP"[..], xml.as_bytes(), &end].concat();
    let gif = gif_with_frame((300, 200), [0, 0, 300, 200]);
    // The extension can also follow others, and a comment with the same text is none.
    let comment = b"!\xFE\x0BXMP DataXMP\0";
    for file in [
        [&gif[..25], &extension, &gif[25..]].concat(),
        [&gif[..25], comment, &extension, &gif[25..]].concat(),
    ] {
        assert_eq!(keywords_of(&file), ["Cat"]);
    }
    let empty = [&gif[..25], &extension[..14], b"\0", &gif[25..]].concat();
    assert_eq!(keywords_of(&empty), [""; 0]);
}

/// Reads a file as `validate` does. Returns the header, the number of reads and the number of bytes.
fn reads(bytes: &[u8]) -> (Header, usize, usize) {
    let (mut file, mut length, mut total) = (Pieces::none(bytes.len() as u64), 65_536, 0);
    let mut from = 0;
    for reads in 1..=28 {
        let to = bytes.len().min(from + length);
        file.add(from as u64, &bytes[from..to]);
        total += to - from;
        if reads > 1 {
            length = (2 * length).min(1_048_576);
        }
        match look(&file).unwrap() {
            Look::Found(header) => return (header, reads, total),
            Look::ReadOn(next) => from = usize::try_from(next).unwrap(),
        }
    }
    panic!("too many reads");
}

#[test]
fn keywords_take_few_more_reads_and_only_if_there_are_some() {
    let xml = subject("<rdf:li>Cat</rdf:li>");
    let padded = |length: usize| format!("{xml}{}", " ".repeat(length - xml.len()));
    let with_scan = |file: Vec<u8>| [file, vec![0; 2_000_000]].concat();
    let exif = [&b"Exif\0\0"[..], &tiff(&[], &[0; 30_000])].concat();

    // A JPEG whose XMP begins in the first read and ends in the second.
    let file = with_scan(jpeg_with(&[(0xE1, &exif), (0xE1, &xmp_segment(&padded(60_000)))]));
    let (header, count, _) = reads(&file);
    assert_eq!((header.metadata.keywords.len(), count), (1, 2));
    let (_, count, _) = reads(&with_scan(jpeg_with(&[(0xE1, &exif)])));
    assert_eq!(count, 1);

    // A TIFF with XMP of the maximum size at the end of the file.
    let tiff_with = |length: usize| {
        let entries = [
            (256, 3, 1, 300),
            (257, 3, 1, 200),
            (700, 1, u32::try_from(length).unwrap(), 2_000_000),
        ];
        parts(&[(0, &tiff(&entries, &[])), (2_000_000, padded(length).as_bytes())])
    };
    let (header, count, bytes) = reads(&tiff_with(256 * 1024));
    assert_eq!((header.metadata.keywords.len(), count), (1, 4));
    assert_eq!(bytes, 64 * 1024 + 256 * 1024);
    // Larger XMP is not read at all.
    let (header, count, _) = reads(&tiff_with(256 * 1024 + 1));
    assert_eq!((header.metadata.keywords.len(), count), (0, 1));

    // EXIF of a PNG is found without reading chunks in the whole file.
    let exif = chunk(b"eXIf", &tiff(&[(0x0112, 3, 1, 6)], &[]));
    let file = png(
        300,
        200,
        &[exif, chunk(b"tEXt", &vec![0; 1_100_000]).repeat(30)].concat(),
    );
    let (header, count, _) = reads(&file);
    assert_eq!(header.orientation.number(), 6);
    assert!(count <= 10, "{count} reads");
}

#[test]
fn keywords_get_only_what_the_header_has_left_of_the_budget() {
    // So many segments that the frame header is found with the last steps.
    let xmp = xmp_segment(&subject(&"<rdf:li>Cat</rdf:li>".repeat(2_000)));
    let with_segments = |count: usize| {
        let mut file = jpeg_with(&[(0xE1, &xmp)]);
        let frame = file.len() - jpeg(0, 300, 200).len() + 2;
        file.splice(frame..frame, b"\xFF\xE2\0\x02".repeat(count));
        look(&Pieces::all(&file))
    };
    let (mut found, mut too_many) = (0, 400_000);
    while too_many - found > 1 {
        let middle = (found + too_many) / 2;
        match with_segments(middle) {
            Ok(_) => found = middle,
            Err(_) => too_many = middle,
        }
    }
    let keywords = |count| match with_segments(count) {
        Ok(Look::Found(header)) => header.metadata.keywords,
        other => panic!("{other:?}"),
    };
    assert_eq!(with_segments(too_many), Err(HeaderError::TooComplex));
    assert_eq!(keywords(found), [""; 0]);
    assert_eq!(keywords(found - 100), ["Cat"]);
}

/// Text that resembles XMP.
fn like_xmp() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        prop::sample::select(vec![
            "<rdf:li>",
            "</rdf:li>",
            "<rdf:li/>",
            "<rdf:Bag>",
            "</rdf:Bag>",
            "<rdf:Seq>",
            "</rdf:Seq>",
            "<dc:subject>",
            "</dc:subject>",
            "<lr:hierarchicalSubject>",
            "</lr:hierarchicalSubject>",
            "<rdf:Description dc:subject='a|b'>",
            "</rdf:Description>",
            "<rdf:value>",
            "</rdf:value>",
            "<![CDATA[",
            "]]>",
            "<!--",
            "-->",
            "&amp;",
            "&#x41;",
            "&x;",
            "<?x?>",
            "<!DOCTYPE",
            "|",
            "Cat",
            "cat",
            " ",
            "\0",
            "\u{85}",
            "xmlns:dc=''",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,120}",
    ];
    prop::collection::vec(part, 0..60).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_xmp_gives_valid_keywords(content in like_xmp()) {
        assert_valid(&of_xmp(&content));
        assert_valid(&of_xmp(&subject(&content)));
    }

    #[test]
    fn every_valid_keyword_is_read(words in prop::collection::btree_set("[a-zß-ö]{1,12}", 0..=50)) {
        let escape = |word: &String| word.chars().map(|c| format!("&#{};", u32::from(c))).collect::<String>();
        let items = words.iter().map(|word| format!("<rdf:li>{}</rdf:li>", escape(word))).collect::<String>();
        let expected: Vec<_> = words.iter().cloned().collect();
        prop_assert_eq!(&of_xmp(&subject(&items)), &expected);
        let iptc = words.iter().flat_map(|word| dataset(2, 25, word.as_bytes())).collect::<Vec<_>>();
        prop_assert_eq!(&of_iptc(&iptc), &expected);
    }

    #[test]
    fn any_iptc_gives_valid_keywords(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        datasets in prop::collection::vec((1_u8..4, prop::sample::select(vec![25_u8, 90]), prop::collection::vec(any::<u8>(), 0..110)), 0..80),
    ) {
        assert_valid(&of_iptc(&bytes));
        let datasets = datasets.iter().flat_map(|(record, number, value)| dataset(*record, *number, value));
        assert_valid(&of_iptc(&datasets.chain(bytes).collect::<Vec<_>>()));
    }

    #[test]
    fn modified_files_give_valid_keywords_whatever_has_been_read(
        (bytes, ..) in prop::sample::select(FIXTURES.to_vec()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        piece in 20_usize..3_000,
    ) {
        let mut bytes = bytes.to_vec();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let whole = look(&Pieces::all(&bytes));
        if let Ok(Look::Found(header)) = &whole {
            assert_valid(&header.metadata.keywords);
        }
        prop_assert_eq!(look_by_pieces(&bytes, piece).0, whole);
    }
}
