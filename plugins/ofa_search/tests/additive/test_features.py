"""A feature is a bit: the slot is used, and its choice is at least a value."""

from __future__ import annotations

import numpy as np
import pytest

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.separable import Separable
from ofa_search.additive.features import Feature, design, factors, features_of, indicator


def bits(space, features, archs):
    return design([indicator(space, f) for f in features], space.encode(archs)).tolist()


def arch(ks, d, size=64):
    return {"ks": ks, "d": d, "image_size": size}


def test_every_choice_has_a_bit_for_each_value_above_its_smallest(toy):
    found = features_of(toy.space)
    assert len(found) == 9 * 2 + 3
    assert Feature("ks", 0, 5.0) in found
    assert Feature("d", 2, 3.0) in found


def test_bits_are_a_thermometer(toy):
    features = (Feature("ks", 0, 5.0), Feature("ks", 0, 7.0))
    archs = [arch([k] + [3] * 8, [2, 2, 2]) for k in (3, 5, 7)]
    assert bits(toy.space, features, archs) == [[0, 0], [1, 0], [1, 1]]


def test_an_unused_slot_sets_no_bit(toy):
    feature = (Feature("ks", 2, 5.0),)
    shallow, deep = arch([7] * 9, [2, 2, 2]), arch([7] * 9, [3, 2, 2])
    assert bits(toy.space, feature, [shallow, deep]) == [[0], [1]]


def test_a_value_that_follows_from_another_gene_sets_the_same_bits(toy, fixed_kernel_toy):
    features = features_of(toy.space)
    free, fixed = arch([5] * 9, [3, 2, 3]), arch(None, [3, 2, 3])
    assert bits(toy.space, features, [free]) == bits(fixed_kernel_toy.space, features, [fixed])


def test_a_slot_that_the_space_does_not_have_is_named(toy):
    with pytest.raises(UsageError, match=r"toy has no e\[4\]"):
        indicator(toy.space, Feature("e", 4, 3.0))


def test_factors_add_up_to_the_weighted_bits(toy):
    features = features_of(toy.space)
    indicators = [indicator(toy.space, f) for f in features]
    weights = np.random.default_rng(0).normal(size=len(features))
    genes = toy.space.sample(200, np.random.default_rng(1))
    summed = Separable("sum", factors(features, indicators, weights)).evaluate(genes)
    assert np.allclose(summed, design(indicators, genes) @ weights)
