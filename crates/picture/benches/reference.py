"""Measures Pillow and libvips with the same work as convert.rs, on as many threads as their decoders use.

    python3 -m venv DIR/venv && DIR/venv/bin/pip install numpy pillow
    DIR/venv/bin/python crates/picture/benches/reference.py samples/coffee.jpg DIR

writes pictures of each format into DIR and prints how long they take. libvips is measured if `vipsthumbnail` is
installed (Debian: libvips-tools). Its start-up time is subtracted.
"""

import io
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy
from PIL import Image, ImageOps

RUNS = 5
Image.MAX_IMAGE_PIXELS = None


def make(sample: Path, folder: Path) -> list[Path]:
    """A photograph enlarged to 12 and 48 megapixels, with the noise of a sensor."""
    files = []
    for name, size in {"12": (4000, 3000), "48": (8000, 6000)}.items():
        photograph = Image.open(sample).convert("RGB").resize(size, Image.LANCZOS)
        noise = numpy.random.default_rng(1).normal(0, 4, (size[1], size[0], 3))
        pixels = (numpy.asarray(photograph) + noise).clip(0, 255).astype(numpy.uint8)
        picture = Image.fromarray(pixels)
        kinds = {"jpg": {"quality": 90}, "progressive.jpg": {"quality": 90, "progressive": True}}
        if name == "12":
            kinds |= {"png": {}, "webp": {"quality": 85}, "avif": {"quality": 75}, "bmp": {}}
            kinds |= {"tif": {"compression": "tiff_lzw"}}
        for suffix, options in kinds.items():
            files.append(folder / f"{name}.{suffix}")
            if not files[-1].exists():
                picture.save(files[-1], **options)
    return files


def pillow(path: Path, sides: list[int], quality: int) -> None:
    image = Image.open(path)
    for side in sides:
        image.thumbnail((side, side), Image.BICUBIC)
        ImageOps.exif_transpose(image).convert("RGB").save(io.BytesIO(), "JPEG", quality=quality)


def vips(path: Path, sides: list[int], quality: int) -> None:
    source = path
    for side in sides:
        made = path.with_name(f"vips-{side}.jpg")
        command = ["vipsthumbnail", str(source), "--size", f"{side}x{side}>", "-o", f"{made}[Q={quality},strip]"]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        source = made


def best(work, *arguments) -> float:
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        work(*arguments)
        times.append(time.perf_counter() - started)
    return min(times) * 1e3


def main() -> None:
    sample, folder = Path(sys.argv[1]), Path(sys.argv[2])
    files = make(sample, folder)
    has_vips = shutil.which("vipsthumbnail")
    tiny = folder / "tiny.jpg"
    Image.new("RGB", (8, 8)).save(tiny)
    start = best(vips, tiny, [1920], 90) if has_vips else 0
    for name, sides, quality in [("rendition", [1920], 90), ("thumbnails", [1280, 320], 80)]:
        for path in files:
            line = f"{name} {path}: Pillow {best(pillow, path, sides, quality):.0f} ms"
            if has_vips:
                line += f", libvips {best(vips, path, sides, quality) - start * len(sides):.0f} ms"
            print(line, flush=True)


main()
