"""Monitors and actuators beside a run: they never hold it up, and never break it."""

from __future__ import annotations

import math
import threading
import time

import pytest

from dynamic_ofa.monitoring.watching import Named, Settings, Watch, actuators_of, monitors_of
from ofa_plugins_core import Host, JobContext, MonitorEntry, UsageError
from ofa_plugins_core.blame import Plugin
from ofa_plugins_core.errors import PluginError, UnknownNameError

EVERY = 0.002


def until(condition):
    for _ in range(5000):
        if condition():
            return
        time.sleep(0.002)
    raise AssertionError("it did not happen")


class Waited(threading.Event):
    """Calls ``meanwhile`` when the main thread waits for it."""

    def wait(self, timeout=None):
        if threading.current_thread() is threading.main_thread():
            self.meanwhile()
        return super().wait(timeout)


class TestWatch:
    @pytest.fixture(autouse=True)
    def patience(self, monkeypatch):
        """However busy this machine is, first readings are there in time."""
        monkeypatch.setattr("dynamic_ofa.monitoring.watching.PATIENCE_S", 60.0)

    @pytest.fixture
    def while_it_waits(self, monkeypatch):
        """(call) -> it is called when the caller's thread waits for first readings."""
        monkeypatch.setattr("dynamic_ofa.monitoring.watching.Event", Waited)
        return lambda call: monkeypatch.setattr(Waited, "meanwhile", call, raising=False)

    def test_offers_the_latest_readings_of_all(self, told):
        one = told("one", {"cpu_percent": 1.0}, {"cpu_percent": 2.0})
        with Watch([one, told("two", {"gpu_mhz": 5})], EVERY, print) as watch:
            assert watch.latest().keys() == {"cpu_percent", "gpu_mhz"}  # from the start
            until(lambda: watch.latest()["cpu_percent"] == 2)

    @pytest.mark.parametrize(
        "failure", [RuntimeError("sensor is gone"), {"a_percent": math.nan}, "no mapping"]
    )
    def test_a_monitor_that_fails_is_told_once_and_leaves(self, told, failure):
        notices, fails = [], threading.Event()

        class Failing:
            def read(self):
                if not fails.is_set():
                    return {"bad_percent": 1.0}
                if isinstance(failure, Exception):
                    raise failure
                return failure

        both = [Named("bad", Failing()), told("good", {"gpu_mhz": 5})]
        with Watch(both, EVERY, notices.append) as watch:
            assert watch.latest()["bad_percent"] == 1
            fails.set()
            until(lambda: "bad_percent" not in watch.latest())
            time.sleep(5 * EVERY)
            assert watch.latest() == {"gpu_mhz": 5}
        (notice,) = notices
        assert "carried on without the monitor bad" in notice.message

    def test_blames_the_plugin(self, told):
        notices = []
        with Watch([told("bad", OSError("gone"))], EVERY, notices.append):
            pass
        assert "plugin 'boards' 1.2: bad: read() raised OSError: gone" in notices[0].message

    def test_never_waits_for_a_monitor_that_hangs(self, monkeypatch):
        monkeypatch.setattr("dynamic_ofa.monitoring.watching.PATIENCE_S", 0.01)
        release, calls = threading.Event(), []

        class Hanging:
            def read(self):
                calls.append(1)
                if len(calls) > 1:
                    release.wait(10)
                return {"a_percent": 1.0}

        started = time.monotonic()
        with Watch([Named("hanging", Hanging())], EVERY, print) as watch:
            until(lambda: len(calls) > 1)
            assert watch.latest() == {"a_percent": 1}
        release.set()
        assert time.monotonic() - started < 5

    def test_the_run_begins_without_one_that_hangs_at_its_first_reading(self, monkeypatch):
        monkeypatch.setattr("dynamic_ofa.monitoring.watching.PATIENCE_S", 0.01)
        release, notices, reader = threading.Event(), [], []

        class Hanging:
            def read(self):
                reader.append(threading.current_thread())
                release.wait(10)
                return {"a_percent": 1.0}

        both = [Named("hanging", Hanging()), Named("next", Hanging())]
        with Watch(both, EVERY, notices.append) as watch:
            assert watch.latest() == {}
            until(lambda: reader)
            assert reader[0] is not threading.current_thread()
            release.set()
            until(lambda: watch.latest() == {"a_percent": 1})  # late, but there
        (notice,) = notices
        assert notice.message.startswith("the monitor hanging has not answered within 0.01 s: ")

    def test_the_first_readings_are_waited_for(self, while_it_waits):
        release = threading.Event()
        while_it_waits(lambda event: release.set())

        class Slow:
            def read(self):
                release.wait(10)
                return {"a_percent": 1.0}

        with Watch([Named("slow", Slow())], 10.0, print) as watch:
            assert watch.latest() == {"a_percent": 1}

    def test_ctrl_c_while_it_waits_ends_the_thread(self, told, while_it_waits):
        def interrupt(event):
            raise KeyboardInterrupt

        while_it_waits(interrupt)
        with pytest.raises(KeyboardInterrupt), Watch([told("one", {})], 60.0, print):
            pass
        until(lambda: all(t.name != "monitors" for t in threading.enumerate()))

    def test_without_monitors_there_is_no_thread(self):
        before = threading.active_count()
        with Watch([], EVERY, print) as watch:
            assert watch.latest() == {} and threading.active_count() == before


