"""Converts SSDLite-MobileNetV2 with COCO's classes from its TensorFlow.js graph to ONNX.

Input `image` [1, 3, 300, 300]: RGB, x / 127.5 - 1. Outputs: `boxes` [1, 1917, 4] as (ymin, xmin, ymax, xmax) in
fractions of the picture, not clamped, and `scores` [1, 1917, 90], whose index + 1 is the COCO id. The caller does the
non-maximum suppression.

The conversion follows the graph from its two heads back to the preprocessed picture. TensorFlow's optimizer has split
batch normalization into multiplications and additions of constants. They are folded into the preceding convolution.
"""

import base64
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from onnx_graph import Graph
from tfjs_graph import GraphModel, GraphModelError

RESOLUTION = 300
ANCHORS = 1917
# 90 COCO ids, and index 0 for the background.
SCORES = 91
IMAGE_NODE = "Preprocessor/sub"
BOX_HEAD, SCORE_HEAD = "concat", "concat_1"
ANCHOR_CONSTANT = "Postprocessor/ExpandDims"
# The box coder's scales of the TensorFlow object detection API: 10 for the center, 5 for the size.
CENTER_SCALE, SIZE_SCALE = 10.0, 5.0


@dataclass(frozen=True)
class _Convolution:
    """A convolution that constants can still be folded into. `weight` is [out, in / groups, kernel, kernel]."""

    name: str
    image: str
    size: int
    weight: np.ndarray
    bias: np.ndarray
    stride: int
    groups: int

    def scaled(self, factor: np.ndarray) -> "_Convolution":
        return replace(self, weight=self.weight * factor.reshape(-1, 1, 1, 1), bias=self.bias * factor)

    def shifted(self, offset: np.ndarray) -> "_Convolution":
        return replace(self, bias=self.bias + offset)


@dataclass(frozen=True)
class _Feature:
    """A feature map in the ONNX graph: [1, channels, size, size]."""

    name: str
    channels: int
    size: int


def convert(model: GraphModel) -> bytes:
    """Returns the detector as a serialized ONNX model."""
    walk = _Walk(model)
    graph = walk.graph
    offsets = _head(walk, BOX_HEAD, 4)
    scores = graph.node("Sigmoid", [_head(walk, SCORE_HEAD, SCORES)])

    def indices(name: str, *values: int) -> str:
        return graph.constant(name, np.array(values, np.int64))

    last_axis = indices("last_axis", 2)
    zero, one, two, four = indices("0", 0), indices("1", 1), indices("2", 2), indices("4", 4)
    graph.node("Slice", [scores, one, indices("91", SCORES), last_axis], "scores")
    # A box is its anchor, moved by a fraction of the anchor's size and scaled exponentially.
    anchors = model.constants[ANCHOR_CONSTANT].astype(np.float32)
    anchor_size = anchors[..., 2:] - anchors[..., :2]
    anchor_center = anchors[..., :2] + anchor_size / 2
    move = graph.node(
        "Mul",
        [
            graph.node("Slice", [offsets, zero, two, last_axis]),
            graph.constant("anchor_step", anchor_size / np.float32(CENTER_SCALE)),
        ],
    )
    center = graph.node("Add", [move, graph.constant("anchor_center", anchor_center)])
    growth = graph.node(
        "Mul",
        [
            graph.node("Slice", [offsets, two, four, last_axis]),
            graph.constant("size_scale", np.array(1 / SIZE_SCALE, np.float32)),
        ],
    )
    half = graph.node("Mul", [graph.node("Exp", [growth]), graph.constant("anchor_half", anchor_size / 2)])
    corners = [graph.node("Sub", [center, half]), graph.node("Add", [center, half])]
    graph.node("Concat", corners, "boxes", axis=2)
    return graph.model(
        {"image": [1, 3, RESOLUTION, RESOLUTION]},
        {"boxes": [1, ANCHORS, 4], "scores": [1, ANCHORS, SCORES - 1]},
        "SSDLite-MobileNetV2, COCO, Apache-2.0. RGB, x / 127.5 - 1, NCHW. Boxes: ymin, xmin, ymax, xmax.",
    )


def _head(walk: "_Walk", name: str, values: int) -> str:
    """Converts one of the two heads: the values of six feature maps for each anchor, as [1, anchors, values]."""
    parts = []
    for reshape in walk.inputs(name)[:-1]:
        feature = walk.feature(walk.inputs(reshape)[0])
        anchors = feature.size * feature.size * feature.channels // values
        shape = walk.graph.constant(f"{reshape}.shape", np.array([1, anchors, values], np.int64))
        rows = walk.graph.node("Transpose", [feature.name], perm=[0, 2, 3, 1])
        parts.append(walk.graph.node("Reshape", [rows, shape]))
    return walk.graph.node("Concat", parts, axis=1)


