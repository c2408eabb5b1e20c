"""Measures the same work as label.rs in Python, with Pillow and ONNX Runtime on one thread.

    ILG_MODELS=DIR python reference.py PICTURE…     (needs numpy, onnxruntime and pillow)

Decodes the picture, and runs the detector once and the classifier for the scaled picture and its center square.
label.rs runs the classifier again for each detection.
"""

import os
import sys
import time

import numpy as np
import onnxruntime
from PIL import Image

RUNS = 15


def session(name: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(os.path.join(os.environ["ILG_MODELS"], name), options)


def planes(image: Image.Image, offset: float, scale: float) -> np.ndarray:
    values = (np.asarray(image, np.float32) - offset) / scale
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None])


def main() -> None:
    detector, classifier = session("detector.onnx"), session("classifier.onnx")
    for path in sys.argv[1:]:
        times = []
        for _ in range(RUNS):
            started = time.perf_counter()
            image = Image.open(path).convert("RGB")
            decoded = time.perf_counter()
            side = min(image.size)
            left, top = (image.width - side) / 2, (image.height - side) / 2
            square = (left, top, left + side, top + side)
            detector.run(None, {"image": planes(image.resize((300, 300), Image.BILINEAR), 127.5, 127.5)})
            for box in (None, square):
                crop = image.resize((224, 224), Image.BICUBIC, box=box)
                classifier.run(None, {"image": planes(crop, 127, 128)})
            times.append((time.perf_counter() - started, decoded - started))
        times.sort()
        (best, decode), (median, _) = times[0], times[RUNS // 2]
        print(f"{path}: best {best * 1e3:.1f} ms (decode {decode * 1e3:.1f}), median {median * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
