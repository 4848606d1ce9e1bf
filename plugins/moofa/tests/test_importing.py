"""``ofa run import-config``: the published YAML becomes ours, and nothing is lost in silence."""

from __future__ import annotations

import json
from importlib.util import find_spec

import pytest
import yaml

from moofa.importing.configurations import run_import
from moofa.importing.options import ImportOptions
from ofa_plugins_core import Host
from ofa_plugins_core.cli import main
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import OfaError, UsageError

HOST = Host.discover()
WITH_COMPOFA = pytest.mark.skipif(
    find_spec("compofa") is None, reason="CompOFA's supernets are the plugin compofa's"
)
CONFIG = {
    "args": {
        "path": "exp",
        "teacher_path": "teacher.pth",
        "checkpoint": "last.pth",
        "model": "MOOFA_V3",
        "dataset": "imagenette",
        "base_batch_size": 32,
        "manual_seed": 3,
        "image_size": [128, 224],
        "weight_decay": 3e-5,
        "momentum": 0.5,
        "base_lr": 0.1,
        "colour": "blue",
    },
    "tasks": ["teacher", "kernel", "depth", "expand"],
    "tasks_phases": {"kernel": 1, "depth": 2, "expand": 2},
    "args_per_task": {
        "teacher": {"n_epochs": 90, "base_lr": 0.01, "dynamic_batch_size": 1},
        "depth_1": {
            "n_epochs": 10,
            "base_lr": 1e-4,
            "warmup_epochs": 0,
            "warmup_lr": 1e-3,
            "dynamic_batch_size": 3,
            "mood": "good",
        },
    },
    "subnet_config": {
        "random_sample": False,
        "ks": 3,
        "e": 2,
        "d": [2, 2, 3, 3, 4],
        "image_size": [160],
        "res_dir": "res",
        "name": "mine",
        "draw_graphs": True,
    },
    "search_config": {
        "N_constraint": 5,
        "max_constraint": 300000,
        "min_constraint": 800000,
        "res_dir": "res",
        "acc_dataset_path": "acc.pkl",
        "acc_predictor_checkpoint": "acc.pth",
    },
    "wandb": {"use_wandb": True, "project_name": "moofa"},
}


def changed(section, **values):
    return {**CONFIG, section: {**CONFIG[section], **values}}


