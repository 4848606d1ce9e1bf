"""The job ``ofa run reduce``: a profile becomes a smaller space, each removal with its reason."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from attrs import evolve

from block_profile.profiling.profile import Metric, Profile, read_profile, same_space
from block_profile.reducing.accurate import less_accurate
from block_profile.reducing.control import random_control
from block_profile.reducing.depths import last_steps, shortened
from block_profile.reducing.dominated import dominated
from block_profile.reducing.ends import Priced, ends_of, is_maximum, priced
from block_profile.reducing.options import ReduceOptions
from block_profile.reducing.removals import Removal, amount
from block_profile.reducing.result import ReduceResult
from block_profile.reducing.spacefile import (
    CONTROL,
    FILE,
    installed_as,
    space_text,
    write_space,
)
from block_profile.reducing.standings import accuracy_of, costs_of, matches
from ofa_plugins_core import runs
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.events import Notice
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.reduction.data import Reduction
from ofa_plugins_core.reduction.supernet import ReducedSupernet, reduced

_CONTROL: Final = "control"
_NEGLIGIBLE: Final = 1e-5
"""Errors of exact means below this share of them are not told."""


def run_reduce(context: JobContext, options: ReduceOptions) -> ReduceResult:
    """Derive a smaller space from a profile.

    Raises:
        InputError: the profile is missing or broken, or nothing can be written.
        UsageError: it is of another space, or lacks a metric; or the rule drops nothing.
    """
    _check(options)
    profile = read_profile(options.profile)
    supernet = profiled(context, profile, options.supernet)
    name = _name(options)
    known = priced(context, options, profile, supernet.at(profile.resolutions))
    unsure = _unsure(context, profile, known)
    removals = removals_of(context, profile, options, unsure)
    space, kept, spared = applied(supernet, name, removals, _source(options, profile))
    if not kept:
        raise UsageError(
            "the rule drops nothing here, so there is no smaller space",
            advice="--by option judges over all places; a smaller --margin may drop more",
        )
    found = ReduceResult(
        context.out,
        _base(options, supernet),
        space,
        _rule(options, profile),
        options.profile,
        kept,
        spared,
        ends=ends_of(context, known, profile.metrics, space.at(profile.resolutions)),
    )
    if options.random_control:
        found = evolve(found, control=_control(context, supernet, space.reduction))
    return _written(context, options, found)


def _control(
    context: JobContext, supernet: Supernet, reduction: Reduction
) -> ReducedSupernet | None:
    """A random space of the same size, where one can be drawn."""
    generator = np.random.Generator(np.random.PCG64(context.seed))
    try:
        return random_control(supernet, reduction, generator, f"{reduction.name}-{_CONTROL}")
    except UsageError as error:
        context.listener(Notice(error.message))
        return None


def _name(options: ReduceOptions) -> str:
    """Of the smaller space; the control's is longer.

    Raises:
        UsageError: one of them is none.
    """
    name = options.name or options.rule
    for one in (name, f"{name}-{_CONTROL}") if options.random_control else (name,):
        try:
            Reduction(one)
        except ValueError as error:
            advice = f"61 letters at most; the control's adds -{_CONTROL}" if len(one) > 61 else ""
            raise UsageError(f"--name: {error}", advice=advice or None) from error
    return name


def _unsure(context: JobContext, profile: Profile, known: Priced) -> set[str]:
    """Maxima of which networks were drawn only: a tie of two means says nothing there."""
    size = profile.resolutions[0]
    found = {
        m.name
        for m in profile.metrics
        if any(m.name not in r.exact for r in profile.rows)
        and (m.name in profile.binds or is_maximum(known.costs.get(m.name), size))
    }
    for name in sorted(found):
        said = (
            f"{name} is a maximum, known of drawn networks only: blocks that tie there may differ "
            "elsewhere, and both stay; ofa run profile --exact tells them apart"
        )
        context.listener(Notice(said))
    return found


def _check(options: ReduceOptions) -> None:
    if options.drop is not None and options.rule != "accurate":
        raise UsageError("--drop says how many the rule accurate drops: --rule accurate --drop N")


def profiled(context: JobContext, profile: Profile, name: str | None) -> Supernet:
    """The supernet whose profile it is.

    Raises:
        UsageError: the named one is another; names both.
    """
    supernet = context.host.supernet(name or profile.supernet)
    if supernet.name != profile.supernet:
        raise UsageError(
            f"the profile is of {profile.supernet}, not of {supernet.name}",
            advice=f"ofa run profile --supernet {name} makes one",
        )
    same_space(profile, supernet, context.listener)
    return supernet


def removals_of(
    context: JobContext, profile: Profile, options: ReduceOptions, unsure: Collection[str] = ()
) -> list[Removal]:
    """What the rule drops.

    Args:
        unsure: metrics by which a tie says nothing.

    Raises:
        UsageError: the profile lacks what the rule needs.
    """
    accuracy = accuracy_of(profile)
    if options.rule == "accurate":
        _mention_margin(context, profile, [accuracy])
        found = matches(profile, [accuracy], options.by)
        return less_accurate(found, accuracy, options.margin, options.drop)
    costs = costs_of(profile, options.cost)
    metrics = [accuracy, *costs]
    _mention_margin(context, profile, metrics)
    removals = dominated(matches(profile, metrics, options.by), metrics, options.margin, unsure)
    return [*removals, *_depths(context, profile, accuracy, costs, options.shorten)]


def _mention_margin(context: JobContext, profile: Profile, metrics: Sequence[Metric]) -> None:
    """What is known of the means' errors, where they are not simply exact."""
    for metric in metrics:
        if any(metric.name not in r.exact for r in profile.rows):
            if profile.draws != "independent":
                said = (
                    f"{metric.name}: all rows are of the same {profile.archs} networks, so their "
                    "means are compared as they are; --margin is for --draws independent"
                )
                context.listener(Notice(said))
            continue
        off = max(r.exact[metric.name].error for r in profile.rows)
        if off > _NEGLIGIBLE * abs(profile.rows[0].exact[metric.name].mean):
            said = f"{metric.name}: exact means may be off by up to {amount(off, metric)} each"
            context.listener(Notice(f"{said}; they are compared as they are"))


