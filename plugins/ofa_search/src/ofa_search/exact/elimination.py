"""Best scores by eliminating genes, for many bounds at once.

The tables of a resolution carry a trailing batch axis, one entry a bound. Joining the tables that
share a gene, taking the best over that gene, and going on with the joint table gives the optimum
over all networks of a resolution in as many steps as the chain has links (bucket elimination), for
every bound of the batch at the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from ofa_plugins_core.values import Genes

Scope: TypeAlias = tuple[int, ...]
Batched: TypeAlias = NDArray[np.float64]
"""One axis a gene of a scope, in increasing order, then the batch axis."""


@frozen
class Step:
    """One elimination.

    Attributes:
        tables: numbers of the tables that are joined; results of steps count on after the given.
        scope: genes of the joint table, increasing.
        drop: genes that are eliminated. rest: genes that the result keeps.
    """

    tables: tuple[int, ...]
    scope: Scope
    drop: Scope
    rest: Scope


@lru_cache(maxsize=64)
def plan(sizes: tuple[int, ...], scopes: tuple[Scope, ...]) -> tuple[Step, ...]:
    """Steps that eliminate every gene of the scopes, the smallest joint tables first.

    Args:
        sizes: number of options of each gene.
        scopes: genes of each table.
    """
    alive = {number: set(scope) for number, scope in enumerate(scopes) if scope}
    near = {g: set().union(*(s for s in alive.values() if g in s)) for g in _all(alive)}
    cost = {g: _cells(sizes, near[g]) for g in near}
    steps: list[Step] = []
    while near:
        gene = min(near, key=lambda g: (cost[g], g))
        drop = {g for g in near[gene] if near[g] <= near[gene]}
        touched = tuple(n for n, s in alive.items() if s & drop)
        rest = near[gene] - drop
        steps.append(Step(touched, _sorted(near[gene]), _sorted(drop), _sorted(rest)))
        for number in touched:
            del alive[number]
        for gone in drop:
            del near[gone]
        for kept in rest:
            near[kept] = (near[kept] | rest) - drop
            cost[kept] = _cells(sizes, near[kept])
        alive[len(scopes) + len(steps) - 1] = rest
    return tuple(steps)


def _all(alive: dict[int, set[int]]) -> set[int]:
    return set().union(*alive.values()) if alive else set()


def _sorted(genes: set[int]) -> Scope:
    return tuple(sorted(genes))


def _cells(sizes: Sequence[int], genes: set[int]) -> int:
    cells = 1
    for gene in genes:
        cells *= sizes[gene]
    return cells


def spread(table: NDArray[Any], own: Scope, scope: Scope) -> NDArray[Any]:
    """A batched table with one axis for each gene of ``scope`` (length 1 where it is free)."""
    if own == scope:
        return table
    shape = [1] * len(scope)
    for axis, gene in enumerate(own):
        shape[scope.index(gene)] = table.shape[axis]
    return table.reshape(*shape, table.shape[-1])


def _joined(step: Step, tables: list[Batched], scopes: list[Scope]) -> Batched:
    total: Batched | None = None
    for number in step.tables:
        term = spread(tables[number], scopes[number], step.scope)
        total = term if total is None else total + term
    assert total is not None
    return total


def best_scores(
    steps: Sequence[Step], tables: Sequence[Batched], scopes: Sequence[Scope]
) -> NDArray[np.float64]:
    """(batch,) best sum of the tables over all choices of the genes; -inf where none is allowed.

    Args:
        steps: the plan for ``scopes``.
        tables: batched tables, -inf for what is not allowed; a table without genes is a constant.
        scopes: genes of each table.
    """
    work, own = list(tables), list(scopes)
    for step in steps:
        axes = tuple(step.scope.index(g) for g in step.drop)
        work.append(_joined(step, work, own).max(axis=axes))
        own.append(step.rest)
    return _constants(work, own)


def _constants(work: list[Batched], own: list[Scope]) -> NDArray[np.float64]:
    constants = [table for table, scope in zip(work, own, strict=True) if not scope]
    total: NDArray[np.float64] = np.add.reduce(np.broadcast_arrays(*constants))
    return total


def best_rows(
    steps: Sequence[Step],
    tables: Sequence[Batched],
    scopes: Sequence[Scope],
    genes: int,
) -> Genes:
    """(batch, genes) choices that reach ``best_scores``; the first among equals, column 0 is 0."""
    work, own = list(tables), list(scopes)
    joints = []
    for step in steps:
        joints.append(_joined(step, work, own))
        axes = tuple(step.scope.index(g) for g in step.drop)
        work.append(joints[-1].max(axis=axes))
        own.append(step.rest)
    batch = _constants(work, own).shape[0]
    rows = np.zeros((batch, genes), dtype=np.uint8)
    for step, joint in zip(reversed(steps), reversed(joints), strict=True):
        _choose(step, joint, rows)
    return rows


def _choose(step: Step, joint: Batched, rows: Genes) -> None:
    """Set the dropped genes of each row to their best options, given the genes kept."""
    kept_axes = [step.scope.index(g) for g in step.rest]
    drop_axes = [step.scope.index(g) for g in step.drop]
    ordered = np.transpose(joint, (*kept_axes, joint.ndim - 1, *drop_axes))
    every = np.arange(len(rows)) if joint.shape[-1] > 1 else np.zeros(len(rows), np.intp)
    picked = ordered[(*(rows[:, g] for g in step.rest), every)]
    best = picked.reshape(len(rows), -1).argmax(axis=1)
    shape = ordered.shape[len(kept_axes) + 1 :]
    for gene, option in zip(step.drop, np.unravel_index(best, shape), strict=True):
        rows[:, gene] = option
