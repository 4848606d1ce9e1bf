"""Once-for-All's claims that need no published file: they run, they hold, and they could fail."""

from __future__ import annotations

import sys
from subprocess import run

import pytest
import yaml
from attrs import evolve

from ofa_mit.claims import entries, searching, spaces, tables
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
    def test_is_quicker_than_published_and_finds_as_much(self, context, quick):
        found = CLAIMS["search_flops"].check(context, {})
        assert found.verdict == "reproduced"
        exact, evolved, top1 = found.comparisons
        assert (exact.published, evolved.holds) == (5.6, None)
        assert top1.ours >= top1.published

    def test_a_quicker_published_one_differs(self, context, quick, monkeypatch):
        monkeypatch.setattr(searching, "MACS_SECONDS", (0.0, 0.0))
        assert CLAIMS["search_flops"].check(context, {}).verdict == "differs"

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


def test_listing_claims_loads_nothing_that_checks_them():
    code = (
        "import sys, ofa_mit.plugin as p; list(p.ofa_claims()); "
        "print([m for m in sys.modules if m.startswith('ofa_mit.claims.') or m == 'torch'])"
    )
    said = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
