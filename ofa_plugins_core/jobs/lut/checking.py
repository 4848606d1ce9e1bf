"""Tables that are there already: what is wrong with them, and how they agree with measurements."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from attrs import fields

from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.jobs.archfiles import ArchFile, read_archs
from ofa_plugins_core.jobs.choosing import cost_models, latency_tables
from ofa_plugins_core.jobs.lut.result import CheckedTable, CheckResult
from ofa_plugins_core.jobs.lut_options import LutOptions
from ofa_plugins_core.jobs.options import PricedOptions
from ofa_plugins_core.own_tables import own_source
from ofa_plugins_core.table_flaws import Flaw, find_flaws
from ofa_plugins_core.table_model import TableError, error_of
from ofa_plugins_core.table_units import suspected
from ofa_plugins_core.tables import TableFolder, row_key

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
"""Of an installed table: also of its folder."""


def run_check(context: JobContext, options: LutOptions) -> CheckResult:
    """Report the flaws of tables; several are also compared with each other.

    Raises:
        UsageError: options that do not fit together.
        InputError: a table or the measured networks are broken.
    """
    supernet = context.host.supernet(options.supernet)
    folders = [TableFolder.open(path, name) for name, path in latency_tables(options.lut).items()]
    known = None
    if options.measured is not None:
        known = read_archs(options.measured, supernet)
    flaws = find_flaws(folders, options.resolutions)
    found = [_checked(context, options, f, supernet, flaws, known) for f in folders]
    return CheckResult(supernet.name, found)


def _checked(
    context: JobContext,
    options: LutOptions,
    folder: TableFolder,
    supernet: Supernet,
    flaws: Sequence[Flaw],
    known: ArchFile | None,
) -> CheckedTable:
    sizes = [s for s in folder.sizes if s in (options.resolutions or folder.sizes)]
    agreement, scale = None, None
    if known is not None:
        agreement, scale = _agreement(context, options, folder, known)
    return CheckedTable(
        name=folder.name,
        where=folder.path,
        sizes=sizes,
        rows=sum(len(folder.table(s).rows) for s in sizes),
        flaws=[*_doubt(folder), *(f.message for f in flaws if f.table == folder.name)],
        lacking=_lacking(supernet, folder, sizes),
        agreement=agreement,
        scale=scale,
        source=None if folder.own is None else own_source(folder.own),
    )


def _doubt(folder: TableFolder) -> list[str]:
    doubt = suspected(folder)
    return [] if doubt is None else [doubt.message]


def _lacking(supernet: Supernet, folder: TableFolder, sizes: Sequence[int]) -> dict[int, list[str]]:
    found = {}
    for size in sizes:
        blocks = supernet.geometry().catalogue(size).blocks
        missing = sorted({row_key(b) for b in blocks} - folder.table(size).rows.keys())
        if missing:
            found[size] = missing
    return found


def _agreement(
    context: JobContext, options: LutOptions, folder: TableFolder, known: ArchFile
) -> tuple[TableError, tuple[float, float]]:
    """Measured latencies against the table's."""
    assert options.measured is not None
    measured = np.array(
        [_latency(options.measured, n, a) for n, a in enumerate(known.archs, 1)], dtype=float
    )
    priced = PricedOptions(supernet=options.supernet, lut=(f"{folder.name}={folder.path}",))
    name = f"latency@{folder.name}"
    (model,) = cost_models(context, priced, known.supernet, [name]).values()
    predicted = model.evaluate(known.genes)
    ratio = measured / predicted
    return error_of(predicted, measured), (float(ratio.min()), float(ratio.max()))


def _latency(path: Path, number: int, line: object) -> float:
    value = line.get("latency") if isinstance(line, dict) else None
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9
    if not good:
        raise InputError(
            f"{path}, network {number}: 'latency' must be milliseconds over 0, found {value!r:.60}"
        )
    assert isinstance(value, int | float)
    return float(value)


def check_options(options: LutOptions) -> None:
    """Refuse what does not go together.

    Raises:
        UsageError: names the flags.
    """
    if options.measured is not None and not options.lut:
        raise UsageError("--measured is held against a table: give it with --lut FOLDER")
    promised = [f"--{n}" for n in ("run", "archs", "measured") if getattr(options, n) is not None]
    if len(promised) > 1:
        raise UsageError(f"{' and '.join(promised)}: one of them at a time")
    if promised and len(options.lut) != 1 and options.measured is None:
        raise UsageError(f"{promised[0]}: against which table? give one, --lut FOLDER")
    if promised and options.measured is None:
        usual = {f.name: f.default for f in fields(LutOptions)}
        for name in ("networks", "batch", "split", "resolutions"):
            if getattr(options, name) != usual[name]:
                raise UsageError(f"--{name}: {promised[0]} measures its networks as the table says")
    if options.lut and (options.install or options.show):
        raise UsageError("with --lut nothing is measured: --install and --show make no sense there")
    if options.install is not None and not NAME.fullmatch(options.install):
        found = f"found {options.install!r:.60}"
        raise UsageError(f"--install: a name of up to 64 letters, digits, -, _ and ., {found}")
    if options.least > options.most:
        raise UsageError(f"--least {options.least} is more than --most {options.most}")
