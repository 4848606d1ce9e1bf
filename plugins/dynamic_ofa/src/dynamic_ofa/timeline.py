"""A run drawn over time: latency against its limit, and below it the level that was on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dynamic_ofa.ledger import Inference, Switched
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.interfaces import Level
from ofa_plugins_core.report import canvas
from ofa_plugins_core.report.canvas import Sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOADS: Final = ("cpu_percent", "gpu_percent")
"""Readings that are shaded: the first that is there."""
MOST: Final = 20_000
"""Inferences on a timeline: a dot each."""
ROOM: Final = 1.6
"""The axis of latency ends at so many times what 99 % of inferences, or the limit, stay under."""


def timeline_plot(
    inferences: Sequence[Inference],
    switches: Sequence[Switched],
    levels: Sequence[Level],
    path: Path,
    title: str,
    *,
    contended: Sequence[tuple[float, float]] = (),
    load: str | None = None,
) -> None:
    """Draw a run: a dot an inference, the limit as steps, each switch as a line.

    Args:
        inferences: in the order of time, live or simulated.
        switches: what hovering over a line says is theirs.
        levels: from fast to slow.
        path: .svg or .png.
        contended: (from, to) in seconds, where a second load was known to run.
        load: the reading in percent that is shaded; None: the first of ``LOADS`` that is there.

    Raises:
        UsageError: there is no inference; or the suffix is neither .svg nor .png.
        MissingExtraError, InputError: as ``canvas.sheet``.
    """
    if not inferences:
        raise UsageError("nothing to draw: no inference was run")
    with canvas.sheet(path, 9.6, 5.6) as sheet:
        above, below = sheet.figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        above.set_title(title)
        for start, end in contended:
            _shade_contended(above, start, end)
            _shade_contended(below, start, end)
        _draw_latency(above, inferences)
        _shade_load(above, inferences, load)
        _draw_levels(below, inferences, levels)
        for number, switch in enumerate(switches):
            _mark(sheet, above, below, switch, first=not number)
        below.set_xlabel("time (s)")
        below.set_xlim(0, inferences[-1].time_s)
        sheet.figure.legend(loc="outside lower center", ncols=7)


def _shade_contended(axes: Axes, start: float, end: float) -> None:
    labelled = "second load" if axes.get_subplotspec().is_first_row() else None  # type: ignore[union-attr]
    axes.axvspan(start, end, color=canvas.YELLOW, alpha=0.18, linewidth=0, label=labelled)


def _draw_latency(axes: Axes, inferences: Sequence[Inference]) -> None:
    """In time and late ones are told apart by form, too; what leaves the axes sits at its top."""
    limits = [i.limit_ms for i in inferences]
    latencies = sorted(i.latency_ms for i in inferences)
    most = latencies[min(len(latencies) - 1, int(0.99 * len(latencies)))]
    top = ROOM * max(most, *limits)
    for late, form, colour, label in (
        (False, ".", canvas.BLUE, "in time"),
        (True, "x", canvas.RED, "late"),
    ):
        shown = [i for i in inferences if i.late is late]
        if shown:
            heights = [min(i.latency_ms, 0.985 * top) for i in shown]
            times = [i.time_s for i in shown]
            axes.plot(times, heights, form, color=colour, markersize=3.5, label=label)
    times = [i.time_s for i in inferences]
    axes.step([0.0, *times], [limits[0], *limits], color=canvas.INK, linewidth=1.2, label="limit")
    axes.set_ylim(0, top)
    axes.set_ylabel("latency (ms)")
    axes.grid(axis="y")


def _shade_load(axes: Axes, inferences: Sequence[Inference], load: str | None) -> None:
    names = LOADS if load is None else (load,)
    name = next((n for n in names if any(n in i.readings for i in inferences)), None)
    if name is None:
        return
    seen = [(i.time_s, i.readings[name]) for i in inferences if name in i.readings]
    right = axes.twinx()
    right.fill_between(
        [time for time, _ in seen],
        [percent for _, percent in seen],
        color=canvas.GREY,
        alpha=0.22,
        linewidth=0,
        step="post",
        label=name.replace("_percent", " use"),
    )
    right.set_ylim(0, 100 * ROOM)  # below what is said of latency
    right.set_yticks([0, 50, 100])
    right.set_ylabel(f"{name.replace('_percent', '')} (%)", color=canvas.MUTED)
    axes.set_zorder(right.get_zorder() + 1)
    axes.patch.set_visible(False)


def _draw_levels(axes: Axes, inferences: Sequence[Inference], levels: Sequence[Level]) -> None:
    times = [i.time_s - i.latency_ms / 1000 for i in inferences]
    numbers = [i.level for i in inferences]
    axes.step(
        [*times, inferences[-1].time_s],
        [*numbers, numbers[-1]],
        where="post",
        color=canvas.GREEN,
        linewidth=2,
        label="level",
    )
    axes.set_ylim(-0.5, len(levels) - 0.5)
    every = max(1, len(levels) // 8)
    axes.set_yticks(range(0, len(levels), every))
    axes.set_yticklabels([f"{n}: {levels[n].accuracy:.1f} %" for n in range(0, len(levels), every)])
    axes.set_ylabel("level: its accuracy")
    axes.grid(axis="y")


def _mark(sheet: Sheet, above: Axes, below: Axes, switch: Switched, first: bool) -> None:
    """A line through both axes; an SVG says on hovering why."""
    took = "" if switch.took_ms is None else f", in {switch.took_ms:.2f} ms"
    said = f"{switch.time_s:.2f} s: {switch.before} → {switch.after}{took}"
    for axes in (above, below):
        label = "switch" if first and axes is above else None
        line = axes.axvline(
            switch.time_s, color=canvas.PINK, linewidth=0.9, linestyle="--", label=label
        )
        sheet.note(line, f"{said}: {switch.reason}" if switch.reason else said)
