"""Latency predictors drawn: what they say of held-out networks against what is known of these."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ofa_plugins_core.latency_fits import Values, quality_of
from ofa_plugins_core.report import canvas


def latency_plot(pairs: Mapping[str, tuple[Values, Values]], title: str, path: Path) -> None:
    """Draw known against predicted latencies, a colour a way of predicting.

    Args:
        pairs: way -> (n,) ms as predicted, (n,) ms as labelled; the first is drawn on top.
        path: .svg or .png.

    Raises:
        MissingExtraError, InputError: as ``canvas.sheet``.
    """
    with canvas.sheet(path, 6.4, 6.0) as sheet:
        axes = sheet.axes()
        axes.set_title(title)
        every = np.concatenate([v for pair in pairs.values() for v in pair])
        ends = [float(every.min()), float(every.max())]
        axes.plot(ends, ends, color=canvas.GREY, linewidth=0.8)
        for number, (name, (predicted, labelled)) in enumerate(pairs.items()):
            off = quality_of(predicted, labelled).mape
            axes.plot(
                predicted,
                labelled,
                "o",
                color=canvas.SERIES[number % len(canvas.SERIES)],
                markersize=4,
                zorder=9 - number,
                label=f"{name}: off by {off:.2f} %",
            )
        axes.set_xlabel("latency, ms, predicted")
        axes.set_ylabel("latency, ms, as labelled")
        axes.legend(loc="upper left", frameon=False)
