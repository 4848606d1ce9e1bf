"""Accuracy of distinct networks, evaluated with a supernet's weights; torch is loaded here only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from block_profile.profiling.options import ProfileOptions
from block_profile.profiling.scoring import Evaluate
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.jobs.evaluate_options import EvaluateOptions
from ofa_plugins_core.values import Arch

JOURNAL: Final = "accuracies.jsonl"


def evaluate_options(options: ProfileOptions) -> EvaluateOptions:
    """A profile's options as those of ``ofa run evaluate``, without timing."""
    return EvaluateOptions(
        supernet=options.supernet,
        weights=options.weights,
        classes=options.classes,
        data=options.data,
        batch=options.evaluate_batch,
        workers=options.workers,
        device=options.evaluate_device,
        images=options.images,
        calibrate=options.calibrate,
        calibrate_data=options.calibrate_data,
        threads=options.threads,
        fast=options.fast,
        repeats=0,
    )


def evaluator(context: JobContext, options: ProfileOptions) -> Evaluate:
    """Evaluates distinct networks, each calibrated by itself, by ``options.parallel`` processes.

    What was found before in the run's folder is not evaluated again.

    Raises:
        MissingExtraError: torch is not installed.
        InputError, UsageError: weights or images are missing or broken, or do not fit.
    """
    measuring = evaluate_options(options)

    def evaluate(archs: Sequence[Arch]) -> dict[int, float]:
        from ofa_plugins_core.jobs.parallel import evaluations

        file = None if context.out is None else context.out / JOURNAL
        found = evaluations(context, measuring, archs, file, processes=options.parallel)
        return {number: float(one["top1"]["value"]) for number, one in found.items()}

    return evaluate
