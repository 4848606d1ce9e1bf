"""``ofa run train`` as an entry; what it runs is imported when it runs."""

from __future__ import annotations

from typing import Any

from ofa_plugins_core.builtin.evaluate_job import in_a_folder
from ofa_plugins_core.entries import JobContext, JobEntry
from ofa_plugins_core.jobs.train_options import TrainOptions


def entry() -> JobEntry:
    """train."""
    return JobEntry(
        "train",
        "train a supernet on your images: the whole plan, one phase of it, or one subnet",
        run=_train,
        options=TrainOptions,
        example="ofa run train --all --smoke",
        keeps_run=True,
    )


def _train(context: JobContext, given: TrainOptions) -> Any:
    from ofa_plugins_core.jobs.train import run_train

    in_a_folder(context, "training")
    return run_train(context, given)
