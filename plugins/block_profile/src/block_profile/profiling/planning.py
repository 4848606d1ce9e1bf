"""What a profile is made of, before anything is measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from attrs import frozen

from block_profile.profiling.asking import Subject, subject_of
from block_profile.profiling.options import ProfileOptions
from block_profile.profiling.rows import Drawing, RowPlan, row_plans, wanted_rows
from block_profile.profiling.specs import Catalogue, Wanted
from block_profile.profiling.statistics import Closed, closed_form
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.events import Notice
from ofa_plugins_core.interfaces import CostModel, Predictor
from ofa_plugins_core.scoring import ACCURACY
from ofa_plugins_core.words import counted


@frozen(eq=False)
class Work:
    """What a profile is made of.

    Attributes:
        subject: supernet, metrics, sizes. catalogue: its places and blocks.
        plans: the rows. drawing: how their networks are drawn.
        closed: metrics that have a closed form.
        notes: what the user is told.
    """

    subject: Subject
    catalogue: Catalogue
    plans: Sequence[RowPlan]
    drawing: Drawing
    closed: Mapping[str, Closed]
    notes: tuple[str, ...]


SYNTHETIC: Final = "synthetic"
"""Weights that are filled by a formula."""


def work_of(context: JobContext, options: ProfileOptions) -> Work:
    """Names and flags as rows, networks to draw, and models.

    Raises:
        UnknownNameError, UsageError: they do not fit together, or a block is outside the space.
    """
    catalogue = Catalogue.of(context.host.supernet(options.supernet).geometry())
    depths = not options.blocks if options.depths is None else options.depths
    wanted = wanted_rows(catalogue, options.blocks, depths)
    extra = sorted({w.size for w in wanted if w.size is not None})
    subject = subject_of(context, options, extra)
    space = subject.supernet.space
    each = subject.sizes if options.per_resolution else None
    plans = row_plans(wanted, space, options.rule, each)
    drawing = Drawing(space, subject.sizes, options.num_archs, context.seed, options.draws)
    models: dict[str, CostModel | Predictor] = {**subject.costs}
    if subject.predictor is not None:
        models[ACCURACY] = subject.predictor
    closed = closed_form(space, models, subject.sizes)
    notes = [*_coupled(options, catalogue, wanted), *_without(options, subject, closed)]
    for note in notes:
        context.listener(Notice(note))
    return Work(subject, catalogue, plans, drawing, closed, tuple(notes))


def _coupled(
    options: ProfileOptions, catalogue: Catalogue, wanted: Sequence[Wanted]
) -> Iterator[str]:
    """Where the depth decides about the block, too, there is no paper rule."""
    if options.rule != "paper":
        return
    depths = {unit.number: unit.depth for unit in catalogue.units}
    demands = {d.label: d for w in wanted for d in w.demands}
    strict = 0
    for demand in demands.values():
        depth = None if demand.forced.unit is None else depths[demand.forced.unit]
        if demand.forced.kind == "block" and demand.depth is None and depth in demand.allowed:
            strict += 1
    if strict:
        yield (
            f"{counted(strict, 'block')} of {catalogue.space.name}: the depth decides which block "
            "it is, so the rule paper is the rule strict there"
        )


def _without(
    options: ProfileOptions, subject: Subject, closed: Mapping[str, Closed]
) -> Iterator[str]:
    """Metrics that are not what they seem, or not exact though that is asked for.

    Raises:
        UsageError: and no network is drawn either.
    """
    if options.weights == SYNTHETIC:
        yield "synthetic weights: top-1 means nothing"
    names = [m.name for m in subject.metrics if m.name not in closed]
    if not options.exact or not names:
        return
    said = f"{' and '.join(names)}: no sum or maximum of tables, so without a closed form"
    if not options.num_archs:
        raise UsageError(said, advice="--num-archs 100 draws networks")
    yield said
