"""Networks with weights, and the architectures that a job is to look at."""

from __future__ import annotations

import json

import pytest
from attrs import evolve, frozen

from ofa_plugins_core import SupernetEntry
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InputError, MissingExtraError, PluginError, UsageError
from ofa_plugins_core.jobs import networks
from ofa_plugins_core.jobs.frontfiles import read_front
from ofa_plugins_core.jobs.networks import chosen_archs, largest, load_network
from ofa_plugins_core.jobs.torch_options import ArchOptions, NetworkOptions
from ofa_plugins_core.testing import in_process, toy_supernet


class FakeNet:
    """As much of an elastic module as loading needs."""

    space = active = largest = activate = extract = apply_statistics = sort_channels = None

    def __init__(self, torch, classes, head="classifier.linear"):
        self.tensors = {
            "first.weight": torch.zeros(2, 3),
            f"{head}.weight": torch.zeros(classes, 2),
            f"{head}.bias": torch.zeros(classes),
        }
        self.new_head = None

    def eval(self):
        return self

    def published(self, layout="new"):
        return dict(self.tensors)

    def load_published(self, state, *, new_head=False):
        self.new_head = new_head
        self.tensors["first.weight"] = state["first.weight"]


@frozen(eq=False, slots=False)
class Buildable:
    """A toy with a network."""

    toy: object

    def __getattr__(self, name):
        return getattr(self.toy, name)

    def build(self, num_classes=None):
        import torch

        return FakeNet(torch, num_classes or 1000)


@frozen(eq=False, slots=False)
class OwnNames(Buildable):
    """A third party's, whose head has a name of its own."""

    def build(self, num_classes=None):
        import torch

        return FakeNet(torch, num_classes or 1000, "neck.to_logits")


@frozen(eq=False, slots=False)
class Wrong(Buildable):
    """It builds something else, or fails."""

    def build(self, num_classes=None):
        if num_classes == 4:
            raise ZeroDivisionError("no such width")
        return [num_classes]


@pytest.fixture
def context(monkeypatch, tmp_path):
    from ofa_plugins_core import Host

    monkeypatch.setenv("OFA_CACHE", str(tmp_path / "cache"))
    entries = [
        SupernetEntry("bare", "no torch", toy_supernet),
        SupernetEntry("toy", "with a network", lambda: Buildable(toy_supernet())),
        SupernetEntry("own", "with names of its own", lambda: OwnNames(toy_supernet())),
        SupernetEntry("wrong", "builds no network", lambda: Wrong(toy_supernet())),
    ]
    return JobContext(Host.discover(extra={"toys": in_process("toys", ofa_supernets=entries)}))


def load(context, **options):
    return load_network(context, NetworkOptions(supernet="toy", **options))


