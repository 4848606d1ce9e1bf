"""Peak memory, op by op, as a bar chart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from attrs import frozen

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.report import canvas
from ofa_plugins_core.report.words import full, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

History: TypeAlias = Sequence[tuple[str, str, int]]
"""(block, op, items) of every op that counts, in the order in which they run."""

_COLOURS: Final = {
    "expand": canvas.SKY,
    "depthwise": canvas.ORANGE,
    "spatial": canvas.ORANGE,
    "project": canvas.GREEN,
    "reduce": canvas.PINK,
    "shortcut": canvas.BLUE,
    "se": canvas.BLUE,
    "linear": canvas.YELLOW,
    "pool": canvas.MUTED,
}


_GAP: Final = 0.45
"""Between blocks, in widths of a bar."""


@frozen
class _Block:
    """The bars of a block: its name and where its first and its last bar stand."""

    name: str
    first: float
    last: float

    @property
    def place(self) -> tuple[str, str] | None:
        """Stage and position of an elastic block, as written."""
        match = re.fullmatch(r"stage (\d+) block (\d+)", self.name)
        return (match[1], match[2]) if match else None

    @property
    def centre(self) -> float:
        """Between its first and its last bar."""
        return (self.first + self.last) / 2


def peak_of(history: History) -> tuple[str, str, int]:
    """The entry of the peak: the first that reaches the largest value."""
    return max(history, key=lambda entry: entry[2])


def history_chart(history: History, title: str, path: Path, *, unit: str = "items") -> None:
    """Draw the memory of each op as a bar, grouped by block, the peak marked; SVG or PNG.

    Args:
        history: (block, op, items) of each op, as ``PeakMemory.history`` gives it; batch 1.
        title: of the chart.
        path: .svg or .png.
        unit: of the values.

    Raises:
        MissingExtraError, UsageError, InputError: as ``canvas.sheet``.
    """
    if not history:
        raise UsageError("no op to draw: the history is empty")
    blocks = _blocks(history)
    places = [b.first + n for b in blocks for n in range(round(b.last - b.first) + 1)]
    with canvas.sheet(path, max(8.0, min(13.0, 2.5 + 0.16 * places[-1])), 5.0) as sheet:
        axes = sheet.axes()
        axes.set_title(title)
        bars = axes.bar(places, [v for *_, v in history], 0.86, color=[_colour(h) for h in history])
        for bar, (block, op, value) in zip(bars, history, strict=True):
            sheet.note(bar, f"{block}, {op}: {full(value)} {unit}")
        _mark_peak(axes, history, places, unit)
        _name_blocks(axes, blocks)
        _scale(axes, peak_of(history)[2], places[-1], unit)
        _legend(sheet, history)


def _blocks(history: History) -> list[_Block]:
    runs, start = [], 0.0
    for name, entries in groupby(history, key=lambda entry: entry[0]):
        last = start + len(list(entries)) - 1
        runs.append(_Block(name, start, last))
        start = last + 1 + _GAP
    return runs


def _colour(entry: tuple[str, str, int]) -> str:
    return _COLOURS.get(_part(entry), canvas.GREY)


def _part(entry: tuple[str, str, int]) -> str:
    """``se`` of ``se.reduce``: what the legend names."""
    return entry[1].split(".")[0]


def _mark_peak(axes: Axes, history: History, places: Sequence[float], unit: str) -> None:
    block, op, value = peak_of(history)
    number = list(history).index((block, op, value))
    at = places[number]
    axes.patches[number].set(edgecolor=canvas.INK, linewidth=1.6)
    axes.axhline(value, color=canvas.INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
    left = at < places[-1] / 2
    axes.annotate(
        f"peak {full(value)} {unit}: {block}, {op}",
        (at, value),
        xytext=(-4 if left else 4, 8),
        textcoords="offset points",
        ha="left" if left else "right",
        fontweight="bold",
        bbox={"facecolor": canvas.PAPER, "edgecolor": "none", "pad": 1.5},
    )
    axes.plot([at], [value], marker="v", color=canvas.INK, markersize=6, clip_on=False)


def _name_blocks(axes: Axes, blocks: Sequence[_Block]) -> None:
    """Block numbers under the bars and the stage under those; other names upright."""
    axes.set_xticks([b.centre for b in blocks], [b.place[1] if b.place else "" for b in blocks])
    axes.tick_params(axis="x", length=0, pad=3)
    below = axes.get_xaxis_transform()
    for block in blocks:
        if block.place is None:
            axes.text(
                block.centre, -0.02, block.name, transform=below, rotation=90, ha="center", va="top"
            )
    for place, members in groupby(blocks, key=lambda b: b.place and b.place[0]):
        if place is not None:
            run = list(members)
            _bracket(axes, f"stage {place}", run[0].first, run[-1].last)


def _bracket(axes: Axes, label: str, first: float, last: float) -> None:
    below = axes.get_xaxis_transform()
    axes.plot(
        [first - 0.4, last + 0.4],
        [-0.085, -0.085],
        transform=below,
        color=canvas.MUTED,
        linewidth=1.2,
        clip_on=False,
    )
    axes.text((first + last) / 2, -0.10, label, transform=below, ha="center", va="top")


def _scale(axes: Axes, peak: float, last: float, unit: str) -> None:
    axes.set_xlim(-0.8, last + 0.8)
    axes.set_ylim(0, peak * 1.12)
    axes.set_ylabel(f"memory of the op ({unit})")
    axes.yaxis.set_major_formatter(lambda value, _: short(value))
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _legend(sheet: canvas.Sheet, history: History) -> None:
    from matplotlib.patches import Patch

    colours = {_part(entry): _colour(entry) for entry in history}
    handles = [Patch(color=colour, label=name) for name, colour in colours.items()]
    sheet.figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=len(handles),
        handlelength=1,
        handleheight=1,
        columnspacing=1.4,
    )
