"""Measured networks drawn: predictions against measurements, and the measured front."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.report import canvas
from ofa_plugins_core.report.words import cost_label, short
from ofa_plugins_core.words import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ofa_plugins_core.measured import HeldOut

Result: TypeAlias = Mapping[str, Any]
"""As ``ofa run evaluate --json`` prints it."""

MEASURED: Final = {"top1": "top-1", "forward": "forward pass"}


def predicted_plot(result: Result, path: Path, column: str = "accuracy") -> None:
    """Draw what was measured against what was predicted, a mark a network with its intervals.

    Args:
        result: with networks that have the predicted column.
        path: .svg or .png.
        column: ``accuracy``, against top-1; or a latency in ms, against the forward time.

    Raises:
        UsageError: no network has both.
        MissingExtraError, InputError: as ``canvas.sheet``.
    """
    upward = "top1" if column == "accuracy" else "forward"
    pairs = [
        (n, n["predicted"][column], n[upward])
        for n in result["networks"]
        if n.get(upward) and column in n.get("predicted", {})
    ]
    if not pairs:
        raise UsageError(f"nothing to draw: no network has {column} predicted and measured")
    with canvas.sheet(path, 6.4, 6.0) as sheet:
        axes = sheet.axes()
        axes.set_title(_title(result, "measured against predicted"))
        for network, across, up in pairs:
            _mark(sheet, axes, across, up, _said(network, column, across, up))
        _diagonal(axes, [p for _, *p in pairs])
        _label(axes, across=f"{cost_label(column)}, {across['kind']}", unit=across["unit"])
        axes.set_ylabel(_upward(result, upward, up["unit"]))
        _write_agreement(axes, result.get("agreement", {}).get(column))


def held_out_plot(found: HeldOut, title: str, path: Path) -> None:
    """Draw what was measured against what a fit predicted of networks that it had not seen.

    Args:
        path: .svg or .png.

    Raises:
        MissingExtraError, InputError: as ``canvas.sheet``.
    """
    judged = found.quality
    with canvas.sheet(path, 6.4, 6.0) as sheet:
        axes = sheet.axes()
        axes.set_title(title)
        axes.errorbar(
            found.predicted,
            found.measured,
            xerr=found.half_width,
            fmt="none",
            ecolor=canvas.GREY,
            elinewidth=0.7,
            zorder=1,
        )
        axes.plot(found.predicted, found.measured, "o", color=canvas.BLUE, markersize=4, zorder=3)
        pairs = [
            ({"value": a}, {"value": b})
            for a, b in zip(found.predicted.tolist(), found.measured.tolist(), strict=True)
        ]
        _diagonal(axes, pairs)
        _label(axes, across="accuracy, predicted", unit="%")
        axes.set_ylabel("top-1, measured (%)")
        rmse = {"value": judged.rmse, "unit": "points"}
        said = {"pearson": judged.pearson, "kendall": judged.tau, "rmse": rmse}
        _write_agreement(axes, {"networks": judged.networks, **said})


def front_plot(result: Result, path: Path) -> None:
    """Draw measured top-1 against a cost: every network, and the measured front as steps.

    Raises:
        UsageError: nothing was measured.
        MissingExtraError, InputError: as ``canvas.sheet``.
    """
    found = result.get("pareto")
    if not found:
        raise UsageError("nothing to draw: no network has a measured top-1 and a cost")
    cost = _cost_of(found["against"])
    networks = [n for n in result["networks"] if n.get("top1") and cost(n)]
    best = {n["number"]: n for n in networks}
    with canvas.sheet(path, 8.0, 4.8) as sheet:
        axes = sheet.axes()
        _draw_front(axes, [best[number] for number in found["networks"]], cost)
        for network in networks:
            across, up = cost(network), network["top1"]
            _mark(sheet, axes, across, up, _said(network, found["against"], across, up))
        name = MEASURED.get(found["against"], cost_label(found["against"]))
        axes.set_title(_title(result, f"measured top-1 against {name}"))
        _label(axes, across=f"{name}, {across['kind']}", unit=across["unit"])
        axes.set_ylabel(_upward(result, "top1", "%"))
        axes.legend(loc="lower right")


def _cost_of(name: str) -> Callable[[Mapping[str, Any]], Any]:
    """A network's cost by name: measured, computed, or as its run says."""
    if name == "forward":
        return lambda n: n["forward"]
    return lambda n: {**n["costs"], **n.get("predicted", {})}.get(name)


