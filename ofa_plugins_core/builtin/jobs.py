"""The core's jobs as entries; what they run is imported when they run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ofa_plugins_core.entries import JobContext, JobEntry
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.jobs import options

if TYPE_CHECKING:
    from ofa_plugins_core.jobs.cost import CostResult


def entries() -> Iterator[JobEntry]:
    """search, cost, predict, sample."""
    yield JobEntry(
        "search",
        "the best network under bounds, a sweep of bounds, or the whole front",
        run=_search,
        options=options.SearchOptions,
        example="ofa run search --supernet moofa_v3 --cost peak_memory "
        "--constraint 'peak_memory<=400k'",
        keeps_run=True,
    )
    yield JobEntry(
        "cost",
        "costs of architectures; of one, its memory op by op and its picture",
        run=_cost,
        options=options.CostOptions,
        example="ofa run cost --supernet moofa_v3 --cost peak_memory --archs archs.jsonl",
    )
    yield JobEntry(
        "predict",
        "predicted accuracies of architectures, with 80 % intervals",
        run=_predict,
        options=options.PredictOptions,
        example="ofa run predict --supernet moofa_v3 --archs archs.jsonl",
    )
    yield JobEntry(
        "sample",
        "architectures drawn by a sampler",
        run=_sample,
        options=options.SampleOptions,
        example="ofa run sample --supernet moofa_v3 --n 100 --json > archs.jsonl",
    )


def _search(context: JobContext, given: options.SearchOptions) -> Any:
    from ofa_plugins_core.jobs.search import run_search

    if context.out is not None and context.out.suffix in (".json", ".jsonl", ".csv"):
        raise UsageError(f"a search is kept in a folder, and {context.out} is named like a file")
    result = run_search(context, given)
    if given.plot and context.out is not None:
        _draw_front(result, context.out)
    return result


def _draw_front(result: Any, folder: Path) -> None:
    from ofa_plugins_core.report.fronts import front_plot
    from ofa_plugins_core.report.results import search_result

    record = search_result(result.as_json())
    if record is not None:
        front_plot(record, folder / "front.svg")


def _cost(context: JobContext, given: options.CostOptions) -> Any:
    from ofa_plugins_core.jobs.cost import run_cost

    result = run_cost(context, given)
    if given.plot is not None or given.picture is not None:
        _draw_one(result, given)
    return result


def _draw_one(result: CostResult, given: options.CostOptions) -> None:
    """The memory history and the picture of one architecture."""
    from ofa_plugins_core import report

    if result.details is None:
        count = len(result.costs)
        raise UsageError(f"--plot and --picture show one architecture; the file holds {count}")
    details = result.details
    name, history = next(iter(details.histories.items()), ("", ()))
    if given.plot is not None:
        if not history:
            raise UsageError("--plot needs a cost with a history", advice="--cost peak_memory")
        report.history_chart(history, f"{result.supernet}: {name}", given.plot)
    if given.picture is not None:
        peak = report.peak_of(history) if history else None
        report.subnet_picture(
            details.blocks, details.arch, given.picture, peak, title=result.supernet
        )


def _predict(context: JobContext, given: options.PredictOptions) -> Any:
    from ofa_plugins_core.jobs.predict import run_predict

    return run_predict(context, given)


def _sample(context: JobContext, given: options.SampleOptions) -> Any:
    from ofa_plugins_core.jobs.sample import run_sample

    return run_sample(context, given)
