"""What a run of ``ofa run levels`` leaves: its table, its picture, and the command for it."""

from __future__ import annotations

import shlex
from pathlib import Path

import attrs
from attrs import evolve

from dynamic_ofa.levels.choosing import strict_front
from dynamic_ofa.levels.drawing import FILE as PICTURE
from dynamic_ofa.levels.drawing import FOLDER, Scatter, levels_plot
from dynamic_ofa.levels.options import LevelsOptions
from dynamic_ofa.levels.result import LevelsResult, Measured
from dynamic_ofa.levels.table import FILE, LevelTable, write_table
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import OfaError
from ofa_plugins_core.events import Notice
from ofa_plugins_core.report import canvas
from ofa_plugins_core.words import counted


def written(context: JobContext, options: LevelsOptions, found: LevelsResult) -> LevelsResult:
    """A result whose table, and its picture, lie in the run's folder, where there is one.

    Raises:
        InputError: the table cannot be written.
    """
    table = found.table
    assert table is not None
    if len(table.levels) < options.levels and found.candidates:
        said = f"the front has {counted(len(table.levels), 'network')}: all are levels"
        context.listener(Notice(said))
    if context.out is None:
        return found
    path = context.out / FILE
    write_table(path, table)
    return evolve(found, path=path, plot=drawn(context, options, _scatter(found, table)))


def _scatter(found: LevelsResult, table: LevelTable) -> Scatter:
    rows = table.levels
    where = table.device.get("model") or table.device.get("device", "")
    title = f"{table.supernet} on {where:.60}"
    kinds = sorted({row.accuracy.kind for row in rows})
    upward = f"top-1 accuracy (%, {' or '.join(kinds)})"
    across = f"latency (ms, {rows[0].latency.kind})"
    if found.candidates:
        points = [one.point for one in found.candidates]
        bars = [_bar(one) for one in found.candidates]
        return Scatter(points, found.front, found.chosen, title, across, upward, bars)
    points = [(row.accuracy.value, row.latency.value) for row in rows]
    every = range(len(points))
    return Scatter(points, strict_front(points), list(every), title, across, upward)


def _bar(one: Measured) -> tuple[float, float] | None:
    found = one.latency
    if found is None or found.low is None or found.high is None:
        return None
    return found.low, found.high


def drawn(context: JobContext, options: LevelsOptions, found: Scatter) -> Path | None:
    """The picture; a lack of matplotlib ends nothing."""
    if context.out is None or not options.plot:
        return None
    path = context.out / FOLDER / PICTURE
    if not canvas.can_draw():
        context.listener(Notice("no picture: drawing needs the extra [plot]; --no-plot is silent"))
        return None
    try:
        levels_plot(found, path)
    except OfaError as error:
        context.listener(Notice(f"no picture: {error.message}"))
        return None
    return path


def command_of(context: JobContext, options: LevelsOptions) -> str:
    """The command that makes it again: options that are not at their defaults."""
    words = ["ofa", "run", "levels"]
    for option in attrs.fields(LevelsOptions):
        value = getattr(options, option.name)
        flag = option.name.replace("_", "-")
        if value == option.default and option.name != "supernet":
            continue
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        elif isinstance(value, tuple) and option.name != "resolutions":
            words += [word for one in value for word in (f"--{flag}", str(one))]
        else:
            said = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            words += [f"--{flag}", said]
    if context.seed:
        words += ["--seed", str(context.seed)]
    for name, values in context.settings.items():
        words += [w for k, v in values.items() for w in ("--set", f"{name}.{k}={v}")]
    return shlex.join(words)
