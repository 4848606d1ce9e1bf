"""Options of supernets: ``--set NAME.KEY=VALUE`` for every job, and ``base:`` in YAML."""

from __future__ import annotations

import pytest

from ofa_plugins_core.errors import UnknownNameError, UsageError

SOURCE = """
from attrs import frozen
from ofa_plugins_core import SamplerEntry, SupernetEntry, hookimpl
from ofa_plugins_core.testing import toy_supernet

@frozen
class Variant:
    stages: int | None = None
    resolutions: tuple[int, ...] = (32, 64)

def build(options):
    stages = options.stages or 2
    name = "varied" if options.stages is None else f"varied+stages{stages}"
    return toy_supernet(name, options.resolutions, stages)

@hookimpl
def ofa_supernets():
    yield SupernetEntry("varied", "a toy", build, ("alias",), Variant)

@frozen
class Draw:
    bias: float = 0.0

class Shares:
    def __init__(self, supernet, options):
        self.space, self.bias = supernet.space, options.bias

    def sample(self, n, generator):
        assert self.bias == 0.5
        return self.space.canonical(self.space.sample(n, generator))

@hookimpl
def ofa_samplers():
    yield SamplerEntry("varied", "has the name of the supernet", Shares, Draw)
"""


@pytest.fixture
def host(host_with):
    return host_with(SOURCE)


@pytest.fixture
def sample(ofa, host):
    return lambda *words: ofa("run", "sample", "--n", "3", "--json", *words, host=host)


def drawn(done):
    assert done.code == 0, done.err
    return done.lines


class TestHost:
    def test_without_settings_it_is_as_published(self, host):
        assert host.supernet("alias").name == "varied"

    def test_a_supernet_is_built_with_its_settings_under_any_name(self, host):
        configured = host.configured({"alias": {"stages": 3}})
        assert configured.supernet("varied").name == "varied+stages3"
        assert configured.supernet("alias").name == "varied+stages3"
        assert host.supernet("varied").name == "varied"

    def test_names_and_aliases_are_settings_of_one(self, host):
        configured = host.configured({"alias": {"stages": 3}, "varied": {"resolutions": (96,)}})
        assert configured.supernet("alias").resolutions == (96,)

    def test_settings_are_strict(self, host):
        with pytest.raises(UsageError, match="varied: unknown key 'stage'; nearest known: stages"):
            host.configured({"varied": {"stage": 3}}).supernet("varied")
        with pytest.raises(UnknownNameError, match=r"unknown supernet 'varid'; nearest.* varied"):
            host.configured({"varid": {"stages": 3}})

    def test_a_variant_goes_by_the_name_that_results_give_it(self, host):
        assert host.supernet("varied+stages3").name == "varied+stages3"
        sized = host.configured({"varied": {"resolutions": (96,)}}).supernet("alias+stages3")
        assert (sized.name, sized.resolutions) == ("varied+stages3", (96,))

    @pytest.mark.parametrize("name", ["varied+stage3", "varied+stages", "toy+stages3", "varied+"])
    def test_no_other_name_is_a_variants(self, host, name):
        with pytest.raises(UsageError, match=r"has no smaller space .*, nor an option"):
            host.supernet(name)

    def test_it_knows_what_was_never_asked_for(self, host):
        configured = host.configured({"varied": {"stages": 3}})
        assert configured.unused_settings() == ["varied"]
        configured.supernet("varied")
        assert configured.unused_settings() == []


class TestSet:
    def test_every_job_gets_the_variant(self, sample):
        found = drawn(sample("--supernet", "alias", "--set", "varied.stages=3"))
        assert [len(arch["d"]) for arch in found] == [3, 3, 3]

    def test_an_alias_may_be_set_too(self, sample):
        found = drawn(sample("--supernet", "varied", "--set", "alias.resolutions=96"))
        assert {arch["image_size"] for arch in found} == {96}

    def test_an_entry_of_the_same_name_gets_its_own_keys_alone(self, sample):
        words = ("--set", "varied.stages=3", "--set", "varied.bias=0.5")
        found = drawn(sample("--supernet", "varied", "--sampler", "varied", *words))
        assert len(found[0]["d"]) == 3

    def test_a_supernet_that_takes_no_part_is_mentioned(self, sample):
        done = sample("--supernet", "toy", "--set", "varied.stages=3")
        assert done.code == 0
        assert "the options of varied had no effect" in done.err

    @pytest.mark.parametrize(
        ("setting", "said"),
        [
            ("varied.stage=3", "varied: unknown key 'stage'; nearest known: stages"),
            ("varied.stages=few", "varied.stages: expected a whole number, found 'few'"),
            ("aliass.stages=3", "unknown name in --set 'aliass'; nearest known: alias"),
            ("toy.stages=3", "toy: unknown key 'stages'; known: none"),
        ],
    )
    def test_what_is_wrong_is_code_2(self, sample, setting, said):
        done = sample("--supernet", "varied", "--set", setting)
        assert done.code == 2
        assert said in done.err

    def test_it_is_kept_with_the_run(self, ofa, host, tmp_path):
        out = tmp_path / "run"
        words = ("--supernet", "varied", "--set", "varied.stages=3", "--cost", "params")
        words += ("--minimize", "params", "--out", str(out))
        assert ofa("run", "search", *words, host=host).code == 0
        text = (out / "config.yaml").read_text()
        assert 'set: {"varied": {"stages": 3}}' in text
        again = ofa("run", "search", "--config", str(out / "config.yaml"), "--json", host=host)
        assert again.code == 0
        assert len(again.json["architecture"]["d"] if "architecture" in again.json else "abc") == 3


class TestBase:
    def supernet(self, host, tmp_path, text):
        file = tmp_path / "mine.yaml"
        file.write_text(text)
        return host.supernet(str(file))

    def test_a_file_may_change_another_supernet(self, host, tmp_path):
        found = self.supernet(host, tmp_path, "base: alias\nstages: 3\nresolutions: [48]\n")
        assert (found.name, found.resolutions) == ("varied+stages3", (48,))

    def test_or_nothing_of_it(self, host, tmp_path):
        assert self.supernet(host, tmp_path, "base: varied\n").name == "varied"
        assert self.supernet(host, tmp_path, "base: toy\n").name == "toy"

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("base: varid\n", "unknown supernet 'varid'; nearest known: varied"),
            ("base: 3\n", "base: expected a supernet's name, found 3"),
            ("base: varied\nstage: 3\n", "unknown key 'stage'; nearest known: stages"),
            ("base: toy\nstages: 3\n", "unknown key 'stages'; known: none"),
        ],
    )
    def test_what_is_wrong_is_said_with_the_file(self, host, tmp_path, text, said):
        with pytest.raises(UsageError, match=r"mine\.yaml") as caught:
            self.supernet(host, tmp_path, text)
        assert said in caught.value.message
