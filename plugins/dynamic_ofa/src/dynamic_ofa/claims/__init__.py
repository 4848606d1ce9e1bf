"""What Dynamic-OFA claims, for ``ofa reproduce``: entries alone; a check is loaded to run it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ofa_plugins_core import ClaimEntry, Material
from ofa_plugins_core.claims import lazily

WORK: Final = "Dynamic-OFA"
PAPER: Final = "Lou, Xun et al., CVPRW 2021, arXiv 2105.03596"
AUTHORS: Final = "from the authors' https://github.com/UoS-EEC/DynamicOFA"

CANDIDATES: Final = Material(
    "candidates_63",
    "dynamic_ofa/candidates_63.json",
    "the 63 measured candidates of the FLOPs search",
    f'{AUTHORS}; as JSON: {{"points": [[top-1 %, MFLOPs], …]}}',
)
NETS_6: Final = Material(
    "nets_6",
    "dynamic_ofa/nets_6.pickle",
    "level table of six networks, a pickle",
    f"{AUTHORS}, folder runtime_demo/time",
)
NETS_7: Final = Material(
    "nets_7",
    "dynamic_ofa/nets_7.pickle",
    "level table of seven networks, a pickle",
    f"{AUTHORS}, folder runtime_demo/runtime_adjustment",
)
GPU_TABLES: Final = Material(
    "jetson_gpu_tables",
    "lut/jetson_gpu",
    "latency tables of the Jetson Xavier NX's GPU: a folder of SIZE_lookup_table.json",
    f"{AUTHORS}, folder optimal_search/latency/checkpoints/latency_table@jetson_GPU",
)
CPU_TABLES: Final = Material(
    "jetson_cpu_tables",
    "lut/jetson_cpu",
    "latency tables of the Jetson Xavier NX's CPU: a folder of SIZE_lookup_table.json",
    f"{AUTHORS}, folder optimal_search/latency/checkpoints/latency_table@jetson",
)


def entries() -> Iterator[ClaimEntry]:
    """Every claim."""
    yield from _headline()
    yield from _offline()
    yield from _tables()
    yield from _run_time()


def _headline() -> Iterator[ClaimEntry]:
    yield ClaimEntry(
        "dynamic_ofa_faster",
        "at similar accuracy up to 3.5 times (CPU) and 2.4 times (GPU) faster than AutoSlim",
        WORK,
        f"{PAPER}, abstract and figures",
        lazily("dynamic_ofa.claims.headline:faster"),
    )
    yield ClaimEntry(
        "dynamic_ofa_more_accurate",
        "at similar latency 3.8 (CPU) and 5.1 (GPU) points more accurate than AutoSlim",
        WORK,
        f"{PAPER}, abstract and figures",
        lazily("dynamic_ofa.claims.headline:more_accurate"),
    )


def _offline() -> Iterator[ClaimEntry]:
    yield ClaimEntry(
        "dynamic_ofa_filter",
        "of 63 candidates that were measured again, 27 are left on the Pareto front",
        WORK,
        f"{PAPER}, offline stage; published candidates",
        lazily("dynamic_ofa.claims.offline:filtered"),
        needs=(CANDIDATES,),
    )
    yield ClaimEntry(
        "dynamic_ofa_levels",
        "six networks of 74.2 to 79.0 % at 48.8 to 79.5 ms on the GPU are switched between",
        WORK,
        f"{PAPER}, figure of the GPU; published table nets_6",
        lazily("dynamic_ofa.claims.offline:figure"),
        needs=(NETS_6,),
    )
    yield ClaimEntry(
        "dynamic_ofa_level_tables",
        "level tables of six and seven networks, each with its own batch norm statistics",
        WORK,
        "published tables nets_6 and nets_7",
        lazily("dynamic_ofa.claims.offline:tables"),
        needs=(NETS_6, NETS_7),
    )


def _tables() -> Iterator[ClaimEntry]:
    yield ClaimEntry(
        "dynamic_ofa_latency_rows",
        "the search's latency tables were measured on the Jetson Xavier NX",
        WORK,
        f"{PAPER}, offline stage; published tables jetson_gpu and jetson_cpu",
        lazily("dynamic_ofa.claims.latency:copied"),
        needs=(GPU_TABLES, CPU_TABLES),
    )
    yield ClaimEntry(
        "dynamic_ofa_latency_sums",
        "the sum of a network's rows in the GPU's table is its latency there",
        WORK,
        f"{PAPER}, offline stage; published tables jetson_gpu and nets_6",
        lazily("dynamic_ofa.claims.latency:gpu_sums"),
        needs=(NETS_6, GPU_TABLES),
    )
    yield ClaimEntry(
        "dynamic_ofa_cpu_search",
        "the search finds levels from 0.50 s on for the CPU",
        WORK,
        f"{PAPER}, figure of the CPU; published table jetson_cpu and search",
        lazily("dynamic_ofa.claims.latency:cpu_search"),
        needs=(CPU_TABLES,),
    )


def _run_time() -> Iterator[ClaimEntry]:
    yield ClaimEntry(
        "dynamic_ofa_demo",
        "at a limit of 60 ms, as a training job starts, it goes 77.5, 76.1, 74.9 %: levels 3, 2, 1",
        WORK,
        f"{PAPER}, demonstration",
        lazily("dynamic_ofa.claims.replayed:demo"),
        needs=(NETS_6,),
    )
    yield ClaimEntry(
        "dynamic_ofa_commit",
        "a level given up right after stepping up to it is not tried again: it settles",
        WORK,
        f"{PAPER}, run-time rules",
        lazily("dynamic_ofa.claims.replayed:commit"),
    )
    yield ClaimEntry(
        "dynamic_ofa_switch",
        "levels are switched between at run time, each with its own batch norm statistics: nothing "
        "is trained or calibrated then",
        WORK,
        f"{PAPER}, run time; the published program's own times",
        lazily("dynamic_ofa.claims.switching:switch"),
        seconds=30.0,
    )
