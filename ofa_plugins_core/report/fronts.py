"""The front of a search, or its sweep over bounds, as a plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.report import canvas
from ofa_plugins_core.report.results import Point, SearchRecord
from ofa_plugins_core.report.words import cost_label, full, short
from ofa_plugins_core.values import Measurement

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAMED: Final = 80
"""Up to so many networks each has a mark of its own, which hovering names."""


def front_plot(result: SearchRecord, path: Path) -> None:
    """Draw what a search found; SVG or PNG.

    A front: accuracy with its 80 % interval against the first cost, coloured by the second cost
    where there is one; without accuracies the second cost against the first. A sweep: the best
    accuracy (or the least cost) as steps over the bound. What the predictor extrapolates is drawn
    as an open diamond.

    Raises:
        UsageError: it found nothing, or the suffix is neither .svg nor .png.
        MissingExtraError, InputError: as ``canvas.sheet``.
    """
    if not result.points:
        raise UsageError(f"nothing to draw: no network of {result.supernet} was found")
    with canvas.sheet(path, 8.0, 4.8) as sheet:
        axes = sheet.axes()
        if result.swept is not None:
            _draw_sweep(sheet, axes, result, result.swept)
        else:
            _draw_front(sheet, axes, result)
        _finish(axes)


def _draw_front(sheet: canvas.Sheet, axes: Axes, result: SearchRecord) -> None:
    across = result.costs[0]
    upward = "accuracy" if result.points[0].accuracy is not None else result.costs[-1]
    axes.set_title(f"{result.supernet}: {cost_label(upward)} against {cost_label(across)}")
    points = [p for p in result.points if _of(p, upward) is not None]
    beside = [c for c in result.costs if c not in (across, upward)]
    if beside:
        _scatter(sheet, axes, points, across, upward, beside[0])
    else:
        places = [_value(p, across) for p in points]
        draw_steps(axes, places, points, upward, canvas.BLUE)
        draw_marks(sheet, axes, places, points, upward, canvas.BLUE)
    _label_axes(axes, points, across, upward)


def _draw_sweep(sheet: canvas.Sheet, axes: Axes, result: SearchRecord, swept: str) -> None:
    rest = [c for c in result.costs if c != swept] or list(result.costs)
    known = swept != "accuracy" and result.points[0].accuracy is not None
    upward = "accuracy" if known else rest[0]
    axes.set_title(f"{result.supernet}: {cost_label(upward)} under a bound on {cost_label(swept)}")
    points = [p for p in result.points if p.bound is not None and _of(p, upward) is not None]
    places = [p.bound for p in points if p.bound is not None]
    draw_steps(axes, places, points, upward, canvas.BLUE, before=swept == "accuracy")
    draw_marks(sheet, axes, places, points, upward, canvas.BLUE)
    _label_axes(axes, points, swept, upward)
    axes.set_xlabel(f"bound on {axes.get_xlabel()}")
    if result.missed:
        mark_missed(axes, [m.bound for m in result.missed])


def draw_steps(
    axes: Axes,
    places: Sequence[float],
    points: Sequence[Point],
    upward: str,
    colour: str,
    *,
    before: bool = False,
) -> None:
    """The best so far as steps, with the band of its interval: what a bound there would give.

    Args:
        before: the steps come before the points: of a lower bound.
    """
    step: Any = "pre" if before else "post"
    values = [_value(p, upward) for p in points]
    axes.plot(places, values, drawstyle=f"steps-{step}", color=colour, linewidth=1.6, zorder=2)
    ends = [(m.low, m.high) for p in points if (m := _of(p, upward)) is not None]
    if ends and all(low is not None and high is not None for low, high in ends):
        low: Any
        high: Any
        low, high = zip(*ends, strict=True)
        axes.fill_between(places, low, high, step=step, color=colour, alpha=0.16, linewidth=0)


def draw_marks(
    sheet: canvas.Sheet,
    axes: Axes,
    places: Sequence[float],
    points: Sequence[Point],
    upward: str,
    colour: str,
    size: float = 6.0,
) -> None:
    """A dot a network; an open diamond where the predictor extrapolates."""
    labels = {False: "found", True: "extrapolated"}
    runs = [[pair] for pair in zip(places, points, strict=True)]
    if len(points) > NAMED:
        runs = [[(x, p) for run in runs for x, p in run if p.extrapolated == e] for e in labels]
    for run in filter(None, runs):
        hollow = run[0][1].extrapolated
        (line,) = axes.plot(
            [x for x, _ in run],
            [_value(p, upward) for _, p in run],
            "D" if hollow else "o",
            color=colour,
            markerfacecolor=canvas.PAPER if hollow else colour,
            markersize=size if len(points) <= NAMED else 3.5,
            zorder=3,
            label=labels.pop(hollow, None),
        )
        if len(run) == 1:
            sheet.note(line, described(run[0][1]))


def _scatter(
    sheet: canvas.Sheet, axes: Axes, points: Sequence[Point], across: str, upward: str, third: str
) -> None:
    for extrapolated, marker in ((False, "o"), (True, "D")):
        chosen = [p for p in points if p.extrapolated == extrapolated]
        if not chosen:
            continue
        drawn = axes.scatter(
            [_value(p, across) for p in chosen],
            [_value(p, upward) for p in chosen],
            c=[_value(p, third) for p in chosen],
            vmin=min(_value(p, third) for p in points),
            vmax=max(_value(p, third) for p in points),
            cmap="cividis",
            s=16 if len(points) > 60 else 30,
            marker=marker,
            linewidths=0.4,
            edgecolors=canvas.INK,
            label="extrapolated" if extrapolated else "found",
        )
        if not extrapolated or all(p.extrapolated for p in points):
            bar: Any = sheet.figure.colorbar(drawn, ax=axes, format=lambda v, _: short(v))
            bar.set_label(axis_label(points[0], third))
            bar.outline.set_visible(False)


def mark_missed(axes: Axes, bounds: Sequence[float], colour: str = canvas.RED) -> None:
    """Crosses at the foot, where nothing meets the bound."""
    axes.plot(
        bounds,
        [0.02] * len(bounds),
        "x",
        transform=axes.get_xaxis_transform(),
        color=colour,
        markersize=7,
        markeredgewidth=2,
        clip_on=False,
        label="no network fits",
    )


def _finish(axes: Axes) -> None:
    axes.grid(True)
    axes.xaxis.set_major_formatter(lambda value, _: short(value))
    axes.yaxis.set_major_formatter(lambda value, _: short(value))
    handles, labels = axes.get_legend_handles_labels()
    if len(set(labels)) > 1:
        axes.legend(handles, labels, loc="lower right")


def _label_axes(axes: Axes, points: Sequence[Point], across: str, upward: str) -> None:
    axes.set_xlabel(axis_label(points[0], across))
    axes.set_ylabel(axis_label(points[0], upward))


def axis_label(point: Point, name: str) -> str:
    """``peak memory (items, computed)``; what a predicted accuracy is shown with."""
    found = _of(point, name)
    if found is None:
        return cost_label(name)
    band = ", 80 % interval" if found.low is not None else ""
    return f"{cost_label(name)} ({found.unit}, {found.kind}{band})"


def _of(point: Point, name: str) -> Measurement | None:
    return point.accuracy if name == "accuracy" else point.costs.get(name)


def _value(point: Point, name: str) -> float:
    found = _of(point, name)
    return float("nan") if found is None else float(found.value)


def described(point: Point) -> str:
    """``74.1 % at 399,168 items``: for hovering."""
    costs: list[Any] = [f"{full(m.value)} {m.unit}" for m in point.costs.values()]
    said = "" if point.accuracy is None else f"{point.accuracy.value:.2f} % at "
    return said + ", ".join(costs)
