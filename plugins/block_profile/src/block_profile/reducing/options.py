"""The options of reduce, contest and the mutation by unit; alone, so that listing loads nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

from attrs import field, frozen
from attrs.validators import and_, ge, le, optional

from ofa_plugins_core.jobs.options import PredictedOptions, PricedOptions

SHORTEN: Final = 0.5
MARGIN: Final = 1.0
CHANGEABLE: Final = ("repeats", "reference")
"""What --resume of a contest may change: it changes no search."""


def _said(text: str, **more: Any) -> dict[str, Any]:
    return {"help": text, **more}


@frozen(kw_only=True, slots=False)
class ReduceOptions(PredictedOptions):
    """Options of ``ofa run reduce``; predictor and tables say what both spaces reach."""

    profile: Path = field(metadata=_said("the folder of `ofa run profile`", metavar="FOLDER"))
    supernet: str | None = field(
        default=None,
        metadata=_said("name, alias or YAML file; default: the profile's", metavar="NAME"),
    )
    rule: Literal["dominated", "accurate"] = field(
        default="dominated",
        metadata=_said(
            "drop options that another beats in accuracy and cost; or those less accurate than "
            "the mean"
        ),
    )
    cost: tuple[str, ...] = field(
        default=(),
        metadata=_said(
            "a cost of the profile; repeatable; default: its only one",
            metavar="NAME",
            example="peak_memory",
        ),
    )
    lut: tuple[str, ...] = field(
        default=(),
        metadata=_said(
            "tables of a latency, to tell the least before and after; repeatable",
            metavar="FOLDER|NAME=FOLDER",
        ),
    )
    by: Literal["place", "option"] = field(
        default="place",
        metadata=_said("judge options at each unit and layer, or by their means over all places"),
    )
    margin: float = field(
        default=MARGIN,
        validator=ge(0.0),
        metadata=_said("standard errors by which an option must be worse, where a mean is sampled"),
    )
    drop: int | None = field(
        default=None,
        validator=optional(ge(1)),
        metadata=_said("with --rule accurate: drop so many, the least accurate ones"),
    )
    shorten: float = field(
        default=SHORTEN,
        validator=ge(0.0),
        metadata=_said(
            "with --rule dominated: a unit loses its last depth if that gains, per cost, less than "
            "this share of the units' median; 0: never"
        ),
    )
    name: str | None = field(
        default=None, metadata=_said("of the smaller space; default: the rule's", metavar="WORD")
    )
    random_control: bool = field(
        default=False, metadata=_said("also a random space of the same size, control.yaml")
    )
    install: bool = field(
        default=False,
        metadata=_said("keep it in your own folder: --supernet SUPERNET+NAME works from then on"),
    )


@frozen(kw_only=True, slots=False)
class ContestOptions(PredictedOptions, PricedOptions):
    """Options of ``ofa run contest``; its supernet is a smaller space."""

    goal: Literal["pareto", "accuracy"] | None = field(
        default=None,
        metadata=_said(
            "search fronts and compare their hypervolumes, or the most accurate network; default: "
            "pareto with --cost, accuracy without"
        ),
    )
    repeats: int = field(
        default=20,
        validator=and_(ge(2), le(1000)),
        metadata=_said("searches in each space, each with its own seed"),
    )
    searcher: str = field(default="unit_mutation", metadata=_said("what searches", metavar="NAME"))
    control: str | None = field(
        default=None,
        metadata=_said(
            "the random space; default: a new one of the same size for each repeat",
            metavar="NAME|FILE",
        ),
    )
    constraint: tuple[str, ...] = field(
        default=(),
        metadata=_said(
            "with --goal accuracy: a bound on a cost; repeatable",
            metavar="BOUND",
            example="'latency<=30'",
        ),
    )
    resolutions: tuple[int, ...] | Literal["all"] | None = field(
        default=None,
        metadata=_said(
            "image sizes; default: those on which the predictor was fitted", metavar="LIST|all"
        ),
    )
    reference: tuple[float, ...] = field(
        default=(),
        metadata=_said(
            "the hypervolume's reference point; default: the worst of all fronts",
            metavar="ACCURACY,COST",
        ),
    )


@frozen
class MutationOptions:
    """Options of ``unit_mutation``; the defaults of a front, and of one best network, differ."""

    first: int | None = field(
        default=None,
        validator=optional(ge(1)),
        metadata={"help": "random networks at first; default: 100 for a front, 20 for the best"},
    )
    rounds: int | None = field(
        default=None,
        validator=optional(ge(0)),
        metadata={"help": "rounds of mutation; default: 10 for a front, 4 for the best"},
    )
    children: int | None = field(
        default=None,
        validator=optional(ge(1)),
        metadata={"help": "networks a round; default: 200 for a front, 50 for the best"},
    )
    parents: int = field(
        default=10,
        validator=ge(1),
        metadata={"help": "so many of the best have children; of a front all have"},
    )
    chance: float = field(
        default=0.5,
        validator=and_(ge(0.0), le(1.0)),
        metadata={"help": "that a unit, or the image size, is mutated"},
    )
    tries: int = field(
        default=50,
        validator=ge(1),
        metadata={"help": "most draws for a network that meets the bounds"},
    )
