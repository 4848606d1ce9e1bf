"""A matrix as a few grids: equal rows are one, so are supernets with equal rows, and reasons.

Pure functions: what they fold was tried elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from string import ascii_uppercase
from typing import Final, TypeVar

from attrs import astuple, define, field, frozen

from ofa_plugins_core.composing.axes import Combination
from ofa_plugins_core.composing.cells import GIVEN, Answer, Cell
from ofa_plugins_core.composing.faults import kind_of
from ofa_plugins_core.composing.matrix import Matrix, Pair

PROVEN: Final = "●"
WORKS: Final = "○"
PARTLY: Final = "◐"
REFUSED: Final = "–"
BROKEN: Final = "✗"
UNTRIED: Final = "·"
LEGEND: Final = (
    (PROVEN, "works, and what it finds is proven optimal"),
    (WORKS, "works"),
    (PARTLY, "answers one question and refuses another; the number says which and why"),
    (REFUSED, "refused; the number says why"),
    (BROKEN, "broken"),
    (UNTRIED, "not tried"),
)
POLICIES: Final = "policies"
MANY: Final = 3
"""Costs that share a letter, at least."""

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


@frozen
class Mark:
    """What stands at one place of a grid: a sign, and numbers of reasons."""

    sign: str
    reasons: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.sign} {','.join(map(str, self.reasons))}".rstrip()


@frozen
class Row:
    """Costs and predictors that come to the same with every searcher."""

    costs: tuple[str, ...]
    predictors: tuple[str, ...]
    marks: tuple[Mark, ...]


@frozen
class Grid:
    """Supernets that come to the same with everything; a column a searcher, then the policies."""

    supernets: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@define
class Reason:
    """Why something is refused, or what is broken.

    Attributes:
        number: in the grids. text: as the program says it, of the first of its kind.
        advice: of the program. example: where it said so. seen: combinations that have it.
        varies: other cells have other names or numbers in the same sentence.
        instead: searchers that work wherever this one is refused.
    """

    number: int
    text: str
    advice: str | None
    example: str
    seen: set[Combination] = field(factory=set)
    varies: bool = False
    instead: tuple[str, ...] | None = None


@frozen(eq=False)
class Folded:
    """Grids, and the reasons that they number.

    Attributes:
        groups: letter -> many costs that come to the same everywhere.
    """

    grids: tuple[Grid, ...]
    reasons: tuple[Reason, ...]
    groups: Mapping[str, tuple[str, ...]]

    def named(self, costs: Sequence[str]) -> str:
        """Costs as a list, those of a group by its letter."""
        names = list(costs)
        for letter, group in self.groups.items():
            if set(group) <= set(names):
                names[names.index(group[0])] = letter
                names = [name for name in names if name not in group]
        return ", ".join(names)


@define(eq=False)
class _Reasons:
    """Numbers reasons as they come; sentences that differ in names and numbers alone are one."""

    known: dict[str, Reason] = field(factory=dict)

    def number(self, cell: Cell, answer: Answer, instead: Iterable[str]) -> int:
        """The number of a reason; ``instead``: searchers that answer the same question."""
        text = str(answer.reason)
        broken = answer.outcome == "broken"
        key = kind_of(text, astuple(cell.combination)) if broken else _template(text, cell)
        found = self.known.get(key)
        if found is None:
            found = Reason(len(self.known) + 1, text, answer.advice, cell.combination.words)
            self.known[key] = found
        found.seen.add(cell.combination)
        found.varies |= found.text != text
        working = tuple(instead)
        before = working if found.instead is None else found.instead
        found.instead = tuple(name for name in before if name in working)
        return found.number


def folded(matrix: Matrix) -> Folded:
    """The grids of a matrix, in the order of its axes."""
    reasons, searchers = _Reasons(), matrix.axes["searchers"]
    tables: dict[str, tuple[Row, ...]] = {}
    rows: dict[tuple[str, str, str], tuple[Mark, ...]] = {}
    for (supernet, cost, predictor), row in _by_row(matrix.cells).items():
        marks = tuple(_mark(row.get(s), row, reasons) for s in searchers)
        rows[supernet, cost, predictor] = (*marks, _policy_mark(row.values(), reasons))
    for supernet in matrix.axes["supernets"]:
        own = {key[1:]: marks for key, marks in rows.items() if key[0] == supernet}
        if own:
            tables[supernet] = _merged(own)
    columns = (*searchers, POLICIES)
    grids = tuple(Grid(tuple(names), columns, table) for table, names in _grouped(tables).items())
    return Folded(grids, tuple(reasons.known.values()), _groups(rows, matrix.axes["costs"]))


def _groups(
    rows: Mapping[tuple[str, str, str], tuple[Mark, ...]], costs: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Letter -> costs that come to the same with everything, where they are many."""
    told: dict[str, list[Hashable]] = {cost: [] for cost in costs}
    for (supernet, cost, predictor), marks in rows.items():
        told[cost].append((supernet, predictor, marks))
    alike = _grouped({cost: tuple(all_of) for cost, all_of in told.items()}).values()
    many = [tuple(names) for names in alike if len(names) >= MANY]
    return dict(zip(ascii_uppercase, many, strict=False))


