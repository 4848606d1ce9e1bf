"""Where the OFA authors' files were published, as data; the files themselves are never shipped.

Addresses come and go: several have died over the years, so each file has those that are known,
the ones that lived longest first. Sizes and hashes were not published.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

from ofa_plugins_core.entries import WeightsEntry

Layout: TypeAlias = Literal["new", "old", "static", "other"]

HUGGING_FACE: Final = "https://huggingface.co/han-cai/ofa/resolve/main"
GITHUB: Final = "https://raw.githubusercontent.com/han-cai/files/master/ofa"
FIRST: Final = "https://hanlab.mit.edu/files/OnceForAll"
PAPER: Final = "Once-for-All (ICLR 2020)"

NETS: Final[tuple[tuple[str, str, Layout], ...]] = (
    ("ofa_mbv3_d234_e346_k357_w1.0", "ofa_mbv3_w1.0", "old"),
    ("ofa_mbv3_d234_e346_k357_w1.2", "ofa_mbv3_w1.2", "old"),
    ("ofa_proxyless_d234_e346_k357_w1.3", "ofa_proxyless_w1.3", "old"),
    ("ofa_resnet50", "ofa_resnet50", "new"),
)
"""The trained supernets: file, supernet, layout."""

PHASES: Final[tuple[tuple[str, Layout, str], ...]] = (
    ("ofa_D4_E6_K7", "static", "the teacher: the largest network, before any elastic phase"),
    ("ofa_D4_E6_K357", "old", "after elastic kernels"),
    ("ofa_D34_E6_K357", "old", "after elastic depth, first phase"),
    ("ofa_D234_E6_K357", "old", "after elastic depth, second phase"),
    ("ofa_D234_E46_K357", "old", "after elastic expand ratios, first phase"),
    ("ofa_D234_E346_K357", "old", "after elastic expand ratios, second phase: the last"),
)
"""What ofa_mbv3_w1.0 was after each phase of its training: file, layout, what it is."""

PREDICTORS: Final = (
    ("acc_predictor.pth", "ofa_mbv3_w1.2"),
    ("ofa_resnet50_acc_predictor.pth", "ofa_resnet50"),
)
"""Accuracy predictors: file, supernet."""

NOTE10_SIZES: Final = tuple(range(160, 225, 4))
"""Image sizes of the Note10's latency tables, pixels."""

SPECIALISED: Final = {
    "ofa_mbv3_w1.0": """
        LG-G8_lat-8ms_top1-71.1_finetune-25    LG-G8_lat-11ms_top1-73.0_finetune-25
        LG-G8_lat-16ms_top1-74.7_finetune-25   LG-G8_lat-24ms_top1-76.4_finetune-25
        note10_lat-8ms_top1-71.4_finetune-25   note10_lat-11ms_top1-73.6_finetune-25
        note10_lat-16ms_top1-75.5_finetune-25  note10_lat-22ms_top1-76.6_finetune-25
        note8_lat-22ms_top1-70.4_finetune-25   note8_lat-31ms_top1-72.8_finetune-25
        note8_lat-49ms_top1-74.9_finetune-25   note8_lat-65ms_top1-76.1_finetune-25
        pixel1_lat-20ms_top1-71.4_finetune-25  pixel1_lat-28ms_top1-73.3_finetune-25
        pixel1_lat-40ms_top1-74.9_finetune-25  pixel1_lat-58ms_top1-76.9_finetune-75
        pixel2_lat-25ms_top1-71.5_finetune-25  pixel2_lat-35ms_top1-73.4_finetune-25
        pixel2_lat-50ms_top1-74.7_finetune-25  pixel2_lat-62ms_top1-75.8_finetune-25
        s7edge_lat-29ms_top1-70.5_finetune-25  s7edge_lat-41ms_top1-73.1_finetune-25
        s7edge_lat-58ms_top1-74.7_finetune-25  s7edge_lat-88ms_top1-76.3_finetune-25
    """,
    "ofa_mbv3_w1.2": """
        flops-389M_top1-79.1_finetune-75       flops-482M_top1-79.6_finetune-75
        flops-595M_top1-80.0_finetune-75       note10_lat-30ms_top1-78.4_finetune-75
        note10_lat-41ms_top1-79.3_finetune-75  note10_lat-50ms_top1-79.7_finetune-75
        note10_lat-64ms_top1-80.2_finetune-75  pixel1_lat-79ms_top1-78.7_finetune-75
        pixel1_lat-132ms_top1-79.8_finetune-75 pixel1_lat-143ms_top1-80.1_finetune-75
    """,
    "ofa_proxyless_w1.3": """
        1080ti_gpu64-12ms_top1-72.6_finetune-25  1080ti_gpu64-15ms_top1-73.8_finetune-25
        1080ti_gpu64-22ms_top1-75.3_finetune-25  1080ti_gpu64-27ms_top1-76.4_finetune-25
        cpu_lat-10ms_top1-71.1_finetune-25       cpu_lat-11ms_top1-72.0_finetune-25
        cpu_lat-15ms_top1-74.6_finetune-25       cpu_lat-17ms_top1-75.7_finetune-25
        tx2_gpu16-35ms_top1-70.3_finetune-25     tx2_gpu16-47ms_top1-72.9_finetune-25
        tx2_gpu16-80ms_top1-75.4_finetune-25     tx2_gpu16-96ms_top1-75.8_finetune-25
        v100_gpu64-5ms_top1-71.6_finetune-25     v100_gpu64-6ms_top1-73.0_finetune-25
        v100_gpu64-9ms_top1-75.3_finetune-25     v100_gpu64-11ms_top1-76.1_finetune-25
    """,
}
"""The 50 specialised networks: supernet -> folders, whose names say device, latency and top-1."""

