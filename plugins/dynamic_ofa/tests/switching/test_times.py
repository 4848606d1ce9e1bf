"""What a switcher remembers of its switches."""

from __future__ import annotations

from dynamic_ofa.switching.times import SwitchTimes


def test_before_the_first_switch_nothing_is_known():
    times = SwitchTimes()
    times.ran(0, 5.0)
    assert (times.count, times.last, times.mean, times.first) == (0, None, None, None)


def test_the_last_the_mean_and_the_first_inference_at_the_new_level():
    times = SwitchTimes()
    times.switched(1, 2.0)
    times.ran(0, 9.0)  # it had begun before the switch
    assert times.first is None
    times.ran(1, 7.0)
    times.ran(1, 6.0)
    assert (times.count, times.last, times.mean, times.first) == (1, 2.0, 2.0, 7.0)
    times.switched(2, 4.0)
    assert (times.count, times.last, times.mean, times.first) == (2, 4.0, 3.0, None)
