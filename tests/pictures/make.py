"""Makes the pictures in this folder that the tests cannot generate, from the cat in samples/.

    python3 -m venv DIR && DIR/bin/pip install pillow && DIR/bin/python tests/pictures/make.py

Needs `avifenc` (Debian: libavif-bin) and `vips` (libvips-tools).
"""

import subprocess
import tempfile
from pathlib import Path

from PIL import Image, ImageOps

HERE = Path(__file__).parent
SAMPLES = HERE.parents[1] / "samples"

cat = Image.open(SAMPLES / "cat.jpg").convert("RGB")
coffee = Image.open(SAMPLES / "coffee.jpg").convert("RGB").resize(cat.size)


def avif(name: str, picture: Image.Image, *options: str) -> None:
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        picture.save(file.name)
        command = ["avifenc", "--min", "20", "--max", "40", *options, file.name, str(HERE / name)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


# A quarter turn counterclockwise makes them upright, followed by a mirror for the second one.
avif("rotated.avif", cat.rotate(-90, expand=True), "--irot", "1")
avif("mirrored.avif", ImageOps.mirror(cat).rotate(-90, expand=True), "--irot", "1", "--imir", "1")
avif("grid.avif", cat.resize((448, 300)), "--grid", "2x2")

# The first frame is the cat.
cat.save(HERE / "animated.webp", save_all=True, append_images=[coffee], duration=100, quality=60)

small = cat.resize((300, 200))

with tempfile.NamedTemporaryFile(suffix=".png") as file:
    small.save(file.name)
    subprocess.run(["vips", "pngsave", file.name, str(HERE / "interlaced.png"), "--interlace"], check=True)

# For the tests of the page, which have no encoders.
small.save(HERE / "cat.gif")
small.quantize(128).save(HERE / "cat.bmp")
small.save(HERE / "cat.tif", compression="tiff_lzw")
small.convert("L").save(HERE / "gray-progressive.jpg", progressive=True, quality=80)
