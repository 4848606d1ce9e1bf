"""What Once-for-All's paper claims, for ``ofa reproduce``; what checks it is imported then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ofa_plugins_core import ClaimEntry, Material
from ofa_plugins_core.claims import lazily

WORK: Final = "OFA"
PAPER: Final = "Once-for-All (ICLR 2020)"
TUTORIAL: Final = "the OFA authors' tutorial search (100 networks, 500 generations)"

SPECIALISED: Final = Material(
    "specialised_networks",
    "specialised",
    "the OFA authors' specialised networks: folders NAME with a net.config each, or NAME.json",
    "a folder of https://raw.githubusercontent.com/han-cai/files/master/ofa/ofa_specialized/"
    "NAME/net.config; ofa weights list has the 50 names",
)
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
    yield from _specialised()
    yield from _searches()


def _spaces() -> Iterator[ClaimEntry]:
    room = f"{__name__}.spaces"
    yield ClaimEntry(
        "ofa_networks",
        "roughly 2 x 10^19 networks, each of them usable at 25 image sizes",
        WORK,
        f"{PAPER}, section 3.2",
        lazily(f"{room}:networks"),
        seconds=0.1,
    )
    yield ClaimEntry(
        "ofa_parameters",
        "7.7 million parameters hold all of these networks",
        WORK,
        f"{PAPER}, section 3.2; the published checkpoints of w1.0 and w1.2",
        lazily(f"{room}:parameters"),
        seconds=0.2,
    )


def _specialised() -> Iterator[ClaimEntry]:
    room = f"{__name__}.specialised"
    published = f"{PAPER}, its specialised networks, whose names carry the figures"
    yield ClaimEntry(
        "ofa_mobile_setting",
        "80.0 % top-1 in the mobile setting, under 600 million MACs",
        WORK,
        f"{PAPER}, abstract; its specialised networks of 389, 482 and 595 million MACs",
        lazily(f"{room}:mobile_setting"),
        (SPECIALISED,),
        seconds=2.0,
    )
    yield ClaimEntry(
        "ofa_predictor_order",
        "the accuracy predictor ranks networks as measuring them does",
        WORK,
        f"{PAPER}, section 3.4; the top-1 in the names of its specialised networks",
        lazily(f"{room}:predictor_order"),
        (SPECIALISED, PREDICTOR),
        seconds=6.0,
    )
    yield ClaimEntry(
        "ofa_note10_latency",
        "the specialised networks for the Note10 take 30, 41, 50 and 64 ms",
        WORK,
        published,
        lazily(f"{room}:note10_latency"),
        (SPECIALISED, NOTE10),
        seconds=5.0,
    )
    yield ClaimEntry(
        "ofa_note10_tables",
        "a table of op latencies prices every network at an image size",
        WORK,
        f"{PAPER}, section 3.4; the published tables of the Note10, 96 rows each",
        lazily(f"{__name__}.tables:note10_tables"),
        (NOTE10,),
        seconds=4.0,
    )


def _searches() -> Iterator[ClaimEntry]:
    room = f"{__name__}.searching"
    yield ClaimEntry(
        "ofa_search_flops",
        "evolution finds a network for a bound on MACs that is about as accurate as any",
        WORK,
        TUTORIAL,
        lazily(f"{room}:search_flops"),
        seconds=10.0,
    )
    yield ClaimEntry(
        "ofa_search_note10",
        "evolution finds a network for a bound on the Note10's latency that is about as accurate "
        "as any",
        WORK,
        TUTORIAL,
        lazily(f"{room}:search_note10"),
        (NOTE10,),
        seconds=20.0,
    )
    yield ClaimEntry(
        "ofa_search_promise",
        "what the accuracy predictor promises of the network that is found holds",
        WORK,
        f"{PAPER}, section 3.4; its best network under 600 million MACs: 80.0 %",
        lazily(f"{room}:search_promise"),
        (PREDICTOR,),
        seconds=15.0,
    )
