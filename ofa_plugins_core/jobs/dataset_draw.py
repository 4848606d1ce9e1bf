"""Which networks predictor data is measured on, and what they cost: no torch in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from ofa_plugins_core.bounds import Constraint, parse_constraint
from ofa_plugins_core.chain import largest, smallest
from ofa_plugins_core.entries import JobContext, SamplerEntry
from ofa_plugins_core.errors import UnknownNameError, UsageError
from ofa_plugins_core.events import Notice
from ofa_plugins_core.interfaces import CostModel, Ranged, Sampler, SeparableCost, Supernet
from ofa_plugins_core.jobs.archfiles import read_archs
from ofa_plugins_core.jobs.choosing import cost_models, sampler_of
from ofa_plugins_core.jobs.dataset_options import DatasetOptions
from ofa_plugins_core.jobs.options import PricedOptions
from ofa_plugins_core.jobs.sampling import ranges_of, sampled
from ofa_plugins_core.values import Arch, Genes, whole

COSTS: Final = ("params", "flops", "peak_memory")
"""Written beside each accuracy."""
BALANCED: Final = "balanced"
USUAL: Final = 2000
MOST: Final = 100_000
MOOFA: Final = (250_000.0, 800_000.0)
"""Items of peak memory between which MOOFA's data sets were drawn."""
MOOFA_RANGES: Final = 15
DRAWING: Final = ("n", "sampler", "balance", "ranges", "low", "high", "resolutions")
"""Options that say how to draw."""


@frozen(eq=False)
class Drawn:
    """Distinct networks, in the order in which they were drawn.

    Attributes:
        supernet: at the image sizes of the networks.
        archs: each once.
        asked: so many were drawn, repeated ones among them.
        costs: of each network, by name, in the cost's unit.
        units: of the costs.
        balance: the cost whose ranges were filled, or None.
        edges: (ranges + 1,) the ends of the ranges; the first includes its start.
    """

    supernet: Supernet
    archs: Sequence[Arch]
    asked: int
    costs: Sequence[Mapping[str, int | float]]
    units: Mapping[str, str]
    balance: str | None = None
    edges: NDArray[np.float64] = field(factory=lambda: np.zeros(0))

    @property
    def key(self) -> str:
        """A checksum of the networks and their order."""
        text = "\n".join(json.dumps(a.as_dict()) for a in self.archs)
        return f"{len(self.archs):,} networks, {hashlib.sha256(text.encode()).hexdigest()[:12]}"

    def range_of(self, number: int) -> int | None:
        """In which range network ``number`` (from 0) lies; None without ranges."""
        if self.balance is None:
            return None
        place = np.searchsorted(self.edges, self.costs[number][self.balance], side="left")
        return int(np.clip(place - 1, 0, len(self.edges) - 2))


def draw(context: JobContext, options: DatasetOptions) -> Drawn:
    """Draw the networks that were asked for, or read them.

    Raises:
        UsageError: options that do not fit together, a cost that cannot be balanced, an
            impossible number.
        InputError: the file of architectures is missing or broken.
    """
    supernet = context.host.supernet(options.supernet)
    if options.archs is not None:
        given = [name for name in DRAWING if getattr(options, name) is not None]
        if given:
            raise UsageError(f"--archs names the networks: --{given[0]} has nothing to draw")
        file = read_archs(options.archs, supernet)
        return _described(context, options, file.supernet, file.genes, None)
    if options.resolutions is not None:
        supernet = supernet.at(options.resolutions)
    count = USUAL if options.n is None else options.n
    if not 1 <= count <= MOST:
        raise UsageError(f"--n: expected 1 to {MOST:,}, found {count}")
    entry = _entry(context, options)
    sampler = _sampler(context, options, supernet, entry)
    edges = ranges_of(entry, sampler)
    generator = np.random.Generator(np.random.PCG64(context.seed))
    drawn = sampled(entry, sampler, supernet.space, count, generator)
    # In an order by chance: what is measured of an interrupted run fills all ranges alike.
    genes = generator.permutation(drawn)
    return _described(context, options, supernet, genes, _Filled.by(sampler, edges))


@frozen(eq=False)
class _Filled:
    """Ranges of a cost that a sampler has filled."""

    cost: CostModel
    edges: NDArray[np.float64]

    @classmethod
    def by(cls, sampler: Sampler, edges: NDArray[np.float64]) -> _Filled | None:
        """Those of a sampler; None where it fills none."""
        return cls(sampler.cost, edges) if isinstance(sampler, Ranged) else None


def _priced(options: DatasetOptions) -> PricedOptions:
    return PricedOptions(supernet=options.supernet, lut=options.lut, lut_as=options.lut_as)


