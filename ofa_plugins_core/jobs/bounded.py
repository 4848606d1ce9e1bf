"""Bounds on memory, and the best network under them: the search inside ``ofa run deploy``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from attrs import frozen

from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InfeasibleError, UsageError
from ofa_plugins_core.geometry import Block
from ofa_plugins_core.jobs.choosing import cost_models
from ofa_plugins_core.jobs.deploy_options import DeployOptions
from ofa_plugins_core.jobs.options import PricedOptions, SearchOptions
from ofa_plugins_core.jobs.results import Item, SearchResult
from ofa_plugins_core.jobs.search import run_search
from ofa_plugins_core.values import DTYPE_BYTES, BoundRange, Measurement, parse_constraint

MEMORY: Final = "peak_memory_liveness"
PLANNED: Final = {
    ("onnx", "fp32"): "peak_memory_planned_onnxruntime",
    ("onnx", "int8"): "peak_memory_planned_onnxruntime_int8",
    ("executorch", "fp32"): "peak_memory_planned_executorch",
    ("executorch", "int8"): "peak_memory_planned_cortex_m",
}
"""(format, data type) -> the cost that bounds what the runtime plans."""
FLASH: Final = "weight_bytes"
BESIDE: Final = "peak_memory"
"""MOOFA's number stands beside: without the residual during the project convolution."""


@frozen
class Bounds:
    """What the device has.

    Attributes:
        ram, flash: bytes, or None.
        bytes_each: of an item.
        planned: name of the cost that bounds what the runtime plans.
    """

    ram: float | None
    flash: float | None
    bytes_each: int
    planned: str

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
        _size("ram", options.ram),
        _size("flash", options.flash),
        DTYPE_BYTES[options.dtype],
        PLANNED[options.format, options.dtype],
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
    context: JobContext, options: DeployOptions, bounds: Bounds, planned: int | None = None
) -> SearchResult:
    """The best network as it is built, under all bounds.

    Args:
        planned: a further bound, on the cost that bounds the runtime's plan, in items.

    Raises:
        InfeasibleError: there is none.
    """
    limits = [] if bounds.items is None else [f"{MEMORY}<={bounds.items}"]
    if planned is not None:
        limits.append(f"{bounds.planned}<={planned}")
    if bounds.flash is not None:
        limits.append(f"{FLASH}<={bounds.flash:.15g}")
    asked = SearchOptions(
        supernet=options.supernet,
        cost=(MEMORY, FLASH, bounds.planned),
        constraint=(*limits, *options.constraint),
        lut=options.lut,
        lut_as=options.lut_as,
        as_built=True,
        dtype=options.dtype,
        classes=options.classes,
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


def priced(
    context: JobContext, options: DeployOptions, item: Item, blocks: Sequence[Block]
) -> dict[str, Measurement]:
    """The costs of a network that was found, those that bound first.

    Args:
        blocks: of the network as it was built: with as many classes as it really has.
    """
    found, each = dict(item.costs), DTYPE_BYTES[options.dtype]
    items = found.pop(MEMORY)
    in_bytes = Measurement(
        items.value * each, "bytes", items.kind, f"{each} × items, as {options.dtype}"
    )
    return {
        MEMORY: items,
        f"{MEMORY}_bytes": in_bytes,
        BESIDE: _evaluated(context, options, item, BESIDE),
        **found,
        **sums(blocks, options.dtype),
    }


def _evaluated(context: JobContext, options: DeployOptions, item: Item, name: str) -> Measurement:
    asked = PricedOptions(supernet=options.supernet, as_built=True, classes=options.classes)
    supernet = context.host.supernet(options.supernet)
    model = cost_models(context, asked, supernet, [name])[name]
    return Measurement(int(model.evaluate([item.arch])[0]), model.unit, model.kind, model.source)


def sums(blocks: Sequence[Block], dtype: str) -> dict[str, Measurement]:
    """What a network's blocks add up to, from the closed forms.

    Args:
        dtype: of its weights.
    """
    ops = [op for block in blocks for op in block.ops]
    params = sum(op.params for op in ops)
    source = f"all parameters as {dtype}"
    return {
        FLASH: Measurement(params * DTYPE_BYTES[dtype], "bytes", "computed", source),
        "params": Measurement(params, "count", "computed"),
        "flops": Measurement(sum(op.macs for op in ops), "MACs", "computed"),
    }
