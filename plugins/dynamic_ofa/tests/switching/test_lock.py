"""Readers side by side, a writer alone, and everybody in turn."""

from __future__ import annotations

import time
from threading import Barrier, Event, Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamic_ofa.switching.lock import FairLock

PATIENCE = 20.0
"""Seconds until a thread counts as stuck."""


@pytest.fixture
def lock():
    return FairLock()


def started(work):
    thread = Thread(target=work, daemon=True)
    thread.start()
    return thread


def ended(*threads):
    for thread in threads:
        thread.join(PATIENCE)
    return not any(thread.is_alive() for thread in threads)


def until_waiting(lock, count):
    end = time.monotonic() + PATIENCE
    while len(lock._waiting) < count:
        assert time.monotonic() < end
        time.sleep(0.001)


def test_readers_are_inside_together(lock):
    meeting = Barrier(3, timeout=PATIENCE)

    def read():
        with lock.reading():
            meeting.wait()

    assert ended(*(started(read) for _ in range(3)))
    assert not meeting.broken


def test_a_writer_waits_for_readers_and_they_for_it(lock):
    seen = []

    def write():
        with lock.writing():
            seen.append("written")

    with lock.reading():
        writer = started(write)
        until_waiting(lock, 1)
        seen.append("read")
    assert ended(writer)
    assert seen == ["read", "written"]


def test_everybody_gets_in_in_the_order_of_coming(lock):
    """A waiting writer stops later readers, which stop the next writer."""
    seen, threads = [], []

    def enter(name, way):
        def work():
            with way():
                seen.append(name)

        return work

    coming = [("w1", lock.writing), ("r1", lock.reading), ("w2", lock.writing)]
    with lock.reading():
        for place, (name, way) in enumerate(coming):
            threads.append(started(enter(name, way)))
            until_waiting(lock, place + 1)
    assert ended(*threads)
    assert seen == ["w1", "r1", "w2"]


def test_an_interrupt_while_waiting_leaves_the_row(lock, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    with lock.reading():
        with monkeypatch.context() as patched:
            patched.setattr(lock._changed, "wait", interrupted)
            with pytest.raises(KeyboardInterrupt), lock.writing():
                pytest.fail("it is inside with a reader")
        entered = Event()

        def read():
            with lock.reading():
                entered.set()

        assert ended(started(read))
        assert entered.is_set()


@pytest.mark.parametrize("way", ["reading", "writing"])
def test_what_fails_inside_gives_the_lock_back(lock, way):
    with pytest.raises(ZeroDivisionError), getattr(lock, way)():
        raise ZeroDivisionError
    with lock.writing():
        pass


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.sampled_from("rw"), max_size=12), min_size=1, max_size=6))
def test_nobody_is_ever_inside_with_a_writer_and_all_come_to_an_end(programs):
    lock, inside, wrong = FairLock(), [], []

    def work(program):
        for step in program:
            with lock.reading() if step == "r" else lock.writing():
                inside.append(step)
                time.sleep(0)  # others may run
                if "w" in inside and len(inside) > 1:
                    wrong.append(list(inside))
                inside.remove(step)

    assert ended(*(started(lambda p=p: work(p)) for p in programs))
    assert not wrong
    assert not lock._waiting and not lock._readers
