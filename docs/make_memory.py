"""Measures planners' memory on random networks of every supernet; writes tables of docs/memory.md.

``python docs/make_memory.py plan FILE.jsonl [--planner NAME --dtype int8 --each 7]`` appends a
line a network and goes on where it stopped; it may run in several environments, ExecuTorch's apart.
``python docs/make_memory.py tables FILE.jsonl …`` writes the tables between the markers.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from ofa_plugins_core import Host
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.values import DTYPE_BYTES

PAGE = Path(__file__).parent / "memory.md"
SUPERNETS = (
    "moofa_v3",
    "ofa_mbv3_w1.0",
    "ofa_resnet50",
    "ofa_proxyless_w1.3",
    "moofa_v2",
    "compofa",
    "moofa_v1",
    "ofa_mbv3_w1.2",
    "compofa_elastic",
)
SIZES = (160, 96, 224, 128, 192, 64, 176)
DEFINITIONS = ("peak_memory", "peak_memory_mcunet", "peak_memory_liveness")
COLUMNS = {
    ("onnxruntime", "fp32"): "onnxruntime",
    ("onnxruntime", "int8"): "onnxruntime_int8",
    ("executorch", "fp32"): "executorch",
    ("executorch", "int8"): "cortex_m",
    ("torch", "fp32"): "torch",
}
TABLE = 12
"""Networks that the page lists."""


def networks(each: int) -> Iterator[tuple[str, Any]]:
    """(supernet, architecture): uniform draws, at one image size each."""
    host = Host.discover()
    for turn in range(each):
        for place, name in enumerate(SUPERNETS):
            size = SIZES[(turn + place) % len(SIZES)]
            supernet = host.supernet(name).at([size])
            generator = np.random.default_rng(1000 * turn + place)
            genes = host.sampler("uniform").build(supernet).sample(1, generator)
            yield name, supernet.space.decode(genes)[0]


def plan(path: Path, planner: list[str], dtype: str | None, each: int) -> None:
    """Append a line a network that is not in the file yet."""
    from ofa_plugins_core.jobs.memory import Planning
    from ofa_plugins_core.jobs.memory_options import MemoryOptions
    from ofa_plugins_core.jobs.networks import buildable

    host = Host.discover()
    done = len(path.read_text().splitlines()) if path.exists() else 0
    for number, (name, arch) in enumerate(networks(each)):
        if number < done:
            continue
        options = MemoryOptions(supernet=name, planner=tuple(planner), dtype=dtype)
        planning = Planning(JobContext(host=host), options, buildable(host.supernet(name)))
        found = [
            {k: getattr(p, k) for k in ("planner", "version", "dtype", "activations", "scratch")}
            for p in planning.plans(arch)
        ]
        with path.open("a") as file:
            row = {"supernet": name, "arch": arch.as_dict(), "plans": found}
            file.write(json.dumps(row) + "\n")
        sys.stderr.write(f"{number + 1}: {name} at {arch.image_size}\n")


class Measured:
    """All plans of one network, and what our definitions and bounds say of it."""

    def __init__(self, host: Host, name: str, arch: dict[str, Any]) -> None:
        self.name, self.arch = name, arch
        self.plans: dict[tuple[str, str], int] = {}
        self.scratch: dict[tuple[str, str], int] = {}
        self._supernet = host.supernet(name).as_built()
        self._host = host

    def items(self, cost: str) -> int:
        """Of a definition or a bound."""
        model = self._host.cost_model(cost).build(self._supernet)
        return int(model.evaluate([self.arch])[0])


def read(paths: list[Path]) -> tuple[list[Measured], dict[tuple[str, str], str]]:
    """Networks in the order of the files, and each planner's version."""
    host = Host.discover()
    found: dict[str, Measured] = {}
    versions: dict[tuple[str, str], str] = {}
    for line in (line for path in paths for line in path.read_text().splitlines()):
        row = json.loads(line)
        key = json.dumps([row["supernet"], row["arch"]])
        network = found.setdefault(key, Measured(host, row["supernet"], row["arch"]))
        for p in row["plans"]:
            column = (p["planner"], p["dtype"])
            network.plans[column] = p["activations"]
            network.scratch[column] = p["scratch"] or 0
            versions[column] = p["version"]
    return list(found.values()), versions