@pytest.fixture
def imported(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(config=CONFIG, models=None):
        (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
        options = {"file": tmp_path / "config.yaml"}
        if models is not None:
            (tmp_path / "models.yaml").write_text(yaml.safe_dump(models))
            options["model_config"] = tmp_path / "models.yaml"
        return run_import(JobContext(HOST, out=tmp_path / "out"), ImportOptions(**options))

    return run


REFUSED = [
    ("args", "base_batch_size", -4, "--batch: expected a whole number from 2 up, found -4"),
    ("args", "base_batch_size", 32.5, "expected a whole number, found 32.5"),
    ("args", "n_worker", "many", "expected a whole number, found 'many'"),
    ("args", "n_worker", -1, "--workers: expected a whole number from 0 up, found -1"),
    ("args", "manual_seed", -1, "expected a whole number from 0 up, found -1"),
    ("args", "manual_seed", "one", "expected a whole number, found 'one'"),
    ("args", "image_size", "large", "expected .*, found 'large'"),
    ("args", "image_size", [7], "7"),
    ("args", "fp16_allreduce", 3, "expected true or false, found 3"),
    ("args", "kd_ratio", -1, "kd_ratio is -1"),
    ("args", "kd_ratio", "half", "expected a number, found 'half'"),
    ("args", "momentum", 1.0, "momentum is 1.0"),
    ("args", "checkpoint", 3, "expected text, found 3"),
    ("args", "teacher_path", 3, "expected a path, found 3"),
    ("args", "dataset", ["a"], "expected text"),
    ("args_per_task", "depth_1", 3, "expected a mapping, found 3"),
    ("args_per_task", "depth_1.n_epochs", "ten", "expected a whole number.*, found 'ten'"),
    ("args_per_task", "depth_1.n_epochs", 0, "epochs: must be 1 or more, found 0"),
    ("args_per_task", "depth_1.base_lr", -1.0, "base_lr: must be more than 0, found -1.0"),
    ("tasks_phases", "depth", "two", "expected a whole number, found 'two'"),
    ("tasks_phases", "depth", -1, "-1, but the supernet has 2 phases"),
    ("subnet_config", "e", 6, r"e\[0\] = 6 is not an option of moofa_v3; options: 2, 3, 4"),
    ("subnet_config", "ks", [3, 3], "'ks' must be a list of 20 numbers"),
    ("subnet_config", "image_size", 225, "image_size = 225 is not an option"),
    ("subnet_config", "random_sample", "many", "expected a whole number, found 'many'"),
    ("subnet_config", "random_sample", -2, "expected a whole number from 0 up, found -2"),
    ("subnet_config", "draw_graphs", "nice", "expected true or false, found 'nice'"),
    ("search_config", "max_constraint", "abc", "expected a number, found 'abc'"),
    ("search_config", "min_constraint", [1], "expected a number, found"),
    ("search_config", "max_constraint", float("inf"), "cannot read the bound"),
    ("search_config", "N_constraint", 0, "a range takes 1 to 100,000 bounds, found 0"),
    ("search_config", "N_constraint", 1.5, "expected a whole number, found 1.5"),
    ("search_config", "acc_dataset_path", 3, "expected a path, found 3"),
    ("search_config", "acc_predictor_checkpoint", [3], "expected a path"),
    ("wandb", "use_wandb", "perhaps", "expected true or false, found 'perhaps'"),
]
"""Section, key, a value that a job of ours would refuse, and what is said of it."""


def within(section, key, value):
    name, _, inner = key.partition(".")
    before = CONFIG[section].get(name, {})
    return changed(section, **{name: {**before, inner: value} if inner else value})


class TestWhatAJobWouldRefuse:
    @pytest.mark.parametrize(("section", "key", "value", "said"), REFUSED)
    def test_is_refused_with_file_and_key_before_anything_is_written(
        self, imported, tmp_path, section, key, value, said
    ):
        with pytest.raises(UsageError, match=rf"config\.yaml: {section}\.{key}: .*{said}"):
            imported(within(section, key, value))
        assert not (tmp_path / "out").exists()

    def test_numbers_that_do_not_fit_together(self, imported, tmp_path):
        phase = {"n_epochs": 3, "warmup_epochs": 5}
        with pytest.raises(UsageError, match=r"config\.yaml: args_per_task: .*epochs"):
            imported(changed("args_per_task", kernel_1=phase))
        assert not (tmp_path / "out").exists()

    def test_steps_are_a_list_of_names(self, imported):
        with pytest.raises(UsageError, match=r"config\.yaml: tasks: expected a list"):
            imported({**CONFIG, "tasks": 3})

    def test_a_row_that_is_no_supernet(self, imported, tmp_path):
        with pytest.raises(UsageError, match=r"models\.yaml: MINE: .*kernel sizes are odd"):
            imported({"args": {"model": "MINE"}}, {"MINE": {**MINE, "ks_list": [4]}})
        assert not (tmp_path / "out").exists()


def read(found, job):
    return yaml.safe_load(found.files[job].read_text())


def why(found):
    return {dropped.key: dropped.why for dropped in found.dropped}


class TestTraining:
    def test_the_plan_with_the_numbers_of_each_task(self, imported):
        own = read(imported(), "train")
        assert own["set"] == {
            "moofa": {
                "phases": {
                    "teacher": {"epochs": 90, "base_lr": 0.01},
                    "depth_1": {
                        "epochs": 10,
                        "base_lr": 1e-4,
                        "warmup_epochs": 0,
                        "warmup_lr": 1e-3,
                        "subnets": 3,
                    },
                },
                "hyper": {"momentum": 0.5},
            }
        }
        assert (own["job"], own["supernet"], own["plan"]) == ("train", "moofa_v3", "moofa")

    def test_what_has_an_option_of_ours(self, imported):
        own = read(imported(), "train")
        assert (own["batch"], own["seed"], own["image_sizes"]) == (32, 3, [128, 224])
        assert own["track"] == ["csv", "tensorboard", "wandb"]

    def test_rates_are_those_of_a_worker_whatever_its_batch(self, imported):
        """Published: base_lr times workers; ours grows with the images of a step."""
        assert read(imported(), "train")["lr_scale"] == 64 / 32

    def test_a_teacher_is_taken_where_it_is(self, imported, tmp_path):
        assert "--teacher FILE" in why(imported())["args.teacher_path"]
        (tmp_path / "teacher.pth").write_bytes(b"")
        assert read(imported(), "train")["teacher"] == "teacher.pth"

    def test_a_checkpoint_is_what_is_evaluated_and_measured(self, imported):
        found = imported()
        weights = {job: read(found, job).get("weights") for job in ("train", "evaluate", "dataset")}
        assert weights == {"train": None, "evaluate": "last.pth", "dataset": "last.pth"}

    def test_what_has_none_is_named_with_the_reason(self, imported):
        found = why(imported())
        assert found["args.weight_decay"] == "the plan has it: 3e-05"
        assert "args_per_task" in found["args.base_lr"]
        assert {"args.path", "args.colour", "args_per_task.depth_1.mood"} <= set(found)
        assert {"wandb.project_name", "search_config.res_dir", "subnet_config.name"} <= set(found)

    def test_hyper_parameters_that_differ_from_the_plans_are_taken_over_and_told(self, imported):
        given = {"kd_ratio": 0.5, "momentum": 0.9, "weight_decay": 1e-4, "label_smoothing": 0}
        found = imported({"args": {"model": "MOOFA_V3", **given}})
        taken = {"kd_ratio": 0.5, "weight_decay": 1e-4, "label_smoothing": 0}
        assert read(found, "train")["set"] == {"moofa": {"hyper": taken}}
        assert "train: kd_ratio is 0.5, not the plan's 1.0: taken over" in found.notes
        assert why(found)["args.momentum"] == "the plan has it: 0.9"
        assert not {f"args.{name}" for name in taken} & set(why(found))

    def test_keys_without_a_value_are_named(self, imported):
        nothing = {"n_worker": None, "kd_ratio": None, "teacher_path": None, "checkpoint": None}
        subnet = {"name": None}
        found = why(imported({"args": {"model": "MOOFA_V3", **nothing}, "subnet_config": subnet}))
        assert "subnet_config.name" in found
        assert {found[f"args.{name}"] for name in nothing} == {"it has no value"}

    def test_of_two_keys_for_one_option_the_other_is_named(self, imported):
        sizes = {"batch_size": 16, "base_batch_size": 32}
        found = imported({"args": {"model": "MOOFA_V3", **sizes}})
        assert read(found, "train")["batch"] == 32
        assert why(found)["args.batch_size"] == "another key says it: batch is 32"

    @pytest.mark.parametrize(
        ("model", "supernet", "plan"),
        [
            ("OFA", "ofa_mbv3_w1.0", "ofa"),
            pytest.param("CompOFA", "compofa_elastic", "compofa", marks=WITH_COMPOFA),
            ("MOOFA_V1", "moofa_v1", "moofa"),
            ("MOOFA_V2", "moofa_v2", "moofa"),
        ],
    )
    def test_the_models(self, imported, model, supernet, plan):
        own = read(imported({"args": {"model": model}}), "train")
        assert (own["supernet"], own["plan"]) == (supernet, plan)

    @pytest.mark.parametrize(
        ("config", "said"),
        [
            (changed("args", model="MOOFA_V4"), "unknown model .*MOOFA_V4.*nearest known: MOOFA_V"),
            ({}, "unknown model .*None"),
            (changed("tasks_phases", depth=3), "tasks_phases.depth: 3, but the supernet has 2"),
            (changed("args_per_task", depht_1={"n_epochs": 3}), "unknown phase 'depht_1'"),
            ({**CONFIG, "args": 3}, "args: expected a mapping, found 3"),
        ],
    )
    def test_what_cannot_be_run_is_wrong_use(self, imported, config, said):
        with pytest.raises(UsageError, match=said):
            imported(config)

    def test_fewer_phases_than_the_plan_has_are_named(self, imported):
        found = why(imported(changed("tasks_phases", depth=1)))
        assert found["tasks_phases.depth"] == "1 of 2: our plan trains all of them"

    def test_sections_that_nobody_knows_are_named(self, imported):
        assert "mystery" in why(imported({**CONFIG, "mystery": 1}))


class TestSearch:
    def test_swapped_bounds_are_mended(self, imported):
        found = imported()
        own = read(found, "search")
        assert own["constraint"] == ["peak_memory<=300000:800000"]
        assert (own["points"], own["dataset"]) == (5, "imagenette")
        assert any("swapped" in note for note in found.notes)

    def test_bounds_in_order_are_as_they_were(self, imported):
        found = imported(changed("search_config", min_constraint=1, max_constraint=2))
        assert read(found, "search")["constraint"] == ["peak_memory<=1:2"]
        assert not any("swapped" in note for note in found.notes)

    def test_equal_bounds_are_one(self, imported):
        found = imported(changed("search_config", min_constraint=7, max_constraint=7))
        assert read(found, "search")["constraint"] == ["peak_memory<=7"]
        assert "search_config.N_constraint" in why(found)

    def test_a_predictor_is_taken_where_it_is(self, imported, tmp_path):
        assert "search_config.acc_predictor_checkpoint" in why(imported())
        (tmp_path / "acc.pth").write_bytes(b"")
        assert read(imported(), "search")["predictor_weights"] == "acc.pth"

    def test_its_data_set_can_be_fitted(self, imported):
        assert read(imported(), "fit") == {"job": "fit", "supernet": "moofa_v3", "data": "acc.pkl"}


class TestEvaluation:
    def test_one_number_stands_for_every_entry(self, imported):
        found = imported()
        own = read(found, "evaluate")
        (line,) = (found.files["evaluate"].parent / "archs.jsonl").read_text().splitlines()
        arch = json.loads(line)
        assert own["archs"].endswith("archs.jsonl")
        assert own["plot"] is True
        assert arch["d"] == [2, 2, 3, 3, 4]
        assert (arch["image_size"], set(arch["ks"]), set(arch["e"])) == (160, {3}, {2})

    def test_a_drawn_one(self, imported):
        found = imported(changed("subnet_config", random_sample=True))
        assert read(found, "evaluate")["random"] == 1
        assert "subnet_config.d" in why(found)

    def test_an_arch_that_is_none_is_refused(self, imported):
        with pytest.raises(OfaError):
            imported(changed("subnet_config", d=[9] * 5))


MINE = {
    "model_class": "MOOFA",
    "expand_list": [1, 2],
    "ks_list": [3, 5],
    "depth_list": [1, 2],
    "width_mult_list": [1.0],
    "image_size": [96, 128],
}


class TestModels:
    def test_an_entry_becomes_a_row_that_trains(self, imported):
        config = {"args": {"model": "MINE"}, "tasks_phases": {"depth": 1, "expand": 1}}
        found = imported(config, {"MINE": MINE})
        own = read(found, "train")
        supernet = HOST.supernet(own["supernet"])
        assert (supernet.name, supernet.resolutions, supernet.plan) == (
            "MINE-own",
            (96, 128),
            "moofa",
        )
        assert supernet.space.genes[1].options == (1, 2)

    @pytest.mark.parametrize(
        ("model", "family"),
        [
            ("OFAMobileNetV3", "mbconv"),
            pytest.param("CompOFA", "compound", marks=WITH_COMPOFA),
        ],
    )
    def test_other_classes(self, imported, model, family):
        entry = {"model_class": model, "depth_list": [2, 3], "expand_list": [3, 6]}
        found = imported({"args": {"model": "MINE"}}, {"MINE": entry})
        assert read(found, "supernet MINE")["family"] == family

    def test_the_wider_network_has_its_own_row(self, imported):
        entry = {"model_class": "OFA", "width_mult_list": [1.2]}
        row = read(imported({"args": {"model": "W"}}, {"W": entry}), "supernet W")
        assert row["widths"] == [32, 48, 96, 136, 192]

    @pytest.mark.parametrize(
        ("entry", "said"),
        [
            (3, "MINE: expected a mapping"),
            ({**MINE, "depth": [1]}, "unknown key 'depth'"),
            ({**MINE, "model_class": "VGG"}, "expected a class of OFA, CompOFA or MOOFA"),
            ({**MINE, "width_mult_list": [0.5]}, "width_mult_list: 1.0 is published for it"),
            ({**MINE, "ks_list": [4]}, "kernel sizes are odd, found 4"),
        ],
    )
    def test_what_describes_no_supernet_is_wrong_use(self, imported, entry, said):
        with pytest.raises(UsageError, match=said):
            imported({"args": {"model": "MINE"}}, {"MINE": entry})


def test_it_is_a_command_whose_files_its_jobs_read(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    words = ["run", "import-config", "--file", "config.yaml", "--out", "ours", "--json"]
    assert main.run(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["files"]) == {"train", "evaluate", "dataset", "search", "fit"}
    assert main.run(["run", "search", "--config", "ours/search.yaml", "--json"]) == 0
    capsys.readouterr()
    shown = ("--all", "--show", "--json")
    assert main.run(["run", "train", "--config", "ours/train.yaml", *shown]) == 0
    phases = json.loads(capsys.readouterr().out)["phases"]
    assert next(p for p in phases if p["phase"] == "depth 1")["epochs"] == 10
