//! HEIF, the container of AVIF and HEIC: where the picture's data is and how to show it.
//!
//! Sources: ISO/IEC 23008-12 (HEIF), ISO/IEC 14496-12 (boxes), AV1 Image File Format 1.1.
//!
//! Files contain more pictures than the one that is shown: thumbnails, depth and gain maps, other pictures of a burst. Only
//! the primary picture and its opacity are read.

use crate::budget::Budget;
use crate::chunks::optional;
use crate::exif::{self, Exif};
use crate::keywords::Sources;
use crate::pieces::{Gap, Pieces};
use crate::stored::{Stop, Stored};
use domain::{Format, Metadata, Orientation};
use serde::{Deserialize, Serialize};

/// Maximum size in bytes of the box that describes all items. Real boxes have a few hundred bytes, or 100,000 for grids of
/// thousands of tiles.
const MAX_META: u64 = 1024 * 1024;
/// Maximum number of boxes at the top level before the one that describes all items.
const MAX_BOXES: usize = 16;
/// Maximum number of properties that are read. Indices have 15 bits.
const MAX_PROPERTIES: usize = 32_767;

/// The auxiliary types of opacity: in AVIF, and in HEIC.
const ALPHA: [&[u8]; 2] = [
    b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0",
    b"urn:mpeg:hevc:2015:auxid:1\0",
];

/// A part of the file: position and length in bytes.
pub type Extent = (u64, u64);

/// The description of a file's primary picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Heif {
    /// [`Format::Avif`] or [`Format::Heic`], by the kind of the primary picture's data.
    pub format: Format,
    /// The part of the coded picture that is shown.
    pub crop: Crop,
    /// The file's rotation and mirroring, as EXIF's number. The number in the file's EXIF is ignored.
    pub orientation: Orientation,
    /// The colors.
    pub color: Coded,
    /// The opacity of each pixel, as the brightness of a second picture.
    pub alpha: Option<Coded>,
    /// Whether the colors are already multiplied by the opacity.
    pub premultiplied: bool,
    /// The color space, if the file specifies it. It takes precedence over the color space in the coded data.
    pub color_space: Option<ColorSpace>,
    /// The position of the ICC profile.
    pub profile: Option<Extent>,
    extents: Vec<Extent>,
    exif: Option<Extent>,
    xmp: Option<Extent>,
}

/// A rectangle of the coded picture in pixels, before applying the orientation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crop {
    /// Columns to its left.
    pub left: u32,
    /// Rows above it.
    pub top: u32,
    /// At least 1, unless the picture is empty.
    pub width: u32,
    /// At least 1, unless the picture is empty.
    pub height: u32,
}

/// Coded data: one picture, or the tiles of a grid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coded {
    /// Pixels, before cropping and before applying the orientation.
    pub width: u32,
    /// Pixels, before cropping and before applying the orientation.
    pub height: u32,
    /// Tiles from left to right.
    pub columns: u32,
    /// Tiles from top to bottom.
    pub rows: u32,
    /// The tiles, row by row.
    pub tiles: Vec<Tile>,
}

/// The data of a picture, or of a tile of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    /// Width and height in pixels, if the file specifies them.
    pub sides: Option<(u32, u32)>,
    /// The position of the decoder's configuration.
    pub configuration: Option<Extent>,
    extents: Slice,
}

/// A part of [`Heif::extents`]: index and number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Slice(u32, u32);

impl Slice {
    fn of<T>(self, all: &[T]) -> &[T] {
        let (from, count) = (self.0 as usize, self.1 as usize);
        all.get(from..from + count).unwrap_or_default()
    }

    /// The values from index `from` to the end.
    fn since<T>(from: usize, all: &[T]) -> Self {
        // The budget allows fewer values.
        let index = |index| u32::try_from(index).unwrap_or(u32::MAX);
        Self(index(from), index(all.len() - from))
    }
}

/// How to convert samples to colors, with the numbers of ITU-T H.273.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColorSpace {
    /// The primary colors.
    pub primaries: u16,
    /// The transfer function.
    pub transfer: u16,
    /// The conversion from luma and chroma to red, green and blue.
    pub matrix: u16,
    /// Whether black is 0 and not 16.
    pub full_range: bool,
}

