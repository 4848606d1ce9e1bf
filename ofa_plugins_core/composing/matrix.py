"""Every cell of a matrix, what they say together, and where it was tried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from attrs import evolve, field, frozen

from ofa_plugins_core.composing.axes import Axes
from ofa_plugins_core.composing.cells import Answer, Cell
from ofa_plugins_core.config import plain

FORMAT: Final = "ofa-composition-matrix"
NEAR: Final = 1e-6
"""Relative difference within which two searchers have found equally much."""


@frozen(kw_only=True)
class Pair:
    """What one offer of another seam came to on one supernet: a sampler, a training plan.

    Attributes:
        kind: of the offer, for example ``samplers``.
        name: of it. supernet: that it was tried on.
        answer: what it came to.
    """

    kind: str
    name: str
    supernet: str
    answer: Answer


@frozen(kw_only=True)
class Matrix:
    """What every combination came to.

    Attributes:
        axes: axis -> names. of: how many combinations they have.
        cells: that were tried, in the order of the combinations.
        pairs: of the seams that only meet a supernet.
        about: when, how, with which versions: as in a run's run.json.
        interrupted: the user stopped it.
    """

    axes: dict[str, list[str]]
    of: int
    cells: list[Cell]
    pairs: list[Pair] = field(factory=list)
    about: dict[str, Any] = field(factory=dict)
    interrupted: bool = False
    format: str = FORMAT

    @property
    def counts(self) -> dict[str, int]:
        """Outcome -> cells; ``works_given``: of those that work, where something was made up."""
        found = Counter(cell.outcome for cell in self.cells)
        given = sum(cell.outcome == "works" and bool(cell.needs) for cell in self.cells)
        outcomes = {name: found[name] for name in ("works", "refused", "broken")}
        return {**outcomes, "works_given": given}

    def as_json(self) -> dict[str, Any]:
        """JSON form; matrix.json holds it."""
        found: dict[str, Any] = _without_none(plain(self))
        for cell, told in zip(self.cells, found["cells"], strict=True):
            told["outcome"] = cell.outcome
        return {"format": FORMAT, "counts": self.counts, **found}


def _without_none(value: Any) -> Any:
    """Plain data without the keys that say nothing."""
    if isinstance(value, dict):
        return {k: _without_none(v) for k, v in value.items() if v is not None}
    return [_without_none(v) for v in value] if isinstance(value, list) else value


def matrix_of(
    axes: Axes,
    cells: Mapping[int, Cell],
    pairs: Iterable[Pair] = (),
    about: Mapping[str, Any] | None = None,
    interrupted: bool = False,
) -> Matrix:
    """The cells as a matrix, each held against what other searchers found.

    Args:
        cells: number of a combination -> its cell.
    """
    count = len(axes.combinations())
    return Matrix(
        axes=axes.as_json(),
        of=count,
        cells=contradicted([cells[number] for number in sorted(cells)]),
        pairs=list(pairs),
        about=dict(about or {}),
        interrupted=interrupted,
    )


def contradicted(cells: Sequence[Cell]) -> list[Cell]:
    """The cells; broken where something is called optimal that another searcher has beaten."""
    best: dict[tuple[str, ...], float] = {}
    for cell in cells:
        for name, answer in cell.answers.items():
            if answer.outcome == "works" and answer.value is not None:
                key, sign = _question(cell, name), _sign(name)
                best[key] = max(best.get(key, -float("inf")), sign * answer.value)
    return [evolve(cell, answers=_held(cell, best)) for cell in cells]


def _held(cell: Cell, best: Mapping[tuple[str, ...], float]) -> dict[str, Answer]:
    found = {}
    for name, answer in cell.answers.items():
        if answer.outcome == "works" and answer.optimal and answer.value is not None:
            other = _sign(name) * best[_question(cell, name)]
            if _sign(name) * (other - answer.value) > NEAR * abs(other):
                said = f"called optimal: {answer.value:.9g}, where another finds {other:.9g}"
                answer = evolve(answer, outcome="broken", reason=said)
        found[name] = answer
    return found


def _question(cell: Cell, name: str) -> tuple[str, ...]:
    return cell.supernet, cell.cost, cell.predictor, name


def _sign(question: str) -> int:
    """Accuracies are better higher, costs lower."""
    return -1 if question == "least" else 1