SPECIALISED_FILES: Final[tuple[tuple[str, Layout, str], ...]] = (
    ("init", "static", "weights of a specialised network"),
    ("net.config", "other", "a specialised network, for ofa run specialised"),
)
"""In each of their folders."""

PROFILES: Final = "https://drive.google.com/drive/folders/1qUqWzc3D3-1LmRxqQiy6u4CRWsmOymuF"


def entries() -> Iterator[WeightsEntry]:
    """Every published file of the OFA authors, and the latency tables of block profiling."""
    yield from _nets()
    yield from _phases()
    yield from _predictors()
    yield from _tables()
    yield from _specialised()


def _nets() -> Iterator[WeightsEntry]:
    for name, supernet, layout in NETS:
        addresses = (
            f"{HUGGING_FACE}/{name}",
            f"{GITHUB}/ofa_nets/{name}",
            f"{FIRST}/ofa_nets/{name}",
        )
        yield _entry(name, supernet, layout, addresses, "the trained supernet")


def _phases() -> Iterator[WeightsEntry]:
    for name, layout, what in PHASES:
        address = f"{GITHUB}/ofa_checkpoints/{name}"
        yield _entry(name, "ofa_mbv3_w1.0", layout, (address,), what)


def _predictors() -> Iterator[WeightsEntry]:
    for name, supernet in PREDICTORS:
        what = "accuracy predictor, for --predictor mlp --predictor-weights FILE"
        yield _entry(name, supernet, "other", (f"{GITHUB}/{name}",), what)


def _tables() -> Iterator[WeightsEntry]:
    for size in NOTE10_SIZES:
        name = f"note10/{size}_lookup_table.yaml"
        what = f"latencies of ops on a Note10 at {size} pixels, for --lut"
        yield _entry(name, "ofa_mbv3_w1.2", "other", (f"{GITHUB}/{name}",), what)
    yield WeightsEntry(
        "block_profile_latency",
        supernet="ofa_mbv3_w1.0",
        layout="other",
        page=PROFILES,
        source="block profiling: latencies of blocks as CSV, of ofa_mbv3 and ofa_proxyless",
    )


def _specialised() -> Iterator[WeightsEntry]:
    for supernet, folders in SPECIALISED.items():
        for folder in folders.split():
            for file, layout, what in SPECIALISED_FILES:
                name = f"{folder}/{file}"
                address = f"{GITHUB}/ofa_specialized/{name}"
                yield _entry(name, supernet, layout, (address,), what)


def _entry(
    name: str, supernet: str, layout: Layout, addresses: tuple[str, ...], what: str
) -> WeightsEntry:
    return WeightsEntry(name, supernet, layout, addresses, source=f"{PAPER}: {what}")
