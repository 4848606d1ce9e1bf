"""A population from a file of measured accuracies: its networks, priced."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen

from compofa.population.comparing import Cloud, Values
from compofa.population.options import PopulationOptions
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.events import Notice
from ofa_plugins_core.interfaces import CostModel, Supernet
from ofa_plugins_core.jobs.choosing import cost_models, notices_of
from ofa_plugins_core.jobs.options import PricedOptions
from ofa_plugins_core.jobs.records import files_of, measured, read_records
from ofa_plugins_core.measured import Measured
from ofa_plugins_core.values import RESOLUTION, Genes


@frozen(eq=False)
class Population:
    """Measured networks of one supernet, at the image sizes that are compared.

    Attributes:
        supernet: at these image sizes.
        genes: (n, genes) of its space; top1: (n,) percent.
        cost: (n,) by the model. model: of the cost.
        records: in the file, of all image sizes.
        repeated: records that repeat a network and were averaged.
    """

    supernet: Supernet
    genes: Genes
    top1: Values
    cost: Values
    model: CostModel
    records: int
    repeated: int

    @property
    def cloud(self) -> Cloud:
        """For comparing."""
        sizes = np.array(self.supernet.resolutions)[self.genes[:, RESOLUTION]]
        return Cloud(self.cost, self.top1, sizes)

    def arch(self, row: int) -> dict[str, Any]:
        """One network as an exchange dict."""
        return self.supernet.space.decode(self.genes[row : row + 1])[0].as_dict()


@frozen(eq=False)
class _Read:
    """A file as it was read, before it is known which image sizes can be compared."""

    supernet: Supernet
    found: Measured
    records: int

    @property
    def sizes(self) -> set[int]:
        """Image sizes of its networks."""
        return set(self.found.space.resolutions)

    def at(self, sizes: Sequence[int]) -> tuple[Supernet, Genes, Values]:
        """The networks of these image sizes, over the supernet at these."""
        theirs = np.array(self.found.space.resolutions)[self.found.genes[:, RESOLUTION]]
        rows = np.flatnonzero(np.isin(theirs, sizes))
        genes = self.found.genes[rows].copy()
        genes[:, RESOLUTION] = np.searchsorted(np.array(sizes), theirs[rows])
        return self.supernet.at(sizes), genes, self.found.top1[rows]


def populations(
    context: JobContext, options: PopulationOptions
) -> tuple[Population, Population, dict[int, str]]:
    """Both populations at the image sizes that both have and that the cost can price.

    Returns:
        Ours, theirs, and each image size that is left out with the reason.

    Raises:
        UsageError: not two of them are given, or nothing is left to compare.
        InputError: a file cannot be read, or a record is not of its supernet.
    """
    read = [_read(context, text) for text in options.records]
    if len(read) != 2:
        raise UsageError(
            f"two populations are compared, and {len(read)} given",
            advice="--records SUPERNET=FILE, twice: what is compared, and to what",
        )
    left_out = _lacking(options, read)
    sizes = _sizes(options, read, left_out)
    priced = [_priced(context, options, one.supernet.at(sizes)) for one in read]
    for model in priced:
        known = getattr(model, "resolutions", sizes)
        left_out |= {s: f"{model.name} has no table for it" for s in sizes if s not in known}
    kept = [s for s in sizes if s not in left_out]
    if not kept:
        raise UsageError(f"nothing is left to compare: {_said(left_out)}")
    if left_out:
        context.listener(Notice(f"left out: {_said(left_out)}"))
    ours, theirs = (_population(context, options, one, kept) for one in read)
    for notice in dict.fromkeys(notices_of({"ours": ours.model, "theirs": theirs.model})):
        context.listener(notice)
    return ours, theirs, left_out


def _read(context: JobContext, text: str) -> _Read:
    name, equals, file = text.partition("=")
    if not name or not equals or not file:
        raise UsageError(
            f"cannot read --records {text!r}",
            advice="write --records SUPERNET=FILE, for example compofa_elastic=measured.jsonl",
        )
    supernet = context.host.supernet(name)
    records = [r for part in files_of(Path(file)) for r in read_records(part)]
    return _Read(supernet, measured(supernet.space, records), len(records))


def _lacking(options: PopulationOptions, read: Sequence[_Read]) -> dict[int, str]:
    """Image sizes of which only one population has networks."""
    found = {}
    for one, other in (read, read[::-1]):
        for size in sorted(one.sizes - other.sizes):
            found[size] = f"no record of {other.supernet.name} is of that size"
    asked = options.resolutions
    return {s: why for s, why in found.items() if asked is None or s in asked}


def _sizes(
    options: PopulationOptions, read: Sequence[_Read], left_out: dict[int, str]
) -> list[int]:
    """Image sizes of both, or those of them that were asked for.

    Raises:
        UsageError: there are none.
    """
    both = sorted(read[0].sizes & read[1].sizes)
    asked = both if options.resolutions is None else sorted(set(options.resolutions))
    found = [s for s in asked if s in both]
    if not found:
        have = "; ".join(f"{r.supernet.name}: {', '.join(map(str, sorted(r.sizes)))}" for r in read)
        raise UsageError(f"no image size can be compared: the records are of {have}")
    missing = {s: "neither file has records of it" for s in asked if s not in both}
    left_out.update({s: why for s, why in missing.items() if s not in left_out})
    return found


def _priced(context: JobContext, options: PopulationOptions, supernet: Supernet) -> CostModel:
    priced = PricedOptions(supernet=supernet.name, lut=options.lut, lut_as=options.lut_as)
    return cost_models(context, priced, supernet, [options.cost])[options.cost]


def _population(
    context: JobContext, options: PopulationOptions, read: _Read, sizes: Sequence[int]
) -> Population:
    supernet, genes, top1 = read.at(sizes)
    model = _priced(context, options, supernet)
    cost = np.asarray(model.evaluate(genes), dtype=float)
    repeated = read.found.repeated
    return Population(supernet, genes, top1, cost, model, read.records, repeated)


def _said(left_out: dict[int, str]) -> str:
    return "; ".join(f"{size} px ({why})" for size, why in sorted(left_out.items()))
