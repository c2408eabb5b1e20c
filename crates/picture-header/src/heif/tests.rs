use super::*;
use crate::{Header, HeaderError, Look, heif_boxes, look};

/// The flag of `crates/picture/tests/`, 120 x 90 pixels.
const UPRIGHT_HEIC: &[u8] = include_bytes!("../../../picture/tests/fixtures/upright.heic");
const TRANSPOSED_HEIC: &[u8] = include_bytes!("../../../picture/tests/fixtures/transposed.heic");
const GRID_HEIC: &[u8] = include_bytes!("../../../picture/tests/fixtures/grid.heic");
const HALF_TRANSPARENT_HEIC: &[u8] = include_bytes!("../../../picture/tests/fixtures/half-transparent.heic");

fn boxed(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32 + 8).to_be_bytes()[..], name, content].concat()
}

/// A box that starts with a version and flags.
fn full(name: &[u8; 4], version: u8, content: &[u8]) -> Vec<u8> {
    boxed(name, &[&[version, 0, 0, 0], content].concat())
}

fn ispe(width: u32, height: u32) -> Vec<u8> {
    full(b"ispe", 0, &[width.to_be_bytes(), height.to_be_bytes()].concat())
}

/// A clean aperture: the size, and the distance of its center from the picture's in halves of a pixel.
fn clap(width: i32, height: i32, across: i32, down: i32) -> Vec<u8> {
    let numbers = [width, 1, height, 1, across, 2, down, 2];
    boxed(b"clap", &numbers.map(i32::to_be_bytes).concat())
}

fn irot(quarters: u8) -> Vec<u8> {
    boxed(b"irot", &[quarters])
}

fn imir(axis: u8) -> Vec<u8> {
    boxed(b"imir", &[axis])
}

fn aux_kind(kind: &str) -> Vec<u8> {
    full(b"auxC", 0, format!("{kind}\0").as_bytes())
}

