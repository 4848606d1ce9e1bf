"""Devices, each of which breaks one law."""

from __future__ import annotations

import math
import random
from contextlib import contextmanager, suppress

from ofa_plugins_core import DeviceEntry
from ofa_plugins_core.testing import ToyDevice


class Wrapped:
    """Everything of another object, but for what a subclass changes."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(vars(self)["inner"], name)


class Machine(Wrapped):
    """The toy device: what it says, what its sessions do and what its passes take are changed."""

    def __init__(self, times=lambda found, passes: found, **changes):
        super().__init__(ToyDevice())
        self.change, self.swallows = times, changes.pop("swallows", ())
        vars(self).update(changes)

    @contextmanager
    def session(self):
        with suppress(*self.swallows), self.inner.session() as session:
            yield Session(session, self)


class Session(Wrapped):
    def __init__(self, inner, machine):
        super().__init__(inner)
        self.machine = machine

    def load(self, work):
        return Loaded(self.inner.load(work), self.machine)

    def conditions(self):
        return vars(self.machine).get("reading", {})


class Loaded(Wrapped):
    def __init__(self, inner, machine):
        super().__init__(inner)
        self.machine = machine

    def times(self, passes):
        return self.machine.change(self.inner.times(passes), passes)


class LetsGoOfEverything(Machine):
    """Releasing one work releases all."""

    gone = False

    @contextmanager
    def session(self):
        self.gone = False
        with self.inner.session() as session:
            inner = Session(session, self)
            inner.load = lambda work: self.loaded(session, work)
            yield inner

    def loaded(self, session, work):
        def released():
            self.gone = True

        found = Loaded(session.load(work), self)
        self.change = lambda times, passes: [math.nan] if self.gone else times
        found.release = released
        return found


def counting():
    said = []

    def describe():
        said.append("again")
        return {"device": "toy", "said": " ".join(said)}

    return describe


def shuffles(found, passes):
    random.random()
    return found


BROKEN = {
    "says_what_it_is": lambda: Machine(describe=lambda: {"cores": 4}),
    "describes_itself_alike": lambda: Machine(describe=counting()),
    "runs_any_block": lambda: Machine(lambda found, passes: [0.0] * passes),
    "runs_whole_networks": lambda: Machine(
        lambda found, passes: [time if time < 0.2 else math.inf for time in found]
    ),
    "gives_as_many_passes_as_asked": lambda: Machine(lambda found, passes: [*found, 1.0]),
    "works_take_turns": LetsGoOfEverything,
    "tells_its_conditions": lambda: Machine(reading={"cpu_mhz": math.inf}),
    "ends_whatever_happens": lambda: Machine(swallows=(Exception,)),
    "no_other_randomness": lambda: Machine(shuffles),
}


def ofa_devices(law, name):
    yield DeviceEntry(name, "breaks a law", lambda options: BROKEN[law]())
