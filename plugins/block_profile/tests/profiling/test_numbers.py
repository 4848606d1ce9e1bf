"""Numbers of a column are of one form."""

from __future__ import annotations

import pytest

from block_profile.profiling.numbers import Form


@pytest.mark.parametrize(
    ("values", "unit", "said"),
    [
        ((9.5, 12_345.6), "ms", ["10", "12,346"]),
        ((9.5, 41.816), "ms", ["9.50", "41.82"]),
        ((680.64, 2.0), "items", ["681", "2"]),
        ((None, 1.0), "%", ["–", "1.00"]),
    ],
)
def test_in_full(values, unit, said) -> None:
    form = Form.of(values, unit)

    assert [form.full(v) for v in values] == said


@pytest.mark.parametrize(
    ("values", "unit", "said"),
    [
        ((21_200.0, -7_490.0, 680.64), "items", ["+21.2k", "−7.5k", "+0.7k"]),
        ((680.64, -1.2, 0.2), "items", ["+681", "−1", "0"]),
        ((1_234_567.0, -0.0), "MACs", ["+1.23M", "0"]),
        ((21_200.0, -12.0, 0.3), "items", ["+21.2k", "−12", "0"]),
        ((0.35, -0.0312), "%", ["+0.350", "−0.031"]),
        ((-12.345, 1.0), "ms", ["−12.3", "+1.0"]),
        ((999_999.0,), "ms", ["+1000.0k"]),
        ((0.0, None), "ms", ["0", "–"]),
    ],
)
def test_differences_have_a_sign_and_three_digits_of_the_largest(values, unit, said) -> None:
    form = Form.of(values, unit)

    assert [form.signed(v) for v in values] == said
