"""The kernel's files: clocks, temperatures and power rails."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices_jetson import sysfs
from ofa_plugins_core.errors import InputError

CPU = "/sys/devices/system/cpu"
THERMAL = "/sys/class/thermal"
FILES = {
    f"{CPU}/cpu0/cpufreq/scaling_cur_freq": "1190400\n",
    f"{CPU}/cpu3/cpufreq/scaling_cur_freq": "1907200\n",
    f"{CPU}/cpu0/cpufreq/scaling_max_freq": "1420800\n",
    f"{CPU}/cpu4/cpufreq/scaling_cur_freq": "<unknown>\n",
    "/sys/class/devfreq/15340000.vic/cur_freq": "115200000\n",
    "/sys/class/devfreq/17000000.gv11b/cur_freq": "1109250000\n",
    f"{THERMAL}/thermal_zone0/type": "CPU-therm\n",
    f"{THERMAL}/thermal_zone0/temp": "39500\n",
    f"{THERMAL}/thermal_zone1/type": "cv0-thermal\n",
    f"{THERMAL}/thermal_zone1/temp": "-256000\n",
    f"{THERMAL}/thermal_zone2/type": "thermal-fan-est\n",
    f"{THERMAL}/thermal_zone2/temp": "-1500\n",
    f"{THERMAL}/thermal_zone3/temp": "1\n",
}
HWMON = {
    "/sys/class/hwmon/hwmon3/in1_label": "VDD_IN\n",
    "/sys/class/hwmon/hwmon3/in1_input": "4992\n",
    "/sys/class/hwmon/hwmon3/curr1_input": "1000\n",
    "/sys/class/hwmon/hwmon3/in7_label": "sum of shunt voltages\n",
    "/sys/class/hwmon/hwmon3/in2_label": "NC\n",
}
IIO = "/sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0"


def test_clocks():
    assert sysfs.core_mhz(FILES) == {0: 1190.4, 3: 1907.2}
    assert sysfs.core_mhz(FILES, "scaling_max_freq") == {0: 1420.8}
    assert sysfs.gpu_mhz(FILES) == 1109.25


@pytest.mark.parametrize("node", ["57000000.gpu", "17000000.gp10b", "17000000.ga10b"])
def test_the_gpu_of_every_generation(node):
    assert sysfs.gpu_mhz({f"/sys/class/devfreq/{node}/cur_freq": "306000000"}) == 306


def test_conditions_carry_their_unit_and_leave_out_what_is_switched_off():
    assert sysfs.conditions(FILES) == {
        "cpu_mhz": 1907.2,
        "gpu_mhz": 1109.25,
        "cpu_celsius": 39.5,
        "thermal_fan_est_celsius": -1.5,
    }
    assert sysfs.conditions({}) == {}


@pytest.mark.parametrize("sensor", ["CPU-therm", "cpu-thermal", "CPU"])
def test_a_sensor_has_one_name_whatever_the_release(sensor):
    assert sysfs.plain_name(sensor) == "cpu"


def test_rails_of_hwmon_are_volts_times_amperes():
    (sensor,) = sysfs.sensors(HWMON)
    assert sensor.rail == "VDD_IN" and sensor.milliwatts(HWMON) == 4992
    assert sensor.milliwatts({}) is None


def test_rails_of_iio_are_milliwatts():
    files = {f"{IIO}/rail_name_0": "VDD_IN\n", f"{IIO}/in_power0_input": "3528\n"}
    (sensor,) = sysfs.sensors(files)
    assert (sensor.rail, sensor.milliwatts(files)) == ("VDD_IN", 3528)


def test_list_of_cores():
    assert sysfs.cpu_list("0-3,5\n") == (0, 1, 2, 3, 5)
    assert sysfs.cpu_list("0") == (0,)
    for text in ("", "a", "0-", "1,,2"):
        with pytest.raises(InputError, match="list of cores"):
            sysfs.cpu_list(text)


paths = st.sampled_from([*FILES, *HWMON, f"{IIO}/rail_name_0", f"{IIO}/in_power0_input", "/x"])


@given(st.dictionaries(paths, st.text() | st.integers().map(str)), st.text())
def test_any_content_is_read_or_left_out(files, text):
    assert all(isinstance(v, float) for v in sysfs.conditions(files).values())
    for sensor in sysfs.sensors(files):
        assert sensor.milliwatts(files) is None or sensor.rail
    with contextlib.suppress(InputError):
        sysfs.cpu_list(text)
