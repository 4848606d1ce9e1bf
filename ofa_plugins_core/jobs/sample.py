"""The job ``ofa run sample``: architectures drawn by a sampler, as JSON lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from attrs import frozen

from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.jobs.choosing import sampler_of
from ofa_plugins_core.jobs.options import PricedOptions, SampleOptions
from ofa_plugins_core.jobs.results import Row
from ofa_plugins_core.jobs.sampling import sampled
from ofa_plugins_core.values import Arch

MOST: Final = 2_000_000


@frozen(eq=False)
class SampleResult:
    """What ``ofa run sample`` prints."""

    supernet: str
    archs: Sequence[Arch]

    def as_json(self) -> list[dict[str, Any]]:
        """Exchange dicts: a file of them is what --archs reads."""
        return [arch.as_dict() for arch in self.archs]

    def as_tables(self) -> list[Row]:
        """For the terminal."""
        keys = list(self.as_json()[0])
        rows = [[str(arch[k]) for k in keys] for arch in self.as_json()]
        return [(f"{self.supernet}: --json prints what --archs reads", keys, rows)]


def run_sample(context: JobContext, options: SampleOptions) -> SampleResult:
    """Draw architectures.

    Raises:
        UsageError: an unknown supernet or sampler, or an impossible number.
        PluginError: what was drawn is no sample.
    """
    if not 1 <= options.n <= MOST:
        raise UsageError(f"--n: expected 1 to {MOST:,}, found {options.n}")
    supernet = context.host.supernet(options.supernet)
    if options.resolutions is not None:
        supernet = supernet.at(options.resolutions)
    entry = context.host.sampler(options.sampler)
    priced = PricedOptions(supernet=options.supernet, lut=options.lut)
    sampler = sampler_of(context, entry, supernet, priced)
    generator = np.random.Generator(np.random.PCG64(context.seed))
    genes = sampled(entry, sampler, supernet.space, options.n, generator)
    return SampleResult(supernet.name, supernet.space.decode(genes))
