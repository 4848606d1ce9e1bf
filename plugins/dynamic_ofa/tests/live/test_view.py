"""What a user sees of a run while it goes."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from dynamic_ofa.ledger import Inference, Switched
from dynamic_ofa.live import view
from dynamic_ofa.live.view import Lines, Panels, Shown, event_line, latency_bar, view_of
from ofa_plugins_core.events import Progress
from ofa_plugins_core.testing.toys import TOY_LEVELS


@pytest.fixture
def shown():
    """Late, at level 1, under the second load."""
    last = Inference(
        time_s=4.0,
        level=1,
        latency_ms=75.0,
        limit_ms=60.0,
        readings={"cpu_percent": 98.0, "cpu_celsius": 61.0},
    )
    return Shown(last=last, late_share=0.25, done=4.0, total=30.0, unit="seconds", contended=True)


@pytest.fixture
def event():
    """One level down."""
    return Switched(
        time_s=3.5,
        before=2,
        after=1,
        reason="mean over the limit",
        latency_before_ms=80,
        latency_after_ms=None,
        late_share=0.2,
        took_ms=0.4,
        actions={"threads": 2.0},
    )


def test_without_a_terminal_it_is_progress_once_a_second(shown, monkeypatch):
    now, told = [10.0], []
    monkeypatch.setattr(view, "monotonic", lambda: now[0])
    with view_of(told.append, TOY_LEVELS, "title") as lines:
        for now[0] in (10.0, 10.5, 11.0):
            lines.show(shown)
    assert isinstance(lines, Lines)
    said = "level 1 (75.0 %), 75.0 ms of 60 ms, 25 % late, second load"
    assert told == [Progress("seconds", 4, 30, said)] * 2


def test_on_a_terminal_it_is_a_panel(shown, event, monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(view, "REDRAWN_S", 0.0)
    console = Console(file=screen, force_terminal=True, width=110, color_system=None)
    with Panels(console, TOY_LEVELS, "moofa_v3: greedy, 60 ms") as panel:
        panel.switched(event)
        panel.show(shown)
    text = screen.getvalue()
    for said in (
        "moofa_v3: greedy, 60 ms",
        "1 (0 to 2), accuracy 75.0 %",
        "75.0 ms, limit 60 ms",
        "98 % with the second load",
        "25.0 % of inferences so far",
        "4 of 30 seconds",
        "3.50 s  2 → 1 in 0.40 ms: mean over the limit; threads = 2",
    ):
        assert said in text
    assert "celsius" not in text  # no percentage, no bar


def test_the_panel_fits_eighty_columns(shown, event):
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=80, color_system=None)
    with Panels(console, TOY_LEVELS, "moofa_v3: greedy, 60 ms") as panel:
        panel.switched(event)
        panel.show(shown)
    assert "1 (0 to 2), accuracy 75.0 %" in screen.getvalue()
    assert "98 % with the second load" in screen.getvalue()


def test_is_not_redrawn_at_every_inference(shown, monkeypatch):
    screen, now = io.StringIO(), [10.0]
    monkeypatch.setattr(view, "monotonic", lambda: now[0])
    with Panels(Console(file=screen, force_terminal=True), TOY_LEVELS, "title") as panel:
        panel.show(shown)
        drawn = len(screen.getvalue())
        panel.show(shown)
        assert len(screen.getvalue()) == drawn


def test_an_event_of_actuators_alone_names_the_level_that_stays(event):
    from attrs import evolve

    alone = evolve(event, before=1, reason="", took_ms=None)
    assert event_line(alone) == "   3.50 s  level 1: threads = 2"


@pytest.mark.parametrize(("value", "full"), [(0, 0), (30, 12), (60, 24), (80, 32), (9000, 32)])
def test_the_bar_has_a_mark_at_the_limit_and_never_overflows(value, full):
    bar = latency_bar(value, 60)
    assert len(bar) == 32 and bar[24] == "|"
    assert bar.replace("|", "█" if full > 24 else " ").count("█") == full
