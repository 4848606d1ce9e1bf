"""Claims of the figures: what a block costs and gains wherever it is forced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from block_profile.claims.asking import other_predictor, profile_of, whose
from block_profile.claims.figures import (
    ACCURACY,
    DEPTH_GAINS,
    KERNELS,
    LEAST_ACCURATE,
    NOTE10_MS,
    RATIOS,
    label,
    listed,
    short,
)
from block_profile.profiling.effects import by_option, by_unit
from block_profile.profiling.profile import Profile
from ofa_plugins_core import Checked, Comparison, JobContext

LATENCY: Final = "latency@note10"
SPREAD_MS: Final = 0.15
"""By which a mean over 20 rows of 100 drawn networks varies from seed to seed."""
LATE: Final = 2
"""Units that gain the most."""


def note10(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """The Note10's panel over all networks, and what a strict rule makes of its first row."""
    table = files["note10_tables"]
    exact: dict[str, Any] = {"exact": True, "num_archs": 0, "depths": False}
    paper = means_of(profile_of(context, lut=table, **exact), LATENCY)
    strict = means_of(profile_of(context, lut=table, rule="strict", **exact), LATENCY)
    return Checked(
        [
            *(
                Comparison(short(block), paper[block], ms, "ms", "predicted", within=SPREAD_MS)
                for block, ms in NOTE10_MS.items()
            ),
            *(
                Comparison(f"{short(block)}, always active", strict[block], None, "ms", "predicted",
                           "shown")
                for block in (label(6, kernel) for kernel in KERNELS)
            ),
        ],
        "Sums of the table's rows, means over all networks in closed form, under the published "
        f"code's rule. The published means are drawn: by 100 networks a row they vary by "
        f"{SPREAD_MS} ms. Where a forced block is always active the large ones cost more.",
    )  # fmt: skip


def accuracy(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """The order of blocks by accuracy; values are another predictor's."""
    found = means_of(profile_of(context, predictor=files["mit_predictor"]), "accuracy")
    least = frozenset(sorted(found, key=found.__getitem__)[: len(LEAST_ACCURATE)])
    return Checked(
        [
            Comparison("ratios, each block before any of the next", ratios(found),
                       ratios(ACCURACY), kind="predicted"),
            Comparison("four least accurate", listed(least), listed(LEAST_ACCURATE),
                       kind="predicted"),
            *(
                Comparison(short(block), found[block], top1, "%", "predicted", "shown")
                for block, top1 in ACCURACY.items()
            ),
        ],
        f"By {whose(files)}, 100 networks a row. The paper evaluated in a way of its own that it "
        "does not state, so that orders are held against each other, and values only shown.",
        chosen=other_predictor(files),
    )  # fmt: skip


def depths(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """What the largest depth adds to the smallest, unit by unit."""
    profile = profile_of(context, predictor=files["mit_predictor"])
    gains = [unit.gain or 0.0 for unit in by_unit(profile, "accuracy")]
    pairs = enumerate(zip(gains, DEPTH_GAINS, strict=True))
    return Checked(
        [
            Comparison("units that gain the most, from 0", most(gains), most(DEPTH_GAINS),
                       kind="predicted"),
            *(
                Comparison(f"unit {number}", ours, theirs, "points", "predicted", "shown")
                for number, (ours, theirs) in pairs
            ),
        ],
        f"Mean accuracy at four layers less that at two. By {whose(files)}; which one the paper "
        "evaluated with is not stated, so that values are only shown.",
        chosen=other_predictor(files),
    )  # fmt: skip


def means_of(profile: Profile, metric: str) -> dict[str, float]:
    """Block -> mean over the places that it is forced at."""
    return {effect.label: effect.mean for effect in by_option(profile, metric)}


def ratios(means: Mapping[str, float]) -> str:
    """Expand ratios from the most accurate on; ``mixed`` where their blocks are not apart."""
    blocks = {ratio: [means[label(ratio, kernel)] for kernel in KERNELS] for ratio in RATIOS}
    order = sorted(blocks, key=lambda ratio: -max(blocks[ratio]))
    apart = all(min(blocks[a]) > max(blocks[b]) for a, b in pairwise(order))
    return ", ".join(f"e{ratio}" for ratio in order) if apart else "mixed"


def most(gains: Sequence[float]) -> str:
    """The units that gain the most, in their order."""
    best = sorted(range(len(gains)), key=lambda unit: -gains[unit])[:LATE]
    return ", ".join(map(str, sorted(best)))
