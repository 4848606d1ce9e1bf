"""Which board, which release, which rails and profiles."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices_jetson.boards import BOARDS, NAMED, Release, detect, is_tegra, parse_release
from devices_jetson.nvpmodel import Mode
from devices_jetson.profiles import profile_of, profiles, source
from ofa_plugins_core.errors import InputError, UsageError

TREES = [
    ("NVIDIA Jetson Nano Developer Kit", "nvidia,p3450-0000\0nvidia,tegra210", "jetson_nano"),
    ("quill", "nvidia,quill\0nvidia,p2771-0000\0nvidia,tegra186", "jetson_tx2"),
    (
        "NVIDIA Jetson Xavier NX Developer Kit",
        "nvidia,p3509-0000+p3668-0000\0nvidia,tegra194",
        "jetson_xavier_nx",
    ),
    ("Jetson-AGX", "nvidia,p2822-0000+p2888-0001\0nvidia,tegra194", "jetson_agx_xavier"),
    (
        "NVIDIA Jetson Orin Nano Developer Kit",
        "nvidia,p3768-0000+p3767-0005\0nvidia,tegra234",
        "jetson_orin_nano",
    ),
    (
        "NVIDIA Jetson Orin NX Engineering Reference Developer Kit",
        "nvidia,p3768-0000+p3767-0000\0nvidia,tegra234",
        "jetson_orin_nx",
    ),
    (
        "NVIDIA Jetson AGX Orin Developer Kit",
        "nvidia,p3737-0000+p3701-0000\0nvidia,tegra234",
        "jetson_agx_orin",
    ),
]


@pytest.mark.parametrize(("model", "compatible", "name"), TREES)
def test_a_board_is_known_by_its_model_or_by_its_module(model, compatible, name):
    assert detect(f"{model}\0", compatible).name == name
    assert detect("a carrier of our own", compatible + "\0").name == name
    assert is_tegra(compatible)


def test_other_machines_are_no_board():
    assert detect("Raspberry Pi 4 Model B\0", "raspberrypi,4-model-b\0brcm,bcm2711") is None
    assert detect("", "") is None and not is_tegra("brcm,bcm2711")


def test_compute_capabilities():
    found = {board.name: board.capability for board in BOARDS}
    assert found == {
        "jetson_nano": "5.3",
        "jetson_tx2": "6.2",
        "jetson_xavier_nx": "7.2",
        "jetson_agx_xavier": "7.2",
        "jetson_orin_nano": "8.7",
        "jetson_orin_nx": "8.7",
        "jetson_agx_orin": "8.7",
    }


@pytest.mark.parametrize(
    ("line", "release", "jetpack"),
    [
        ("# R32 (release), REVISION: 7.1, GCID: 29818004, BOARD: t210ref", "32.7.1", 4),
        ("# R35 (release), REVISION: 4.1, GCID: 33958178, BOARD: t186ref\nmore", "35.4.1", 5),
        ("# R36 (release), REVISION: 3.0, GCID: 36191598", "36.3.0", 6),
        ("# R99 (release), REVISION: 1", "99.1", None),
    ],
)
def test_releases(line, release, jetpack):
    found = parse_release(line)
    assert (found.version, found.jetpack) == (release, jetpack)


@given(
    st.text()
    | st.lists(st.sampled_from(["# R35", " (release)", ", REVISION: ", "4.1", ","])).map("".join)
)
def test_any_release_is_read_or_refused(text):
    with contextlib.suppress(InputError):
        assert isinstance(parse_release(text), Release)


@given(st.text(), st.text())
def test_any_device_tree_is_a_board_or_none(model, compatible):
    found = detect(model, compatible)
    assert found is None or found in BOARDS


@pytest.mark.parametrize("name", ["jetson_xavier_nx", "jetson_orin_nx", "jetson_orin_nano"])
def test_on_the_small_xavier_and_orins_only_the_total_or_cpu_and_gpu_together_exist(name):
    board = NAMED[name]
    assert board.total == "VDD_IN"
    assert board.scope("VDD_CPU_GPU_CV") == "CPU, GPU and CV together"
    assert "GPU" not in board.rails.values()


def test_rails_of_the_older_boards():
    assert NAMED["jetson_nano"].total == "POM_5V_IN"
    assert NAMED["jetson_tx2"].scope("VDD_GPU") == "GPU"
    assert NAMED["jetson_agx_orin"].total is None, "only parts are measured"


def test_a_rail_that_a_board_has_not_is_refused_with_those_that_it_has():
    with pytest.raises(UsageError, match=r"no power rail 'VDD_GPU'; it has: VDD_IN \(the whole"):
        NAMED["jetson_xavier_nx"].scope("VDD_GPU")


def test_profiles_are_the_published_ones():
    nano = profile_of("jetson_nano", "MAXN")
    assert (nano.cores, nano.cpu_mhz, nano.gpu_mhz) == (4, 1479, 921.6)
    assert profile_of("jetson_xavier_nx", "MODE_10W_4CORE").cpu_mhz == 1200
    assert profile_of("jetson_xavier_nx", "MODE_20W_6CORE").mode == "20W"
    assert profile_of("jetson_tx2", "MAXP_CORE_ARM").gpu_mhz == 1120
    assert profile_of("jetson_agx_xavier", "MODE_10W").emc_mhz == 1065.6
    assert profile_of("jetson_nano", "MODE_15W") is None
    assert source()


def test_every_board_has_its_place_among_the_profiles():
    for board in BOARDS:
        assert len({p.mode for p in profiles(board.name)}) == len(profiles(board.name))
    assert {p.mode for p in profiles("jetson_orin_nano")} == {"7W", "15W", "25W", "MAXN_SUPER"}
    assert {p.mode for p in profiles("jetson_agx_orin")} == {"MAXN", "15W", "30W", "50W"}


def test_a_mode_that_was_changed_differs_from_its_profile():
    def mode(cpu: str, cores: str) -> Mode:
        return Mode(
            0,
            "MODE_15W_2CORE",
            {
                ("CPU_DENVER_0", "MAX_FREQ"): cpu,
                ("GPU", "MAX_FREQ"): "1109250000",
                ("CPU_ONLINE", "CORE_0"): "1",
                ("CPU_ONLINE", "CORE_1"): cores,
            },
        )

    profile = profile_of("jetson_xavier_nx", "MODE_15W_2CORE")
    assert profile.differences(mode("1907200", "1")) == [], "published clocks are rounded"
    assert profile.differences(mode("1190400", "0")) == [
        "CPU at most 1190.4 MHz, published 1900 MHz",
        "1 cores, published 2",
    ]
