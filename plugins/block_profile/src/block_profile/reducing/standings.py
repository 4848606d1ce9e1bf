"""What options are worth beside each other: a profile's means, at a place or over places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from statistics import fmean
from typing import TypeAlias

from attrs import frozen

from block_profile.profiling.profile import Forced, Metric, Profile, Row
from ofa_plugins_core.errors import UnknownNameError, UsageError
from ofa_plugins_core.scoring import ACCURACY
from ofa_plugins_core.values import Number

Choice: TypeAlias = tuple[tuple[str, Number], ...]


@frozen(eq=False)
class Standing:
    """One option.

    Attributes:
        choice: what tells the block from the others. label: as the field writes it.
        mean: metric -> mean over networks that have the block, in the metric's unit.
        error: metric -> its standard error; 0 where the mean is exact, and where all rows are of
            the same networks: their noise is then in every row alike.
    """

    choice: Choice
    label: str
    mean: Mapping[str, float]
    error: Mapping[str, float]


@frozen(eq=False)
class Match:
    """Options that stand against each other.

    Attributes:
        places: (unit, layer) at which they do.
        label: of the place; or over how many places means were taken.
        standings: one an option.
        whole: these are all the places that hold any of these options.
    """

    places: tuple[tuple[int | None, int | None], ...]
    label: str
    standings: tuple[Standing, ...]
    whole: bool = False


def costs_of(profile: Profile, asked: Sequence[str]) -> list[Metric]:
    """The costs that are meant, of those of a profile; plain ``latency`` is the only one there is.

    Raises:
        UnknownNameError: the profile has no such metric.
        UsageError: it has none, or several and none is named.
    """
    there = [m for m in profile.metrics if m.name != ACCURACY]
    names = [m.name for m in there]
    if not there:
        raise UsageError(
            "the profile has no cost",
            advice="ofa run profile --metrics accuracy,COST; or --rule accurate",
        )
    if not asked and len(there) > 1:
        raise UsageError(
            f"which cost? the profile has {', '.join(names)}", advice="--cost NAME, repeatable"
        )
    if not asked:
        return there
    return [_cost(name, there, names) for name in dict.fromkeys(asked)]


def _cost(name: str, there: Sequence[Metric], names: Sequence[str]) -> Metric:
    found = [m for m in there if m.name == name]
    found = found or [m for m in there if m.name.partition("@")[0] == name]
    if len(found) != 1:
        raise UnknownNameError("metric of this profile", name, names)
    return found[0]


def accuracy_of(profile: Profile) -> Metric:
    """The profile's accuracy.

    Raises:
        UsageError: it has none.
    """
    found = profile.metric(ACCURACY)
    if found is None:
        raise UsageError(
            "the profile has no accuracy, so nobody knows what its blocks gain",
            advice="ofa run profile --metrics accuracy,COST",
        )
    return found


def matches(profile: Profile, metrics: Sequence[Metric], by: str) -> list[Match]:
    """Options beside each other: at each place, or over all places that have the same ones.

    Args:
        by: ``place`` or ``option``.

    Raises:
        UsageError: the profile compares no blocks.
    """
    names = [m.name for m in metrics]
    found = [m for m in _at_places(profile, names) if len(m.standings) > 1]
    if not found:
        raise UsageError(
            "the profile has no place with two blocks to compare",
            advice="ofa run profile without --blocks makes one of all of them",
        )
    return found if by == "place" else _pooled(found)


def _at_places(profile: Profile, names: Sequence[str]) -> list[Match]:
    places: dict[tuple[int | None, int | None], dict[Choice, list[Row]]] = {}
    for row in profile.rows:
        forced = row.alone
        if forced is not None and forced.kind == "block" and forced.used and forced.choice:
            rows = places.setdefault((forced.unit, forced.layer), {})
            rows.setdefault(_choice(forced), []).append(row)
    return [
        Match(
            (place,),
            _place_label(*place),
            tuple(_standing(profile, choice, rows, names) for choice, rows in options.items()),
        )
        for place, options in places.items()
    ]


def _choice(forced: Forced) -> Choice:
    return tuple(forced.choice.items())


def _place_label(unit: int | None, layer: int | None) -> str:
    return f"layer {layer} before the units" if unit is None else f"unit {unit} layer {layer}"


def _standing(
    profile: Profile, choice: Choice, rows: Sequence[Row], names: Sequence[str]
) -> Standing:
    """One option at one place; where rows are of one image size each, over those."""
    mean = {n: fmean(r.best_known(n).mean for r in rows) for n in names}
    error = {n: _error([_row_error(profile, r, n) for r in rows]) for n in names}
    assert rows[0].alone is not None
    return Standing(choice, rows[0].alone.label, mean, error)


def _row_error(profile: Profile, row: Row, name: str) -> float:
    if name in row.exact or profile.draws != "independent":
        return 0.0
    return row.sampled[name].sd / sqrt(profile.archs)


def _error(errors: Sequence[float]) -> float:
    return sqrt(sum(e * e for e in errors)) / len(errors)


def _pooled(found: Sequence[Match]) -> list[Match]:
    """Places with the same options as one."""
    alike: dict[frozenset[Choice], list[Match]] = {}
    for match in found:
        alike.setdefault(frozenset(s.choice for s in match.standings), []).append(match)
    return [
        _one_of(group, not any(options & other for other in alike if other != options))
        for options, group in alike.items()
    ]


def _one_of(group: Sequence[Match], whole: bool) -> Match:
    standings = []
    for first in group[0].standings:
        same = [s for m in group for s in m.standings if s.choice == first.choice]
        mean = {n: fmean(s.mean[n] for s in same) for n in first.mean}
        error = {n: _error([s.error[n] for s in same]) for n in first.error}
        standings.append(Standing(first.choice, first.label, mean, error))
    places = tuple(p for m in group for p in m.places)
    label = group[0].label if len(places) == 1 else f"mean of {len(places)} places"
    return Match(places, label, tuple(standings), whole)
