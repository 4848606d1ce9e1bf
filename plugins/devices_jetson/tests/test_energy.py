"""Energy: the integral of a rail's power over the run, idle power subtracted, scope named."""

from __future__ import annotations

import contextlib
import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices_jetson.boards import NAMED
from devices_jetson.cost_options import EnergyOptions
from devices_jetson.device import Jetson
from devices_jetson.energy import (
    chosen_rail,
    energy_cost,
    energy_in,
    energy_of,
    integral,
    memo_words,
    pass_energy,
    rail_readings,
)
from devices_jetson.options import JetsonOptions
from ofa_plugins_core import Host
from ofa_plugins_core.errors import InputError, OfaError, UsageError
from ofa_plugins_core.events import silent
from ofa_plugins_core.testing.toys import toy_supernet

NX = NAMED["jetson_xavier_nx"]
STEPS = [(t / 10, 3000.0 if t < 20 else 9000.0) for t in range(50)]
"""3 W for two seconds, then 9 W."""

level = st.floats(0, 1e5)
times = st.lists(st.floats(0, 100), min_size=1, max_size=20, unique=True).map(sorted)


@given(times, level, st.floats(0, 100), st.floats(0, 100))
def test_constant_power_integrates_to_power_times_time(at, power, one, other):
    start, end = sorted((one, other))
    found = integral([(t, power) for t in at], start, end)
    assert found == pytest.approx(power * (end - start), rel=1e-9, abs=1e-6)


@given(st.lists(st.tuples(st.floats(0, 100), level), min_size=1, unique_by=lambda r: r[0]))
def test_an_integral_is_the_sum_of_its_parts(readings):
    readings = sorted(readings)
    whole = integral(readings, 10, 90)
    assert whole == pytest.approx(integral(readings, 10, 40) + integral(readings, 40, 90), abs=1e-3)


def test_between_readings_power_is_a_straight_line():
    assert integral([(0, 0.0), (10, 1000.0)], 0, 10) == 5000
    assert integral([(0, 0.0), (10, 1000.0)], 2, 4) == 600


def test_idle_power_is_subtracted():
    found = energy_of(STEPS, (0.0, 1.9), (2.0, 4.0), passes=100)
    assert (found.idle, found.run) == (pytest.approx(3000), pytest.approx(9000))
    assert found.per_pass == pytest.approx(6000 * 2 / 100), "mW × s / passes = mJ a pass"


@pytest.mark.parametrize(
    ("idle", "run", "said"),
    [
        ((0.0, 0.3), (2.0, 4.0), "4 power readings fall into the idle time of 0.3 s"),
        ((0.0, 1.9), (2.0, 2.2), "3 power readings fall into the run of 0.2 s"),
        ((2.0, 4.0), (0.0, 1.9), "the run took 3000 mW, idling took 9000 mW"),
        ((0.0, 0.9), (1.0, 1.9), "nothing is left to be called energy"),
    ],
)
def test_what_is_no_measurement_is_refused(idle, run, said):
    with pytest.raises(InputError, match=said):
        energy_of(STEPS, idle, run, passes=10)


def test_a_rail_of_tegrastats_and_of_the_power_monitor():
    lines = [[t, f"RAM 1/2MB VDD_IN {p:.0f}mW/1mW VDD_SOC 5mW/5mW"] for t, p in STEPS]
    assert rail_readings("nx", lines, "VDD_IN") == STEPS
    hwmon = "/sys/class/hwmon/hwmon3"
    files = {
        f"{hwmon}/in1_label": "VDD_IN",
        f"{hwmon}/in1_input": "5000",
        f"{hwmon}/curr1_input": "600",
    }
    assert rail_readings("nx", [[1, files]], "VDD_IN") == [(1.0, 3000.0)]


def test_a_rail_that_was_not_read_is_refused_with_those_that_were():
    with pytest.raises(
        UsageError, match="nx: no power was read of the rail 'POM_5V_IN'; read were: VDD_IN"
    ):
        rail_readings("nx", [[0.0, "VDD_IN 1/1"]], "POM_5V_IN")


answers = st.fixed_dictionaries(
    {},
    optional={
        "idle": st.lists(level, max_size=3) | st.none(),
        "run": st.lists(st.integers() | level, max_size=3),
        "ms": st.lists(level, max_size=3) | st.text(),
        "lines": st.lists(
            st.lists(st.one_of(level, st.just("VDD_IN 9/9"), st.just({"a": 1})), max_size=3)
            | st.none()
        )
        | st.none(),
    },
)


@given(answers)
def test_any_answer_is_understood_or_refused(answer):
    with contextlib.suppress(OfaError):
        assert energy_in("nx", answer, "VDD_IN").per_pass > 0


