"""What a table promised of networks, and what they take: measured beside the table's reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from attrs import frozen

from ofa_plugins_core.config import plain
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.events import Notice
from ofa_plugins_core.interfaces import Device, Supernet
from ofa_plugins_core.jobs.archfiles import read_archs
from ofa_plugins_core.jobs.choosing import cost_models, latency_tables
from ofa_plugins_core.jobs.frontfiles import read_front
from ofa_plugins_core.jobs.lut.kept import NETWORKS, Kept
from ofa_plugins_core.jobs.lut.measuring import Plan, arch_key, measure_all
from ofa_plugins_core.jobs.lut.works import Needed
from ofa_plugins_core.jobs.lut_options import LutOptions
from ofa_plugins_core.jobs.options import PricedOptions
from ofa_plugins_core.jobs.results import INTERRUPTED, Row, with_ends
from ofa_plugins_core.jobs.resuming import begun
from ofa_plugins_core.own_tables import OwnRow, OwnTable
from ofa_plugins_core.pricing import measurements
from ofa_plugins_core.table_model import FEWEST, TableError, error_of
from ofa_plugins_core.tables import TableFolder
from ofa_plugins_core.timing import Effort
from ofa_plugins_core.values import Arch, Measurement

MADE_BY: Final = ("device", "model", "mode", "threads", "memory")
"""What a device is made by: where it differs, a table's promise is not of this one."""


@frozen
class Promise:
    """A network, as the table has it and as it is.

    Attributes:
        predicted: ms, with the interval that the table promises.
        seen: what it took just now. level: what the reference takes at the table's speed, ms.
    """

    arch: Arch
    predicted: Measurement
    seen: OwnRow
    level: float | None

    @property
    def kept(self) -> bool | None:
        """Whether it took what was promised; None where nothing was."""
        low, high = self.predicted.low, self.predicted.high
        return None if low is None or high is None else bool(low <= self.seen.mean <= high)

    @property
    def levelled(self) -> float:
        """What it would take at the table's speed, ms."""
        return self.seen.levelled(self.level).mean

    @property
    def speed(self) -> float | None:
        """How long the reference takes now, as a part of what it took for the table."""
        beside = self.seen.reference
        return None if beside is None or self.level is None else beside / self.level

    def as_json(self) -> dict[str, Any]:
        """One element of the list."""
        return {
            "arch": self.arch.as_dict(),
            "predicted": self.predicted.as_dict(),
            "measured": Measurement(self.seen.mean, "ms", "measured").as_dict(),
            "half_width": self.seen.half_width,
            "passes": self.seen.count,
            "at_table_speed": Measurement(self.levelled, "ms", "measured").as_dict(),
            "within": self.kept,
        }


@frozen(eq=False)
class PromisesResult:
    """What ``ofa run lut --lut TABLE --run FOLDER`` returns.

    Attributes:
        table: its name. device: as it describes itself now.
        promises: in the order of the run. of: networks that were asked for.
        interrupted: the user stopped it before all were measured.
    """

    supernet: str
    table: str
    device: Mapping[str, str]
    promises: Sequence[Promise]
    of: int
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """130 where it was interrupted."""
        return INTERRUPTED if self.interrupted else 0

    @property
    def within(self) -> int | None:
        """Networks whose mean is within what was promised; None where nothing was."""
        known = [p.kept for p in self.promises if p.kept is not None]
        return sum(known) if known else None

    @property
    def speed(self) -> float | None:
        """How long the device takes now, as a part of what it took for the table."""
        speeds = [p.speed for p in self.promises if p.speed is not None]
        return float(np.mean(speeds)) if speeds else None

    @property
    def error(self) -> TableError:
        """Of the table, its speed taken out."""
        predicted = np.array([p.predicted.value for p in self.promises], dtype=float)
        return error_of(predicted, np.array([p.levelled for p in self.promises]))

    def as_json(self) -> dict[str, Any]:
        """Numbers, network by network."""
        return {
            "supernet": self.supernet,
            "table": self.table,
            "device": dict(self.device),
            "networks": [p.as_json() for p in self.promises],
            "within": self.within,
            "of": self.of,
            "speed": self.speed,
            "mape": Measurement(self.error.mape, "%", "measured").as_dict(),
            "interrupted": self.interrupted,
        }

    def as_tables(self) -> list[Row]:
        """For the terminal."""
        measured = ["measured\nms, mean", "at the\ntable's speed"]
        columns = ["", "promised\nms, 80 %", *measured, "within"]
        rows = [
            [
                str(number),
                with_ends(p.predicted),
                _with_half(p.seen),
                f"{p.levelled:.4g}",
                {True: "yes", False: "no", None: "nothing promised"}[p.kept],
            ]
            for number, p in enumerate(self.promises, 1)
        ]
        return [("\n".join(self._title()), columns, rows)]

    def _title(self) -> Iterator[str]:
        yield f"networks of {self.supernet}, as latency@{self.table} promised them and measured now"
        said = f"{self.within} of {len(self.promises)} means within"
        if self.within is None:
            said = f"no interval is promised: the table knows fewer than {FEWEST} networks"
        off = f"the table is off by {self.error.mape:.2g} %"
        if self.speed is None:
            yield f"{said}; {off}, the device's speed included: the table has no reference"
        else:
            now = f"the device takes {100 * self.speed:.0f} % of what it took for the table"
            yield f"{said}; {now}; that taken out, {off}"
        if len(self.promises) < self.of:
            why = "interrupted" if self.interrupted else "the device ran no more passes"
            yield f"{why}: {len(self.promises)} of {self.of} networks"


