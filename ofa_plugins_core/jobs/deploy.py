"""The job ``ofa run deploy``: from bounds on memory to a file that was checked in its runtime.

Search under the bounds, extract, calibrate, export, quantise, run, and ask the runtime's planner.
Where its plan does not fit, the bound on the computed memory is tightened and the search goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from attrs import evolve, field, frozen

from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InfeasibleError, UsageError
from ofa_plugins_core.events import Notice
from ofa_plugins_core.interfaces import ClassedSupernet, Supernet
from ofa_plugins_core.jobs import exporting
from ofa_plugins_core.jobs.bounded import (
    FLASH,
    MEMORY,
    Bounds,
    best_under,
    bounds_of,
    priced,
)
from ofa_plugins_core.jobs.deploy_options import DeployOptions
from ofa_plugins_core.jobs.export import cells, describe, facts, measurements, steps
from ofa_plugins_core.jobs.exporting import Ready, Written
from ofa_plugins_core.jobs.networks import Loaded
from ofa_plugins_core.jobs.planned import Planned, plan_of
from ofa_plugins_core.jobs.results import Item, Row, SearchResult, number
from ofa_plugins_core.values import Measurement

STEPS: Final = ("load", "search", "extract", "calibrate", "export", "quantise", "plan", "done")


@frozen(eq=False)
class Try:
    """One search and what its network came to.

    Attributes:
        cost: the name of the one that bounds what the runtime plans.
        bound: on it, in items; None: on the computed memory alone.
        memory: computed, in items.
        most: the cost's value, in items.
        planned: bytes of activations that the runtime plans.
    """

    cost: str
    bound: int | None
    memory: int
    most: int
    planned: int

    def as_json(self) -> dict[str, Any]:
        """One element of ``tries``."""
        return {
            "bound": None if self.bound is None else f"{self.cost}<={self.bound}",
            MEMORY: {"value": self.memory, "unit": "items", "kind": "computed"},
            self.cost: {"value": self.most, "unit": "items", "kind": "computed"},
            "planned_activations": {"value": self.planned, "unit": "bytes", "kind": "measured"},
        }


@frozen(eq=False)
class Deployed:
    """What was found and written.

    Attributes:
        run: its folder.
        file: the network.
        facts: what it is: supernet, arch, format, data type, weights, runtime, …
        numbers: name -> measurement.
        bounds: name -> bound in the same unit, for those numbers that have one.
        search: how it was found.
        tries: searches until the plan fitted.
        notes: what the user should know.
    """

    run: Path
    file: Path
    facts: Mapping[str, Any]
    numbers: Mapping[str, Measurement]
    bounds: Mapping[str, float]
    search: SearchResult
    tries: Sequence[Try]
    notes: tuple[str, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """As ``--json`` prints it and result.json holds it."""
        return {
            "run": str(self.run),
            "file": str(self.file),
            **self.facts,
            "numbers": {n: self._number(n, m) for n, m in self.numbers.items()},
            "searcher": self.search.searcher,
            "predictor": self.search.predictor,
            "optimal": self.search.optimal,
            "tries": [t.as_json() for t in self.tries],
            "notes": list(self.notes),
        }

    @property
    def most_rows(self) -> int:
        """All numbers are shown."""
        return max(1, len(self.numbers))

    def _number(self, name: str, found: Measurement) -> dict[str, Any]:
        bound = self.bounds.get(name)
        return found.as_dict() | ({} if bound is None else {"bound": bound})

    def as_tables(self) -> list[Row]:
        """For the terminal."""
        said = ("supernet", "format", "dtype", "image_size", "weights", "runtime")
        title = " · ".join([str(self.file), *(str(self.facts[k]) for k in said)])
        found = f"searched by {self.search.searcher}; networks tried: {len(self.tries)}"
        lines = [title, found, *self.notes]
        columns = ("", "value", "bound", "unit", "kind", "source")
        return [("\n".join(lines), columns, [self._cells(n, m) for n, m in self.numbers.items()])]

    def _cells(self, name: str, found: Measurement) -> list[str]:
        shown, value, *rest = cells(name, found)
        bound = self.bounds.get(name)
        return [shown, value, "" if bound is None else number(bound), *rest]


def run_deploy(context: JobContext, options: DeployOptions) -> Deployed:
    """Find, make and check the best network under bounds.

    Raises:
        UsageError, MissingExtraError: the options do not fit together; an extra is missing.
        InfeasibleError: no network meets the bounds, or none that was tried fits as planned.
        InputError: a file is missing or broken, cannot be written, or is not the network.
    """
    exporting.check_options(options)
    folder, name = exporting.place_of(context, options, "deploy")
    if folder.suffix in exporting.ENDINGS.values():
        raise UsageError(f"a deployment is kept in a folder, and {folder} is named like a file")
    if options.tries < 1:
        raise UsageError(f"--tries: expected a whole number from 1 up, found {options.tries}")
    bounds = bounds_of(context, options)
    step = steps(context, STEPS)
    step("search")
    first = best_under(context, options, bounds)  # before weights are looked for
    step("load")
    loaded = exporting.loaded_network(context, options)
    if options.classes is None and _classes(first, loaded.supernet) != loaded.classes:
        options, first = _for_its_classes(context, options, bounds, first, loaded)
    with exporting.filled(folder) as beside, TemporaryDirectory(dir=beside, prefix=".") as trial:
        making = Path(trial) / name
        with exporting.told_as(making, folder / name):
            attempt = _fitting(context, options, loaded, bounds, first, making, step)
        attempt.written.final.path.replace(beside / name)
        result = _result(context, folder, name, options, bounds, attempt)
        describe(beside, attempt.network.arch, result.as_json())
    step("done")
    return result


def _classes(found: SearchResult, supernet: Supernet) -> int:
    """Of the classifier that was priced."""
    return supernet.geometry().blocks(found.items[0].arch)[-1].ops[-1].channels_out


def _for_its_classes(
    context: JobContext,
    options: DeployOptions,
    bounds: Bounds,
    first: SearchResult,
    loaded: Loaded,
) -> tuple[DeployOptions, SearchResult]:
    """Search again with the classifier of the weights, where the supernet can be priced so."""
    if not isinstance(loaded.supernet, ClassedSupernet):
        return options, first
    asked = evolve(options, classes=loaded.classes)
    return asked, best_under(context, asked, bounds)


@frozen(eq=False)
class Attempt:
    """A network that fits, and the way to it."""

    search: SearchResult
    network: Ready
    written: Written
    plan: Planned
    tries: Sequence[Try]


def _fitting(
    context: JobContext,
    options: DeployOptions,
    loaded: Loaded,
    bounds: Bounds,
    found: SearchResult,
    path: Path,
    step: exporting.Step,
) -> Attempt:
    """Make networks under tighter and tighter bounds until the runtime's plan fits.

    Raises:
        InfeasibleError: none of them fits.
    """
    tries: list[Try] = []
    bound: int | None = None
    while True:
        item = found.items[0]
        network = exporting.ready(context, options, loaded, item.arch, step)
        written = exporting.write_file(context, options, network, path, step)
        step("plan")
        plan = plan_of(written.final, network)
        memory, most = (int(item.costs[name].value) for name in (MEMORY, bounds.planned))
        tries.append(Try(bounds.planned, bound, memory, most, plan.activations))
        if bounds.ram is None or plan.activations <= bounds.ram:
            return Attempt(found, network, written, plan, tries)
        if len(tries) >= options.tries:
            raise _nothing_fits(tries, bounds.ram, plan, "a greater --tries may find one")
        bound = _tighter(tries[-1], bounds, len(tries) + 1 == options.tries)
        context.listener(Notice(_too_much(plan, bounds, bound)))
        step("search")
        bound, found = _next(context, options, bounds, bound, tries, plan)


def _tighter(last: Try, bounds: Bounds, final: bool) -> int:
    """In proportion to what its plan has too much; on the last try, where the plan surely fits.

    The cost is above what is planned, so that in proportion it allows more than RAM has.
    """
    assert bounds.ram is not None and bounds.items is not None
    below = last.most * (bounds.ram / last.planned) if not final else bounds.items
    return int(min(below, last.most - 1))


def _too_much(plan: Planned, bounds: Bounds, bound: int) -> str:
    return (
        f"{plan.runtime} plans {plan.activations:,} bytes of activations, {number(bounds.ram)} "
        f"are there: searching again under {bounds.planned}<={bound:,}"
    )


def _next(
    context: JobContext,
    options: DeployOptions,
    bounds: Bounds,
    bound: int,
    tries: Sequence[Try],
    plan: Planned,
) -> tuple[int, SearchResult]:
    """The best under a tighter bound; under the smallest that can be reached, if that is below.

    Raises:
        InfeasibleError: that one was tried.
    """
    try:
        return bound, best_under(context, options, bounds, bound)
    except InfeasibleError as error:
        least = int(error.smallest.get(bounds.planned, 0))
        if not bound < least < min(t.most for t in tries):
            raise _nothing_fits(tries, bounds.ram or 0, plan, None) from error
    try:
        return least, best_under(context, options, bounds, least)
    except InfeasibleError as error:
        raise _nothing_fits(tries, bounds.ram or 0, plan, None) from error


def _nothing_fits(
    tries: Sequence[Try], ram: float, plan: Planned, advice: str | None
) -> InfeasibleError:
    least = min(t.planned for t in tries)
    made = f"of {len(tries)} networks the smallest plan" if len(tries) > 1 else "it"
    return InfeasibleError(
        f"the activations that {plan.runtime} plans do not fit {number(ram)} bytes: {made} takes "
        f"{least:,} bytes; what binds is {plan.binds}",
        smallest={"planned_activations": least, MEMORY: min(t.memory for t in tries)},
        binds=f"--ram {number(ram)} bytes: {plan.binds}",
        advice=advice,
    )


def _result(
    context: JobContext,
    folder: Path,
    name: str,
    options: DeployOptions,
    bounds: Bounds,
    found: Attempt,
) -> Deployed:
    item = found.search.items[0]
    written = exporting.renamed(found.written, folder / name)
    numbers = _numbers(context, options, item, found)
    return Deployed(
        folder,
        folder / name,
        facts(found.network, written),
        numbers,
        bounds.of(numbers),
        found.search,
        found.tries,
        tuple(_notes(options, bounds, found, numbers)),
    )


def _numbers(
    context: JobContext, options: DeployOptions, item: Item, found: Attempt
) -> dict[str, Measurement]:
    """What was predicted, computed and measured, in this order."""
    numbers = {} if item.accuracy is None else {"accuracy": item.accuracy}
    numbers |= priced(context, options, item, found.network.subnet.blocks)
    numbers |= found.plan.measurements()
    return numbers | measurements(found.written)


def _notes(
    options: DeployOptions, bounds: Bounds, found: Attempt, numbers: Mapping[str, Measurement]
) -> list[str]:
    notes = [*found.plan.notes, *found.written.notes]
    size = found.written.final.bytes
    if bounds.flash is not None and size > bounds.flash:
        notes.append(
            f"the file is larger than --flash: {size:,} bytes; its weights fit, the graph's own "
            "description, scales and 32-bit biases come on top"
        )
    priced_bytes = int(found.search.items[0].costs[FLASH].value)
    if priced_bytes != (real := numbers[FLASH].value):
        notes.append(
            f"searched with the classifier of the published network ({priced_bytes:,} bytes of "
            f"weights); with {found.network.loaded.classes} classes it is {real:,}"
        )
    if found.network.loaded.synthetic:
        notes.append("synthetic weights: accuracy and agreement mean nothing")
    elif found.network.loaded.new_head:
        notes.append("the classifier is untrained: accuracy and agreement mean nothing")
    if options.data is None:
        notes.append("compared on random inputs only")
    return notes
