"""Digits as pictures in a folder a class: a stand-in for images of your own.

    python examples/digits_folder.py FOLDER

Writes scikit-learn's 1,797 handwritten digits, 8 × 8 pixels each, as FOLDER/0/0000.png and so on.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_digits


def main(folder: str) -> None:
    """Write the pictures; an existing folder is added to."""
    digits = load_digits()
    for number, (picture, digit) in enumerate(zip(digits.images, digits.target, strict=True)):
        place = Path(folder) / str(digit)
        place.mkdir(parents=True, exist_ok=True)
        grey = (picture * 255 / 16).astype("uint8")  # 0 to 16 in the data set
        Image.fromarray(grey).convert("RGB").save(place / f"{number:04}.png")
    print(f"{len(digits.images)} pictures in {folder}")


if __name__ == "__main__":
    main(*sys.argv[1:])
