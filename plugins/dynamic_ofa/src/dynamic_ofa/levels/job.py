"""The job ``ofa run levels``: candidates found, measured again, filtered, and chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from attrs import evolve

from dynamic_ofa.levels.candidates import pool_of
from dynamic_ofa.levels.choosing import published_front, spread, strict_front
from dynamic_ofa.levels.drawing import Scatter
from dynamic_ofa.levels.options import LevelsOptions
from dynamic_ofa.levels.points import read_points
from dynamic_ofa.levels.published import read_published
from dynamic_ofa.levels.result import LevelsResult, PointsResult
from dynamic_ofa.levels.table import FILE, LevelTable
from dynamic_ofa.levels.writing import command_of, drawn, written
from ofa_plugins_core import runs
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InputError, UnknownNameError, UsageError
from ofa_plugins_core.events import Notice
from ofa_plugins_core.jobs.networks import needs_torch
from ofa_plugins_core.report.words import cost_label
from ofa_plugins_core.words import counted

SOURCES: Final = ("run", "archs", "published", "candidates")
"""Options that say where candidates are from, where they are not searched for."""


def run_levels(context: JobContext, options: LevelsOptions) -> LevelsResult | PointsResult:
    """Make a level table, or turn a published one into ours, or filter published points.

    Raises:
        UsageError: options that do not fit together.
        InfeasibleError: no bound of the sweep can be met.
        InputError: weights, images or files are missing or broken, or nothing can be written.
        MissingExtraError: torch is not installed.
    """
    _check(context, options)
    if options.candidates is not None:
        return _filtered(context, options)
    if options.published is not None:
        return _imported(context, options)
    pool = pool_of(context, options)
    needs_torch("ofa run levels")
    from dynamic_ofa.levels.making import made

    return made(context, options, pool)


def _check(context: JobContext, options: LevelsOptions) -> None:
    given = [f"--{name}" for name in SOURCES if getattr(options, name) is not None]
    if len(given) > 1:
        raise UsageError(f"where are candidates from? found {' and '.join(given)}; give one")
    if given and (options.constraint or options.points is not None):
        raise UsageError(
            f"{given[0]} searches nothing: --constraint and --points are a search's",
            advice=f"leave them out, or {given[0]}",
        )
    if options.least > options.most:
        raise UsageError(f"--least {options.least} is more than --most {options.most}")
    if context.out is not None and context.out.suffix in runs.FILES:
        raise UsageError(
            f"--out {context.out} names a file; levels are a folder",
            advice=f"the table is {FILE} in it",
        )


# ------------------------------------------------------------------------------- published


def _imported(context: JobContext, options: LevelsOptions) -> LevelsResult:
    """A published table as one of ours, its architectures checked where the supernet is known."""
    assert options.published is not None
    table = read_published(options.published, options.supernet)
    table = _checked(context, options.published, table)
    table = evolve(table, source=command_of(context, options))
    found = LevelsResult(context.out, table, origin=f"published: {options.published}")
    return written(context, options, found)


def _checked(context: JobContext, path: Path, table: LevelTable) -> LevelTable:
    """The table under its supernet's own name; not checked where no plugin offers that.

    Raises:
        InputError: its architectures are another supernet's.
    """
    try:
        supernet = context.host.supernet(table.supernet)
    except UnknownNameError as error:
        context.listener(Notice(f"architectures are not checked: {error.message}"))
        return table
    archs = [row.arch for row in table.levels]
    try:
        supernet.at(sorted({arch["image_size"] for arch in archs})).space.encode(archs)
    except (InputError, UsageError) as error:
        said = f"{path}: {error.message}"
        raise InputError(said, advice="--supernet says whose levels they are") from error
    return evolve(table, supernet=supernet.name)


def _filtered(context: JobContext, options: LevelsOptions) -> PointsResult:
    """Points that others measured."""
    assert options.candidates is not None
    points, about = read_points(options.candidates)
    front = published_front(points)
    strict = strict_front(points)
    chosen = [strict[n] for n in spread([points[n] for n in strict], options.levels)]
    cost = options.cost[0] if options.cost else "cost"
    source = options.candidates.name
    found = PointsResult(context.out, source, about, cost, points, front, chosen)
    title = f"{len(front)} of {counted(len(points), 'candidate')} stay: {source}"
    across = f"{cost_label(cost)} (as the file has it, published)"
    scatter = Scatter(points, front, chosen, title, across, "top-1 accuracy (%, published)")
    return evolve(found, plot=drawn(context, options, scatter))
