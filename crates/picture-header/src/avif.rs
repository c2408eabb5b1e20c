//! AVIF: the boxes of HEIF that say where the picture's data lies and how it is to be seen.
//!
//! Sources: ISO/IEC 23008-12 (HEIF), ISO/IEC 14496-12 (boxes), AV1 Image File Format 1.1.

use crate::Stop;
use crate::exif;
use crate::pieces::Pieces;
use domain::{Metadata, Orientation};
use std::collections::HashMap;

/// Most bytes of the box that describes all items. Real ones have some hundreds; grids of thousands of tiles, 100,000.
const MOST_META: u64 = 1024 * 1024;
/// Most boxes at the top level before the one that describes all items.
const MOST_BOXES: usize = 16;
/// Most items that are looked at: a grid has at most 256 x 256 tiles by the standard, real ones some dozens.
const MOST_ITEMS: usize = 4_096;

/// A part of the file: from which byte, how many bytes.
pub type Extent = (u64, u64);

/// What an AVIF file says about its primary picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Avif {
    /// Pixels, before [`Self::orientation`].
    pub width: u32,
    /// Pixels, before [`Self::orientation`].
    pub height: u32,
    /// The file's own turns and mirror images, as EXIF would number them. EXIF's own number does not count here.
    pub orientation: Orientation,
    /// The colors.
    pub color: Coded,
    /// How opaque each pixel is, as the brightness of a second picture.
    pub alpha: Option<Coded>,
    /// The color space, where the file itself tells: it wins over what the AV1 data tell.
    pub color_space: Option<ColorSpace>,
    metadata: Option<Vec<Extent>>,
}

/// AV1 data: one picture, or the tiles of a grid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coded {
    /// Tiles from left to right.
    pub columns: u32,
    /// Tiles from top to bottom.
    pub rows: u32,
    /// Row by row, where each tile's data lies.
    pub tiles: Vec<Vec<Extent>>,
}

/// How samples become colors: the numbers of ITU-T H.273.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColorSpace {
    /// Which red, green and blue.
    pub primaries: u16,
    /// How bright they are.
    pub transfer: u16,
    /// From luma and chroma to red, green and blue.
    pub matrix: u16,
    /// Whether black is 0, not 16.
    pub full_range: bool,
}

impl Avif {
    /// Reads the boxes of a file that is known to be AVIF.
    ///
    /// # Errors
    /// As [`crate::look`].
    pub(crate) fn read(file: &Pieces<'_>) -> Result<Self, Stop> {
        let (from, length) = find_meta(file)?;
        let meta = Meta::parse(file.get(from, length)?, from)?;
        let primary = meta.primary.ok_or(Stop::Broken)?;
        let item = meta.items.get(&primary).ok_or(Stop::Broken)?;
        if item.kind == *b"hvc1" || item.kind == *b"hev1" {
            return Err(Stop::OtherKind(crate::HEIC));
        }
        let (width, height) = meta.dimensions(primary).ok_or(Stop::Broken)?;
        let alpha = meta
            .items
            .iter()
            .find(|(id, _)| meta.is_alpha_of(**id, primary))
            .map(|(id, _)| meta.coded(file, *id))
            .transpose()?;
        let metadata = meta
            .items
            .iter()
            .find(|(id, item)| item.kind == *b"Exif" && meta.references(**id, *b"cdsc").contains(&primary))
            .map(|(id, _)| meta.extents(*id))
            .transpose()?;
        Ok(Self {
            width,
            height,
            orientation: meta.orientation(primary),
            color: meta.coded(file, primary)?,
            alpha,
            color_space: meta.color_space(primary),
            metadata,
        })
    }

