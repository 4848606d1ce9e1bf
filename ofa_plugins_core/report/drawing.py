"""All pictures of a run, drawn into its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from attrs import frozen

from ofa_plugins_core.report.fronts import front_plot
from ofa_plugins_core.report.memory import history_chart, peak_of
from ofa_plugins_core.report.networks import Network
from ofa_plugins_core.report.picture import subnet_picture
from ofa_plugins_core.report.results import Run, SearchRecord
from ofa_plugins_core.report.sweeps import Published, sweep_plot

PLOTS: Final = "plots"
"""Folder of pictures in a run's folder."""


@frozen
class Figure:
    """A picture that was drawn.

    Attributes:
        file: an SVG.
        caption: what it shows, and how to read it.
        network: number of the network that it is about (from 1), or None for the whole result.
    """

    file: Path
    caption: str
    network: int | None = None


def draw_run(
    run: Run,
    networks: Sequence[Network] = (),
    *,
    beside: Sequence[SearchRecord] = (),
    published: Sequence[Published] = (),
    limit: float | None = None,
    suffixes: Sequence[str] = (".svg",),
) -> list[Figure]:
    """Draw the front or the sweep, and each network with its memory, into ``RUN/plots``.

    Args:
        run: whose folder is drawn into.
        networks: to draw.
        beside: further sweeps, drawn into one figure with this one.
        published: points for that figure.
        limit: a second such figure shows bounds up to here only.
        suffixes: ``.svg``, ``.png``; the page takes the SVG.

    Raises:
        MissingExtraError, UsageError, InputError: as ``canvas.sheet``.
    """
    folder, search, figures = run.folder / PLOTS, run.search, list[Figure]()
    for suffix in suffixes:
        found = []
        if search is not None and len(search.points) > 1:
            front_plot(search, folder / f"front{suffix}")
            found.append(Figure(folder / f"front{suffix}", _front_caption(search)))
        if search is not None and (beside or published):
            compared = [search, *beside]
            for name, most in (("sweeps", None), *((("sweeps-near", limit),) if limit else ())):
                file = folder / f"{name}{suffix}"
                sweep_plot(compared, file, published=published, limit=most)
                found.append(Figure(file, _sweeps_caption(published, most)))
        for number, network in enumerate(networks, 1):
            found += _draw_network(folder, number, network, suffix)
        figures = figures or found
    return figures


def _front_caption(search: SearchRecord) -> str:
    extrapolated = " Open diamonds are extrapolated." if _extrapolates(search) else ""
    if search.swept is None and len({*search.costs, "accuracy"}) > 2 and search.points[0].accuracy:
        return f"Each mark is a network of the front; its colour is its second cost.{extrapolated}"
    what = "a network of the front" if search.swept is None else "the best network found"
    band = ", the band the predictor's 80 % interval" if search.points[0].accuracy else ""
    return f"Each mark is {what}, the steps what a bound there gives{band}.{extrapolated}"


def _extrapolates(search: SearchRecord) -> bool:
    return any(p.extrapolated for p in search.points)


def _sweeps_caption(published: Sequence[Published], limit: float | None) -> str:
    sources = ", ".join(dict.fromkeys(p.source for p in published))
    found = f"Up to {limit:,.0f}. " if limit is not None else ""
    found += "Lines and bands: found, with the predictor's 80 % interval."
    return f"{found} Squares: published ({sources})." if sources else found


def _draw_network(folder: Path, number: int, network: Network, suffix: str) -> list[Figure]:
    picture, memory = folder / f"network-{number}{suffix}", folder / f"memory-{number}{suffix}"
    peak = peak_of(network.history)
    subnet_picture(network.blocks, network.point.arch, picture, peak, title=_name(network))
    history_chart(network.history, f"Memory of {network.title}, op by op", memory)
    return [
        Figure(picture, "The subnet: a row a stage, a box a block.", number),
        Figure(
            memory, "Memory of each op: its input, output and weights, in items; batch 1.", number
        ),
    ]


def _name(network: Network) -> str:
    return network.title.partition(" at ")[0]
