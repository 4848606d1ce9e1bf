"""Options of ``ofa run label`` and of the latency predictors; alone: listing loads nothing else."""

from __future__ import annotations

from typing import Final, Literal

from attrs import field, frozen
from attrs.validators import and_, ge, gt, lt, optional

from ofa_plugins_core.jobs.options import PricedOptions
from ofa_plugins_core.jobs.torch_options import said

FEATURES: Final = ("counts", "places")


@frozen(kw_only=True, slots=False)
class LabelOptions(PricedOptions):
    """Options of ``ofa run label``: networks, and where their latencies come from."""

    n: int = field(
        default=600, validator=ge(1), metadata=said("how many distinct ones", unit="networks")
    )
    sampler: str = field(
        default="uniform", metadata=said("how they are drawn; see: ofa list samplers")
    )
    resolutions: tuple[int, ...] | None = field(
        default=None,
        metadata=said("image sizes; default: the supernet's that have a latency", metavar="LIST"),
    )
    name: str | None = field(
        default=None,
        metadata=said("what to call the device; default: the table's or the device's name"),
    )


@frozen
class SequenceOptions:
    """Options of the latency predictor ``sequence``; the defaults are the paper's."""

    epochs: int = field(default=200, validator=ge(1), metadata=said("passes over the data"))
    batch: int = field(default=16, validator=ge(1), metadata=said("networks a step"))
    rate: float = field(default=1e-3, validator=gt(0), metadata=said("of learning, by Adam"))
    clip: float = field(
        default=5.0, validator=gt(0), metadata=said("greatest norm of a step's gradient")
    )
    embedding: int = field(
        default=112, validator=ge(1), metadata=said("numbers that stand for an op")
    )
    shape: int = field(
        default=16, validator=ge(1), metadata=said("numbers that stand for its six sizes")
    )
    hidden: int = field(
        default=512, validator=ge(1), metadata=said("of the recurrent unit, each way")
    )
    dropout: float = field(
        default=0.1,
        validator=and_(ge(0), lt(1)),
        metadata=said("before the last layer; the paper does not say how much"),
    )
    threads: int | None = field(
        default=None, validator=optional(ge(1)), metadata=said("of torch; default: its own")
    )


@frozen
class LinearOptions:
    """Options of the latency predictor ``linear``."""

    by: Literal["counts", "places"] | None = field(
        default=None,
        metadata=said("ops counted a unit, or told place by place; default: the dev networks'"),
    )
    strength: float | None = field(
        default=None,
        validator=optional(gt(0)),
        metadata=said("of the penalty on weights; default: the dev networks' choice"),
    )


@frozen
class BoostingOptions:
    """Options of the latency predictor ``boosting``.

    Tried on networks of the Note10 table, held out: 600 at one image size, and 900 of all sizes.
    The defaults came to 1.07 and 3.44 %; depth 3 at 0.05 with 600 trees to 3.72 and 3.91; depth 1
    at 0.5 to 0.90 and 3.51; depth 2 at 0.1 to 2.51 and 2.90. None is best at both.
    """

    trees: int = field(
        default=2000, validator=ge(1), metadata=said("at most; the dev networks choose how many")
    )
    depth: int = field(default=1, validator=ge(1), metadata=said("of a tree"))
    rate: float = field(default=0.3, validator=gt(0), metadata=said("of learning"))
