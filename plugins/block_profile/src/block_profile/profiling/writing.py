"""What a profile leaves in its run's folder: profile.csv as published, profile.log and .json."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Final

from attrs import evolve

from block_profile.profiling import effects
from block_profile.profiling.numbers import Form
from block_profile.profiling.options import ProfileOptions
from block_profile.profiling.profile import FILE, Profile, Statistic, profile_text
from block_profile.profiling.result import ProfileResult
from ofa_plugins_core import runs
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import OfaError
from ofa_plugins_core.events import Notice

CSV: Final = "profile.csv"
LOG: Final = "profile.log"
_COLUMNS: Final = ("mu", "sig", "1%", "5%", "95%", "99%", "min", "max")


def written(context: JobContext, options: ProfileOptions, found: ProfileResult) -> ProfileResult:
    """The result, with its files in the run's folder, where there is one.

    Raises:
        InputError: they cannot be written.
    """
    folder = context.out
    if folder is None:
        return found
    profile = found.profile
    runs.write(folder / CSV, csv_text(profile))
    if options.log:
        runs.write(folder / LOG, log_text(profile))
    runs.write(folder / FILE, profile_text(profile))
    if not options.plot:
        return found
    from block_profile.profiling.pictures import draw_profile

    try:
        return evolve(found, figures=tuple(draw_profile(profile, folder)))
    except OfaError as error:
        context.listener(Notice(f"no pictures: {error.message}; {error.advice or ''}".rstrip("; ")))
        return found


def csv_text(profile: Profile) -> str:
    """The published columns: of each metric mean, standard deviation, quantiles, least, greatest.

    Over the drawn networks; where none were drawn, over all.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    header = [cell for m in profile.metrics for cell in (f"{m.name} mu", *_COLUMNS[1:])]
    writer.writerow(["Fixed block", *header])
    for row in profile.rows:
        cells: list[float | None] = []
        for metric in profile.metrics:
            cells += _values(row.sampled.get(metric.name) or row.exact[metric.name])
        writer.writerow([row.label, *cells])
    return text.getvalue()


def _values(found: Statistic) -> list[float | None]:
    ends = (found.mean, found.sd, found.p1, found.p5, found.p95, found.p99, found.min, found.max)
    return [None if value is None else float(f"{value:.10g}") for value in ends]


def log_text(profile: Profile) -> str:
    """For people: a paragraph a row, then the best and the worst network of each metric."""
    return "\n".join(_lines(profile)) + "\n"


def _lines(profile: Profile) -> Iterator[str]:
    sizes = ", ".join(map(str, profile.resolutions))
    yield f"{profile.supernet} at {sizes} pixels, {profile.networks:,} networks a resolution"
    yield (
        f"rule {profile.rule}, {profile.archs} networks a row, {profile.draws} draws, "
        f"seed {profile.seed}"
    )
    for metric in profile.metrics:
        yield f"{metric.name}: {metric.unit}, {metric.kind}, {metric.source}"
    yield from profile.notes
    for row in profile.rows:
        active = f" (active in {100 * row.active:.4g} %)" if row.forced else ""
        yield f"\n{row.label}{active}"
        for metric in profile.metrics:
            for found, how in ((row.sampled, ""), (row.exact, " (exact)")):
                if metric.name in found:
                    yield f"  {metric.name}{how}: {_sentence(found[metric.name], metric.unit)}"
    for metric in profile.metrics:
        for which, among in (("best", profile.best), ("worst", profile.worst)):
            if metric.name in among:
                end = among[metric.name]
                shown = Form.of([end.value], metric.unit).full(end.value)
                yield f"\n{which} {metric.name}: {shown} {metric.unit}, in {end.row}"
                yield f"  {json.dumps(end.arch)}"
    for (one, two), value in effects.correlations(profile).items():
        if value is not None:
            yield f"\nrank correlation of {one} and {two} over blocks: {value:.3f}"


def _sentence(found: Statistic, unit: str) -> str:
    quantiles = ((1, found.p1), (5, found.p5), (95, found.p95), (99, found.p99))
    form = Form.of((found.min, found.max), unit)
    between = ", ".join(f"{q} % {form.full(v)}" for q, v in quantiles if v is not None)
    ends = f"{form.full(found.min)} to {form.full(found.max)}"
    mean = f"mean {found.mean:,.6g} {unit}, sd {found.sd:,.4g}"
    error = f" (mean off by {found.error:.2g} at most)" if found.error else ""
    return f"{mean}, {between}, {ends}{error}"
