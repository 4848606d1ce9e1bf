"""Which fit is taken: the named file, then what the host chose (the user's own comes first)."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from attrs import evolve

from ofa_plugins_core import Host
from ofa_plugins_core.entries import FittedPredictorEntry
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.jobs.fit_options import FitOptions
from ofa_plugins_core.jobs.fitting.accuracy import run_fit
from ofa_search.additive.fitfile import dumps, loads
from ofa_search.additive.loading import load_additive


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The user's own folder."""
    monkeypatch.setenv("OFA_FITTED", str(tmp_path / "own"))
    return tmp_path / "own"


@pytest.fixture
def run_folder(context, records):
    return run_fit(context, FitOptions("toy", data=(records,), dataset="imagenet")).files[0].parent


def placed(source, folder, dataset, origin):
    """A copy of a fit that can be told apart by its origin."""
    folder.mkdir(exist_ok=True)
    fit = evolve(loads(source.read_bytes(), "toy"), dataset=dataset, origin=origin)
    file = folder / f"additive-toy-{dataset}.json"
    file.write_text(dumps(fit))
    return file


@pytest.fixture
def shipped(run_folder, tmp_path):
    source = run_folder / "additive-toy-imagenet.json"
    file = placed(source, tmp_path / "shipped", "imagenet", "shipped")
    return FittedPredictorEntry("additive", "toy", "imagenet", file, "shipped")


def test_what_ships_is_taken_by_default(toy, shipped):
    assert load_additive(toy, None, shipped).fit.origin == "shipped"


def test_an_installed_fit_for_the_same_data_set_comes_before_it(shipped, folder):
    own = placed(shipped.file, folder, "imagenet", "own")
    assert [e.file for e in Host.discover().fitted("additive", "toy")] == [own]


def test_an_installed_fit_for_another_data_set_is_offered_by_its_name(shipped, folder):
    placed(shipped.file, folder, "flowers", "own")
    assert [e.dataset for e in Host.discover().fitted("additive", "toy")] == ["flowers"]


def test_a_named_file_comes_first(toy, shipped, folder, tmp_path):
    placed(shipped.file, folder, "imagenet", "own")
    named = placed(shipped.file, tmp_path / "named", "imagenet", "named")
    assert load_additive(toy, named, shipped).fit.origin == "named"


def test_a_run_folder_is_as_good_as_its_file(toy, run_folder):
    assert load_additive(toy, run_folder, None).fit.supernet == "toy"


def test_a_folder_without_a_fit_is_an_error(toy, tmp_path):
    with pytest.raises(InputError, match="holds 0 fits"):
        load_additive(toy, tmp_path, None)


def test_a_missing_file_is_an_error(toy, tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        load_additive(toy, tmp_path / "none.json", None)


def test_a_supernet_without_a_fit_says_how_to_get_one(toy):
    with pytest.raises(UsageError, match="no additive predictor for toy") as caught:
        load_additive(toy, None, None)
    assert "ofa run fit --supernet toy --data FILE" in str(caught.value)


def test_a_fit_of_another_supernet_is_refused_with_both_names(toy, run_folder):
    other = SimpleNamespace(name="other", space=evolve(toy.space, name="other"))
    with pytest.raises(UsageError, match="is a fit for toy, not for other") as caught:
        load_additive(other, run_folder, None)
    assert "ofa run fit --supernet other --data FILE" in str(caught.value)
