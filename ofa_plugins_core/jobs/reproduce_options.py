"""The options of ``ofa reproduce``; alone, so that listing jobs loads nothing else."""

from __future__ import annotations

from pathlib import Path

from attrs import field, frozen

from ofa_plugins_core.claims import Verdict


@frozen(kw_only=True, slots=False)
class ReproduceOptions:
    """Options of ``ofa run reproduce``, which ``ofa reproduce`` takes, too."""

    claims: tuple[str, ...] = field(
        default=(),
        metadata={"help": "names of claims or works; default: all", "metavar": "NAME"},
    )
    material: Path | None = field(
        default=None,
        metadata={
            "help": "folder of published files, your own copies, where --show says; "
            "default: $OFA_MATERIAL",
            "metavar": "FOLDER",
        },
    )
    given: tuple[str, ...] = field(
        default=(),
        metadata={
            "help": "where one of these files is; repeatable",
            "metavar": "NAME=PATH",
            "example": "note10_tables=~/note10",
        },
    )
    verdict: tuple[Verdict, ...] = field(
        default=(),
        metadata={
            "help": "show claims of this verdict alone; all are checked, counted and kept; "
            "repeatable",
        },
    )
    show: bool = field(
        default=False,
        metadata={"help": "list the claims and the files that they need; check nothing"},
    )