def test_the_rail_is_that_of_the_whole_board_unless_another_is_named():
    assert chosen_rail(NX, None) == "VDD_IN"
    assert chosen_rail(NX, "VDD_CPU_GPU_CV") == "VDD_CPU_GPU_CV"
    with pytest.raises(UsageError, match="no power rail of the whole board; it has: VDD_GPU_SOC"):
        chosen_rail(NAMED["jetson_agx_orin"], None)
    with pytest.raises(UsageError, match="no power rail 'VDD_GPU'"):
        chosen_rail(NX, "VDD_GPU")


ARCH = {"ks": [3] * 4, "e": [2] * 4, "d": [1, 1], "image_size": 32}
QUICK = EnergyOptions(
    qualifier="jetson_xavier_nx",
    seconds=1.5,
    settle_seconds=0.1,
    idle_seconds=1.0,
    interval_ms=50,
    repeats=1,
    memo=False,
)


def test_energy_of_a_network_on_a_board(options, monkeypatch):
    monkeypatch.setenv("STUB_SECONDS", "0.02")
    model = energy_cost(toy_supernet(), QUICK, Jetson(NX, options()), silent)
    (found,) = model.evaluate([ARCH])
    assert 40 < found < 200, "6 W above idle for a fiftieth of a second: about 120 mJ"
    assert (model.name, model.unit, model.kind) == ("energy@jetson_xavier_nx", "mJ", "measured")
    assert model.source.endswith("rail VDD_IN (the whole board), idle power subtracted")
    assert "constructed" in model.source


class Loaded:
    """Work whose runs take so many mW above idle, one after the other; a pass takes 10 ms."""

    channel = SimpleNamespace(where="nx")

    def __init__(self, *above):
        self.above = list(above)

    def times(self, passes):
        return [10.0] * passes

    def power(self, passes, settle_s, idle_s, interval_ms):
        above = self.above.pop(0)
        power = [(t / 10, 3000 + (above if t >= 20 else 0)) for t in range(41)]
        lines = [[t, f"VDD_IN {mw}mW/1mW"] for t, mw in power]
        return {"idle": [0.0, 1.9], "run": [2.0, 4.0], "ms": [1.0] * passes, "lines": lines}


def test_the_median_of_the_runs_counts():
    options = EnergyOptions(seconds=1.0, repeats=3, memo=False)
    found = pass_energy(Loaded(1000, 9000, 2000), "VDD_IN", options)
    assert found.value == pytest.approx(2000 * 2 / 100), "of 10, 180 and 40 mJ a pass"
    assert found.runs == 3


@pytest.mark.parametrize(
    "given",
    [
        {"interval_ms": 50},
        {"settle_seconds": 3.0},
        {"idle_seconds": 3.0},
        {"seconds": 4.0},
        {"repeats": 5},
    ],
)
def test_what_changes_the_number_tells_apart_what_is_kept(given):
    assert memo_words("VDD_IN", EnergyOptions(**given)) != memo_words("VDD_IN", EnergyOptions())
    assert memo_words("VDD_IN", EnergyOptions()) != memo_words("VDD_SOC", EnergyOptions())


def test_energy_from_a_recording(options, monkeypatch, tmp_path):
    monkeypatch.setenv("STUB_SECONDS", "0.02")
    file = tmp_path / "nx.jsonl"
    live = energy_cost(toy_supernet(), QUICK, Jetson(NX, options(record=file)), silent)
    (found,) = live.evaluate([ARCH])
    played = Jetson(NX, JetsonOptions(recording=file))
    assert energy_cost(toy_supernet(), QUICK, played, silent).evaluate([ARCH]) == [found]
    parts = EnergyOptions(rail="VDD_SOC", repeats=1, memo=False)
    again = Jetson(NX, JetsonOptions(recording=file))
    with pytest.raises(InputError, match="the run took 1466 mW, idling took 1466 mW"):
        energy_cost(toy_supernet(), parts, again, silent).evaluate([ARCH])
    with pytest.raises(InputError, match="the recording has ended"):
        energy_cost(toy_supernet(), QUICK, played, silent).evaluate([ARCH])


def test_other_devices_and_tables_have_no_energy():
    with pytest.raises(UsageError, match="energy is measured on a Jetson"):
        energy_cost(toy_supernet(), QUICK, object(), silent)
    with pytest.raises(UsageError, match="only had by measuring it"):
        Host.discover().cost_model("energy").build(toy_supernet())


def test_recorded_passes_are_plain_json(options, tmp_path, work):
    file = tmp_path / "nx.jsonl"
    with Jetson(NX, options(record=file)).session() as session:
        session.load(work).power(2, 0.1, 0.2, 50)
    requests = [json.loads(line).get("request", {}) for line in file.read_text().splitlines()]
    asked = {"do": "power", "work": "w1", "passes": 2, "interval_ms": 50}
    assert {**asked, "settle_s": 0.1, "idle_s": 0.2} in requests
