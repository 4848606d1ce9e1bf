"""The core's jobs on networks in torch, as entries; each has a file of its own beside this one."""

from __future__ import annotations

from collections.abc import Iterator

from ofa_plugins_core.builtin import (
    dataset_job,
    evaluate_job,
    export_jobs,
    lut_job,
    memory_job,
    train_job,
)
from ofa_plugins_core.entries import JobEntry


def entries() -> Iterator[JobEntry]:
    """train, evaluate, dataset, lut, memory, export, deploy."""
    yield train_job.entry()
    yield evaluate_job.entry()
    yield dataset_job.entry()
    yield lut_job.entry()
    yield memory_job.entry()
    yield from export_jobs.entries()
