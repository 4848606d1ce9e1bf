"""Samplers, each of which breaks one law."""

from __future__ import annotations

import random

import numpy as np

from ofa_plugins_core import SamplerEntry


class Draws:
    """Uniform draws, changed."""

    def __init__(self, supernet, change):
        self.supernet, self.change, self.calls = supernet, change, 0

    def sample(self, n, generator):
        self.calls += 1
        space = self.supernet.space
        return self.change(self, space.canonical(space.sample(n, generator)), generator)


def renames(sampler, rows, generator):
    vars(sampler.supernet)["name"] += "'"
    return rows


def of_its_own(sampler, rows, generator):
    space = sampler.supernet.space
    return space.canonical(space.sample(len(rows), np.random.default_rng(0)))


BROKEN = {
    "draws_what_is_asked": lambda me, rows, generator: rows[1:],
    "none_is_a_number_too": lambda me, rows, generator: rows if len(rows) else rows.ravel(),
    "stays_inside": lambda me, rows, generator: rows + 2,
    "draws_are_canonical": lambda me, rows, g: me.supernet.space.sample(len(rows), g),
    "same_generator_same_draw": lambda me, rows, generator: np.roll(rows, me.calls, axis=0),
    "draws_by_the_generator": of_its_own,
    "no_other_randomness": lambda me, rows, generator: (random.random(), rows)[1],
    "supernet_stays": renames,
}


def ofa_samplers(law, name):
    yield SamplerEntry(name, "breaks a law", lambda s, options: Draws(s, BROKEN[law]))
