"""Reads the weights of a PyTorch checkpoint without PyTorch.

The format is the one before PyTorch 1.6: five consecutive pickles (magic number, version, system information, the
tensors' descriptions, the storages' keys), then the length and the raw values of each storage. A pickle can run code
when it is read, so this reader accepts only the four names that such a checkpoint needs.
"""

import collections
import pickle
import struct
from pathlib import Path

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
STORAGE_TYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class CheckpointError(ValueError):
    """The file is not a checkpoint that this reader supports."""


class _Unpickler(pickle.Unpickler):
    """Resolves only ordered dictionaries, tensors and storages. A tensor becomes its description."""

    def __init__(self, file) -> None:
        super().__init__(file)
        self.storages: dict[str, tuple[np.dtype, int]] = {}

    def find_class(self, module: str, name: str):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if module == "torch" and name in STORAGE_TYPES:
            return STORAGE_TYPES[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: (storage, offset, shape, strides)
        raise CheckpointError(f"the checkpoint uses {module}.{name}, which weights do not need")

    def persistent_load(self, identifier):
        _, dtype, key, _, length, _ = identifier
        self.storages[key] = (dtype, length)
        return key


def read(path: Path) -> dict[str, np.ndarray]:
    """The tensors of the checkpoint at `path`, by name."""
    with path.open("rb") as file:
        if _Unpickler(file).load() != MAGIC:
            raise CheckpointError(f"{path.name} is not a PyTorch checkpoint of the format before 1.6")
        for _ in ("version", "system information"):
            _Unpickler(file).load()
        unpickler = _Unpickler(file)
        descriptions = unpickler.load()
        keys = _Unpickler(file).load()
        storages = {key: _read_storage(file, *unpickler.storages[key]) for key in keys}
    return {name: _tensor(storages, *description) for name, description in descriptions.items()}


def _read_storage(file, dtype: np.dtype, length: int) -> np.ndarray:
    (stored,) = struct.unpack("<q", file.read(8))
    data = file.read(length * dtype.itemsize)
    if stored != length or len(data) != length * dtype.itemsize:
        raise CheckpointError(f"a storage of {length} values has {stored}: the file is truncated or damaged")
    return np.frombuffer(data, dtype)


def _tensor(storages, key: str, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> np.ndarray:
    storage = storages[key]
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides))
    if offset < 0 or any(stride < 0 for stride in strides) or last >= storage.size:
        raise CheckpointError("a tensor extends beyond its storage")
    steps = [stride * storage.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps).copy()
