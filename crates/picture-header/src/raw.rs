//! Camera raw files: the largest JPEG preview that they contain. Their sensor data is not read.
//!
//! Most are TIFF files with directories for several versions of the picture. A TIFF file that only names a
//! camera, as scanners and editors write it, is not a raw file. CR3 consists of the boxes of MP4; RAF has a header of its own.
//!
//! Sources: TIFF/EP (ISO 12234-2), DNG 1.7, the tag tables of ExifTool, and github.com/lclevy/canon_cr3.

use crate::boxes::{self, Content};
use crate::directory::{Directory, Tiff, lenient};
use crate::exif::Exif;
use crate::jpeg::Frame;
use crate::keywords::{Sources, get_xmp};
use crate::pieces::Pieces;
use crate::stored::{Stop, Stored};
use crate::tiff::{is_reduced, sides};
use domain::image::MIN_SIDE;
use domain::{Format, Orientation};

/// Position and length in bytes.
pub(crate) type Extent = (u64, u64);

/// Maximum number of directories that are searched. Each can take another read.
const MAX_DIRECTORIES: usize = 16;
/// Maximum number of previews whose header is read, from the largest on. Each can take another read.
const MAX_TRIED: usize = 6;

mod tag {
    pub(super) const JPEG_FROM_RAW: u16 = 0x2E;
    pub(super) const COMPRESSION: u16 = 259;
    pub(super) const PHOTOMETRIC: u16 = 262;
    pub(super) const MAKE: u16 = 271;
    pub(super) const STRIP_OFFSETS: u16 = 273;
    pub(super) const ORIENTATION: u16 = 274;
    pub(super) const STRIP_BYTE_COUNTS: u16 = 279;
    pub(super) const SUB_DIRECTORIES: u16 = 330;
    pub(super) const JPEG_OFFSET: u16 = 513;
    pub(super) const JPEG_LENGTH: u16 = 514;
    pub(super) const EXIF: u16 = 0x8769;
    pub(super) const MAKER_NOTE: u16 = 0x927C;
    pub(super) const DNG_VERSION: u16 = 50_706;
}

/// A raw file, described by its preview.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) stored: Stored,
    pub(crate) preview: Extent,
}

/// What a raw file says about itself.
struct Description {
    format: Format,
    exif: Exif,
    keywords: Sources,
    /// Whether the file states an orientation. Otherwise that of the preview applies.
    is_oriented: bool,
    /// The sides of the largest version of the picture.
    largest: Option<(u32, u32)>,
    previews: Vec<Extent>,
}

/// `None` if the file is not a raw file.
pub(crate) fn read(file: &Pieces<'_>) -> Result<Option<Raw>, Stop> {
    let length = usize::try_from(file.size()).unwrap_or(usize::MAX);
    let description = match file.get(0, length.min(16))? {
        b"FUJIFILMCCD-RAW " => raf(file)?,
        [_, _, _, _, b'f', b't', b'y', b'p', b'c', b'r', b'x', b' ', ..] => cr3(file)?,
        [b'I', b'I', 0x55, 0, ..] => of_directories(Format::Rw2, &first_directory(file)?)?,
        [b'I', b'I', b'R', b'O' | b'S', ..] | [b'M', b'M', b'O', b'R', ..] => {
            of_directories(Format::Orf, &first_directory(file)?)?
        }
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => {
            let Some(first) = lenient(first_directory(file).map(Some))? else {
                return Ok(None);
            };
            match format(&first)? {
                Some(format) => of_directories(format, &first)?,
                None => return Ok(None),
            }
        }
        _ => return Ok(None),
    };
    best(file, description).map(Some)
}

fn first_directory<'a>(file: &'a Pieces<'_>) -> Result<Directory<'a>, Stop> {
    let tiff = Tiff::open(file, 0)?;
    tiff.directory(tiff.first()?)
}

