"""Laws of a plugin as a whole: (what a fresh process saw, what is offered here, generator)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from attrs import field, frozen

from ofa_plugins_core.testing.laws import Law, demand, effects

Rng = np.random.Generator
Offers = Mapping[str, Sequence[str]]


@frozen
class Seen:
    """What a process of its own saw of a plugin.

    Attributes:
        error: why it took no part there.
        offers: kind -> names.
        heavy: modules that its import and its hooks have loaded, of those that nothing may.
        heavier: the same, for building its supernets.
        printed: what it wrote on stdout.
        before, after: states of the global generators around its import and its hooks.
    """

    error: str | None = None
    offers: Mapping[str, Sequence[str]] = field(factory=dict)
    heavy: Sequence[str] = ()
    heavier: Sequence[str] = ()
    printed: str = ""
    before: dict[str, str] = field(factory=dict)
    after: dict[str, str] = field(factory=dict)


def hooks_are_cheap(seen: Seen, offers: Offers, generator: Rng) -> None:
    """Importing it and asking its hooks loads nothing heavy.

    Import it where it is used, inside the function, not at the module's top.
    """
    demand(not seen.heavy, f"it loads {', '.join(seen.heavy)}, and every command would")


def supernets_are_cheap(seen: Seen, offers: Offers, generator: Rng) -> None:
    """Making its supernets loads nothing heavy: geometry, costs and search need no torch.

    Import it in build(), which makes the network in torch, not where the supernet is made.
    """
    demand(not seen.heavier, f"that loads {', '.join(seen.heavier)}")


def is_the_same_in_every_process(seen: Seen, offers: Offers, generator: Rng) -> None:
    """Another process finds the same offers: jobs that work in parallel ask there again.

    Yield the same records in the same order each time: sort what comes from a set or a folder.
    """
    demand(seen.error is None, f"there it takes no part: {seen.error}")
    here = {kind: list(names) for kind, names in offers.items() if names}
    there = {kind: list(names) for kind, names in seen.offers.items() if names}
    for kind in dict.fromkeys((*here, *there)):
        one, other = here.get(kind, []), there.get(kind, [])
        demand(one == other, f"{kind} are {_listed(one)} here, {_listed(other)} there")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def hooks_have_no_other_randomness(seen: Seen, offers: Offers, generator: Rng) -> None:
    """Importing it and asking its hooks leaves the global generators alone.

    Draw nothing and seed nothing there; where you have to draw, use np.random.default_rng(seed).
    """
    effects.demand_still(seen.before, seen.after)


def hooks_print_nothing(seen: Seen, offers: Offers, generator: Rng) -> None:
    """Importing it and asking its hooks prints nothing: stdout is for results.

    Take out the print, or raise an error where something is wrong.
    """
    demand(not seen.printed, f"it prints {seen.printed!r:.80}")


LAWS: Final[tuple[Law, ...]] = (
    hooks_are_cheap,
    supernets_are_cheap,
    is_the_same_in_every_process,
    hooks_have_no_other_randomness,
    hooks_print_nothing,
)
