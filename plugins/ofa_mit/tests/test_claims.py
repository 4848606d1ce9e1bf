"""Once-for-All's claims that need no published file: they run, they hold, and they could fail."""

from __future__ import annotations

import sys
from subprocess import run

import numpy as np
import pytest
import yaml
from attrs import evolve

from ofa_mit.claims import entries, searching, spaces, specialised, tables
from ofa_mit.specialised import Specialised, label_of
from ofa_plugins_core import Host, InputError, JobContext, UsageError
from ofa_plugins_core.errors import MissingExtraError
from ofa_plugins_core.tables import row_key

CLAIMS = {entry.name.removeprefix("ofa_"): entry for entry in entries()}
WIDE = "ofa_mbv3_w1.2"


@pytest.fixture(scope="module")
def context():
    return JobContext(Host.discover())


@pytest.fixture
def quick(monkeypatch):
    few = {"evolution": {"population": 20, "generations": 3}}
    monkeypatch.setattr(searching, "EVOLUTION", few)


def test_the_space_has_the_published_number_of_networks(context):
    found = CLAIMS["networks"].check(context, {})
    assert found.verdict == "reproduced"
    assert [c.ours for c in found.comparisons] == [21_758_655_492_572_485_851, 25]


class TestParameters:
    def test_are_those_of_the_checkpoints(self, context):
        found = CLAIMS["parameters"].check(context, {})
        assert found.verdict == "reproduced"
        assert [c.ours for c in found.comparisons[1:]] == [7_678_880, 10_715_752]

    def test_one_more_in_a_checkpoint_differs(self, context, monkeypatch):
        monkeypatch.setitem(spaces.CHECKPOINTS, "ofa_mbv3_w1.0", 7_678_881)
        found = CLAIMS["parameters"].check(context, {})
        assert [c.holds for c in found.comparisons] == [True, False, True]

    def test_are_those_of_the_module(self, context):
        pytest.importorskip("torch")
        module = context.host.supernet("ofa_mbv3_w1.0").build(num_classes=1000)
        count = sum(p.numel() for p in module.parameters())
        assert spaces.stored(context, "ofa_mbv3_w1.0") == count


class TestSearch:
    @pytest.fixture
    def found(self, context, quick):
        """By evolution that ends too early."""
        return CLAIMS["search_flops"].check(context, {})

    def test_by_our_fit_is_consistent_with_the_published_one_and_no_more(
        self, context, monkeypatch
    ):
        enough = {"evolution": {"population": 50, "generations": 60}}
        monkeypatch.setattr(searching, "EVOLUTION", enough)
        found = CLAIMS["search_flops"].check(context, {})
        assert found.verdict == "consistent"
        assert "the predictor, which is ours" in found.chosen

    def test_that_ends_below_the_interval_of_the_best_differs(self, found):
        assert found.verdict == "differs"
        (judged,) = [c for c in found.comparisons if c.holds is not None]
        assert judged.ours < judged.against - judged.within

    def test_is_held_to_the_best_there_is_which_nobody_published(self, found):
        judged = found.comparisons[0]
        assert judged.published is None
        assert judged.beside == "the best there is, by exact search"

    def test_takes_seconds_that_are_shown_and_not_judged(self, found):
        seconds = [c for c in found.comparisons if c.unit == "s"]
        assert [c.holds for c in seconds] == [None, None]
        assert seconds[1].against == "5.6 to 6.3"
        assert seconds[1].beside.startswith("a run of the published search")

    def test_is_by_the_fit_that_ships_whatever_the_user_installed(
        self, context, tmp_path, monkeypatch
    ):
        monkeypatch.setenv("OFA_FITTED", str(tmp_path))
        (tmp_path / f"additive-{WIDE}-imagenet.json").write_text("of the user's")
        assert context.host.fitted("additive", WIDE)[0].own
        assert searching.fit_of(context, WIDE).parent.name == "fitted"

    def test_that_is_interrupted_interrupts_the_claim(self, context, monkeypatch):
        stopped = searching.run_search

        def interrupted(*asked):
            return evolve(stopped(*asked), interrupted=True)

        monkeypatch.setattr(searching, "run_search", interrupted)
        with pytest.raises(KeyboardInterrupt):
            searching.searched(context, supernet=WIDE, constraint=("flops<=600M",))

    def test_a_supernet_that_is_not_here_is_named(self, context):
        with pytest.raises(UsageError, match="unknown supernet 'nowhere'"):
            searching.searched(context, supernet="nowhere", constraint=("flops<=600M",))


class TestPublishedPredictor:
    def test_a_broken_file_is_one_of_the_users(self, context, tmp_path):
        pytest.importorskip("torch")
        file = tmp_path / "acc_predictor.pth"
        file.write_bytes(b"\x80\x04cos\nsystem\n(S'true'\ntR.")
        with pytest.raises(InputError, match=r"acc_predictor\.pth"):
            searching.published(context, context.host.supernet(WIDE), file)

    @pytest.mark.parametrize(
        ("raised", "found"),
        [
            (UsageError("it has the layout resnet"), InputError),
            (MissingExtraError("a .pth file", "ofa-plugins-mit", "torch"), MissingExtraError),
        ],
    )
    def test_another_supernets_is_broken_material_and_a_missing_extra_is_not(
        self, context, tmp_path, monkeypatch, raised, found
    ):
        def load(*asked):
            raise raised

        monkeypatch.setattr("ofa_mit.predictors.mlp.load_mlp", load)
        with pytest.raises(found):
            searching.published(context, context.host.supernet(WIDE), tmp_path / "other.pth")


