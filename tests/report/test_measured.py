"""Pictures of measured networks."""

from __future__ import annotations

import pytest

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.report.measured import front_plot, predicted_plot

pytest.importorskip("matplotlib")


def measured(value, unit="%", kind="measured", spread=0.5):
    ends = {"low": value - spread, "high": value + spread}
    return {"value": value, **ends, "unit": unit, "kind": kind}


@pytest.fixture
def result():
    networks = [
        {
            "number": n,
            "top1": measured(69 + n),
            "forward": measured(10 + n, "ms"),
            "costs": {"peak_memory": measured(1000 * n, "items", "computed", 0)},
            "predicted": {"accuracy": measured(70 + n, kind="predicted")},
        }
        for n in (1, 2, 3)
    ]
    error = {"value": 1.0, "unit": "%", "kind": "computed"}
    said = {"networks": 3, "spearman": 1.0, "kendall": None, "rmse": error, "bias": error}
    return {
        "supernet": "toy",
        "data": "digits",
        "untrained": True,
        "networks": networks,
        "agreement": {"accuracy": said},
        "pareto": {"against": "peak_memory", "networks": [1, 3]},
    }


def test_predicted_against_measured_names_units_kinds_and_agreement(result, tmp_path):
    predicted_plot(result, tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text()
    for said in (
        "top-1 accuracy, predicted (%)",
        "top-1 on digits, measured (%)",
        "Spearman 1.000",
    ):
        assert said in text
    assert "(untrained)" in text
    assert "Kendall" not in text
    assert "network 2: top-1 accuracy 72 %, predicted; 71.00 % measured" in text


def test_the_measured_front_has_all_networks_and_steps(result, tmp_path):
    front_plot(result, tmp_path / "b.svg")
    text = (tmp_path / "b.svg").read_text()
    assert "peak memory, computed (items)" in text
    assert "measured front" in text
    assert text.count("<title>network") == 3
    result["pareto"]["against"] = "forward"
    front_plot(result, tmp_path / "c.svg")
    assert "forward pass, measured (ms)" in (tmp_path / "c.svg").read_text()


def test_the_same_bytes_each_time(result, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        predicted_plot(result, tmp_path / name / "a.svg")
    one, two = ((tmp_path / n / "a.svg").read_bytes() for n in ("one", "two"))
    assert one == two


def test_nothing_to_draw_is_said(result, tmp_path):
    with pytest.raises(UsageError, match="no network has latency"):
        predicted_plot(result, tmp_path / "a.svg", "latency@note10")
    with pytest.raises(UsageError, match="nothing to draw"):
        front_plot({**result, "pareto": None}, tmp_path / "a.svg")