/// Reads the headers of the previews, from the largest on, and takes the first one that every decoder can decode. The sensor
/// data of some cameras is a lossless JPEG.
fn best(file: &Pieces<'_>, description: Description) -> Result<Raw, Stop> {
    let Description {
        format,
        mut exif,
        keywords,
        is_oriented,
        largest,
        mut previews,
    } = description;
    previews.sort_unstable_by_key(|(_, length)| std::cmp::Reverse(*length));
    previews.dedup();
    for preview in previews.into_iter().take(MAX_TRIED) {
        let Some(frame) = lenient(Frame::read(file, preview.0).map(Some))? else {
            continue;
        };
        let (width, height) = (u32::from(frame.width), u32::from(frame.height));
        if !frame.is_usual() || width.min(height) < MIN_SIDE {
            continue;
        }
        let own = frame.exif.unwrap_or_default();
        if !is_oriented {
            exif.orientation = own.orientation;
        } else if exif.orientation.swaps_sides() && largest.is_some_and(|(w, h)| w > h) && width < height {
            // Some programs rotate the preview's pixels, but not those of the sensor.
            exif.orientation = Orientation::UPRIGHT;
        }
        if exif.metadata.is_empty() {
            exif.metadata = own.metadata;
        }
        return Ok(Raw {
            stored: Stored {
                format,
                width,
                height,
                exif,
                keywords: keywords.or(frame.keywords),
            },
            preview,
        });
    }
    Err(Stop::NoPreview(format))
}

/// The kind of raw file. `None` for TIFF.
fn format(first: &Directory<'_>) -> Result<Option<Format>, Stop> {
    if lenient(first.tiff.file.array(8).map(Some).map_err(Stop::Gap))? == Some(*b"CR\x02\0") {
        return Ok(Some(Format::Cr2));
    }
    let is_dng = first.entry(tag::DNG_VERSION)?.is_some();
    let camera = lenient(first.text(tag::MAKE))?.and_then(of_make);
    let is_reduced = is_reduced(first)?;
    let mut has_sensor_data = is_sensor_data(first)?;
    let has_sub_directories = first.entry(tag::SUB_DIRECTORIES)?.is_some();
    if !has_sensor_data && has_sub_directories && (is_dng || is_reduced || camera.is_some()) {
        for directory in sub_directories(first, 4)? {
            has_sensor_data |= is_sensor_data(&directory)?;
        }
    }
    if is_dng {
        // Programs copy this tag into plain TIFF files.
        let is_plain = !has_sensor_data
            && !is_reduced
            && lenient(first.number(tag::PHOTOMETRIC))?.is_some_and(|kind| kind <= 8);
        return Ok((!is_plain).then_some(Format::Dng));
    }
    // Samsung's sensor data does not say what it is. The first directory has a thumbnail, or no picture.
    let has_no_picture = is_reduced || sides(first)?.is_none();
    let is_camera = matches!(
        camera,
        Some(Format::Nef | Format::Arw | Format::Pef | Format::Srw)
    );
    if has_sensor_data || (is_camera && has_no_picture && has_sub_directories) {
        let other = Stop::OtherKind("Raw files of this camera maker");
        return camera.map(Some).ok_or(other);
    }
    Ok(None)
}

/// The format of a camera's raw files, by its maker.
fn of_make(make: &[u8]) -> Option<Format> {
    let make = make.trim_ascii_start().to_ascii_uppercase();
    [
        ("NIKON", Format::Nef),
        ("SONY", Format::Arw),
        ("PENTAX", Format::Pef),
        ("RICOH", Format::Pef),
        ("SAMSUNG", Format::Srw),
        ("CANON", Format::Cr2),
        ("OLYMPUS", Format::Orf),
        ("OM DIGITAL", Format::Orf),
        ("PANASONIC", Format::Rw2),
        ("LEICA", Format::Rw2),
    ]
    .into_iter()
    .find_map(|(name, format)| make.starts_with(name.as_bytes()).then_some(format))
}

/// Whether the directory describes what the sensor measured: a color filter array, or linear raw data.
fn is_sensor_data(directory: &Directory<'_>) -> Result<bool, Stop> {
    let photometric = lenient(directory.number(tag::PHOTOMETRIC))?;
    Ok(matches!(photometric, Some(32_803 | 34_892)))
}

