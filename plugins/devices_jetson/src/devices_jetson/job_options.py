"""Options of the plugin's jobs; alone, so that listing jobs loads nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from attrs import field, frozen
from attrs.validators import ge

from ofa_plugins_core.jobs.options import SUPERNET


def _said(text: str, **more: str) -> dict[str, Any]:
    return {"help": text, **more}


@frozen(kw_only=True, slots=False)
class BoardOptions:
    """Which board, and where it is."""

    device: str = field(metadata=_said("a Jetson; see: ofa list devices", metavar="NAME"))
    host: str | None = field(
        default=None, metadata=_said("of the board, over ssh", metavar="[USER@]HOST")
    )


@frozen(kw_only=True, slots=False)
class ByHandOptions:
    """Options of ``ofa run jetson_by_hand``."""

    supernet: str = field(metadata=SUPERNET)
    device: str = field(metadata=_said("a Jetson; see: ofa list devices", metavar="NAME"))
    resolutions: tuple[int, ...] | None = field(
        default=None, metadata=_said("image sizes; default: the supernet's", metavar="LIST")
    )
    batch: int = field(default=1, validator=ge(1), metadata=_said("a pass", unit="images"))
    passes: int = field(default=30, validator=ge(2), metadata=_said("of each row and network"))
    networks: int = field(
        default=64, validator=ge(0), metadata=_said("random whole networks to validate with")
    )


@frozen(kw_only=True, slots=False)
class TrtexecOptions(BoardOptions):
    """Options of ``ofa run trtexec``."""

    onnx: tuple[Path, ...] = field(
        metadata=_said("exported networks; repeatable: ofa run export makes them", metavar="FILE")
    )
    dtype: Literal["fp32", "fp16", "int8"] = field(
        default="fp32", metadata=_said("that TensorRT may use; int8 has random scales: times alone")
    )
    mode: str | None = field(
        default=None, metadata=_said("power mode of the board, by name", metavar="NAME")
    )
    warmup_ms: int = field(
        default=200, validator=ge(0), metadata=_said("before it measures", unit="ms")
    )
    seconds: int = field(
        default=10, validator=ge(1), metadata=_said("for which it measures", unit="s")
    )
