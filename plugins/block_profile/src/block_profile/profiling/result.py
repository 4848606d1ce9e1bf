"""What ``ofa run profile`` returns: the profile, and what its rows say together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from block_profile.profiling import effects
from block_profile.profiling.profile import Metric, Profile, Statistic
from block_profile.profiling.specs import Catalogue
from ofa_plugins_core.config import plain
from ofa_plugins_core.jobs.results import INTERRUPTED
from ofa_plugins_core.jobs.results import Row as Table
from ofa_plugins_core.report.words import cost_label, short
from ofa_plugins_core.words import counted


@frozen(eq=False)
class BlockList:
    """What ``--list-blocks`` prints.

    Attributes:
        supernet: its name. catalogue: its places and blocks.
    """

    supernet: str
    catalogue: Catalogue
    worth_keeping = False

    def as_json(self) -> list[dict[str, Any]]:
        """A block a line."""
        return [plain(demand.forced) for demand in self.catalogue.blocks()]

    def as_tables(self) -> Iterator[Table]:
        """A place a line."""
        rows = [[p.label, p.name, ", ".join(o.label for o in p.options)] for p in self.places]
        count = sum(len(p.options) for p in self.places)
        title = f"{self.supernet}: {counted(count, 'block')} at {counted(len(rows), 'place')}"
        yield (title, ["place", "in the geometry", "blocks"], rows)

    @property
    def places(self) -> Sequence[Any]:
        """Of the catalogue."""
        return self.catalogue.places


@frozen(eq=False)
class ProfileResult:
    """What ``ofa run profile`` found.

    Attributes:
        run: its folder, or None.
        profile: all rows. seconds: of the profile alone.
        interrupted: the user stopped it; ``missing`` rows are not there.
        figures: files of pictures in the run's folder, each with its caption.
    """

    run: Path | None
    profile: Profile
    seconds: float
    interrupted: bool = False
    missing: int = 0
    figures: tuple[tuple[str, str], ...] = ()
    most_rows = 50

    @property
    def exit_code(self) -> int:
        """130 where it was interrupted."""
        return INTERRUPTED if self.interrupted else 0

    def as_json(self) -> dict[str, Any]:
        """What result.json holds: the profile, effects, and the figures and tables of its page."""
        profile = self.profile
        found = {
            "run": None if self.run is None else str(self.run),
            **{k: v for k, v in plain(profile).items() if k != "rows"},
            "seconds": round(self.seconds, 3),
            "interrupted": self.interrupted,
            "effects": {m.name: self._effects(m) for m in profile.metrics},
            "correlations": [
                {"of": list(pair), "spearman": value}
                for pair, value in effects.correlations(profile).items()
            ],
            "rows": plain(profile.rows),
            "figures": [{"file": file, "caption": caption} for file, caption in self.figures],
        }
        tables = [
            {"title": title, "columns": list(columns), "rows": [list(row) for row in rows]}
            for title, columns, rows in self.as_tables()
        ]
        return {**found, "tables": tables}

    def _effects(self, metric: Metric) -> dict[str, Any]:
        name = metric.name
        units = [
            {
                **{k: v for k, v in plain(unit).items() if k != "depths"},
                "depths": {str(depth): mean for depth, mean in unit.depths},
                "gain": unit.gain,
            }
            for unit in effects.by_unit(self.profile, name)
        ]
        options = plain(effects.by_option(self.profile, name))
        return {"unit": metric.unit, "options": options, "units": units}

    def as_tables(self) -> Iterator[Table]:
        """For the terminal and the page."""
        profile = self.profile
        yield self._summary()
        if effects.block_rows(profile):
            yield self._options()
        if any(effects.by_unit(profile, m.name) for m in profile.metrics):
            yield self._units()
        if profile.best:
            yield self._ends()
        for name in profile.binds:
            yield self._binds(name)
        if len(profile.metrics) > 1 and len(effects.block_rows(profile)) > 2:
            yield self._correlations()

    def _summary(self) -> Table:
        profile = self.profile
        sizes = ", ".join(map(str, profile.resolutions))
        drawn = counted(profile.archs, "network") if profile.archs else "no network"
        title = (
            f"{profile.supernet}: {counted(len(profile.rows), 'row')} of {drawn} at {sizes} "
            f"pixels, rule {profile.rule}, in {self.seconds:.2f} s"
        )
        if self.interrupted:
            title += f"; interrupted, {counted(self.missing, 'row')} missing"
        columns = ["random networks", "unit", "mean", "sd", "1 %", "5 %", "95 %", "99 %", "min"]
        rows = []
        for row in profile.rows:
            if not row.forced:
                for metric in profile.metrics:
                    found = row.best_known(metric.name)
                    size = "" if row.image_size is None else f" at {row.image_size}"
                    exact = ", exact" if metric.name in row.exact else ""
                    label = f"{cost_label(metric.name)}{size}{exact}"
                    rows.append([label, metric.unit, *_cells(found)])
        return (title, [*columns, "max"], rows)

    def _options(self) -> Table:
        profile = self.profile
        found = {m.name: effects.by_option(profile, m.name) for m in profile.metrics}
        columns = ["block, mean\nover places", "places"]
        columns += [f"{cost_label(m.name)}\n{m.unit}" for m in profile.metrics]
        first = found[profile.metrics[0].name]
        rows = [["random", "", *(shown(effects.random_mean(profile, n)) for n in found)]]
        for number, effect in enumerate(first):
            cells = [shown(found[m.name][number].mean) for m in profile.metrics]
            rows.append([effect.label, str(effect.places), *cells])
        return ("what a block does wherever it is forced", columns, rows)

    def _units(self) -> Table:
        profile = self.profile
        columns = ["unit"]
        found = {m.name: effects.by_unit(profile, m.name) for m in profile.metrics}
        for m in profile.metrics:
            columns += [f"{cost_label(m.name)}\nspread, {m.unit}", "depth gain"]
        rows = []
        for number, unit in enumerate(found[profile.metrics[0].name]):
            cells = ["stem" if unit.unit is None else f"Unit {unit.unit}"]
            for effect in (found[m.name][number] for m in profile.metrics):
                gain = "–" if effect.gain is None else signed(effect.gain)
                cells += [shown(effect.spread), gain]
            rows.append(cells)
        title = "units: spread of a layer's blocks, and what the largest depth adds to the smallest"
        return (title, columns, rows)

    def _ends(self) -> Table:
        profile = self.profile
        rows = [
            [cost_label(m.name), which, f"{shown(found[m.name].value)} {m.unit}", found[m.name].row]
            for m in profile.metrics
            for which, found in (("best", profile.best), ("worst", profile.worst))
            if m.name in found
        ]
        return ("networks drawn", ["metric", "", "value", "in the row"], rows)

    def _binds(self, name: str) -> Table:
        rows = []
        for binding in self.profile.binds[name]:
            shift = effects.moved(self.profile, name, binding.place)
            rows.append(
                [
                    binding.place
                    if binding.unit is None
                    else f"{binding.place} (Unit {binding.unit} Layer {binding.layer})",
                    f"{100 * binding.share:.2f}",
                    f"{100 * binding.alone:.2f}",
                    "–" if shift is None else signed(shift),
                ]
            )
        title = f"{cost_label(name)}: which places hold the maximum, of all random networks"
        return (title, ["place", "%", "alone %", "a block there\nmoves the mean"], rows)

    def _correlations(self) -> Table:
        pairs = effects.correlations(self.profile)
        rows = [
            [cost_label(one), cost_label(two), "–" if value is None else f"{value:.3f}"]
            for (one, two), value in pairs.items()
        ]
        return ("do blocks rank alike? means of rows", ["metric", "and", "Spearman"], rows)


def _cells(found: Statistic) -> list[str]:
    values = (found.mean, found.sd, found.p1, found.p5, found.p95, found.p99, found.min, found.max)
    return ["–" if v is None else shown(v) for v in values]


def shown(value: float) -> str:
    """At most two decimals, fewer of large numbers."""
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:,.2f}"


def signed(value: float) -> str:
    """``+1.2M``, ``−0.35``: at most five digits."""
    if not value:
        return "0"
    text = short(abs(value)) if abs(value) >= 0.1 else f"{abs(value):.2g}"
    if abs(value) >= 1000:  # three digits are enough in a cell
        digits, suffix = text[:-1], text[-1]
        text = f"{float(digits):.3g}{suffix}"
    return ("+" if value > 0 else "−") + text
