"""Times, percentages and limits as users write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic_ofa.quantities import percent, read_limits, seconds
from ofa_plugins_core.errors import UsageError


class TestSeconds:
    @pytest.mark.parametrize(
        ("text", "value"),
        [("60 ms", 0.06), ("60ms", 0.06), (".5 s", 0.5), ("2 min", 120.0), ("5 µs", 5e-6)],
    )
    def test_are_read_with_their_unit(self, text, value):
        assert seconds(text, "--every") == pytest.approx(value)

    def test_a_number_alone_has_the_unit_that_is_due(self):
        assert seconds("60", "--limit", "ms") == pytest.approx(0.06)

    @pytest.mark.parametrize("text", ["", "60", "0 ms", "-1 s", "1 h", "nan s", "inf s", "1e3 ms"])
    def test_anything_else_is_refused_with_an_example(self, text):
        with pytest.raises(UsageError, match="--every: expected a time, found") as caught:
            seconds(text, "--every")
        assert "for example --every '60 ms'" in str(caught.value)


class TestPercent:
    @pytest.mark.parametrize("text", ["76", "76 %", "76%", " 76.0 "])
    def test_with_the_sign_or_without(self, text):
        assert percent(text, "--accuracy") == 76.0

    @pytest.mark.parametrize("text", ["", "%", "101", "-1", "high", "nan", "7 6"])
    def test_anything_else_is_refused_with_an_example(self, text):
        with pytest.raises(UsageError, match="--accuracy: expected percent from 0 to 100"):
            percent(text, "--accuracy")


class TestLimits:
    def test_one_holds_always(self):
        limits = read_limits("60")
        assert limits.steps == ((0.0, 60.0),) and limits.changes == ()
        assert limits.at(-1.0) == limits.at(1e9) == limits.least == 60.0

    def test_several_hold_from_their_times_on(self):
        limits = read_limits("60 ms, 45 ms from 10 s, 0.06 s from 20")
        assert [limits.at(t) for t in (9.999, 10.0, 19.9, 20.0)] == pytest.approx([60, 45, 45, 60])
        assert limits.changes == (10.0, 20.0)
        assert limits.least == 45.0

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("60 ms from 3 s", "cannot read"),
            ("60 ms, 45 ms", "cannot read"),
            ("60, 45 from 10, 50 from 10", "10 s does not come after 10 s"),
            ("fast", "expected a time"),
            ("", "expected a time"),
        ],
    )
    def test_what_does_not_read_so_is_refused(self, text, said):
        with pytest.raises(UsageError, match=f"--limit: .*{said}"):
            read_limits(text)

    @given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 900)), max_size=5))
    def test_what_is_written_is_what_holds(self, steps):
        starts = [sum(gap for gap, _ in steps[: n + 1]) for n in range(len(steps))]
        words = ["60 ms", *(f"{v} ms from {t} s" for t, (_, v) in zip(starts, steps, strict=True))]
        limits = read_limits(", ".join(words))
        for start, (_, value) in zip(starts, steps, strict=True):
            assert limits.at(start) == pytest.approx(value)
