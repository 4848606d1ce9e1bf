"""The options of the searchers; alone, so that discovering the plugin loads no searcher."""

from __future__ import annotations

from typing import Final

from attrs import field, frozen
from attrs.validators import ge

PIECE: Final = 2**15
"""Most combinations of genes that are written out for one piece."""


@frozen
class ExactOptions:
    """Options of ``exact``."""

    piece: int = field(
        default=PIECE,
        validator=ge(1),
        metadata={"help": "most combinations of a stage written out at once; larger ones are cut"},
    )


@frozen
class ExhaustiveOptions:
    """Options of ``exhaustive``."""

    limit: int = field(
        default=2_000_000, validator=ge(1), metadata={"help": "refuse spaces with more networks"}
    )


@frozen
class Nsga2Options:
    """Options of ``nsga2``."""

    population: int = field(
        default=100, validator=ge(1), metadata={"help": "networks a generation"}
    )
    generations: int = field(default=100, validator=ge(1), metadata={"help": "generations"})
