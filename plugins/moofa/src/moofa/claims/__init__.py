"""What MOOFA's paper claims, for ``ofa reproduce``; what checks a claim is imported then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ofa_plugins_core import ClaimEntry, Material
from ofa_plugins_core.claims import lazily

WORK: Final = "MOOFA"
PAPER: Final = "MOOFA (2024), arXiv 2409.05900"
TABLE: Final = f"{PAPER}, table 1"

REPOSITORY: Final = (
    "from the public repository of MOOFA's authors, "
    "https://github.com/MaximeGirard/memory-optimized-once-for-all"
)
"""As the paper's abstract has it."""
LINE: Final = '{"arch": {"ks": […], "e": […], "d": […], "image_size": 160}, "top1": 74.2'
SEARCH: Final = "a run of its published search (20 networks, 20 generations)"
COLUMNS: Final = {
    "ofa": ("MIT OFA", "ofa_mbv3_w1.0"),
    "compofa": ("CompOFA", "compofa_elastic"),
    "moofa": ("MOOFA", "moofa_v3"),
}
"""Column of table 1, as claims are named -> its title, and its supernet."""


def records_of(supernet: str) -> Material:
    """Published accuracies of a supernet's networks."""
    return Material(
        f"records_{supernet}",
        f"accuracy/{supernet}.jsonl",
        f"accuracies of networks of {supernet}, measured on ImageNet by MOOFA's authors",
        f"{REPOSITORY}, as JSON, a network a line: {LINE}}}, in percent",
    )


def predictor_of(supernet: str, file: str) -> Material:
    """A published accuracy predictor."""
    return Material(
        f"predictor_{supernet}",
        f"predictors/{file}",
        f"MOOFA's authors' accuracy predictor of {supernet}",
        f"{REPOSITORY}: {file}",
    )


ALL_RECORDS: Final = Material(
    "records",
    "accuracy",
    "accuracies and peak memory of networks, a file SUPERNET.jsonl each (on Imagenette: "
    "imagenette_SUPERNET.jsonl), as many files as you have",
    f"{REPOSITORY}, as JSON, a network a line: {LINE}, "
    '"peak_memory": 410368}, in percent and items',
)
MOOFA_PREDICTOR: Final = predictor_of("moofa_v3", "MC_OFA_acc.pth.tar")
OFA_PREDICTOR: Final = predictor_of("ofa_mbv3_w1.0", "MIT_OFA_acc.pth.tar")
COMPOFA_PREDICTOR: Final = predictor_of("compofa_elastic", "CompOFA_acc.pth.tar")


def entries() -> Iterator[ClaimEntry]:
    """Every claim."""
    yield from _memory()
    yield from _table()
    yield from _leads()
    yield from _predictors()
    yield from _searches()


def _memory() -> Iterator[ClaimEntry]:
    room = f"{__name__}.memory"
    yield ClaimEntry(
        "moofa_widths",
        "widths that keep each stage's peak memory constant: 3, 8, 24, 96, 288, 360, 384, 392, 392",
        WORK,
        f"{PAPER}, width schedule",
        lazily(f"{room}:widths"),
        seconds=0.1,
    )
    yield ClaimEntry(
        "moofa_constant_memory",
        "at e = 4 all of its stages need nearly the same memory, 696,192 items at most",
        WORK,
        f"{PAPER}, width schedule; table 1 under 700k",
        lazily(f"{room}:constant"),
        seconds=0.2,
    )
    yield ClaimEntry(
        "moofa_v1_smallest",
        "V1's smallest network needs 448,512 items: nothing of it fits in 400k",
        WORK,
        f"{PAPER}, ablation of the expand ratios",
        lazily(f"{room}:smallest"),
        seconds=0.3,
    )
    yield ClaimEntry(
        "moofa_peak_memory",
        "peak memory is the largest input, output and weights of a convolution: "
        "of every published network",
        WORK,
        f"{PAPER}, memory model; the authors' published records",
        lazily(f"{__name__}.records:peaks"),
        (ALL_RECORDS,),
        seconds=2.0,
    )


