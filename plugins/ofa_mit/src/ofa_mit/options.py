"""The options of the published search; alone, so that discovering the plugin loads no searcher."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import and_, ge, le

_SHARE = and_(ge(0.0), le(1.0))


@frozen
class EvolutionOptions:
    """Options of ``evolution``; the defaults are those of OFA and CompOFA (MOOFA: 20 and 20)."""

    population: int = field(
        default=100, validator=ge(1), metadata={"help": "networks a generation"}
    )
    generations: int = field(default=500, validator=ge(1), metadata={"help": "generations"})
    parents: float = field(
        default=0.25,
        validator=_SHARE,
        metadata={"help": "share of the population that has children"},
    )
    mutated: float = field(
        default=0.5,
        validator=_SHARE,
        metadata={"help": "share of the children that are mutations"},
    )
    mutation: float = field(
        default=0.1, validator=_SHARE, metadata={"help": "chance that a gene mutates"}
    )
    resolution_mutation: float = field(
        default=0.5, validator=_SHARE, metadata={"help": "chance that the image size does"}
    )
    tries: int = field(
        default=50,
        validator=ge(1),
        metadata={
            "help": "most draws for a child, or a first network (×100 where tables tell the costs)"
        },
    )
