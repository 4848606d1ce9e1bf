"""The job ``fit`` as an entry, and what is drawn of its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ofa_plugins_core.builtin.evaluate_job import drawn
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
        "fit a predictor: additive or mlp to accuracies, sequence, boosting or linear to latencies",
        run=_fit,
        options=FitOptions,
        example="ofa run fit --supernet moofa_v3 --data measured.jsonl --dataset imagenet",
        keeps_run=True,
    )


def _fit(context: JobContext, given: FitOptions) -> Any:
    _check_plot(context, given)
    return (_latency if given.kind == "latency" else _accuracy)(context, given)


def _accuracy(context: JobContext, given: FitOptions) -> Any:
    from ofa_plugins_core.jobs.fitting.accuracy import run_fit

    result = run_fit(context, given)
    if given.plot:
        _draw(context, result)
    return result


def _latency(context: JobContext, given: FitOptions) -> Any:
    """Its picture belongs to it, where it can be drawn."""
    from ofa_plugins_core.jobs.fitting.latency import run_latency_fit
    from ofa_plugins_core.report.canvas import can_draw

    result = run_latency_fit(context, given)
    if context.out is not None and can_draw():
        from ofa_plugins_core.report.latency import latency_plot

        every = {result.header.form: result.judged, **result.beside}
        pairs = {name: (j.predicted, j.labelled) for name, j in every.items()}
        title = f"latency@{result.name}, {result.header.supernet}: held-out networks"
        file = context.out / PLOT
        drawn(context, lambda: latency_plot(pairs, title, file))
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