/// Reads a file whose first box is `ftyp`: AVIF, HEIC or something else, depending on brands and the primary picture.
pub(crate) fn read(file: &Pieces<'_>) -> Result<Stored, Stop> {
    let size = u32::from_be_bytes(file.array(0)?).clamp(16, 256) as usize;
    // Between the first brand and the others is a version, which equals no brand.
    let is_heif = file
        .get(8, size - 8)?
        .as_chunks()
        .0
        .iter()
        .any(|brand: &[u8; 4]| is_heif_brand(brand));
    if !is_heif {
        return Err(Stop::OtherKind("Videos"));
    }
    let heif = Heif::read(file)?;
    let metadata = optional(heif.metadata(file))?;
    Ok(Stored {
        format: heif.format,
        width: heif.crop.width,
        height: heif.crop.height,
        exif: Exif {
            orientation: heif.orientation,
            metadata,
        },
        keywords: Sources {
            xmp: heif.xmp,
            iptc: None,
        },
    })
}

fn is_heif_brand(brand: &[u8; 4]) -> bool {
    matches!(
        brand,
        b"mif1"
            | b"mif2"
            | b"mif3"
            | b"miaf"
            | b"msf1"
            | b"avif"
            | b"avis"
            | b"heic"
            | b"heix"
            | b"heim"
            | b"heis"
            | b"hevc"
            | b"hevx"
            | b"hevm"
            | b"hevs"
            | b"avci"
            | b"avcs"
            | b"jpeg"
            | b"jpgs"
            | b"j2ki"
            | b"j2is"
            | b"vvic"
    )
}

impl Heif {
    /// Reads the boxes of a file that is known to be HEIF.
    ///
    /// # Errors
    /// [`Stop`].
    pub(crate) fn read(file: &Pieces<'_>) -> Result<Self, Stop> {
        let budget = file.budget();
        let (from, length) = find_meta(file)?;
        budget.bytes(length as u64)?;
        let meta = Meta::parse(file.get(from, length)?, from, budget)?;
        let primary = meta.primary.ok_or(Stop::Broken)?;
        let mut view_of = vec![primary];
        let mut picture = primary;
        let mut kind = meta.kind(primary)?;
        // Derived from one picture: `iden` to show it otherwise, `tmap` to add a gain map, which is ignored.
        if matches!(&kind, b"iden" | b"tmap") {
            picture = meta.targets(primary, *b"dimg")?.next().ok_or(Stop::Broken)?;
            kind = meta.kind(picture)?;
            view_of.insert(0, picture);
        }
        let color = meta.coded(file, picture)?;
        let first_tile = meta.targets(picture, *b"dimg")?.next();
        if kind == *b"grid" {
            kind = meta.kind(first_tile.ok_or(Stop::Broken)?)?;
        }
        let format = match &kind {
            b"av01" => Format::Avif,
            b"hvc1" | b"hev1" => Format::Heic,
            b"avc1" => return Err(Stop::OtherKind("HEIF pictures with H.264 data")),
            b"vvc1" => return Err(Stop::OtherKind("HEIF pictures with H.266 data")),
            b"jpeg" => return Err(Stop::OtherKind("HEIF pictures with JPEG data")),
            b"j2k1" => return Err(Stop::OtherKind("HEIF pictures with JPEG 2000 data")),
            b"unci" => return Err(Stop::OtherKind("HEIF pictures with uncompressed data")),
            b"iovl" => return Err(Stop::OtherKind("HEIF pictures that are composed of others")),
            b"grid" | b"iden" | b"tmap" => return Err(Stop::OtherKind("HEIF pictures with nested grids")),
            _ => return Err(Stop::OtherKind("HEIF pictures of this kind")),
        };
        let mut view = View::of((color.width, color.height));
        for id in &view_of {
            meta.transform(&mut view, *id, format)?;
        }
        let alpha = match meta.alpha_of(picture)? {
            None if picture != primary => meta.alpha_of(primary)?,
            found => found,
        };
        let (mut color_space, mut profile) = (None, None);
        for id in view_of.iter().rev().copied().chain(first_tile) {
            color_space = color_space.or(meta.color_space(id)?);
            profile = profile.or(meta.profile(id)?);
        }
        let (exif, xmp) = meta.metadata_of(&view_of)?;
        Ok(Self {
            format,
            crop: view.crop,
            orientation: view.orientation(),
            color,
            premultiplied: match alpha {
                Some(alpha) => meta.targets(picture, *b"prem")?.any(|id| id == alpha),
                None => false,
            },
            alpha: alpha.map(|id| meta.coded(file, id)).transpose()?,
            color_space,
            profile,
            exif,
            xmp,
            extents: meta.extents,
        })
    }

