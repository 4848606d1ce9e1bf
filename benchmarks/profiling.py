"""What a block profile promises: all blocks of a space in about a second.

    python benchmarks/profiling.py [--json]

The whole profile of ofa_mbv3_w1.0 (181 rows of 100 networks: drawn, forced, scored, summed up, the
result made; nothing written) beside scoring as many networks one by one: 500 are scored, and their
time is taken for all. The closed form, over every network of the space, beside the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from attrs import evolve
from promises import Action, Row, medians, report

from block_profile.profiling.job import run_profile
from block_profile.profiling.options import ProfileOptions
from ofa_plugins_core import Host, JobContext
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.jobs.choosing import predictor_needed
from ofa_plugins_core.jobs.options import PredictOptions

SUPERNET, METRICS = "ofa_mbv3_w1.0", ("accuracy", "flops", "peak_memory")
ROWS, EACH, SCORED, ROUNDS = 181, 100, 500, 3
LIMIT, EXACT_LIMIT = 0.01, 0.1


def one_by_one(host: Host, context: JobContext, supernet: Supernet) -> Action:
    """Score some networks, one after the other, each as it is exchanged."""
    options = PredictOptions(supernet=SUPERNET, archs=None)  # type: ignore[arg-type]
    predictor = predictor_needed(context, options, supernet).predictor
    costs = [host.cost_model(name).build(supernet) for name in METRICS[1:]]
    space = supernet.space
    archs = space.decode(space.canonical(space.sample(SCORED, np.random.default_rng(0))))

    def run() -> None:
        for arch in archs:
            predictor.predict([arch])
            for cost in costs:
                cost.evaluate([arch])

    return run


def rows() -> Iterator[Row]:
    """Every promise, measured."""
    host = Host.discover()
    context = JobContext(host)
    supernet = host.supernet(SUPERNET)
    sizes = (160, 176, 192, 208, 224)
    drawn = ProfileOptions(
        supernet=SUPERNET, metrics=METRICS, num_archs=EACH, resolutions=sizes, depths=False
    )
    single = one_by_one(host, context, supernet.at(sizes))
    for options, what, limit in (
        (drawn, f"the full profile, {ROWS} rows of {EACH} networks", LIMIT),
        (evolve(drawn, exact=True), "the same, and the closed form of every row", EXACT_LIMIT),
    ):
        seconds, part = medians(partial(run_profile, context, options), single, ROUNDS)
        whole = part / SCORED * ROWS * EACH
        yield Row(what, "as many networks one by one", seconds, whole, limit, shown=("s", 1.0))


if __name__ == "__main__":
    raise SystemExit(report(rows()))
