"""Laws of accuracy predictors: (predictor, supernet, generator)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ofa_plugins_core.interfaces import Predictor, SeparablePredictor, Supernet
from ofa_plugins_core.testing.laws import Law, NotApplicableError, demand, effects
from ofa_plugins_core.testing.laws.networks import (
    SAMPLE,
    as_dicts,
    drawn,
    outer_form,
    same,
    twins,
)
from ofa_plugins_core.testing.laws.tables import sound_tables
from ofa_plugins_core.values import Genes

Rng = np.random.Generator
PARTS: Final = ("value", "low", "high", "extrapolated")


def says_what_it_is(predictor: Predictor, supernet: Supernet, generator: Rng) -> None:
    """It states its name, what it was fitted on, and at which image sizes.

    Give it a name, a source (the data that it was fitted on), and resolutions that increase.
    """
    for attribute in ("name", "source"):
        value = getattr(predictor, attribute)
        demand(isinstance(value, str) and value.strip(), f"{attribute} is {value!r}")
    sizes = tuple(predictor.resolutions)
    demand(sizes == tuple(sorted(set(sizes))), f"resolutions {sizes} do not increase")


def batch_equals_single(predictor: Predictor, supernet: Supernet, generator: Rng) -> None:
    """A batch, single networks, exchange dicts and Archs give the same predictions.

    Predict each network by itself, and bring dicts, Archs and arrays into one form by
    ofa_plugins_core.pricing.encoded.
    """
    rows = drawn(supernet.space, generator)
    for part in PARTS:
        outer_form(_part(predictor, part), supernet.space, rows)


def _part(predictor: Predictor, name: str) -> Callable[[Any], NDArray[Any]]:
    def evaluate(archs: Any) -> NDArray[Any]:
        found: NDArray[Any] = getattr(predictor.predict(archs), name)
        return found

    return evaluate


def interval_holds_the_value(predictor: Predictor, supernet: Supernet, generator: Rng) -> None:
    """low <= value <= high, all percent.

    Keep low <= value <= high and high <= 100, all finite, and make extrapolated an array of bool.
    """
    p = predictor.predict(drawn(supernet.space, generator))
    demand((p.low <= p.value).all(), f"low above the value: {_where(p.low > p.value, p)}")
    demand((p.value <= p.high).all(), f"high below the value: {_where(p.high < p.value, p)}")
    for part in ("value", "high"):
        values = getattr(p, part)
        demand(np.isfinite(values).all(), f"{part} is not finite")
        demand((values <= 100).all(), f"{part} of {values.max()} is above 100 percent")
    demand(p.extrapolated.dtype == bool, f"extrapolated is {p.extrapolated.dtype}, not bool")


def _where(wrong: NDArray[np.bool_], p: Any) -> str:
    row = int(np.flatnonzero(wrong)[0]) if wrong.any() else 0
    return f"number {row}: {p.low[row]}, {p.value[row]}, {p.high[row]}"


def equal_networks_predict_the_same(
    predictor: Predictor, supernet: Supernet, generator: Rng
) -> None:
    """What an unused slot holds changes nothing.

    Bring rows into canonical form first (space.canonical).
    """
    rows, canonical = twins(supernet, generator)
    found, expected = predictor.predict(rows), predictor.predict(canonical)
    for part in PARTS:
        what, dicts = f"{part}, as drawn against canonical", as_dicts(supernet.space, canonical)
        same(getattr(found, part), getattr(expected, part), what, dicts)


def asks_nothing_twice(predictor: Predictor, supernet: Supernet, generator: Rng) -> None:
    """The same networks are predicted the same again, and their array is left alone.

    Keep no state between calls, draw nothing, and write into a copy of what you are given.
    """
    rows = drawn(supernet.space, generator)
    before = rows.copy()
    first = predictor.predict(rows)
    demand(np.array_equal(rows, before), "predict changed the encoded array")
    again = predictor.predict(rows).value
    same(again, first.value, "a second time", as_dicts(supernet.space, rows))


def used(predictor: Predictor, supernet: Supernet, generator: Rng) -> None:
    """As jobs use it."""
    rows = drawn(supernet.space, generator)
    predictor.predict(rows)
    predictor.predict(as_dicts(supernet.space, rows))


no_other_randomness = effects.no_other_randomness(used)
supernet_stays = effects.supernet_stays(used)


def fitted_sizes_are_not_extrapolated(
    predictor: Predictor, supernet: Supernet, generator: Rng
) -> None:
    """Extrapolation as a whole is marked throughout; at fitted image sizes not all is marked.

    Set resolutions to the image sizes of the fit and mark only networks beyond them; where there
    are none, mark all.
    """
    if not predictor.resolutions:
        marked = predictor.predict(drawn(supernet.space, generator)).extrapolated
        demand(marked.all(), "fitted on no image size, but not marked as extrapolation throughout")
        return
    fitted = supernet.at(predictor.resolutions)
    marked = predictor.predict(fitted.space.decode(drawn(fitted.space, generator))).extrapolated
    demand(not marked.all(), "all is marked as extrapolation at the image sizes it was fitted on")


def tables_equal_predict(predictor: Predictor, supernet: Supernet, generator: Rng) -> None:
    """The link of a separable predictor's tables gives the values of ``predict``.

    Let predict be the link of what separable's tables sum up to.
    """
    demand_tables_equal(predictor, supernet, drawn(supernet.space, generator, 2 * SAMPLE))


def demand_tables_equal(predictor: Predictor, supernet: Supernet, rows: Genes) -> None:
    """Demand that tables under the link and ``predict`` agree on given networks."""
    separable = _separable(predictor)
    for index, size in enumerate(supernet.resolutions):
        at_size = rows.copy()
        at_size[:, 0] = index
        tables = separable.separable(size)
        sound_tables(tables, supernet.space)
        demand(tables.reduce == "sum", f"a score is a sum, not a {tables.reduce}")
        by_tables = separable.link(size).forward(tables.evaluate(at_size))
        found, dicts = predictor.predict(at_size).value, as_dicts(supernet.space, at_size)
        same(found, by_tables, f"predict against tables at {size}", dicts)


def link_goes_there_and_back(predictor: Predictor, supernet: Supernet, generator: Rng) -> None:
    """The link increases, and its inverse gives the score back; inf where nothing reaches.

    Give a link that increases, its true inverse, and inf where no score reaches the accuracy.
    """
    separable = _separable(predictor)
    rows = drawn(supernet.space, generator)
    for size in supernet.resolutions:
        link = separable.link(size)
        scores = np.unique(separable.separable(size).evaluate(rows).astype(float))
        accuracies = link.forward(scores)
        demand((np.diff(accuracies) >= 0).all(), f"the link falls somewhere at {size}")
        for score, accuracy in zip(scores, accuracies, strict=True):
            back = link.inverse(float(accuracy))
            reached = float(link.forward(np.array([back]))[0])
            demand(
                abs(reached - accuracy) < 1e-6,
                f"score {score} gives {accuracy}, whose inverse {back} gives {reached}",
            )
        demand(link.inverse(1000.0) == np.inf, "1,000 percent must need a score of inf")


def _separable(predictor: Predictor) -> SeparablePredictor:
    if not isinstance(predictor, SeparablePredictor):
        raise NotApplicableError("it is not separable")
    return predictor


LAWS: Final[tuple[Law, ...]] = (
    supernet_stays,  # first: what is changed once looks unchanged after that
    asks_nothing_twice,  # next: others compare two calls, too
    says_what_it_is,
    batch_equals_single,
    interval_holds_the_value,
    equal_networks_predict_the_same,
    no_other_randomness,
    fitted_sizes_are_not_extrapolated,
    tables_equal_predict,
    link_goes_there_and_back,
)