    /// The parts of the file that make up a tile's data.
    pub fn extents(&self, tile: &Tile) -> &[Extent] {
        tile.extents.of(&self.extents)
    }

    /// The metadata of the camera.
    fn metadata(&self, file: &Pieces<'_>) -> Result<Metadata, Stop> {
        let Some((from, length)) = self.exif else {
            return Ok(Metadata::default());
        };
        if length > exif::MAX_BYTES as u64 || length < 4 {
            return Ok(Metadata::default());
        }
        let bytes = file.get(from, usize::try_from(length).map_err(|_| Stop::Broken)?)?;
        // The first four bytes are the offset of TIFF's header after them.
        let [a, b, c, d, rest @ ..] = bytes else {
            return Ok(Metadata::default());
        };
        let skip = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        Ok(rest
            .get(skip..)
            .map(|tiff| Exif::read(tiff).metadata)
            .unwrap_or_default())
    }
}

/// Finds the position and length of the content of the `meta` box.
fn find_meta(file: &Pieces<'_>) -> Result<(u64, usize), Stop> {
    let mut at = 0;
    let mut has_tracks = false;
    for _ in 0..MAX_BOXES {
        let start = match file.array::<8>(at) {
            Err(Gap::AfterEnd) if has_tracks => {
                return Err(Stop::OtherKind("HEIF files without a primary picture"));
            }
            start => start?,
        };
        let [s3, s2, s1, s0, name @ ..] = start;
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
            if length > MAX_META {
                return Err(Stop::Broken);
            }
            return Ok((at + header, usize::try_from(length).map_err(|_| Stop::Broken)?));
        }
        has_tracks |= name == *b"moov";
        at = at.checked_add(size).ok_or(Stop::Broken)?;
    }
    Err(Stop::Broken)
}

/// Whether an item with a media type is XMP. `rest` is its name, its media type, and more texts, which end with zeros.
fn is_xmp(rest: &[u8]) -> bool {
    rest.split(|byte| *byte == 0).nth(1) == Some(b"application/rdf+xml")
}

/// How the coded picture is cropped, turned and mirrored: the result of its transformations so far.
#[derive(Debug, Clone, Copy)]
struct View {
    crop: Crop,
    /// Where a step to the right and a step down of the coded picture lead in the displayed one: the columns of a matrix.
    steps: [[i64; 2]; 2],
}

impl View {
    /// The complete picture, upright.
    fn of((width, height): (u32, u32)) -> Self {
        Self {
            crop: Crop {
                left: 0,
                top: 0,
                width,
                height,
            },
            steps: [[1, 0], [0, 1]],
        }
    }

    fn turn(&mut self, map: impl Fn([i64; 2]) -> [i64; 2]) {
        self.steps = self.steps.map(map);
    }

    fn swaps_sides(&self) -> bool {
        self.steps[0][0] == 0
    }

    /// EXIF's number.
    fn orientation(&self) -> Orientation {
        Orientation::from(match self.steps {
            [[-1, 0], [0, 1]] => 2,
            [[-1, 0], [0, -1]] => 3,
            [[1, 0], [0, -1]] => 4,
            [[0, 1], [1, 0]] => 5,
            [[0, 1], [-1, 0]] => 6,
            [[0, -1], [-1, 0]] => 7,
            [[0, -1], [1, 0]] => 8,
            _ => 1,
        })
    }

