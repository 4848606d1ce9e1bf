"""The job ``evaluate`` as an entry, and what is drawn of its result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ofa_plugins_core.entries import JobContext, JobEntry
from ofa_plugins_core.errors import MissingExtraError, OfaError, UsageError
from ofa_plugins_core.events import Notice
from ofa_plugins_core.jobs.evaluate_options import EvaluateOptions
from ofa_plugins_core.jobs.torch_options import CHANGEABLE

if TYPE_CHECKING:
    from ofa_plugins_core.jobs.evaluated import EvaluateResult

FILES: Final = (".json", ".jsonl", ".csv")


def entry() -> JobEntry:
    """evaluate."""
    return JobEntry(
        "evaluate",
        "top-1, top-5, forward time (ms), MACs and peak memory (items) of architectures",
        run=_evaluate,
        options=EvaluateOptions,
        example="ofa run evaluate --supernet moofa_v3 --weights synthetic --data digits "
        "--random 3 --images 100 --calibrate 100",
        keeps_run=True,
        changeable=CHANGEABLE,
    )


def in_a_folder(context: JobContext, what: str) -> None:
    """Refuse an --out that names a file, where a run's folder is needed.

    Raises:
        UsageError: it does.
    """
    if context.out is not None and context.out.suffix in FILES:
        raise UsageError(f"{what} is kept in a folder, and {context.out} is named like a file")


def _evaluate(context: JobContext, given: EvaluateOptions) -> Any:
    from ofa_plugins_core.jobs.evaluate import run_evaluate
    from ofa_plugins_core.report.canvas import can_draw

    in_a_folder(context, "an evaluation")
    if given.plot and not can_draw():  # now, not after hours of measuring
        raise MissingExtraError("--plot", "ofa-plugins-core", "plot")
    result = run_evaluate(context, given)
    if result is not None and context.out is not None and can_draw():
        for draw in _drawings(result, given, context.out):
            drawn(context, draw)
    return result


def drawn(context: JobContext, draw: Callable[[], None]) -> None:
    """Draw; what was measured is not lost because a picture could not be written."""
    try:
        draw()
    except OfaError as error:
        context.listener(Notice(f"not drawn: {error.message}"))


def _drawings(
    result: EvaluateResult, given: EvaluateOptions, folder: Path
) -> Iterator[Callable[[], None]]:
    """What there is to draw: with a run, predicted against measured and the measured front."""
    from ofa_plugins_core.report import measured

    found, plots = result.as_json(), folder / "plots"
    if given.run is not None:
        for column in found.get("agreement", {}):
            name = column.replace("@", "-").replace("/", "-")
            file = plots / f"predicted-{name}.svg"
            yield lambda c=column, f=file: measured.predicted_plot(found, f, c)  # type: ignore[misc]
        if found.get("pareto"):
            yield lambda: measured.front_plot(found, plots / "measured-front.svg")
    if given.plot:
        yield from _networks_drawn(result, folder / "archs")


def _networks_drawn(result: EvaluateResult, folder: Path) -> Iterator[Callable[[], None]]:
    """Memory op by op, and the picture, of the first networks."""
    from ofa_plugins_core import report

    name = result.about["supernet"]
    for number, details in enumerate(result.details, 1):
        own = folder / str(number)
        history = next(iter(details.histories.values()), ())
        peak = report.peak_of(history) if history else None
        if history:
            yield lambda h=history, o=own, n=number: report.history_chart(  # type: ignore[misc]
                h, f"{name}, network {n}: memory, op by op", o / "memory.svg"
            )
        yield lambda d=details, o=own, p=peak: report.subnet_picture(  # type: ignore[misc]
            d.blocks, d.arch, o / "picture.svg", p, title=name
        )
