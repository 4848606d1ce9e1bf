"""What CompOFA's paper claims, for ``ofa reproduce``; what checks a claim is imported then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ofa_plugins_core import ClaimEntry, Material
from ofa_plugins_core.claims import lazily

WORK: Final = "CompOFA"
PAPER: Final = "CompOFA (ICLR 2021)"

NOTE10: Final = Material(
    "note10_tables",
    "lut/note10",
    "latency of each layer on the Samsung Note10, SIZE_lookup_table.yaml each",
    "a folder of https://raw.githubusercontent.com/han-cai/files/master/ofa/note10/"
    "160_lookup_table.yaml and so on, 160 to 224 in steps of 4",
)


MOOFA: Final = (
    "the public repository of MOOFA's authors, "
    "https://github.com/MaximeGirard/memory-optimized-once-for-all"
)
"""As the abstract of their paper has it: arXiv 2409.05900."""


def records_of(supernet: str) -> Material:
    """Published accuracies of a supernet's networks, as MOOFA's authors measured them."""
    return Material(
        f"records_{supernet}",
        f"accuracy/{supernet}.jsonl",
        f"accuracies of networks of {supernet}, measured on ImageNet by MOOFA's authors",
        f"from {MOOFA}, as JSON, a network a line: "
        '{"arch": {"ks": […], "e": […], "d": […], "image_size": 160}, "top1": 74.2}, in percent',
    )


RECORDS: Final = (records_of("compofa_elastic"), records_of("ofa_mbv3_w1.0"))


def entries() -> Iterator[ClaimEntry]:
    """Every claim."""
    yield _networks()
    yield from _training()
    yield _search()
    yield from _population()


def _networks() -> ClaimEntry:
    return ClaimEntry(
        "compofa_networks",
        "coupling depth and expand ratio leaves 243 networks with fixed kernels, where "
        "Once-for-All has more than 10^19",
        WORK,
        f"{PAPER}, section 3; Once-for-All (ICLR 2020), section 3",
        lazily(f"{__name__}.space:networks"),
        seconds=0.1,
    )


def _training() -> Iterator[ClaimEntry]:
    yield ClaimEntry(
        "compofa_training_hours",
        "training takes half of Once-for-All's GPU hours",
        WORK,
        f"{PAPER}, abstract and cost of training: 493.5 against 978.3 GPU hours",
        lazily(f"{__name__}.training:hours"),
        seconds=0.1,
    )
    yield ClaimEntry(
        "compofa_training_dollars",
        "training costs $1.2k, and Once-for-All's $2.4k",
        WORK,
        f"{PAPER}, cost of training",
        lazily(f"{__name__}.training:dollars"),
        seconds=0.1,
    )
    yield ClaimEntry(
        "compofa_training_co2",
        "training emits 128 lb of CO2, and Once-for-All's 277 lb",
        WORK,
        f"{PAPER}, cost of training",
        lazily(f"{__name__}.training:co2"),
        seconds=0.1,
    )


def _search() -> ClaimEntry:
    return ClaimEntry(
        "compofa_search",
        "the search for a list of targets is 216 times as fast as Once-for-All's",
        WORK,
        f"{PAPER}, abstract: 75 s against 4.5 h",
        lazily(f"{__name__}.search:search"),
        (NOTE10,),
        seconds=25.0,
    )


def _population() -> Iterator[ClaimEntry]:
    yield ClaimEntry(
        "compofa_best",
        "under each latency of the Note10 CompOFA's most accurate network is at least as accurate "
        "as Once-for-All's",
        WORK,
        f"{PAPER}, abstract: without loss of Pareto optimality",
        lazily(f"{__name__}.population:best"),
        (*RECORDS, NOTE10),
        seconds=4.0,
    )
    yield ClaimEntry(
        "compofa_parity",
        "nowhere does Once-for-All's Pareto front of accuracy against latency lie above CompOFA's",
        WORK,
        f"{PAPER}, abstract: without loss of Pareto optimality",
        lazily(f"{__name__}.population:parity"),
        (*RECORDS, NOTE10),
        seconds=4.0,
    )
    yield ClaimEntry(
        "compofa_average",
        "at equal latency CompOFA's networks are on average 0.6 to 0.8 points more accurate",
        WORK,
        f"{PAPER}, read off a figure: at equal Note10 latency",
        lazily(f"{__name__}.population:average"),
        (*RECORDS, NOTE10),
        seconds=8.0,
    )
    yield ClaimEntry(
        "compofa_density",
        "CompOFA's networks lie denser near the Pareto front",
        WORK,
        f"{PAPER}, population of the design space",
        lazily(f"{__name__}.population:density"),
        (*RECORDS, NOTE10),
        seconds=8.0,
    )
