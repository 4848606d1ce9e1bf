"""What ``ofa run profile`` returns: the profile, and what its rows say together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from block_profile.profiling import effects
from block_profile.profiling.numbers import Form
from block_profile.profiling.profile import Metric, Profile, Statistic
from block_profile.profiling.specs import Catalogue
from ofa_plugins_core.config import plain
from ofa_plugins_core.jobs.results import INTERRUPTED
from ofa_plugins_core.jobs.results import Row as Table
from ofa_plugins_core.report.words import cost_label
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
                    rows.append([label, metric.unit, *_cells(found, metric.unit)])
        return (title, [*columns, "max"], rows)

    def _options(self) -> Table:
        profile = self.profile
        found = {m.name: effects.by_option(profile, m.name) for m in profile.metrics}
        columns = ["block, mean\nover places", "places"]
        columns += [f"{cost_label(m.name)}\n{m.unit}" for m in profile.metrics]
        numbers = []
        for m in profile.metrics:
            means = [effects.random_mean(profile, m.name), *(e.mean for e in found[m.name])]
            form = Form.of(means, m.unit)
            numbers.append([form.full(mean) for mean in means])
        first = found[profile.metrics[0].name]
        names = [["random", ""], *([e.label, str(e.places)] for e in first)]
        rows = [[*name, *cells] for name, *cells in zip(names, *numbers, strict=True)]
        return ("what a block does wherever it is forced", columns, rows)

    def _units(self) -> Table:
        profile = self.profile
        columns = ["unit"]
        found = {m.name: effects.by_unit(profile, m.name) for m in profile.metrics}
        for m in profile.metrics:
            columns += [f"{cost_label(m.name)}\nspread, {m.unit}", "depth gain"]
        numbers = []
        for m in profile.metrics:
            spreads = Form.of((u.spread for u in found[m.name]), m.unit)
            gains = Form.of((u.gain for u in found[m.name]), m.unit)
            numbers.append([[spreads.full(u.spread), gains.signed(u.gain)] for u in found[m.name]])
        first = found[profile.metrics[0].name]
        names = ["stem" if u.unit is None else f"Unit {u.unit}" for u in first]
        rows = [
            [name, *(cell for pair in cells for cell in pair)]
            for name, *cells in zip(names, *numbers, strict=True)
        ]
        title = "units: spread of a layer's blocks, and what the largest depth adds to the smallest"
        return (title, columns, rows)

    def _ends(self) -> Table:
        profile = self.profile
        rows = []
        for m in profile.metrics:
            ends = (("best", profile.best), ("worst", profile.worst))
            found = [(which, among[m.name]) for which, among in ends if m.name in among]
            form = Form.of((end.value for _, end in found), m.unit)
            rows += [
                [cost_label(m.name), which, f"{form.full(end.value)} {m.unit}", end.row]
                for which, end in found
            ]
        return ("networks drawn", ["metric", "", "value", "in the row"], rows)

    def _binds(self, name: str) -> Table:
        metric = self.profile.metric(name)
        assert metric is not None  # a profile binds only its metrics
        binds = self.profile.binds[name]
        moves = [effects.moved(self.profile, name, binding.place) for binding in binds]
        form = Form.of((shift for move in moves if move for shift in move), metric.unit)
        rows = [
            [
                binding.place if binding.unit is None else f"{binding.place} ({binding.where})",
                f"{100 * binding.share:.2f}",
                f"{100 * binding.alone:.2f}",
                "–" if move is None else f"{form.signed(move[0])} to {form.signed(move[1])}",
            ]
            for binding, move in zip(binds, moves, strict=True)
        ]
        title = f"{cost_label(name)}: which places hold the maximum, of all random networks"
        moved = f"its blocks shift\nthe mean by, {metric.unit}"
        return (title, ["place", "%", "alone %", moved], rows)

    def _correlations(self) -> Table:
        pairs = effects.correlations(self.profile)
        rows = [
            [cost_label(one), cost_label(two), "–" if value is None else f"{value:.3f}"]
            for (one, two), value in pairs.items()
        ]
        return ("do blocks rank alike? means of rows", ["metric", "and", "Spearman"], rows)


def _cells(found: Statistic, unit: str) -> list[str]:
    values = (found.mean, found.sd, found.p1, found.p5, found.p95, found.p99, found.min, found.max)
    form = Form.of(values, unit)
    return [form.full(v) for v in values]
