"""``ofa run train`` as an entry; what it runs is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ofa_plugins_core.builtin.evaluate_job import drawn, in_a_folder
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
        changeable=("threads", "keep", "track", "workers", "finish"),
    )


def _train(context: JobContext, given: TrainOptions) -> Any:
    from ofa_plugins_core.jobs.train import TrainResult, run_train
    from ofa_plugins_core.report.canvas import can_draw

    in_a_folder(context, "training")
    result = run_train(context, given)
    if isinstance(result, TrainResult) and result.validated and can_draw():
        from ofa_plugins_core.report.trained import training_plot

        file = Path(str(result.run)) / "plots" / "training.svg"
        drawn(context, lambda: training_plot(result.as_json(), file))
    return result
