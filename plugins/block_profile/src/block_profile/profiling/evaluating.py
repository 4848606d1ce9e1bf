"""Accuracy of distinct networks, evaluated with a supernet's weights; torch is loaded here only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from block_profile.profiling.options import ProfileOptions
from block_profile.profiling.scoring import Evaluate
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.jobs.evaluate_options import EvaluateOptions
from ofa_plugins_core.values import Arch


def evaluate_options(options: ProfileOptions) -> EvaluateOptions:
    """A profile's options as those of ``ofa run evaluate``, without timing."""
    said: dict[str, Any] = {
        "supernet": options.supernet,
        "weights": options.weights,
        "classes": options.classes,
        "data": options.data,
        "batch": options.evaluate_batch,
        "workers": options.workers,
        "device": options.evaluate_device,
        "images": options.images,
        "calibrate": options.calibrate,
        "calibrate_data": options.calibrate_data,
        "threads": options.threads,
        "fast": options.fast,
        "repeats": 0,
    }
    known = {a.name for a in attrs.fields(EvaluateOptions)}
    return EvaluateOptions(**{name: value for name, value in said.items() if name in known})


def evaluator(context: JobContext, options: ProfileOptions) -> Evaluate:
    """Evaluates distinct networks, each calibrated by itself: results by number.

    Raises:
        MissingExtraError: torch is not installed.
        InputError, UsageError: weights or images are missing or broken, or do not fit.
    """
    measuring = evaluate_options(options)

    def evaluate(archs: Sequence[Arch], done: Callable[[int, float], None]) -> None:
        from ofa_plugins_core.jobs.measuring import bench_of
        from ofa_plugins_core.nn import engines, evaluating

        with engines.joined(measuring.device) as group, evaluating.threads(measuring.threads):
            bench = bench_of(context, measuring, group, archs[0].image_size)
            for number, arch in enumerate(archs):
                found: Mapping[str, Any] = bench.measure(arch, f"network {number + 1}")
                done(number, found["top1"]["value"])

    return evaluate
