"""Colours of the page: text and marks stand out from what is behind them (WCAG 2.2, AA)."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

PAIR = re.compile(r"--([a-z]+): light-dark\((#\w{6}), (#\w{6})\)")
CSS = files("ofa_plugins_core.report").joinpath("web", "page.css").read_text(encoding="utf-8")
COLOURS = {name: pair for name, *pair in PAIR.findall(CSS) if name != "mark"}
RUNS = dict(enumerate(pair for name, *pair in PAIR.findall(CSS) if name == "mark"))
BEHIND = ("paper", "ground")
THEMES = pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])


def luminance(colour: str) -> float:
    """Relative luminance of sRGB."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted(map(luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_black_on_white_is_21_to_1():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_every_colour_that_is_a_pair_is_looked_at():
    assert set(COLOURS) == {*BEHIND, "ink", "muted", "accent", "warn", "peak", "line", "grid"}
    assert len(RUNS) == 6


@THEMES
@pytest.mark.parametrize("behind", BEHIND)
@pytest.mark.parametrize("name", ["ink", "muted", "accent", "warn", "peak"])
def test_text_has_four_and_a_half_to_one(name, behind, theme):
    assert contrast(COLOURS[name][theme], COLOURS[behind][theme]) >= 4.5


@THEMES
@pytest.mark.parametrize("run", RUNS)
def test_marks_of_runs_have_three_to_one(run, theme):
    assert contrast(RUNS[run][theme], COLOURS["paper"][theme]) >= 3


@THEMES
def test_outlines_of_controls_have_three_to_one(theme):
    for behind in BEHIND:
        assert contrast(COLOURS["line"][theme], COLOURS[behind][theme]) >= 3


def test_writing_in_the_picture_stands_out_from_every_tint():
    (ink,) = re.findall(r"\.on-colour \{ fill: (#\w{6})", CSS)
    tints = re.findall(r"\.tint-\w+ \{ fill: (#\w{6})", CSS)
    assert len(tints) == 5
    assert min(contrast(ink, tint) for tint in tints) >= 4.5
