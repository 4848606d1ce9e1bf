"""The authors' published records: the peak memory of every one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from ofa_plugins_core import Checked, Comparison, InputError, JobContext
from ofa_plugins_core.errors import UnknownNameError
from ofa_plugins_core.jobs.archfiles import read_archs

ABLATION: Final = "imagenette_"
"""Files on another data set: the same supernets by name, after this."""


@frozen
class Compared:
    """One file.

    Attributes:
        records: in it.
        equal: of these, with our number.
        first: that differs, in words; empty where none does.
    """

    records: int
    equal: int
    first: str


def peaks(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """Our closed form beside every record of every file, to the item."""
    folder = files["records"]
    found, left = {}, []
    for file in _files(folder):
        try:
            found[file.name] = compared(context, file)
        except UnknownNameError as error:
            left.append(f"{file.name} is left out: {error.message}")
    if not found:
        raise InputError(f"{folder}: {'; '.join(left)}")
    rows = [
        Comparison(f"{name}: records of our peak memory", c.equal, c.records, why=c.first)
        for name, c in found.items()
    ]
    every = sum(c.records for c in found.values())
    equal = sum(c.equal for c in found.values())
    total = Comparison("all of them", equal, every)
    return Checked([*rows, total], " ".join(f"{said}." for said in left))


def _files(folder: Path) -> list[Path]:
    """By name; a file given by itself stands alone."""
    if folder.is_file():
        return [folder]
    try:
        found = sorted(p for p in folder.iterdir() if p.suffix == ".jsonl")
    except OSError as error:
        raise InputError(f"cannot read {folder}: {error.strerror or error}") from error
    if not found:
        raise InputError(
            f"{folder} holds no records", advice="SUPERNET.jsonl, for example moofa_v3.jsonl"
        )
    return found


def compared(context: JobContext, file: Path) -> Compared:
    """One file's records.

    Raises:
        UnknownNameError: it is named for no supernet that is here.
        InputError: it is broken, or a record has no peak memory; names the record.
    """
    supernet = context.host.supernet(file.stem.removeprefix(ABLATION))
    read = read_archs(file, supernet)
    ours = context.host.cost_model("peak_memory").build(read.supernet).evaluate(read.genes)
    theirs = [_peak(file, number, record) for number, record in _numbered(read.archs)]
    pairs = [(int(a), b) for a, b in zip(ours, theirs, strict=True)]
    off = [(n, a, b) for n, (a, b) in enumerate(pairs, start=1) if a != b]
    first = (
        ""
        if not off
        else f"the first that differs is record {off[0][0]:,}: {off[0][1]:,} items by our closed "
        f"form, {off[0][2]:,} in the file"
    )
    return Compared(len(pairs), len(pairs) - len(off), first)


def _numbered(records: Any) -> Iterator[tuple[int, Any]]:
    return enumerate(records, start=1)


def _peak(file: Path, number: int, record: Any) -> int | float:
    found = record.get("peak_memory")
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise InputError(
            f"{file}, record {number}: expected peak_memory in items, found {found!r:.60}"
        )
    return found
