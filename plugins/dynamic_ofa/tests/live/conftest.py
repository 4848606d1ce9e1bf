"""A live run without torch and without waiting: a clock that a stand-in for the switcher moves."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from attrs import field, frozen

from dynamic_ofa.levels.table import Accuracy, Latency, LevelRow, LevelTable, WeightsOf
from dynamic_ofa.live.job import Live
from dynamic_ofa.live.options import SwitchOptions
from dynamic_ofa.live.plan import plan_of
from dynamic_ofa.live.running import Clock
from ofa_plugins_core import (
    ActuatorEntry,
    JobContext,
    MonitorEntry,
    NoOptions,
    RuntimePolicyEntry,
    UsageError,
)
from ofa_plugins_core.blame import Plugin
from ofa_plugins_core.interfaces import Decision

LATENCIES = (20.0, 40.0, 80.0)


def table_of_three():
    """Three levels of 20, 40 and 80 ms, and 70, 72 and 74 %."""
    rows = tuple(
        LevelRow(
            arch={"ks": [3], "e": [2], "d": [1], "image_size": 32 + 32 * n},
            accuracy=Accuracy(value=70.0 + 2 * n, kind="predicted"),
            latency=Latency(value=ms),
        )
        for n, ms in enumerate(LATENCIES)
    )
    weights = WeightsOf(kind="synthetic")
    return LevelTable(supernet="toy", classes=10, weights=weights, device={}, levels=rows)


@pytest.fixture
def table():
    """Three levels of 20, 40 and 80 ms, and 70, 72 and 74 %."""
    return table_of_three()


class Machine:
    """A clock that only inferences, switches and sleep move; ``loaded`` makes inferences longer."""

    def __init__(self):
        self.time, self.loads, self.slept = 100.0, [], 0.0

    def clock(self):
        """For the run."""
        return Clock(now=lambda: self.time, sleep=self.sleep)

    def sleep(self, seconds):
        """Let time pass."""
        self.time += seconds
        self.slept += seconds

    def factor(self):
        """How loaded it is now."""
        now = self.time - 100
        return next((f for start, end, f in self.loads if start <= now < end), 1.0)


@pytest.fixture
def machine():
    """A machine whose clock stands at 100 s; loads: (from, to, factor) in seconds of the run."""
    return Machine()


class StandIn:
    """As a switcher; a switch takes 2 ms. After so many inferences ``fails`` raises, or calls."""

    def __init__(self, machine, table, given):
        self.machine, self.table, self.given = machine, table, given
        self.level, self.seen, self.closed = given["start"], [], False
        self.fails = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closed = True

    def run(self, images):
        if len(self.seen) in self.fails:
            failure = self.fails.pop(len(self.seen))
            if callable(failure):
                failure()
            else:
                raise failure
        self.seen.append(images)
        latency = LATENCIES[self.level] * self.machine.factor()
        self.machine.time += latency / 1000
        return SimpleNamespace(level=self.level, latency_ms=latency, output=None)

    def switch(self, level):
        self.level = level
        self.machine.time += 0.002
        return 2.0

    def facts(self):
        return SimpleNamespace(resident_bytes=1200, largest_bytes=1000, load_seconds=0.25)


class Stepping:
    """Down when an inference is late, up when it took less than 40 % of the limit."""

    def start(self, levels):
        return len(levels)

    def decide(self, state, seen):
        step = -1 if seen.latency > seen.limit else int(seen.latency < 0.4 * seen.limit)
        level = min(max(seen.level + step, 0), state - 1)
        actions = {"threads": float(1 + (level == 0))}
        return state, Decision(level, f"{seen.latency:.0f} ms of {seen.limit:g} ms", actions)


class Failing(Stepping):
    """Raises at the fifth observation."""

    def decide(self, state, seen):
        if seen.time > 0.35:
            raise ZeroDivisionError("float division by zero")
        return super().decide(state, seen)


@frozen
class WishOptions:
    """Takes a wish."""

    accuracy: float = field(default=0.0)


class Knob:
    """An actuator of 1 or 2."""

    unit, values = "threads", (1.0, 2.0)

    def __init__(self):
        self.log = [1.0]

    def get(self):
        return self.log[-1]

    def set(self, value):
        self.log.append(value)


class Shelf:
    """A host with two policies, a monitor and an actuator."""

    def __init__(self):
        self.knob, self.wishes = Knob(), []
        self.plugin = Plugin("toys", "ofa-toys", "1.2")

    def owner(self, kind, name):
        return self.plugin

    def runtime_policy(self, name):
        policy = {"stepping": Stepping, "failing": Failing}[name]

        def build(options):
            self.wishes.append(getattr(options, "accuracy", None))
            return policy()

        options = WishOptions if name == "stepping" else NoOptions
        return RuntimePolicyEntry(name, "", build, options)

    def entries(self, kind):
        return [self.monitor("load"), self.monitor("absent")]

    def monitor(self, name):
        def build(options):
            if name == "absent":
                raise UsageError("no such board")
            return SimpleNamespace(read=lambda: {"cpu_percent": 50.0})

        return MonitorEntry(name, "", build)

    def actuator(self, name):
        return ActuatorEntry(name, "", lambda options: self.knob)


class Bench:
    """Makes live runs; keeps the last one's switcher and what was told."""

    def __init__(self, table, machine, folder):
        self.table, self.machine, self.folder = table, machine, folder
        self.host, self.told, self.fails = Shelf(), [], {}
        self.switcher = None

    @property
    def notices(self):
        return [e.message for e in self.told if hasattr(e, "message")]

    def run(self, resume=False, out=None, **given):
        """The result of a run with these options; from the slowest level on unless they say."""
        defaults = {"levels": "toy", "policy": "stepping", "limit": "50 ms", "monitors": "none"}
        defaults |= {"plot": False, "seconds": 2.0, "start": 2}
        options = SwitchOptions(**{**defaults, **given})
        context = JobContext(
            self.host,
            self.told.append,
            out=self.folder if out is None else out,
            resume=resume,
            configuration={"job": "switch"},
        )

        def switcher(table, **more):
            self.switcher = StandIn(self.machine, table, more)
            self.switcher.fails = self.fails
            return self.switcher

        def images(data, sizes, batch, seed, listener):
            return SimpleNamespace(at=lambda size, number: (size, number))

        clock = self.machine.clock()
        plan = plan_of(options)
        return Live(context, options, plan, self.table, switcher, images, clock).result()


@pytest.fixture
def bench(table, machine, tmp_path):
    """A place to run: ``run(**options)`` gives the result."""
    return Bench(table, machine, tmp_path / "run")
