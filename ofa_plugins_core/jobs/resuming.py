"""What every job that keeps a journal does at its start."""

from __future__ import annotations

from ofa_plugins_core import runs
from ofa_plugins_core.config import as_yaml
from ofa_plugins_core.entries import JobContext


def begun(context: JobContext) -> None:
    """The configuration in its place, so that --resume needs no flag repeated."""
    if context.out is not None and context.configuration:
        runs.write(context.out / runs.CONFIG, as_yaml(context.configuration))
