"""A profile in its file: what is written is read again, what is no profile is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from block_profile.profiling.profile import (
    FILE,
    RANDOM,
    Binding,
    Extreme,
    Forced,
    Metric,
    Profile,
    Row,
    Statistic,
    profile_text,
    read_profile,
    same_space,
)
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.testing.toys import toy_supernet


@pytest.fixture
def profile() -> Profile:
    drawn = Statistic(1.5, 0.5, 1.0, 1.0, 2.0, 2.0, 1.0, 2.0)
    exact = Statistic(1.6, 0.4, None, None, None, None, 1.0, 2.0, error=0.01)
    block = Forced("block", 0, 1, "stage 1 block 2", {"k": 5, "e": 2.5}, True, "MBConv2.5_5x5")
    return Profile(
        supernet="toy",
        networks=400,
        rule="paper",
        archs=2,
        draws="common",
        seed=7,
        resolutions=(32, 64),
        metrics=(Metric("params", "count", "computed"),),
        rows=(
            Row(RANDOM, (), None, 1.0, {"params": drawn}, {"params": exact}),
            Row(f"{RANDOM} with Resolution 32", (), 32, 1.0, {"params": drawn}),
            Row("Unit 0 Layer 1 as MBConv2.5_5x5", (block,), 32, 0.5, {"params": drawn}),
        ),
        best={"params": Extreme(1.0, {"ks": [3], "image_size": 32}, RANDOM)},
        binds={"params": (Binding("stem", None, None, 0.5, 0.25),)},
        notes=("a note",),
        digest="00ff",
    )


@pytest.mark.parametrize("folder", [True, False])
def test_what_was_written_is_read_again(profile: Profile, tmp_path: Path, folder: bool) -> None:
    (tmp_path / FILE).write_text(profile_text(profile), encoding="utf-8")

    assert read_profile(tmp_path if folder else tmp_path / FILE) == profile


def test_exact_statistics_come_before_sampled_ones(profile: Profile) -> None:
    random, _, forced = profile.rows

    assert (random.best_known("params").mean, forced.best_known("params").mean) == (1.6, 1.5)
    assert random.alone is None and forced.alone is forced.forced[0]


def test_the_random_row_is_found_by_its_image_size(profile: Profile) -> None:
    assert profile.random() is profile.rows[0]
    assert profile.random(64) is None


def test_a_row_without_a_metric_is_no_row(profile: Profile) -> None:
    with pytest.raises(ValueError, match="lacks flops"):
        evolve(profile, metrics=(*profile.metrics, Metric("flops", "MACs", "computed")))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "x"}, "does not say"),
        ({"version": 2}, "version 2"),
        ({"rule": "other"}, "rule: expected strict or paper"),
        ({"rows": []}, "a row and a metric"),
        ({"sizes": [1]}, "unknown key 'sizes'"),
    ],
)
def test_a_broken_file_is_refused_by_what_is_wrong(
    profile: Profile, tmp_path: Path, change: dict, said: str
) -> None:
    found = {**profile.as_json(), **change}
    (tmp_path / FILE).write_text(json.dumps(found))

    with pytest.raises(InputError, match=said):
        read_profile(tmp_path)


def at(*path: str | int) -> Callable[[dict, Any], None]:
    """Sets what lies there."""

    def put(found: dict, value: Any) -> None:
        for step in path[:-1]:
            found = found[step]
        found[path[-1]] = value

    return put


MEAN = ("rows", 0, "sampled", "params")
BLOCK = ("rows", 2, "forced", 0)
DEPTH = {"kind": "depth", "unit": 0, "layer": None, "place": "d", "choice": {"depth": 2}}


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ((*MEAN, "mean"), 1e999, "mean: expected a finite number, found inf"),
        ((*MEAN, "p5"), -1e999, "p5: expected a finite number"),
        ((*MEAN, "max"), 1e999, "max: expected a finite number"),
        ((*MEAN, "sd"), -0.5, "sd: expected 0 or more, found -0.5"),
        ((*MEAN, "error"), -1, "error: expected 0 or more"),
        ((*MEAN, "min"), 3, "min: 3 is above max, 2"),
        ((*BLOCK, "unit"), -1, "unit: expected 0 or more"),
        ((*BLOCK, "layer"), None, "layer: a forced block has one"),
        ((*BLOCK, "choice", "k"), 1e999, "k: expected a finite number"),
        (BLOCK, {**DEPTH, "used": True, "label": "", "choice": {}}, "a forced depth has a unit"),
        (BLOCK, {**DEPTH, "used": True, "label": "", "unit": None}, "a forced depth has a unit"),
        (("rows", 0, "active"), 1.5, "active: expected a share of 0 to 1, found 1.5"),
        (("rows", 0, "chance"), -0.5, "chance: expected a share"),
        (("rows", 2, "image_size"), 64, "no random networks of its image size"),
        (("rows", 2, "image_size"), 0, "image_size: expected 1 or more"),
        (("best", "params", "value"), 1e999, "value: expected a finite number"),
        (("binds", "params", 0, "share"), 2, "share: expected a share"),
        (("binds",), {"speed": []}, "binds: of a cost that is no metric"),
        (("archs",), 0, "archs: 0, but row 'Random networks' has statistics of drawn"),
        (("archs",), -5, "archs: expected 0 or more, found -5"),
        (("networks",), 0, "networks: expected 1 or more"),
        (("resolutions",), [], "resolutions: expected one or more"),
        (("resolutions",), [32, 0], "resolutions: expected one or more"),
    ],
)
def test_what_no_profile_can_say_is_refused_by_its_place(
    profile: Profile, tmp_path: Path, path: tuple, value: Any, said: str
) -> None:
    found = profile.as_json()
    at(*path)(found, value)
    text = json.dumps(found).replace("Infinity", "1e999")
    (tmp_path / FILE).write_text(text)

    with pytest.raises(InputError, match=said):
        read_profile(tmp_path)


def test_a_metric_is_there_once(profile: Profile) -> None:
    with pytest.raises(ValueError, match="metrics: one is there twice"):
        evolve(profile, metrics=profile.metrics * 2)


def test_a_profile_is_of_the_space_whose_blocks_it_forced(profiled) -> None:
    made, told = profiled(num_archs=2).profile, []
    same_space(made, toy_supernet(), told.append)

    assert not told
    with pytest.raises(UsageError, match="another space named toy: its blocks differ"):
        same_space(evolve(made, digest="0" * 16), toy_supernet(), told.append)
    with pytest.raises(UsageError, match="another space named toy: it had 9 networks"):
        same_space(evolve(made, networks=9), toy_supernet(), told.append)


def test_a_profile_older_than_digests_is_told_to_say_less(profiled) -> None:
    made, told = profiled(num_archs=2).profile, []
    same_space(evolve(made, digest=None), toy_supernet(), told.append)

    assert ["does not say which blocks toy had" in notice.message for notice in told] == [True]


@pytest.mark.parametrize(
    ("number", "change", "said"),
    [
        (1, {"unit": 99}, "toy has no Unit 99 Layer 0"),
        (1, {"layer": 7}, "toy has no Unit 0 Layer 7"),
        (-1, {"unit": 99}, "toy has no Unit 99$"),
    ],
)
def test_a_block_where_the_space_has_no_place_is_refused(profiled, number, change, said) -> None:
    rows = list(profiled(num_archs=2).profile.rows)
    rows[number] = evolve(rows[number], forced=(evolve(rows[number].alone, **change),))
    made = evolve(profiled(num_archs=2).profile, rows=tuple(rows))

    with pytest.raises(InputError, match=said):
        same_space(made, toy_supernet(), [].append)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": NaN}'])
def test_what_is_no_profile_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)

    with pytest.raises(InputError, match="no profile"):
        read_profile(tmp_path)


def test_a_missing_profile_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no profile") as error:
        read_profile(tmp_path)

    assert error.value.advice == "ofa run profile makes one"
