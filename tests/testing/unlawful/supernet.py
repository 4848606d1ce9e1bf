"""Supernets, each of which breaks one law."""

from __future__ import annotations

import random

import numpy as np
from attrs import evolve, fields

from ofa_plugins_core import SupernetEntry
from ofa_plugins_core.testing import toy_supernet
from ofa_plugins_core.values import Arch, SearchSpace

TOY = toy_supernet()


class Supernet:
    """The toy with something of its own."""

    def __init__(self, **attributes):
        vars(self).update(attributes)

    def __getattr__(self, name):
        return getattr(TOY, name)


class WrongCount(SearchSpace):
    def count(self):
        return super().count() + 1


class LossyDecoding(SearchSpace):
    def decode(self, genes):
        return [evolve(arch, image_size=32) for arch in super().decode(genes)]


class RestlessCanonical(SearchSpace):
    def canonical(self, genes):
        out = super().canonical(genes)
        out[:, 1] = 1 - out[:, 1]
        return out


class Permissive(SearchSpace):
    def encode(self, archs):
        try:
            return super().encode(archs)
        except Exception:
            return np.zeros((1, len(self.genes)), dtype=np.uint8)


class StuckArch(Arch):
    """A network that cannot be pickled."""

    def __reduce__(self):
        raise TypeError("it stays where it is")


class Stuck(SearchSpace):
    def decode(self, genes):
        found = super().decode(genes)
        return [StuckArch(*(getattr(a, f.name) for f in fields(Arch))) for a in found]


def space_of(kind, **changes):
    space = evolve(TOY.space, **changes)
    return kind(space.name, space.resolutions, space.genes, space.dimensions)


def geometry_with(change):
    geometry = TOY.geometry()
    return lambda: evolve(geometry, sites=change(geometry.sites))


def without_canonical():
    genes = [evolve(gene, canonical=None) for gene in TOY.space.genes]
    return space_of(SearchSpace, genes=tuple(genes))


def dearer(site):
    """A site whose block is another one at each call: blocks and tables disagree."""
    calls = []

    def block(size, values):
        found = site.block(size, values)
        calls.append(1)
        first = evolve(found.ops[0], channels_out=len(calls))
        return evolve(found, ops=(first, *found.ops[1:]))

    return evolve(site, block=block)


def shuffled():
    random.random()
    return TOY.geometry()


BROKEN = {
    "says_what_it_is": lambda: Supernet(resolutions=(1, 2)),
    "decode_and_encode": lambda: Supernet(space=space_of(LossyDecoding)),
    "canonical_is_settled": lambda: Supernet(space=space_of(RestlessCanonical)),
    "count_is_exact": lambda: Supernet(space=space_of(WrongCount)),
    "distinct_rows_are_distinct_networks": lambda: Supernet(space=without_canonical()),
    "blocks_agree_with_tables": lambda: Supernet(
        geometry=geometry_with(lambda sites: (dearer(sites[0]), *sites[1:]))
    ),
    "ops_fit_together": lambda: Supernet(
        geometry=geometry_with(lambda sites: (sites[0], *sites[2:]))
    ),
    "other_image_sizes": lambda: Supernet(at=lambda resolutions: TOY),
    "as_built_is_settled": lambda: Supernet(as_built=lambda: toy_supernet(stages=3)),
    "priced_as_others": lambda: Supernet(priced_as=lambda other: TOY),
    "foreign_networks_are_refused": lambda: Supernet(space=space_of(Permissive)),
    "networks_travel": lambda: Supernet(space=space_of(Stuck)),
    "no_other_randomness": lambda: Supernet(geometry=shuffled),
}


def ofa_supernets(law, name):
    yield SupernetEntry(name, "breaks a law", lambda: BROKEN[law]())
