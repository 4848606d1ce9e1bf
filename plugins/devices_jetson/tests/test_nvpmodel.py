"""Power modes: read from the board's own file, asked for by name."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices_jetson.nvpmodel import Current, parse_conf, parse_query
from ofa_plugins_core.errors import InputError, UsageError

CONF = """\
# a file in the form of a board's
< PARAM TYPE=FILE NAME=CPU_ONLINE >
CORE_0 /sys/devices/system/cpu/cpu0/online
< PARAM TYPE=CLOCK NAME=CPU_DENVER_0 >
MAX_FREQ /sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq

< POWER_MODEL ID=0 NAME=MODE_15W_2CORE >
CPU_ONLINE CORE_0 1
CPU_ONLINE CORE_1 1
CPU_ONLINE CORE_2 0
TPC_POWER_GATING TPC_PG_MASK 0
CPU_DENVER_0 MIN_FREQ 1190400
CPU_DENVER_0 MAX_FREQ 1907200
GPU MIN_FREQ 0
GPU MAX_FREQ 1109250000   # Hz
EMC MAX_FREQ -1
what is this
< POWER_MODEL ID=2 NAME=MODE_15W_6CORE >
GPU MAX_FREQ -1
EMC MAX_FREQ 1600000000
<POWER_MODEL ID=3 NAME=MODE_10W_2CORE>
< PM_CONFIG DEFAULT=2 >
"""


def test_modes_with_their_clocks():
    modes = parse_conf(CONF)
    first, second, third = modes.modes
    assert (first.id, first.name) == (0, "MODE_15W_2CORE")
    assert first.cores == 2
    assert first.cpu_mhz == {"CPU_DENVER_0": 1907.2}
    assert first.gpu_mhz == 1109.25
    assert first.emc_mhz is None, "−1 is unlimited"
    assert first.settings["TPC_POWER_GATING", "TPC_PG_MASK"] == "0"
    assert second.gpu_mhz is None and second.emc_mhz == 1600 and second.cores is None
    assert third.name == "MODE_10W_2CORE" and third.settings == {}
    assert modes.default == 2 and modes.of_id(3) is third and modes.of_id(7) is None


def test_what_is_not_understood_is_kept():
    unknown = parse_conf(CONF).unknown
    assert "what is this" in unknown and "< PARAM TYPE=FILE NAME=CPU_ONLINE >" in unknown


@pytest.mark.parametrize(
    ("asked", "number"),
    [
        ("MODE_15W_2CORE", 0),
        ("mode_15w_2core", 0),
        ("15W 2 cores", 0),
        ("15W_6CORE", 2),
        ("15w-6-core", 2),
        ("10W", 3),
    ],
)
def test_a_mode_is_asked_for_by_name(asked, number):
    assert parse_conf(CONF).named(asked).id == number


def test_the_id_of_a_name_is_the_boards_own():
    moved = CONF.replace("ID=2", "ID=8")
    assert parse_conf(moved).named("15W_6CORE").id == 8


@pytest.mark.parametrize("asked", ["MAXN", "1", "15", "2", "", "MODE", "15W_8CORE"])
def test_an_unknown_mode_is_refused_with_the_known_ones(asked):
    with pytest.raises(UsageError, match=r"has no power mode .*MODE_15W_2CORE, MODE_15W_6CORE"):
        parse_conf(CONF).named(asked)


def test_an_ambiguous_mode_is_refused_with_those_it_may_mean():
    with pytest.raises(UsageError, match=r"ambiguous: MODE_15W_2CORE \(id 0\), MODE_15W_6CORE"):
        parse_conf(CONF).named("15W")


def test_a_name_that_two_modes_have_is_ambiguous():
    twice = CONF.replace("MODE_15W_6CORE", "MODE_15W_2CORE")
    with pytest.raises(UsageError, match=r"\(id 0\), MODE_15W_2CORE \(id 2\)"):
        parse_conf(twice).named("MODE_15W_2CORE")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected '< POWER_MODEL"),
        ("GPU MAX_FREQ 1", "expected '< POWER_MODEL"),
        ("< POWER_MODEL ID=x NAME=A >", "found '< POWER_MODEL ID=x"),
        ("< POWER_MODEL ID=1 >", "found '< POWER_MODEL ID=1 >'"),
        ("< POWER_MODEL ID=1 NAME=A >\n< POWER_MODEL ID=1 NAME=B >", "two power modes have the id"),
    ],
)
def test_a_broken_file_is_refused(text, said):
    with pytest.raises(InputError, match=said):
        parse_conf(text)


PARTS = st.sampled_from([*CONF.split(), *CONF.splitlines(), "\n", "<", ">", "ID=", "NAME="])


@given(st.text() | st.lists(PARTS).map(" ".join) | st.lists(PARTS).map("\n".join), st.text())
def test_any_text_is_read_or_refused(text, asked):
    try:
        modes = parse_conf(text)
    except InputError:
        return
    for mode in modes.modes:
        _ = mode.cores, mode.cpu_mhz, mode.gpu_mhz, mode.emc_mhz
    with contextlib.suppress(UsageError):
        assert modes.named(asked) in modes.modes


def test_the_present_mode():
    assert parse_query("NV Power Mode: MODE_15W_6CORE\n2\n") == Current("MODE_15W_6CORE", 2)
    assert parse_query("NV Fan Mode:quiet\nNV Power Mode: MAXN\n0\n") == Current("MAXN", 0)
    assert parse_query("NV Power Mode: 15W") == Current("15W", None)


@given(st.text() | st.lists(st.sampled_from(["NV Power Mode:", " A", "\n", "3", " "])).map("".join))
def test_any_answer_is_read_or_refused(text):
    with contextlib.suppress(InputError):
        assert parse_query(text).name