fn sub_directories<'a>(directory: &Directory<'a>, max: u64) -> Result<Vec<Directory<'a>>, Stop> {
    let mut found = Vec::new();
    let Some(entry) = directory.entry(tag::SUB_DIRECTORIES)? else {
        return Ok(found);
    };
    for index in 0..entry.count.min(max) {
        if let Some(at) = lenient(entry.number(index))?
            && let Some(below) = lenient(directory.tiff.directory(at).map(Some))?
        {
            // A directory is larger than one item.
            directory.tiff.file.budget().items(4)?;
            found.push(below);
        }
    }
    Ok(found)
}

/// Searches the chain of directories, those below them, and the notes of some cameras.
fn of_directories(format: Format, first: &Directory<'_>) -> Result<Description, Stop> {
    let tiff = first.tiff;
    let mut description = Description {
        format,
        exif: Exif::of_directory(first)?,
        keywords: Sources::of_directory(first)?,
        is_oriented: lenient(first.number(tag::ORIENTATION))?.is_some(),
        largest: None,
        previews: maker_note_preview(first)?.into_iter().collect(),
    };
    let mut next = Some(*first);
    let mut searched = 0;
    while let Some(directory) = next {
        let mut found = sub_directories(&directory, MAX_DIRECTORIES as u64)?;
        found.push(directory);
        for directory in found {
            add(&directory, &mut description)?;
            searched += 1;
        }
        if searched >= MAX_DIRECTORIES {
            break;
        }
        next = match lenient(directory.next())? {
            Some(at) => lenient(tiff.directory(at).map(Some))?,
            None => None,
        };
    }
    Ok(description)
}

/// Adds the sides and the previews of a directory.
fn add(directory: &Directory<'_>, description: &mut Description) -> Result<(), Stop> {
    let pixels = |(width, height): (u32, u32)| u64::from(width) * u64::from(height);
    description.largest = description
        .largest
        .into_iter()
        .chain(sides(directory)?)
        .max_by_key(|sides| pixels(*sides));
    let file = directory.tiff.file;
    let mut add = |extent| keep(file, &mut description.previews, extent);
    add(jpeg_of(directory, tag::JPEG_OFFSET, tag::JPEG_LENGTH)?)?;
    if let Some(entry) = directory.entry(tag::JPEG_FROM_RAW)? {
        add(entry.extent(entry.count))?;
    }
    let is_jpeg = matches!(lenient(directory.number(tag::COMPRESSION))?, Some(6 | 7));
    let strips = directory.entry(tag::STRIP_OFFSETS)?.map(|entry| entry.count);
    if is_jpeg && strips == Some(1) && !is_sensor_data(directory)? {
        add(jpeg_of(directory, tag::STRIP_OFFSETS, tag::STRIP_BYTE_COUNTS)?)?;
    }
    Ok(())
}

fn keep(file: &Pieces<'_>, previews: &mut Vec<Extent>, preview: Option<Extent>) -> Result<(), Stop> {
    if let Some(preview) = preview {
        file.budget().items(1)?;
        previews.push(preview);
    }
    Ok(())
}

/// A part of the file whose position and length are two entries. `None` if the file does not contain all of it.
fn jpeg_of(directory: &Directory<'_>, offset: u16, length: u16) -> Result<Option<Extent>, Stop> {
    let values = lenient(directory.number(offset))?.zip(lenient(directory.number(length))?);
    Ok(
        values
            .and_then(|(offset, length)| within(directory.tiff.file, directory.tiff.base, (offset, length))),
    )
}

/// A part of the file at a position that is counted from `base`. `None` if the file does not contain all of it.
fn within(file: &Pieces<'_>, base: u64, (offset, length): Extent) -> Option<Extent> {
    let from = base.checked_add(offset)?;
    (from.checked_add(length)? <= file.size()).then_some((from, length))
}

