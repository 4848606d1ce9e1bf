"""The picture of a run."""

from __future__ import annotations

import pytest

from dynamic_ofa.ledger import Inference, Switched
from dynamic_ofa.timeline import timeline_plot
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.testing.toys import TOY_LEVELS


@pytest.fixture
def run():
    """A second in which the limit is broken once, and the level goes down for it."""
    inferences = [
        Inference(time_s=0.1, level=1, latency_ms=20, limit_ms=30, readings={"cpu_percent": 40.0}),
        Inference(time_s=0.2, level=1, latency_ms=50, limit_ms=30),
        Inference(time_s=0.3, level=0, latency_ms=10, limit_ms=30, readings={"cpu_percent": 99.0}),
    ]
    switch = Switched(
        time_s=0.2,
        before=1,
        after=0,
        reason="50 ms > 30 ms",
        latency_before_ms=35,
        latency_after_ms=10,
        late_share=0.5,
        took_ms=1.25,
    )
    return inferences, [switch]


def test_shows_late_ones_load_and_why_it_switched(run, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "run.svg"
    timeline_plot(*run, TOY_LEVELS, path, "greedy", contended=[(0.1, 0.3)])
    drawn = path.read_text()
    for said in ("late", "in time", "cpu use", "second load", "greedy"):
        assert f">{said}<" in drawn
    assert "0.20 s: 1 → 0, in 1.25 ms: 50 ms &gt; 30 ms" in drawn


def test_is_the_same_picture_each_time(run, tmp_path):
    pytest.importorskip("matplotlib")
    paths = [tmp_path / part / "run.svg" for part in ("one", "two")]
    for path in paths:
        timeline_plot(*run, TOY_LEVELS, path, "greedy")
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_nothing_is_no_picture(tmp_path):
    with pytest.raises(UsageError, match="no inference was run"):
        timeline_plot([], [], TOY_LEVELS, tmp_path / "run.svg", "nothing")
