"""Options that the jobs on networks in torch share; alone, so that listing jobs loads no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

from attrs import field, frozen

from ofa_plugins_core.jobs.options import SUPERNET


def said(text: str, **more: str) -> dict[str, Any]:
    """Metadata of a flag: its help, and ``metavar`` or ``example``."""
    return {"help": text, **more}


FAST: Final = said(
    "decode images once a size and keep them: in memory, or in a file of the cache folder that "
    "later commands take, too; default: in memory where they take at most 2 GiB"
)
"""Metadata of the flag --fast."""
CHANGEABLE: Final = ("fast",)
"""Options that change how long measuring takes, not what is found: --resume may change them."""


@frozen(kw_only=True, slots=False)
class NetworkOptions:
    """Which elastic network, and with which weights."""

    supernet: str = field(metadata=SUPERNET)
    weights: str | None = field(
        default=None,
        metadata=said(
            "a checkpoint, a name of ofa weights list, or synthetic (filled by a formula: for "
            "trying things out); default: what is cached for the supernet",
            metavar="FILE|NAME|synthetic",
        ),
    )
    classes: int | None = field(
        default=None, metadata=said("of the classifier; default: the checkpoint's")
    )
    new_head: bool = field(
        default=False,
        metadata=said("take a checkpoint of other classes; the classifier starts anew, untrained"),
    )


@frozen(kw_only=True, slots=False)
class ArchOptions:
    """Which architectures: exactly one of these."""

    archs: Path | None = field(
        default=None, metadata=said("architectures, JSON lines", metavar="FILE")
    )
    run: Path | None = field(
        default=None, metadata=said("the front of a search's run", metavar="FOLDER")
    )
    random: int | None = field(default=None, metadata=said("so many uniform draws", metavar="N"))
    largest: bool = field(default=False, metadata=said("the largest network"))


@frozen(kw_only=True, slots=False)
class DataOptions:
    """Which images."""

    data: str | None = field(
        default=None,
        metadata=said(
            "digits (comes with scikit-learn), or a folder: ImageNet, Imagenette, CIFAR-10, or "
            "any with one folder a class",
            metavar="FOLDER|digits",
        ),
    )
    batch: int = field(default=100, metadata=said("images a batch"))
    workers: int = field(default=0, metadata=said("processes that read images"))


@frozen(kw_only=True, slots=False)
class MeasuredOptions:
    """How a network's accuracy is measured."""

    device: Literal["cpu", "cuda"] = field(default="cpu", metadata=said("where networks run"))
    images: int | None = field(
        default=None,
        metadata=said("evaluate on so many, drawn with the seed; default: all", unit="images"),
    )
    fast: Literal["memory", "disk"] | None = field(default=None, metadata=FAST)
    calibrate: int | None = field(
        default=None,
        metadata=said(
            "calibrate batch norm on so many training images; 0: not at all; default: 2000, of a "
            "teacher 0",
            unit="images",
        ),
    )
    calibrate_data: str | None = field(
        default=None,
        metadata=said("take them from here; images without classes do", metavar="FOLDER|digits"),
    )
    calibrate_batch: int = field(default=100, metadata=said("a batch of them", unit="images"))
    threads: int | None = field(
        default=None, metadata=said("of torch inside an operation; default: torch's choice")
    )
    channels_last: bool = field(
        default=False, metadata=said("lay images out with the channels last: often faster")
    )
    dtype: Literal["fp32", "bf16"] = field(
        default="fp32", metadata=said("evaluate, and time, in this type")
    )