class TestSettings:
    def test_puts_back_what_was_there_before_the_first_change(self, knob):
        with Settings([Named("knob", knob)], print) as settings:
            assert settings.apply({"knob": 3.0}) == {"knob": 3.0}
            settings.apply({"knob": 1.0})
        assert knob.log == [3, 1, 2]

    def test_what_was_never_set_is_never_put_back(self, knob):
        with Settings([Named("knob", knob)], print) as settings:
            settings.apply({})
        assert knob.log == []

    def test_puts_back_the_last_that_was_set_first(self):
        order = []

        class Noted:
            def __init__(self, name):
                self.name = name

            def get(self):
                return 2.0

            def set(self, value):
                order.append((self.name, value))

        names = ("voltage", "clock", "cores")
        with Settings([Named(name, Noted(name)) for name in names], print) as settings:
            settings.apply({"clock": 1.0})
            settings.apply({"cores": 1.0, "voltage": 1.0, "clock": 3.0})
        assert order[-3:] == [("voltage", 2), ("cores", 2), ("clock", 2)]

    @pytest.mark.parametrize("end", [KeyboardInterrupt, RuntimeError])
    def test_puts_back_whatever_ends_the_run(self, knob, end):
        with pytest.raises(end):
            self.run(knob, ends=end())
        assert knob.at == 2

    def test_a_second_interruption_while_putting_back_does_not_leave_it(self, knob):
        with pytest.raises(KeyboardInterrupt):
            self.run(knob, again=KeyboardInterrupt())
        assert knob.at == 2

    @staticmethod
    def run(knob, ends=None, again=None):
        """A run that sets the knob and ends so; the knob fails when it is put back."""
        with Settings([Named("knob", knob)], print) as settings:
            settings.apply({"knob": 1.0})
            knob.fails = [] if again is None else [again]
            if ends is not None:
                raise ends

    def test_one_that_cannot_be_put_back_keeps_no_other_from_it(self, knob):
        notices, stuck = [], type(knob)()
        both = [Named("knob", knob), Named("stuck", stuck)]
        with Settings(both, notices.append) as settings:
            settings.apply({"knob": 1.0, "stuck": 1.0})
            stuck.fails = [OSError("read-only")]
        assert knob.at == 2
        assert "stuck could not be put back to 2" in notices[0].message

    def test_a_listener_that_fails_keeps_nothing_from_being_put_back(self, knob):
        stuck = type(knob)()

        def lost(notice):
            raise OSError("the terminal is gone")

        settings = Settings([Named("knob", knob), Named("stuck", stuck)], lost)
        settings.apply({"knob": 1.0, "stuck": 1.0})
        stuck.fails = [OSError("read-only")]
        with pytest.raises(OSError, match="terminal"):
            settings.__exit__(None, None, None)
        assert knob.at == 2

    def test_what_nobody_can_do_is_told_once(self, knob):
        notices = []
        knob.fails = [UsageError("denied"), UsageError("denied")]
        with Settings([Named("knob", knob)], notices.append) as settings:
            for _ in range(2):
                assert settings.apply({"knob": 3.0, "fan": 1.0}) == {}
        messages = [n.message for n in notices]
        assert messages[0] == "knob was not set: denied"
        assert "fan, which --actuators does not name" in messages[1] and len(messages) == 2


class Boards:
    """Offers a monitor that this machine has, one that it has not, and one that is broken."""

    def __init__(self, names):
        self.names, self.notices = names, []

    def entries(self, kind):
        return [self.monitor(name) for name in self.names]

    def owner(self, kind, name):
        return Plugin("boards", "ofa-boards", "1.2")

    def monitor(self, name):
        def build(options):
            if name == "absent":
                raise UsageError("no such board")
            if name == "broken":
                raise PluginError("plugin 'boards' 1.2: broken")
            return name

        return MonitorEntry(name, "", build, automatic=name != "asked")


def test_automatic_monitors_are_those_that_can_be_built():
    notices = []
    host = Boards(["here", "absent", "asked", "broken"])
    found = monitors_of(JobContext(host, notices.append), None)
    assert [m.name for m in found] == ["here"]
    (notice,) = notices
    assert notice.message == "carried on without the monitor: plugin 'boards' 1.2: broken"


def test_a_monitor_that_is_asked_for_has_to_be_there():
    context = JobContext(Boards(["absent"]))
    with pytest.raises(UsageError, match="no such board"):
        monitors_of(context, "absent")
    assert monitors_of(context, "none") == []


def test_what_this_plugin_offers_is_found_by_name():
    context = JobContext(Host.discover())
    (found,) = monitors_of(context, "processor, processor")
    assert found.name == "processor" and found.plugin.name == "dynamic_ofa"
    with pytest.raises(UnknownNameError, match="cpu_max_mhz"):
        actuators_of(context, "cpu_max_mzh")
    assert actuators_of(context, None) == []
