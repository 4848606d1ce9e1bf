"""Two populations drawn: every measured network, and the means of the bins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ofa_plugins_core.report import canvas
from ofa_plugins_core.report.words import cost_label, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from compofa.population.comparing import Cloud
    from compofa.population.result import PopulationResult

COLOURS: Final = (canvas.BLUE, canvas.RED)
MARKERS: Final = ("o", "^")


def population_plot(result: PopulationResult, sizes: Sequence[int], path: Path) -> None:
    """Draw measured top-1 against the cost, a panel an image size.

    Raises:
        MissingExtraError, UsageError, InputError: as ``canvas.sheet``.
    """
    model = result.ours.model
    with canvas.sheet(path, 1.2 + 4.4 * len(sizes), 4.8) as sheet:
        panels = sheet.figure.subplots(1, len(sizes), sharey=True, squeeze=False)[0]
        for axes, size in zip(panels, sizes, strict=True):
            clouds = (result.ours.cloud.at(size), result.theirs.cloud.at(size))
            for number, cloud in enumerate(clouds):
                _draw(sheet, axes, result, size, number, cloud)
            axes.set_title(f"{size} px")
            axes.set_xlabel(f"{cost_label(model.name)} ({model.unit}, {model.kind})")
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(lambda value, _: short(value))
            axes.xaxis.set_minor_formatter(lambda value, _: short(value))
            axes.grid(True)
        panels[0].set_ylabel("top-1 (%, measured)")
        panels[-1].legend(loc="lower right")


def _draw(
    sheet: canvas.Sheet,
    axes: Axes,
    result: PopulationResult,
    size: int,
    number: int,
    cloud: Cloud,
) -> None:
    colour, name = COLOURS[number], result.names[number]
    axes.plot(
        cloud.cost,
        cloud.top1,
        MARKERS[number],
        color=colour,
        markersize=2.5,
        alpha=0.35,
        markeredgewidth=0,
        zorder=2,
    )
    bins = [b for b in result.bins if b.image_size == size]
    middles = [(b.low * b.high) ** 0.5 for b in bins]
    means: Any = [b.means[number] for b in bins]
    label = f"{name}, mean of a bin"
    (line,) = axes.plot(
        middles, means, f"{MARKERS[number]}-", color=colour, markersize=6, label=label, zorder=3
    )
    sheet.note(line, f"{name}: {len(cloud):,} measured networks at {size} px")