class TestNote10Tables:
    @pytest.fixture
    def folder(self, context, tmp_path, monkeypatch):
        """Tables of two image sizes that have just the rows that the supernet needs."""
        monkeypatch.setattr(tables, "SIZES", (160, 224))
        for size in tables.SIZES:
            blocks = context.host.supernet(WIDE).geometry().catalogue(size).blocks
            rows = {row_key(b): {"count": 10, "mean": size / 100, "std": 0.0} for b in blocks}
            (tmp_path / f"{size}_lookup_table.yaml").write_text(yaml.safe_dump(rows))
        return tmp_path

    def checked(self, context, folder):
        return CLAIMS["note10_tables"].check(context, {"note10_tables": folder})

    def test_of_just_these_rows_hold(self, context, folder):
        found = self.checked(context, folder)
        assert found.verdict == "reproduced"
        assert [c.ours for c in found.comparisons] == [96, 96, 2, 2]

    def test_without_a_row_differ_and_name_it(self, context, folder):
        file = folder / "160_lookup_table.yaml"
        rows = yaml.safe_load(file.read_text())
        del rows["Logits-input:1x1x1536-output:1000"]
        file.write_text(yaml.safe_dump(rows))
        last = self.checked(context, folder).comparisons[-1]
        assert (last.ours, last.holds) == (1, False)
        assert last.why == "160_lookup_table.yaml has no row Logits-input:1x1x1536-output:1000"

    def test_an_empty_folder_is_refused(self, context, tmp_path):
        with pytest.raises(InputError, match="no latency table"):
            self.checked(context, tmp_path)


class TestSpecialised:
    """By configurations that a name gives figures to; image sizes are in none of them."""

    @pytest.fixture
    def arch(self, context):
        space = context.host.supernet(WIDE).at([224]).space
        (found,) = space.decode(space.sample(1, np.random.default_rng(0)))
        return found

    @pytest.fixture
    def named(self, arch, tmp_path, monkeypatch):
        """Name -> a network at 224 px that has it, as if read from a folder."""

        def call(name):
            made = [Specialised(name, WIDE, arch, "name", label_of(name))]
            monkeypatch.setattr(specialised, "_wide", lambda *asked: made)
            return {"specialised_networks": tmp_path, "note10_tables": tmp_path}

        return call

    @pytest.fixture
    def macs(self, context, arch):
        cost = context.host.cost_model("flops").build(context.host.supernet(WIDE).at([224]))
        return round(cost.evaluate([arch.as_dict()])[0] / 1e6)

    def test_macs_at_a_chosen_image_size_are_consistent_with_the_name(self, context, named, macs):
        found = CLAIMS["mobile_setting"].check(context, named(f"flops-{macs}M_top1-80.0"))
        assert found.verdict == "consistent"
        assert "image size" in found.chosen

    def test_top1_is_the_names_and_is_not_judged(self, context, named, macs):
        found = CLAIMS["mobile_setting"].check(context, named(f"flops-{macs}M_top1-79.0"))
        assert (found.comparisons[-1].ours, found.comparisons[-1].holds) == (79.0, None)

    def test_other_macs_than_the_names_differ(self, context, named, macs):
        found = CLAIMS["mobile_setting"].check(context, named(f"flops-{macs + 1}M_top1-80.0"))
        assert found.verdict == "differs"

    @pytest.fixture
    def latency(self, context, named, tmp_path):
        """ms in a network's name -> what the claim about the Note10 comes to.

        Every row of the table takes 0.1 ms at 160 px, and 0.2 at 224.
        """
        for size, mean in ((160, 0.1), (224, 0.2)):
            blocks = context.host.supernet(WIDE).geometry().catalogue(size).blocks
            rows = {row_key(b): {"count": 10, "mean": mean, "std": 0.0} for b in blocks}
            (tmp_path / f"{size}_lookup_table.yaml").write_text(yaml.safe_dump(rows))
        check = CLAIMS["note10_latency"].check
        return lambda ms: check(context, named(f"note10_lat-{ms:.2f}ms_top1-78.4"))

    def test_latency_is_at_the_largest_tabled_size_however_near_another_comes(self, latency):
        (row,) = latency(1).comparisons
        found = latency(row.ours / 2)
        assert row.what.endswith("at 224 px")
        assert (found.comparisons[0].ours, found.verdict) == (row.ours, "differs")
        assert "224 px, the largest that has a table" in found.chosen

    def test_latency_that_is_the_names_there_is_consistent(self, latency):
        (row,) = latency(1).comparisons
        assert latency(row.ours).verdict == "consistent"


def test_every_published_file_has_an_address():
    needed = {m.name: m.how for entry in entries() for m in entry.needs}
    assert needed
    assert [name for name, how in needed.items() if "https://" not in how] == []


def test_listing_claims_loads_nothing_that_checks_them():
    code = (
        "import sys, ofa_mit.plugin as p; list(p.ofa_claims()); "
        "print([m for m in sys.modules if m.startswith('ofa_mit.claims.') or m == 'torch'])"
    )
    said = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
