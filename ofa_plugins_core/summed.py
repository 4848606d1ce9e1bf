"""Networks by the value of a sum: how many there are in a range, and draws from inside it.

Along an order of the genes, a table holds for every value of the sum so far how many ways there
are to go on: counting by dynamic programming. Values are counted in steps of a unit. Where all
terms are whole multiples of it, as of whole numbers with few sums, a range is counted and drawn
from exactly. Elsewhere each term is rounded to the next step: what is proposed then lies in the
range widened by half a step a term, every network of it equally likely, and the caller keeps what
lies in the range itself: 97 of a hundred or more, with a thousand steps a range and twenty terms.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import ceil, floor, frexp, gcd, prod
from typing import Any, Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from ofa_plugins_core.chain import canonical_factors
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.separable import Factor, Separable, Table, aligned
from ofa_plugins_core.values import Genes, SearchSpace

Floats = NDArray[np.float64]

MOST_STEPS: Final = 2**14
"""Values of a sum that are told apart at most."""
MOST_CELLS: Final = 2**26
"""Numbers in all tables of one image size at most: half a gigabyte."""
_LARGE: Final = 2.0**512


@frozen(eq=False)
class _Turn:
    """One gene's turn to be drawn, after those in ``rest`` that matter to it.

    Attributes:
        gene: column.
        rest: columns drawn before, increasing.
        after: columns that matter to what is drawn later, increasing.
        allowed: (rest and gene…) 1 where an option stands for itself.
        steps: (rest and gene…) what the option adds to the sum.
        ways: (after…, values) ways to go on, by what is left of the sum.
    """

    gene: int
    rest: tuple[int, ...]
    after: tuple[int, ...]
    allowed: Table
    steps: NDArray[np.int64]
    ways: Floats

    def at(self, genes: Genes, option: int, columns: Sequence[int]) -> tuple[Any, ...]:
        """Index of n networks into a table over columns, this gene's option being ``option``."""
        return tuple(
            np.full(len(genes), option) if c == self.gene else genes[:, c] for c in columns
        )


