"""Claims about what a profile says can be dropped, by the rules of ``ofa run reduce``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from block_profile.claims.asking import other_predictor, profile_of, whose
from block_profile.claims.figures import ACCURACY, LEAST_ACCURATE, label, listed
from block_profile.profiling.profile import Metric
from block_profile.reducing.accurate import less_accurate
from block_profile.reducing.job import removals_of
from block_profile.reducing.options import ReduceOptions
from block_profile.reducing.removals import Removal
from block_profile.reducing.standings import Match, Standing
from ofa_plugins_core import Checked, Comparison, JobContext

NOTE10_DROPS: Final = frozenset({label(3, 7), label(4, 7), "depth 4"})
"""Of the published Note10 space; the depth is the first unit's."""


def drop_set(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """Our rule on the published means."""
    metric = Metric("accuracy", "%", "published", "the paper's figure", "higher")
    means = [
        Standing((("block", number),), name, {metric.name: top1}, {metric.name: 0.0})
        for number, (name, top1) in enumerate(ACCURACY.items())
    ]
    match = [Match((), "mean of 20 places", tuple(means))]
    least = less_accurate(match, metric, count=len(LEAST_ACCURATE))
    published = listed(LEAST_ACCURATE)
    return Checked(
        [
            Comparison("four least accurate", _what(least), published, kind="published"),
            Comparison(
                "below the mean of all nine",
                _what(less_accurate(match, metric)),
                published,
                kind="published",
            ),
        ],
        "Arithmetic on the published means. The second is the rule of ofa run reduce --rule "
        "accurate --by option, which needs no number of blocks to drop.",
    )


def note10_space(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """Our rules on a profile of accuracy and the Note10's latency."""
    profile = profile_of(
        context, predictor=files["mit_predictor"], lut=files["note10_tables"], exact=True
    )
    options = ReduceOptions(profile=Path(), by="option")
    removals = removals_of(context, profile, options)
    depths = [removal.where for removal in removals if removal.what == "depth 4"]
    return Checked(
        [
            Comparison("dropped, being dominated", _what(removals), listed(NOTE10_DROPS),
                       kind="predicted"),
            Comparison("unit that loses its fourth layer", ", ".join(depths), "unit 0",
                       kind="predicted"),
        ],
        f"The published space was chosen by hand. Here: ofa run reduce --by option, on "
        f"{whose(files)} and the Note10's table.",
        chosen=other_predictor(files),
    )  # fmt: skip


def _what(removals: Sequence[Removal]) -> str:
    return listed({removal.what for removal in removals})