/// The preview in the notes of Nikon and Olympus, whose files can have none elsewhere.
fn maker_note_preview(first: &Directory<'_>) -> Result<Option<Extent>, Stop> {
    let tiff = first.tiff;
    let note = || -> Result<Option<Extent>, Stop> {
        let Some(at) = first.number(tag::EXIF)? else {
            return Ok(None);
        };
        let Some(note) = tiff.directory(at)?.entry(tag::MAKER_NOTE)? else {
            return Ok(None);
        };
        let Some((base, _)) = note.extent(16) else {
            return Ok(None);
        };
        let relative = |byte_order: u8| Tiff {
            base,
            is_little_endian: byte_order == b'I',
            ..tiff
        };
        match tiff.file.get(base, 16)? {
            [b'N', b'i', b'k', b'o', b'n', 0, 2, ..] => {
                const PREVIEW: u16 = 0x11;
                let inner = Tiff::open(tiff.file, base + 10)?;
                match inner.directory(inner.first()?)?.number(PREVIEW)? {
                    Some(at) => jpeg_of(&inner.directory(at)?, tag::JPEG_OFFSET, tag::JPEG_LENGTH),
                    None => Ok(None),
                }
            }
            [b'O', b'L', b'Y', b'M', b'P', b'U', b'S', 0, order, ..] => {
                olympus(&relative(*order).directory(12)?)
            }
            [
                b'O',
                b'M',
                b' ',
                b'S',
                b'Y',
                b'S',
                b'T',
                b'E',
                b'M',
                0,
                0,
                0,
                order,
                ..,
            ] => olympus(&relative(*order).directory(16)?),
            _ => Ok(None),
        }
    };
    lenient(note())
}

fn olympus(notes: &Directory<'_>) -> Result<Option<Extent>, Stop> {
    const CAMERA_SETTINGS: u16 = 0x2020;
    const PREVIEW_OFFSET: u16 = 0x0101;
    const PREVIEW_LENGTH: u16 = 0x0102;
    match notes.number(CAMERA_SETTINGS)? {
        Some(at) => jpeg_of(&notes.tiff.directory(at)?, PREVIEW_OFFSET, PREVIEW_LENGTH),
        None => Ok(None),
    }
}

/// RAF: the position of a JPEG with EXIF is at a fixed position.
fn raf(file: &Pieces<'_>) -> Result<Description, Stop> {
    let [o3, o2, o1, o0, l3, l2, l1, l0] = file.array(84)?;
    let extent = (
        u32::from_be_bytes([o3, o2, o1, o0]).into(),
        u32::from_be_bytes([l3, l2, l1, l0]).into(),
    );
    Ok(Description {
        format: Format::Raf,
        exif: Exif::default(),
        keywords: Sources::default(),
        is_oriented: false,
        largest: None,
        previews: within(file, 0, extent).into_iter().collect(),
    })
}

