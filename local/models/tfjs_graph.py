"""Reads a TensorFlow.js graph model: `model.json` and its weight files."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

DTYPES = {"float32": np.dtype("<f4"), "int32": np.dtype("<i4"), "bool": np.dtype("?")}


class GraphModelError(ValueError):
    """The files are not a graph model that this reader supports."""


@dataclass(frozen=True)
class GraphModel:
    """The nodes of a graph, in TensorFlow.js's form, and the values of its constants, both by name."""

    nodes: dict[str, dict]
    constants: dict[str, np.ndarray]


def read(path: Path) -> GraphModel:
    """Reads the model whose `model.json` is at `path`."""
    document = json.loads(path.read_text())
    nodes = {node["name"]: node for node in document["modelTopology"]["node"]}
    constants: dict[str, np.ndarray] = {}
    for group in document["weightsManifest"]:
        # A weight can begin in one file and end in the next.
        data = b"".join((path.parent / Path(name).name).read_bytes() for name in group["paths"])
        offset = 0
        for weight in group["weights"]:
            if "quantization" in weight:
                raise GraphModelError(f"{weight['name']} is quantized, which this reader does not support")
            dtype, count = DTYPES[weight["dtype"]], int(np.prod(weight["shape"], dtype=np.int64))
            if offset + count * dtype.itemsize > len(data):
                raise GraphModelError(f"the weight files end before {weight['name']} does")
            constants[weight["name"]] = np.frombuffer(data, dtype, count, offset).reshape(weight["shape"])
            offset += count * dtype.itemsize
        if offset != len(data):
            raise GraphModelError(f"{len(data) - offset} bytes of the weight files do not belong to any weight")
    return GraphModel(nodes, constants)
