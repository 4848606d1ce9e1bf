"""Laws of devices: (device, supernet whose blocks it runs, generator).

What they run is small. A device that is not there, or cannot run such blocks, says so, and the law
does not apply.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import numpy as np

from ofa_plugins_core.errors import InputError, MissingExtraError, UsageError
from ofa_plugins_core.geometry import Block
from ofa_plugins_core.handing import absent_members
from ofa_plugins_core.interfaces import (
    Device,
    DeviceSession,
    LoadedWork,
    Supernet,
    Work,
)
from ofa_plugins_core.testing.laws import Law, NotApplicableError, demand, effects

Rng = np.random.Generator
PASSES: Final = 3


class _ThrownError(Exception):
    """Raised inside a session, to see that it comes out again."""


def says_what_it_is(device: Device, supernet: Supernet, generator: Rng) -> None:
    """It describes itself in words, each under a name.

    Return from describe() a dict of words by name, none empty; numbers that change belong into
    conditions().
    """
    found = _described(device)
    demand(found, "it says nothing of itself")
    for name, words in found.items():
        good = isinstance(name, str) and isinstance(words, str) and name and words.strip()
        demand(good, f"its description has {name!r}: {words!r}, which are not words")


def describes_itself_alike(device: Device, supernet: Supernet, generator: Rng) -> None:
    """Its description is the same before, while and after it measures: results go by it.

    Put what changes by itself (clocks, temperature, time) into conditions(), not into describe().
    """
    before = _described(device)
    with _ready(device) as session:
        _ran(session, Work(_network(supernet, generator)[:1]))
        within = _described(device)
    after = _described(device)
    demand(before == within == after, f"first {before}, then {within}, then {after}")


def runs_any_block(device: Device, supernet: Supernet, generator: Rng) -> None:
    """Each block of a network runs alone, and the time of each pass is a number over 0, in ms.

    Return from times() positive numbers in ms, and raise InputError where a block cannot be run.
    """
    with _ready(device) as session:
        for block in _network(supernet, generator):
            _ran(session, Work((block,)))


def runs_whole_networks(device: Device, supernet: Supernet, generator: Rng) -> None:
    """All blocks of a network run one after another, alone and as a batch.

    Run work.blocks one after another on a batch of work.batch images, and give the time of all of
    it.
    """
    blocks = _network(supernet, generator)
    with _ready(device) as session:
        for batch in (1, 2):
            _ran(session, Work(blocks, batch))


def gives_as_many_passes_as_asked(device: Device, supernet: Supernet, generator: Rng) -> None:
    """So many passes, so many times; fewer only where there are no more: then none come again.

    Run just as many passes as times(passes) asks for; a recording that has ended gives none any
    more.
    """
    with _ready(device) as session:
        loaded = _loaded(session, Work(_network(supernet, generator)[:1]))
        for passes in (1, 4, 0, 2):
            found = _times(loaded, passes)
            demand(len(found) <= passes, f"{passes} passes asked for, {len(found)} times given")
            if len(found) < passes:
                more = len(_times(loaded, 1))
                demand(more == 0, f"{len(found)} of {passes} passes came, and then {more} more")
        loaded.release()


def works_take_turns(device: Device, supernet: Supernet, generator: Rng) -> None:
    """Several works are ready at once; letting go of one leaves the others alone.

    Keep what a work needs in the work itself, and let release() free that alone.
    """
    blocks = _network(supernet, generator)
    with _ready(device) as session:
        several = [_loaded(session, Work((block,))) for block in blocks]
        for _ in range(2):
            for place in generator.permutation(len(several)):
                _times(several[place], 1)
        several[0].release()
        for loaded in several[1:]:
            _times(loaded, 1)
            loaded.release()


def tells_its_conditions(device: Device, supernet: Supernet, generator: Rng) -> None:
    """Its conditions are finite numbers by name, before and after it ran something.

    Return finite numbers by name, and leave out what cannot be read.
    """
    with _ready(device) as session:
        _sound_conditions(session.conditions())
        _ran(session, Work(_network(supernet, generator)[:1]))
        _sound_conditions(session.conditions())


def ends_whatever_happens(device: Device, supernet: Supernet, generator: Rng) -> None:
    """What is raised inside a session comes out of it, and the next session works.

    Undo in a finally what the session set, and swallow no error.
    """
    first = Work(_network(supernet, generator)[:1])
    try:
        with _ready(device) as session:
            _ran(session, first)
            raise _ThrownError
    except _ThrownError:
        pass
    else:
        demand(False, "a session swallowed what was raised inside it")
    with _ready(device) as session:
        _ran(session, first)


def used(device: Device, supernet: Supernet, generator: Rng) -> None:
    """As jobs use it."""
    _described(device)
    with _ready(device) as session:
        session.conditions()
        _ran(session, Work(_network(supernet, generator)))


no_other_randomness = effects.no_other_randomness(used)


# ------------------------------------------------------------------------------- a session


def _network(supernet: Supernet, generator: Rng) -> tuple[Block, ...]:
    """The blocks of a drawn network at the smallest image size."""
    space = supernet.at(supernet.resolutions[:1]).space
    (arch,) = space.decode(space.canonical(space.sample(1, generator)))
    return supernet.geometry().blocks(arch)


def _described(device: Device) -> dict[str, str]:
    with _asked():
        return dict(device.describe())


@contextmanager
def _ready(device: Device) -> Iterator[DeviceSession]:
    """A session with everything that one has."""
    with _asked():
        context = device.session()
        session = context.__enter__()
    try:
        _whole(session, DeviceSession, "session")
        yield session
    except BaseException as error:
        if not context.__exit__(type(error), error, error.__traceback__):
            raise
    else:
        context.__exit__(None, None, None)


@contextmanager
def _asked() -> Iterator[None]:
    """The law does not apply where the device says that it cannot."""
    try:
        yield
    except (UsageError, InputError, MissingExtraError) as error:
        raise NotApplicableError(error.message) from error


def _whole(found: object, protocol: type, what: str) -> None:
    lacking = absent_members(found, protocol)
    demand(not lacking, f"its {what} is a {type(found).__name__}: it has no {', '.join(lacking)}")


def _loaded(session: DeviceSession, work: Work) -> LoadedWork:
    with _asked():
        loaded = session.load(work)
    _whole(loaded, LoadedWork, "work")
    return loaded


def _ran(session: DeviceSession, work: Work) -> None:
    loaded = _loaded(session, work)
    _times(loaded, PASSES)
    loaded.release()


def _times(loaded: LoadedWork, passes: int) -> Sequence[float]:
    found = loaded.times(passes)
    for time in found:
        demand(_is_number(time) and time > 0, f"a pass took {time!r} ms")
    return found


def _sound_conditions(found: Mapping[str, float]) -> None:
    for name, value in found.items():
        demand(isinstance(name, str) and name, f"a condition is called {name!r}")
        demand(_is_number(value), f"the condition {name} is {value!r}, no finite number")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


LAWS: Final[tuple[Law, ...]] = (
    says_what_it_is,
    describes_itself_alike,
    runs_any_block,
    runs_whole_networks,
    gives_as_many_passes_as_asked,
    works_take_turns,
    tells_its_conditions,
    ends_whatever_happens,
    no_other_randomness,
)
