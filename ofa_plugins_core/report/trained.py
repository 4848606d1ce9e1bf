"""A training drawn: top-1 of the validated subnets, epoch by epoch, over all phases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.report import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Result: TypeAlias = Mapping[str, Any]
"""As ``ofa run train --json`` prints it."""

COLOURS: Final = {
    "alone": canvas.GREY,
    "largest": canvas.BLUE,
    "middle": canvas.GREEN,
    "smallest": canvas.RED,
}


def training_plot(result: Result, path: Path) -> None:
    """Draw top-1 against epochs, each subnet averaged over its image sizes.

    Args:
        path: .svg or .png.

    Raises:
        UsageError: nothing was validated.
        MissingExtraError, InputError: as ``canvas.sheet``.
    """
    phases = [p for p in result["phases"] if p["history"]]
    if not phases:
        raise UsageError("nothing to draw: no epoch was validated")
    with canvas.sheet(path, 8.0, 4.4) as sheet:
        axes = sheet.axes()
        axes.set_title(f"{result['supernet']} on {result['data']}", pad=22)
        for start, phase in _placed(phases):
            _draw(axes, start, phase)
            _name(axes, start, phase)
        axes.set_xlabel("epochs")
        axes.set_ylabel("top-1, validated (%)")
        axes.grid(axis="y")
        handles, labels = axes.get_legend_handles_labels()
        drawn = dict(zip(labels, handles, strict=True))
        order = [*(n for n in COLOURS if n in drawn), *(n for n in drawn if n not in COLOURS)]
        axes.legend([drawn[n] for n in order], order, loc="lower right")
        axes.locator_params(axis="x", integer=True)


def _placed(phases: Sequence[Result]) -> Iterator[tuple[int, Result]]:
    """Each phase with the epochs before it."""
    before = 0
    for phase in phases:
        yield before, phase
        before += phase["epochs"]


def _draw(axes: Axes, start: int, phase: Result) -> None:
    epochs = [start + h["epoch"] for h in phase["history"]]
    names = dict.fromkeys(key.partition("@")[0] for key in phase["history"][0]["top1"])
    for name in names:
        values = [_of(h["top1"], name) for h in phase["history"]]
        colour = COLOURS.get(name, canvas.ORANGE)
        axes.plot(epochs, values, "-o", color=colour, markersize=3, linewidth=1.2, label=name)


def _of(top1: Mapping[str, float], name: str) -> float:
    return mean(v for key, v in top1.items() if key.partition("@")[0] == name)


def _name(axes: Axes, start: int, phase: Result) -> None:
    """The phase's name, between lines that part it from its neighbours."""
    if start:
        axes.axvline(start + 0.5, color=canvas.GRID, linewidth=1, zorder=0)
    place = start + 0.5 + phase["epochs"] / 2
    transform = axes.get_xaxis_transform()
    said: dict[str, Any] = {"ha": "center", "va": "bottom", "fontsize": 9, "color": canvas.MUTED}
    axes.text(place, 1.0, phase["phase"], transform=transform, **said)
