//! The table of all kinds of files: one row for each. A new kind needs a row here, and a function in `tests/src/pictures.rs`
//! or a module below it that makes a small file of it.

use domain::{BoundingBox, Format};
use image::imageops::FilterType;
use image::{DynamicImage, ImageFormat, Rgb, RgbaImage};
use std::sync::LazyLock;
use tests::pictures::{self, PATTERN_LEFT, PATTERN_RIGHT, PATTERN_SIDES, raw_files, tiff_files};
use tiff::encoder::colortype;
use tiff::encoder::compression::DeflateLevel;
use tiff::encoder::{Compression, TiffKindBig, TiffKindStandard};

/// A kind of file.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// The file, made when it is first used.
    pub(super) bytes: LazyLock<Vec<u8>>,
    pub(super) outcome: Outcome,
    /// Width and height in pixels, as a viewer shows it.
    pub(super) sides: (u32, u32),
    pub(super) shows: Shows,
    /// Whether the owner is told that a part of the picture is missing from the file.
    pub(super) incomplete: bool,
}

/// How a file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is labeled, and Rekognition reads the file itself.
    Labeled(Format),
    /// It is labeled, and Rekognition reads a rendition.
    Converted(Format),
    /// It is rejected before Rekognition is called, with a message that begins with this text.
    Rejected(&'static str),
}

/// What a viewer shows. It decides what is checked.
pub(super) enum Shows {
    /// The photograph of a cat, in this picture or a part of it: its box and the whole thumbnails are checked.
    Cat {
        seen: fn() -> DynamicImage,
        photograph: BoundingBox,
    },
    /// A picture of four colors, in the order top left, top right, bottom left, bottom right: the thumbnails' pixels in the
    /// middle of each quarter are checked. Red, green, blue.
    Quarters([[u8; 3]; 4]),
    /// Nothing that is checked.
    Nothing,
}

use Format::{Arw, Avif, Bmp, Cr2, Cr3, Dng, Gif, Heic, Jpeg, Nef, Orf, Pef, Png, Raf, Rw2, Srw, Tiff, WebP};
use Outcome::{Converted, Labeled, Rejected};

/// A file that shows the cat.
fn cat(name: &'static str, outcome: Outcome, make: fn() -> Vec<u8>) -> Kind {
    let seen = pictures::pixels;
    Kind {
        name,
        bytes: LazyLock::new(make),
        outcome,
        sides: (451, 300),
        shows: Shows::Cat {
            seen,
            photograph: BoundingBox::new(0.0, 0.0, 1.0, 1.0),
        },
        incomplete: false,
    }
}

/// A small file that shows [`pictures::pattern`].
fn small(name: &'static str, outcome: Outcome, make: fn() -> Vec<u8>) -> Kind {
    Kind {
        name,
        bytes: LazyLock::new(make),
        outcome,
        sides: PATTERN_SIDES,
        shows: halves([PATTERN_LEFT, PATTERN_RIGHT]),
        incomplete: false,
    }
}

fn halves([left, right]: [[u8; 3]; 2]) -> Shows {
    Shows::Quarters([left, right, left, right])
}

/// A HEIC or AVIF file that shows [`FLAG`], from the tests of the crate `picture`.
fn flag(name: &'static str, outcome: Outcome, make: fn() -> Vec<u8>) -> Kind {
    let shows = Shows::Quarters(FLAG);
    Kind {
        shows,
        ..small(name, outcome, make)
    }
}

const FLAG: [[u8; 3]; 4] = [[220, 30, 30], [20, 60, 120], [20, 60, 120], [30, 200, 60]];

/// A file that is not supported.
fn rejected(name: &'static str, message: &'static str, make: fn() -> Vec<u8>) -> Kind {
    Kind {
        name,
        bytes: LazyLock::new(make),
        outcome: Rejected(message),
        sides: (0, 0),
        shows: Shows::Nothing,
        incomplete: false,
    }
}

impl Kind {
    fn sides(self, width: u32, height: u32) -> Self {
        let sides = (width, height);
        Self { sides, ..self }
    }

    /// What a viewer shows instead of the usual photograph of the cat, in any size, and the part of it with the cat.
    fn seen(self, seen: fn() -> DynamicImage, photograph: BoundingBox) -> Self {
        let shows = Shows::Cat { seen, photograph };
        Self { shows, ..self }
    }

    fn whole(self, seen: fn() -> DynamicImage) -> Self {
        self.seen(seen, BoundingBox::new(0.0, 0.0, 1.0, 1.0))
    }

    fn incomplete(self) -> Self {
        Self {
            incomplete: true,
            ..self
        }
    }

    /// Shows two halves of these colors.
    fn halves(self, colors: [[u8; 3]; 2]) -> Self {
        let shows = halves(colors);
        Self { shows, ..self }
    }

