"""Reading a run's folder back."""

import json

import pytest

from ofa_plugins_core.errors import InputError
from ofa_plugins_core.report import read_run, search_result


def test_a_run_is_read_whole(make_run, result):
    run = read_run(make_run(result))
    assert run.job == "search"
    assert run.settings["seed"] == 7
    assert run.about["finished"].startswith("2026")
    assert [p.accuracy.value for p in run.search.points] == [60.25, 66.5, 71.75]
    assert [p.extrapolated for p in run.search.points] == [False, False, True]
    assert run.search.points[1].support == 17
    assert run.search.costs == ("peak_memory",)
    assert run.search.swept is None
    assert "front" not in run.search.facts


def test_networks_are_ranked_once_each(toy_entry, result):
    front = [toy_entry(0, 60.0), toy_entry(5, 65.0), toy_entry(5, 65.0), toy_entry(9, 61.0)]
    ranked = search_result({**result, "front": front}).ranked
    assert [p.accuracy.value for p in ranked] == [65.0, 61.0, 60.0]


def test_without_accuracies_the_cheapest_comes_first(toy_entry, result):
    front = [toy_entry(0, None), toy_entry(399, None)]
    found = search_result({**result, "front": front})
    assert found.ranked[0].arch == front[0]["arch"]


def test_a_sweep_has_bounds_and_misses(sweep):
    found = search_result(sweep)
    assert found.swept == "peak_memory"
    assert [p.bound for p in found.points] == [9000, 90000]
    assert (found.missed[0].bound, found.missed[0].smallest) == (1000, 4321)


def test_plain_latency_means_the_one_that_is_there(toy_entry, result):
    entry = toy_entry(0, bound=20)
    entry["costs"] = {"latency@note10": {"value": 18.5, "unit": "ms", "kind": "computed"}}
    found = search_result({**result, "swept": "latency", "front": [entry]})
    assert found.swept == "latency@note10"


def test_other_jobs_have_no_search(make_run):
    run = read_run(make_run({"records": 400, "files": ["a.npz"]}, job="fit"))
    assert run.search is None
    assert run.result["records"] == 400


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"accuracy": {"value": "high", "unit": "%", "kind": "predicted"}},
            "accuracy: expected a number",
        ),
        (
            {"accuracy": {"value": 70, "unit": "%", "kind": "guessed"}},
            "kind must be one of computed",
        ),
        ({"costs": [1, 2]}, "front[0]"),
        ({"costs": {"params": 5}}, "params: expected an object with value, unit and kind"),
        ({"arch": "wide"}, "arch: expected an object"),
        ({"bound": True}, "bound: expected a number"),
    ],
)
def test_a_broken_entry_is_named(toy_entry, result, change, said):
    with pytest.raises(InputError, match=r"front\[0\]") as caught:
        search_result({**result, "front": [{**toy_entry(0), **change}]}, "r.json")
    assert said in caught.value.message


@pytest.mark.parametrize("missing", ["arch", "accuracy", "costs"])
def test_a_missing_key_is_named(toy_entry, result, missing):
    entry = toy_entry(0)
    del entry[missing]
    with pytest.raises(InputError, match=f"lacks '{missing}'"):
        search_result({**result, "front": [entry]})


@pytest.mark.parametrize("name", ["result.json", "run.json", "config.yaml"])
@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff\xfe", b"[" * 100_000, b"NaN"])
def test_a_broken_folder_is_one_clear_error(make_run, result, name, content):
    folder = make_run(result)
    if content is None:
        (folder / name).unlink()
    elif (name, content) == ("config.yaml", b""):
        return  # an empty configuration is one
    else:
        (folder / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_run(folder)
    assert caught.value.exit_code == 5
    assert "\n" not in caught.value.message


def test_what_is_no_folder_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    for name, said in (
        ("file", "is a file"),
        ("nowhere", "is not a run's folder"),
        ("", "holds no"),
    ):
        with pytest.raises(InputError, match=said):
            read_run(tmp_path / name)


def test_infinite_numbers_are_refused(make_run, result, toy_entry):
    entry = toy_entry(0)
    folder = make_run(result)
    text = json.dumps({**result, "front": [entry]}).replace('"value": 70.0', '"value": Infinity')
    (folder / "result.json").write_text(text)
    with pytest.raises(InputError, match="Infinity"):
        read_run(folder)