def dozen(networks: list[Measured]) -> Iterator[str]:
    """The table of networks, in kB (1,000 bytes)."""
    heads = [f"{d.removeprefix('peak_')} int8" for d in DEFINITIONS]
    names = [f"{planner} {dtype}" for planner, dtype in COLUMNS]
    yield "| network | image | " + " | ".join([*heads, *names]) + " |"
    yield "|---|---|" + "---:|" * (len(heads) + len(names))
    for network in networks[:TABLE]:
        ours = [f"{network.items(d) / 1000:,.0f}" for d in DEFINITIONS]
        theirs = [f"{network.plans[c] / 1000:,.0f}" if c in network.plans else "" for c in COLUMNS]
        size = network.arch["image_size"]
        yield f"| {network.name} | {size} | " + " | ".join([*ours, *theirs]) + " |"


def understated(networks: list[Measured]) -> Iterator[str]:
    """How often, and how far, each definition lies below each planner."""
    yield "| planner | networks | " + " | ".join(DEFINITIONS) + " |"
    yield "|---|---:|" + "---|" * len(DEFINITIONS)
    for column in COLUMNS:
        measured = [n for n in networks if column in n.plans]
        cells = []
        for definition in DEFINITIONS:
            ratios = ratios_of(measured, column, definition)
            below = sum(r < 1 for r in ratios)
            cells.append(f"below on {below}; lowest {min(ratios):.2f}" if ratios else "")
        yield f"| {' '.join(column)} | {len(measured)} | " + " | ".join(cells) + " |"


def bounds(networks: list[Measured]) -> Iterator[str]:
    """Each bound over the plan that it bounds."""
    yield "| bound | planner | networks | broken | lowest | median | highest |"
    yield "|---|---|---:|---:|---:|---:|---:|"
    for column, name in COLUMNS.items():
        measured = [n for n in networks if column in n.plans]
        ratios = ratios_of(measured, column, f"peak_memory_planned_{name}")
        if ratios:
            numbers = f"{min(ratios):.2f} | {median(ratios):.2f} | {max(ratios):.2f}"
            cells = f"{len(ratios)} | {sum(r < 1 for r in ratios)} | {numbers}"
            yield f"| `peak_memory_planned_{name}` | {' '.join(column)} | {cells} |"


def ratios_of(networks: list[Measured], column: tuple[str, str], cost: str) -> list[float]:
    """Computed bytes over planned bytes."""
    size = DTYPE_BYTES[column[1]]
    return [n.items(cost) * size / n.plans[column] for n in networks]


def scratch(networks: list[Measured]) -> Iterator[str]:
    """ONNX Runtime's scratch over its planned activations."""
    found = defaultdict(list)
    for network in networks:
        for column, size in network.scratch.items():
            if column[0] == "onnxruntime":
                found[column].append(size / network.plans[column])
    for column, ratios in found.items():
        yield (
            f"- {' '.join(column)}: scratch is {min(ratios):.2f} to {max(ratios):.2f} times the "
            f"planned activations (median {median(ratios):.2f})."
        )


def write(paths: list[Path]) -> None:
    """Put the tables between their markers."""
    found, versions = read(paths)
    parts = {
        "versions": [f"- {' '.join(c)}: {versions[c]}" for c in COLUMNS if c in versions],
        "dozen": list(dozen(found)),
        "understated": list(understated(found)),
        "bounds": list(bounds(found)),
        "scratch": list(scratch(found)),
    }
    page = PAGE.read_text()
    for name, lines in parts.items():
        start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, rest = page.split(start)
        page = before + "\n".join([start, "", *lines, "", end]) + rest.split(end)[1]
    PAGE.write_text(page)


def main() -> None:
    """Parse and go."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("plan", "tables"))
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--planner", action="append", default=[])
    parser.add_argument("--dtype", choices=("fp32", "int8"))
    parser.add_argument("--each", type=int, default=7, help="networks a supernet")
    given = parser.parse_args()
    if given.what == "plan":
        plan(given.files[0], given.planner, given.dtype, given.each)
    else:
        write(given.files)


if __name__ == "__main__":
    main()
