"""What switching between levels promises.

    python benchmarks/switching.py [--json] [--device cuda]

Six levels spread over each space, synthetic weights, batch 1, each level at its own image size; on
the CPU one thread. Of six levels the one with the worst ratio is shown.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np
import torch
from attrs import frozen
from promises import Row, medians, report

from dynamic_ofa.levels.statistics import as_table_statistics
from dynamic_ofa.levels.table import Accuracy, Latency, LevelRow, LevelTable, WeightsOf
from dynamic_ofa.levels.weights import digest_of
from dynamic_ofa.switching.sharing import share
from dynamic_ofa.switching.switcher import Switcher
from ofa_plugins_core import Host, JobContext
from ofa_plugins_core.jobs.networks import load_network
from ofa_plugins_core.jobs.torch_options import NetworkOptions
from ofa_plugins_core.nn.calibrate import norms_of
from ofa_plugins_core.values import Arch

SUPERNETS = ("moofa_v3", "ofa_mbv3_w1.2")
LEVELS, DRAWS = 6, 20_000
ROUNDS, STEADY = 12, 4
PUBLISHED = "a switch takes 24 to 85 s by restarting (published script), 64 to 111 ms in-process"


@frozen
class Visit:
    """Milliseconds of one stay at a level: of the switch, the first inference, a later one."""

    switch: float
    first: float
    steady: float


def spread(host: Host, name: str) -> list[Arch]:
    """Six architectures whose multiply-accumulates are evenly spaced in a uniform draw's range."""
    supernet = host.supernet(name)
    genes = supernet.space.sample(DRAWS, np.random.default_rng(0))
    costs = np.log(host.cost_model("flops").build(supernet).evaluate(genes))
    targets = np.linspace(costs.min(), costs.max(), LEVELS)
    return supernet.space.decode(genes[[np.abs(costs - t).argmin() for t in targets]])


def row_of(net: Any, arch: Arch, number: int) -> LevelRow:
    """A level with the weights' own statistics; the order stands in for accuracy and latency."""
    norms = norms_of(net.extract(arch))
    found = {name: (norm.running_mean, norm.running_var) for name, norm in norms.items()}
    return LevelRow(
        arch=arch.as_dict(),
        accuracy=Accuracy(value=float(number), kind="predicted"),
        latency=Latency(value=1.0 + number),
        statistics=as_table_statistics(found),  # type: ignore[arg-type]
    )


def table_of(host: Host, name: str) -> LevelTable:
    """Six levels on synthetic weights."""
    loaded = load_network(JobContext(host), NetworkOptions(supernet=name, weights="synthetic"))
    rows = [row_of(loaded.net, arch, n) for n, arch in enumerate(spread(host, name))]
    weights = WeightsOf(kind="synthetic", sha256=digest_of(loaded.net))
    return LevelTable(
        supernet=name, classes=loaded.classes, weights=weights, device={}, levels=tuple(rows)
    )


def visits(switcher: Switcher) -> Mapping[int, list[Visit]]:
    """Stays at every level, in an order in which each comes after others."""
    found: dict[int, list[Visit]] = {n: [] for n in range(LEVELS)}
    generator = np.random.default_rng(0)
    images = {size: torch.randn(1, 3, size, size) for size in switcher.sizes}
    for _ in range(ROUNDS):
        for level in map(int, generator.permutation(LEVELS)):
            if level == switcher.level:
                continue
            took = switcher.switch(level)
            times = [switcher.run(images.__getitem__).latency_ms for _ in range(1 + STEADY)]
            found[level].append(Visit(took, times[0], median(times[1:])))
    return found


def worst(what: str, name: str, mode: str, found: Mapping[int, Sequence[Visit]]) -> Row:
    """Of a promise on a visit the level that keeps it least."""
    limit, against = (1.0, "one inference") if what == "switch" else (1.5, "a later one")
    pairs = {
        level: (median(getattr(v, what) for v in seen), median(v.steady for v in seen))
        for level, seen in found.items()
    }
    level = max(pairs, key=lambda n: pairs[n][0] / pairs[n][1])
    part, whole = (t / 1000 for t in pairs[level])
    label = "switch" if what == "switch" else "first inference after a switch"
    said = PUBLISHED if what == "switch" else ""
    return Row(
        f"{label}, {mode}, {name} level {level}", f"{against} there", part, whole, limit, said
    )


def pace(networks: Sequence[Any], others: Sequence[Any], images: Sequence[Any]) -> list[float]:
    """Median seconds of all levels one after another, of each list, side by side."""

    def run(nets: Sequence[Any]) -> None:
        with torch.inference_mode():
            for net, x in zip(nets, images, strict=True):
                net(x)
            if images[0].is_cuda:
                torch.cuda.synchronize()

    for _ in range(3):
        run(networks)
        run(others)
    return list(medians(lambda: run(networks), lambda: run(others), 2 * ROUNDS))


def promises(host: Host, name: str, device: str) -> Iterator[Row]:
    """Of one supernet."""
    table = table_of(host, name)
    for mode in ("resident", "in_place"):
        with Switcher(table, mode=mode, device=device, host=host) as switcher:  # type: ignore[arg-type]
            found = visits(switcher)
            yield worst("switch", name, mode, found)
            yield worst("first", name, mode, found)
            facts = switcher.facts()
        if mode == "resident":
            bytes_ = float(facts.resident_bytes), float(facts.largest_bytes)
            what = f"resident bytes of {LEVELS} levels, {name}"
            yield Row(what, "of the largest alone", *bytes_, 1.35, shown=("MiB", 2.0**-20))
    loaded = load_network(JobContext(host), NetworkOptions(supernet=name, weights="synthetic"))
    pair = [
        [loaded.net.extract(r.arch).to(device) for r in table.levels]  # type: ignore[attr-defined]
        for _ in range(2)
    ]
    share(pair[0])
    images = [torch.randn(1, 3, s, s, device=device) for s in switcher.sizes]
    seconds = pace(*pair, images)
    yield Row(f"all {LEVELS} levels in turn, shared, {name}", "the same, apart", *seconds, 1.1)


def rows() -> Iterator[Row]:
    """Every promise, measured."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    host = Host.discover()
    for name in SUPERNETS:
        yield from promises(host, name, "cuda" if "cuda" in sys.argv else "cpu")


if __name__ == "__main__":
    raise SystemExit(report(rows()))
