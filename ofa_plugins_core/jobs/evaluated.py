"""What ``ofa run evaluate`` returns: a network a row, predicted beside measured."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen

from ofa_plugins_core.jobs.agreement import agreement
from ofa_plugins_core.jobs.cost import Details
from ofa_plugins_core.jobs.results import INTERRUPTED, Row, number
from ofa_plugins_core.pareto import non_dominated

Network = Mapping[str, Any]
"""One network: number, arch, top1, top5, forward, costs, predicted, …; see docs/evaluate.md."""

ACCURACY = "accuracy"


@frozen(eq=False)
class EvaluateResult:
    """What was measured.

    Attributes:
        run: its folder, or None.
        about: supernet, model, weights, data, device: what all networks share.
        networks: in the order in which they were asked for.
        total: how many were asked for.
        against: cost of the measured front: of the run that they come from, or ``forward``.
        details: of the first networks, for pictures.
    """

    run: Path | None
    about: Mapping[str, Any]
    networks: Sequence[Network]
    total: int
    against: str = "forward"
    details: Sequence[Details] = ()

    @property
    def interrupted(self) -> bool:
        """Fewer were measured than asked for."""
        return len(self.networks) < self.total

    @property
    def exit_code(self) -> int:
        """Of the command."""
        return INTERRUPTED if self.interrupted else 0

    def as_json(self) -> dict[str, Any]:
        """As ``--json`` prints it and result.json holds it."""
        found: dict[str, Any] = {"run": None if self.run is None else str(self.run), **self.about}
        if self.interrupted:
            found |= {"interrupted": True, "asked": self.total}
        found["evaluations"] = len(self.networks)
        compared = self.agreements()
        if compared:
            found["agreement"] = compared
        if len(best := self.front()):
            found["pareto"] = {"against": self.against, "networks": best}
        return {**found, "networks": [dict(n) for n in self.networks]}

    def agreements(self) -> dict[str, Any]:
        """Predicted column -> how well it agrees with what was measured."""
        found = {}
        for name in dict.fromkeys(k for n in self.networks for k in n.get("predicted", {})):
            pairs = [p for n in self.networks if (p := _pair(n, name)) is not None]
            if pairs:
                unit = "%" if name == ACCURACY else "ms"
                said = agreement([a for a, _ in pairs], [b for _, b in pairs], unit).as_dict()
                found[name] = {"measured": "top1" if name == ACCURACY else "forward", **said}
        return found

    def front(self) -> list[int]:
        """Numbers of the networks that no other beats in measured top-1 and in the cost."""
        known = [n for n in self.networks if n["top1"] and self._cost(n) is not None]
        if not known:
            return []
        points = np.array([[-n["top1"]["value"], self._cost(n)] for n in known])
        rows = non_dominated(points)
        return [known[i]["number"] for i in sorted(rows, key=lambda i: float(points[i, 1]))]

    def _cost(self, network: Network) -> float | None:
        found = network["forward"] if self.against == "forward" else None
        found = found or {**network["costs"], **network.get("predicted", {})}.get(self.against)
        return None if found is None else float(found["value"])

    def as_rows(self) -> list[dict[str, Any]]:
        """Of front.csv."""
        return [_row(n) for n in self.networks]

    def as_tables(self) -> list[Row]:
        """For the terminal."""
        columns = _columns(self.networks)
        rows = [[cell(n) for cell in columns.values()] for n in self.networks]
        tables: list[Row] = [(self._title(), list(columns), rows)]
        if found := self.agreements():
            tables.append(_agreement_table(found))
        return tables

    def _title(self) -> str:
        said = self.about
        lines = [
            f"{said['supernet']} · {said['model']} · weights: {said['weights']}",
            " · ".join(filter(None, [said["data"] or "no data", self._used(), said["device"]])),
        ]
        if said["untrained"]:
            lines.append("untrained weights: top-1 and top-5 mean nothing")
        if self.interrupted:
            lines.append(f"interrupted: {len(self.networks)} of {self.total} networks")
        if best := self.front():
            where = "forward time" if self.against == "forward" else self.against
            shown = ", ".join(map(str, best))
            lines.append(f"measured front of top-1 against {where}: networks {shown}")
        return "\n".join(lines)

    def _used(self) -> str:
        """How many images were evaluated on, and skipped; a range where networks differ."""
        if self.about["data"] is None or not self.networks:
            return ""
        used, skipped = (_range(n[key] for n in self.networks) for key in ("images", "skipped"))
        return f"{used} images, {skipped} skipped"


def _range(numbers: Iterable[int]) -> str:
    found = sorted(set(numbers))
    return f"{found[0]:,}" if len(found) == 1 else f"{found[0]:,} to {found[-1]:,}"


def _pair(network: Network, name: str) -> tuple[float, float] | None:
    """(predicted, measured) of one network, in the same unit."""
    predicted = network.get("predicted", {}).get(name)
    measured = network["top1"] if name == ACCURACY else network["forward"]
    if predicted is None or not measured or predicted["unit"] != measured["unit"]:
        return None
    return float(predicted["value"]), float(measured["value"])


def _row(network: Network) -> dict[str, Any]:
    found: dict[str, Any] = {"number": network["number"]}
    for key in ("top1", "top5", "forward"):
        found[f"{key}_{'ms' if key == 'forward' else 'percent'}"] = _value(network[key])
    found |= {name: m["value"] for name, m in network["costs"].items()}
    found |= {f"predicted_{n}": m["value"] for n, m in network.get("predicted", {}).items()}
    found |= {k: network[k] for k in ("images", "skipped", "calibrated")}
    size = network["arch"]["image_size"]
    return {**found, "image_size": size, "arch": json.dumps(network["arch"])}


def _value(found: Mapping[str, Any] | None) -> float | None:
    return None if found is None else found["value"]


def _columns(networks: Sequence[Network]) -> dict[str, Any]:
    """Heading -> the cell of a network."""
    found: dict[str, Any] = {"": lambda n: str(n["number"])}
    found["top-1\n%\nmeasured"] = lambda n: _percent(n["top1"])
    found["80 %\ninterval"] = lambda n: _ends(n["top1"])
    theirs = {k: m for n in networks for k, m in n.get("predicted", {}).items()}
    for name, one in theirs.items():
        found[f"{name}\n{one['unit']}\n{one['kind']}"] = _predicted(name)
    found["top-5\n%\nmeasured"] = lambda n: _percent(n["top5"])
    found["forward\nms\nmeasured"] = lambda n: number(_short(n["forward"]))
    for name, one in (networks[0]["costs"] if networks else {}).items():
        found[f"{name}\n{one['unit']}\n{one['kind']}"] = _cost(name)
    return {**found, "image\nsize": lambda n: str(n["arch"]["image_size"])}


def _predicted(name: str) -> Any:
    return lambda n: number(_short(n.get("predicted", {}).get(name)))


def _cost(name: str) -> Any:
    return lambda n: number(n["costs"][name]["value"])


def _short(found: Mapping[str, Any] | None) -> float | None:
    return None if found is None else float(f"{found['value']:.4g}")


def _percent(found: Mapping[str, Any] | None) -> str:
    return "?" if found is None else f"{found['value']:.2f}"


def _ends(found: Mapping[str, Any] | None) -> str:
    return "" if found is None else f"{found['low']:.1f} to {found['high']:.1f}"


def _agreement_table(found: Mapping[str, Any]) -> Row:
    rows = [
        [
            f"{name} with {said['measured']}",
            str(said["networks"]),
            _coefficient(said["spearman"]),
            _coefficient(said["kendall"]),
            f"{said['rmse']['value']:.3g} {said['rmse']['unit']}",
            f"{said['bias']['value']:+.3g} {said['bias']['unit']}",
        ]
        for name, said in found.items()
    ]
    columns = ["predicted with measured", "networks", "Spearman", "Kendall", "RMSE", "bias"]
    return ("how well predictions agree with measurements", columns, rows)


def _coefficient(value: float | None) -> str:
    return "?" if value is None else f"{value:.3f}"