    /// Crops to the clean aperture of a `clap` box: the size, and the distance of its center from the picture's, as
    /// fractions. Rounds as libheif does. `None` if it is empty or outside the picture.
    fn crop(&mut self, bytes: &[u8]) -> Option<()> {
        let mut reader = Reader(bytes);
        let mut fraction = || {
            let numerator = f64::from(reader.u32().ok()?.cast_signed());
            let denominator = f64::from(reader.u32().ok()?.cast_signed());
            (denominator != 0.0).then_some(numerator / denominator)
        };
        let [width, height, across, down] = [fraction()?, fraction()?, fraction()?, fraction()?];
        let swaps = self.swaps_sides();
        let shown = if swaps {
            [self.crop.height, self.crop.width]
        } else {
            [self.crop.width, self.crop.height]
        };
        // The first and last pixel of the displayed picture that remain.
        let range = |size: f64, offset: f64, side: u32| {
            let center = (f64::from(side) - 1.0) / 2.0 + offset;
            let from = (center - (size - 1.0) / 2.0).round();
            let to = from + size.round();
            let (from, to) = (from.max(0.0), to.min(f64::from(side)));
            // The casts saturate.
            (from < to).then_some((from as i64, to as i64))
        };
        let (left, right) = range(width, across, shown[0])?;
        let (top, bottom) = range(height, down, shown[1])?;
        // Twice the distance between the centers, in the displayed and in the coded picture.
        let moved = [
            left + right - i64::from(shown[0]),
            top + bottom - i64::from(shown[1]),
        ];
        let [moved_across, moved_down] = self.steps.map(|[x, y]| x * moved[0] + y * moved[1]);
        let sides = [right - left, bottom - top];
        let sides = if swaps { [sides[1], sides[0]] } else { sides };
        let part = |start: u32, side: u32, moved: i64, new: i64| {
            let from = i64::from(start) + (i64::from(side) + moved - new) / 2;
            Some((u32::try_from(from).ok()?, u32::try_from(new).ok()?))
        };
        let (left, width) = part(self.crop.left, self.crop.width, moved_across, sides[0])?;
        let (top, height) = part(self.crop.top, self.crop.height, moved_down, sides[1])?;
        self.crop = Crop {
            left,
            top,
            width,
            height,
        };
        Some(())
    }
}

/// An item's kind, position and properties.
#[derive(Debug, Default)]
struct Item {
    id: u32,
    kind: [u8; 4],
    is_xmp: bool,
    extents: Slice,
    /// Indices of the properties, starting at 1.
    properties: Slice,
}

/// The pictures that an item refers to.
#[derive(Debug)]
struct Reference<'a> {
    kind: [u8; 4],
    from: u32,
    /// Two bytes each, or four.
    to: &'a [u8],
    wide: bool,
}

impl Reference<'_> {
    fn targets(&self) -> impl ExactSizeIterator<Item = u32> + use<'_> {
        self.to
            .chunks_exact(if self.wide { 4 } else { 2 })
            .map(|id| id.iter().fold(0, |id, byte| id << 8 | u32::from(*byte)))
    }
}

/// The content of the `meta` box. Lists of all items' values, to which the items refer: a list in each item would cost an
/// allocation each.
#[derive(Debug)]
struct Meta<'a> {
    budget: &'a Budget,
    primary: Option<u32>,
    /// In the order of their ids.
    items: Vec<Item>,
    extents: Vec<Extent>,
    indices: Vec<u16>,
    properties: Vec<Content<'a>>,
    references: Vec<Reference<'a>>,
}

impl<'a> Meta<'a> {
    /// `from` is the position of the bytes in the file.
    fn parse(bytes: &'a [u8], from: u64, budget: &'a Budget) -> Result<Self, Stop> {
        let mut meta = Self {
            budget,
            primary: None,
            items: Vec::new(),
            extents: Vec::new(),
            indices: Vec::new(),
            properties: Vec::new(),
            references: Vec::new(),
        };
        let (mut kinds, mut properties, mut references, mut locations, mut inside) =
            (None, None, None, None, None);
        for part in Boxes::of(bytes.get(4..).ok_or(Stop::Broken)?, from + 4) {
            budget.step()?;
            match &part.name {
                b"pitm" => {
                    let mut reader = part.reader();
                    let version = reader.version()?;
                    meta.primary = Some(reader.id(version >= 1)?);
                }
                b"iinf" => kinds = Some(part),
                b"iprp" => properties = Some(part),
                b"iref" => references = Some(part),
                b"iloc" => locations = Some(part),
                b"idat" => inside = Some(part.at),
                _ => {}
            }
        }
        // The items come first: what the other boxes say about unknown items is ignored.
        if let Some(part) = kinds {
            meta.parse_kinds(part)?;
        }
        if let Some(part) = properties {
            meta.parse_properties(part)?;
        }
        if let Some(part) = references {
            meta.parse_references(part)?;
        }
        if let Some(part) = locations {
            meta.parse_locations(part.reader(), inside)?;
        }
        Ok(meta)
    }