def _with_half(row: OwnRow) -> str:
    half = "" if row.half_width is None else f" ± {row.half_width:.2g}"
    return f"{row.mean:.4g}{half}"


def run_promises(context: JobContext, options: LutOptions, device: Device) -> PromisesResult:
    """Measure networks beside the reference of a table of ours, and hold it to its promise.

    Raises:
        UsageError: no table of ours, another device, or another supernet's run.
        InputError: a file is broken, or the device is gone.
        KeyboardInterrupt: before anything was measured.
    """
    ((name, path),) = latency_tables(options.lut).items()
    table = _own(TableFolder.open(path, name))
    described = device.describe()
    _compare(context, table, described)
    supernet = context.host.supernet(options.supernet).as_built()
    archs = _asked(options, supernet)
    priced = PricedOptions(supernet=options.supernet, lut=(f"{name}={path}",))
    (model,) = cost_models(context, priced, supernet, [f"latency@{name}"]).values()
    promised = measurements(model, archs)
    seen, interrupted = _measured(context, options, device, table, supernet, archs)
    promises = [
        Promise(arch, found, seen[key], table.reference)
        for arch, found in zip(archs, promised, strict=True)
        if (key := arch_key(arch)) in seen
    ]
    return PromisesResult(supernet.name, name, described, promises, len(archs), interrupted)


def _asked(options: LutOptions, supernet: Supernet) -> list[Arch]:
    """Distinct networks of a run or of a file, in its order."""
    if options.run is not None:
        return [c.arch for c in read_front(options.run, supernet)]
    assert options.archs is not None
    file = read_archs(options.archs, supernet)
    return list(dict.fromkeys(file.supernet.space.decode(file.genes)))


def _measured(
    context: JobContext,
    options: LutOptions,
    device: Device,
    table: OwnTable,
    supernet: Supernet,
    archs: Sequence[Arch],
) -> tuple[Mapping[str, OwnRow], bool]:
    """Key -> what a network took, beside the reference of the table; and whether it was stopped."""
    effort = Effort(precision=options.precision, least=options.least, most=options.most)
    sizes, nothing = [int(size) for size in table.rows], Needed({}, {}, {})
    plan = Plan(supernet.at(sizes), nothing, None, archs, effort, table.batch)
    of = {"table": table.made, "device": dict(device.describe()), "effort": plain(effort)}
    kept = Kept(context.out, of, context.resume, lambda: begun(context))
    seen, interrupted = kept.found[NETWORKS], False
    try:
        if not all(arch_key(arch) in seen for arch in archs):
            measure_all(context, device, plan, kept)
    except KeyboardInterrupt:
        interrupted = bool(seen)
        if not interrupted:
            raise
    if not seen:
        raise InputError(f"{options.device} ran none of them: a recording has ended")
    return seen, interrupted


def _own(folder: TableFolder) -> OwnTable:
    if folder.own is None:
        raise UsageError(
            f"{folder.path} holds a published table: it promises nothing of this device",
            advice="--measured FILE compares it with latencies that are known",
        )
    return folder.own


def _compare(context: JobContext, table: OwnTable, now: Mapping[str, str]) -> None:
    """Another device cannot keep the promise of one; another version of its software may.

    Raises:
        UsageError: it is another device, or set up in another way.
    """
    for name in {**dict.fromkeys(MADE_BY), **table.device, **now}:
        was, found = table.device.get(name), now.get(name)
        if was == found:
            continue
        if name in MADE_BY:
            raise UsageError(
                f"the table was measured with {name} {was}, not {found}",
                advice="--device, --threads and --mode say where and how to measure",
            )
        context.listener(Notice(f"not as for the table: {name} was {was}, is {found}"))
