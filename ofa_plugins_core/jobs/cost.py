"""The job ``ofa run cost``: costs of architectures in a file; of one, its memory op by op."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol, runtime_checkable

from attrs import frozen

from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.geometry import Block
from ofa_plugins_core.interfaces import CostModel, Supernet
from ofa_plugins_core.jobs.archfiles import read_archs
from ofa_plugins_core.jobs.choosing import cost_models, notices_of, priced_supernet
from ofa_plugins_core.jobs.options import CostOptions
from ofa_plugins_core.jobs.results import Row, number, sources, with_ends
from ofa_plugins_core.pricing import measurements
from ofa_plugins_core.structural import Structural
from ofa_plugins_core.values import Arch, ArchLike, Measurement, Number

DEFAULT_COSTS: Final = ("params", "flops", "peak_memory")
History = Sequence[tuple[str, str, int]]


@runtime_checkable
class HistoryCost(Protocol, metaclass=Structural):
    """A cost that knows what each op needs."""

    def history(self, arch: ArchLike) -> History:
        """(block, op, amount) of every op that counts, in the order in which they run."""


@frozen(eq=False)
class Details:
    """More on one architecture.

    Attributes:
        arch: it.
        blocks: of its network.
        histories: cost -> its history, for the costs that have one.
    """

    arch: Arch
    blocks: tuple[Block, ...]
    histories: Mapping[str, History]


@frozen(eq=False)
class CostResult:
    """What ``ofa run cost`` prints.

    Attributes:
        supernet: by name.
        costs: an element an architecture, in the order of the file: name -> measurement.
        details: where there is one architecture.
    """

    supernet: str
    costs: Sequence[Mapping[str, Measurement]]
    details: Details | None = None

    @property
    def most_rows(self) -> int | None:
        """A history is shown whole."""
        return None if self.details is None else 10_000

    def as_json(self) -> list[dict[str, Number]]:
        """Plain numbers, an object an architecture."""
        return [{name: m.value for name, m in row.items()} for row in self.costs]

    def as_rows(self) -> list[dict[str, Number]]:
        """Of front.csv."""
        return self.as_json()

    def as_tables(self) -> list[Row]:
        """For the terminal."""
        if self.details is None:
            names = [f"{n}\n{m.unit}\n{m.kind}" for n, m in self.costs[0].items()]
            cells = [[with_ends(m) for m in row.values()] for row in self.costs]
            rows = [[str(i), *found] for i, found in enumerate(cells, start=1)]
            title = "\n".join([self.supernet, *sources(self.costs[0])])
            return [(title, ["", *names], rows)]
        facts = [
            [name, with_ends(m), m.unit, m.kind, m.source or ""]
            for name, m in self.costs[0].items()
        ]
        first = (self.supernet, ["cost", "value", "unit", "kind", "source"], facts)
        return [first, *(_history_table(n, h) for n, h in self.details.histories.items())]


def _history_table(name: str, history: History) -> Row:
    peak = max((amount for _, _, amount in history), default=0)
    rows = [
        [block, op, number(amount), "peak" if amount == peak else ""]
        for block, op, amount in history
    ]
    return (f"{name}, op by op", ["block", "op", "items", ""], rows)


def run_cost(context: JobContext, options: CostOptions) -> CostResult:
    """Price the architectures of a file.

    Raises:
        UsageError: an unknown supernet or cost.
        InputError: the file is missing or broken; names the line.
    """
    found = read_archs(options.archs, context.host.supernet(options.supernet))
    names = options.cost or DEFAULT_COSTS
    models = cost_models(context, options, found.supernet, names)
    for notice in notices_of(models):
        context.listener(notice)
    columns = {n: measurements(m, found.genes) for n, m in models.items()}
    costs = [{n: c[row] for n, c in columns.items()} for row in range(len(found.genes))]
    details = None
    if len(found.genes) == 1:
        details = _details(
            options, found.supernet, found.supernet.space.decode(found.genes)[0], models
        )
    return CostResult(found.supernet.name, costs, details)


def _details(
    options: CostOptions, supernet: Supernet, arch: Arch, models: Mapping[str, CostModel]
) -> Details:
    priced = priced_supernet(options, supernet)
    histories = {n: m.history(arch) for n, m in models.items() if isinstance(m, HistoryCost)}
    return Details(arch, priced.geometry().blocks(arch), histories)
