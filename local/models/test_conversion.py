"""Compares the converted models with the same arithmetic in numpy."""

import json
import tempfile
import unittest
from pathlib import Path

import numpy as np
import onnxruntime

import classifier
import detector
import tfjs_graph
import torch_checkpoint
from onnx_graph import Graph, same_padding


def run(model: bytes, image: np.ndarray) -> list[np.ndarray]:
    return onnxruntime.InferenceSession(model).run(None, {"image": image})


def convolve(image: np.ndarray, weight: np.ndarray, stride: int, groups: int = 1) -> np.ndarray:
    """A "SAME" convolution by its definition: image [in, h, w], weight [out, in / groups, k, k]."""
    kernel = weight.shape[2]
    before, after, size = same_padding(image.shape[1], kernel, stride)
    padded = np.pad(image, ((0, 0), (before, after), (before, after)))
    inputs, outputs = image.shape[0] // groups, weight.shape[0] // groups
    result = np.zeros((weight.shape[0], size, size))
    for channel in range(weight.shape[0]):
        group = channel // outputs
        part = padded[group * inputs : (group + 1) * inputs]
        for y in range(size):
            for x in range(size):
                window = part[:, y * stride : y * stride + kernel, x * stride : x * stride + kernel]
                result[channel, y, x] = (window * weight[channel]).sum()
    return result


class Padding(unittest.TestCase):
    def test_same_padding_equals_tensorflows(self) -> None:
        for size, kernel, stride, expected in (
            (224, 3, 2, (0, 1, 112)),
            (300, 3, 2, (0, 1, 150)),
            (19, 3, 2, (1, 1, 10)),
            (7, 5, 1, (2, 2, 7)),
            (8, 1, 1, (0, 0, 8)),
        ):
            self.assertEqual(same_padding(size, kernel, stride), expected, (size, kernel, stride))


class Storage(unittest.TestCase):
    def test_stores_weights_as_float16_and_computes_in_float32(self) -> None:
        random = np.random.default_rng(1)
        image = random.normal(size=(1, 4, 9, 9)).astype(np.float32)
        weight = random.normal(size=(6, 2, 3, 3))
        graph = Graph()
        output, size = graph.convolution("conv", "image", 9, weight, np.ones(6), stride=2, groups=2)
        graph.node("Identity", [output], "out")
        model = graph.model({"image": [1, 4, 9, 9]}, {"out": [1, 6, size, size]}, "")
        self.assertIn(weight.astype(np.float16).tobytes(), model)
        expected = convolve(image[0], weight.astype(np.float16).astype(np.float64), 2, groups=2) + 1
        np.testing.assert_allclose(run(model, image)[0][0], expected, atol=1e-5)

    def test_rejects_a_weight_too_large_for_float16(self) -> None:
        with self.assertRaisesRegex(ValueError, "does not fit"):
            Graph().weight("huge", np.array([1e6]))

    def test_the_same_graph_gives_the_same_bytes(self) -> None:
        def build() -> bytes:
            graph = Graph()
            graph.node("Identity", [graph.relu6("image")], "out")
            return graph.model({"image": [1]}, {"out": [1]}, "")

        self.assertEqual(build(), build())


