"""The one door through which torchvision is imported, in data loading's workers too.

torchvision's wheel from the package index is built for CUDA. Beside a CPU build of torch its
import ends because the operator ``torchvision::nms`` does not exist; with the schemas of its two
missing operators declared it imports, and transforms, data sets and models work (``ops.nms`` and
``io.decode_image`` do not).
"""

from __future__ import annotations

import sys
from typing import Any, Final

import torch

from ofa_plugins_core.errors import MissingExtraError

_BOXES: Final = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_kept: list[Any] = []  # a library's schemas live as long as it does


def torchvision() -> Any:
    """The package torchvision.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return _imported()
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "reading and changing images", "ofa-plugins-core", "torch"
        ) from error


def transforms() -> Any:
    """``torchvision.transforms.v2``."""
    torchvision()
    from torchvision.transforms import v2

    return v2


def _imported() -> Any:
    try:
        import torchvision as found
    except RuntimeError as error:
        if "torchvision::nms" not in str(error) or torch.version.cuda is not None:
            raise
        _declare()
        import torchvision as found
    return found


def _declare() -> None:
    """Declare the operators that are missing, and forget the import that failed half-way."""
    make: Any = torch.library.Library  # it has no annotations
    library = make("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}{_BOXES}")
    _kept.append(library)
    for name in [m for m in sys.modules if m.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