class _Walk:
    """Converts each node once, when it is needed."""

    def __init__(self, model: GraphModel) -> None:
        self.graph = Graph()
        self._model = model
        self._uses = Counter(source for node in model.nodes for source in self.inputs(node))
        self._values: dict[str, _Convolution | _Feature] = {IMAGE_NODE: _Feature("image", 3, RESOLUTION)}

    def inputs(self, name: str) -> list[str]:
        return [source.split(":")[0] for source in self._model.nodes[name].get("input", [])]

    def feature(self, name: str) -> _Feature:
        """Returns the node's output as a feature map. After this, no constants can be folded into a convolution."""
        value = self._value(name)
        if isinstance(value, _Convolution):
            output, size = self.graph.convolution(
                value.name, value.image, value.size, value.weight, value.bias, value.stride, value.groups
            )
            value = _Feature(output, value.weight.shape[0], size)
            self._values[name] = value
        return value

    def _value(self, name: str) -> "_Convolution | _Feature":
        if name not in self._values:
            self._values[name] = self._translate(name)
        return self._values[name]

    def _translate(self, name: str) -> "_Convolution | _Feature":
        op, sources = self._model.nodes[name]["op"], self.inputs(name)
        match op:
            case "Conv2D" | "DepthwiseConv2dNative":
                return self._convolution(name, sources, depthwise=op == "DepthwiseConv2dNative")
            case "FusedBatchNorm":
                gamma, beta, mean, variance = (self._vector(source) for source in sources[1:])
                scale = gamma / np.sqrt(variance + float(self._attribute(name, "epsilon")["f"]))
                return self._open(sources[0]).scaled(scale).shifted(beta - mean * scale)
            case "BiasAdd":
                return self._open(sources[0]).shifted(self._vector(sources[1]))
            case "Mul" | "Add" | "AddN" if len(sources) == 2:
                constants = [source for source in sources if source in self._model.constants]
                if not constants and op != "Mul":
                    left, right = map(self.feature, sources)
                    return replace(left, name=self.graph.node("Add", [left.name, right.name]))
                if len(constants) == 1:
                    (other,) = (source for source in sources if source != constants[0])
                    constant = self._vector(constants[0])
                    if op == "Mul":
                        return self._open(other).scaled(constant)
                    if isinstance(self._value(other), _Convolution):
                        return self._open(other).shifted(constant)
                    # The optimizer moved some additions after the sum of two feature maps.
                    feature, shift = self.feature(other), constant.astype(np.float32).reshape(1, -1, 1, 1)
                    shifted = self.graph.node("Add", [feature.name, self.graph.constant(f"{name}.shift", shift)])
                    return replace(feature, name=shifted)
            case "Relu6":
                feature = self.feature(sources[0])
                return replace(feature, name=self.graph.relu6(feature.name))
        raise GraphModelError(f"{name} is a {op}, which is not expected here in the detector's graph")

    def _convolution(self, name: str, sources: list[str], depthwise: bool) -> _Convolution:
        image = self.feature(sources[0])
        weight = self._model.constants[sources[1]].astype(np.float64)
        strides = [int(value) for value in self._attribute(name, "strides")["list"]["i"]]
        dilations = [int(value) for value in self._attribute(name, "dilations")["list"]["i"]]
        padding = _text(self._attribute(name, "padding")["s"])
        square = weight.shape[0] == weight.shape[1] and strides[1] == strides[2]
        if padding != "SAME" or dilations != [1, 1, 1, 1] or not square:
            raise GraphModelError(f"{name} is not a square convolution without dilation and with SAME padding")
        # TensorFlow's weights are [height, width, in, out], or [height, width, in, 1] for depthwise convolutions.
        order = (2, 3, 0, 1) if depthwise else (3, 2, 0, 1)
        return _Convolution(
            name,
            image.name,
            image.size,
            weight.transpose(order),
            np.zeros(weight.shape[2 if depthwise else 3]),
            strides[1],
            image.channels if depthwise else 1,
        )

    def _open(self, name: str) -> _Convolution:
        """Returns the convolution at `name`. Folding would change all of its users, so it must have only one."""
        value = self._value(name)
        if not isinstance(value, _Convolution) or self._uses[name] != 1:
            raise GraphModelError(f"{name} is not a convolution that constants can be folded into")
        return value

    def _vector(self, name: str) -> np.ndarray:
        """A constant with one value for each channel."""
        return self._model.constants[name].astype(np.float64).reshape(-1)

    def _attribute(self, name: str, key: str) -> dict:
        return self._model.nodes[name]["attr"][key]


def _text(value: "list[int] | str") -> str:
    """Decodes a string attribute: a list of bytes in older files, base64 in newer ones."""
    return (bytes(value) if isinstance(value, list) else base64.b64decode(value)).decode()
