"""The job ``ofa run shortlist``."""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import field, frozen

from ofa_plugins_core import JobContext, UsageError


@frozen
class RankOptions:
    """The flags of ``ofa run shortlist``."""

    supernet: str = field(metadata={"help": "name, alias or YAML file"})
    cost: str = field(default="traffic", metadata={"help": "what to rank by"})
    count: int = field(default=5, metadata={"help": "how many networks"})


def run(context: JobContext, options: RankOptions) -> list[dict[str, Any]]:
    """One dict a network, the cheapest first."""
    if options.count < 1:
        raise UsageError(f"--count must be 1 or more, found {options.count}")
    supernet = context.host.supernet(options.supernet)
    cost = context.host.cost_model(options.cost).build(supernet)
    generator = np.random.default_rng(context.seed)
    rows = supernet.space.canonical(supernet.space.sample(options.count, generator))
    costs, archs = cost.evaluate(rows), supernet.space.decode(rows)
    order = np.argsort(costs, kind="stable")
    return [{options.cost: costs[i].item(), "arch": archs[i].as_dict()} for i in order]
