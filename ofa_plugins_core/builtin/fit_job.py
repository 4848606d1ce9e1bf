"""The job ``fit`` as an entry, and what is drawn of its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ofa_plugins_core.entries import JobContext, JobEntry
from ofa_plugins_core.errors import MissingExtraError, UsageError
from ofa_plugins_core.jobs.fit_options import FitOptions

if TYPE_CHECKING:
    from ofa_plugins_core.jobs.fitting.result import FitResult

PLOT: Final = "held-out.svg"


def entry() -> JobEntry:
    """fit."""
    return JobEntry(
        "fit",
        "fit a predictor, additive or mlp, to measured accuracies or to another predictor",
        run=_fit,
        options=FitOptions,
        example="ofa run fit --supernet moofa_v3 --data measured.jsonl --dataset imagenet",
        keeps_run=True,
    )


def _fit(context: JobContext, given: FitOptions) -> Any:
    from ofa_plugins_core.jobs.fitting.accuracy import run_fit

    _check_plot(context, given)
    result = run_fit(context, given)
    if given.plot:
        _draw(context, result)
    return result


def _check_plot(context: JobContext, given: FitOptions) -> None:
    """Now, not after the fit."""
    from ofa_plugins_core.report.canvas import can_draw

    if given.plot and not can_draw():
        raise MissingExtraError("--plot", "ofa-plugins-core", "plot")
    if given.plot and context.out is None:
        raise UsageError("--plot draws beside the fit: give --out FOLDER")


def _draw(context: JobContext, result: FitResult) -> None:
    """Predicted against measured, of the held-out networks."""
    from ofa_plugins_core.jobs.fitting.accuracy import folder_of
    from ofa_plugins_core.report.measured import held_out_plot

    assert context.out is not None
    title = f"{result.supernet} on {result.dataset}: {result.predictor}, held-out networks"
    held_out_plot(result.fit.held_out, title, folder_of(context.out) / PLOT)
