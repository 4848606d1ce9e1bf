"""``ofa run reduce`` on the toy: the file that it writes, what it says, what it refuses."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from block_profile.profiling.profile import Binding
from ofa_plugins_core.errors import InputError, UnknownNameError, UsageError
from ofa_plugins_core.events import Notice
from ofa_plugins_core.testing.toys import ToyPredictor, toy_cost


@pytest.fixture
def toy_profile(profile_of):
    """The small kernel with the small ratio is beaten everywhere; the second unit's end is dear."""
    worth = {(3, 2): (70.0, 4.0), (3, 3): (71.0, 3.0), (5, 2): (72.0, 4.0), (5, 3): (73.0, 5.0)}
    blocks = {
        (unit, layer, k, e): {"accuracy": a, "params": c}
        for unit in (0, 1)
        for layer in (0, 1)
        for (k, e), (a, c) in worth.items()
    }
    depths = {
        (unit, depth): {"accuracy": 70 + depth * gain, "params": 10.0 * depth}
        for unit, gain in ((0, 2.0), (1, 0.1))
        for depth in (1, 2)
    }
    return profile_of(blocks, depths)


def test_a_profile_becomes_a_space_that_is_a_supernet(
    reduce, toy_host, toy_profile, tmp_path: Path
) -> None:
    found = reduce(toy_profile, out=tmp_path / "run", by="option", name="small_one")

    assert [(r.what, r.where) for r in found.removals] == [
        ("MBConv2_3x3", "mean of 4 places"),
        ("depth 2", "unit 1"),
    ]
    assert found.path is not None
    supernet = toy_host.supernet(str(found.path))
    assert supernet.name == "toy+small_one"
    assert supernet.space.count() == (3 + 9) * 3
    reasons = [d.reason for d in supernet.reduction.drop]
    assert reasons == ["70.000 %, 4 count; MBConv2_5x5 is no worse in any: 72.000 %, 4 count"]
    told = json.loads(json.dumps(found.as_json()))
    assert told["networks"] == {"before": 400, "after": 36} and told["share"] == 0.09
    assert "36 of 400 networks" in found.as_tables()[0][0]


def test_every_place_is_judged_by_itself_unless_said_otherwise(reduce, toy_profile) -> None:
    found = reduce(toy_profile)

    places = [r.where for r in found.removals[:4]]
    assert places == [f"unit {u} layer {n}" for u in (0, 1) for n in (0, 1)]
    assert found.space.space.count() == 36


def test_installed_it_goes_by_its_name(
    reduce, toy_host, toy_profile, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("OFA_REDUCED", str(tmp_path / "mine"))

    found = reduce(toy_profile, by="option", name="mine", install=True)

    assert toy_host.supernet("toy+mine").space.count() == found.space.space.count()
    reduce(toy_profile, by="option", name="mine", install=True)  # the same again
    with pytest.raises(UsageError, match="is another smaller space"):
        reduce(toy_profile, rule="accurate", name="mine", install=True)


def test_a_random_control_lies_beside_it_and_follows_the_seed(
    reduce, toy_host, toy_profile, tmp_path: Path
) -> None:
    runs = [
        reduce(toy_profile, out=tmp_path / f"{n}", seed=seed, by="option", random_control=True)
        for n, seed in enumerate((1, 1, 2, 3, 4))
    ]

    texts = [r.control_path.read_text() for r in runs]
    assert texts[0] == texts[1] and len(set(texts)) > 1
    control = toy_host.supernet(str(runs[0].control_path))
    assert (control.name, control.space.count()) == ("toy+dominated-control", 36)


def test_the_rule_accurate_needs_no_cost(reduce, profile_of) -> None:
    blocks = {(0, 0, k, 2): {"accuracy": float(k)} for k in (3, 5)}

    found = reduce(profile_of(blocks), rule="accurate", by="place")

    assert [r.what for r in found.removals] == ["MBConv2_3x3"]
    with pytest.raises(UsageError, match="the profile has no cost"):
        reduce(profile_of(blocks))


def test_means_of_the_same_networks_are_told_to_be_without_a_margin(reduce, profile_of) -> None:
    blocks = {(0, 0, k, 2): {"accuracy": float(k)} for k in (3, 5)}
    told: list = []

    reduce(profile_of(blocks, sd=1.0, draws="common"), rule="accurate", told=told)

    assert any("of the same 100 networks" in e.message for e in told if isinstance(e, Notice))


def test_a_profile_of_another_space_is_refused_by_both_names(reduce, toy_profile) -> None:
    other = evolve(toy_profile, supernet="ofa_mbv3")
    with pytest.raises(UsageError, match="is of ofa_mbv3, not of toy"):
        reduce(other, supernet="toy")
    with pytest.raises(UnknownNameError, match="ofa_mbv3"):
        reduce(other)
    with pytest.raises(UsageError, match="another space named toy: it had 9 networks"):
        reduce(evolve(toy_profile, networks=9))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cost": ("flops",)}, "unknown metric of this profile 'flops'"),
        ({"drop": 2}, "--rule accurate --drop N"),
        ({"rule": "accurate", "drop": 4}, "--drop 4 leaves nothing"),
        ({"name": "a b"}, "--name: name: a word without blanks"),
    ],
)
def test_options_that_make_no_sense_are_refused(reduce, toy_profile, options, message) -> None:
    with pytest.raises(UsageError, match=message):
        reduce(toy_profile, **options)


