"""The latency form, the job and the claims of docs/plugins.md, as they stand there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ofa_plugins_core import Host, JobContext
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.latency_fits import Labelled, LatencyFit, LatencyTask
from ofa_plugins_core.testing.checking import check
from ofa_plugins_core.testing.toys import everything, toy_supernet

GUIDE = Path(__file__).parents[1] / "docs" / "plugins.md"


def written(name: str) -> str:
    """The source of a plugin of the guide."""
    if not GUIDE.is_file():
        pytest.skip("docs/ is not beside the tests")
    text = GUIDE.read_text(encoding="utf-8")
    (source,) = re.findall(rf"```python\n# {name}\.py[^\n]*\n(.*?)```", text, re.S)
    return str(source)


def test_the_form_keeps_every_law(ofa_install: Callable[..., object]) -> None:
    ofa_install("values", written("values"))
    found = check(Host.discover(), "values")

    assert {f.kind for f in found} == {"plugin", "latency_predictors"}
    assert {f.outcome for f in found} == {"holds"}, found


def test_it_finds_sums_of_values_again(host_with: Callable[[str], Host]) -> None:
    entry = host_with(written("values")).latency_predictor("values")
    toy = toy_supernet()
    genes = everything(toy.space)
    known = Labelled(genes, 3 + genes @ np.arange(1.0, genes.shape[1] + 1))
    fit = entry.fit(
        LatencyTask(toy, known.take(np.random.default_rng(0).permutation(len(genes))[:100]), known),
        None,
    )
    predicted = entry.load(toy, fit).predict(genes)
    assert np.abs(predicted - known.latency).max() < 1e-3


@pytest.mark.parametrize(
    "fit", [LatencyFit({}), LatencyFit({"weights": np.ones(2)}, {"base": 1.0})]
)
def test_its_load_looks_at_what_it_is_given(host_with: Callable[[str], Host], fit: Any) -> None:
    entry = host_with(written("values")).latency_predictor("values")
    with pytest.raises(InputError):
        entry.load(toy_supernet(), fit)


def test_the_job_runs_and_its_picture_is_drawn(
    host_with: Callable[[str], Host], ofa: Callable[..., Any], tmp_path: Path
) -> None:
    host = host_with(written("spread"))
    words = ("run", "spread", "--supernet", "toy", "--draws", "20", "--seed", "3", "--out", "made")
    done = ofa(*words, "--json", host=host)
    assert done.code == 0, done.err
    assert len(done.json["values"]) == 20
    pytest.importorskip("matplotlib")
    (job,) = [e for e in host.entries("jobs") if e.name == "spread"]
    ((file, caption),) = job.draw(Path("made"))
    assert "20 networks" in caption
    assert "<svg" in (Path("made") / file).read_text(encoding="utf-8")


def test_the_job_tells_wrong_use(host_with: Callable[[str], Host], ofa: Callable[..., Any]) -> None:
    host = host_with(written("spread"))
    done = ofa("run", "spread", "--supernet", "toy", "--draws", "0", host=host)
    assert (done.code, "--draws: expected a number above 0" in done.err) == (2, True)


def test_the_claims_keep_every_law_and_hold(
    ofa_install: Callable[..., object], tmp_path: Path
) -> None:
    ofa_install("mine", written("mine"))
    host = Host.discover()
    assert [f for f in check(host, "mine") if f.outcome == "broken"] == []
    table = tmp_path / "table.csv"
    table.write_text("method,speedup\nours,3.52\ntheirs,1\n")
    found = host.claim("mine_speedup").check(JobContext(host), {"mine_table": table})
    assert found.verdict == "consistent"


def test_the_fitted_predictor_is_offered_by_its_key(ofa_install: Callable[..., object]) -> None:
    ofa_install("fitted", written("fitted"))
    host = Host.discover()
    assert host.plugin("fitted").state == "loaded"
    (entry,) = (e for e in host.entries("fitted_predictors") if e.dataset == "flowers")
    assert (entry.predictor, entry.supernet) == ("additive", "moofa_v3")