    fn parse_kinds(&mut self, part: Content<'a>) -> Result<(), Stop> {
        let mut reader = part.reader();
        let version = reader.version()?;
        let _count = reader.id(version >= 1)?;
        for part in Boxes::of(reader.0, part.at) {
            self.budget.step()?;
            if part.name != *b"infe" {
                continue;
            }
            let mut entry = part.reader();
            let version = entry.version()?;
            if version < 2 {
                continue;
            }
            self.budget.items(1)?;
            let id = entry.id(version >= 3)?;
            let _protection = entry.u16()?;
            let kind = entry.array()?;
            self.items.push(Item {
                id,
                kind,
                is_xmp: kind == *b"mime" && is_xmp(entry.0),
                ..Item::default()
            });
        }
        self.items.sort_by_key(|item| item.id);
        self.items.dedup_by_key(|item| item.id);
        Ok(())
    }

    fn parse_properties(&mut self, part: Content<'a>) -> Result<(), Stop> {
        for part in Boxes::of(part.bytes, part.at) {
            self.budget.step()?;
            match &part.name {
                b"ipco" => {
                    for property in Boxes::of(part.bytes, part.at).take(MAX_PROPERTIES) {
                        self.budget.items(1)?;
                        self.properties.push(property);
                    }
                }
                b"ipma" => self.parse_indices(part.reader())?,
                _ => {}
            }
        }
        Ok(())
    }

    fn parse_indices(&mut self, mut reader: Reader<'a>) -> Result<(), Stop> {
        let [version, _, _, flags] = reader.array()?;
        for _ in 0..reader.u32()? {
            self.budget.step()?;
            let id = reader.id(version >= 1)?;
            let count = reader.u8()?;
            self.budget.items(u64::from(count).div_ceil(16))?;
            let from = self.indices.len();
            for _ in 0..count {
                // The upper bit says whether the property is essential.
                self.indices.push(if flags & 1 == 1 {
                    reader.u16()? & 0x7FFF
                } else {
                    u16::from(reader.u8()? & 0x7F)
                });
            }
            let indices = Slice::since(from, &self.indices);
            // An item's first entry counts.
            if let Some(item) = self.item_mut(id).filter(|item| item.properties.1 == 0) {
                item.properties = indices;
            } else {
                self.indices.truncate(from);
            }
        }
        Ok(())
    }

    fn parse_references(&mut self, part: Content<'a>) -> Result<(), Stop> {
        let mut reader = part.reader();
        let wide = reader.version()? >= 1;
        for part in Boxes::of(reader.0, part.at) {
            self.budget.step()?;
            self.budget.items(1)?;
            let mut entry = part.reader();
            let from = entry.id(wide)?;
            let count = usize::from(entry.u16()?);
            let to = entry
                .0
                .get(..count * if wide { 4 } else { 2 })
                .ok_or(Stop::Broken)?;
            self.references.push(Reference {
                kind: part.name,
                from,
                to,
                wide,
            });
        }
        Ok(())
    }

    fn parse_locations(&mut self, mut reader: Reader<'a>, inside: Option<u64>) -> Result<(), Stop> {
        let version = reader.version()?;
        let [sizes, more_sizes] = reader.array()?;
        let (offset_size, length_size) = (sizes >> 4, sizes & 15);
        let (base_size, index_size) = (more_sizes >> 4, if version >= 1 { more_sizes & 15 } else { 0 });
        for _ in 0..reader.id(version >= 2)? {
            self.budget.step()?;
            let id = reader.id(version >= 2)?;
            let method = if version >= 1 { reader.u16()? & 15 } else { 0 };
            let start = match method {
                0 => Some(0),
                1 => inside,
                // Constructed from other items: no kind of picture uses it.
                _ => None,
            };
            let _data_reference = reader.u16()?;
            let base = reader.sized(base_size)?;
            let count = reader.u16()?;
            if count > 1 && length_size == 0 {
                // Each would be the complete file.
                return Err(Stop::Broken);
            }
            let from = self.extents.len();
            for _ in 0..count {
                self.budget.step()?;
                let _index = reader.sized(index_size)?;
                let offset = reader.sized(offset_size)?;
                let length = reader.sized(length_size)?;
                let at = start
                    .and_then(|start| start.checked_add(base))
                    .and_then(|at| at.checked_add(offset));
                if let Some(at) = at {
                    self.budget.items(1)?;
                    self.extents.push((at, length));
                }
            }
            let extents = Slice::since(from, &self.extents);
            if let Some(item) = self.item_mut(id).filter(|item| item.extents.1 == 0) {
                item.extents = extents;
            } else {
                self.extents.truncate(from);
            }
        }
        Ok(())
    }

