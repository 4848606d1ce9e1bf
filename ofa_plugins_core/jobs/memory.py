"""The job ``ofa run memory``: definitions of peak memory beside what planners really allot.

Definitions are computed on the network that is really extracted. Plans are measured: the planner
makes them on this machine. torch is imported when something is planned, and not before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from attrs import frozen

from ofa_plugins_core.entries import JobContext, Plugins
from ofa_plugins_core.errors import MissingExtraError, UsageError
from ofa_plugins_core.events import Notice, Progress
from ofa_plugins_core.interfaces import BuildableSupernet, CostModel, Supernet
from ofa_plugins_core.jobs.comparing import Compared, Defined, compared
from ofa_plugins_core.jobs.cost import History, HistoryCost
from ofa_plugins_core.jobs.memory_options import PLANNERS, MemoryOptions
from ofa_plugins_core.jobs.networks import buildable, chosen_archs, needs_torch
from ofa_plugins_core.jobs.results import Row, number
from ofa_plugins_core.nn.planners.record import Plan, PlanType
from ofa_plugins_core.values import Arch

PREFIX: Final = "peak_memory"
DRAWN: Final = "peak_memory_liveness"


@frozen(eq=False)
class ArchMemory:
    """One architecture: every definition, every plan.

    Attributes:
        arch: it.
        defined: name of a definition -> its value, with the op of its peak.
        compared: each plan, beside the definitions that it exceeds, and why.
        history: (block, op, items) by liveness, for the chart.
    """

    arch: Arch
    defined: Mapping[str, Defined]
    compared: Sequence[Compared]
    history: History = ()

    def as_json(self) -> dict[str, Any]:
        """Bytes and items, each with its unit and kind."""
        return {
            "arch": self.arch.as_dict(),
            "definitions": {name: d.as_json() for name, d in self.defined.items()},
            "plans": [c.as_json() for c in self.compared],
        }


@frozen(eq=False)
class MemoryResult:
    """What ``ofa run memory`` prints."""

    supernet: str
    found: Sequence[ArchMemory]
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """130 where it was interrupted."""
        return 130 if self.interrupted else 0

    @property
    def most_rows(self) -> int:
        """All of them."""
        return 10_000

    def as_json(self) -> list[dict[str, Any]]:
        """An object an architecture."""
        return [{"supernet": self.supernet, **found.as_json()} for found in self.found]

    def as_tables(self) -> list[Row]:
        """For the terminal: definitions, plans, and what differs."""
        tables: list[Row] = []
        for count, found in enumerate(self.found, start=1):
            title = f"{self.supernet}, architecture {count}, {found.arch.image_size} pixels"
            tables += [_definitions(title, found), _plans(found)]
            tables += [_explained(c) for c in found.compared]
        return tables


def _definitions(title: str, found: ArchMemory) -> Row:
    rows = [
        [
            name,
            "" if d.bytes("int8") is None else number(d.bytes("int8")),
            "" if d.bytes("fp32") is None else number(d.bytes("fp32")),
            d.place,
            d.source,
        ]
        for name, d in found.defined.items()
    ]
    columns = ["definition", "int8\nbytes\ncomputed", "fp32\nbytes\ncomputed", "its peak", ""]
    return (title, columns, rows)


def _plans(found: ArchMemory) -> Row:
    rows = [
        [
            c.plan.planner,
            c.plan.dtype,
            number(c.plan.activations),
            "in it" if c.plan.scratch is None else number(c.plan.scratch),
            "" if c.bound is None else number(c.bound[1]),
            ", ".join(n.removeprefix("peak_memory_") for n in c.understated) or "none",
            c.plan.version,
        ]
        for c in found.compared
    ]
    columns = [
        "planner",
        "data\ntype",
        "activations\nbytes\nmeasured",
        "scratch\nbytes\nmeasured",
        "its bound\nbytes\ncomputed",
        "definitions\nbelow it",
        "version",
    ]
    return ("planned", columns, rows)


def _explained(found: Compared) -> Row:
    plan = found.plan
    return (
        f"{plan.planner} {plan.dtype} at its peak: {found.where}",
        ["alive there", "bytes", "why"],
        [[what, number(size), why] for what, size, why in found.reasons],
    )


def run_memory(context: JobContext, options: MemoryOptions) -> MemoryResult:
    """Compare definitions of peak memory with plans, architecture by architecture.

    An interruption keeps what was found until then.

    Raises:
        MissingExtraError: torch, or a planner that was asked for, is not installed.
        UsageError: an unknown supernet, one without a network in torch, or no architectures.
        InputError: a file is missing or broken.
    """
    needs_torch("planning memory")
    supernet = context.host.supernet(options.supernet)
    archs = chosen_archs(context, options, supernet)
    if options.plot is not None and len(archs) != 1:
        raise UsageError(f"--plot shows one architecture; there are {len(archs)}")
    found: list[ArchMemory] = []
    planning = Planning(context, options, buildable(supernet))
    try:
        for done, arch in enumerate(archs):
            context.listener(Progress("architectures", done, len(archs)))
            found.append(_of(context, supernet, arch, planning.plans(arch)))
    except KeyboardInterrupt:
        if not found:
            raise
        return MemoryResult(supernet.name, found, interrupted=True)
    return MemoryResult(supernet.name, found)


def _of(context: JobContext, supernet: Supernet, arch: Arch, plans: Sequence[Plan]) -> ArchMemory:
    built = supernet.as_built()
    models = definitions(context.host, built)
    histories = {n: m.history(arch) for n, m in models.items() if isinstance(m, HistoryCost)}
    defined = {n: _defined(m, arch, histories.get(n, ())) for n, m in models.items()}
    blocks = built.geometry().blocks(arch)
    found = [compared(plan, defined, blocks) for plan in plans]
    return ArchMemory(arch, defined, found, histories.get(DRAWN, ()))


def definitions(host: Plugins, supernet: Supernet) -> dict[str, CostModel]:
    """Every definition of peak memory that any plugin offers, by name; the default comes first."""
    names = sorted(e.name for e in host.entries("cost_models") if e.name.startswith(PREFIX))
    return {name: host.cost_model(name).build(supernet) for name in names}


def _defined(model: CostModel, arch: Arch, history: History) -> Defined:
    value = model.evaluate([arch])[0].item()
    block, op, _ = max(history, key=lambda entry: entry[2], default=("", "", 0))
    place = f"{block}, {op}" if block else ""
    return Defined(value, model.unit, place, model.source or "", getattr(model, "bounds", None))


class Planning:
    """The elastic network, built once, and the planners that are there."""

    def __init__(
        self, context: JobContext, options: MemoryOptions, supernet: BuildableSupernet
    ) -> None:
        self._listener = context.listener
        self._asked = options.planner
        self._planners = options.planner or PLANNERS
        self._dtypes: tuple[PlanType, ...] = (options.dtype,) if options.dtype else ("fp32", "int8")
        self._net = supernet.build()
        self._missing: set[str] = set()

    def plans(self, arch: Arch) -> list[Plan]:
        """All that can be had of one architecture."""
        subnet = self._net.extract(arch)
        ways: dict[str, Callable[..., Iterator[Plan]]] = {
            "onnxruntime": self._onnx_runtime,
            "executorch": self._executorch,
            "torch": self._torch,
        }
        found: list[Plan] = []
        for planner in self._planners:
            if planner not in self._missing:
                found += self._tried(planner, ways[planner], subnet, arch.image_size)
        return found

    def _tried(
        self, planner: str, way: Callable[..., Iterator[Plan]], subnet: Any, size: int
    ) -> list[Plan]:
        """What a planner gives; one that is not installed is told once, unless it was asked for."""
        found: list[Plan] = []
        try:
            for plan in way(subnet, size):
                found.append(plan)
        except MissingExtraError as error:
            if planner in self._asked:
                raise
            self._missing.add(planner)
            self._listener(Notice(f"no plan of {planner}: {error.message}; {error.advice}"))
        return found

    def _onnx_runtime(self, subnet: Any, size: int) -> Iterator[Plan]:
        from ofa_plugins_core.nn.planners.exporting import float_file, int8_file
        from ofa_plugins_core.nn.planners.onnx_runtime import onnx_runtime_plan

        with TemporaryDirectory() as folder:
            written = float_file(subnet, size, Path(folder) / "fp32.onnx")
            if "fp32" in self._dtypes:
                yield onnx_runtime_plan(written)
            if "int8" in self._dtypes:
                yield onnx_runtime_plan(int8_file(written, size, Path(folder) / "int8.onnx"))

    def _executorch(self, subnet: Any, size: int) -> Iterator[Plan]:
        from ofa_plugins_core.nn.planners.executorch import executorch_plan

        for dtype in self._dtypes:
            yield executorch_plan(subnet, size, dtype)

    def _torch(self, subnet: Any, size: int) -> Iterator[Plan]:
        from ofa_plugins_core.nn.planners.torch_cpu import torch_plan

        if "fp32" in self._dtypes:
            yield torch_plan(subnet, size)
