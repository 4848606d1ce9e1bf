"""Which tables share their genes: small tables are added into larger ones that contain them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from attrs import frozen

from ofa_plugins_core.separable import Factor, Separable, Table, aligned
from ofa_search.exact.elimination import Scope


@frozen
class Scopes:
    """The largest scopes of some tables, and where each of the others goes.

    Attributes:
        wide: scopes that no other contains.
        host: scope of a table -> number of the wide scope that takes it.
    """

    wide: tuple[Scope, ...]
    host: dict[Scope, int]

    def gather(
        self, quantity: Separable, join: np.ufunc, start: Sequence[Table | None]
    ) -> list[Any]:
        """For each wide scope the joined tables of the quantity; ``start`` where it has none."""
        joined = list(start)
        for factor in quantity.factors:
            number = self.host[factor.genes]
            term = self._aligned(factor, self.wide[number])
            held = joined[number]
            joined[number] = term if held is None else join(held, term)
        return joined

    def _aligned(self, factor: Factor, scope: Scope) -> Table:
        return factor.table if factor.genes == scope else aligned(factor, scope)


@lru_cache(maxsize=64)
def hosts(scopes: tuple[Scope, ...]) -> Scopes:
    """Find the wide scopes, in the order of first appearance, and the host of every scope."""
    wide: list[Scope] = []
    for scope in sorted(set(scopes), key=len, reverse=True):
        if not any(set(scope) <= set(w) for w in wide):
            wide.append(scope)
    ordered = sorted(wide) or [()]
    host = {s: next(i for i, w in enumerate(ordered) if set(s) <= set(w)) for s in set(scopes)}
    return Scopes(tuple(ordered), host)
