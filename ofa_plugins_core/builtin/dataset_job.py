"""``ofa run dataset`` as an entry; what it runs is imported when it runs."""

from __future__ import annotations

from typing import Any

from ofa_plugins_core.builtin.evaluate_job import in_a_folder
from ofa_plugins_core.entries import JobContext, JobEntry
from ofa_plugins_core.jobs.dataset_options import DatasetOptions
from ofa_plugins_core.jobs.torch_options import CHANGEABLE


def entry() -> JobEntry:
    """dataset."""
    return JobEntry(
        "dataset",
        "measure networks that are spread evenly over a cost, for ofa run fit",
        run=_dataset,
        options=DatasetOptions,
        example="ofa run dataset --supernet moofa_v3 --weights FILE --data FOLDER --n 2000",
        keeps_run=True,
        changeable=CHANGEABLE,
    )


def _dataset(context: JobContext, given: DatasetOptions) -> Any:
    from ofa_plugins_core.jobs.dataset import run_dataset

    in_a_folder(context, "a data set")
    return run_dataset(context, given)