    /// The metadata of the camera.
    pub(crate) fn metadata(&self, file: &Pieces<'_>) -> Result<Metadata, Stop> {
        let Some(&[(from, length)]) = self.metadata.as_deref() else {
            return Ok(Metadata::default());
        };
        if length > exif::MOST_BYTES as u64 || length < 4 {
            return Ok(Metadata::default());
        }
        let bytes = file.get(from, usize::try_from(length).map_err(|_| Stop::Broken)?)?;
        // The first four bytes tell where behind them TIFF's header begins.
        let [a, b, c, d, rest @ ..] = bytes else {
            return Ok(Metadata::default());
        };
        let skip = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        Ok(rest
            .get(skip..)
            .map(|tiff| exif::Exif::read(tiff).metadata)
            .unwrap_or_default())
    }
}

/// Where the content of the `meta` box lies.
fn find_meta(file: &Pieces<'_>) -> Result<(u64, usize), Stop> {
    let mut at = 0;
    for _ in 0..MOST_BOXES {
        let [s3, s2, s1, s0, name @ ..] = file.array::<8>(at)?;
        let (header, size) = match u32::from_be_bytes([s3, s2, s1, s0]) {
            // To the end of the file.
            0 => (8, file.size() - at),
            1 => (16, u64::from_be_bytes(file.array(at + 8)?)),
            size => (8, size.into()),
        };
        if size < header {
            return Err(Stop::Broken);
        }
        if name == *b"meta" {
            let length = size - header;
            if length > MOST_META {
                return Err(Stop::Broken);
            }
            return Ok((at + header, usize::try_from(length).map_err(|_| Stop::Broken)?));
        }
        at = at.checked_add(size).ok_or(Stop::Broken)?;
    }
    Err(Stop::Broken)
}

/// An item's place and kind.
#[derive(Debug, Default)]
struct Item {
    kind: [u8; 4],
    extents: Vec<Extent>,
    /// Indices into the properties, counted from 1.
    properties: Vec<usize>,
}

/// The content of the `meta` box.
#[derive(Debug, Default)]
struct Meta<'a> {
    primary: Option<u32>,
    items: HashMap<u32, Item>,
    properties: Vec<([u8; 4], &'a [u8])>,
    references: Vec<([u8; 4], u32, Vec<u32>)>,
}

impl<'a> Meta<'a> {
    /// `from` is where in the file the bytes begin.
    fn parse(bytes: &'a [u8], from: u64) -> Result<Self, Stop> {
        let mut meta = Self::default();
        let mut inside = None;
        let mut locations = None;
        for (name, content) in Boxes(bytes.get(4..).ok_or(Stop::Broken)?) {
            let mut reader = Reader(content);
            match &name {
                b"pitm" => {
                    let version = reader.version()?;
                    meta.primary = Some(reader.id(version >= 1)?);
                }
                b"iinf" => meta.parse_kinds(reader)?,
                b"iprp" => meta.parse_properties(content)?,
                b"iref" => meta.parse_references(reader)?,
                b"iloc" => locations = Some(reader),
                b"idat" => inside = Some(from + (content.as_ptr() as usize - bytes.as_ptr() as usize) as u64),
                _ => {}
            }
        }
        // Last, since items can lie in `idat`.
        if let Some(reader) = locations {
            meta.parse_locations(reader, inside)?;
        }
        Ok(meta)
    }

    fn item(&mut self, id: u32) -> Result<&mut Item, Stop> {
        if self.items.len() >= MOST_ITEMS && !self.items.contains_key(&id) {
            return Err(Stop::Broken);
        }
        Ok(self.items.entry(id).or_default())
    }

    fn parse_kinds(&mut self, mut reader: Reader<'a>) -> Result<(), Stop> {
        let version = reader.version()?;
        let _count = reader.id(version >= 1)?;
        for (name, content) in Boxes(reader.0) {
            if name != *b"infe" {
                continue;
            }
            let mut entry = Reader(content);
            let version = entry.version()?;
            if version < 2 {
                continue;
            }
            let id = entry.id(version >= 3)?;
            let _protection = entry.u16()?;
            let kind = entry.array()?;
            self.item(id)?.kind = kind;
        }
        Ok(())
    }

