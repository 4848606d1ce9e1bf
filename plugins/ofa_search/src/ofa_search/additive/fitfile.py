"""A fit as a small JSON file: coefficients, what they are worth, where they come from.

It holds nothing of the records themselves but counts: how many lie under a computed cost.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from attrs import asdict, field, frozen
from numpy.typing import NDArray

from ofa_plugins_core.errors import InputError
from ofa_plugins_core.measured import Label, Quality
from ofa_search.additive.features import Feature
from ofa_search.additive.values import Floats, Settings

FORMAT: Final = "ofa additive predictor, 1"
_JUDGED: Final = ("networks", "tau", "rmse", "coverage", "bias")


@frozen(eq=False)
class Counts:
    """How many records lie at or under some values of a cost.

    Attributes:
        values: increasing.
        under: for each value, the records at or under it.
    """

    values: NDArray[np.float64]
    under: NDArray[np.int64]

    @classmethod
    def of(cls, costs: NDArray[Any], most: int = 128) -> Counts:
        """Count every distinct value; thinned evenly where there are more than ``most``."""
        values, counts = np.unique(costs, return_counts=True)
        under = np.cumsum(counts)
        if len(values) > most:
            kept = np.unique(np.linspace(0, len(values) - 1, most).round().astype(int))
            values, under = values[kept], under[kept]
        return cls(values.astype(float), under)

    def at_most(self, bound: float) -> int:
        """Records at or under a bound; where the values were thinned, a lower estimate."""
        index = int(np.searchsorted(self.values, bound, side="right"))
        return int(self.under[index - 1]) if index else 0


@frozen(eq=False)
class SizeFit:
    """The fit at one image size.

    Attributes:
        image_size: pixels.
        records: how many it was fitted on.
        ceiling, base: percent, and z of the network without any bit.
        half_width: of the 80 % interval, points.
        best: best prediction for a measured network, percent.
        weights: (F,), one a feature.
        counts: computed cost -> counts of records.
    """

    image_size: int
    records: int
    ceiling: float
    base: float
    half_width: float
    best: float
    weights: Floats
    counts: Mapping[str, Counts] = field(factory=dict)


@frozen(eq=False)
class AdditiveFit:
    """All that the predictor needs, and what a reader should know.

    Attributes:
        supernet, dataset: what it was fitted for.
        labels: whether the accuracies were measured, or predicted by another predictor.
        origin: where they come from.
        command: makes the file again.
        settings: chosen on the records.
        held_out: on a fifth that the fit and the choice did not see.
        tail: of the tail test.
        features: the bits, in the order of the weights.
        sizes: one an image size, increasing.
    """

    supernet: str
    dataset: str
    labels: Label
    origin: str
    command: str
    settings: Settings
    held_out: Quality
    tail: Quality
    features: tuple[Feature, ...]
    sizes: tuple[SizeFit, ...]

    @property
    def records(self) -> int:
        """Networks that it was fitted on."""
        return sum(s.records for s in self.sizes)


def dumps(fit: AdditiveFit) -> str:
    """The file's text: one line a field, numbers with six digits."""
    found: dict[str, Any] = {
        "format": FORMAT,
        "supernet": fit.supernet,
        "dataset": fit.dataset,
        "labels": fit.labels,
        "origin": fit.origin,
        "command": fit.command,
        "records": fit.records,
        "settings": asdict(fit.settings),
        "held_out": _quality_dict(fit.held_out),
        "tail": _quality_dict(fit.tail),
        "features": [[f.key, f.slot, f.at_least] for f in fit.features],
    }
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in found.items()]
    sizes = ",\n".join(json.dumps(_rounded(_size_dict(s))) for s in fit.sizes)
    return "{\n" + ",\n".join(lines) + f',\n"sizes": [\n{sizes}\n]\n}}\n'


def _quality_dict(found: Quality) -> dict[str, Any]:
    judged: dict[str, Any] = _rounded({key: getattr(found, key) for key in _JUDGED})
    return judged


