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


def test_one_place_at_two_image_sizes_is_one_place(profiled) -> None:
    blocks = {"blocks": ("[0, 0, 5, 3]", "[0, 1, 5, 3]"), "per_resolution": True}
    found = profiled(num_archs=2, metrics=("params",), **blocks)

    assert [e.places for e in effects.by_option(found.profile, "params")] == [2]
    (_, _, ((_, random, *_), (_, places, *_))) = list(found.as_tables())[1]
    assert (random, places) == ("", "2")


def test_a_units_spread_is_the_mean_over_its_layers(profile) -> None:
    (first, _) = effects.by_unit(profile, "params")
    means = {
        layer: [
            r.exact["params"].mean
            for r in effects.block_rows(profile)
            if (r.alone.unit, r.alone.layer) == (0, layer)
        ]
        for layer in (0, 1)
    }
    spreads = {layer: max(found) - min(found) for layer, found in means.items()}

    assert spreads[0] != spreads[1]
    assert first.spread == pytest.approx(sum(spreads.values()) / 2)
    assert first.largest == max(spreads.values()) == spreads[first.layer]


def test_blocks_of_a_place_shift_the_mean_down_and_up(profile) -> None:
    against = effects.random_mean(profile, "params")
    place = profile.rows[1].alone.place
    means = [r.exact["params"].mean for r in profile.rows if r.alone and r.alone.place == place]

    least, greatest = effects.moved(profile, "params", place)
    assert (least, greatest) == (min(means) - against, max(means) - against)
    assert least < 0 < greatest
    assert effects.moved(profile, "params", "nowhere") is None


def test_places_that_hold_the_maximum_stand_with_both_ends_of_their_shift(profiled) -> None:
    found = profiled(num_archs=0, exact=True, metrics=("largest,params",))
    (table,) = (t for t in found.as_tables() if "hold the maximum" in t[0])

    assert table[1][-1] == "its blocks shift\nthe mean by, items"
    shifts = [row[-1] for row in table[2] if row[-1] != "–"]
    assert shifts and all(" to " in shift for shift in shifts)


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
