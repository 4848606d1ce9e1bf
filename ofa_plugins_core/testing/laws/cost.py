"""Laws of costs: (cost model, supernet, generator)."""

from __future__ import annotations

from typing import Final, get_args

import numpy as np

from ofa_plugins_core.errors import OfaError
from ofa_plugins_core.interfaces import CostModel, SeparableCost, Supernet
from ofa_plugins_core.testing.laws import Law, NotApplicableError, demand, effects
from ofa_plugins_core.testing.laws.networks import (
    ODD_SIZES,
    SAMPLE,
    as_dicts,
    drawn,
    outer_form,
    same,
    twins,
)
from ofa_plugins_core.testing.laws.tables import sound_tables
from ofa_plugins_core.values import Genes, Kind

Rng = np.random.Generator


def says_what_it_is(cost: CostModel, supernet: Supernet, generator: Rng) -> None:
    """It states a name, a unit and how its numbers are had.

    Give it a name and a unit that are not empty, and a kind that its number really has.
    """
    for attribute in ("name", "unit"):
        value = getattr(cost, attribute)
        demand(isinstance(value, str) and value.strip(), f"{attribute} is {value!r}")
    demand(cost.kind in get_args(Kind), f"kind {cost.kind!r} is none of {get_args(Kind)}")


def batch_equals_single(cost: CostModel, supernet: Supernet, generator: Rng) -> None:
    """A batch, single networks, exchange dicts and Archs give the same numbers.

    Price each network by itself, and bring dicts, Archs and arrays into one form by
    ofa_plugins_core.pricing.encoded.
    """
    outer_form(cost.evaluate, supernet.space, drawn(supernet.space, generator))


def numbers_are_finite(cost: CostModel, supernet: Supernet, generator: Rng) -> None:
    """Every cost is a finite number that is not negative.

    Look for a division by zero, a logarithm of zero, or an entry that a table does not have.
    """
    values = cost.evaluate(drawn(supernet.space, generator))
    demand(np.isfinite(values).all(), f"not finite: {values[~np.isfinite(values)][:3]}")
    demand((values >= 0).all(), f"negative: {values[values < 0][:3]}")


def equal_networks_cost_the_same(cost: CostModel, supernet: Supernet, generator: Rng) -> None:
    """What an unused slot holds costs nothing.

    Bring rows into canonical form first (space.canonical), or price the geometry's blocks, which
    are the used ones.
    """
    rows, canonical = twins(supernet, generator)
    dicts = as_dicts(supernet.space, canonical)
    same(cost.evaluate(rows), cost.evaluate(canonical), "as drawn against canonical", dicts)


def any_image_size(cost: CostModel, supernet: Supernet, generator: Rng) -> None:
    """Exchange dicts of any image size from 32 pixels up are priced, also mixed ones.

    Take the image size from each network, as ofa_plugins_core.pricing.encoded does, not from the
    supernet.
    """
    if cost.kind != "computed":
        raise NotApplicableError(f"a {cost.kind} cost knows the image sizes that it knows")
    rows = drawn(supernet.space, generator)
    apart = [cost.evaluate(as_dicts(supernet.space, rows, size)) for size in ODD_SIZES]
    mixed = [d for size in ODD_SIZES for d in as_dicts(supernet.space, rows, size)]
    same(cost.evaluate(mixed), np.concatenate(apart), "sizes mixed against each by itself", mixed)


def asks_nothing_twice(cost: CostModel, supernet: Supernet, generator: Rng) -> None:
    """The same networks cost the same again, in any order.

    Keep no state between calls, and let nothing depend on a row's place; where you draw, make the
    generator anew from a fixed seed.
    """
    rows = drawn(supernet.space, generator)
    # copies: what writes into them is another law's
    first, dicts = cost.evaluate(rows.copy()), as_dicts(supernet.space, rows)
    order = generator.permutation(len(rows))
    same(cost.evaluate(rows.copy()), first, "a second time", dicts)
    same(cost.evaluate(rows[order]), first[order], "another order", [dicts[i] for i in order])