    /// Shows other colors.
    fn changed(self, change: fn([u8; 3]) -> [u8; 3]) -> Self {
        let Shows::Quarters(colors) = self.shows else {
            panic!("{} has no known colors", self.name)
        };
        let shows = Shows::Quarters(colors.map(change));
        Self { shows, ..self }
    }

    fn gray(self) -> Self {
        self.changed(|color| [pictures::luma(color); 3])
    }
}

/// All kinds. The first shows the cat in its usual place.
pub(super) static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    vec![
        cat("cat.jpg", Labeled(Jpeg), pictures::cat),
        cat("progressive.jpg", Labeled(Jpeg), || {
            pictures::jpeg_with(&pictures::pixels(), |encoder| encoder.set_progressive(true))
        }),
        cat("gray.jpg", Labeled(Jpeg), || {
            pictures::jpeg_with(&gray_cat(), |_| {})
        })
        .whole(gray_cat),
        cat("cmyk.jpg", Labeled(Jpeg), pictures::cmyk),
        cat("large.jpg", Converted(Jpeg), || {
            pictures::jpeg(
                &pictures::pixels().resize_exact(10_240, 6_800, FilterType::Nearest),
                1,
            )
        })
        .sides(10_240, 6_800),
        cat("panorama.jpg", Converted(Jpeg), || {
            pictures::jpeg(&wide_cat().resize_exact(12_000, 4_000, FilterType::Nearest), 1)
        })
        .sides(12_000, 4_000)
        .seen(wide_cat, BoundingBox::new(0.25, 0.0, 0.5, 1.0)),
        cat("cat.png", Labeled(Png), || {
            pictures::file(&pictures::pixels(), ImageFormat::Png)
        }),
        cat("gray.png", Labeled(Png), || {
            pictures::file(&gray_cat(), ImageFormat::Png)
        })
        .whole(gray_cat),
        cat("deep.png", Labeled(Png), || {
            pictures::file(&pictures::pixels().to_rgb16().into(), ImageFormat::Png)
        }),
        cat("deep-gray-alpha.png", Labeled(Png), || {
            pictures::file(&gray_cat().to_luma_alpha16().into(), ImageFormat::Png)
        })
        .whole(gray_cat),
        cat("transparent.png", Labeled(Png), || {
            pictures::file(&transparent_cat(), ImageFormat::Png)
        })
        .whole(cat_on_a_page),
        cat("interlaced.png", Labeled(Png), pictures::interlaced_png).sides(300, 200),
        cat("rotated.png", Converted(Png), || {
            oriented(pictures::png_with_exif)
        }),
        cat("large.png", Converted(Png), || {
            let large = pictures::pixels().resize_exact(2_900, 1_930, FilterType::Triangle);
            pictures::uncompressed_png(&large)
        })
        .sides(2_900, 1_930),
        cat("cat.webp", Converted(WebP), pictures::webp),
        cat("animated.webp", Converted(WebP), pictures::animated_webp),
        cat("rotated.webp", Converted(WebP), || {
            oriented(pictures::webp_with_exif)
        }),
        cat("cat.avif", Converted(Avif), pictures::avif),
        cat("rotated.avif", Converted(Avif), pictures::rotated_avif),
        cat("mirrored.avif", Converted(Avif), pictures::mirrored_avif),
        cat("grid.avif", Converted(Avif), pictures::avif_grid).sides(448, 300),
        cat("cat.heic", Converted(Heic), pictures::heic),
        cat("cat.gif", Converted(Gif), || {
            pictures::file(&pictures::pixels(), ImageFormat::Gif)
        }),
        cat("animated.gif", Converted(Gif), || {
            pictures::animated_gif(&[&pictures::pixels(), &coffee()])
        }),
        cat("cat.bmp", Converted(Bmp), || {
            pictures::file(&pictures::pixels(), ImageFormat::Bmp)
        }),
        cat("cat.tif", Converted(Tiff), || {
            pictures::file(&pictures::pixels(), ImageFormat::Tiff)
        }),
        cat("compressed.tif", Converted(Tiff), || {
            pictures::tiff(&[&pictures::pixels()], 1)
        }),
        cat("pages.tif", Converted(Tiff), || {
            pictures::tiff(&[&pictures::pixels(), &coffee()], 1)
        }),
        cat("rotated.tif", Converted(Tiff), || {
            oriented(|image, orientation| pictures::tiff(&[image], orientation.into()))
        }),
        small("small.jpg", Labeled(Jpeg), || {
            pictures::jpeg_with(&pictures::pattern(), |_| {})
        }),
        small("junk.jpg", Labeled(Jpeg), pictures::jpeg_with_junk),
        small("two-lenses.mpo", Labeled(Jpeg), pictures::mpo),
        small("without-end.jpg", Converted(Jpeg), pictures::jpeg_without_end).incomplete(),
        small("small.png", Labeled(Png), || {
            pictures::file(&pictures::pattern(), ImageFormat::Png)
        }),
        small("palette.png", Labeled(Png), pictures::palette_png),
        small("small.webp", Converted(WebP), || {
            pictures::file(&pictures::pattern(), ImageFormat::WebP)
        }),
        small("small.gif", Converted(Gif), || {
            pictures::file(&pictures::pattern(), ImageFormat::Gif)
        }),
        small("blank-first.gif", Converted(Gif), || {
            let mut white = DynamicImage::new_rgb8(PATTERN_SIDES.0, PATTERN_SIDES.1);
            white.invert();
            pictures::animated_gif(&[&white, &pictures::pattern()])
        }),
        small(
            "larger-than-canvas.gif",
            Converted(Gif),
            pictures::gif_larger_than_its_canvas,
        ),
        small("small.bmp", Converted(Bmp), || {
            pictures::file(&pictures::pattern(), ImageFormat::Bmp)
        }),
        small("os2.bmp", Converted(Bmp), || pictures::bmp(12, true)),
        small("os2-long.bmp", Converted(Bmp), || pictures::bmp(64, true)),
        small("without-end.bmp", Converted(Bmp), pictures::bmp_without_end).incomplete(),
        small("small.dib", Converted(Bmp), || pictures::bmp(40, false)),
        small("gray.bmp", Converted(Bmp), || {
            pictures::file(&pictures::pattern().to_luma8().into(), ImageFormat::Bmp)
        })
        .gray(),
        small("uncompressed.tif", Converted(Tiff), || {
            pictures::pattern_tiff::<colortype::RGB8, TiffKindStandard>(Compression::Uncompressed, rgb8)
        }),
        small("deflate.tif", Converted(Tiff), || {
            let deflate = Compression::Deflate(DeflateLevel::Fast);
            pictures::pattern_tiff::<colortype::RGB8, TiffKindStandard>(deflate, rgb8)
        }),
        small("packbits.tif", Converted(Tiff), || {
            pictures::pattern_tiff::<colortype::RGB8, TiffKindStandard>(Compression::Packbits, rgb8)
        }),
        small("big.tif", Converted(Tiff), || {
            pictures::pattern_tiff::<colortype::RGB8, TiffKindBig>(Compression::Lzw, rgb8)
        }),
        small("rgb16.tif", Converted(Tiff), || {
            pictures::pattern_tiff::<colortype::RGB16, TiffKindStandard>(Compression::Lzw, |image| {
                image.to_rgb16().into_raw()
            })
        }),
        small("rgba8.tif", Converted(Tiff), || {
            pictures::pattern_tiff::<colortype::RGBA8, TiffKindStandard>(Compression::Lzw, |image| {
                image.to_rgba8().into_raw()
            })
        }),
        small("float.tif", Converted(Tiff), || {
            pictures::pattern_tiff::<colortype::RGB32Float, TiffKindStandard>(Compression::Lzw, |image| {
                image.to_rgb32f().into_raw()
            })
        }),
        small("gray8.tif", Converted(Tiff), || {
            pictures::pattern_tiff::<colortype::Gray8, TiffKindStandard>(Compression::Lzw, |image| {
                image.to_luma8().into_raw()
            })
        })
        .gray(),
        small("gray16.tif", Converted(Tiff), || {
            pictures::pattern_tiff::<colortype::Gray16, TiffKindStandard>(Compression::Lzw, |image| {
                image.to_luma16().into_raw()
            })
        })
        .gray(),
        small("cmyk.tif", Converted(Tiff), || {
            pictures::pattern_tiff::<colortype::CMYK8, TiffKindStandard>(Compression::Lzw, |image| {
                let inks = |pixel: &Rgb<u8>| [255 - pixel.0[0], 255 - pixel.0[1], 255 - pixel.0[2], 0];
                image.to_rgb8().pixels().flat_map(inks).collect()
            })
        }),
        small("palette.tif", Converted(Tiff), tiff_files::palette),
        small("gray1.tif", Converted(Tiff), || tiff_files::gray(1, [0, 1])).halves([[0; 3], [255; 3]]),
        small("gray2.tif", Converted(Tiff), || tiff_files::gray(2, [1, 2])).halves([[85; 3], [170; 3]]),
        small("gray4.tif", Converted(Tiff), || tiff_files::gray(4, [3, 12])).halves([[51; 3], [204; 3]]),
        small("white-is-zero.tif", Converted(Tiff), || {
            tiff_files::white_is_zero([55, 205])
        })
        .halves([[200; 3], [50; 3]]),
        small("ycbcr.tif", Converted(Tiff), tiff_files::ycbcr),
        small("lab.tif", Converted(Tiff), tiff_files::lab).halves([[254, 0, 0], [119; 3]]),
        small("planar.tif", Converted(Tiff), tiff_files::planar),
        small("tiles.tif", Converted(Tiff), tiff_files::tiled),
        small("fax3.tif", Converted(Tiff), || tiff_files::fax(3)).halves([[255; 3], [0; 3]]),
        small("fax4.tif", Converted(Tiff), || tiff_files::fax(4)).halves([[255; 3], [0; 3]]),
        small("zstd.tif", Converted(Tiff), tiff_files::zstd),
        small("lzma.tif", Converted(Tiff), tiff_files::lzma),
        small("jpeg.tif", Converted(Tiff), tiff_files::jpeg),
        small(
            "thumbnail-first.tif",
            Converted(Tiff),
            tiff_files::thumbnail_first,
        ),
        flag("gray.heic", Converted(Heic), || pictures::flag("gray.heic")).gray(),
        flag("ten-bits.heic", Converted(Heic), || {
            pictures::flag("ten-bits.heic")
        }),
        flag("transposed.heic", Converted(Heic), || {
            pictures::flag("transposed.heic")
        }),
        flag("half-transparent.heic", Converted(Heic), || {
            pictures::flag("half-transparent.heic")
        })
        .changed(|color| color.map(|value| 128 + value / 2)),
        flag("ten-bits.avif", Converted(Avif), || {
            pictures::flag("ten-bits.avif")
        }),
        small("photo.nef", Converted(Nef), raw_files::nef),
        small("photo.arw", Converted(Arw), raw_files::arw),
        small("photo.dng", Converted(Dng), raw_files::dng),
        small("photo.cr2", Converted(Cr2), raw_files::cr2),
        small("photo.cr3", Converted(Cr3), raw_files::cr3),
        small("photo.raf", Converted(Raf), raw_files::raf),
        small("photo.orf", Converted(Orf), raw_files::orf),
        small("photo.pef", Converted(Pef), raw_files::pef),
        small("photo.rw2", Converted(Rw2), raw_files::rw2),
        small("photo.srw", Converted(Srw), raw_files::srw),
        rejected("photo.jxl", "JPEG XL pictures aren't supported.", || {
            b"\0\0\0\x0cJXL \r\n\x87\n".to_vec()
        }),
        rejected("document.pdf", "PDF documents aren't supported.", || {
            b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec()
        }),
        rejected("drawing.psd", "Photoshop documents aren't supported.", || {
            b"8BPS\0\x01\0\0\0\0\0\0".to_vec()
        }),
        rejected("drawing.svg", "SVG drawings aren't supported.", || {
            b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec()
        }),
        rejected("photo.jp2", "JPEG 2000 pictures aren't supported.", || {
            b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 ".to_vec()
        }),
    ]
});

