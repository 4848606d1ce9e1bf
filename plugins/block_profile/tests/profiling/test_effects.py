"""What rows say together, and how it is drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from block_profile.profiling import effects


@pytest.fixture
def profile(profiled):
    return profiled(num_archs=0, exact=True, metrics=("accuracy,params,largest",)).profile


def test_a_block_is_the_mean_over_the_places_that_hold_it(profile) -> None:
    found = {e.label: e for e in effects.by_option(profile, "params")}
    rows = [r for r in effects.block_rows(profile) if r.alone.label == "MBConv3_5x5"]

    assert found["MBConv3_5x5"].places == len(rows) == 4
    assert found["MBConv3_5x5"].mean == pytest.approx(sum(r.exact["params"].mean for r in rows) / 4)
    assert found["MBConv2_3x3"].mean < found["MBConv3_5x5"].mean


def test_a_unit_gains_by_depth_and_by_its_blocks(profile) -> None:
    first, second = effects.by_unit(profile, "params")

    assert [d for d, _ in first.depths] == [1, 2]
    assert second.gain is not None and second.gain > first.gain > 0
    assert second.spread > first.spread > 0


def test_metrics_that_rise_together_rank_alike(profile) -> None:
    found = effects.correlations(profile)

    assert set(found) == {("accuracy", "params"), ("accuracy", "largest"), ("params", "largest")}
    assert found["accuracy", "params"] > 0.3


def test_pictures_are_drawn_and_listed(profiled, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    found = profiled(
        out=tmp_path / "run", num_archs=0, exact=True, metrics=("params,accuracy",), plot=True
    )

    files = [file for file, _ in found.figures]
    assert files == [
        f"plots/{n}.svg" for n in ("heat-params", "heat-accuracy", "units", "correlations")
    ]
    drawn = (tmp_path / "run" / files[0]).read_text()
    assert "Unit 1 Layer 1 as MBConv3_5x5" in drawn  # what hovering over a cell says
    assert [f["file"] for f in found.as_json()["figures"]] == files
