"""``ofa run profile`` on the toy: rows, files, seeds, interruptions."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from block_profile.profiling.profile import RANDOM, read_profile
from block_profile.profiling.writing import csv_text
from ofa_plugins_core.errors import UnknownNameError, UsageError
from ofa_plugins_core.events import Notice, Progress


def rows(profile) -> list[str]:
    return [row.label for row in profile.rows]


def test_random_networks_then_every_block_then_every_depth(profiled) -> None:
    profile = profiled(num_archs=5).profile

    assert rows(profile)[:2] == [RANDOM, "Unit 0 Layer 0 as MBConv2_3x3"]
    kinds = [row.alone.kind for row in profile.rows[1:]]
    assert kinds == ["block"] * 16 + ["depth"] * 4
    assert profile.networks == 400


def test_forced_blocks_are_active_in_all_networks_or_in_the_rules_share(profiled) -> None:
    strict = profiled(num_archs=200, depths=False).profile
    paper = profiled(num_archs=200, depths=False, rule="paper").profile

    assert {row.active for row in strict.rows} == {1.0}
    shares = {(r.alone.layer, r.chance) for r in paper.rows[1:]}
    assert shares == {(0, 1.0), (1, 0.5)}
    assert {r.active for r in paper.rows[1:] if r.alone.layer == 1} != {1.0}


def test_what_is_kept_is_read_again_and_the_csv_is_as_published(profiled, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    found = profiled(out=folder, num_archs=5, exact=True)

    assert read_profile(folder) == found.profile
    head, first, second, *_ = csv.reader(io.StringIO((folder / "profile.csv").read_text()))
    assert head[:10] == ["Fixed block", "accuracy mu", "sig", "1%", "5%", "95%", "99%", "min",
                         "max", "params mu"]  # fmt: skip
    assert (first[0], second[0]) == (RANDOM, "Unit 0 Layer 0 as MBConv2_3x3")
    assert float(first[1]) == pytest.approx(found.profile.rows[0].sampled["accuracy"].mean)
    log = (folder / "profile.log").read_text()
    assert "best accuracy" in log and "worst params" in log and "(exact)" in log
    assert json.dumps(found.as_json())


def test_no_log_writes_none(profiled, tmp_path: Path) -> None:
    profiled(out=tmp_path / "run", num_archs=2, log=False)

    assert not (tmp_path / "run" / "profile.log").exists()


def test_without_networks_the_closed_form_fills_the_csv(profiled) -> None:
    profile = profiled(num_archs=0, exact=True, blocks=("[0, 1]",)).profile

    assert profile.rows[0].sampled == {} and profile.best == {}
    assert csv_text(profile).count("\n") == 1 + 1 + 4


def test_a_row_at_each_image_size_has_random_networks_of_its_own(profiled) -> None:
    profile = profiled(num_archs=5, per_resolution=True, blocks=("[0, 0, 5, 3]",)).profile

    assert rows(profile) == [
        "Random networks with Resolution 32",
        "Random networks with Resolution 64",
        "Unit 0 Layer 0 as MBConv3_5x5 with Resolution 32",
        "Unit 0 Layer 0 as MBConv3_5x5 with Resolution 64",
    ]
    large = profile.rows[3]
    assert large.image_size == 64 and profile.random(64) is profile.rows[1]


def test_a_block_with_a_resolution_of_its_own_is_drawn_there_alone(profiled) -> None:
    profile = profiled(num_archs=5, metrics=("flops",), blocks=("[0, 0, 5, 3, 48]", "[1, 0, 5, 3]"))
    sized, free = profile.profile.rows[2:]

    assert (sized.image_size, free.image_size) == (48, None)
    assert profile.profile.resolutions == (32, 64)
    assert sized.label.endswith("with Resolution 48")


def test_one_seed_gives_one_profile(profiled) -> None:
    assert profiled(num_archs=9).profile == profiled(num_archs=9).profile
    assert profiled(num_archs=9).profile != profiled(num_archs=9, seed=1).profile


def test_common_draws_differ_by_what_is_forced_alone(profiled) -> None:
    spec = ("[0, 0, 3, 2]", "[0, 0, 5, 3]")
    common = profiled(num_archs=50, metrics=("params",), blocks=spec).profile
    alone = profiled(num_archs=50, metrics=("params",), blocks=spec, draws="independent").profile
    exact = profiled(num_archs=0, exact=True, metrics=("params",), blocks=spec).profile

    def gap(profile) -> float:
        small, large = (row.best_known("params").mean for row in profile.rows[1:])
        return large - small

    assert gap(common) == pytest.approx(gap(exact))  # parameters of one place are a sum's own term
    assert abs(gap(alone) - gap(exact)) > 1


def test_the_best_network_of_a_metric_is_one_of_its_space(profiled) -> None:
    found = profiled(num_archs=20)
    best, worst = found.profile.best["params"], found.profile.worst["params"]

    assert best.value < worst.value and found.profile.best["accuracy"].value > 0
    assert set(best.arch) == {"ks", "e", "d", "image_size"}


def test_a_cost_that_is_no_table_is_asked_of_each_network_once(profiled, asked) -> None:
    found = profiled(num_archs=3, metrics=("counted,params",), blocks=("[0, 0]",)).profile

    keys = [json.dumps(a.as_dict()) for a in asked]
    assert len(keys) == len(set(keys)) <= 3 * 5
    for row in found.rows:
        assert row.sampled["counted"] == row.sampled["params"]


def test_an_interrupted_run_goes_on_where_it_was(profiled, asked, stops, tmp_path: Path) -> None:
    given = {"num_archs": 3, "metrics": ("counted",), "blocks": ("[0, 0]",)}
    whole = profiled(**given).profile
    total = len(asked)
    asked.clear()
    stops.add(total - 2)
    part = profiled(out=tmp_path / "run", **given)

    assert part.exit_code == 130 and 0 < len(part.profile.rows) < len(whole.rows)
    assert part.profile.rows == whole.rows[: len(part.profile.rows)]
    rest = profiled(out=tmp_path / "run", resume=True, **given)
    assert rest.profile.rows == whole.rows and rest.exit_code == 0
    assert len(asked) == total


def test_an_interrupt_between_rows_keeps_the_rows_before(profiled, monkeypatch) -> None:
    from block_profile.profiling.statistics import Closed

    whole, calls, row = profiled(num_archs=2, exact=True).profile, [], Closed.row

    def interrupted(self, plan):
        calls.append(plan)
        if len(calls) > 9:
            raise KeyboardInterrupt
        return row(self, plan)

    monkeypatch.setattr(Closed, "row", interrupted)
    part = profiled(num_archs=2, exact=True)
    assert part.exit_code == 130 and part.missing == len(whole.rows) - 4
    assert part.profile.rows == whole.rows[:4]


def test_an_evaluated_accuracy_is_asked_of_each_network_once(profiled, monkeypatch) -> None:
    from block_profile.profiling import evaluating

    asked: list = []

    def evaluator(context, options):
        def evaluate(archs):
            asked.extend(archs)
            left = archs if len(asked) == len(archs) else archs[:-1]
            return {n: float(sum(a.as_dict()["e"])) for n, a in enumerate(left)}

        return evaluate

    monkeypatch.setattr(evaluating, "evaluator", evaluator)
    given = {"num_archs": 3, "weights": "w.pth", "data": "digits", "blocks": ("[0, 0]",)}
    whole = profiled(**given)
    (accuracy, _) = whole.profile.metrics
    assert (accuracy.kind, accuracy.source) == ("measured", "w.pth on digits")
    keys = [json.dumps(a.as_dict()) for a in asked]
    assert len(keys) == len(set(keys))
    assert whole.profile.best["accuracy"].value == sum(whole.profile.best["accuracy"].arch["e"])

    part = profiled(**given)  # as if interrupted before the last network
    assert part.exit_code == 130 and part.profile.rows == whole.profile.rows[:-1]


def test_rows_without_random_networks_of_their_size_are_left_out(profiled, monkeypatch) -> None:
    from block_profile.profiling import evaluating

    def evaluator(context, options):  # another process was stopped at the first network
        return lambda archs: dict.fromkeys(range(1, len(archs)), 1.0)

    monkeypatch.setattr(evaluating, "evaluator", evaluator)
    given = {"num_archs": 1, "weights": "w.pth", "data": "digits", "metrics": ("accuracy",)}
    part = profiled(**given, per_resolution=True, blocks=("[0, 0]",))

    assert {row.image_size for row in part.profile.rows} == {64}
    assert part.exit_code == 130 and part.missing == 5


def test_progress_is_told(profiled) -> None:
    told: list = []
    profiled(num_archs=2, exact=True, told=told)

    steps = [event for event in told if isinstance(event, Progress)]
    assert steps[-1].done == steps[-1].total == 21


def test_a_metric_without_closed_form_says_so(profiled) -> None:
    told: list = []
    profiled(num_archs=2, exact=True, metrics=("counted",), blocks=("[0, 0, 3, 2]",), told=told)

    assert any("without a closed form" in e.message for e in told if isinstance(e, Notice))


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"metrics": ("speed",)}, UnknownNameError, "unknown cost 'speed'"),
        ({"metrics": ("0,1",)}, UsageError, "metrics go by name"),
        ({"num_archs": 0}, UsageError, "goes with --exact"),
        ({"num_archs": 0, "exact": True, "metrics": ("counted",)}, UsageError, "closed form"),
        ({"all": True, "blocks": ("[0]",)}, UsageError, "--all and --blocks"),
        ({"metrics": ("",)}, UsageError, "--metrics names nothing"),
        *(
            (
                {name: value},
                UsageError,
                f"--{name.replace('_', '-')} says how accuracy is evaluated",
            )
            for name, value in {
                "fast": "disk",
                "parallel": 4,
                "images": 5,
                "evaluate_batch": 7,
                "evaluate_device": "cuda",
                "calibrate": 0,
                "calibrate_data": "digits",
                "workers": 1,
                "threads": 2,
            }.items()
        ),
        (
            {"metrics": ("params",), "data": "digits", "weights": "w.pth"},
            UsageError,
            "--metrics does not name it",
        ),
        ({"data": "digits"}, UsageError, "--weights and --data together"),
        ({"blocks": ("[0, 0, 9, 2]",)}, UsageError, "no such block"),
        ({"predictor": None}, UsageError, "nothing predicts the accuracy"),
    ],
)
def test_what_makes_no_sense_is_refused(profiled, options, error, said) -> None:
    with pytest.raises(error, match=said):
        profiled(**options)


def test_by_default_accuracy_is_left_out_where_nothing_predicts_it(profiled) -> None:
    found = profiled(num_archs=2, metrics=(), predictor=None, blocks=("[0, 0]",)).profile

    assert [m.name for m in found.metrics] == ["flops"]


def test_list_blocks_lists_and_stops(profiled) -> None:
    found = profiled(list_blocks=True)

    assert len(found.as_json()) == 16 and not found.worth_keeping
    assert found.as_json()[0]["label"] == "MBConv2_3x3"
    ((title, _, lines),) = found.as_tables()
    assert title == "toy: 16 blocks at 4 places" and len(lines) == 4
