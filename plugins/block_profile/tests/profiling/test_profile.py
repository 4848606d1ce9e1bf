"""A profile in its file: what is written is read again, what is no profile is refused."""

from __future__ import annotations

import json
from pathlib import Path

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
)
from ofa_plugins_core.errors import InputError


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
            Row("Unit 0 Layer 1 as MBConv2.5_5x5", (block,), 32, 0.5, {"params": drawn}),
        ),
        best={"params": Extreme(1.0, {"ks": [3], "image_size": 32}, RANDOM)},
        binds={"params": (Binding("stem", None, None, 0.5, 0.25),)},
        notes=("a note",),
    )


@pytest.mark.parametrize("folder", [True, False])
def test_what_was_written_is_read_again(profile: Profile, tmp_path: Path, folder: bool) -> None:
    (tmp_path / FILE).write_text(profile_text(profile), encoding="utf-8")

    assert read_profile(tmp_path if folder else tmp_path / FILE) == profile


def test_exact_statistics_come_before_sampled_ones(profile: Profile) -> None:
    random, forced = profile.rows

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


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": NaN}'])
def test_what_is_no_profile_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)

    with pytest.raises(InputError, match="no profile"):
        read_profile(tmp_path)


def test_a_missing_profile_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no profile") as error:
        read_profile(tmp_path)

    assert error.value.advice == "ofa run profile makes one"