/// A file of 1,000 bytes of data. Ids of items are 1, 2 and so on. Each item has the data from its id times 10 on.
#[derive(Default)]
struct File {
    items: Vec<(&'static [u8; 4], Vec<Vec<u8>>)>,
    references: Vec<(&'static [u8; 4], u16, Vec<u16>)>,
    /// The primary item.
    primary: u16,
    idat: Vec<u8>,
}

impl File {
    /// One picture of this kind, 300 x 200 pixels.
    fn of(kind: &'static [u8; 4], properties: Vec<Vec<u8>>) -> Self {
        let mut all = vec![ispe(300, 200)];
        all.extend(properties);
        Self::default().item(kind, all)
    }

    fn item(mut self, kind: &'static [u8; 4], properties: Vec<Vec<u8>>) -> Self {
        self.items.push((kind, properties));
        self
    }

    fn reference(mut self, kind: &'static [u8; 4], from: u16, to: &[u16]) -> Self {
        self.references.push((kind, from, to.to_vec()));
        self
    }

    fn primary(mut self, id: u16) -> Self {
        self.primary = id;
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let ids = 1..=self.items.len() as u16;
        let (mut infos, mut locations, mut all, mut indices) = (vec![], vec![], vec![], vec![]);
        let mut count = 0_u8;
        for (id, (kind, properties)) in ids.zip(&self.items) {
            infos.extend(full(
                b"infe",
                2,
                &[&id.to_be_bytes()[..], &[0, 0], *kind, b"\0"].concat(),
            ));
            // A grid is in `idat`.
            let (method, at) = if *kind == b"grid" {
                (1_u16, 0)
            } else {
                (0, u32::from(id) * 10)
            };
            locations.extend([id, method, 0, 1].map(u16::to_be_bytes).concat());
            locations.extend([at, 8].map(u32::to_be_bytes).concat());
            indices.extend(id.to_be_bytes());
            // Index 0 is legal and means nothing.
            indices.extend([properties.len() as u8 + 1, 0]);
            for property in properties {
                count += 1;
                indices.push(count | 0x80);
                all.extend(property);
            }
        }
        let number = (self.items.len() as u16).to_be_bytes();
        let references = self.references.iter().flat_map(|(kind, from, to)| {
            let to = to.iter().flat_map(|id| id.to_be_bytes()).collect::<Vec<_>>();
            let count = (to.len() / 2) as u16;
            boxed(
                kind,
                &[&from.to_be_bytes()[..], &count.to_be_bytes(), &to].concat(),
            )
        });
        let associations = [&u32::from(u16::from_be_bytes(number)).to_be_bytes()[..], &indices].concat();
        let meta = [
            full(b"pitm", 0, &self.primary.max(1).to_be_bytes()),
            // What a file says about items can come before the items.
            full(b"iloc", 1, &[&[0x44, 0x00][..], &number, &locations].concat()),
            full(b"iref", 0, &references.collect::<Vec<_>>()),
            boxed(
                b"iprp",
                &[boxed(b"ipco", &all), full(b"ipma", 0, &associations)].concat(),
            ),
            full(b"iinf", 0, &[&number[..], &infos].concat()),
            boxed(b"idat", &self.idat),
        ];
        let mut bytes = boxed(b"ftyp", b"mif1\0\0\0\0mif1miaf");
        bytes.extend(full(b"meta", 0, &meta.concat()));
        bytes.extend(boxed(b"mdat", &[0; 1_000]));
        bytes
    }
}

fn found(bytes: &[u8]) -> Header {
    match look(&Pieces::all(bytes)) {
        Ok(Look::Found(header)) => header,
        other => panic!("{other:?}"),
    }
}

fn message(bytes: &[u8]) -> String {
    look(&Pieces::all(bytes)).unwrap_err().to_string()
}

#[test]
fn reads_heic_files_with_their_sides_and_orientation() {
    for (bytes, orientation) in [(UPRIGHT_HEIC, 1), (GRID_HEIC, 1), (HALF_TRANSPARENT_HEIC, 1)] {
        let header = found(bytes);
        assert_eq!(
            (header.format, header.width, header.height),
            (Format::Heic, 120, 90)
        );
        assert_eq!(header.orientation.number(), orientation);
    }
    let header = found(TRANSPOSED_HEIC);
    assert_eq!(
        (header.width, header.height, header.orientation.number()),
        (120, 90, 5)
    );
    let camera = found(include_bytes!("../../../../tests/pictures/cat.heic"));
    assert_eq!((camera.width, camera.height), (451, 300));
    assert_eq!(camera.metadata.camera_model.as_deref(), Some("Phone 1"));
    let grid = heif_boxes(GRID_HEIC).unwrap().color;
    assert_eq!((grid.columns, grid.rows, grid.tiles.len()), (2, 2, 4));
    assert_eq!(grid.tiles[3].sides, Some((64, 64)));
    let with_alpha = heif_boxes(HALF_TRANSPARENT_HEIC).unwrap();
    assert!(with_alpha.alpha.is_some() && !with_alpha.premultiplied);
}

#[test]
fn the_pictures_data_decides_between_avif_and_heic_and_not_the_brand() {
    assert_eq!(found(&File::of(b"av01", vec![]).bytes()).format, Format::Avif);
    assert_eq!(found(&File::of(b"hvc1", vec![]).bytes()).format, Format::Heic);
    assert_eq!(found(&File::of(b"hev1", vec![]).bytes()).format, Format::Heic);
    let mut wrong_brand = File::of(b"hvc1", vec![]).bytes();
    wrong_brand[8..12].copy_from_slice(b"avif");
    assert_eq!(found(&wrong_brand).format, Format::Heic);
}

#[test]
fn turns_and_mirrors_in_the_order_of_the_file() {
    for (properties, orientation) in [
        (vec![irot(1)], 8),
        (vec![irot(2)], 3),
        (vec![irot(3)], 6),
        (vec![imir(0)], 4),
        (vec![imir(1)], 2),
        (vec![irot(1), imir(0)], 5),
        (vec![irot(1), imir(1)], 7),
        (vec![imir(0), irot(1)], 7),
        (vec![imir(1), irot(1)], 5),
        (vec![irot(3), imir(0)], 7),
    ] {
        let header = found(&File::of(b"hvc1", properties.clone()).bytes());
        assert_eq!(header.orientation.number(), orientation, "{properties:?}");
        let turned = orientation >= 5;
        assert_eq!(header.width, if turned { 200 } else { 300 }, "{properties:?}");
    }
}

#[test]
fn crops_heic_to_the_clean_aperture_as_libheif_does() {
    let crop = |properties| {
        let Crop {
            left,
            top,
            width,
            height,
        } = heif_boxes(&File::of(b"hvc1", properties).bytes()).unwrap().crop;
        (left, top, width, height)
    };
    assert_eq!(crop(vec![]), (0, 0, 300, 200));
    assert_eq!(crop(vec![clap(200, 100, 0, 0)]), (50, 50, 200, 100));
    // 10 to the right, 20 up.
    assert_eq!(crop(vec![clap(200, 100, 20, -40)]), (60, 30, 200, 100));
    assert_eq!(crop(vec![clap(200, 100, 20, -40), irot(1)]), (60, 30, 200, 100));
    // Parts outside the picture do not exist.
    assert_eq!(crop(vec![clap(200, 100, 200, 0)]), (150, 50, 150, 100));
    // The displayed picture is 200 x 300 and shows the right edge of the stored one at its top.
    assert_eq!(crop(vec![irot(1), clap(200, 100, 0, -200)]), (200, 0, 100, 200));
    assert_eq!(crop(vec![imir(1), clap(100, 200, -200, 0)]), (200, 0, 100, 200));
    let header = found(&File::of(b"hvc1", vec![irot(1), clap(200, 100, 0, -200)]).bytes());
    assert_eq!((header.width, header.height), (200, 100));
    for nothing in [
        clap(0, 100, 0, 0),
        clap(100, 100, 2_000, 0),
        boxed(b"clap", &[0; 32]),
    ] {
        let file = File::of(b"hvc1", vec![nothing]).bytes();
        assert_eq!(look(&Pieces::all(&file)), Err(HeaderError::Broken));
    }
    // Programs that read AVIF ignore it.
    let avif = found(&File::of(b"av01", vec![clap(200, 100, 0, 0)]).bytes());
    assert_eq!((avif.width, avif.height), (300, 200));
}

#[test]
fn reads_only_the_primary_picture_and_its_opacity() {
    let file = File::of(b"hvc1", vec![])
        .item(b"hvc1", vec![ispe(160, 120)])
        .item(
            b"hvc1",
            vec![ispe(150, 100), aux_kind("urn:mpeg:hevc:2015:auxid:2")],
        )
        .item(
            b"hvc1",
            vec![
                ispe(150, 100),
                aux_kind("urn:com:apple:photo:2020:aux:hdrgainmap"),
            ],
        )
        .item(b"hvc1", vec![ispe(4_000, 3_000)])
        .reference(b"thmb", 2, &[1])
        .reference(b"auxl", 3, &[1])
        .reference(b"auxl", 4, &[1]);
    let boxes = heif_boxes(&file.bytes()).unwrap();
    assert_eq!((boxes.crop.width, boxes.crop.height), (300, 200));
    assert_eq!(boxes.alpha, None, "neither a depth map nor a gain map is opacity");
    // A burst: the primary picture is not the first one.
    assert_eq!(found(&file.primary(5).bytes()).width, 4_000);

    for kind in [
        "urn:mpeg:hevc:2015:auxid:1",
        "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha",
    ] {
        let file = File::of(b"hvc1", vec![])
            .item(b"hvc1", vec![ispe(300, 200), aux_kind(kind)])
            .reference(b"auxl", 2, &[1]);
        let boxes = heif_boxes(&file.bytes()).unwrap();
        let alpha = boxes.alpha.as_ref().unwrap();
        assert_eq!(boxes.extents(&alpha.tiles[0]), [(20, 8)]);
        assert!(!boxes.premultiplied);
        let file = file.reference(b"prem", 1, &[2]);
        assert!(heif_boxes(&file.bytes()).unwrap().premultiplied);
    }
}

#[test]
fn a_picture_that_is_derived_from_one_other_shows_that_one() {
    for kind in [b"iden", b"tmap"] {
        let file = File::of(b"hvc1", vec![irot(1)])
            .item(kind, vec![ispe(300, 200), imir(0)])
            .reference(b"dimg", 2, &[1])
            .primary(2);
        let header = found(&file.bytes());
        assert_eq!((header.format, header.orientation.number()), (Format::Heic, 5));
    }
    let of_itself = File::of(b"iden", vec![]).reference(b"dimg", 1, &[1]).bytes();
    assert_eq!(
        message(&of_itself),
        "HEIF pictures with nested grids aren't supported. Upload a JPEG, PNG, WebP, AVIF, HEIC, GIF, BMP or TIFF picture, or a camera's raw file."
    );
}

/// A grid of two tiles.
fn grid(tile: &'static [u8; 4], properties: Vec<Vec<u8>>) -> File {
    let tile_properties = [vec![ispe(150, 200)], properties].concat();
    let file = File::of(b"grid", vec![])
        .item(tile, tile_properties.clone())
        .item(tile, tile_properties)
        .reference(b"dimg", 1, &[2, 3]);
    File {
        idat: vec![0, 0, 0, 1, 1, 44, 0, 200],
        ..file
    }
}

#[test]
fn colors_of_a_grid_can_be_described_by_its_tiles() {
    let profile = boxed(b"colr", b"profP3");
    let space = boxed(b"colr", b"nclx\0\x0C\0\x0D\0\x06\x80");
    for file in [
        grid(b"hvc1", vec![profile.clone(), space.clone()]),
        File::of(b"hvc1", vec![space, profile]),
    ] {
        let bytes = file.bytes();
        let boxes = heif_boxes(&bytes).unwrap();
        let (from, length) = boxes.profile.unwrap();
        assert_eq!(&bytes[from as usize..][..length as usize], b"P3");
        let space = boxes.color_space.unwrap();
        assert_eq!((space.primaries, space.transfer, space.matrix), (12, 13, 6));
        assert!(space.full_range);
    }
}

#[test]
fn finds_the_configuration_of_each_tile() {
    let bytes = grid(b"hvc1", vec![boxed(b"hvcC", b"configuration")]).bytes();
    let boxes = heif_boxes(&bytes).unwrap();
    for (index, tile) in boxes.color.tiles.iter().enumerate() {
        let (from, length) = tile.configuration.unwrap();
        assert_eq!(&bytes[from as usize..][..length as usize], b"configuration");
        assert_eq!(tile.sides, Some((150, 200)));
        assert_eq!(boxes.extents(tile), [(20 + 10 * index as u64, 8)]);
    }
}

#[test]
fn rejects_what_cannot_be_decoded_by_name() {
    for (kind, name) in [
        (b"iovl", "HEIF pictures that are composed of others"),
        (b"avc1", "HEIF pictures with H.264 data"),
        (b"vvc1", "HEIF pictures with H.266 data"),
        (b"jpeg", "HEIF pictures with JPEG data"),
        (b"j2k1", "HEIF pictures with JPEG 2000 data"),
        (b"unci", "HEIF pictures with uncompressed data"),
        (b"abcd", "HEIF pictures of this kind"),
    ] {
        let expected = format!("{name} aren't supported. ");
        assert!(
            message(&File::of(kind, vec![]).bytes()).starts_with(&expected),
            "{name}"
        );
        assert!(
            message(&grid(kind, vec![]).bytes()).starts_with(&expected),
            "grid: {name}"
        );
    }
    let sequence = [boxed(b"ftyp", b"msf1\0\0\0\0hevc"), boxed(b"moov", &[0; 100])].concat();
    assert!(message(&sequence).starts_with("HEIF files without a primary picture aren't supported. "));
    let video = boxed(b"ftyp", b"mp42\0\0\0\0mp42isom");
    assert!(message(&video).starts_with("Videos aren't supported. "));
}

#[test]
fn a_grid_without_its_tiles_is_damaged() {
    for references in [&[][..], &[2], &[2, 3, 3], &[2, 9]] {
        let mut file = grid(b"hvc1", vec![]);
        file.references[0].2 = references.to_vec();
        assert_eq!(
            look(&Pieces::all(&file.bytes())),
            Err(HeaderError::Broken),
            "{references:?}"
        );
    }
}

#[test]
fn an_item_at_an_unsupported_place_does_not_prevent_reading_the_picture() {
    let mut bytes = File::of(b"hvc1", vec![]).item(b"mime", vec![]).bytes();
    // The second item is constructed from others.
    let location = bytes.windows(4).position(|part| part == [0, 2, 0, 0]).unwrap();
    bytes[location + 3] = 2;
    assert_eq!(found(&bytes).width, 300);
}
