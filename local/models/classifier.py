"""Converts EfficientNet-Lite0 with ImageNet's 1,000 classes from its PyTorch checkpoint to ONNX.

Input `image` [1, 3, 224, 224]: RGB, (x - 127) / 128. Output `probs` [1, 1000]: probabilities that sum to 1.
"""

import numpy as np

from onnx_graph import Graph

RESOLUTION = 224
CLASSES = 1000
BATCH_NORM_EPSILON = 1e-3

# The stride of the first block in each of EfficientNet-B0's seven stages. Lite0 has the same strides. It only lacks the
# squeeze-and-excitation parts and swish.
STAGE_STRIDES = [1, 2, 2, 2, 1, 2, 1]


def fold_batch_norm(
    weight: np.ndarray, gamma: np.ndarray, beta: np.ndarray, mean: np.ndarray, variance: np.ndarray, epsilon: float
) -> tuple[np.ndarray, np.ndarray]:
    """Merges a convolution without bias and a batch normalization into one convolution: (weight, bias)."""
    scale = gamma.astype(np.float64) / np.sqrt(variance.astype(np.float64) + epsilon)
    return weight * scale[:, None, None, None], beta - mean * scale


def convert(weights: dict[str, np.ndarray]) -> bytes:
    """Returns the classifier as a serialized ONNX model. `weights` comes from `torch_checkpoint.read`."""
    graph = Graph()

    def convolution(image, size, name, norm, stride=1, activation=True):
        kernel, bias = fold_batch_norm(
            weights[f"{name}.weight"],
            weights[f"{norm}.weight"],
            weights[f"{norm}.bias"],
            weights[f"{norm}.running_mean"],
            weights[f"{norm}.running_var"],
            BATCH_NORM_EPSILON,
        )
        groups = kernel.shape[0] if "depthwise" in name else 1
        image, size = graph.convolution(name, image, size, kernel, bias, stride, groups)
        return (graph.relu6(image) if activation else image), size

    image, size = convolution("image", RESOLUTION, "_conv_stem", "_bn0", stride=2)
    channels = weights["_conv_stem.weight"].shape[0]
    for name, stride in _blocks(weights):
        block_input, input_channels = image, channels
        if f"{name}._expand_conv.weight" in weights:
            image, size = convolution(image, size, f"{name}._expand_conv", f"{name}._bn0")
        image, size = convolution(image, size, f"{name}._depthwise_conv", f"{name}._bn1", stride)
        image, size = convolution(image, size, f"{name}._project_conv", f"{name}._bn2", activation=False)
        channels = weights[f"{name}._project_conv.weight"].shape[0]
        if stride == 1 and channels == input_channels:
            image = graph.node("Add", [image, block_input])
    image, size = convolution(image, size, "_conv_head", "_bn1")

    features = graph.node("Flatten", [graph.node("GlobalAveragePool", [image])], axis=1)
    matrix, bias = graph.weight("_fc.weight", weights["_fc.weight"]), graph.constant("_fc.bias", weights["_fc.bias"])
    graph.node("Softmax", [graph.node("Gemm", [features, matrix, bias], transB=1)], "probs", axis=1)
    return graph.model(
        {"image": [1, 3, RESOLUTION, RESOLUTION]},
        {"probs": [1, CLASSES]},
        "EfficientNet-Lite0, ImageNet-1k, Apache-2.0. RGB, (x - 127) / 128, NCHW.",
    )


def _blocks(weights: dict[str, np.ndarray]) -> list[tuple[str, int]]:
    """Returns the blocks in order, each with its stride. A stage begins where the number of output channels changes."""
    count = len({name.split(".")[1] for name in weights if name.startswith("_blocks.")})
    blocks, stage, channels = [], -1, None
    for index in range(count):
        name = f"_blocks.{index}"
        output_channels = weights[f"{name}._project_conv.weight"].shape[0]
        begins_stage = output_channels != channels
        stage, channels = stage + begins_stage, output_channels
        if stage >= len(STAGE_STRIDES):
            raise ValueError(f"block {index} begins an eighth stage; EfficientNet-Lite0 has seven")
        blocks.append((name, STAGE_STRIDES[stage] if begins_stage else 1))
    return blocks
