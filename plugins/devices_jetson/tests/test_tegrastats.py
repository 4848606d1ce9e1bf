"""tegrastats: every form that a board prints is read, and nothing that it prints is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices_jetson.tegrastats import Load, Memory, Power, parse, parse_stream
from ofa_plugins_core.errors import InputError

NANO = (
    "RAM 1903/3956MB (lfb 128x4MB) SWAP 0/1978MB (cached 0MB) IRAM 0/252kB(lfb 252kB) "
    "CPU [12%@1190,off,off,3%@1190] EMC_FREQ 0% GR3D_FREQ 0%@1300 APE 25 PLL@36C CPU@39.5C "
    "iwlwifi@41C PMIC@100C POM_5V_IN 1532/1532 POM_5V_GPU 0/0 POM_5V_CPU 158/158"
)
ORIN = (
    "11-21-2026 21:32:18 RAM 2902/7772MB (lfb 4x1MB) SWAP 0/3886MB (cached 0MB) "
    "CPU [2%@1510,0%@1510,off,off] EMC_FREQ 0%@2133 GR3D_FREQ 0%@[305,305] NVENC off NVJPG1 off "
    "APE 200 cpu@47.5C cv0@-256C gpu@51C tj@48C VDD_IN 5079mW/5080mW "
    "VDD_CPU_GPU_CV 573mW/573mW VDD_SOC 1466mW/1466mW"
)


def test_a_nano_line():
    found = parse(NANO)
    assert found.memory == {
        "RAM": Memory(1903, 3956, "MB", "lfb 128x4MB"),
        "SWAP": Memory(0, 1978, "MB", "cached 0MB"),
        "IRAM": Memory(0, 252, "kB", "lfb 252kB"),
    }
    assert found.cores == (Load(12, (1190,)), None, None, Load(3, (1190,)))
    assert found.engines == {
        "EMC_FREQ": Load(0),
        "GR3D_FREQ": Load(0, (1300,)),
        "APE": Load(None, (25,)),
    }
    assert found.celsius == {"PLL": 36, "CPU": 39.5, "iwlwifi": 41, "PMIC": 100}
    assert found.power["POM_5V_IN"] == Power(1532, 1532) and found.power["POM_5V_CPU"].now == 158
    assert found.unknown == ()
    assert found.memory["RAM"].share == pytest.approx(1903 / 3956)


def test_an_orin_line():
    found = parse(ORIN)
    assert found.engines["GR3D_FREQ"] == Load(0, (305, 305))
    assert found.engines["NVENC"] is None and found.engines["NVJPG1"] is None
    assert found.celsius == {"cpu": 47.5, "cv0": -256, "gpu": 51, "tj": 48}
    assert found.power == {
        "VDD_IN": Power(5079, 5080),
        "VDD_CPU_GPU_CV": Power(573, 573),
        "VDD_SOC": Power(1466, 1466),
    }
    assert found.unknown == ("11-21-2026", "21:32:18")


@pytest.mark.parametrize(
    ("text", "load"),
    [
        ("GR3D_FREQ 0%", Load(0)),
        ("GR3D_FREQ 0%@1300", Load(0, (1300,))),
        ("GR3D_FREQ 99%@[510]", Load(99, (510,))),
        ("GR3D_FREQ 0%@[305,305]", Load(0, (305, 305))),
        ("GR3D_FREQ off", None),
        ("GR3D_FREQ OFF", None),
    ],
)
def test_every_form_of_the_gpu(text, load):
    assert parse(text).engines == {"GR3D_FREQ": load}


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("CPU [12%@1190,off]", (Load(12, (1190,)), None)),
        ("CPU [12%,3%]", (Load(12), Load(3))),
        ("CPU [off, 7%@345]", (None, Load(7, (345,)))),
    ],
)
def test_every_form_of_the_cores(text, cores):
    assert parse(text).cores == cores


def test_power_with_and_without_unit():
    assert parse("VDD_IN 3528/3569").power == {"VDD_IN": Power(3528, 3569)}
    assert parse("VDD_IN 5079mW/5079mW").power == {"VDD_IN": Power(5079, 5079)}


def test_swap_and_iram_may_be_absent():
    assert set(parse("RAM 1/2MB (lfb 1x4MB) CPU [off]").memory) == {"RAM"}


def test_what_is_not_understood_is_kept_in_order():
    found = parse("MTS fg 0% bg 1% RAM 1/2MB GPU@3C3 VDD_IN 1/x")
    assert found.memory == {"RAM": Memory(1, 2, "MB")}
    assert [w for w in found.unknown if w in ("MTS", "GPU@3C3", "VDD_IN", "1/x")] == [
        "MTS",
        "GPU@3C3",
        "VDD_IN",
        "1/x",
    ]


@pytest.mark.parametrize("line", ["", "   ", "tegrastats: command not found", "RAM", "\0"])
def test_another_line_is_refused(line):
    with pytest.raises(InputError, match="tegrastats: expected"):
        parse(line)


WORDS = st.sampled_from([*NANO.split(), *ORIN.split(), "[", "]", "off", "%", "@", "-", "C", "mW"])


@given(st.one_of(st.text(), st.lists(WORDS).map(" ".join), st.lists(WORDS).map("".join)))
def test_any_text_is_read_or_refused(line):
    try:
        found = parse(line)
    except InputError:
        return
    assert found.understood


names = st.from_regex(r"[A-Z][A-Za-z_]{2,12}", fullmatch=True).filter(
    lambda n: n not in ("RAM", "SWAP", "IRAM", "CPU")
)
numbers = st.integers(0, 10**9 - 1)


@given(
    cores=st.lists(
        st.none() | st.builds(Load, st.integers(0, 100), numbers.map(lambda n: (n,))), min_size=1
    ),
    celsius=st.dictionaries(names, st.integers(-2560, 1250).map(lambda n: n / 10)),
    power=st.dictionaries(names, st.builds(Power, numbers, numbers)),
    unit=st.sampled_from(["", "mW"]),
)
def test_what_is_written_is_what_is_read(cores, celsius, power, unit):
    words = ["CPU [" + ",".join("off" if c is None else f"{c.percent}%@{c.mhz[0]}" for c in cores)]
    words[0] += "]"
    words += [f"{name}@{degrees}C" for name, degrees in celsius.items()]
    words += [f"{name} {p.now}{unit}/{p.mean}{unit}" for name, p in power.items()]
    found = parse(" ".join(words))
    assert (found.cores, found.celsius, found.power) == (tuple(cores), celsius, power)
    assert found.unknown == ()


def test_a_stream_goes_on_after_a_broken_line():
    lines = [(0.0, NANO), (0.5, ""), (1.0, "sh: warning"), (2.0, ORIN), (3.0, "RAM 29")]
    stream = parse_stream(lines)
    assert [t for t, _ in stream.readings] == [0.0, 2.0]
    assert stream.skipped == ("sh: warning", "RAM 29")
