"""Writes what Pillow says about files.

    python pillow_view.py LIST OUTPUT

LIST is a JSON array of paths. OUTPUT becomes a JSON array of objects with `file`, and for a file that Pillow opens its
`format`, and its `width` and `height` in pixels after the EXIF orientation is applied. `error` says why the pixels cannot
be decoded. A file that Pillow does not open has only `file` and `error`.
"""

import json
import pathlib
import sys
import warnings

from PIL import Image, ImageOps

# Larger pictures are not decoded: the system rejects them by their header.
MAX_PIXELS = 150_000_000
# Orientations that swap the sides, in the EXIF tag 0x0112.
ORIENTATION, SWAPS_SIDES = 0x0112, range(5, 9)


def view(path: str) -> dict:
    seen = {"file": path}
    try:
        with Image.open(path) as image:
            width, height = image.size
            seen |= {"format": image.format, "width": width, "height": height}
            if width * height <= MAX_PIXELS:
                upright = ImageOps.exif_transpose(image)
                upright.load()
                seen |= {"width": upright.width, "height": upright.height}
            elif image.getexif().get(ORIENTATION) in SWAPS_SIDES:
                seen |= {"width": height, "height": width}
    except Exception as error:  # A corpus has files that break a decoder in any way.
        seen["error"] = f"{type(error).__name__}: {error}"[:200]
    return seen


def main() -> None:
    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = None
    paths, output = map(pathlib.Path, sys.argv[1:])
    output.write_text(json.dumps([view(path) for path in json.loads(paths.read_text())]))


if __name__ == "__main__":
    main()
