"""A toy's result and its run folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ofa_plugins_core import Host, SupernetEntry
from ofa_plugins_core.testing import everything, in_process, toy_supernet


@pytest.fixture(scope="session")
def toy_host() -> Host:
    entry = SupernetEntry("toy", "two small stages", toy_supernet, ("plaything",))
    return Host.discover(extra={"toys": in_process("toys", ofa_supernets=[entry])})


@pytest.fixture(scope="session")
def toy_entry(toy_host: Host) -> Callable[..., dict[str, Any]]:
    """Number of a network of the toy -> an entry of a front, with its real peak memory."""
    supernet = toy_host.supernet("toy")
    cost = toy_host.cost_model("peak_memory").build(supernet)
    genes = everything(supernet.space)

    def entry(number: int, accuracy: float | None = 70.0, **more: Any) -> dict[str, Any]:
        arch = supernet.space.decode(genes[number : number + 1])[0].as_dict()
        found = {"value": accuracy, "low": (accuracy or 0) - 1, "high": (accuracy or 0) + 1}
        return {
            "arch": arch,
            "accuracy": None if accuracy is None else {**found, "unit": "%", "kind": "predicted"},
            "costs": {
                "peak_memory": {
                    "value": int(cost.evaluate([arch])[0]),
                    "unit": "items",
                    "kind": "computed",
                    "source": "MOOFA",
                }
            },
            **more,
        }

    return entry


@pytest.fixture(scope="session")
def result(toy_entry: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """A front of three networks, the last of them extrapolated."""
    return {
        "run": None,
        "supernet": "toy",
        "searcher": "exact",
        "searcher_reason": "everything asked is separable",
        "predictor": "additive",
        "predictor_source": "a test",
        "dataset": "imagenet",
        "optimal": True,
        "evaluations": 0,
        "seconds": 0.0012,
        "front": [
            toy_entry(0, 60.25),
            toy_entry(150, 66.5, support=17),
            toy_entry(399, 71.75, extrapolated=True),
        ],
    }


@pytest.fixture(scope="session")
def sweep(toy_entry: Callable[..., dict[str, Any]], result: dict[str, Any]) -> dict[str, Any]:
    """Three bounds, the first of which nothing meets."""
    missed = {"bound": 1000, "infeasible": True, "smallest": 4321, "binds": "stage 1 block 1"}
    front = [missed, toy_entry(0, 60.25, bound=9000), toy_entry(399, 71.75, bound=90000)]
    return {**result, "swept": "peak_memory", "front": front}


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Result -> a run's folder."""

    def make(result: Any, name: str = "run", **settings: Any) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        config = {"job": "search", "supernet": "toy", "seed": 7, **settings}
        lines = [f"{k}: {json.dumps(v)}\n" for k, v in config.items()]
        (folder / "config.yaml").write_text("".join(lines))
        about = {
            "command": ["ofa", "run", "search", "--constraint", "peak_memory<=9k"],
            "finished": "2026-01-01T00:00:00+00:00",
            "packages": {"numpy": "1.26"},
            "plugins": [{"name": "toys", "distribution": "d", "version": "1", "state": "loaded"}],
        }
        (folder / "run.json").write_text(json.dumps(about))
        (folder / "result.json").write_text(json.dumps(result))
        return folder

    return make