def _by_row(cells: Iterable[Cell]) -> dict[tuple[str, str, str], dict[str, Cell]]:
    """(supernet, cost, predictor) -> searcher -> cell."""
    found: dict[tuple[str, str, str], dict[str, Cell]] = {}
    for cell in cells:
        found.setdefault((cell.supernet, cell.cost, cell.predictor), {})[cell.searcher] = cell
    return found


def _mark(cell: Cell | None, row: Mapping[str, Cell], reasons: _Reasons) -> Mark:
    """The sign of a combination, and why it is no better."""
    if cell is None:
        return Mark(UNTRIED)
    numbers = [
        reasons.number(cell, answer, _working(row, name))
        for name, answer in cell.answers.items()
        if answer.outcome != "works"
    ]
    return Mark(sign_of(cell), tuple(dict.fromkeys(numbers)))


def sign_of(cell: Cell) -> str:
    """What the answers of a combination come to, as a sign."""
    outcomes = {answer.outcome for answer in cell.answers.values()}
    if "broken" in outcomes:
        return BROKEN
    if outcomes == {"works"}:
        return PROVEN if all(a.optimal for a in cell.answers.values()) else WORKS
    return PARTLY if "works" in outcomes else REFUSED


def _working(row: Mapping[str, Cell], question: str) -> list[str]:
    """Searchers that answer a question."""
    asked = {n: c.answers[question] for n, c in row.items() if question in c.answers}
    return [name for name, answer in asked.items() if answer.outcome == "works"]


def _policy_mark(cells: Iterable[Cell], reasons: _Reasons) -> Mark:
    """What the policies came to on whatever was found; the worst sign stands for all."""
    told = [(c, n, a) for c in cells for n, a in c.policies.items()]
    wrong = [(c, n, a) for c, n, a in told if a.outcome != "works"]
    numbers = tuple(dict.fromkeys(reasons.number(c, a, ()) for c, _, a in wrong))
    if not told:
        return Mark(UNTRIED)
    if any(a.outcome == "broken" for _, _, a in wrong):
        return Mark(BROKEN, numbers)
    if not wrong:
        return Mark(WORKS)
    return Mark(REFUSED if len(wrong) == len(told) else PARTLY, numbers)


def _template(text: str, cell: Cell) -> str:
    """A sentence without the names and long numbers of the cell that it is about."""
    names = {cell.supernet, cell.supernet.partition("+")[0], cell.cost}
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, "…")
    return re.sub(r"\d[\d,]{6,}|\d+\.\d+", "…", text)


def _merged(rows: Mapping[tuple[str, str], tuple[Mark, ...]]) -> tuple[Row, ...]:
    """Rows of equal marks as one: first over predictors, then over costs."""
    by_cost: dict[tuple[str, tuple[Mark, ...]], list[str]] = {}
    for (cost, predictor), marks in rows.items():
        by_cost.setdefault((cost, marks), []).append(predictor)
    found: dict[tuple[tuple[str, ...], tuple[Mark, ...]], list[str]] = {}
    for (cost, marks), predictors in by_cost.items():
        found.setdefault((tuple(predictors), marks), []).append(cost)
    merged = [Row(tuple(costs), names, marks) for (names, marks), costs in found.items()]
    return tuple(sorted(merged, key=_is_refused))  # in their order, the refused ones last


def _is_refused(row: Row) -> bool:
    return all(mark.sign == REFUSED for mark in row.marks[:-1])


def _grouped(tables: Mapping[str, T]) -> dict[T, list[str]]:
    """What is equal -> the names of what has it."""
    found: dict[T, list[str]] = {}
    for name, table in tables.items():
        found.setdefault(table, []).append(name)
    return found


def needed(cells: Iterable[Cell], axis: str) -> dict[str, dict[str, str]]:
    """Of an axis: name -> supernet -> what the program says that a user has to bring; "" nothing.

    Args:
        axis: ``cost`` or ``predictor``.
    """
    found: dict[str, dict[str, str]] = {}
    for cell in cells:
        if GIVEN not in cell.answers:  # it came to a question: all that it needs was there
            name = cell.cost if axis == "cost" else cell.predictor
            found.setdefault(name, {})[cell.supernet] = cell.needs.get(axis, "")
    return found


PairTable = tuple[str, list[str], list[str], list[list[Answer]]]


def pair_tables(pairs: Sequence[Pair]) -> list[PairTable]:
    """(kind, its names, supernets, what came of each name on each supernet: a row a supernet)."""
    found = []
    for kind in dict.fromkeys(pair.kind for pair in pairs):
        own = [pair for pair in pairs if pair.kind == kind]
        names = list(dict.fromkeys(pair.name for pair in own))
        supernets = list(dict.fromkeys(pair.supernet for pair in own))
        answers = {(pair.supernet, pair.name): pair.answer for pair in own}
        rows = [[answers[s, n] for n in names] for s in supernets]
        found.append((kind, names, supernets, rows))
    return found
