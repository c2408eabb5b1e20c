"""Makes the HEIC pictures beside it: one of the cat in samples/, as phones take theirs, and one of nothing but a color.

    python3 -m venv DIR && DIR/bin/pip install pillow pillow-heif piexif && DIR/bin/python tests/pictures/make_heic.py
"""

from pathlib import Path

import piexif
import pillow_heif
from PIL import Image

HERE = Path(__file__).parent

cat = Image.open(HERE.parents[1] / "samples" / "cat.jpg").convert("RGB")
metadata = {
    # The file turns the picture itself (irot); the number is there too and must not count again.
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

# sRGB's pure red, by Display P3's numbers.
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
