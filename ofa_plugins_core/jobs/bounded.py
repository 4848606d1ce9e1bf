"""Bounds on memory, and the best network under them: the search inside ``ofa run deploy``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import frozen

from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InfeasibleError, UsageError
from ofa_plugins_core.jobs.choosing import cost_models
from ofa_plugins_core.jobs.deploy_options import DeployOptions
from ofa_plugins_core.jobs.options import PricedOptions, SearchOptions
from ofa_plugins_core.jobs.results import Item, SearchResult
from ofa_plugins_core.jobs.search import run_search
from ofa_plugins_core.values import DTYPE_BYTES, BoundRange, Measurement, parse_constraint

MEMORY: Final = "peak_memory_liveness"
FLASH: Final = "weight_bytes"
BESIDE: Final = ("peak_memory", "params", "flops")
"""Reported, too. The first is MOOFA's number: without the residual during the projection."""


@frozen
class Bounds:
    """What the device has.

    Attributes:
        ram, flash: bytes, or None.
        bytes_each: of an item.
    """

    ram: float | None
    flash: float | None
    bytes_each: int

    @property
    def items(self) -> int | None:
        """Of ``ram``."""
        return None if self.ram is None else int(self.ram // self.bytes_each)

    def of(self, names: Iterable[str]) -> dict[str, float]:
        """Name of a number -> the bound that it has to keep."""
        known = {
            MEMORY: self.items,
            f"{MEMORY}_bytes": self.ram,
            "planned_activations": self.ram,
            FLASH: self.flash,
        }
        return {n: bound for n in names if (bound := known.get(n)) is not None}


def bounds_of(context: JobContext, options: DeployOptions) -> Bounds:
    """The bounds in bytes.

    Raises:
        UsageError: they cannot be read, or there are none.
    """
    if options.ram is None and options.flash is None and not options.constraint:
        raise UsageError(
            "deploy needs a bound", advice="--ram 320KB, --flash 1MB, or --constraint BOUND"
        )
    for text in options.constraint:
        if isinstance(parse_constraint(text, options.dtype), BoundRange):
            raise UsageError(f"deploy makes one network; {text!r} is a range of bounds")
    return Bounds(
        _size("ram", options.ram), _size("flash", options.flash), DTYPE_BYTES[options.dtype]
    )


def _size(name: str, text: str | None) -> float | None:
    """A size as bounds are written: 320KB, 256KiB, 1e6."""
    if text is None:
        return None
    found = parse_constraint(f"--{name}<={text}", bytes_unit=lambda name: True)
    if isinstance(found, BoundRange) or not found.bound > 0:
        raise UsageError(f"--{name}: expected a size above 0, for example 320KB, found {text!r}")
    return found.bound


def best_under(
    context: JobContext, options: DeployOptions, bounds: Bounds, items: int | None
) -> SearchResult:
    """The best network as it is built, under all bounds.

    Args:
        items: bound on the computed memory.

    Raises:
        InfeasibleError: there is none.
    """
    limits = [] if items is None else [f"{MEMORY}<={items}"]
    if bounds.flash is not None:
        limits.append(f"{FLASH}<={bounds.flash:.15g}")
    asked = SearchOptions(
        supernet=options.supernet,
        cost=(MEMORY, FLASH),
        constraint=(*limits, *options.constraint),
        lut=options.lut,
        lut_as=options.lut_as,
        as_built=True,
        dtype=options.dtype,
        predictor=options.predictor,
        predictor_weights=options.predictor_weights,
        dataset=options.dataset,
        searcher=options.searcher,
        resolutions=options.resolutions,
    )
    try:
        return run_search(context, asked)
    except InfeasibleError as error:
        raise _explained(error, bounds) from error


def _explained(error: InfeasibleError, bounds: Bounds) -> InfeasibleError:
    """With what the flags have to do with the costs."""
    said = []
    if MEMORY in error.smallest and bounds.ram is not None:
        least = error.smallest[MEMORY] * bounds.bytes_each
        said.append(f"--ram bounds {MEMORY}: from {least:,.0f} bytes up")
    if FLASH in error.smallest and bounds.flash is not None:
        said.append(f"--flash bounds {FLASH}: from {error.smallest[FLASH]:,.0f} bytes up")
    return InfeasibleError(
        error.message,
        smallest=error.smallest,
        binds=error.binds,
        advice="; ".join([*said, *([error.advice] if error.advice else [])]) or None,
    )


def priced(context: JobContext, options: DeployOptions, item: Item) -> dict[str, Measurement]:
    """The costs of a network that was found, as it is built; those that bound first."""
    bounding = dict(item.costs)
    items, each = bounding.pop(MEMORY), DTYPE_BYTES[options.dtype]
    return {
        MEMORY: items,
        f"{MEMORY}_bytes": Measurement(
            items.value * each, "bytes", items.kind, f"{each} × items, as {options.dtype}"
        ),
        **bounding,
        **_beside(context, options, item),
    }


def _beside(context: JobContext, options: DeployOptions, item: Item) -> dict[str, Measurement]:
    asked = PricedOptions(supernet=options.supernet, as_built=True)
    models = cost_models(context, asked, context.host.supernet(options.supernet), BESIDE)
    return {
        name: Measurement(int(m.evaluate([item.arch])[0]), m.unit, m.kind, m.source)
        for name, m in models.items()
        if name not in item.costs
    }
