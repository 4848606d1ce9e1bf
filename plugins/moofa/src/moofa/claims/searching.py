"""How long MOOFA's search takes, and how many networks its bounds leave."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from moofa.claims.memory import peak_tables
from ofa_mit.claims.searching import Searched, searched
from ofa_plugins_core import Checked, Comparison, JobContext
from ofa_plugins_core.chain import count_within

SMALL: Final = {"evolution": {"population": 20, "generations": 20}}
"""The published search's size."""
DRAWS: Final = 10**6
SHARE: Final = 3.6
"""Published: uniform draws in 10,000 that fit in 325k."""


def search_400k(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """OFA's space under 400k."""
    rows = _searches(context, "ofa_mbv3_w1.0", 400_000, 97.0)
    return Checked([*rows, *_counts(context, "ofa_mbv3_w1.0", 400_000)], NOTE)


NOTE: Final = (
    "Theirs builds and runs a network to know its peak memory, 0.1 to 0.2 s each; ours has a "
    "closed form. Top-1 by the additive fit that ships, for both searches, so that the last "
    "figure of that row is ours, too. Networks are counted exactly, each once."
)


def search_325k(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """V3's space under 325k, and the share of draws that fit."""
    rows = _searches(context, "moofa_v3", 325_000, 7200.0)
    share, error = _share(context, "moofa_v3", 325_000)
    drawn = Comparison(
        f"of 10,000 uniform draws, fit ({DRAWS:,} drawn)",
        share,
        SHARE,
        "",
        "measured",
        within=0.05 + 2 * error,
    )
    counts = _counts(context, "moofa_v3", 325_000)
    return Checked(
        [*rows, drawn, *counts],
        f"{NOTE} Tolerance of the share: its last digit, and two standard errors of ours.",
    )


def _searches(context: JobContext, supernet: str, bound: int, seconds: float) -> list[Comparison]:
    exact = _searched(context, supernet, bound, "exact")
    evolved = _searched(context, supernet, bound, "evolution")
    return [
        Comparison("exact search", exact.result.seconds, seconds, "s", "measured", "at most"),
        Comparison(
            f"the published evolution, ours, {evolved.result.evaluations:,} networks scored",
            evolved.result.seconds,
            seconds,
            "s",
            "measured",
            "at most",
        ),
        Comparison(
            "top-1 of exact search's network, beside that of evolution's",
            exact.top1,
            evolved.top1,
            "%",
            "predicted",
            "at least",
        ),
    ]


def _searched(context: JobContext, supernet: str, bound: int, searcher: str) -> Searched:
    return searched(
        context,
        {k: v for k, v in SMALL.items() if k == searcher},
        supernet=supernet,
        cost=("peak_memory",),
        constraint=(f"peak_memory<={bound}",),
        searcher=searcher,
    )


def _counts(context: JobContext, name: str, bound: int) -> list[Comparison]:
    """Exact numbers of networks within a bound, for readers; nobody published them."""
    supernet = context.host.supernet(name).at((128, 160, 192, 224))
    return [
        Comparison(
            f"networks that fit, {size} px",
            count_within(supernet.space, [(table, bound)]),
            None,
            relation="shown",
        )
        for size, table in peak_tables(context, supernet).items()
    ]


def _share(context: JobContext, name: str, bound: int) -> tuple[float, float]:
    """Draws in 10,000 that fit, and the standard error of that."""
    supernet = context.host.supernet(name)
    generator = np.random.default_rng(context.seed)
    genes = supernet.space.sample(DRAWS, generator)
    cost = context.host.cost_model("peak_memory").build(supernet)
    share = float((cost.evaluate(genes) <= bound).mean())
    return 1e4 * share, 1e4 * float(np.sqrt(share * (1 - share) / DRAWS))