fn rgb8(image: &DynamicImage) -> Vec<u8> {
    image.to_rgb8().into_raw()
}

fn gray_cat() -> DynamicImage {
    pictures::pixels().grayscale()
}

/// The cat in the middle of a wide white picture.
fn wide_cat() -> DynamicImage {
    let mut wide = DynamicImage::new_rgb8(1_200, 400);
    wide.invert();
    let cat = pictures::pixels().resize_exact(600, 400, FilterType::Triangle);
    image::imageops::overlay(&mut wide, &cat, 300, 0);
    wide
}

/// The cat, whose right tenth is transparent.
fn transparent_cat() -> DynamicImage {
    let mut transparent = pictures::pixels().to_rgba8();
    for (x, _, pixel) in transparent.enumerate_pixels_mut() {
        if x >= CAT_WIDTH * 9 / 10 {
            pixel.0[3] = 0;
        }
    }
    RgbaImage::into(transparent)
}

/// [`transparent_cat`] on a white page.
fn cat_on_a_page() -> DynamicImage {
    let mut page = pictures::pixels().to_rgb8();
    for (x, _, pixel) in page.enumerate_pixels_mut() {
        if x >= CAT_WIDTH * 9 / 10 {
            pixel.0 = [255; 3];
        }
    }
    page.into()
}

const CAT_WIDTH: u32 = 451;

fn coffee() -> DynamicImage {
    pictures::decoded(&pictures::sample("coffee.jpg")).resize_exact(CAT_WIDTH, 300, FilterType::Triangle)
}

/// The cat in a file that EXIF orientation 6 shows upright.
fn oriented(write: impl FnOnce(&DynamicImage, u8) -> Vec<u8>) -> Vec<u8> {
    write(&pictures::stored_for(&pictures::pixels(), 6), 6)
}