/// CR3: the boxes of MP4. The first track is a JPEG in full size. Two boxes of Canon contain smaller ones.
fn cr3(file: &Pieces<'_>) -> Result<Description, Stop> {
    const CANON: [u8; 16] = [
        0x85, 0xC0, 0xB6, 0x87, 0x82, 0x0F, 0x11, 0xE0, 0x81, 0x11, 0xF4, 0xCE, 0x46, 0x2B, 0x6A, 0x48,
    ];
    const PREVIEW: [u8; 16] = [
        0xEA, 0xF4, 0x2B, 0x5E, 0x1C, 0x98, 0x4B, 0x88, 0xB9, 0xFB, 0xB7, 0xDC, 0x40, 0x6E, 0x4D, 0x16,
    ];
    const XMP: [u8; 16] = [
        0xBE, 0x7A, 0xCF, 0xCB, 0x97, 0xA9, 0x42, 0xE8, 0x9C, 0x71, 0x99, 0x94, 0x91, 0xE3, 0xAF, 0xAC,
    ];
    let mut directories = [None; 3];
    let mut keywords = Sources::default();
    let mut previews = Vec::new();
    let whole = Content {
        from: 0,
        to: file.size(),
    };
    for content in boxes::all(file, whole) {
        // The last box of an incomplete file.
        let Some((name, content)) = lenient(content.map(Some))? else {
            break;
        };
        match &name {
            b"moov" => {
                for below in boxes::all(file, content) {
                    let (name, content) = below?;
                    match &name {
                        b"uuid" if file.array(content.from)? == CANON => {
                            canon(file, content.after(16), &mut directories, &mut previews)?;
                        }
                        b"trak" => keep(file, &mut previews, lenient(jpeg_track(file, content))?)?,
                        _ => {}
                    }
                }
            }
            b"uuid" if file.array(content.from)? == XMP => {
                let xmp = content.after(16);
                keywords.xmp = get_xmp(file, (xmp.from, xmp.length()))?.or(keywords.xmp);
            }
            // The box with the preview follows eight bytes of an unknown meaning.
            b"uuid" if file.array(content.from)? == PREVIEW => {
                let preview = boxes::first(file, content.after(24), *b"PRVW").and_then(|found| {
                    let Some(content) = found else {
                        return Ok(None);
                    };
                    let length = u32::from_be_bytes(file.array(content.from + 12)?);
                    Ok(within(file, content.from, (16, length.into())))
                });
                keep(file, &mut previews, lenient(preview)?)?;
            }
            // The pixels.
            b"mdat" => break,
            _ => {}
        }
    }
    let [first, exif, gps] = directories;
    let (exif, is_oriented) = match &first {
        Some(first) => (
            Exif::of_directories(first, exif.as_ref(), gps.as_ref())?,
            lenient(first.number(tag::ORIENTATION))?.is_some(),
        ),
        None => (Exif::default(), false),
    };
    Ok(Description {
        format: Format::Cr3,
        exif,
        keywords,
        is_oriented,
        largest: None,
        previews,
    })
}

/// Canon's box: one directory each for the camera, EXIF and GPS, and the thumbnail.
fn canon<'a>(
    file: &'a Pieces<'_>,
    content: Content,
    directories: &mut [Option<Directory<'a>>; 3],
    previews: &mut Vec<Extent>,
) -> Result<(), Stop> {
    for below in boxes::all(file, content) {
        let (name, content) = below?;
        let index = match &name {
            b"CMT1" => 0,
            b"CMT2" => 1,
            b"CMT4" => 2,
            b"THMB" => {
                let length = u32::from_be_bytes(file.array(content.from + 8)?);
                keep(file, previews, within(file, content.from, (16, length.into())))?;
                continue;
            }
            _ => continue,
        };
        let directory = Tiff::open(file, content.from).and_then(|tiff| tiff.directory(tiff.first()?));
        directories[index] = lenient(directory.map(Some))?;
    }
    Ok(())
}

/// The only sample of a track, if that is a JPEG.
fn jpeg_track(file: &Pieces<'_>, track: Content) -> Result<Option<Extent>, Stop> {
    let mut content = track;
    for name in [b"mdia", b"minf", b"stbl"] {
        match boxes::first(file, content, *name)? {
            Some(below) => content = below,
            None => return Ok(None),
        }
    }
    let [Some(kind), Some(length), Some(offset)] = [
        boxes::first(file, content, *b"stsd")?,
        boxes::first(file, content, *b"stsz")?,
        boxes::first(file, content, *b"co64")?,
    ] else {
        return Ok(None);
    };
    // Canon's description of the sample contains a box that says how it is coded.
    let kind = file.get(kind.from, usize::try_from(kind.length().min(256)).unwrap_or(0))?;
    if !kind.windows(4).any(|name| name == b"JPEG") {
        return Ok(None);
    }
    // A length for all samples, or 0 and then the number of samples and the length of each.
    let length = match u32::from_be_bytes(file.array(length.from + 4)?) {
        0 => u32::from_be_bytes(file.array(length.from + 12)?),
        length => length,
    };
    let offset = u64::from_be_bytes(file.array(offset.from + 8)?);
    Ok(within(file, 0, (offset, length.into())))
}
