"""Networks to try laws on, and comparisons that laws share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ofa_plugins_core.interfaces import Archs, Supernet
from ofa_plugins_core.testing.laws import demand
from ofa_plugins_core.values import Genes, SearchSpace

SAMPLE: Final = 24
ODD_SIZES: Final = (32, 77, 130, 224)
"""Image sizes that no space is likely to list all of; any from 32 pixels up has to do."""


def drawn(space: SearchSpace, generator: np.random.Generator, n: int = SAMPLE) -> Genes:
    """Canonical networks, the smallest and the largest among them."""
    ends = np.stack([np.zeros_like(space.sizes), space.sizes - 1]).astype(np.uint8)
    return space.canonical(np.concatenate([ends, space.sample(n - 2, generator)]))


def as_dicts(space: SearchSpace, genes: Genes, size: int | None = None) -> list[dict[str, Any]]:
    """Exchange dicts of encoded networks, at an image size of their own where one is given."""
    dicts = [a.as_dict() for a in space.decode(genes)]
    return dicts if size is None else [{**d, "image_size": size} for d in dicts]


def same(found: NDArray[Any], expected: NDArray[Any], what: str, of: Archs | None = None) -> None:
    """Demand equal numbers; whole ones exactly, others to 1e-9; nan is nan, told elsewhere.

    Args:
        what: is compared, for the message.
        of: the networks, one a number, so that the message has the first that differs.
    """
    demand(found.shape == expected.shape, f"{what}: shape {found.shape}, not {expected.shape}")
    exact = found.dtype.kind in "iub" and expected.dtype.kind in "iub"
    close = (
        found == expected
        if exact
        else np.isclose(found, expected, rtol=1e-9, atol=1e-12, equal_nan=True)
    )
    if not np.all(close):
        row = int(np.flatnonzero(~close)[0])
        whose = "" if of is None else f", for {of[row]}"
        demand(False, f"{what}: number {row} is {found[row]}, not {expected[row]}{whose}")


def outer_form(evaluate: Callable[[Any], NDArray[Any]], space: SearchSpace, rows: Genes) -> None:
    """Demand that a batch, its single rows and its exchange dicts give the same numbers."""
    batch = evaluate(rows)
    demand(isinstance(batch, np.ndarray), f"returns {type(batch).__name__}, not a numpy array")
    demand(batch.shape == (len(rows),), f"shape {batch.shape} for {len(rows)} networks")
    dicts = as_dicts(space, rows)
    single = np.concatenate([evaluate(rows[i : i + 1]) for i in range(len(rows))])
    same(single, batch, "one by one against the batch", dicts)
    same(evaluate(as_dicts(space, rows)), batch, "exchange dicts against the encoded array", dicts)
    same(evaluate(space.decode(rows)), batch, "Archs against the encoded array", dicts)
    empty = evaluate(rows[:0])
    demand(empty.shape == (0,), f"no networks give shape {empty.shape}, not (0,)")


def twins(supernet: Supernet, generator: np.random.Generator) -> tuple[Genes, Genes]:
    """(drawn rows as they fall, their canonical form): the same networks, twice."""
    rows = supernet.space.sample(SAMPLE, generator)
    return rows, supernet.space.canonical(rows)
