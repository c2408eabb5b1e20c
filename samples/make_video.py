"""Makes `video.mp4` and `video.json` of the photographs in this folder, and the videos of `tests/videos/`.

    pip install imageio-ffmpeg==0.8.1
    python3 make_video.py

The wheel contains FFmpeg 9.0.2. Each photograph is shown for a few seconds, while the camera pans over it; then the next one
follows with a cut. `video.json` says which one is shown from when to when, in milliseconds.
"""

import json
import subprocess
import tempfile
from pathlib import Path

import imageio_ffmpeg

FOLDER = Path(__file__).parent.resolve()
TESTS = FOLDER.parent / "tests" / "videos"
FFMPEG = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-y"]
# The same bytes in each run, as far as encoders allow that.
EXACT = ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-threads", "1"]
RATE = 25
BT709 = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"
HLG = "setparams=color_primaries=bt2020:color_trc=arib-std-b67:colorspace=bt2020nc:range=tv"

# Photograph, seconds, and in which direction the camera pans.
SAMPLE = [("cat", 6, "right"), ("coffee", 5, "down"), ("astronaut", 6, "up"), ("photographer", 4, "right"), ("cat", 3, "left")]
SHORT = [("cat", 4, "right"), ("coffee", 4, "left")]


def ffmpeg(*arguments):
    subprocess.run([*FFMPEG, *map(str, arguments)], check=True)


def shot(photograph, seconds, direction, width, height, target):
    """Uncompressed. The picture fills the frame, with a tenth to spare for the pan."""
    last = seconds * RATE - 1
    forward = f"n/{last}"
    position = {"right": forward, "down": forward, "left": f"1-{forward}", "up": f"1-{forward}"}[direction]
    along = {"right": ("x", "y"), "left": ("x", "y"), "down": ("y", "x"), "up": ("y", "x")}[direction]
    sides = {"x": "(iw-ow)", "y": "(ih-oh)"}
    crop = f"{along[0]}='{sides[along[0]]}*({position})':{along[1]}='{sides[along[1]]}/3'"
    scale = f"scale={width * 11 // 10}:{height * 11 // 10}:force_original_aspect_ratio=increase:flags=lanczos"
    still = ["-loop", "1", "-framerate", RATE, "-i", FOLDER / f"{photograph}.jpg", "-frames:v", seconds * RATE]
    ffmpeg(*still, "-vf", f"{scale},crop={width}:{height}:{crop},format=yuv444p", "-c:v", "ffv1", target)


def make(target, shots, width, height, colors, pixels, *arguments, turn="null"):
    matrix = "bt2020" if colors == HLG else "bt709"
    convert = f"scale=out_color_matrix={matrix}:out_range=tv:flags=accurate_rnd+full_chroma_int"
    with tempfile.TemporaryDirectory() as folder:
        parts = []
        for index, (photograph, seconds, direction) in enumerate(shots):
            part = Path(folder) / f"{index}.mkv"
            shot(photograph, seconds, direction, width, height, part)
            parts.append(part)
        names = Path(folder) / "parts.txt"
        names.write_text("".join(f"file '{part}'\n" for part in parts))
        joined = ["-f", "concat", "-safe", "0", "-i", names]
        ffmpeg(*joined, "-vf", f"{turn},{convert},format={pixels},{colors}", *arguments, *EXACT, target)


def content(shots):
    at = 0
    for photograph, seconds, _ in shots:
        yield {"photograph": f"{photograph}.jpg", "fromMs": at, "toMs": at + seconds * 1000}
        at += seconds * 1000


def main():
    x264 = ["-c:v", "libx264", "-preset", "veryslow", "-crf", "27", "-g", RATE, "-movflags", "+faststart"]
    nothing = ["-map_metadata", "-1"]
    make(FOLDER / "video.mp4", SAMPLE, 640, 360, BT709, "yuv420p", *x264, *nothing)
    shown = list(content(SAMPLE))
    (FOLDER / "video.json").write_text(json.dumps({"durationMs": shown[-1]["toMs"], "shots": shown}, indent=2) + "\n")

    TESTS.mkdir(exist_ok=True)
    keys = f"keyint={RATE}:min-keyint={RATE}:scenecut=0:log-level=none:info=0"
    x265 = ["-c:v", "libx265", "-crf", "30", "-tag:v", "hvc1", "-x265-params", keys]
    # As an iPhone records a portrait: 10 bits, HLG, stored as a landscape that is turned.
    stored = TESTS / "stored.mov"
    make(stored, SHORT, 360, 480, HLG, "yuv420p10le", *x265, *nothing, turn="transpose=2")
    metadata = ["-metadata", "com.apple.quicktime.creationdate=2026-05-01T12:30:00+0200"]
    metadata += ["-metadata", "com.apple.quicktime.make=Apple", "-movflags", "use_metadata_tags"]
    ffmpeg("-display_rotation", "-90", "-i", stored, "-c", "copy", *metadata, *EXACT, TESTS / "hevc.mov")
    stored.unlink()
    vp9 = ["-c:v", "libvpx-vp9", "-crf", "42", "-b:v", "0", "-g", RATE, "-keyint_min", RATE]
    make(TESTS / "vp9.webm", SHORT, 480, 270, BT709, "yuv420p", *vp9, *nothing)
    av1 = ["-c:v", "libaom-av1", "-crf", "45", "-cpu-used", "6", "-g", RATE, "-keyint_min", RATE]
    make(TESTS / "av1.webm", SHORT, 480, 270, BT709, "yuv420p", *av1, *nothing)
    shown = list(content(SHORT))
    (TESTS / "videos.json").write_text(json.dumps({"durationMs": shown[-1]["toMs"], "shots": shown}, indent=2) + "\n")


if __name__ == "__main__":
    main()
