"""Several sweeps in one figure, with published points beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.report import canvas
from ofa_plugins_core.report.fronts import axis_label, draw_marks, draw_steps
from ofa_plugins_core.report.results import SearchRecord
from ofa_plugins_core.report.words import cost_label, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@frozen
class Published:
    """Accuracies that a publication gives for bounds.

    Attributes:
        supernet: whose colour the points get.
        label: for the legend.
        points: (bound, top-1 in percent), by bound.
        source: the publication.
    """

    supernet: str
    label: str
    points: tuple[tuple[float, float], ...]
    source: str


def read_published(path: Path) -> list[Published]:
    """Read published points: ``{"source", "series": [{"supernet", "label", "points": [{"bound",
    "top1", …}]}]}``.

    Raises:
        InputError: the file is missing or broken.
    """
    try:
        found = json.loads(path.read_bytes())
        return [_published(series, str(found["source"])) for series in found["series"]]
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path} holds no published points: {error}") from error


def _published(series: Mapping[str, Any], source: str) -> Published:
    points = sorted((float(p["bound"]), float(p["top1"])) for p in series["points"])
    return Published(str(series["supernet"]), str(series["label"]), tuple(points), source)


def sweep_plot(
    results: Sequence[SearchRecord],
    path: Path,
    *,
    published: Sequence[Published] = (),
    limit: float | None = None,
    title: str = "",
) -> None:
    """Draw the best accuracy under each bound, a line a supernet; SVG or PNG.

    Args:
        results: of sweeps over bounds of the same cost.
        path: .svg or .png.
        published: points to set beside them; their kind is ``published``.
        limit: draw bounds up to here only.
        title: of the figure.

    Raises:
        UsageError: a result is not of a sweep, or they swept different costs.
        MissingExtraError, InputError: as ``canvas.sheet``.
    """
    swept = _common_cost(results)
    order = {r.supernet: n for n, r in enumerate(results)}
    published = sorted(published, key=lambda p: order.get(p.supernet, len(order)))
    heading = title or f"Best accuracy under a bound on {cost_label(swept)}"
    colours = _colours(results, published)
    with canvas.sheet(path, 8.6, 5.2) as sheet:
        axes = sheet.axes()
        axes.set_title(heading)
        for number, result in enumerate(results):
            _draw(sheet, axes, result, colours[result.supernet], limit, number)
        for series in published:
            _draw_published(sheet, axes, series, colours[series.supernet], limit)
        _finish(sheet, axes, results, published, swept)


def _common_cost(results: Sequence[SearchRecord]) -> str:
    for result in results:
        if result.swept is None or not any(p.accuracy for p in result.points):
            raise UsageError(
                f"the run of {result.supernet} is no sweep of accuracies over a bound",
                advice="sweep with a range: --constraint 'peak_memory<=300k:800k'",
            )
    names = list(dict.fromkeys(str(r.swept) for r in results))
    if len(names) != 1:
        raise UsageError(f"the runs swept different costs: {', '.join(names) or 'none at all'}")
    return names[0]


def _colours(results: Sequence[SearchRecord], published: Sequence[Published]) -> dict[str, str]:
    names = dict.fromkeys([*(r.supernet for r in results), *(p.supernet for p in published)])
    return {name: canvas.SERIES[i % len(canvas.SERIES)] for i, name in enumerate(names)}


def _draw(
    sheet: canvas.Sheet,
    axes: Axes,
    result: SearchRecord,
    colour: str,
    limit: float | None,
    number: int,
) -> None:
    points = [p for p in result.points if p.accuracy is not None and p.bound is not None]
    shown = [p for p in points if limit is None or (p.bound or 0) <= limit]
    places = [p.bound for p in shown if p.bound is not None]
    if limit is not None and shown and len(shown) < len(points):
        draw_steps(axes, [*places, limit], [*shown, shown[-1]], "accuracy", colour)
    else:
        draw_steps(axes, places, shown, "accuracy", colour)
    draw_marks(sheet, axes, places, shown, "accuracy", colour, size=4.5)
    missed = [m.bound for m in result.missed if limit is None or m.bound <= limit]
    if missed:
        foot = axes.get_xaxis_transform()
        axes.plot(missed, [0.02 + 0.03 * number] * len(missed), "x", color=colour, transform=foot)


def _draw_published(
    sheet: canvas.Sheet, axes: Axes, series: Published, colour: str, limit: float | None
) -> None:
    points = [p for p in series.points if limit is None or p[0] <= limit]
    if not points:
        return
    (line,) = axes.plot(
        [x for x, _ in points],
        [y for _, y in points],
        linestyle=(0, (1, 2)),
        marker="s",
        markersize=7,
        markerfacecolor="none",
        markeredgewidth=1.5,
        color=colour,
        zorder=4,
    )
    said = ", ".join(f"{y:.2f} % under {x:,.0f}" for x, y in points)
    sheet.note(line, f"{series.label}, published: {said}")


def _finish(
    sheet: canvas.Sheet,
    axes: Axes,
    results: Sequence[SearchRecord],
    published: Sequence[Published],
    swept: str,
) -> None:
    first = next(p for p in results[0].points if p.accuracy is not None)
    axes.set_xlabel(f"bound on {axis_label(first, swept)}")
    axes.set_ylabel(axis_label(first, "accuracy"))
    axes.grid(True)
    axes.xaxis.set_major_formatter(lambda value, _: short(value))
    colours = _colours(results, published)
    found: dict[str, Any] = {"marker": "o", "markersize": 5}
    square: dict[str, Any] = {"marker": "s", "markerfacecolor": "none", "linestyle": (0, (1, 2))}
    plain: dict[str, Any] = {"linestyle": "none", "color": canvas.MUTED}
    hollow: dict[str, Any] = {"marker": "D", "markerfacecolor": canvas.PAPER}
    columns = [
        [_line(f"{r.supernet}, found", color=colours[r.supernet], **found) for r in results],
        [_line(f"{s.label}, published", color=colours[s.supernet], **square) for s in published],
        [],
    ]
    if any(p.extrapolated for r in results for p in r.points):
        columns[2].append(_line("extrapolated", **plain, **hollow))
    if any(r.missed for r in results):
        columns[2].append(_line("no network fits", marker="x", **plain))
    used = [c for c in columns if c]
    blank = _line("", linestyle="none")
    rows = max(map(len, used))
    handles = [h for c in used for h in (*c, *[blank] * (rows - len(c)))]
    sheet.figure.legend(handles=handles, loc="outside lower center", ncols=len(used))


def _line(label: str, **style: Any) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], label=label, **style)
