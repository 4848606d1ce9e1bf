"""A profile as pictures: heat maps of places and blocks, units, and rank correlations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from block_profile.profiling import effects
from block_profile.profiling.numbers import Form
from block_profile.profiling.profile import Metric, Profile
from ofa_plugins_core.report import canvas
from ofa_plugins_core.report.words import cost_label, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOLDER: Final = "plots"
_MIDDLE: Final = "#f1f1f1"  # not the ground's white, which a dark page swaps
_COLUMNS: Final = 12
"""Most blocks that are named above a heat map; of more, each place has its own."""
_CELLS: Final = 30
"""Most places whose cells are written in."""


@frozen(eq=False)
class Cells:
    """A heat map.

    Attributes:
        rows: of each place its label. columns: names of blocks, or () where each place has its own.
        values: (row, column) -> (difference to random networks, label of the row).
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    width: int
    values: Mapping[tuple[int, int], tuple[float, str]]


def draw_profile(profile: Profile, folder: Path) -> Iterator[tuple[str, str]]:
    """Draw all pictures: (file in the folder, caption) of each.

    Raises:
        MissingExtraError, InputError: as ``canvas.sheet``.
    """
    for metric in profile.metrics:
        cells = cells_of(profile, metric.name)
        if cells.values:
            file = f"{FOLDER}/heat-{re.sub(r'[^a-z0-9_]+', '-', metric.name.lower())}.svg"
            heat_map(profile, metric, cells, folder / file)
            yield file, _heat_caption(profile, metric, cells)
    if any(effects.by_unit(profile, m.name) for m in profile.metrics):
        file = f"{FOLDER}/units.svg"
        units_plot(profile, folder / file)
        yield (
            file,
            (
                "Units. Bars: how far a layer's blocks lie apart, mean over the unit's layers. "
                "Diamonds: what the largest depth adds to the smallest."
            ),
        )
    if len(profile.metrics) > 1 and len(effects.block_rows(profile)) > 2:
        file = f"{FOLDER}/correlations.svg"
        correlation_plot(profile, folder / file)
        yield file, "Whether blocks rank alike: Spearman's correlation of the rows' means."


def _heat_caption(profile: Profile, metric: Metric, cells: Cells) -> str:
    how = (
        "over all networks"
        if any(metric.name in r.exact for r in profile.rows)
        else (f"over {profile.archs} networks a row")
    )
    own = "" if cells.columns else " Each place has blocks of its own, in their order."
    return (
        f"Mean {cost_label(metric.name)} with a block forced at a place, less that of random "
        f"networks ({_step(metric)}), {how}; rule {profile.rule}. Blue is better, orange "
        f"worse.{own}"
    )


def cells_of(profile: Profile, metric: str) -> Cells:
    """Differences to random networks of the same image size; mean over sizes."""
    against = {r.image_size: r.best_known(metric).mean for r in profile.rows if not r.forced}
    shifts: dict[tuple[str, str], list[float]] = {}
    for row in effects.block_rows(profile):
        block = row.alone
        if block is not None and row.image_size in against:
            shift = row.best_known(metric).mean - against[row.image_size]
            shifts.setdefault((block.where, block.label), []).append(shift)
    places = tuple(dict.fromkeys(place for place, _ in shifts))
    labels = tuple(sorted(dict.fromkeys(label for _, label in shifts), key=_ranked))
    named = len(labels) <= _COLUMNS
    values, width = {}, 0
    for number, place in enumerate(places):
        own = [label for at, label in shifts if at == place]
        for order, label in enumerate(own):
            column = labels.index(label) if named else order
            shift = fmean(shifts[place, label])
            values[number, column] = (shift, f"{place} as {label}")
            width = max(width, column + 1)
    return Cells(places, labels if named else (), width, values)


def _step(metric: Metric) -> str:
    """The unit of a difference: two shares in percent lie points apart."""
    return "points" if metric.unit == "%" else metric.unit


def _ranked(label: str) -> tuple[int, int, str]:
    """By expand ratio, then kernel: ``MBConv6_7x7``."""
    found = re.fullmatch(r"MBConv([\d.]+)_(\d+)x\d+", label)
    return (int(float(found[1]) * 100), int(found[2]), "") if found else (10**6, 0, label)


def heat_map(profile: Profile, metric: Metric, cells: Cells, path: Path) -> None:
    """Places down, blocks across; the colour is the difference to random networks.

    Args:
        path: .svg or .png.

    Raises:
        MissingExtraError, InputError: as ``canvas.sheet``.
    """
    height = 1.9 + 0.27 * len(cells.rows)
    with canvas.sheet(path, 2.6 + 0.72 * max(cells.width, 5), height) as sheet:
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import LinearSegmentedColormap, Normalize
        from matplotlib.patches import Rectangle

        ends = (canvas.BLUE, canvas.RED) if metric.better == "lower" else (canvas.RED, canvas.BLUE)
        colours = LinearSegmentedColormap.from_list("shift", [ends[0], _MIDDLE, ends[1]])
        most = max(abs(v) for v, _ in cells.values.values()) or 1.0
        scale = Normalize(-most, most)
        form = Form.of((v for v, _ in cells.values.values()), metric.unit)
        axes = sheet.axes()
        for (row, column), (value, label) in cells.values.items():
            colour = colours(scale(value))
            box = Rectangle((column, row), 0.96, 0.92, facecolor=colour, linewidth=0)
            axes.add_patch(box)
            sheet.note(box, f"{label}: {value:+.4g} {_step(metric)}")
            if len(cells.rows) <= _CELLS:
                _write(axes, row, column, form.signed(value), dark=abs(value) < 0.75 * most)
        _frame(axes, cells)
        axes.set_title(f"{profile.supernet}: {cost_label(metric.name)}", loc="left")
        bar = sheet.figure.colorbar(ScalarMappable(scale, colours), ax=axes, pad=0.02, aspect=30)
        bar.set_label(f"difference to random networks ({_step(metric)})")
        bar.ax.yaxis.set_major_formatter(lambda value, _: form.signed(value))
        bar.outline.set_visible(False)