@pytest.fixture
def checkpoint(tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "net.pth"
    state = {"first.weight": torch.ones(2, 3), "classifier.linear.weight": torch.zeros(7, 2)}
    torch.save({"state_dict": {**state, "classifier.linear.bias": torch.zeros(7)}}, path)
    return path


def test_a_checkpoint_says_for_how_many_classes_it_is(context, checkpoint):
    found = load(context, weights=str(checkpoint))
    assert (found.classes, found.synthetic, found.source) == (7, False, str(checkpoint))
    assert float(found.net.tensors["first.weight"].sum()) == 6
    assert found.net.new_head is False


def test_the_data_sets_classes_do_not_change_a_checkpoints(context, checkpoint):
    options = NetworkOptions(supernet="toy", weights=str(checkpoint))
    assert load_network(context, options, 10).classes == 7


def test_other_classes_are_refused_with_the_offer_of_a_new_head(context, checkpoint):
    with pytest.raises(UsageError, match="for 7 classes, not 10") as raised:
        load(context, weights=str(checkpoint), classes=10)
    assert "--new-head" in raised.value.advice


def test_a_new_head_is_for_the_named_classes_or_the_data_sets(context, checkpoint):
    options = NetworkOptions(supernet="toy", weights=str(checkpoint), new_head=True)
    told = []
    found = load_network(evolve(context, listener=told.append), options, 10)
    assert (found.classes, found.net.new_head, found.new_head) == (10, True, True)
    assert "new: train it first" in told[0].message
    assert load_network(context, evolve(options, classes=3), 10).classes == 3
    assert load_network(context, options).new_head is False


def test_synthetic_weights_are_marked_and_take_the_data_sets_classes(context):
    pytest.importorskip("torch")
    found = load(context, weights="synthetic")
    assert (found.synthetic, found.classes) == (True, 1000)
    assert "synthetic" in found.source
    assert float(found.net.tensors["first.weight"].abs().sum()) > 0
    options = NetworkOptions(supernet="toy", weights="synthetic")
    assert load_network(context, options, 10).classes == 10
    assert load_network(context, evolve(options, classes=4), 10).classes == 4


def test_a_third_partys_head_is_found_whatever_its_name(context, tmp_path):
    torch = pytest.importorskip("torch")
    options = NetworkOptions(supernet="own", weights="synthetic")
    assert load_network(context, options, 10).classes == 10
    state = {"first.weight": torch.ones(2, 3), "neck.to_logits.weight": torch.zeros(7, 2)}
    torch.save(state, tmp_path / "own.pth")
    options = evolve(options, weights=str(tmp_path / "own.pth"))
    assert load_network(context, options).classes == 7
    with pytest.raises(UsageError, match="for 7 classes, not 10"):
        load_network(context, evolve(options, classes=10))


def test_a_file_without_a_head_is_refused(context, tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({"first.weight": torch.ones(2, 3)}, tmp_path / "none.pth")
    with pytest.raises(InputError, match="has no classifier that toy knows"):
        load(context, weights=str(tmp_path / "none.pth"))


def test_a_plugin_that_builds_no_network_is_named(context):
    pytest.importorskip("torch")
    options = NetworkOptions(supernet="wrong", weights="synthetic")
    with pytest.raises(
        PluginError, match=r"plugin 'toys'.*build\(\) gave a list, which is no Elastic"
    ):
        load_network(context, options)
    with pytest.raises(PluginError, match=r"plugin 'toys'.*build\(\) raised ZeroDivisionError"):
        load_network(context, evolve(options, classes=4))


def test_without_weights_the_three_ways_are_named(context):
    pytest.importorskip("torch")
    for weights in (None, "no_such_name", "no/such/file.pth", "../x"):
        with pytest.raises(InputError) as raised:
            load(context, weights=weights)
        for way in ("--weights FILE", "ofa weights fetch", "--weights synthetic"):
            assert way in raised.value.advice


def test_what_cannot_be_built_or_makes_no_sense_is_said(context, checkpoint):
    with pytest.raises(UsageError, match="toy has no network in torch"):
        load_network(context, NetworkOptions(supernet="bare", weights="synthetic"))
    with pytest.raises(UsageError, match="--classes: expected"):
        load(context, weights="synthetic", classes=0)


def test_without_torch_it_is_said_how_to_install_it(context, monkeypatch):
    monkeypatch.setattr(networks, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"\[torch\]"):
        load(context, weights="synthetic")


# ------------------------------------------------------------------------------- archs


def test_exactly_one_source_of_architectures(context):
    with pytest.raises(UsageError, match="found none"):
        chosen_archs(context, ArchOptions(), toy_supernet())
    with pytest.raises(UsageError, match="found --random and --largest"):
        chosen_archs(context, ArchOptions(random=1, largest=True), toy_supernet())


def test_a_file_is_taken_in_its_order_at_any_image_size(context, archs):
    found = chosen_archs(context, ArchOptions(archs=archs), toy_supernet())
    assert [a.image_size for a in found] == [32, 64, 48]
    assert dict(found[1].choices)["ks"] == (5, 5, 5, 5)


def test_random_ones_are_drawn_with_the_seed(context):
    one, same, other = (
        chosen_archs(evolve(context, seed=s), ArchOptions(random=5), toy_supernet())
        for s in (1, 1, 2)
    )
    assert one == same
    assert one != other
    assert len(one) == 5
    with pytest.raises(UsageError, match="--random: expected 1 to"):
        chosen_archs(context, ArchOptions(random=0), toy_supernet())


def test_the_largest_has_the_last_option_everywhere(context):
    (found,) = chosen_archs(context, ArchOptions(largest=True), toy_supernet())
    assert found == largest(toy_supernet())
    expected = {"ks": [5] * 4, "e": [3] * 4, "d": [2, 2], "image_size": 64}
    assert found.as_dict() == expected


def run_folder(tmp_path, archs, **more):
    lines = [json.loads(line) for line in archs.read_text().splitlines()]
    front = [{"arch": line.get("arch", line), "accuracy": None, "costs": {}} for line in lines]
    accuracy = {"value": 61.5, "unit": "%", "kind": "predicted", "low": 60, "high": 62}
    front[1]["accuracy"] = accuracy
    missed = {"bound": 1, "infeasible": True, "smallest": 2, "binds": "it"}
    folder = tmp_path / "run"
    folder.mkdir()
    result = {"supernet": "toy", "front": [missed, *front, front[0]], **more}
    (folder / "result.json").write_text(json.dumps(result))
    return folder


def test_a_runs_front_is_taken_once_each_with_what_was_predicted(context, tmp_path, archs):
    folder = run_folder(tmp_path, archs)
    found = chosen_archs(context, ArchOptions(run=folder), toy_supernet())
    assert [a.image_size for a in found] == [32, 64, 48]
    assert [c.accuracy and c.accuracy["value"] for c in read_front(folder, toy_supernet())] == [
        None,
        61.5,
        None,
    ]


def test_a_run_that_is_none_is_one_clear_line(tmp_path, archs):
    with pytest.raises(InputError, match="cannot read"):
        read_front(tmp_path / "absent", toy_supernet())
    folder = run_folder(tmp_path, archs, supernet="other")
    with pytest.raises(UsageError, match="is of other, not of toy"):
        read_front(folder, toy_supernet())
    for text, said in (
        ("{", "is broken"),
        ('{"x": 1}', "holds no front"),
        ('{"supernet": "toy", "front": []}', "found no network"),
        ('{"supernet": "toy", "front": [{"arch": {"ks": 3}}]}', r"front\[0\]: 'ks' must be"),
        ('{"supernet": "toy", "front": [7]}', r"front\[0\]: broken"),
    ):
        (folder / "result.json").write_text(text)
        with pytest.raises(InputError, match=said):
            read_front(folder, toy_supernet())