def _depths(
    context: JobContext,
    profile: Profile,
    accuracy: Metric,
    costs: Sequence[Metric],
    share: float,
) -> list[Removal]:
    """Units that are shortened whatever cost is looked at."""
    by_cost = [(last_steps(profile, accuracy, cost), cost) for cost in costs]
    if share > 0 and not any(steps for steps, _ in by_cost):
        context.listener(Notice("no unit is shortened: the profile has no rows of depths"))
    found = [shortened(steps, cost, share) for steps, cost in by_cost]
    common = set.intersection(*({r.where for r in removals} for removals in found))
    return [r for r in found[0] if r.where in common]


def applied(
    supernet: Supernet, name: str, removals: Sequence[Removal], source: str
) -> tuple[ReducedSupernet, list[Removal], list[str]]:
    """The reduced supernet, what of the removals is in it, and why the others are not."""
    try:
        return reduced(supernet, _reduction(name, removals, source)), list(removals), []
    except UsageError:
        pass  # one by one: something hangs together with what is elsewhere
    kept: list[Removal] = []
    spared = []
    for removal in removals:
        try:
            reduced(supernet, _reduction(name, [*kept, removal], source))
            kept.append(removal)
        except UsageError as error:
            spared.append(f"{removal.what} ({removal.where}): {error.message}")
    return reduced(supernet, _reduction(name, kept, source)), kept, spared


def _reduction(name: str, removals: Sequence[Removal], source: str) -> Reduction:
    drops = tuple(d for r in removals for d in r.drops)
    keeps = tuple(r.keep for r in removals if r.keep is not None)
    return Reduction(name, drop=drops, keep=keeps, source=source)


def _source(options: ReduceOptions, profile: Profile) -> str:
    drawn = f"{profile.archs} networks a row, seed {profile.seed}" if profile.archs else "exact"
    return f"ofa run reduce: {_rule(options, profile)}; profile: rule {profile.rule}, {drawn}"


def _rule(options: ReduceOptions, profile: Profile) -> str:
    where = "at each place" if options.by == "place" else "over all places"
    if options.rule == "accurate":
        what = "less accurate than the mean" if options.drop is None else f"{options.drop} dropped"
        return f"rule accurate, {what}, {where}"
    costs = " and ".join(m.name for m in costs_of(profile, options.cost))
    return f"rule dominated, accuracy against {costs}, {where}"


def _base(options: ReduceOptions, supernet: Supernet) -> str:
    """What the file calls the supernet: its name, or where its own file is."""
    given = options.supernet or ""
    return str(Path(given).resolve()) if given.endswith((".yaml", ".yml")) else supernet.name


def _written(context: JobContext, options: ReduceOptions, found: ReduceResult) -> ReduceResult:
    """The files of a result, where there is a folder, and in the user's own."""
    spaces = [(FILE, found.space), (CONTROL, found.control)]
    paths: list[Path | None] = []
    installed = []
    for name, space in spaces:
        if space is None:
            paths.append(None)
            continue
        content = space_text(found.base, space.reduction)
        if options.install:
            installed.append(installed_as(space.reduction.name, content))
        folder = context.out
        paths.append(
            None if folder is None else write_space(folder / name, found.base, space.reduction)
        )
    for path, (_, space) in zip(installed, spaces, strict=False):
        assert space is not None
        runs.write(path, space_text(found.base, space.reduction))
        context.listener(
            Notice(f"installed: --supernet {found.base}+{space.reduction.name} ({path})")
        )
    return evolve(found, path=paths[0], control_path=paths[1], installed=installed)
