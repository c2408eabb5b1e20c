"""Builds ONNX graphs of the few operators that both models need.

The weights of convolutions and matrix products are stored as float16 and cast to float32 in the graph: this halves the
file and does not change the arithmetic. Runtimes fold the casts when they load the model.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Every ONNX Runtime since 2021 supports opset 13 and IR version 8.
OPSET = 13
IR_VERSION = 8


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int, int]:
    """TensorFlow's "SAME" padding along one axis.

    Returns (padding before, padding after, output size), all in pixels. An odd pixel of padding goes after.
    """
    output = -(-size // stride)
    padding = max((output - 1) * stride + kernel - size, 0)
    return padding // 2, padding - padding // 2, output


class Graph:
    """Collects nodes and initializers, and turns them into a checked model."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: dict[str, np.ndarray] = {}

    def constant(self, name: str, value: np.ndarray) -> str:
        """Stores `value` unchanged under `name`, which must not be in use."""
        if name in self._initializers:
            raise ValueError(f"two constants have the name {name}")
        self._initializers[name] = np.ascontiguousarray(value)
        return name

    def weight(self, name: str, value: np.ndarray) -> str:
        """Stores `value` as float16 and returns the name of its float32 form."""
        with np.errstate(over="ignore"):
            half = value.astype(np.float16)
        if not np.isfinite(half).all():
            raise ValueError(f"{name} does not fit into float16")
        return self.node("Cast", [self.constant(f"{name}.fp16", half)], to=TensorProto.FLOAT)

    def node(self, op: str, inputs: list[str], output: str | None = None, **attributes) -> str:
        """Adds a node with one output and returns the output's name."""
        output = output or f"{op}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(op, inputs, [output], name=f"node_{len(self._nodes)}", **attributes))
        return output

    def convolution(
        self,
        name: str,
        image: str,
        size: int,
        weight: np.ndarray,
        bias: np.ndarray,
        stride: int,
        groups: int,
    ) -> tuple[str, int]:
        """Adds a convolution with "SAME" padding over square feature maps.

        `weight` is [out channels, in channels / groups, kernel, kernel], `size` the side of the input in pixels.
        Returns the output's name and the side of the output.
        """
        kernel = weight.shape[2]
        before, after, output_size = same_padding(size, kernel, stride)
        output = self.node(
            "Conv",
            [image, self.weight(f"{name}.weight", weight), self.constant(f"{name}.bias", bias.astype(np.float32))],
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=groups,
        )
        return output, output_size

    def relu6(self, image: str) -> str:
        """Clips to 0..6, the activation of MobileNet and EfficientNet-Lite."""
        for name, value in (("zero", 0.0), ("six", 6.0)):
            if name not in self._initializers:
                self.constant(name, np.array(value, np.float32))
        return self.node("Clip", [image, "zero", "six"])

    def model(self, inputs: dict[str, list[int]], outputs: dict[str, list[int]], description: str) -> bytes:
        """Serializes the model. All inputs and outputs are float32. The same graph gives the same bytes."""

        def tensors(shapes: dict[str, list[int]]):
            return [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]

        graph = helper.make_graph(
            self._nodes,
            "graph",
            tensors(inputs),
            tensors(outputs),
            [numpy_helper.from_array(value, name) for name, value in self._initializers.items()],
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, doc_string=description
        )
        onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString(deterministic=True)