def _draw_front(
    axes: Axes, best: Sequence[Mapping[str, Any]], cost: Callable[[Mapping[str, Any]], Any]
) -> None:
    axes.plot(
        [cost(n)["value"] for n in best],
        [n["top1"]["value"] for n in best],
        drawstyle="steps-post",
        color=canvas.BLUE,
        linewidth=1.6,
        label="measured front",
        zorder=2,
    )


def _mark(
    sheet: canvas.Sheet,
    axes: Axes,
    across: Mapping[str, Any],
    up: Mapping[str, Any],
    said: str,
) -> None:
    axes.errorbar(
        across["value"],
        up["value"],
        xerr=_ends(across),
        yerr=_ends(up),
        fmt="none",
        ecolor=canvas.GREY,
        elinewidth=0.9,
        zorder=1,
    )
    (mark,) = axes.plot(
        [across["value"]], [up["value"]], "o", color=canvas.BLUE, markersize=6, zorder=3
    )
    sheet.note(mark, said)


def _ends(found: Mapping[str, Any]) -> Any:
    """Lengths of an error bar, where there is an interval."""
    if found.get("low") is None or found.get("high") is None:
        return None
    value = found["value"]
    return [[max(0, value - found["low"])], [max(0, found["high"] - value)]]


def _said(
    network: Mapping[str, Any], column: str, across: Mapping[str, Any], up: Mapping[str, Any]
) -> str:
    one = f"{cost_label(column)} {short(across['value'])} {across['unit']}, {across['kind']}"
    return f"network {network['number']}: {one}; {up['value']:.2f} {up['unit']} measured"


def _diagonal(axes: Axes, pairs: Sequence[Sequence[Mapping[str, Any]]]) -> None:
    """Where both agree; only if it passes through what is drawn, so that it stretches nothing."""
    values = [m["value"] for pair in pairs for m in pair]
    spread = [max(v) - min(v) for v in zip(*[[m["value"] for m in p] for p in pairs], strict=True)]
    if max(values) - min(values) > 3 * max(*spread, 1e-9):
        return
    ends = [min(values), max(values)]
    axes.plot(ends, ends, color=canvas.MUTED, linewidth=1, linestyle=(0, (4, 3)), label="equal")
    axes.legend(loc="lower right")


def _label(axes: Axes, *, across: str, unit: str) -> None:
    axes.set_xlabel(f"{across} ({unit})")
    axes.grid(True)
    axes.xaxis.set_major_formatter(lambda value, _: short(value))


def _upward(result: Result, name: str, unit: str) -> str:
    where = f" on {result['data']}" if name == "top1" and result.get("data") else ""
    return f"{MEASURED[name]}{where}, measured ({unit})"


def _title(result: Result, text: str) -> str:
    doubt = " (untrained)" if result.get("untrained") else ""
    return f"{result['supernet']}: {text}{doubt}"


def _write_agreement(axes: Axes, found: Mapping[str, Any] | None) -> None:
    if found is None:
        return
    words = [counted(found["networks"], "network")]
    for name in ("Pearson", "Spearman", "Kendall"):
        key = name.lower()
        if found.get(key) is not None:
            words.append(f"{name} {found[key]:.3f}")
    words.append(f"RMSE {found['rmse']['value']:.3g} {found['rmse']['unit']}")
    axes.text(0.02, 0.98, "\n".join(words), transform=axes.transAxes, ha="left", va="top")