@frozen(eq=False, slots=False)
class Summed:
    """The networks of a space, at one image size, by a separable sum.

    Attributes:
        space: of the networks.
        start: the sum at value 0. unit: of a step, in the sum's own unit.
        slack: steps by which a network's value is off at most; 0: values are exact.
        ways: (values,) networks, as floating-point numbers, times 2**-exponent.
    """

    space: SearchSpace
    start: float
    unit: float
    slack: float
    ways: Floats
    exponent: int
    _turns: tuple[_Turn, ...]

    @classmethod
    def of(cls, space: SearchSpace, quantity: Separable, high: float = np.inf) -> Summed:
        """Count all networks up to a value.

        Args:
            high: the greatest value that is asked for; the lower, the finer the steps.

        Raises:
            UsageError: a maximum, or too many genes hang together to be counted.
        """
        if quantity.reduce != "sum":
            raise UsageError("only a sum is counted by its values")
        factors = _merged(quantity.factors)
        constant = sum(float(f.table[()]) for f in factors if not f.genes)
        terms = [f for f in factors if f.genes]
        start = constant + sum(float(f.table.min()) for f in terms)
        most_sum = constant + sum(float(f.table.max()) for f in terms)
        span = max(min(high, most_sum) - start, 0.0)
        order = _order(space, [*canonical_factors(space), *terms])
        most = min(MOST_STEPS, MOST_CELLS // max(sum(cells for _, cells in order), 1))
        if most < 2:
            raise UsageError(
                f"{space.name}: too many genes of this cost hang together to count its values"
            )
        unit = _whole_unit(terms, span, most) or span / (most - 1) or 1.0
        shifts = [_shifts(f, unit) for f in terms]
        rounded = sum(not exact for _, exact in shifts)
        slack = 0.5 * rounded + 1e-6 if rounded else 0.0
        values = floor(span / unit + slack) + 1
        turns, ways, exponent = _count(space, [f for f, _ in shifts], [g for g, _ in order], values)
        return cls(space, start, unit, slack, ways, exponent, turns)

    def log_count(self, low: float, high: float) -> float:
        """Logarithm to base 2 of the networks that ``propose`` draws from; -inf for none."""
        total = float(self.ways[self._values(low, high)].sum())
        return float(np.log2(total)) + self.exponent if total else -np.inf

    def _values(self, low: float, high: float) -> slice:
        """Values whose networks may be more than low and at most high."""
        if not self.slack:
            first, last = floor((low - self.start) / self.unit) + 1, floor(self._steps(high))
        else:
            first, last = ceil(self._steps(low) - self.slack), floor(self._steps(high) + self.slack)
        return slice(max(first, 0), max(last + 1, 0))

    def _steps(self, value: float) -> float:
        return (value - self.start) / self.unit

    def propose(self, low: float, high: float, n: int, generator: np.random.Generator) -> Genes:
        """Draw n networks, each equally likely among those counted: (n, genes), canonical.

        Exact values: all are more than ``low`` and at most ``high``; else keep those that are.
        The resolution's column is 0. There must be a network.
        """
        within = self._values(low, high)
        upto = np.cumsum(self.ways[within])
        places = np.searchsorted(upto, generator.random(n) * upto[-1], side="right")
        left = within.start + np.minimum(places, len(upto) - 1)
        genes = np.zeros((n, len(self.space.genes)), dtype=np.uint8)
        for turn in reversed(self._turns):
            left = _draw(turn, genes, left, len(self.space.genes[turn.gene].options), generator)
        return genes


def _draw(
    turn: _Turn,
    genes: Genes,
    left: NDArray[np.int64],
    options: int,
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """Draw one gene of n networks, in place; what is left of their sums."""
    scope = sorted((*turn.rest, turn.gene))
    weights, remains = [], []
    for option in range(options):
        index = turn.at(genes, option, scope)
        remain = left - turn.steps[index]
        ways = turn.ways[(*turn.at(genes, option, turn.after), np.maximum(remain, 0))]
        weights.append(ways * turn.allowed[index] * (remain >= 0))
        remains.append(remain)
    upto = np.cumsum(np.stack(weights, axis=1), axis=1)
    places = generator.random(len(genes)) * upto[:, -1]
    chosen = np.argmax(upto > places[:, None], axis=1)
    genes[:, turn.gene] = chosen
    return np.asarray(np.stack(remains, axis=1)[np.arange(len(genes)), chosen])


def _merged(factors: Sequence[Factor]) -> list[Factor]:
    """Terms whose genes are among another's join it: fewer are rounded."""
    found: list[Factor] = []
    for factor in sorted(factors, key=lambda f: -len(f.genes)):
        fits = (i for i, f in enumerate(found) if set(factor.genes) <= set(f.genes))
        index = next(fits, None)
        if index is None:
            found.append(factor)
        else:
            host = found[index]
            table = host.table + aligned(factor, host.genes)
            found[index] = Factor(host.name, host.genes, table)
    return found


def _whole_unit(terms: Sequence[Factor], span: float, most: int) -> float | None:
    """The greatest whole number of which all terms' differences are multiples, if it is enough."""
    if any(f.table.dtype.kind not in "iu" for f in terms):
        return None
    common = gcd(*(int(v - f.table.min()) for f in terms for v in np.unique(f.table)))
    return float(common) if common and span / common < most else None


def _shifts(factor: Factor, unit: float) -> tuple[Factor, bool]:
    """A term in whole steps above its least, and whether nothing was rounded."""
    exact = (factor.table - factor.table.min()) / unit
    steps = np.round(exact).astype(np.int64)
    return Factor(factor.name, factor.genes, steps), bool((steps == exact).all())


def _order(space: SearchSpace, factors: Sequence[Factor]) -> list[tuple[int, int]]:
    """Genes, last drawn first, each with the cells of the table that is left without it.

    Greedily: whatever leaves the smallest table next.
    """
    near: dict[int, set[int]] = {}
    for factor in factors:
        for gene in factor.genes:
            near.setdefault(gene, set()).update(factor.genes)
    border, gone = set[int](), set[int]()
    order: list[tuple[int, int]] = []
    while left := near.keys() - gone:
        borders = {g: (border | near[g]) - gone - {g} for g in left}
        cells = {g: prod(int(space.sizes[r]) for r in borders[g]) for g in left}
        gene = min(left, key=lambda g: (cells[g], -g))
        order.append((gene, cells[gene]))
        border = borders[gene]
        gone.add(gene)
    return order


def _count(
    space: SearchSpace, terms: Sequence[Factor], order: Sequence[int], values: int
) -> tuple[tuple[_Turn, ...], Floats, int]:
    """Sum over gene after gene; the tables that lead back, and (values,) networks."""
    ways = np.zeros(values)
    ways[0] = 1.0
    after: tuple[int, ...] = ()
    turns, exponent = [], 0
    rules, open_terms = canonical_factors(space), list(terms)
    for gene in order:
        touched = [f for f in rules if gene in f.genes], [f for f in open_terms if gene in f.genes]
        rules = [f for f in rules if gene not in f.genes]
        open_terms = [f for f in open_terms if gene not in f.genes]
        scope = sorted({gene, *after, *(g for part in touched for f in part for g in f.genes)})
        shape = tuple(int(space.sizes[g]) for g in scope)
        allowed, steps = np.ones(shape), np.zeros(shape, dtype=np.int64)
        for rule in touched[0]:
            allowed = allowed * aligned(rule, scope).astype(float)
        for term in touched[1]:
            steps = steps + aligned(term, scope)
        rest = tuple(g for g in scope if g != gene)
        turns.append(_Turn(gene, rest, after, allowed, steps, ways))
        ways = _summed_over(turns[-1], scope, shape)
        after = rest
        if (most := float(ways.max(initial=0.0))) > _LARGE:
            shift = frexp(most)[1]
            ways, exponent = np.ldexp(ways, -shift), exponent + shift
    return tuple(turns), ways, exponent


def _summed_over(turn: _Turn, scope: Sequence[int], shape: Sequence[int]) -> Floats:
    """(rest…, values): the ways to go on before the gene is drawn."""
    values = turn.ways.shape[-1]
    axis = list(scope).index(turn.gene)
    out = np.zeros((*(s for i, s in enumerate(shape) if i != axis), values))
    for index in product(*map(range, shape)):
        shift, weight = int(turn.steps[index]), float(turn.allowed[index])
        if not weight or shift >= values:
            continue
        here = out[(*index[:axis], *index[axis + 1 :])]
        later = turn.ways[tuple(index[scope.index(c)] for c in turn.after)]
        here[shift:] += weight * later[: values - shift]
    return out
