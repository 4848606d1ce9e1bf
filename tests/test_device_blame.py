"""Devices of plugins: what they raise, or wrongly give, names them."""

import math
from contextlib import contextmanager

import pytest

from ofa_plugins_core.blame import Plugin
from ofa_plugins_core.device_blame import Watched, unwatched
from ofa_plugins_core.errors import InputError, PluginError
from ofa_plugins_core.interfaces import Work
from ofa_plugins_core.testing import toy_supernet
from ofa_plugins_core.testing.toy_device import ToyDevice

TOY = toy_supernet()
WORK = Work((TOY.geometry().catalogue(64).blocks[0],))
OWNER = Plugin("third", "third-board", "1.2", "loaded")


class Odd:
    """A device of which one call does something else."""

    def __init__(self, **does):
        self.does, self.inner = does, ToyDevice()

    def _do(self, name, usual):
        found = self.does.get(name, usual)
        if isinstance(found, BaseException):
            raise found
        return found

    def describe(self):
        return self._do("describe", {"device": "odd"})

    @contextmanager
    def session(self):
        self._do("session", None)
        with self.inner.session() as inner:
            yield OddSession(self, inner)
        self._do("leave", None)


class OddSession:
    def __init__(self, device, inner):
        self.device, self.inner = device, inner

    def load(self, work):
        self.device._do("load", None)
        return OddWork(self.device)

    def conditions(self):
        return self.device._do("conditions", {"celsius": 40})


class OddWork:
    def __init__(self, device):
        self.device = device

    def times(self, passes):
        return self.device._do("times", [1.0] * passes)

    def release(self):
        self.device._do("release", None)


def used(device):
    """Everything that is done with a device, once."""
    device.describe()
    with device.session() as session:
        session.conditions()
        loaded = session.load(WORK)
        loaded.times(3)
        loaded.release()


def test_a_sound_device_is_as_it_is():
    inner = ToyDevice()
    device = Watched(inner, "toy", OWNER)
    assert device.describe() == inner.describe()
    with device.session() as session:
        assert len(session.load(WORK).times(3)) == 3
    assert inner.open == []
    assert unwatched(device) is inner and unwatched(inner) is inner


@pytest.mark.parametrize("call", ["describe", "session", "load", "conditions", "times", "release"])
@pytest.mark.parametrize("error", [RuntimeError("no board today"), OSError("sensor")])
def test_what_it_raises_names_device_and_plugin(call, error):
    with pytest.raises(PluginError, match=r"third.*device 'odd'") as caught:
        used(Watched(Odd(**{call: error}), "odd", OWNER))
    assert f"{call}()" in caught.value.message and str(error) in caught.value.message


def test_also_while_it_is_left():
    with pytest.raises(PluginError, match=r"leaving session\(\)"):
        used(Watched(Odd(leave=RuntimeError("stuck")), "odd", OWNER))


@pytest.mark.parametrize("error", [InputError("the board is gone"), KeyboardInterrupt()])
def test_what_is_no_mistake_passes(error):
    with pytest.raises(type(error)):
        used(Watched(Odd(times=error), "odd", OWNER))


def test_an_error_of_the_block_is_not_the_devices():
    inner = ToyDevice()
    with pytest.raises(ZeroDivisionError), Watched(inner, "toy", OWNER).session():
        1 / 0  # noqa: B018
    assert inner.open == []


@pytest.mark.parametrize(
    ("call", "given"),
    [
        ("describe", ["cpu"]),
        ("describe", {}),
        ("describe", {"cores": 4}),
        ("conditions", ["hot"]),
        ("conditions", {"celsius": "hot"}),
        ("conditions", {"celsius": math.nan}),
        ("times", None),
        ("times", "123"),
        ("times", ["1", "2", "3"]),
        ("times", [1.0, math.nan, 1.0]),
        ("times", [-1.0]),
        ("times", [1.0] * 9),
    ],
)
def test_what_it_wrongly_gives_is_told_with_what_is_due(call, given):
    with pytest.raises(PluginError, match=rf"device 'odd': {call}\(\) gave .*; due is"):
        used(Watched(Odd(**{call: given}), "odd", OWNER))
