"""What block profiling claims, for ``ofa reproduce``: entries; a check is loaded to run it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ofa_plugins_core import ClaimEntry, Material
from ofa_plugins_core.claims import lazily

WORK: Final = "Block profiling"
PAPER: Final = "Mills et al., CIKM 2021, arXiv 2109.12426"

NOTE10: Final = Material(
    "note10_tables",
    "lut/note10",
    "latency of each layer on the Samsung Note10, SIZE_lookup_table.yaml each",
    "a folder of https://raw.githubusercontent.com/han-cai/files/master/ofa/note10/"
    "160_lookup_table.yaml and so on, 160 to 224 in steps of 4",
)
PREDICTOR: Final = Material(
    "mit_predictor",
    "predictors/mit_mbv3_w1.2.pth",
    "the OFA authors' accuracy predictor of ofa_mbv3_w1.2",
    "https://raw.githubusercontent.com/han-cai/files/master/ofa/acc_predictor.pth under that name",
)


def entries() -> Iterator[ClaimEntry]:
    """Every claim."""
    yield from _spaces()
    yield from _panels()
    yield from _smaller()
    yield from _searches()


def _spaces() -> Iterator[ClaimEntry]:
    yield ClaimEntry(
        "block_profile_combinations",
        "180, 189 and 169 blocks at their places in OFA's MobileNetV3, Proxyless and ResNet-50",
        WORK,
        f"{PAPER}, the profiled spaces",
        lazily("block_profile.claims.spaces:combinations"),
    )
    yield ClaimEntry(
        "block_profile_forced",
        "every network of a row has the block that is forced",
        WORK,
        f"{PAPER}, the method; published code",
        lazily("block_profile.claims.spaces:forced"),
    )


def _panels() -> Iterator[ClaimEntry]:
    yield ClaimEntry(
        "block_profile_note10",
        "on the Note10 a forced block costs 41.14 (e3k3) to 43.41 ms (e6k7), end to end",
        WORK,
        f"{PAPER}, figure of the Note10's latencies, 224 pixels",
        lazily("block_profile.claims.panels:note10"),
        needs=(NOTE10,),
        seconds=4.0,
    )
    yield ClaimEntry(
        "block_profile_accuracy",
        "larger ratios are more accurate; every e3 block and e4k3 are the four least accurate",
        WORK,
        f"{PAPER}, figure of accuracies, 224 pixels",
        lazily("block_profile.claims.panels:accuracy"),
        needs=(PREDICTOR,),
        seconds=4.0,
    )
    yield ClaimEntry(
        "block_profile_depths",
        "late units matter most: four layers instead of two gain the most there",
        WORK,
        f"{PAPER}, figure of depths",
        lazily("block_profile.claims.panels:depths"),
        needs=(PREDICTOR,),
        seconds=4.0,
    )


def _smaller() -> Iterator[ClaimEntry]:
    yield ClaimEntry(
        "block_profile_drop_set",
        "the four least accurate blocks are the ones that the space of maximum accuracy drops",
        WORK,
        f"{PAPER}, figure of accuracies, and reduced spaces",
        lazily("block_profile.claims.rules:drop_set"),
    )
    yield ClaimEntry(
        "block_profile_spaces",
        "five smaller spaces of OFA's MobileNetV3: for NPU, Note10, GPU, CPU and accuracy",
        WORK,
        f"{PAPER}, reduced spaces",
        lazily("block_profile.claims.spaces:five"),
    )
    yield ClaimEntry(
        "block_profile_note10_space",
        "the profile says what a Note10 can do without: e3k7, e4k7, the first unit's last layer",
        WORK,
        f"{PAPER}, reduced spaces",
        lazily("block_profile.claims.rules:note10_space"),
        needs=(NOTE10, PREDICTOR),
        seconds=3.0,
    )


def _searches() -> Iterator[ClaimEntry]:
    yield ClaimEntry(
        "block_profile_max_accuracy",
        "a search without the four least accurate blocks finds 83.79 ± 0.12 % in place of 83.24 ± "
        "0.13",
        WORK,
        f"{PAPER}, search for maximum accuracy, 20 seeds",
        lazily("block_profile.claims.searches:max_accuracy"),
        needs=(PREDICTOR,),
        seconds=15.0,
    )
    yield ClaimEntry(
        "block_profile_note10_front",
        "a search in the Note10's smaller space finds better fronts: 330.3 ± 5.6 against 329.2 ± "
        "4.1",
        WORK,
        f"{PAPER}, Pareto search, hypervolume",
        lazily("block_profile.claims.searches:note10_front"),
        needs=(NOTE10, PREDICTOR),
        seconds=50.0,
    )
