"""A profile: rows of statistics, a forced block each; as ``profile.json`` keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from attrs import field, frozen

from block_profile.profiling.checks import at_least, finite, shares
from ofa_plugins_core.config import plain, structure
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.events import Listener, Notice
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.latency_models import networks_digest
from ofa_plugins_core.places import place_label, places
from ofa_plugins_core.values import Kind

FILE: Final = "profile.json"
FORMAT: Final = "ofa block profile"
VERSION: Final = 1
RANDOM: Final = "Random networks"
"""Label of the row in which nothing is forced."""

Rule: TypeAlias = Literal["strict", "paper"]
Draws: TypeAlias = Literal["balanced", "common", "independent"]

_MAKE: Final = "ofa run profile makes one"
_MOST_BYTES: Final = 256 * 2**20


@frozen
class Statistic:
    """One metric over the networks of a row, in the metric's unit.

    Attributes:
        mean, sd: the mean and the standard deviation.
        p1, p5, p95, p99: quantiles; None where they are not known.
        min, max: the least and the greatest value.
        error: how far off the mean may be at most, where it is of no sample and not exact.
    """

    mean: float
    sd: float
    p1: float | None
    p5: float | None
    p95: float | None
    p99: float | None
    min: float
    max: float
    error: float = 0.0

    def __attrs_post_init__(self) -> None:
        """Raises ValueError where a number is none, or a spread is negative."""
        finite(mean=self.mean, p1=self.p1, p5=self.p5, p95=self.p95, p99=self.p99)
        finite(min=self.min, max=self.max)
        at_least(0, sd=self.sd, error=self.error)
        if self.min > self.max:
            raise ValueError(f"min: {self.min:g} is above max, {self.max:g}")


@frozen
class Metric:
    """What is measured of a network.

    Attributes:
        name: ``accuracy`` or a cost's, as the user writes it.
        unit: for example ``%``, ``ms``.
        kind: how its numbers are had. source: definition, table, device or fit.
        better: which end is better.
    """

    name: str
    unit: str
    kind: Kind
    source: str | None = None
    better: Literal["higher", "lower"] = "lower"


@frozen
class Forced:
    """A block that is forced at a place, or a unit that is forced to a depth.

    Attributes:
        kind: ``block`` or ``depth``.
        unit: number from 0; None for what comes before the units (ResNet's stem).
        layer: number within the unit, or among what comes before the units; None for a depth.
        place: name of the place as the geometry has it; of a depth its gene's name.
        choice: what tells the block from others at its place: ``{"k": 7, "e": 6}``; empty where
            the place is only used or not; of a depth ``{"depth": 3}``.
        used: whether there is a block at all (ResNet's stem may be skipped).
        label: as the field writes it: ``MBConv6_7x7``.
    """

    kind: Literal["block", "depth"]
    unit: int | None
    layer: int | None
    place: str
    choice: Mapping[str, int | float]
    used: bool
    label: str

    def __attrs_post_init__(self) -> None:
        """Raises ValueError where it is neither a block of a layer nor a unit at a depth."""
        at_least(0, unit=self.unit, layer=self.layer)
        finite(**self.choice)
        if self.kind == "block" and self.layer is None:
            raise ValueError("layer: a forced block has one")
        if self.kind == "depth" and (self.choice.keys() != {"depth"} or self.unit is None):
            raise ValueError('choice: a forced depth has a unit and says {"depth": …}')

    @property
    def where(self) -> str:
        """The place as its rows name it: ``Unit 1 Layer 0``."""
        return place_label(self.unit, self.layer, self.place)


@frozen
class Row:
    """The networks in which something is forced, and what they are worth.

    Attributes:
        label: as the published CSV has it: ``Unit 1 Layer 0 as MBConv6_7x7``.
        forced: what is; () for random networks.
        image_size: the only one of this row, in pixels; None where all sizes are drawn.
        active: share of the drawn networks in which every forced block was active, 0 to 1.
        sampled: metric -> statistics over the drawn networks; empty where none were drawn.
        chance: probability, by the rule, that every forced block is active; ``active`` is drawn.
        exact: metric -> statistics over all networks, each with its probability; for those metrics
            only of which they can be worked out.
    """

    label: str
    forced: tuple[Forced, ...]
    image_size: int | None
    active: float
    sampled: Mapping[str, Statistic]
    exact: Mapping[str, Statistic] = field(factory=dict)
    chance: float = 1.0

    def __attrs_post_init__(self) -> None:
        """Raises ValueError where a share or an image size is none."""
        shares(active=self.active, chance=self.chance)
        at_least(1, image_size=self.image_size)

    @property
    def alone(self) -> Forced | None:
        """The only forced block or depth; None where nothing, or several together, are forced."""
        return self.forced[0] if len(self.forced) == 1 else None

    def best_known(self, metric: str) -> Statistic:
        """Exact statistics where there are any, else the sampled ones.

        Raises:
            KeyError: the profile has no such metric.
        """
        return self.exact[metric] if metric in self.exact else self.sampled[metric]


@frozen
class Extreme:
    """One drawn network that is best, or worst, by a metric; row: in which it was drawn."""

    value: float
    arch: Mapping[str, Any]
    row: str

    def __attrs_post_init__(self) -> None:
        """Raises ValueError where the value is no number."""
        finite(value=self.value)


@frozen
class Binding:
    """A place that may hold the maximum of a cost, peak memory for example.

    Attributes:
        place: name of the place, as the geometry has it.
        unit, layer: of the place, where it has them.
        share: of random networks, those in which it holds the maximum (alone or with others).
        alone: those in which it alone does.
    """

    place: str
    unit: int | None
    layer: int | None
    share: float
    alone: float

    def __attrs_post_init__(self) -> None:
        """Raises ValueError where a share is none."""
        at_least(0, unit=self.unit, layer=self.layer)
        shares(share=self.share, alone=self.alone)

    @property
    def where(self) -> str:
        """The place as rows name it."""
        return place_label(self.unit, self.layer, self.place)


@frozen
class Profile:
    """What ``ofa run profile`` found.

    Attributes:
        supernet: its name.
        networks: distinct networks of its space a resolution: tells spaces of one name apart.
        rule: how a forced layer is made active; see ``forcing``.
        archs: drawn networks a row. draws: how, see ``rows.Drawing``.
        seed: of the draws.
        resolutions: image sizes that were drawn from, in pixels.
        metrics: in the order of the user.
        rows: the first of an image size (or of all) is of random networks.
        best, worst: metric -> a network.
        binds: cost that is a maximum -> places that hold it, most often first.
        notes: what was told.
        digest: of the space's choices and blocks; None in a profile that is older than digests.
    """

    supernet: str
    networks: int
    rule: Rule
    archs: int
    draws: Draws
    seed: int
    resolutions: tuple[int, ...]
    metrics: tuple[Metric, ...]
    rows: tuple[Row, ...]
    best: Mapping[str, Extreme] = field(factory=dict)
    worst: Mapping[str, Extreme] = field(factory=dict)
    binds: Mapping[str, tuple[Binding, ...]] = field(factory=dict)
    notes: tuple[str, ...] = ()
    digest: str | None = None

    def __attrs_post_init__(self) -> None:
        """Raises ValueError where numbers make no sense, or rows and metrics do not fit."""
        at_least(0, archs=self.archs, seed=self.seed)
        at_least(1, networks=self.networks)
        names = [metric.name for metric in self.metrics]
        if not self.rows or not names:
            raise ValueError("a profile has a row and a metric, or more")
        if len(set(names)) < len(names):
            raise ValueError("metrics: one is there twice")
        if not self.resolutions or min(self.resolutions) < 1:
            raise ValueError("resolutions: expected one or more, in pixels")
        if not set(self.binds) <= set(names):
            raise ValueError("binds: of a cost that is no metric of the profile")
        random = {row.image_size for row in self.rows if not row.forced}
        for row in self.rows:
            self._check(row, set(names))
            if row.image_size not in random:
                raise ValueError(f"row {row.label!r}: no random networks of its image size")

    def _check(self, row: Row, names: set[str]) -> None:
        lacking = names - {*row.sampled, *row.exact}
        if lacking:
            raise ValueError(f"row {row.label!r} lacks {', '.join(sorted(lacking))}")
        if row.sampled and not self.archs:
            raise ValueError(f"archs: 0, but row {row.label!r} has statistics of drawn networks")

    def metric(self, name: str) -> Metric | None:
        """A metric by name, or None."""
        return next((m for m in self.metrics if m.name == name), None)

    def random(self, image_size: int | None = None) -> Row | None:
        """The row of random networks, of one image size where rows are of one each."""
        rows = (r for r in self.rows if not r.forced and r.image_size == image_size)
        return next(rows, None)

    def as_json(self) -> dict[str, Any]:
        """What ``profile.json`` holds."""
        return {"format": FORMAT, "version": VERSION, **plain(self)}


def same_space(profile: Profile, supernet: Supernet, listener: Listener) -> None:
    """Make sure that a profile is of this very space: its choices, blocks and their widths.

    Args:
        supernet: as a name gives it, over all its image sizes.
        listener: is told where the profile is too old to say.

    Raises:
        UsageError: it is of another space of the same name.
        InputError: it forces a block at a place that the space does not have.
    """
    count = supernet.space.count()
    if count != profile.networks:
        raise UsageError(
            f"the profile is of another space named {supernet.name}: it had "
            f"{profile.networks:,} networks an image size, there are {count:,}",
            advice="profile it anew",
        )
    if profile.digest is None:
        told = f"the profile does not say which blocks {supernet.name} had; ofa run profile anew"
        listener(Notice(told))
    elif profile.digest != networks_digest(supernet):
        raise UsageError(
            f"the profile is of another space named {supernet.name}: its blocks differ",
            advice="profile it anew",
        )
    there = {(place.unit, place.layer) for place in places(supernet.geometry())}
    units = {unit for unit, _ in there}
    for row in profile.rows:
        for one in row.forced:
            known = one.unit in units if one.kind == "depth" else (one.unit, one.layer) in there
            if not known:
                raise InputError(f"row {row.label!r}: {supernet.name} has no {one.where}")


def profile_text(profile: Profile) -> str:
    """A profile as the text of a file; the same profile gives the same bytes."""
    return json.dumps(profile.as_json(), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def read_profile(path: Path) -> Profile:
    """Read a profile: a run's folder, or its file.

    Raises:
        InputError: it is missing, broken or no profile; says which part.
    """
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"no profile {file}", advice=_MAKE)
    content = _content(file)
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise InputError(f"{file} is no profile: it does not say {FORMAT!r}", advice=_MAKE)
    version = content.pop("version", None)
    if version != VERSION:
        raise InputError(f"{file} is of version {version!r}; this program reads {VERSION}")
    return structure(content, Profile, str(file), InputError)


def _content(file: Path) -> Any:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise InputError(f"{file} is larger than any profile")
        return json.loads(file.read_bytes(), parse_constant=_refused)
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        said = str(error).partition("\n")[0]
        raise InputError(f"{file} is no profile: {said}", advice=_MAKE) from error


def _refused(word: str) -> float:
    raise ValueError(f"{word} is no number")
