"""What nothing may change on the side: the global generators, and the supernet that it is given."""

from __future__ import annotations

import hashlib
import pickle
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.testing.laws import Law, LawBrokenError, demand

T = TypeVar("T")
FINGERPRINTED = 4
"""Networks whose blocks are looked at before and after."""


def states() -> dict[str, str]:
    """Name -> state of every global generator that is loaded, shortened to compare it."""
    found: dict[str, Any] = {"Python's random": random.getstate(), "numpy's": np.random.get_state()}
    torch = sys.modules.get("torch")
    if torch is not None:
        found["torch's"] = torch.random.get_rng_state().numpy().tobytes()
    return {name: hashlib.sha256(pickle.dumps(state)).hexdigest() for name, state in found.items()}


class GeneratorMovedError(LawBrokenError):
    """A global generator is in another state."""


def quietly(call: Callable[[], T]) -> T:
    """What a call gives; no global generator may move meanwhile.

    A library that is imported for the first time may draw a name for a file: what moves one is
    called again, and has broken the law if it does so every time.

    Raises:
        GeneratorMovedError: one moved.
    """
    try:
        with _generators_stay():
            return call()
    except GeneratorMovedError:
        with _generators_stay():
            return call()


@contextmanager
def _generators_stay() -> Iterator[None]:
    """Demand that no global generator moves meanwhile; afterwards they are as they were found.

    Each is moved on before: one that is seeded alike every time does not look untouched.
    """
    torch = sys.modules.get("torch")
    found = random.getstate(), np.random.get_state(), torch and torch.random.get_rng_state()
    random.random()
    np.random.random()
    if torch is not None:
        torch.rand(1)
    before = states()
    try:
        yield
        demand_still(before, states())
    finally:
        random.setstate(found[0])
        np.random.set_state(found[1])
        if torch is not None:
            torch.random.set_rng_state(found[2])


def demand_still(before: dict[str, str], after: dict[str, str]) -> None:
    """Demand that each generator that was there before is in the same state."""
    moved = [name for name, state in before.items() if after.get(name) != state]
    if moved:
        raise GeneratorMovedError(f"the state of the global generator moved: {', '.join(moved)}")


def no_other_randomness(use: Law) -> Law:
    """The law that a use takes nothing from global generators, and does not seed them.

    Args:
        use: does with a subject what its users do.
    """

    def no_other_randomness(subject: Any, ground: Any, generator: np.random.Generator) -> None:
        """The global generators of Python, numpy and torch are left alone.

        Draw from the generator that you are given, or from np.random.default_rng(seed), and seed
        nothing.
        """
        quietly(lambda: use(subject, ground, generator))

    return no_other_randomness


def supernet_stays(use: Law, supernet_of: Callable[[Any], Supernet] = lambda ground: ground) -> Law:
    """The law that a use changes nothing of the supernet.

    Args:
        use: does with a subject what its users do.
        supernet_of: the ground -> its supernet.
    """

    def supernet_stays(subject: Any, ground: Any, generator: np.random.Generator) -> None:
        """The supernet that it works on is afterwards what it was before.

        Make a new one where you need another (supernet.at(…), attrs.evolve), and write into nothing
        of its.
        """
        before = _parts(supernet_of(ground))
        use(subject, ground, generator)
        after = _parts(supernet_of(ground))
        changed = [name for name in before if before[name] != after.get(name)]
        demand(not changed, f"it changed the supernet's {', '.join(changed)}")

    return supernet_stays


def _parts(supernet: Supernet) -> dict[str, Any]:
    """What can be seen of a supernet, by name; arrays as bytes, so that a change in place shows."""
    space = supernet.space
    rows = space.canonical(space.sample(FINGERPRINTED, np.random.default_rng(0)))
    return {
        "name": str(supernet.name),
        "image sizes": tuple(supernet.resolutions),
        "genes": [
            (g.name, tuple(g.options), None if g.canonical is None else g.canonical.tobytes())
            for g in space.genes
        ],
        "blocks": [supernet.geometry().blocks(arch) for arch in space.decode(rows)],
        **{name: (id(value), _inside(value)) for name, value in _public(supernet)},
    }


def _public(supernet: Supernet) -> list[tuple[str, Any]]:
    """Attributes of its own; what starts with _ may be a cache."""
    return [(f".{k}", v) for k, v in getattr(supernet, "__dict__", {}).items() if k[0] != "_"]


def _inside(value: Any) -> str | bytes:
    """What a change in place changes of an attribute: an array or a collection, no other object."""
    if isinstance(value, np.ndarray):
        return value.tobytes()
    return repr(value) if isinstance(value, list | dict | set) else ""
