"""Makes the HEIC pictures in this folder: the cat in samples/ as phones store pictures, and a single color. Also makes
the flags in crates/picture/tests/fixtures/.

    python3 -m venv DIR && DIR/bin/pip install pillow pillow-heif piexif && DIR/bin/python tests/pictures/make_heic.py
"""

from pathlib import Path

import piexif
import pillow_heif
from PIL import Image

HERE = Path(__file__).parent
FIXTURES = HERE.parents[1] / "crates/picture/tests/fixtures"

cat = Image.open(HERE.parents[1] / "samples" / "cat.jpg").convert("RGB")
metadata = {
    # The file has a rotation (irot). The orientation repeats it and must be ignored.
    "0th": {
        piexif.ImageIFD.Make: b"Example",
        piexif.ImageIFD.Model: b"Phone 1",
        piexif.ImageIFD.Orientation: 6,
    },
    "Exif": {
        piexif.ExifIFD.DateTimeOriginal: b"2026:05:04 10:20:30",
        piexif.ExifIFD.OffsetTimeOriginal: b"+02:00",
        piexif.ExifIFD.FNumber: (18, 10),
        piexif.ExifIFD.ExposureTime: (1, 120),
        piexif.ExifIFD.ISOSpeedRatings: 80,
        piexif.ExifIFD.FocalLength: (57, 10),
        piexif.ExifIFD.LensModel: b"Back camera",
    },
    "GPS": {
        piexif.GPSIFD.GPSLatitudeRef: b"S",
        piexif.GPSIFD.GPSLatitude: ((33, 1), (51, 1), (30, 1)),
        piexif.GPSIFD.GPSLongitudeRef: b"E",
        piexif.GPSIFD.GPSLongitude: ((151, 1), (12, 1), (0, 1)),
    },
}
stored = pillow_heif.from_pillow(cat.transpose(Image.Transpose.ROTATE_90))
stored.info["exif"] = piexif.dump(metadata)
stored.save(HERE / "cat.heic", quality=60, tile_size=256)

# The pure red of sRGB, in the coordinates of Display P3.
red = pillow_heif.from_pillow(Image.new("RGB", (96, 96), (234, 51, 35)))
red.save(
    HERE / "red-p3.heic",
    quality=90,
    chroma=444,
    color_primaries=12,
    transfer_characteristics=13,
    matrix_coefficients=6,
    full_range_flag=1,
)

# 120 x 90: the top left quarter is red, the bottom right quarter is green, and the others are blue.
flag = Image.new("RGB", (120, 90), (20, 60, 120))
flag.paste((220, 30, 30), (0, 0, 60, 45))
flag.paste((30, 200, 60), (60, 45, 120, 90))


def fixture(name: str, picture: Image.Image, bit_depth: int = 8, **options) -> None:
    pillow_heif.options.SAVE_HDR_TO_12_BIT = bit_depth == 12
    file = pillow_heif.from_pillow(picture)
    if bit_depth > 8:
        samples = bytes(part for value in picture.tobytes() for part in (value * 257).to_bytes(2, "little"))
        file = pillow_heif.from_bytes(mode=f"{picture.mode};16", size=picture.size, data=samples)
    if "orientation" in options:
        file.info["exif"] = piexif.dump({"0th": {piexif.ImageIFD.Orientation: options.pop("orientation")}})
    file.save(FIXTURES / f"{name}.heic", **{"quality": 70, **options})


transparent = flag.copy()
transparent.putalpha(128)
fixture("upright", flag)
fixture("half-chroma", flag, chroma=422)
fixture("full-chroma", flag, chroma=444)
fixture("ten-bits", flag, bit_depth=10)
fixture("gray", flag.convert("L", (0.2126, 0.7152, 0.0722, 0)))
fixture("half-transparent", transparent)
# 2 x 2 tiles of 64 x 64 pixels, of which the picture shows 120 x 90.
fixture("grid", flag, tile_size=64)
# Stored sideways and mirrored.
fixture("transposed", flag.transpose(Image.Transpose.TRANSPOSE), orientation=5)
# The sides in its header can be changed to smaller ones.
fixture("large-data", flag.resize((480, 360)), quality=30)

# Large for the tests of memory, and not a multiple of the blocks' sides: gray, with a detail that makes the decoder filter.
large = Image.new("RGBA", (2_396, 1_596), (120, 120, 120, 128))
large.paste(Image.effect_noise((64, 64), 90).convert("RGBA"), (700, 700))
fixture("large", large, quality=20, chroma=444)
