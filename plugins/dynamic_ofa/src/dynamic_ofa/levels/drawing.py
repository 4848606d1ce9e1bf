"""Candidates, their front and the levels chosen, as a scatter plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from dynamic_ofa.levels.choosing import Point
from ofa_plugins_core.report import canvas
from ofa_plugins_core.report.words import full, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOLDER = "plots"
FILE = "levels.svg"


@frozen(eq=False)
class Scatter:
    """What is drawn.

    Attributes:
        points: (accuracy %, cost). front, chosen: numbers of them.
        title: of the figure. across, upward: of the axes, with unit and kind.
        bars: of each point the ends of the middle 80 % of its passes, where known.
    """

    points: Sequence[Point]
    front: Sequence[int]
    chosen: Sequence[int]
    title: str
    across: str
    upward: str = "top-1 accuracy (%)"
    bars: Sequence[tuple[float, float] | None] = ()


def levels_plot(found: Scatter, path: Path) -> None:
    """Draw accuracy against cost: what was dropped, the front as steps, levels by number.

    Args:
        path: .svg or .png.

    Raises:
        UsageError: the suffix is neither .svg nor .png.
        MissingExtraError, InputError: as ``canvas.sheet``.
    """
    with canvas.sheet(path, 8.0, 4.8) as sheet:
        axes = sheet.axes()
        axes.set_title(found.title)
        _draw_bars(axes, found)
        _draw_front(axes, found)
        _draw_points(sheet, axes, found)
        _draw_levels(axes, found)
        axes.set_xlabel(found.across)
        axes.set_ylabel(found.upward)
        axes.xaxis.set_major_formatter(lambda value, _: short(value))
        axes.grid(True)
        axes.legend(loc="lower right")


def _draw_bars(axes: Axes, found: Scatter) -> None:
    label: str | None = "middle 80 % of passes"
    for (accuracy, _), ends in zip(found.points, found.bars, strict=False):
        if ends is not None:
            level = (accuracy, accuracy)
            axes.plot(ends, level, color=canvas.GREY, linewidth=1, zorder=1, label=label)
            label = None


def _draw_front(axes: Axes, found: Scatter) -> None:
    points = [found.points[n] for n in found.front]
    axes.plot(
        [cost for _, cost in points],
        [accuracy for accuracy, _ in points],
        drawstyle="steps-post",
        color=canvas.BLUE,
        linewidth=1.4,
        zorder=2,
    )


def _draw_points(sheet: canvas.Sheet, axes: Axes, found: Scatter) -> None:
    labels = {True: f"front: {len(found.front)} of {len(found.points)}", False: "dropped"}
    for number, (accuracy, cost) in enumerate(found.points):
        kept = number in found.front
        (mark,) = axes.plot(
            [cost],
            [accuracy],
            "o" if kept else "x",
            color=canvas.BLUE if kept else canvas.GREY,
            markersize=5,
            zorder=3,
            label=labels.pop(kept, None),
        )
        sheet.note(mark, f"{accuracy:.2f} % at {full(cost)}")


def _draw_levels(axes: Axes, found: Scatter) -> None:
    for level, number in enumerate(found.chosen):
        accuracy, cost = found.points[number]
        axes.plot(
            [cost],
            [accuracy],
            "o",
            color=canvas.RED,
            markersize=11,
            markerfacecolor="none",
            markeredgewidth=1.6,
            zorder=4,
            label=None if level else "levels",
        )
        axes.annotate(
            str(level),
            (cost, accuracy),
            xytext=(-9, 7),
            textcoords="offset points",
            color=canvas.RED,
            zorder=5,
        )
