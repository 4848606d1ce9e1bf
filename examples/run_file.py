"""Run a deployed ONNX file on pictures: what an application does, without torch or ofa-plugins.

    python examples/run_file.py NETWORK.onnx CLASSES PICTURE [PICTURE …]

CLASSES: the folder of pictures that the supernet was trained on, a folder a class; their names in
order of the alphabet are the classes in order of the logits.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])  # ImageNet's


def prepared(picture: str, size: int) -> np.ndarray:
    """As the network was trained: (1, 3, size, size), the shorter side size / 0.875, its centre."""
    with Image.open(picture) as file:
        image = file.convert("RGB")
    scale = math.ceil(size / 0.875) / min(image.size)
    image = image.resize([int(side * scale) for side in image.size], Image.Resampling.BILINEAR)
    left, top = (round((side - size) / 2) for side in image.size)
    pixels = np.asarray(image.crop((left, top, left + size, top + size))) / 255
    return ((pixels - MEAN) / DEVIATION).transpose(2, 0, 1)[None].astype(np.float32)


def main(network: str, classes: str, *pictures: str) -> None:
    """Print the class of each picture, and how sure the network is."""
    names = sorted(p.name for p in Path(classes).iterdir() if p.is_dir())
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    for picture in pictures:
        (logits,) = session.run(None, {given.name: prepared(picture, given.shape[-1])})
        odds = np.exp(logits[0] - logits[0].max())
        best = int(odds.argmax())
        print(f"{picture}: {names[best]} ({odds[best] / odds.sum():.0%})")


if __name__ == "__main__":
    main(*sys.argv[1:])
