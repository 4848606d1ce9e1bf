"""What ``ofa run fit --kind latency`` returns: the predictor judged, beside simpler ways."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from attrs import asdict, frozen

from ofa_plugins_core.jobs.results import INTERRUPTED, Row
from ofa_plugins_core.latency_fits import LatencyFit, LatencyQuality, Values, quality_of
from ofa_plugins_core.latency_models import Header

EXACT: Final = 1e-6
"""Percent, below which an error is of rounding alone."""
SURE: Final = 2.0
"""Standard errors of the mean difference from which one way is called better than another."""


@frozen(eq=False, slots=False)
class Judged:
    """Networks that a fit has not seen: (n,) ms as predicted, and as labelled."""

    predicted: Values
    labelled: Values

    @cached_property
    def quality(self) -> LatencyQuality:
        """How good the predictions are."""
        return quality_of(self.predicted, self.labelled)

    @property
    def errors(self) -> Values:
        """(n,) absolute, percent."""
        found: Values = 100 * np.abs(self.predicted - self.labelled) / self.labelled
        return found


@frozen(eq=False)
class LatencyFitResult:
    """What ``ofa run fit --kind latency`` prints.

    Attributes:
        name: of the cost: latency@NAME.
        header: what the file says of itself.
        judged: the fitted form on the held-out networks. beside: other ways on the same ones.
        verdict: whether it earns its weight, in a sentence.
        fit: what the form made.
        files: that were written.
        repeated: lines that repeated a network and were averaged.
    """

    name: str
    header: Header
    judged: Judged
    beside: Mapping[str, Judged]
    verdict: str
    fit: LatencyFit
    files: tuple[Path, ...]
    repeated: int

    @property
    def exit_code(self) -> int:
        """130 where the fit was interrupted; what was best until then is kept."""
        return INTERRUPTED if self.fit.interrupted else 0

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        header = self.header
        return {
            "supernet": header.supernet,
            "cost": f"latency@{self.name}",
            "device": header.device,
            "predictor": header.form,
            "resolutions": header.resolutions,
            "networks": asdict(header.split),
            "held_out": asdict(self.judged.quality),
            "beside": {name: asdict(j.quality) for name, j in self.beside.items()},
            "verdict": self.verdict,
            "note": self.fit.note,
            "repeated": self.repeated,
            "interrupted": self.fit.interrupted,
            "files": [str(f) for f in self.files],
        }

    def as_tables(self) -> list[Row]:
        """For the terminal: each way on the held-out networks."""
        header = self.header
        split = header.split
        title = (
            f"latency@{self.name}: {header.form} for {header.supernet} on {header.device}, fitted "
            f"to {split.train:,} networks, chosen by {split.dev:,}, judged on {split.held_out:,} "
            "others"
        )
        every = {header.form: self.judged, **self.beside}
        overlaps = list(self.judged.quality.overlap)
        columns = ("", "MAE\nms", "MAPE", "Spearman", *(f"fastest\n{o}" for o in overlaps))
        rows = [(name, *_shown(judged.quality)) for name, judged in every.items()]
        said = [text for text in (self.verdict, self.fit.note) if text]
        return [
            (title, (*columns, "80 % interval"), rows),
            ("", ("verdict",), [(text,) for text in said]),
            ("", ("written",), [(str(f),) for f in self.files]),
        ]


def _shown(found: LatencyQuality) -> tuple[str, ...]:
    ranks = "?" if found.spearman is None else f"{found.spearman:.4f}"
    ends = "too few networks"
    if found.low is not None and found.high is not None:
        ends = f"×{found.low:.3f} to ×{found.high:.3f}"
    overlap = (f"{share:.0%}" for share in found.overlap.values())
    return (f"{found.mae:.3g}", f"{found.mape:.2f} %", ranks, *overlap, ends)


def verdict(form: str, asked: Judged, beside: Mapping[str, Judged], table: str | None) -> str:
    """Whether a form earns its weight, held against the best of the others on the same networks.

    Args:
        table: which of the others is the sum of a table's rows; None: none.
    """
    if not beside:
        return f"nothing to hold {form} against: --lut TABLE adds the sum of a table's rows"
    if table is not None and beside[table].quality.mape < EXACT:
        return (
            f"the latencies are sums of this table's rows: the sum is right by construction, and "
            f"{form} can at best come near it ({asked.quality.mape:.2f} %)"
        )
    best = min(beside, key=lambda name: beside[name].quality.mape)
    gain = beside[best].errors - asked.errors
    sure = SURE * float(gain.std(ddof=1)) / np.sqrt(len(gain)) if len(gain) > 1 else np.inf
    said = f"off by {asked.quality.mape:.2f} %, {best} by {beside[best].quality.mape:.2f} %"
    if gain.mean() > sure:
        return f"{form} earns its weight: {said}"
    if gain.mean() < -sure:
        return f"{form} does not earn its weight: {said}"
    return f"{form} does not earn its weight: {said}, no difference on {len(gain)} networks"
