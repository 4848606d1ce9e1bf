"""What an exported file says about itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from attrs import field, frozen

from ofa_plugins_core.nn.pictures import DEVIATION, MEAN

PREFIX: Final = "ofa."
"""Of the keys in an ONNX file's metadata."""


@frozen
class Card:
    """What to know about a network in order to use its file.

    Attributes:
        supernet: by name.
        arch: the architecture, as the field exchanges it.
        image_size: side in pixels.
        class_names: in the order of the logits; None: not known.
        weights: where they came from.
        mean, deviation: images are to be (pixel / 255 - mean) / deviation, by channel.
        more: further facts.
    """

    supernet: str | None = None
    arch: Mapping[str, Any] | None = None
    image_size: int | None = None
    class_names: Sequence[str] | None = None
    weights: str | None = None
    mean: tuple[float, float, float] = MEAN
    deviation: tuple[float, float, float] = DEVIATION
    more: Mapping[str, Any] = field(factory=dict)

    def facts(self) -> dict[str, Any]:
        """As JSON, without what is not known."""
        found = {
            "supernet": self.supernet,
            "arch": None if self.arch is None else dict(self.arch),
            "image_size": self.image_size,
            "classes": None if self.class_names is None else list(self.class_names),
            "weights": self.weights,
            "mean": list(self.mean),
            "deviation": list(self.deviation),
            "made_by": f"ofa-plugins {_version()}",
            **self.more,
        }
        return {k: v for k, v in found.items() if v is not None}

    def strings(self) -> dict[str, str]:
        """Key -> text, as an ONNX file holds it: text as it is, everything else as JSON."""
        return {
            PREFIX + k: v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)
            for k, v in self.facts().items()
        }


def _version() -> str:
    try:
        return version("ofa-plugins-core")
    except PackageNotFoundError:
        return "unknown"
