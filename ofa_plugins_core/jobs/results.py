"""What a search returns: its front item by item, as JSON, as rows and as tables."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from ofa_plugins_core.values import Arch, Measurement, Number
from ofa_plugins_core.words import counted

INTERRUPTED: Final = 130
INFEASIBLE: Final = 3
Row = tuple[str, Sequence[str], Sequence[Sequence[str]]]


@frozen(eq=False)
class Item:
    """One network that was found.

    Attributes:
        arch: the architecture.
        accuracy: predicted, in percent with its interval; None without a predictor.
        costs: name -> measurement, in the order of the user.
        extrapolated: outside the range on which the predictor was fitted; None without one.
        support: measured records behind the prediction, where known.
        bound: of a sweep.
        counts: image size -> networks that meet the bounds, where counted.
        optimal: proven best.
        evaluations: architectures scored one by one for this item (of a sweep).
    """

    arch: Arch
    accuracy: Measurement | None
    costs: Mapping[str, Measurement]
    extrapolated: bool | None = None
    support: int | None = None
    bound: Number | None = None
    counts: Mapping[str, Any] | None = None
    optimal: bool = False
    evaluations: int = 0

    def as_json(self) -> dict[str, Any]:
        """One element of ``front``."""
        found: dict[str, Any] = {} if self.bound is None else {"bound": self.bound}
        found["arch"] = self.arch.as_dict()
        found["accuracy"] = None if self.accuracy is None else self.accuracy.as_dict()
        found["costs"] = {name: m.as_dict() for name, m in self.costs.items()}
        for key in ("extrapolated", "support", "counts"):
            if (value := getattr(self, key)) is not None:
                found[key] = value
        return found

    def as_row(self) -> dict[str, Any]:
        """One row of front.csv."""
        found: dict[str, Any] = {} if self.bound is None else {"bound": self.bound}
        if self.accuracy is not None:
            low, high = self.accuracy.low, self.accuracy.high
            found |= {"accuracy": self.accuracy.value, "low": low, "high": high}
        found |= {name: m.value for name, m in self.costs.items()}
        found |= {"image_size": self.arch.image_size, "extrapolated": self.extrapolated}
        return {**found, "support": self.support, "arch": json.dumps(self.arch.as_dict())}


@frozen(eq=False)
class Infeasible:
    """A bound of a sweep that no network meets.

    Attributes:
        bound: that was asked for.
        smallest: value of the swept quantity that can be reached (the greatest, for ``>=``).
        binds: what keeps the bound from being met.
        reachable: the same for every bound that was asked for.
        relation: of the bound, ``<=`` or ``>=``.
    """

    bound: Number
    smallest: float | None
    binds: str
    reachable: Mapping[str, float]
    relation: str = "<="

    def as_json(self) -> dict[str, Any]:
        """One element of ``front``."""
        return {
            "bound": self.bound,
            "infeasible": True,
            "smallest": self.smallest,
            "binds": self.binds,
            "reachable": dict(self.reachable),
        }

    def as_row(self) -> dict[str, Any]:
        """One row of front.csv."""
        return {"bound": self.bound, "infeasible": True, "smallest": self.smallest}


@frozen(eq=False)
class SearchResult:
    """What ``ofa run search`` found.

    Attributes:
        run: its folder, or None.
        supernet, searcher: by name; reason: why it was this searcher.
        predictor: name of the form, or None; predictor_source: what it is worth.
        dataset: whose accuracy is predicted.
        optimal: all of it is proven best for the predictor and the costs.
        evaluations: architectures scored one by one.
        seconds: of the search alone.
        front: sorted by the first cost, or by the bound of a sweep.
        epsilon: objective -> largest step to a kept point, where a front was thinned.
        swept: name of the quantity whose bound was varied, or None.
        counts: image size -> networks that meet the bounds, where counted.
        note: a sentence of the searcher's.
        interrupted: the user stopped it; what is here was found until then.
        judged: accuracy was searched for or bounded, so what is optimal is so for the predictor.
    """

    run: Path | None
    supernet: str
    searcher: str
    reason: str
    predictor: str | None
    predictor_source: str | None
    dataset: str | None
    optimal: bool
    evaluations: int
    seconds: float
    front: Sequence[Item | Infeasible]
    epsilon: Mapping[str, float] | None = None
    swept: str | None = None
    counts: Mapping[str, Any] | None = None
    note: str | None = None
    interrupted: bool = False
    judged: bool = True

    @property
    def items(self) -> list[Item]:
        """The networks."""
        return [i for i in self.front if isinstance(i, Item)]

    @property
    def exit_code(self) -> int:
        """Of the command: 130 interrupted, 3 no bound of a sweep can be met."""
        if self.interrupted:
            return INTERRUPTED
        return INFEASIBLE if self.front and not self.items else 0

    def as_json(self) -> dict[str, Any]:
        """As ``--json`` prints it and result.json holds it."""
        found: dict[str, Any] = {
            "run": None if self.run is None else str(self.run),
            "supernet": self.supernet,
            "searcher": self.searcher,
            "searcher_reason": self.reason,
            "predictor": self.predictor,
            "predictor_source": self.predictor_source,
            "dataset": self.dataset,
            "optimal": self.optimal,
            "optimal_for": "predictor" if self.judged and self.predictor else "costs",
            "evaluations": self.evaluations,
            "seconds": round(self.seconds, 4),
        }
        if self.epsilon is not None:
            found["thinned"] = {"epsilon": dict(self.epsilon)}
        for key in ("swept", "counts", "note"):
            if getattr(self, key) is not None:
                found[key] = getattr(self, key)
        if self.interrupted:
            found["interrupted"] = True
        return {**found, "front": [item.as_json() for item in self.front]}

    def as_rows(self) -> list[dict[str, Any]]:
        """Of front.csv."""
        return [item.as_row() for item in self.front]

    def as_tables(self) -> list[Row]:
        """For the terminal."""
        return [(self._title(), self._columns(), [self._cells(i) for i in self.front])]

    def _title(self) -> str:
        words = [self.supernet, f"searched by {self.searcher} ({self.reason})"]
        words.append(f"{self.seconds:.3g} s")
        words.append(self._proof())
        if self.evaluations:
            words.append(counted(self.evaluations, "network") + " scored")
        lines = [" · ".join(words)]
        if self.predictor is not None:
            lines.append(f"accuracy: {self.predictor}, {self.predictor_source}")
        lines += sources(self._costs())
        if self.epsilon is not None:
            lines.append("thinned: " + ", ".join(f"{k} {v:.3g}" for k, v in self.epsilon.items()))
        if self.counts is not None:
            said = ", ".join(f"{_said_count(n)} at {size}" for size, n in self.counts.items())
            lines.append(f"networks that meet the bounds: {said}")
        return "\n".join([*lines, self.note] if self.note else lines)

    def _proof(self) -> str:
        if self.exit_code == INFEASIBLE:
            return "no bound can be met"
        if not self.optimal:
            return "not proven optimal"
        judged = self.judged and self.predictor is not None
        return "proven optimal for the predictor" if judged else "proven optimal"

    def _costs(self) -> dict[str, Measurement]:
        return dict(self.items[0].costs) if self.items else {}

    def _uncertain(self) -> set[str]:
        """Costs that have an interval."""
        return {n for i in self.items for n, m in i.costs.items() if m.low is not None}

    def _columns(self) -> list[str]:
        costs = []
        for name, found in self._costs().items():
            costs.append(f"{name}\n{found.unit}\n{found.kind}")
            costs += ["80 %\ninterval"] if name in self._uncertain() else []
        accuracy = ["accuracy\n%\npredicted", "80 %\ninterval"] if self.predictor else []
        records = ["records\nbehind"] if any(i.support is not None for i in self.items) else []
        bound = [] if self.swept is None else [f"bound\non\n{self.swept}"]
        counts = ["networks\nunder it"] if any(i.counts for i in self.items) else []
        return [*bound, *costs, *accuracy, *records, *counts, "image\nsize", ""]

    def _cells(self, item: Item | Infeasible) -> list[str]:
        width = len(self._columns())
        if isinstance(item, Infeasible):
            said = f"reaches {reached(item.smallest, item.relation)}; binds: {item.binds}"
            return [number(item.bound), "none", *("" for _ in range(width - 3)), said]
        cells = [] if self.swept is None else [number(item.bound)]
        for name, found in item.costs.items():
            cells.append(number(found.value))
            if name in self._uncertain():
                cells.append("" if found.low is None else f"{found.low:.4g} to {found.high:.4g}")
        if self.predictor:
            a = item.accuracy
            cells += ["", ""] if a is None else [f"{a.value:.2f}", f"{a.low:.1f} to {a.high:.1f}"]
        if "records\nbehind" in self._columns():
            cells.append("?" if item.support is None else f"{item.support:,}")
        if "networks\nunder it" in self._columns():
            cells.append(_in_all(item.counts or {}))
        return [*cells, str(item.arch.image_size), "extrapolated" if item.extrapolated else ""]


def sources(costs: Mapping[str, Measurement]) -> list[str]:
    """Where costs come from that are no closed form: table, device, error."""
    return [
        f"{name}: {found.source}"
        for name, found in costs.items()
        if found.kind != "computed" and found.source
    ]


def with_ends(found: Measurement) -> str:
    """A cost for people, with its interval where it has one."""
    ends = "" if found.low is None else f" ({found.low:.4g} to {found.high:.4g})"
    return number(found.value) + ends


def number(value: Number | None) -> str:
    """A number for people: whole ones with thousands, others to six digits."""
    if value is None:
        return "?"
    return f"{int(value):,}" if float(value).is_integer() else f"{value:,.6g}"


def reached(value: Number | None, relation: str) -> str:
    """A reachable value to six digits, rounded to the side on which it can still be reached."""
    if value is None or not math.isfinite(value) or float(value).is_integer():
        return number(value)
    side = ROUND_CEILING if relation == "<=" else ROUND_FLOOR
    return f"{Context(prec=6, rounding=side).create_decimal_from_float(float(value)):,f}"


def _said_count(value: Any) -> str:
    """A number of networks: exact, or an estimate with its error."""
    if isinstance(value, Mapping):
        return f"{value['estimate']:.3g} ± {value['error']:.1g}"
    return f"{value:,}"


def _in_all(counts: Mapping[str, Any]) -> str:
    """Over all image sizes."""
    if all(isinstance(v, int) for v in counts.values()):
        return f"{sum(counts.values()):,}"
    pairs = [
        (v["estimate"], v["error"]) if isinstance(v, Mapping) else (v, 0) for v in counts.values()
    ]
    estimate, error = sum(n for n, _ in pairs), math.hypot(*(e for _, e in pairs))
    return _said_count({"estimate": estimate, "error": error})