def input_is_left_alone(cost: CostModel, supernet: Supernet, generator: Rng) -> None:
    """Neither the encoded array nor the dicts are changed.

    Write into a copy (genes.copy(), dict(arch)), never into what you were given.
    """
    rows = supernet.space.sample(SAMPLE, generator)
    before, dicts = rows.copy(), as_dicts(supernet.space, rows)
    cost.evaluate(rows)
    demand(np.array_equal(rows, before), "evaluate changed the encoded array")
    cost.evaluate(dicts)
    demand(dicts == as_dicts(supernet.space, before), "evaluate changed the exchange dicts")


def foreign_networks_are_refused(cost: CostModel, supernet: Supernet, generator: Rng) -> None:
    """A dict that is not of the space ends with an OfaError, not with a number.

    Encode dicts by ofa_plugins_core.pricing.encoded, which refuses them, or raise UsageError.
    """
    for wrong in ({}, {"image_size": 224}, {"ks": [3], "e": [1], "d": [1], "image_size": "big"}):
        try:
            found = cost.evaluate([wrong])
        except OfaError:
            continue
        demand(False, f"{wrong} was given the cost {found}")


def used(cost: CostModel, supernet: Supernet, generator: Rng) -> None:
    """As jobs use it."""
    rows = drawn(supernet.space, generator)
    cost.evaluate(rows)
    cost.evaluate(as_dicts(supernet.space, rows))
    if isinstance(cost, SeparableCost):
        cost.separable(supernet.resolutions[0])


no_other_randomness = effects.no_other_randomness(used)
supernet_stays = effects.supernet_stays(used)


def tables_are_sound(cost: CostModel, supernet: Supernet, generator: Rng) -> None:
    """The tables of a separable cost fit the space and its chain.

    Let each factor depend on genes of one group or of two neighbours, and make the tables anew for
    each image size.
    """
    for size in supernet.resolutions:
        sound_tables(_separable(cost).separable(size), supernet.space)


def tables_equal_evaluate(cost: CostModel, supernet: Supernet, generator: Rng) -> None:
    """The tables of a separable cost give the numbers of ``evaluate``; whole ones stay whole.

    Let evaluate add up what separable's tables hold, as BlockCostModel does, and keep whole numbers
    whole.
    """
    rows = drawn(supernet.space, generator, 2 * SAMPLE)
    demand_tables_equal(cost, supernet, rows)


def demand_tables_equal(cost: CostModel, supernet: Supernet, rows: Genes) -> None:
    """Demand that tables and ``evaluate`` agree on given networks."""
    separable = _separable(cost)
    for index, size in enumerate(supernet.resolutions):
        at_size = rows.copy()
        at_size[:, 0] = index
        by_tables, found = separable.separable(size).evaluate(at_size), cost.evaluate(at_size)
        dicts = as_dicts(supernet.space, at_size)
        same(found, by_tables, f"evaluate against tables at {size}", dicts)
        if by_tables.dtype.kind in "iu":
            demand(found.dtype.kind in "iu", f"whole tables, but evaluate gives {found.dtype}")


def _separable(cost: CostModel) -> SeparableCost:
    if not isinstance(cost, SeparableCost):
        raise NotApplicableError("it is not separable")
    return cost


LAWS: Final[tuple[Law, ...]] = (
    supernet_stays,  # first: what is changed once looks unchanged after that
    asks_nothing_twice,  # next: others compare two calls, too
    says_what_it_is,
    batch_equals_single,
    numbers_are_finite,
    equal_networks_cost_the_same,
    any_image_size,
    input_is_left_alone,
    foreign_networks_are_refused,
    no_other_randomness,
    tables_are_sound,
    tables_equal_evaluate,
)
