"""Published schedules of progressive shrinking, and the phases that they make of a space."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from attrs import evolve

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.phases import Phase, Step
from ofa_plugins_core.values import SearchSpace

DIMENSIONS: Final[dict[Step, str]] = {"kernel": "ks", "depth": "d", "expand": "e", "width": "w"}
"""Step -> the dimension that it opens, in the order of training."""

AT_ONCE: Final = ("kernel",)
"""Steps of one phase, which opens all options."""

OFA: Final = (
    Phase(step="teacher", epochs=180, base_lr=8.125e-2),
    Phase(step="kernel", epochs=120, base_lr=3e-2, warmup_epochs=5, warmup_lr=3e-3),
    Phase(step="depth", number=1, epochs=25, base_lr=2.5e-3, subnets=2),
    Phase(
        step="depth",
        number=2,
        epochs=120,
        base_lr=7.5e-3,
        warmup_epochs=5,
        warmup_lr=7.5e-4,
        subnets=2,
    ),
    Phase(step="expand", number=1, epochs=25, base_lr=2.5e-3, subnets=4),
    Phase(
        step="expand",
        number=2,
        epochs=120,
        base_lr=7.5e-3,
        warmup_epochs=5,
        warmup_lr=7.5e-4,
        subnets=4,
    ),
    Phase(step="width", number=1, epochs=25, base_lr=2.5e-3, subnets=4),
    Phase(
        step="width",
        number=2,
        epochs=120,
        base_lr=7.5e-3,
        warmup_epochs=5,
        warmup_lr=7.5e-4,
        subnets=4,
    ),
)
"""Once-for-All's schedule, for 64 images a worker.

Epochs, subnets, warm-up epochs and learning rates of the elastic phases: as published. The
teacher's rate is that of the paper (ICLR 2020, section 4.1): 2.6 for 2,048 images on 32 workers.
Where the warm-up begins is not published: a tenth of the rate, as MOOFA's depth 2 has it. The width
phases are ours, those of expand again: the published schedule has none for ResNet's widths.
"""


def progressive(space: SearchSpace, schedule: Sequence[Phase]) -> tuple[Phase, ...]:
    """Progressive shrinking of a space: the teacher, then kernel, depth, expand ratio and width.

    A step opens one more of a dimension's largest options each phase; a dimension with one option,
    or whose values follow from another's, has no step. Of the schedule's phases of a step the first
    goes for all but the last.

    Args:
        schedule: the teacher's phase, and for each step the phases of three options.

    Raises:
        UsageError: the space has a dimension of several options that no step opens.

    Source: Once-for-All (ICLR 2020, section 3.3); channels are sorted before each expand phase.
    """
    counts = options(space)
    for key in counts:
        if counts[key] > 1 and key not in DIMENSIONS.values():
            known = ", ".join(DIMENSIONS.values())
            raise UsageError(f"progressive shrinking opens {known}: {space.name} has {key}, too")
    taken = dict.fromkeys(counts, 1)
    found = [evolve(p, open=_still_shut(taken, counts)) for p in schedule if p.step == "teacher"]
    for step, key in DIMENSIONS.items():
        for phase, count in _phases(step, counts.get(key, 1), schedule):
            taken[key] = count
            found.append(evolve(phase, open=_still_shut(taken, counts)))
    return tuple(found)


def _phases(step: Step, options: int, schedule: Sequence[Phase]) -> Iterator[tuple[Phase, int]]:
    """(phase, options of its dimension that it opens) of one step."""
    rows = [phase for phase in schedule if phase.step == step]
    opened = range(options if step in AT_ONCE else 2, options + 1) if options > 1 else ()
    for number, count in enumerate(opened, start=1):
        row = rows[-1 if count == options else 0]
        sort = number - 1 if step == "expand" else None
        yield evolve(row, number=number, sort=sort), count


def _still_shut(taken: dict[str, int], counts: dict[str, int]) -> dict[str, int]:
    return {key: taken[key] for key in counts if taken[key] < counts[key]}


def options(space: SearchSpace) -> dict[str, int]:
    """Dimension -> most options of one of its genes; 1 where none is free."""
    return {
        dimension.key: max(
            (int(space.sizes[entry]) for entry in dimension.entries if isinstance(entry, int)),
            default=1,
        )
        for dimension in space.dimensions
    }
