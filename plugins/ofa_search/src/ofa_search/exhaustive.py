"""Search by trying every network: for small spaces, such as CompOFA's 1,215 networks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from attrs import field, frozen

from ofa_plugins_core.archive import Archive
from ofa_plugins_core.events import Listener, Progress, silent
from ofa_plugins_core.interfaces import Found, Problem
from ofa_plugins_core.scoring import asks_for_accuracy
from ofa_plugins_core.values import RESOLUTION, Genes, SearchSpace
from ofa_search.exact.pieces import Piece, chain_of
from ofa_search.options import ExhaustiveOptions as ExhaustiveOptions

_CHUNK: Final = 2**14
_WHOLE: Final = 2**24
"""Most combinations of a stage that are written out: a stage is never cut here."""


@frozen
class Exhaustive:
    """Scores every distinct network, whatever the costs and the predictor."""

    options: ExhaustiveOptions = field(factory=ExhaustiveOptions)

    def refuses(self, problem: Problem) -> str | None:
        """Why it cannot take the problem: too many networks, or a stage of too many choices."""
        count = networks(problem.supernet.space)
        if count > self.options.limit:
            return f"{count:,} networks are more than the limit of {self.options.limit:,}"
        if _free_pieces(problem.supernet.space) is None:
            return f"a stage has more than {_WHOLE:,} combinations of options"
        return asks_for_accuracy(problem)

    def search(
        self, problem: Problem, generator: np.random.Generator, listener: Listener = silent
    ) -> Found:
        """Try every network. The generator is not used.

        Raises:
            InfeasibleError: no network meets the constraints.
        """
        archive, total = Archive(problem), networks(problem.supernet.space)
        try:
            for genes in every(problem.supernet.space):
                archive.add(genes)
                listener(Progress("network", archive.evaluations, total, archive.best()))
        except KeyboardInterrupt:
            return archive.found(note=f"interrupted after {archive.evaluations:,} of {total:,}")
        return archive.found(optimal=True)


def networks(space: SearchSpace) -> int:
    """Distinct networks over all resolutions."""
    return space.count() * len(space.resolutions)


def _free_pieces(space: SearchSpace) -> tuple[Piece, ...] | None:
    """Pieces of which any choice goes with any of the others, or None where a stage was cut."""
    pieces = chain_of(space, (), _WHOLE).pieces
    return pieces if all(p.states == (1, 1) for p in pieces) else None


def every(space: SearchSpace) -> Iterator[Genes]:
    """All distinct networks, canonical, in chunks of (n, genes); none of its stages is cut."""
    pieces = _free_pieces(space)
    assert pieces is not None, "choices of a stage cut in two do not combine freely"
    total = networks(space)
    for start in range(0, total, _CHUNK):
        number = np.arange(start, min(start + _CHUNK, total))
        genes = np.zeros((len(number), len(space.genes)), dtype=np.uint8)
        for piece in reversed(pieces):
            number, row = np.divmod(number, len(piece.rows))
            genes[:, list(piece.genes)] = piece.rows[row]
        genes[:, RESOLUTION] = number
        yield genes
