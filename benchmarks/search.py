"""What search promises to be fast at: python benchmarks/search.py [--json]."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from attrs import evolve
from promises import Action, Row, report, side_by_side

from ofa_plugins_core import Constraint, Host
from ofa_plugins_core.interfaces import Problem, SeparablePredictor, Supernet
from ofa_plugins_core.scoring import Scorer


def additive(host: Host, supernet: Supernet) -> SeparablePredictor:
    """The fitted predictor that ships for a supernet (ImageNet)."""
    fitted = next(f for f in host.fitted("additive", supernet.name) if f.dataset == "imagenet")
    predictor = host.predictor("additive").load(supernet, None, fitted)
    assert isinstance(predictor, SeparablePredictor)
    return predictor


def problem(host: Host, name: str, *constraints: Constraint, front: bool = False) -> Problem:
    """Accuracy against peak memory, flops, params and weight bytes, at the fitted image sizes."""
    supernet = host.supernet(name)
    predictor = additive(host, supernet)
    supernet = supernet.at(predictor.resolutions or supernet.resolutions)
    names = ["peak_memory"] if front else sorted({c.name for c in constraints})
    costs = {n: host.cost_model(n).build(supernet) for n in names}
    return Problem(supernet, costs, predictor, constraints, front=front)


def evaluation(host: Host, archs: int) -> tuple[Action, Action]:
    """Accuracy and three costs of so many architectures, and drawing the same array."""
    front = problem(host, "moofa_v3", front=True)
    names = ("peak_memory", "flops", "params")
    costs = {n: host.cost_model(n).build(front.supernet) for n in names}
    score = Scorer(evolve(front, costs=costs))
    generator = np.random.default_rng(0)
    genes = front.supernet.space.sample(archs, generator)
    score(genes)

    high = int(front.supernet.space.sizes[1:].max())

    def draw() -> None:
        generator.integers(0, high, size=genes.shape, dtype=np.uint8)

    return lambda: score(genes), draw


def evaluation_row(host: Host) -> Row:
    """A million architectures against drawing them."""
    seconds, reference = side_by_side(*evaluation(host, 1_000_000), rounds=5)
    return Row(
        "accuracy, peak_memory, flops and params of 1,000,000 architectures (moofa_v3)",
        "numpy's integers(0, 3) filling the same uint8 array",
        seconds,
        reference,
        2.0,
        "0.103 to 0.169 s for the peak memory of one architecture (published code, one core)",
    )


def front_row(host: Host) -> Row:
    """The whole front over 8.7e19 networks against evaluating 100,000."""
    asked = problem(host, "moofa_v3", front=True)
    searcher = host.searcher("exact").build()
    generator = np.random.default_rng(0)
    evaluate, _ = evaluation(host, 100_000)
    searcher.search(asked, generator)
    seconds, reference = side_by_side(
        lambda: searcher.search(asked, generator), evaluate, rounds=15
    )
    return Row(
        "whole exact front of accuracy against peak_memory, all of moofa_v3",
        "evaluating 100,000 of its architectures",
        seconds,
        reference,
        1.0,
        "97 s to about 2 hours for one bound (published search, P = 20, N = 20)",
    )


def bounds_rows(host: Host) -> Iterator[Row]:
    """Four bounds proven optimal against evolution under one."""
    four = {
        "moofa_v3": {"peak_memory": 450e3, "flops": 600e6, "params": 12e6, "weight_bytes": 44e6},
        "ofa_mbv3_w1.0": {
            "peak_memory": 600e3,
            "flops": 250e6,
            "params": 6e6,
            "weight_bytes": 22e6,
        },
    }
    for name, bounds in four.items():
        constraints = [Constraint(cost, "<=", bound) for cost, bound in bounds.items()]
        exact, evolution = (host.searcher(s).build() for s in ("exact", "evolution"))
        many, one = problem(host, name, *constraints), problem(host, name, constraints[1])
        seconds, reference = side_by_side(
            lambda e=exact, m=many: e.search(m, np.random.default_rng(0)),
            lambda e=evolution, o=one: e.search(o, np.random.default_rng(0)),
            rounds=3,
        )
        yield Row(
            f"best of {name} under four bounds, proven optimal",
            "evolution under one bound on flops, P = 100, N = 500",
            seconds,
            reference,
            1.0,
            "5.6 to 6.3 s under one bound on FLOPs (published search)",
        )


def targets_row(host: Host) -> Row:
    """A list of targets from one enumeration against evolution for one of them."""
    from compofa.targets.enumeration import Enumeration

    constraints = [Constraint("flops", "<=", bound) for bound in (150e6, 200e6, 250e6, 300e6)]
    asked = problem(host, "compofa", constraints[0])
    evolution = host.searcher("evolution").build()
    seconds, reference = side_by_side(
        lambda: Enumeration(asked.with_constraints(()), constraints).run(),
        lambda: evolution.search(asked, np.random.default_rng(0)),
        rounds=3,
    )
    return Row(
        "four targets of compofa from one enumeration of its 1,215 networks",
        "evolution for one of them, P = 100, N = 500",
        seconds,
        reference,
        0.05,
        "75 s against 4.5 h for OFA's search (CompOFA)",
    )


def command_rows() -> Iterator[Row]:
    """Whole commands, each in a process of its own."""
    folder = tempfile.mkdtemp(prefix="ofa-benchmark-")
    ofa = str(Path(sys.executable).with_name("ofa"))

    def call(*words: str) -> Action:
        return lambda: subprocess.run(words, cwd=folder, check=True, capture_output=True)

    helping = call(ofa, "--help")
    importing = call(sys.executable, "-c", "import typer, rich")
    libraries = "attrs, cattrs, numpy, pluggy, rich.table, typer, yaml"
    standing = call(sys.executable, "-c", f"import {libraries}")
    searching = call(ofa, "run", "search", "--supernet", "moofa_v3", "--cost", "peak_memory")
    for action in (helping, importing, standing, searching):
        action()
    yield Row(
        "`ofa --help`", "importing typer and rich", *side_by_side(helping, importing, 10), 2.5
    )
    yield Row(
        "`ofa run search --supernet moofa_v3 --cost peak_memory`",
        "importing what it stands on: attrs, cattrs, numpy, pluggy, rich, typer, yaml",
        *side_by_side(searching, standing, 10),
        2.0,
    )


def rows() -> Iterator[Row]:
    """Every promise, measured."""
    host = Host.discover()
    yield evaluation_row(host)
    yield front_row(host)
    yield from bounds_rows(host)
    yield targets_row(host)
    yield from command_rows()


if __name__ == "__main__":
    raise SystemExit(report(rows()))
