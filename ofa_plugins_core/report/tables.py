"""A latency table drawn: whole networks as measured against what the table says of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ofa_plugins_core.own_tables import OwnTable
from ofa_plugins_core.report import canvas


def table_plot(table: OwnTable, path: Path) -> None:
    """Measured against predicted latency of the networks that a table was held against.

    Grey: the sum of rows as it is; blue: with the correction, and its 80 % interval as a band.

    Args:
        path: .svg or .png.

    Raises:
        MissingExtraError, InputError: as ``canvas.sheet``.
    """
    sums = np.array([n.sum for n in table.networks])
    blocks = np.array([n.blocks for n in table.networks])
    measured = np.array([n.measured.mean for n in table.networks])
    seen = np.array([n.seen for n in table.networks])
    predicted = table.correction.of(sums, blocks)
    with canvas.sheet(path, 6.4, 6.0) as sheet:
        axes = sheet.axes()
        axes.set_title(f"{table.supernet}: {table.where}")
        ends = np.array([min(sums.min(), predicted.min()), max(sums.max(), predicted.max())])
        if table.error is not None and table.error.low and table.error.high:
            low, high = ends * table.error.low, ends * table.error.high
            axes.fill_between(ends, low, high, color=canvas.BLUE, alpha=0.12, linewidth=0)
        axes.plot(ends, ends, color=canvas.GREY, linewidth=0.8)
        axes.plot(sums, measured, "o", color=canvas.GREY, markersize=4, label="sum of rows")
        axes.plot(predicted, seen, "x", color=canvas.BLUE, markersize=4, label="as it was then")
        axes.plot(predicted, measured, "o", color=canvas.BLUE, markersize=4, label="corrected")
        axes.set_xlabel("latency by the table, ms, predicted")
        axes.set_ylabel("latency, ms, measured")
        if table.error is not None:
            axes.text(
                0.97,
                0.03,
                f"{table.error.networks} networks: off by {table.error.mape:.2g} % on average, "
                f"rank correlation {table.error.spearman or 0:.3f}",
                transform=axes.transAxes,
                ha="right",
            )
        axes.legend(loc="upper left", frameon=False)