    fn item_mut(&mut self, id: u32) -> Option<&mut Item> {
        let index = self.items.binary_search_by_key(&id, |item| item.id).ok()?;
        self.items.get_mut(index)
    }

    fn item(&self, id: u32) -> Result<&Item, Stop> {
        let index = self.items.binary_search_by_key(&id, |item| item.id);
        index.map(|index| &self.items[index]).map_err(|_| Stop::Broken)
    }

    fn kind(&self, id: u32) -> Result<[u8; 4], Stop> {
        Ok(self.item(id)?.kind)
    }

    /// An item's properties in their order.
    fn properties(&self, id: u32) -> Result<impl Iterator<Item = Content<'a>> + use<'_, 'a>, Stop> {
        let indices = self.item(id)?.properties.of(&self.indices);
        for _ in indices {
            self.budget.step()?;
        }
        Ok(indices
            .iter()
            // Index 0 means no property.
            .filter_map(|index| self.properties.get(usize::from(*index).checked_sub(1)?))
            .copied())
    }

    fn property(&self, id: u32, name: [u8; 4]) -> Result<Option<Content<'a>>, Stop> {
        Ok(self.properties(id)?.find(|property| property.name == name))
    }

    fn sides(&self, id: u32) -> Result<Option<(u32, u32)>, Stop> {
        let Some(property) = self.property(id, *b"ispe")? else {
            return Ok(None);
        };
        let mut reader = property.reader();
        reader.version()?;
        Ok(Some((reader.u32()?, reader.u32()?)))
    }

    /// Applies an item's transformations in their order.
    fn transform(&self, view: &mut View, id: u32, format: Format) -> Result<(), Stop> {
        for property in self.properties(id)? {
            let value = property.bytes.first().copied().unwrap_or_default();
            match &property.name {
                // Counterclockwise.
                b"irot" => (0..value & 3).for_each(|_| view.turn(|[x, y]| [y, -x])),
                b"imir" if value & 1 == 0 => view.turn(|[x, y]| [x, -y]),
                b"imir" => view.turn(|[x, y]| [-x, y]),
                // libavif, with which most programs read AVIF, ignores it.
                b"clap" if format == Format::Heic => view.crop(property.bytes).ok_or(Stop::Broken)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn color_space(&self, id: u32) -> Result<Option<ColorSpace>, Stop> {
        Ok(self.properties(id)?.find_map(|property| {
            let [b'n', b'c', b'l', b'x', p1, p0, t1, t0, m1, m0, range, ..] = property.named(*b"colr")?
            else {
                return None;
            };
            Some(ColorSpace {
                primaries: u16::from_be_bytes([*p1, *p0]),
                transfer: u16::from_be_bytes([*t1, *t0]),
                matrix: u16::from_be_bytes([*m1, *m0]),
                full_range: range & 0x80 != 0,
            })
        }))
    }

    fn profile(&self, id: u32) -> Result<Option<Extent>, Stop> {
        Ok(self.properties(id)?.find_map(|property| {
            let bytes = property.named(*b"colr")?;
            let is_profile = bytes.starts_with(b"prof") || bytes.starts_with(b"rICC");
            is_profile.then_some((property.at + 4, bytes.len() as u64 - 4))
        }))
    }

    /// The items that an item refers to in this way.
    fn targets(&self, id: u32, kind: [u8; 4]) -> Result<impl ExactSizeIterator<Item = u32> + use<'_>, Stop> {
        for reference in &self.references {
            self.budget.step()?;
            if reference.kind == kind && reference.from == id {
                return Ok(reference.targets());
            }
        }
        const NONE: &Reference<'static> = &Reference {
            kind: [0; 4],
            from: 0,
            to: &[],
            wide: false,
        };
        Ok(NONE.targets())
    }

    /// The items that refer to one of `ids` in this way.
    fn sources(&self, ids: &[u32], kind: [u8; 4]) -> Result<Vec<u32>, Stop> {
        let mut sources = Vec::new();
        for reference in &self.references {
            self.budget.step()?;
            if reference.kind != kind {
                continue;
            }
            for target in reference.targets() {
                self.budget.step()?;
                if ids.contains(&target) {
                    self.budget.items(1)?;
                    sources.push(reference.from);
                    break;
                }
            }
        }
        Ok(sources)
    }

    fn alpha_of(&self, id: u32) -> Result<Option<u32>, Stop> {
        for source in self.sources(&[id], *b"auxl")? {
            let kind = match self.property(source, *b"auxC") {
                Ok(kind) => kind.and_then(|kind| kind.bytes.get(4..)),
                // An unknown item.
                Err(Stop::Broken) => None,
                Err(stop) => return Err(stop),
            };
            if kind.is_some_and(|kind| ALPHA.iter().any(|alpha| kind.starts_with(alpha))) {
                return Ok(Some(source));
            }
        }
        Ok(None)
    }

    /// The positions of the EXIF and XMP data that describe one of the pictures.
    fn metadata_of(&self, ids: &[u32]) -> Result<(Option<Extent>, Option<Extent>), Stop> {
        let (mut exif, mut xmp) = (None, None);
        for source in self.sources(ids, *b"cdsc")? {
            if let Ok(item) = self.item(source)
                && let &[extent] = item.extents.of(&self.extents)
            {
                if item.kind == *b"Exif" {
                    exif = exif.or(Some(extent));
                } else if item.is_xmp {
                    xmp = xmp.or(Some(extent));
                }
            }
        }
        Ok((exif, xmp))
    }

    fn tile(&self, id: u32) -> Result<Tile, Stop> {
        let item = self.item(id)?;
        let configuration = self.property(id, *b"hvcC")?;
        Ok(Tile {
            sides: self.sides(id)?,
            configuration: configuration.map(|property| (property.at, property.bytes.len() as u64)),
            extents: item.extents,
        })
    }

    fn coded(&self, file: &Pieces<'_>, id: u32) -> Result<Coded, Stop> {
        let item = self.item(id)?;
        let (width, height) = self.sides(id)?.ok_or(Stop::Broken)?;
        if item.kind != *b"grid" {
            return Ok(Coded {
                width,
                height,
                columns: 1,
                rows: 1,
                tiles: vec![self.tile(id)?],
            });
        }
        let &[(from, _)] = item.extents.of(&self.extents) else {
            return Err(Stop::Broken);
        };
        // Version, flags, and the numbers of rows and columns minus one.
        let [_, _, rows, columns] = file.array(from)?;
        let (rows, columns) = (u32::from(rows) + 1, u32::from(columns) + 1);
        let ids = self.targets(id, *b"dimg")?;
        if ids.len() as u64 != u64::from(rows) * u64::from(columns) {
            return Err(Stop::Broken);
        }
        // A tile is larger than an item of the budget.
        self.budget.items(2 * ids.len() as u64)?;
        let mut tiles = Vec::with_capacity(ids.len());
        for id in ids {
            tiles.push(self.tile(id)?);
        }
        Ok(Coded {
            width,
            height,
            columns,
            rows,
            tiles,
        })
    }
}