class Folding(unittest.TestCase):
    def test_folds_batch_normalization_into_the_convolution(self) -> None:
        random = np.random.default_rng(2)
        image, weight = random.normal(size=(3, 6, 6)), random.normal(size=(4, 3, 3, 3))
        gamma, beta, mean = random.normal(size=(3, 4))
        variance = random.uniform(0.5, 2, 4)
        folded, bias = classifier.fold_batch_norm(weight, gamma, beta, mean, variance, 1e-3)
        column = lambda values: values[:, None, None]  # noqa: E731
        plain = convolve(image, weight, 1)
        normalized = column(gamma) * (plain - column(mean)) / np.sqrt(column(variance) + 1e-3) + column(beta)
        np.testing.assert_allclose(convolve(image, folded, 1) + column(bias), normalized, atol=1e-9)

    def test_folds_constants_and_adds_residuals_as_tensorflow_does(self) -> None:
        random = np.random.default_rng(3)
        depthwise, pointwise = random.normal(size=(3, 3, 3, 1)), random.normal(size=(1, 1, 3, 3))
        scale, shift, later = random.normal(size=(3, 3))

        def attributes() -> dict:
            return {
                "strides": {"list": {"i": ["1"] * 4}},
                "dilations": {"list": {"i": ["1"] * 4}},
                "padding": {"s": list(b"SAME")},
            }

        nodes = [
            {"name": "dw", "op": "DepthwiseConv2dNative", "input": [detector.IMAGE_NODE, "w1"], "attr": attributes()},
            {"name": "scaled", "op": "Mul", "input": ["dw", "scale"]},
            {"name": "shifted", "op": "Add", "input": ["shift", "scaled"]},
            {"name": "clipped", "op": "Relu6", "input": ["shifted"]},
            {"name": "pw", "op": "Conv2D", "input": ["clipped", "w2"], "attr": attributes()},
            {"name": "sum", "op": "AddN", "input": ["pw", "clipped"]},
            {"name": "out", "op": "Add", "input": ["sum", "later"]},
        ]
        constants = {"w1": depthwise, "w2": pointwise, "scale": scale, "shift": shift, "later": later}
        walk = detector._Walk(tfjs_graph.GraphModel({node["name"]: node for node in nodes}, constants))
        walk.graph.node("Identity", [walk.feature("out").name], "out")
        side = detector.RESOLUTION
        image = random.normal(size=(1, 3, side, side)).astype(np.float32)
        answer = run(walk.graph.model({"image": [1, 3, side, side]}, {"out": [1, 3, side, side]}, ""), image)[0][0]

        column = lambda values: values[:, None, None]  # noqa: E731
        corner = image[0, :, :12, :12].astype(np.float64)
        first = convolve(corner, depthwise.transpose(2, 3, 0, 1), 1, groups=3)
        clipped = np.clip(first * column(scale) + column(shift), 0, 6)
        expected = convolve(clipped, pointwise.transpose(3, 2, 0, 1), 1) + clipped + column(later)
        # The last row and column of the corner lack their neighbors.
        np.testing.assert_allclose(answer[:, :11, :11], expected[:, :11, :11], atol=0.03)

    def test_names_an_unknown_operator(self) -> None:
        nodes = {"odd": {"name": "odd", "op": "Fourier", "input": [detector.IMAGE_NODE]}}
        with self.assertRaisesRegex(tfjs_graph.GraphModelError, "odd is a Fourier"):
            detector._Walk(tfjs_graph.GraphModel(nodes, {})).feature("odd")


class GraphModels(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "model.json"

    def write(self, weights: list[dict], files: list[bytes]) -> None:
        names = [f"shard{index}" for index in range(len(files))]
        manifest = [{"paths": names, "weights": weights}]
        self.path.write_text(json.dumps({"modelTopology": {"node": []}, "weightsManifest": manifest}))
        for name, data in zip(names, files):
            (self.path.parent / name).write_bytes(data)

    def test_a_weight_can_span_two_files(self) -> None:
        values = np.arange(6, dtype="<f4")
        data = values.tobytes() + np.array([7], "<i4").tobytes()
        weights = [
            {"name": "a", "dtype": "float32", "shape": [2, 3]},
            {"name": "b", "dtype": "int32", "shape": []},
        ]
        self.write(weights, [data[:10], data[10:]])
        constants = tfjs_graph.read(self.path).constants
        np.testing.assert_array_equal(constants["a"], values.reshape(2, 3))
        self.assertEqual(constants["b"], 7)

    def test_rejects_missing_and_extra_bytes(self) -> None:
        weights = [{"name": "a", "dtype": "float32", "shape": [2]}]
        self.write(weights, [b"\0" * 7])
        with self.assertRaisesRegex(tfjs_graph.GraphModelError, "end before a does"):
            tfjs_graph.read(self.path)
        self.write(weights, [b"\0" * 9])
        with self.assertRaisesRegex(tfjs_graph.GraphModelError, "1 bytes .* do not belong to any weight"):
            tfjs_graph.read(self.path)


class Tensors(unittest.TestCase):
    def test_applies_strides_and_offset_of_a_tensor(self) -> None:
        storage = {"s": np.arange(10, dtype=np.float32)}
        transposed = torch_checkpoint._tensor(storage, "s", 1, (2, 3), (1, 2))
        np.testing.assert_array_equal(transposed, [[1, 3, 5], [2, 4, 6]])

    def test_rejects_a_tensor_beyond_its_storage(self) -> None:
        with self.assertRaisesRegex(torch_checkpoint.CheckpointError, "beyond its storage"):
            torch_checkpoint._tensor({"s": np.zeros(5, np.float32)}, "s", 0, (2, 3), (3, 1))


if __name__ == "__main__":
    unittest.main()