def _table() -> Iterator[ClaimEntry]:
    room = f"{__name__}.table"
    for part, (label, supernet) in COLUMNS.items():
        yield ClaimEntry(
            f"moofa_table1_{part}",
            f"{label}'s top-1 under eight bounds on peak memory, 325k to 800k items",
            WORK,
            f"{TABLE}, column {label}",
            lazily(f"{room}:column_{part}"),
            seconds=2.0,
        )
        yield ClaimEntry(
            f"moofa_table1_{part}_peaks",
            f"the peak memory of {label}'s networks under these bounds",
            WORK,
            f"{TABLE}, column {label}",
            lazily(f"{room}:peaks_{part}"),
            seconds=0.5,
        )
        yield ClaimEntry(
            f"moofa_table1_{part}_records",
            f"under these bounds no network of {label}'s was measured to be more accurate",
            WORK,
            f"{TABLE}, column {label}, beside the authors' published records",
            lazily(f"{__name__}.sampled:column_{part}"),
            (records_of(supernet),),
            seconds=1.0,
        )


def _leads() -> Iterator[ClaimEntry]:
    room = f"{__name__}.leading"
    yield ClaimEntry(
        "moofa_tight_memory",
        "under 325k to 400k items MOOFA is more accurate than OFA and CompOFA",
        WORK,
        f"{TABLE}, 325k to 400k",
        lazily(f"{room}:tight"),
        seconds=2.0,
    )
    yield ClaimEntry(
        "moofa_tight_records",
        "under 325k to 400k items MOOFA is more accurate than both, in measured networks, too",
        WORK,
        f"{TABLE}, 325k to 400k, beside the authors' published records",
        lazily(f"{room}:tight_records"),
        tuple(records_of(supernet) for _, supernet in COLUMNS.values()),
        seconds=2.0,
    )
    yield ClaimEntry(
        "moofa_wide_memory",
        "with more memory OFA leads at 450k, 500k and 600k items, MOOFA at 700k and 800k",
        WORK,
        f"{TABLE}, 450k to 800k",
        lazily(f"{room}:wide"),
        seconds=2.0,
    )
    yield ClaimEntry(
        "moofa_readme_400k",
        "OFA reaches 73.34 % under 400k items",
        WORK,
        f"README of Memory-Constant OFA, MOOFA's earlier name; {TABLE} has 70.98 %",
        lazily(f"{__name__}.table:readme"),
        seconds=1.0,
    )


def _predictors() -> Iterator[ClaimEntry]:
    room = f"{__name__}.predictors"
    for part, supernet, predictor, tau in (
        ("ofa", "ofa_mbv3_w1.0", OFA_PREDICTOR, "0.902"),
        ("compofa", "compofa_elastic", COMPOFA_PREDICTOR, "0.875"),
        ("moofa", "moofa_v3", MOOFA_PREDICTOR, "0.938"),
    ):
        yield ClaimEntry(
            f"moofa_predictor_{part}",
            f"the accuracy predictor of {supernet} orders networks as measuring them does: "
            f"Kendall τ {tau}",
            WORK,
            f"{PAPER}, its published predictor on its held-out fifth",
            lazily(f"{room}:kept_{part}"),
            (records_of(supernet), predictor),
            seconds=6.0,
        )
    yield ClaimEntry(
        "moofa_predictor_promise",
        "what the published predictors promise of the networks that a search finds holds",
        WORK,
        f"{PAPER}, its published search and predictors; the best top-1 of {TABLE}",
        lazily(f"{room}:promise"),
        (MOOFA_PREDICTOR, OFA_PREDICTOR),
        seconds=30.0,
    )


def _searches() -> Iterator[ClaimEntry]:
    room = f"{__name__}.searching"
    yield ClaimEntry(
        "moofa_search_400k",
        "evolution finds a network of OFA's under 400k items that is about as accurate as any",
        WORK,
        f"{PAPER}, its search; {SEARCH}",
        lazily(f"{room}:search_400k"),
        seconds=2.0,
    )
    yield ClaimEntry(
        "moofa_search_325k",
        "in V3's space 3.6 in 10,000 random networks fit in 325k items: drawing them takes long",
        WORK,
        f"{PAPER}, its search; {SEARCH}",
        lazily(f"{room}:search_325k"),
        seconds=5.0,
    )
