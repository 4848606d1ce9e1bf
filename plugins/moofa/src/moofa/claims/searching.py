"""How long MOOFA's search takes, and how many networks its bounds leave."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from moofa.claims.memory import peak_tables
from ofa_mit.claims.searching import CHOSEN, Searched, about_the_best, searched, timed
from ofa_plugins_core import Checked, Comparison, JobContext
from ofa_plugins_core.chain import count_within

SMALL: Final = {"evolution": {"population": 20, "generations": 20}}
"""The published search's size."""
DRAWS: Final = 10**6
SHARE: Final = 3.6
"""Uniform draws in 10,000 that fit in 325k, in a run of the published search."""


NOTE: Final = (
    "The published search builds and runs a network to know its peak memory, 0.1 to 0.2 s each; "
    "ours has a closed form. Seconds are shown, not judged. Top-1 by the additive fit that ships, "
    "for both searches. Networks are counted exactly, each once."
)


def search_400k(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """OFA's space under 400k."""
    exact, evolved = _both(context, "ofa_mbv3_w1.0", 400_000)
    rows = [about_the_best(exact, evolved, "400k items"), *timed(exact, evolved, 97.0)]
    return Checked([*rows, *_counts(context, "ofa_mbv3_w1.0", 400_000)], NOTE, CHOSEN)


def search_325k(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """V3's space under 325k: the share of draws that fit."""
    share, error = _share(context, "moofa_v3", 325_000)
    drawn = Comparison(
        f"of 10,000 uniform draws, fit ({DRAWS:,} drawn)",
        share,
        None,
        "",
        "measured",
        within=0.05 + 2 * error,
        against=SHARE,
        beside="a run of the published search",
    )
    rows = [drawn, *timed(*_both(context, "moofa_v3", 325_000), 7200.0)]
    return Checked(
        [*rows, *_counts(context, "moofa_v3", 325_000)],
        f"{NOTE} Tolerance of the share: its last digit, and two standard errors of ours.",
    )


def _both(context: JobContext, supernet: str, bound: int) -> tuple[Searched, Searched]:
    """Exact search's network, and that of evolution of the published size."""
    exact = _searched(context, supernet, bound, "exact")
    return exact, _searched(context, supernet, bound, "evolution")


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
