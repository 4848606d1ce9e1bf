"""Candidates and level tables, as a user's own copies hold them."""

from __future__ import annotations

import pytest

from ofa_plugins_core.errors import InputError


def test_a_point_falls_to_one_that_is_strictly_better_on_both_axes(checked, points):
    file = points([[70.0, 100.0], [71.0, 90.0], [71.0, 95.0], [72.0, 120.0]])
    found = checked("filter", candidates_63=file)
    assert found.verdict == "differs"
    assert [c.ours for c in found.comparisons] == [4, 3, 2]


def test_the_table_has_the_figures_accuracies_and_other_latencies(checked, pickled):
    found = checked("levels", nets_6=pickled())
    assert found.verdict == "differs"
    assert [c.holds for c in found.comparisons] == [True] * 6 + [False] * 6


def test_with_the_figures_latencies_it_would_hold(checked, pickled):
    from dynamic_ofa.claims.figures import GPU

    file = pickled(lambda number, accuracy, latency: (accuracy, GPU[number][1]))
    assert checked("levels", nets_6=file).verdict == "consistent"  # published beside published


def test_a_table_of_other_levels_is_no_nets_6(checked, pickled, nets_6):
    with pytest.raises(InputError, match="has 5 levels; nets_6 has 6"):
        checked("levels", nets_6=pickled(levels=nets_6[:5]))


def test_a_pickle_that_asks_for_more_than_data_is_refused(checked, tmp_path):
    file = tmp_path / "evil.pickle"
    file.write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    with pytest.raises(InputError, match="not data; it was not run"):
        checked("demo", nets_6=file)