def _entry(context: JobContext, options: DatasetOptions) -> SamplerEntry:
    try:
        return context.host.sampler(options.sampler or BALANCED)
    except UnknownNameError as error:
        if options.sampler is None:
            error.advice = "it comes with the plugin moofa; without it: --sampler uniform"
        raise


def _sampler(
    context: JobContext, options: DatasetOptions, supernet: Supernet, entry: SamplerEntry
) -> Sampler:
    _check_ranges(options, entry)
    if entry.cost is None:
        return sampler_of(context, entry, supernet, _priced(options))
    given: dict[str, Any] = {entry.cost: _cost(options)}
    given["ranges"] = MOOFA_RANGES if options.ranges is None else options.ranges
    if {"low", "high"} <= _fields(entry):
        given |= _ends(context, options, supernet)
    return sampler_of(context, entry, supernet, _priced(options), given)


def _check_ranges(options: DatasetOptions, entry: SamplerEntry) -> None:
    """What is asked of ranges is for samplers whose options have it.

    Raises:
        UsageError: names a flag that the sampler could only ignore.
    """
    asked = {flag: getattr(options, flag) for flag in ("balance", "ranges", "low", "high")}
    flags = [flag for flag, value in asked.items() if value is not None]
    if flags and entry.cost is None:
        raise UsageError(f"--{flags[0]}: the sampler {entry.name} fills no ranges of a cost")
    for flag in flags:
        if flag != "balance" and flag not in _fields(entry):
            raise UsageError(
                f"--{flag}: the sampler {entry.name} has no option {flag!r}",
                advice=f"its options: {', '.join(sorted(_fields(entry)))}",
            )


def _fields(entry: SamplerEntry) -> set[str]:
    return {f.name for f in attrs.fields(entry.options) if f.init}


def _cost(options: DatasetOptions) -> str:
    return options.balance or "peak_memory"


def _ends(
    context: JobContext, options: DatasetOptions, supernet: Supernet
) -> dict[str, float | None]:
    """Where the ranges begin and end: as asked, as MOOFA's, or None for the supernet's own."""
    low, high = (
        None if text is None else _number(name, text)
        for name, text in (("low", options.low), ("high", options.high))
    )
    if _cost(options) != "peak_memory" or low is not None or high is not None:
        return {"low": low, "high": high}
    model = cost_models(context, _priced(options), supernet, ["peak_memory"])["peak_memory"]
    assert isinstance(model, SeparableCost)
    tables = [model.separable(size) for size in supernet.resolutions]
    least = float(min(smallest(supernet.space, t)[0] for t in tables))
    most = float(max(largest(supernet.space, t)[0] for t in tables))
    if min(most, MOOFA[1]) - max(least, MOOFA[0]) >= (MOOFA[1] - MOOFA[0]) / 2:
        return {"low": MOOFA[0], "high": MOOFA[1]}
    sizes = f"{min(supernet.resolutions)} to {max(supernet.resolutions)} pixels"
    context.listener(
        Notice(
            f"at {sizes} {supernet.name} has a peak memory of {least:,.0f} to {most:,.0f} items, "
            "not MOOFA's 250,000 to 800,000: its own least and most are the ends of the ranges"
        )
    )
    return {"low": least, "high": most}


def _number(name: str, text: str) -> float:
    """``250k`` -> 250000.0, read as bounds are."""
    try:
        found = parse_constraint(f"{name}<={text}")
    except UsageError as error:
        raise UsageError(f"--{name}: {error.message}", advice=error.advice) from error
    if not isinstance(found, Constraint):
        raise UsageError(f"--{name}: expected one number, found {text!r}")
    return found.bound


def _described(
    context: JobContext,
    options: DatasetOptions,
    supernet: Supernet,
    genes: Genes,
    filled: _Filled | None,
) -> Drawn:
    """Each network once, with its costs."""
    _, first = np.unique(genes, axis=0, return_index=True)
    distinct = genes[np.sort(first)]
    if len(distinct) < len(genes):
        context.listener(
            Notice(f"{len(genes) - len(distinct)} draws repeat a network: each is measured once")
        )
    models = dict(cost_models(context, _priced(options), supernet, COSTS))
    if filled is not None:
        models.setdefault(filled.cost.name, filled.cost)
    columns = {name: model.evaluate(distinct).tolist() for name, model in models.items()}
    return Drawn(
        supernet,
        supernet.space.decode(distinct),
        len(genes),
        [{n: whole(c[i]) for n, c in columns.items()} for i in range(len(distinct))],
        {name: model.unit for name, model in models.items()},
        None if filled is None else filled.cost.name,
        np.zeros(0) if filled is None else filled.edges,
    )
