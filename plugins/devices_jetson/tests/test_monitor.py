"""The monitor of the board on which a policy runs, on a constructed one."""

from __future__ import annotations

import pytest

from devices_jetson.constructed import xavier_nx
from devices_jetson.monitor import JetsonMonitor
from devices_jetson.monitor_options import MonitorOptions
from ofa_plugins_core import Host, UsageError
from ofa_plugins_core.testing import MonitorSuite

LOAD = "sys/class/devfreq/17000000.gv11b/device/load"


@pytest.fixture
def root(tmp_path):
    """The root of a constructed Xavier NX, whose GPU is at work 42.5 % of the time."""
    made = xavier_nx(tmp_path / "board")
    (made / LOAD).parent.mkdir()
    (made / LOAD).write_text("425\n")
    return made


class TestJetson(MonitorSuite):
    @pytest.fixture
    def monitor(self, root):
        return JetsonMonitor.found(root)


def test_reads_clocks_heat_use_and_power_with_their_units(root):
    assert JetsonMonitor.found(root).read() == {
        "cpu_mhz": 1190.4,
        "gpu_mhz": 306.0,
        "gpu_percent": 42.5,
        "cpu_celsius": 39.5,
        "gpu_celsius": 38.0,
        "vdd_in_watts": 3.5,
        "board_watts": 3.5,
    }


def test_reads_anew_each_time(root):
    monitor = JetsonMonitor.found(root)
    (root / LOAD).write_text("1000\n")
    (root / "sys/class/thermal/thermal_zone0/temp").write_text("-256000\n")  # switched off
    (root / "sys/class/hwmon/hwmon3/curr1_input").unlink()
    found = monitor.read()
    assert found["gpu_percent"] == 100
    assert not {"cpu_celsius", "board_watts"} & found.keys()


def test_a_rail_of_parts_is_not_the_board(root):
    (root / "sys/class/hwmon/hwmon3/in1_label").write_text("VDD_SOC\n")
    found = JetsonMonitor.found(root).read()
    assert found["vdd_soc_watts"] == 3.5 and "board_watts" not in found


def test_an_unknown_tegra_is_a_jetson_too(root):
    (root / "proc/device-tree/model").write_text("NVIDIA Something New\0")
    (root / "proc/device-tree/compatible").write_text("nvidia,p9999\0nvidia,tegra999\0")
    assert "gpu_mhz" in JetsonMonitor.found(root).read()


@pytest.mark.parametrize("compatible", [None, "raspberrypi,4-model-b\0"])
def test_another_machine_is_no_jetson(root, compatible):
    for name in ("model", "compatible"):
        (root / "proc/device-tree" / name).unlink()
    if compatible is not None:
        (root / "proc/device-tree/compatible").write_text(compatible)
    with pytest.raises(UsageError, match="no Jetson"):
        JetsonMonitor.found(root)


def test_is_offered_under_its_name(root):
    entry = Host.discover().monitor("jetson")
    assert entry.automatic and "gpu_percent" in entry.build(MonitorOptions(root)).read()