def _size_dict(size: SizeFit) -> dict[str, Any]:
    found = asdict(size, recurse=False)
    found["weights"] = size.weights.tolist()
    found["counts"] = {
        name: [[int(v) if v.is_integer() else v for v in c.values.tolist()], c.under.tolist()]
        for name, c in size.counts.items()
    }
    return found


def _rounded(value: Any) -> Any:
    """Floats with six digits; counts and their costs stay exact."""
    if isinstance(value, dict):
        return {k: v if k == "counts" else _rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


class _BrokenError(ValueError):
    """What is wrong with a file."""


def loads(content: bytes | str, name: str) -> AdditiveFit:
    """Read a fit.

    Args:
        content: of the file.
        name: of the file, for the message.

    Raises:
        InputError: it is not such a file, or a number in it makes no sense.
    """
    try:
        found = json.loads(content)
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise _BrokenError(f'expected "format": "{FORMAT}"')
        return _fit(found)
    except KeyError as error:
        reason = f"the key {error} is missing"
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        reason = str(error)
    raise InputError(
        f"{name} is not a fit of the additive predictor: {reason}",
        advice="make one with: ofa run fit --supernet NAME --data FILE",
    )


def _fit(found: dict[str, Any]) -> AdditiveFit:
    features = tuple(Feature(str(k), _count(s), _finite(v)) for k, s, v in found["features"])
    if not found["sizes"]:
        raise _BrokenError("it has no image size")
    sizes = tuple(_size(s, len(features)) for s in found["sizes"])
    order = [s.image_size for s in sizes]
    if order != sorted(set(order)):
        raise _BrokenError(f"its image sizes are not increasing: {order}")
    if found["labels"] not in ("measured", "predicted"):
        raise _BrokenError(f"labels must be measured or predicted, found {found['labels']!r:.40}")
    texts = (str(found[k]) for k in ("supernet", "dataset", "labels", "origin", "command"))
    supernet, dataset, labels, origin, command = texts
    return AdditiveFit(
        supernet,
        dataset,
        "measured" if labels == "measured" else "predicted",
        origin,
        command,
        Settings(*(_finite(found["settings"][k]) for k in ("delta", "ridge", "tie"))),
        _quality(found["held_out"]),
        _quality(found["tail"]),
        features,
        sizes,
    )


def _quality(found: dict[str, Any]) -> Quality:
    numbers = [_finite(found[k]) for k in ("tau", "rmse", "coverage", "bias")]
    return Quality(_count(found["networks"]), *numbers)


def _size(found: dict[str, Any], features: int) -> SizeFit:
    image_size, weights = _count(found["image_size"]), _numbers(found["weights"])
    if image_size < 32:
        raise _BrokenError(f"image_size {image_size} is below 32")
    if len(weights) != features:
        raise _BrokenError(f"{len(weights)} weights for {features} features at {image_size}")
    ceiling, base, width, best = (
        _finite(found[k]) for k in ("ceiling", "base", "half_width", "best")
    )
    if not 0 < ceiling <= 100 or width < 0:
        raise _BrokenError(f"ceiling {ceiling} or half_width {width} makes no sense")
    counts = {str(k): _counts(v) for k, v in found["counts"].items()}
    return SizeFit(
        image_size, _count(found["records"]), ceiling, base, width, best, weights, counts
    )


def _counts(found: Sequence[Any]) -> Counts:
    values, under = (_numbers(v) for v in found)
    if len(values) != len(under) or (np.diff(values) <= 0).any() or (np.diff(under) < 0).any():
        raise _BrokenError("its counts of records are not increasing")
    return Counts(values, under.astype(np.int64))


def _numbers(found: Any) -> Floats:
    values = np.array(found, dtype=float)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise _BrokenError("a list of numbers has something else in it")
    return values


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _BrokenError(f"expected a number, found {value!r:.40}")
    return float(value)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _BrokenError(f"expected a whole number, found {value!r:.40}")
    return value