def _write(axes: Axes, row: int, column: int, text: str, *, dark: bool) -> None:
    colour = canvas.ON_COLOUR if dark else "#fefefe"
    where = (column + 0.48, row + 0.48)
    axes.text(*where, text, ha="center", va="center", fontsize=8, color=colour)


def _frame(axes: Axes, cells: Cells) -> None:
    axes.set_xlim(0, cells.width)
    axes.set_ylim(len(cells.rows), 0)
    axes.set_yticks([n + 0.48 for n in range(len(cells.rows))], cells.rows, fontsize=9)
    names = cells.columns or [str(n + 1) for n in range(cells.width)]
    shown = [name.replace("MBConv", "e").replace("_", "\nk").partition("x")[0] for name in names]
    labels = shown if all(n.startswith("MBConv") for n in names) else list(names)
    axes.set_xticks([n + 0.48 for n in range(cells.width)], labels, fontsize=9)
    if not cells.columns:
        axes.set_xlabel("block of the place, by number")
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def units_plot(profile: Profile, path: Path) -> None:
    """A panel a metric: bars of each unit's spread, diamonds of what depth adds."""
    metrics = profile.metrics
    across = min(len(metrics), 3)
    down = -(-len(metrics) // across)
    with canvas.sheet(path, max(1.2 + 3.2 * across, 5.0), 0.9 + 2.5 * down) as sheet:
        panels = list(sheet.figure.subplots(down, across, sharey=True, squeeze=False).flat)
        for left in panels[len(metrics) :]:
            left.set_axis_off()
        sheet.figure.suptitle(
            f"{profile.supernet}: what units decide", x=0.01, ha="left", fontweight="bold"
        )
        for axes, metric in zip(panels, metrics, strict=False):
            _units_panel(sheet, axes, profile, metric)
        handles, labels = panels[0].get_legend_handles_labels()
        sheet.figure.legend(handles, labels, loc="outside lower center", ncols=2)


def _units_panel(sheet: canvas.Sheet, axes: Axes, profile: Profile, metric: Metric) -> None:
    found = effects.by_unit(profile, metric.name)
    names = ["stem" if u.unit is None else f"Unit {u.unit}" for u in found]
    places = range(len(found))
    bars = axes.barh(
        places, [u.spread for u in found], height=0.6, color=canvas.SKY, label="spread of blocks"
    )
    for bar, unit, name in zip(bars, found, names, strict=True):
        sheet.note(bar, f"{name}: {unit.spread:.4g} {_step(metric)}")
    gains = [(n, u.gain) for n, u in enumerate(found) if u.gain is not None]
    if gains:
        across, down = [g for _, g in gains], [n for n, _ in gains]
        axes.plot(
            across, down, "D", color=canvas.RED, markersize=6, label="depth, largest − smallest"
        )
    axes.set_yticks(places, names)
    axes.set_ylim(len(found) - 0.4, -0.6)
    axes.set_xlabel(f"{cost_label(metric.name)} ({_step(metric)})")
    axes.xaxis.set_major_formatter(lambda value, _: short(value))
    axes.grid(True, axis="x")


def correlation_plot(profile: Profile, path: Path) -> None:
    """A square a pair of metrics."""
    names = [m.name for m in profile.metrics]
    pairs: dict[tuple[str, str], Any] = {**effects.correlations(profile)}
    side = 1.6 + 0.85 * len(names)
    with canvas.sheet(path, side + 1.2, side) as sheet:
        from matplotlib.colors import LinearSegmentedColormap, Normalize
        from matplotlib.patches import Rectangle

        colours = LinearSegmentedColormap.from_list(
            "correlation", [canvas.RED, _MIDDLE, canvas.BLUE]
        )
        scale, axes = Normalize(-1, 1), sheet.axes()
        for row, one in enumerate(names):
            for column, two in enumerate(names):
                value = 1.0 if one == two else pairs.get((one, two), pairs.get((two, one)))
                colour = _MIDDLE if value is None else colours(scale(value))
                box = Rectangle((column, row), 0.97, 0.97, facecolor=colour, linewidth=0)
                axes.add_patch(box)
                said = "–" if value is None else f"{value:.2f}"
                sheet.note(box, f"{cost_label(one)} and {cost_label(two)}: {said}")
                ink = canvas.ON_COLOUR if abs(value or 0) < 0.75 else "#fefefe"
                axes.text(column + 0.48, row + 0.48, said, ha="center", va="center", color=ink)
        _square(axes, [cost_label(n) for n in names])
        axes.set_title("Rank correlation over blocks")


def _square(axes: Axes, labels: Sequence[str]) -> None:
    count = len(labels)
    axes.set_xlim(0, count)
    axes.set_ylim(count, 0)
    ticks = [n + 0.48 for n in range(count)]
    axes.set_yticks(ticks, labels)
    axes.set_xticks(ticks, labels, rotation=30, ha="right", rotation_mode="anchor")
    axes.tick_params(length=0)
    axes.set_aspect("equal")
    for side in axes.spines.values():
        side.set_visible(False)