    fn parse_properties(&mut self, bytes: &'a [u8]) -> Result<(), Stop> {
        for (name, content) in Boxes(bytes) {
            match &name {
                b"ipco" => self.properties = Boxes(content).take(MOST_ITEMS).collect(),
                b"ipma" => {
                    let mut reader = Reader(content);
                    let [version, _, _, flags] = reader.array()?;
                    for _ in 0..reader.u32()? {
                        let id = reader.id(version >= 1)?;
                        for _ in 0..reader.u8()? {
                            // The upper bit says whether the property is essential.
                            let index = if flags & 1 == 1 {
                                usize::from(reader.u16()? & 0x7FFF)
                            } else {
                                usize::from(reader.u8()? & 0x7F)
                            };
                            self.item(id)?.properties.push(index);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn parse_references(&mut self, mut reader: Reader<'a>) -> Result<(), Stop> {
        let wide = reader.version()? >= 1;
        for (kind, content) in Boxes(reader.0).take(MOST_ITEMS) {
            let mut entry = Reader(content);
            let from = entry.id(wide)?;
            let count = entry.u16()?;
            let to = (0..count).map(|_| entry.id(wide)).collect::<Result<_, _>>()?;
            self.references.push((kind, from, to));
        }
        Ok(())
    }

    fn parse_locations(&mut self, mut reader: Reader<'a>, inside: Option<u64>) -> Result<(), Stop> {
        let version = reader.version()?;
        let [sizes, more_sizes] = reader.array()?;
        let (offset_size, length_size) = (sizes >> 4, sizes & 15);
        let (base_size, index_size) = (more_sizes >> 4, if version >= 1 { more_sizes & 15 } else { 0 });
        for _ in 0..reader.id(version >= 2)? {
            let id = reader.id(version >= 2)?;
            let method = if version >= 1 { reader.u16()? & 15 } else { 0 };
            let start = match method {
                0 => 0,
                1 => inside.ok_or(Stop::Broken)?,
                // Made of other items.
                _ => return Err(Stop::Broken),
            };
            let _data_reference = reader.u16()?;
            let base = reader.sized(base_size)?;
            for _ in 0..reader.u16()? {
                let _index = reader.sized(index_size)?;
                let offset = reader.sized(offset_size)?;
                let length = reader.sized(length_size)?;
                let at = start
                    .checked_add(base)
                    .and_then(|at| at.checked_add(offset))
                    .ok_or(Stop::Broken)?;
                self.item(id)?.extents.push((at, length));
            }
        }
        Ok(())
    }

    fn properties(&self, id: u32, name: [u8; 4]) -> impl Iterator<Item = &'a [u8]> + '_ {
        let indices = self.items.get(&id).map_or(&[][..], |item| &item.properties);
        indices
            .iter()
            .filter_map(|index| self.properties.get(index.checked_sub(1)?))
            .filter(move |(kind, _)| *kind == name)
            .map(|(_, content)| *content)
    }

    fn dimensions(&self, id: u32) -> Option<(u32, u32)> {
        let mut reader = Reader(self.properties(id, *b"ispe").next()?);
        reader.version().ok()?;
        Some((reader.u32().ok()?, reader.u32().ok()?))
    }

    /// First turned, counterclockwise, then mirrored.
    fn orientation(&self, id: u32) -> Orientation {
        let first = |name| {
            self.properties(id, name)
                .next()
                .and_then(|content| content.first())
        };
        let angle = first(*b"irot").map_or(0, |byte| byte & 3);
        let number = match (angle, first(*b"imir").map(|byte| byte & 1)) {
            (0, None) => 1,
            (0, Some(0)) => 4,
            (0, Some(_)) => 2,
            (1, None) => 8,
            (1, Some(0)) => 5,
            (1, Some(_)) => 7,
            (2, None) => 3,
            (2, Some(0)) => 2,
            (2, Some(_)) => 4,
            (_, None) => 6,
            (_, Some(0)) => 7,
            (_, Some(_)) => 5,
        };
        Orientation::from(number)
    }

    fn color_space(&self, id: u32) -> Option<ColorSpace> {
        self.properties(id, *b"colr").find_map(|content| {
            let [b'n', b'c', b'l', b'x', p1, p0, t1, t0, m1, m0, range, ..] = content else {
                return None;
            };
            Some(ColorSpace {
                primaries: u16::from_be_bytes([*p1, *p0]),
                transfer: u16::from_be_bytes([*t1, *t0]),
                matrix: u16::from_be_bytes([*m1, *m0]),
                full_range: range & 0x80 != 0,
            })
        })
    }

    fn references(&self, id: u32, kind: [u8; 4]) -> &[u32] {
        self.references
            .iter()
            .find(|(name, from, _)| *name == kind && *from == id)
            .map_or(&[], |(_, _, to)| to)
    }

    fn is_alpha_of(&self, id: u32, primary: u32) -> bool {
        self.references(id, *b"auxl").contains(&primary)
            && self.properties(id, *b"auxC").any(|content| {
                content
                    .get(4..)
                    .is_some_and(|name| name.starts_with(b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"))
            })
    }

    fn extents(&self, id: u32) -> Result<Vec<Extent>, Stop> {
        let item = self.items.get(&id).ok_or(Stop::Broken)?;
        Ok(item.extents.clone())
    }

    fn coded(&self, file: &Pieces<'_>, id: u32) -> Result<Coded, Stop> {
        let item = self.items.get(&id).ok_or(Stop::Broken)?;
        match &item.kind {
            b"av01" => Ok(Coded {
                columns: 1,
                rows: 1,
                tiles: vec![item.extents.clone()],
            }),
            b"grid" => {
                let &[(from, _)] = &item.extents[..] else {
                    return Err(Stop::Broken);
                };
                // Version, flags, and the numbers of rows and columns less one.
                let [_, _, rows, columns] = file.array(from)?;
                let (rows, columns) = (u32::from(rows) + 1, u32::from(columns) + 1);
                let tiles = self.references(id, *b"dimg");
                if tiles.len() as u64 != u64::from(rows) * u64::from(columns) {
                    return Err(Stop::Broken);
                }
                let tiles = tiles
                    .iter()
                    .map(|tile| self.extents(*tile))
                    .collect::<Result<_, _>>()?;
                Ok(Coded { columns, rows, tiles })
            }
            _ => Err(Stop::Broken),
        }
    }
}

/// Boxes one behind another; ends at the first that is broken.
struct Boxes<'a>(&'a [u8]);

impl<'a> Iterator for Boxes<'a> {
    type Item = ([u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let mut reader = Reader(self.0);
        let size = reader.u32().ok()? as usize;
        let name = reader.array().ok()?;
        let size = if size == 0 { self.0.len() } else { size };
        let content = self.0.get(8..size)?;
        self.0 = &self.0[size..];
        Some((name, content))
    }
}

/// Numbers one behind another.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH], Stop> {
        let (first, rest) = self.0.split_first_chunk().ok_or(Stop::Broken)?;
        self.0 = rest;
        Ok(*first)
    }

    fn u8(&mut self) -> Result<u8, Stop> {
        self.array().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Result<u16, Stop> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, Stop> {
        self.array().map(u32::from_be_bytes)
    }

    /// The version of a box that has one, and over its flags.
    fn version(&mut self) -> Result<u8, Stop> {
        let [version, _, _, _] = self.array()?;
        Ok(version)
    }

    /// An item's id or a count, which later versions of boxes made wider.
    fn id(&mut self, wide: bool) -> Result<u32, Stop> {
        if wide {
            self.u32()
        } else {
            self.u16().map(u32::from)
        }
    }

    fn sized(&mut self, bytes: u8) -> Result<u64, Stop> {
        match bytes {
            0 => Ok(0),
            4 => self.u32().map(u64::from),
            8 => self.array().map(u64::from_be_bytes),
            _ => Err(Stop::Broken),
        }
    }
}
