"""What is told while a job runs: bars on a terminal, else a line now and then."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from rich.console import Console

from ofa_plugins_core.cli import bars, output
from ofa_plugins_core.cli.bars import MOST, Bars, worded
from ofa_plugins_core.events import Notice, Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def shown(monkeypatch):
    """Bars on a terminal of 100 columns: the bars of the last picture, and everything written."""
    monkeypatch.setattr(bars, "BETWEEN", 0.0)
    screen = Terminal()
    made = Bars.on(Console(file=screen, force_terminal=True, width=100, color_system=None))

    def tell(*events):
        for event in events:
            made.show(event)
        return [task.description for task in made._progress.tasks]

    tell.screen, tell.bars = screen, made
    yield tell
    made.close()


def test_nested_things_have_a_bar_each_the_outer_one_first(shown):
    assert shown(Progress("epoch", 1, 10), Progress("step", 1, 50, "loss 2.5")) == ["epoch", "step"]
    assert shown(Progress("epoch", 1, 10), Progress("step", 2, 50)) == ["epoch", "step"]
    text = shown.screen.getvalue()
    assert text.rindex("epoch") < text.rindex("step") < text.rindex("2/50")
    assert text.index("1/50") < text.index("loss 2.5")


def test_a_finished_bar_leaves_and_comes_again_anew(shown):
    shown(Progress("epoch", 0, 10), Progress("step", 49, 50))
    assert shown(Progress("step", 50, 50)) == ["epoch"]
    assert shown(Progress("epoch", 1, 10), Progress("step", 1, 50)) == ["epoch", "step"]
    assert shown(Progress("epoch", 10, 10), Progress("step", 50, 50)) == []


def test_what_is_finished_at_once_is_never_shown(shown):
    assert shown(Progress("file", 3, 3)) == []


def test_an_inner_bar_that_was_given_up_leaves(shown):
    shown(Progress("network", 0, 9), Progress("images", 30, 50))
    assert shown(Progress("network", 1, 9)) == ["network", "images"]
    assert shown(Progress("network", 2, 9)) == ["network"]


def test_an_outer_bar_stays_however_often_the_inner_one_moves(shown):
    shown(Progress("phase", 1, 5))
    for step in range(100):
        assert shown(Progress("step", step, 200)) == ["phase", "step"]


def test_a_bar_that_begins_again_has_a_new_clock(shown, monkeypatch):
    shown(Progress("step", 40, 50))
    (task,) = shown.bars._progress.tasks
    before = task.start_time
    shown(Progress("step", 1, 50))
    assert task.start_time > before
    assert (task.completed, task.total) == (1, 50)


def test_the_bar_that_is_silent_longest_makes_room(shown):
    for number in range(MOST + 1):
        told = shown(Progress(f"thing {number}", 0, 9))
    assert told == [f"thing {n}" for n in range(1, MOST + 1)]


def test_brackets_and_long_notes_are_shown_as_they_are(shown):
    shown(Progress("[red]", 1, 2, "peak [b] " + "x" * 200))
    text = shown.screen.getvalue()
    assert "[red]" in text
    assert "peak [b] xx" in text
    assert "x" * 100 not in text


def test_notices_stand_above_the_bars(shown):
    shown(Progress("step", 1, 50))
    shown.bars.note("note: a [flaw] " + "x" * 150)
    shown(Progress("step", 2, 50))
    text = shown.screen.getvalue()
    assert f"note: a [flaw] {'x' * 150}\n" in text
    assert text.index("1/50") < text.index("note:") < text.index("2/50")


def test_how_far_it_is_in_words():
    assert worded(Progress("step", 5, 12000, "loss 1")) == ("5/12,000", "loss 1")
    assert worded(Progress("step", 5, 0)) == ("5", "")
    assert worded(Progress("fetch", 1_500_000, 30_000_000, "bytes")) == ("1.5/30.0 MB", "")
    assert worded(Progress("fetch", 1_500_000, 0, "bytes")) == ("1.5 MB", "")


def test_a_total_that_nobody_knows_is_a_bar_that_swings(shown):
    assert shown(Progress("fetch", 100, 0, "bytes")) == ["fetch"]
    assert shown(Progress("fetch", 200, 0, "bytes")) == ["fetch"]


# ------------------------------------------------------------------------------- the teller


def teller(monkeypatch, screen, seconds=0.0):
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(output, "FIRST_SECONDS", seconds)
    return output.Teller()


def test_a_terminal_gets_bars_that_are_wiped_in_the_end(monkeypatch):
    screen = Terminal()
    tell = teller(monkeypatch, screen)
    tell(Notice("first"))
    tell(Progress("step", 1, 50, "loss 2"))
    tell(Notice("a flaw"))
    tell.close()
    text = screen.getvalue()
    assert text.startswith("note: first\n")
    assert "note: a flaw\n" in text
    assert "1/50" in text
    assert text.endswith("\x1b[2K")  # the line is empty again
    assert "\x1b[?25h" in text  # and the cursor is back
    assert sys.stderr is screen


def test_what_was_told_before_the_bars_is_shown_with_them(monkeypatch):
    screen = Terminal()
    tell = teller(monkeypatch, screen, seconds=60.0)
    tell(Progress("phase", 2, 5))
    tell(Progress("step", 1, 50))
    assert screen.getvalue() == ""
    monkeypatch.setattr(output, "FIRST_SECONDS", 0.0)
    tell(Progress("step", 2, 50))
    assert "2/5" in screen.getvalue()
    assert "2/50" in screen.getvalue()
    tell.close()


def test_a_line_names_the_nested_things(capsys, monkeypatch):
    tell = output.Teller()
    tell(Progress("epoch", 1, 10))
    tell(Progress("step", 7, 50, "loss 2"))
    monkeypatch.setattr(output, "QUIET_SECONDS", 0.0)
    tell(Progress("epoch", 1, 10))
    tell.close()
    assert capsys.readouterr().err == "epoch 1/10; step 7/50 loss 2\n"


def test_bars_are_loaded_only_for_a_terminal_and_only_when_needed():
    code = (
        "import sys; from ofa_plugins_core.cli.output import Teller\n"
        "from ofa_plugins_core.events import Progress\n"
        "Teller()(Progress('step', 1, 2)); print('rich.progress' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
