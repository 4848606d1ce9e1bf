"""What follows a training: the usual jobs, by the first process alone."""

from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("torch")

from ofa_plugins_core.entries import JobContext, JobEntry
from ofa_plugins_core.jobs import finishing
from ofa_plugins_core.jobs.dataset_options import DatasetOptions
from ofa_plugins_core.jobs.finishing import finished
from ofa_plugins_core.jobs.train_options import TrainOptions
from ofa_plugins_core.nn.engines import joined


class Enough(Exception):
    """Ends the test."""


def test_jobs_do_not_wait_for_workers_that_have_ended(monkeypatch, tmp_path):
    """torchrun's environment stays in process 0 when the others have gone."""
    counts = []

    def run(context, options):
        with joined("cpu") as engine:
            counts.append(engine.count)
        raise Enough

    for name, value in {"WORLD_SIZE": "2", "RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    entry = JobEntry("dataset", "measures", run, DatasetOptions)
    host = SimpleNamespace(entries=lambda kind: [entry])
    supernet = SimpleNamespace(resolutions=(32,))
    result = SimpleNamespace(run=Path(tmp_path), found=SimpleNamespace(supernet=supernet))
    with pytest.raises(Enough):
        finished(JobContext(host), TrainOptions(supernet="x", smoke=True), result)
    assert counts == [1]


@pytest.mark.parametrize("data", ["digits", "pictures", "."])
def test_the_fit_is_named_after_the_folder_of_images(monkeypatch, tmp_path, data):
    place = tmp_path / "pictures"
    place.mkdir()
    monkeypatch.chdir(place if data == "." else tmp_path)
    supernet = SimpleNamespace(resolutions=(32,))
    result = SimpleNamespace(run=tmp_path, found=SimpleNamespace(supernet=supernet))
    steps = finishing._Steps(JobContext(None), TrainOptions(data=data), result)
    assert steps._name() == ("digits" if data == "digits" else "pictures")