def test_a_rule_that_drops_nothing_is_no_smaller_space(reduce, profile_of) -> None:
    blocks = {(0, 0, k, 2): {"accuracy": float(k), "params": float(k)} for k in (3, 5)}

    with pytest.raises(UsageError, match="the rule drops nothing"):
        reduce(profile_of(blocks))


def test_a_broken_profile_is_a_broken_file(toy_host, tmp_path: Path) -> None:
    from block_profile.reducing.job import run_reduce
    from block_profile.reducing.options import ReduceOptions
    from ofa_plugins_core import JobContext

    file = tmp_path / "profile.json"
    file.write_text("{")
    with pytest.raises(InputError, match="no profile"):
        run_reduce(JobContext(toy_host), ReduceOptions(profile=file))


def test_a_control_that_cannot_be_drawn_is_told_and_the_space_is_there(
    reduce, toy_profile, monkeypatch
) -> None:
    from block_profile.reducing import job

    def none(*given):
        raise UsageError("no random control for it")

    monkeypatch.setattr(job, "random_control", none)
    told: list = []

    found = reduce(toy_profile, random_control=True, told=told)

    assert found.control is None and found.removals
    assert "no random control for it" in [e.message for e in told if isinstance(e, Notice)]


def test_what_hangs_together_is_left_and_the_rest_is_dropped(toy_host) -> None:
    from block_profile.reducing.job import applied
    from block_profile.reducing.removals import Removal
    from ofa_plugins_core.reduction.data import Drop

    drops = [{"k": 5}, {"k": 3}]  # both together would leave nothing
    removals = [Removal(f"k{d['k']}", "everywhere", "…", (Drop(d),)) for d in drops]

    space, kept, spared = applied(toy_host.supernet("toy"), "some", removals, "")

    assert [r.what for r in kept] == ["k5"]
    assert len(spared) == 1 and spared[0].startswith("k3 (everywhere): nothing would be left")
    assert space.space.count() == 36


def test_blocks_that_tie_in_a_sampled_maximum_stay_and_a_notice_says_how_to_tell(
    reduce, profile_of
) -> None:
    blocks = {(0, 0, k, 2): {"accuracy": 70.0 + k, "params": c} for k, c in ((3, 5.0), (5, 5.0))}
    blocks[0, 0, 3, 3] = {"accuracy": 70.0, "params": 6.0}
    binds = {"params": (Binding("1.0", 1, 0, 1.0, 1.0),)}
    told: list = []

    drawn = profile_of(blocks, sd=1.0, draws="common", binds=binds)
    found = reduce(drawn, told=told)
    assert [r.what for r in found.removals] == ["MBConv3_3x3"]
    assert any("params is a maximum" in e.message for e in told if isinstance(e, Notice))

    summed = reduce(evolve(drawn, binds={}))  # a sum's tie is one
    exact = reduce(profile_of(blocks, binds=binds))
    for one in (summed, exact):
        assert [r.what for r in one.removals] == ["MBConv2_3x3", "MBConv3_3x3"]


def test_what_both_spaces_reach_is_told_as_looking_at_every_network_would(
    reduce, toy_host, toy_profile
) -> None:
    found = reduce(toy_profile, predictor="toy")

    scores = {}
    for role, supernet in (("before", toy_host.supernet("toy")), ("after", found.space)):
        supernet = supernet.at((32, 64))
        archs = supernet.space.decode(every(supernet.space))
        whole = toy_host.supernet("toy").at((32, 64))
        accuracies = ToyPredictor(whole.space).predict(archs).value
        scores[role] = (accuracies.max(), toy_cost("params", whole).evaluate(archs).min())
    ends = {e["metric"]: e for e in found.as_json()["ends"]}
    for role, (best, least) in scores.items():
        assert ends["accuracy"][role] == pytest.approx(best)
        assert ends["params"][role] == least
    assert ends["accuracy"]["predictor"] == "toy" and ends["params"]["end"] == "least"
    assert ends["params"]["after"] > ends["params"]["before"]
    assert [row[0] for row in found.as_tables()[-1][2]] == ["best accuracy by toy", "least params"]


def every(space):
    genes = np.array(list(product(*(range(n) for n in space.sizes))), dtype=np.uint8)
    return np.unique(space.canonical(genes), axis=0)


def test_ends_of_what_is_not_at_hand_are_not_told(reduce, published) -> None:
    told: list = []

    found = reduce(published, told=told)

    assert found.ends == []
    said = [e.message for e in told if isinstance(e, Notice)]
    assert any("the best latency@note10 before and after is not told" in s for s in said)


def test_a_name_has_room_for_its_control(reduce, toy_profile) -> None:
    name = "a" * 56

    assert reduce(toy_profile, name=name).space.name == f"toy+{name}"
    with pytest.raises(UsageError, match=r"--name: .*-control"):
        reduce(toy_profile, name=name, random_control=True)


def test_of_many_removals_some_are_shown_and_it_says_where_all_are(
    reduce, toy_profile, monkeypatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("block_profile.reducing.result.MOST", 3)

    (title, _, rows), *_ = reduce(toy_profile, out=tmp_path / "run").as_tables()

    assert title.endswith("5 are dropped, 3 of them shown; all in space.yaml and with --json")
    assert [r[1] for r in rows] == ["unit 0 layer 0", "unit 1 layer 0", "unit 1"]