/// A box: its name, its content, and the content's position in the file.
#[derive(Debug, Clone, Copy)]
struct Content<'a> {
    name: [u8; 4],
    bytes: &'a [u8],
    at: u64,
}

impl<'a> Content<'a> {
    fn reader(&self) -> Reader<'a> {
        Reader(self.bytes)
    }

    /// The content of a box with this name.
    fn named(&self, name: [u8; 4]) -> Option<&'a [u8]> {
        (self.name == name).then_some(self.bytes)
    }
}

/// Iterates over consecutive boxes. Ends at the first invalid one.
struct Boxes<'a> {
    bytes: &'a [u8],
    /// The position of the bytes in the file.
    at: u64,
}

impl<'a> Boxes<'a> {
    fn of(bytes: &'a [u8], at: u64) -> Self {
        Self { bytes, at }
    }
}

impl<'a> Iterator for Boxes<'a> {
    type Item = Content<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut reader = Reader(self.bytes);
        let size = reader.u32().ok()? as usize;
        let name = reader.array().ok()?;
        let size = if size == 0 { self.bytes.len() } else { size };
        let bytes = self.bytes.get(8..size)?;
        let at = self.at + 8;
        self.bytes = &self.bytes[size..];
        self.at += size as u64;
        Some(Content { name, bytes, at })
    }
}

/// Reads consecutive numbers.
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

    /// Reads the version of a box and skips its flags.
    fn version(&mut self) -> Result<u8, Stop> {
        let [version, _, _, _] = self.array()?;
        Ok(version)
    }

    /// Reads an item's id or a count, which is wider in later versions of a box.
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

#[cfg(test)]
mod tests;
