"""Bounds on costs and on accuracy: one, or a range of them, read from what a user writes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from ofa_plugins_core.errors import UnknownNameError, UsageError

Relation = Literal["<=", ">="]


@frozen
class Constraint:
    """A bound on a cost or on ``accuracy``: ``flops <= 3e8``.

    Attributes:
        name: of the cost, or ``accuracy`` (percent).
        relation: ``<=`` or ``>=``.
        bound: in the cost's own unit.
    """

    name: str
    relation: Relation
    bound: float

    def met(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """(n,) values of the cost -> (n,) whether each meets the bound."""
        return values <= self.bound if self.relation == "<=" else values >= self.bound

    def __str__(self) -> str:
        return f"{self.name}{self.relation}{self.bound:.15g}"


@frozen
class BoundRange:
    """A constraint whose bound runs from one end to the other, both included: a sweep."""

    name: str
    relation: Relation
    first: float
    last: float

    def constraints(self, points: int) -> list[Constraint]:
        """``points`` evenly spaced constraints, sorted by bound whatever the order given."""
        low, high = sorted((self.first, self.last))
        return [Constraint(self.name, self.relation, b) for b in np.linspace(low, high, points)]


DTYPE_BYTES: Final[Mapping[str, int]] = {"int8": 1, "fp16": 2, "fp32": 4}
_SUFFIXES: Final[Mapping[str, float]] = {"": 1, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "ms": 1}
_BYTES: Final[Mapping[str, int]] = {"KB": 1000, "KiB": 1024, "MB": 1000**2, "MiB": 1024**2}
_CONSTRAINT = re.compile(r"\s*([^<>=\s]+)\s*(<=|>=)\s*([^:]+?)\s*(?::\s*([^:]+?)\s*)?")
_BOUND = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-z]*)\s*%?")


def parse_constraint(
    text: str, dtype: str | None = None, bytes_unit: Callable[[str], bool] | None = None
) -> Constraint | BoundRange:
    """Read ``peak_memory<=400k``, ``accuracy>=75`` or a range ``flops<=200M:400M``.

    Args:
        text: as the user wrote it; suffixes k, M, G; KB, KiB, MB, MiB for bytes.
        dtype: ``int8``, ``fp16`` or ``fp32``: turns a bound in bytes into items.
        bytes_unit: name of a cost -> whether it is counted in bytes already.

    Raises:
        UsageError: the text is not a constraint, or its unit needs ``--dtype``.
    """
    match = _CONSTRAINT.fullmatch(text)
    if match is None:
        raise UsageError(
            f"cannot read the constraint {text!r}",
            advice="write NAME<=BOUND, NAME>=BOUND or a range NAME<=LOW:HIGH, "
            "for example 'peak_memory<=400k'",
        )
    name, relation, first, last = match.groups()
    in_bytes = bytes_unit is not None and bytes_unit(name)
    bounds = [_bound(b, text, dtype, in_bytes) for b in (first, last) if b is not None]
    kind: Relation = "<=" if relation == "<=" else ">="
    if len(bounds) == 2:
        return BoundRange(name, kind, bounds[0], bounds[1])
    return Constraint(name, kind, bounds[0])


def _bound(text: str, whole: str, dtype: str | None, in_bytes: bool) -> float:
    match = _BOUND.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"cannot read the bound {text!r} in {whole!r}; for example 400k or 1.5M")
    number, suffix = float(match.group(1)), match.group(2)
    if suffix in _BYTES:
        value = _bytes_bound(number * _BYTES[suffix], whole, dtype, in_bytes)
    elif suffix in _SUFFIXES:
        value = number * _SUFFIXES[suffix]
    else:
        raise UsageError(
            f"unknown suffix {suffix!r} in {whole!r}; known: k, M, G, ms, KB, KiB, MB, MiB"
        )
    if not math.isfinite(value):
        raise UsageError(f"the bound {text!r} in {whole!r} is not a finite number")
    return value


def _bytes_bound(count: float, whole: str, dtype: str | None, in_bytes: bool) -> float:
    if in_bytes:
        return count
    if dtype is None:
        raise UsageError(
            f"{whole!r} is in bytes, but the cost counts items",
            advice="say how many bytes an item has: --dtype int8, fp16 or fp32",
        )
    if dtype not in DTYPE_BYTES:
        raise UnknownNameError("data type", dtype, DTYPE_BYTES)
    return count / DTYPE_BYTES[dtype]
