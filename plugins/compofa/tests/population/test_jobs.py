"""``ofa run population``: measured networks of two supernets at equal latency."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ofa_plugins_core.cli.main import run
from ofa_plugins_core.values import RESOLUTION

OURS, THEIRS = "compofa_elastic", "ofa_mbv3_w1.0"
EACH = 60
FAST = ("--draws", "100")


@pytest.fixture(scope="module")
def write(host, tmp_path_factory):
    """(supernet, points above the other, image sizes) -> a file of made-up measured networks."""
    folder = tmp_path_factory.mktemp("measured")

    def make(name, gap, sizes=(160, 192), each=EACH):
        supernet = host.supernet(name).at(sizes)
        generator = np.random.default_rng(len(name))
        genes = supernet.space.sample(each * len(sizes), generator)
        genes[:, RESOLUTION] = np.repeat(np.arange(len(sizes)), each)
        genes = np.unique(supernet.space.canonical(genes), axis=0)
        macs = host.cost_model("flops").build(supernet).evaluate(genes) / 1e6
        top1 = 60 + 0.08 * macs - 1e-4 * macs**2 + gap + 0.1 * generator.standard_normal(len(genes))
        lines = [
            json.dumps({"arch": arch.as_dict(), "top1": round(value, 3)})
            for arch, value in zip(supernet.space.decode(genes), top1.tolist(), strict=True)
        ]
        file = folder / f"{name}-{gap}-{'-'.join(map(str, sizes))}-{each}.jsonl"
        file.write_text("\n".join(lines) + "\n")
        return file

    return make


@pytest.fixture
def compare(ofa, table, write):
    """Runs the job on made-up records; ours lie so many points above theirs."""

    def call(gap, *words, ours=(160, 192), theirs=(160, 192)):
        return ofa(
            *("population", "--lut", table, *FAST, *words),
            *("--records", f"{OURS}={write(OURS, gap, ours)}"),
            *("--records", f"{THEIRS}={write(THEIRS, 0.0, theirs)}"),
        )

    return call


def claims(found):
    return {c["claim"]: c for c in found["claims"]}


# ------------------------------------------------------------------------------- what is found


def test_a_population_that_is_better_everywhere_is_told_so_at_each_image_size(compare):
    code, found, _ = compare(0.5)
    assert code == 0
    assert [g["image_size"] for g in found["gaps"]] == [160, 192, None]
    for gap in found["gaps"][:2]:
        assert gap["mean"]["value"] == pytest.approx(0.5, abs=0.2)  # the table is not of MACs
        assert 0 < gap["mean"]["low"] <= gap["mean"]["value"] <= gap["mean"]["high"]
        assert (gap["mean"]["unit"], gap["mean"]["kind"]) == ("points", "measured")
    for size in (160, 192):
        assert claims(found)[f"more accurate at equal latency@device, {size} px"]["verdict"] == (
            "holds"
        )
    assert claims(found)["denser near the front (within 1 point)"]["verdict"] == "holds"


def test_a_worse_one_is_told_so_too(compare):
    _, found, _ = compare(-0.5)
    assert claims(found)["more accurate at equal latency@device, 160 px"]["verdict"] == "reversed"


def test_the_best_records_under_a_bound_are_those_of_the_files(compare, host, table):
    _, found, _ = compare(0.5, "--bounds", "1,8,100")
    nothing, some, everything = found["best"]
    assert nothing[OURS] == {"records": 0, "arch": None}
    assert everything[OURS]["records"] == found["populations"][0]["records"]
    for best in (some, everything):
        assert best[OURS]["cost"]["value"] <= best["bound"]
        assert best[OURS]["top1"]["kind"] == "measured"
    assert some[OURS]["top1"]["value"] <= everything[OURS]["top1"]["value"]


def test_without_bounds_five_round_ones_are_taken(compare):
    _, found, _ = compare(0.0)
    assert len(found["best"]) == 5
    assert all(best["bound"] == float(f"{best['bound']:.2g}") for best in found["best"])


def test_any_cost_can_be_held_equal(ofa, write):
    code, found, _ = ofa(
        *("population", "--cost", "flops", *FAST),
        *("--records", f"{OURS}={write(OURS, 0.5)}"),
        *("--records", f"{THEIRS}={write(THEIRS, 0.0)}"),
    )
    assert (code, found["cost"]["name"], found["cost"]["kind"]) == (0, "flops", "computed")
    assert all(g["mean"]["value"] == pytest.approx(0.5, abs=0.1) for g in found["gaps"][:2])
    assert "published_gap" not in found


def test_the_same_seed_gives_the_same_result_and_another_only_other_intervals(compare):
    (_, first, _), (_, second, _), (_, other, _) = (
        compare(0.2, "--seed", seed) for seed in ("1", "1", "2")
    )
    assert {**first, "run": None} == {**second, "run": None}
    assert other["gaps"][0]["mean"]["value"] == first["gaps"][0]["mean"]["value"]
    assert other["gaps"][0]["mean"]["low"] != first["gaps"][0]["mean"]["low"]


def test_the_tables_say_what_holds(host, ofa, table, write, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    words = ["run", "population", "--lut", str(table), *FAST]
    words += ["--records", f"{OURS}={write(OURS, 0.5)}"]
    words += ["--records", f"{THEIRS}={write(THEIRS, 0.0)}"]
    assert run(words, lambda block: host) == 0
    told = capsys.readouterr().err
    assert "holds" in told
    assert "not what all networks of a file share" in told
    assert "+0.6 to +0.8" in told


def test_both_populations_are_drawn_where_asked_for(compare, tmp_path):
    pytest.importorskip("matplotlib")
    compare(0.5, "--plot", "--out", "kept")
    drawn = (tmp_path / "kept" / "population.svg").read_text()
    assert f"{OURS}, mean of a bin" in drawn
    assert "160 px" in drawn


def test_two_files_of_one_supernet_are_told_apart(ofa, table, write):
    records = [f"{OURS}={write(OURS, gap)}" for gap in (0.5, 0.0)]
    code, found, _ = ofa(
        *("population", "--lut", table, *FAST),
        *(w for text in records for w in ("--records", text)),
    )
    assert code == 0
    assert list(found["gaps"][0]["networks"]) == [OURS, f"{OURS} (2)"]
    assert found["gaps"][0]["mean"]["value"] == pytest.approx(0.5, abs=0.02)


def test_what_cannot_be_known_is_null(compare):
    _, found, _ = compare(0.5, "--bins", "100")  # so narrow that none has five of each
    assert found["gaps"][0]["mean_of_bins"]["value"] is None
    assert found["bins"] == []
    assert claims(found)["denser near the front (within 1 point)"] == {
        "claim": "denser near the front (within 1 point)",
        "value": None,
        "low": None,
        "high": None,
        "unit": "share",
        "kind": "measured",
        "verdict": "undecided",
    }


def test_a_comparison_that_is_resumed_starts_anew_and_says_so(compare):
    _, first, _ = compare(0.5, "--out", "kept")
    code, again, told = compare(0.5, "--out", "kept", "--resume")
    assert (code, again) == (0, first)
    assert "starts anew" in told


def test_a_plot_that_cannot_be_drawn_is_refused_before_the_work(compare, monkeypatch):
    monkeypatch.setattr("compofa.population.jobs.can_draw", lambda: False)
    code, _, told = compare(0.5, "--plot")
    assert code == 2
    assert "[plot]" in told


# ------------------------------------------------------------------------------- left out


def test_image_sizes_without_a_table_are_left_out_and_named(compare):
    _, found, told = compare(0.5, ours=(128, 160), theirs=(128, 160, 192))
    assert [g["image_size"] for g in found["gaps"]] == [160]
    assert found["left_out"] == {
        "128": "latency@device has no table for it",
        "192": f"no record of {OURS} is of that size",
    }
    assert "left out: 128 px (latency@device has no table for it); 192 px" in told


def test_only_the_image_sizes_that_were_asked_for_are_compared(compare):
    _, found, _ = compare(0.5, "--resolutions", "192,224")
    assert [g["image_size"] for g in found["gaps"]] == [192]
    assert found["left_out"] == {"224": "neither file has records of it"}


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        ((160,), (192,), "no image size can be compared"),
        ((128,), (128,), "nothing is left to compare: 128 px"),
    ],
)
def test_where_nothing_is_left_the_reason_is_told(compare, ours, theirs, said):
    code, _, told = compare(0.0, ours=ours, theirs=theirs)
    assert code == 2
    assert said in told


def test_too_few_networks_are_told(ofa, table, write):
    files = {name: write(name, 0.0, (160,), 20) for name in (OURS, THEIRS)}
    code, _, told = ofa(
        *("population", "--lut", table, *FAST),
        *(w for name, file in files.items() for w in ("--records", f"{name}={file}")),
    )
    assert code == 5
    assert "160 px: 20 and 20 networks are too few for a curve (30)" in told


def test_a_record_of_another_supernet_is_named(ofa, table, write):
    file = write(THEIRS, 0.0)
    code, _, told = ofa(
        *("population", "--lut", table, *FAST),
        *("--records", f"{OURS}={file}", "--records", f"{THEIRS}={file}"),
    )
    assert code == 5
    assert f"{file}, line 1" in told
    assert "coupling" in told


def test_rows_of_other_widths_need_a_word(ofa, shared):
    records = [f"--records={name}={shared / 'accuracy' / name}.jsonl" for name in (OURS, THEIRS)]
    lut = shared / "lut" / "note10"
    code, _, told = ofa("population", "--lut", lut, *FAST, *records)
    assert code == 5
    assert "--lut-as ofa_mbv3_w1.2" in told


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "--records"),
        (("--records", "FILE"), 2, "SUPERNET=FILE"),
        (("--records", "compofa_elastic=FILE"), 2, "two populations are compared, and 1 given"),
        (("--records", "compofa_elastik=FILE"), 2, "compofa_elastic"),
        (("--records", "compofa_elastic=nowhere", "--records", "compofa=nowhere"), 5, "nowhere"),
        (("--records", "compofa_elastic=FILE", "--draws", "10"), 2, "draws"),
        (("--records", "compofa_elastic=FILE", "--out", "found.json"), 2, "kept in a folder"),
    ],
)
def test_a_mistake_gets_one_clear_line(ofa, table, write, words, code, said):
    given = [w.replace("FILE", str(write(OURS, 0.0))) for w in words]
    found, _, told = ofa("population", "--lut", table, *given)
    assert found == code
    assert said in told
    assert "Traceback" not in told


# ------------------------------------------------------------------------------- as published


def test_what_was_found_on_the_published_records_is_found_again(ofa, shared):
    records = [f"--records={name}={shared / 'accuracy' / name}.jsonl" for name in (OURS, THEIRS)]
    code, found, _ = ofa(
        *("population", "--lut", shared / "lut" / "note10", "--lut-as", "ofa_mbv3_w1.2"),
        *(*records, *FAST, "--bounds", "15,20,25,30,35"),
    )
    assert code == 0
    best = {n: [round(b[n]["top1"]["value"], 2) for b in found["best"]] for n in (OURS, THEIRS)}
    assert best == {
        THEIRS: [71.46, 73.07, 74.79, 75.26, 75.64],
        OURS: [71.62, 74.19, 74.80, 75.98, 76.58],
    }
    gaps = {g["image_size"]: g for g in found["gaps"]}
    assert [round(gaps[s]["mean"]["value"], 2) for s in (160, 192)] == [0.09, 0.26]
    assert all(gaps[s]["at_from"]["value"] < 0 for s in (160, 192))
    assert all(gaps[s]["mean"]["high"] < 0.6 for s in (160, 192))  # the published gap
    assert (found["published_gap"]["low"], found["published_gap"]["high"]) == (0.6, 0.8)
    assert list(found["left_out"]) == ["128"]
