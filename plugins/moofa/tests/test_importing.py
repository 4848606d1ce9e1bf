"""``ofa run import-config``: the published YAML becomes ours, and nothing is lost in silence."""

from __future__ import annotations

import json
from importlib.util import find_spec

import pytest
import yaml

from moofa.importing import run_import
from moofa.importing_options import ImportOptions
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
                }
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
        assert found["args.momentum"] == "the plan has it: 0.9, not 0.5"
        assert found["args.weight_decay"] == "the plan has it: 3e-05"
        assert "args_per_task" in found["args.base_lr"]
        assert {"args.path", "args.colour", "args_per_task.depth_1.mood"} <= set(found)
        assert {"wandb.project_name", "search_config.res_dir", "subnet_config.name"} <= set(found)

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
            (changed("args_per_task", depth_1={"n_epochs": "ten"}), "depth_1.epochs: expected"),
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
