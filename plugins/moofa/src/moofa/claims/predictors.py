"""MOOFA's published predictors: how they order networks, and what a search makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from moofa.claims.figures import LABELS, best
from ofa_mit.claims.searching import EVOLUTION, published, searched
from ofa_plugins_core import Checked, Comparison, InputError, JobContext
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.jobs.fitting.accuracy import LEAST_IN_ALL
from ofa_plugins_core.jobs.records import measured, read_records
from ofa_plugins_core.measured import HeldOut, Measured, Quality
from ofa_search.additive.features import design, features_of, indicator
from ofa_search.additive.form import Samples
from ofa_search.additive.validation import choose

TAU: Final = {"ofa_mbv3_w1.0": 0.902, "compofa_elastic": 0.875, "moofa_v3": 0.938}
"""Supernet -> Kendall's τ of its published predictor on the fifth that was held out of its fit."""
BIAS: Final = {"compofa_elastic": -0.5}
"""Points, where one is known."""
GAMED: Final = {"moofa_v3": 91.4, "ofa_mbv3_w1.0": 81.0}
"""Supernet -> what the published search promises with the published predictor, percent."""
SIZES: Final = (128, 160, 192, 224)
ROUNDED: Final = 5e-4


def kept_ofa(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """MIT OFA."""
    return _kept(context, files, "ofa_mbv3_w1.0")


def kept_compofa(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """CompOFA."""
    return _kept(context, files, "compofa_elastic")


def kept_moofa(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """MOOFA."""
    return _kept(context, files, "moofa_v3")


def _kept(context: JobContext, files: Mapping[str, Path], name: str) -> Checked:
    """The published network and our fit on the same records."""
    supernet = context.host.supernet(name)
    data = _enough(supernet, files[f"records_{name}"])
    theirs = _published(context, supernet, data, files[f"predictor_{name}"])
    ours = out_of_fold(data)
    tau, unseen = TAU[name], "of our additive fit, five-fold"
    return Checked(
        [
            _judged("Kendall's τ of the published file", theirs.tau, tau),
            _bias(theirs.bias, BIAS.get(name)),
            _shown("RMSE of the published file", theirs.rmse),
            _judged(f"Kendall's τ {unseen}", ours.tau, tau),
            _shown(f"RMSE {unseen}", ours.rmse),
        ],
        f"On {len(data.top1):,} records. Which fifth was held out is not known, so that the "
        "published file has seen most of these, and has to do at least as well as published; our "
        "fit is judged on networks that it has not seen.",
    )


def _enough(supernet: Supernet, file: Path) -> Measured:
    data = measured(supernet.space, read_records(file))
    if len(data.top1) < LEAST_IN_ALL:
        raise InputError(
            f"{file} has {len(data.top1)} distinct networks, too few to judge a predictor: at "
            f"least {LEAST_IN_ALL} are needed"
        )
    return data


def _judged(what: str, tau: float, published: float) -> Comparison:
    return Comparison(what, tau, published, "", "measured", "at least", within=ROUNDED)


def _shown(what: str, rmse: float) -> Comparison:
    return Comparison(what, rmse, None, "points", "measured", "shown")


def _bias(ours: float, published: float | None) -> Comparison:
    what = "bias of the published file"
    if published is None:
        return Comparison(what, ours, None, "points", "measured", "shown")
    return Comparison(what, ours, published, "points", "measured", within=0.05)


def _published(context: JobContext, supernet: Supernet, data: Measured, file: Path) -> Quality:
    moved = supernet.at(data.space.resolutions)
    found = published(context, moved, file).predict(data.genes)
    return HeldOut(found.value, data.top1, found.high - found.value).quality


def out_of_fold(data: Measured) -> Quality:
    """Of the additive form, five-fold; its settings are chosen as ``ofa run fit`` does."""
    bits = design([indicator(data.space, f) for f in features_of(data.space)], data.genes)
    sizes = data.genes[:, 0].astype(np.intp)
    samples = Samples(bits, sizes, data.top1, len(data.space.resolutions))
    predicted = choose(samples).predicted
    return HeldOut(predicted, data.top1, np.zeros(len(predicted))).quality


def promise(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """The published search with the published predictors, without a bound that binds."""
    rows: list[Comparison] = []
    for name, said in GAMED.items():
        file = files[f"predictor_{name}"]
        published(context, context.host.supernet(name).at(SIZES), file)
        found = searched(
            context,
            EVOLUTION,
            supernet=name,
            cost=("peak_memory",),
            constraint=("peak_memory<=100M",),
            searcher="evolution",
            predictor="mlp",
            predictor_weights=file,
            resolutions=SIZES,
        )
        rows += [
            Comparison(
                f"{LABELS[name]}: promised of the network that is found",
                found.top1,
                best(name),
                "%",
                "predicted",
                "at most",
                why="a search finds the networks of which the predictor promises too much: no "
                "measured one reaches this",
            ),
            Comparison(
                f"{LABELS[name]}: the same, by the published search",
                found.top1,
                said,
                "%",
                "predicted",
                "shown",
                why="how theirs got so much further is not known: ours is written after the paper",
            ),
        ]
    return Checked(
        rows,
        "Evolution of 100 networks over 500 generations. The fits that ship end their gains below "
        "a ceiling instead, and results show how many measured networks they rest on.",
    )
