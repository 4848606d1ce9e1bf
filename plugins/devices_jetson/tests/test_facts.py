"""What a board says of itself: whatever it answers, it is understood or refused."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices_jetson.boards import NAMED
from devices_jetson.constructed import FILES
from devices_jetson.device import described
from devices_jetson.facts import understood
from devices_jetson.options import JetsonOptions
from devices_jetson.transport import PROTOCOL, script
from ofa_plugins_core.errors import InputError, UsageError

HELLO = {
    "protocol": PROTOCOL,
    "files": {f"/{path}": text for path, text in FILES.items()},
    "versions": {"python": "3.8.10", "torch": None},
    "programs": ["nvpmodel"],
    "nvpmodel": "NV Power Mode: MODE_15W_6CORE\n2\n",
}


def changed(**given):
    """The answer with other files or texts."""
    files = {**HELLO["files"], **given.pop("files", {})}
    return {**HELLO, "files": files, **given}


def test_a_board_as_it_is():
    found = understood("nx", HELLO)
    assert found.board is NAMED["jetson_xavier_nx"] and found.release.version == "35.4.1"
    assert found.present.name == "MODE_15W_6CORE" and found.mode("10W").id == 3
    assert found.versions == {"python": "3.8.10"}
    assert found.flaws == () and found.rails == ("VDD_IN",)


@pytest.mark.parametrize(
    ("query", "name", "number"),
    [
        ("NV Power Mode: MODE_10W_2CORE", "MODE_10W_2CORE", 3),
        ("NV Power Mode: mine\n0", "MODE_15W_2CORE", 0),
        ("NV Power Mode: mine\n77", "mine", 77),
    ],
)
def test_the_present_mode_by_id_by_name_or_as_printed(query, name, number):
    found = understood("nx", changed(nvpmodel=query)).present
    assert (found.name, found.id) == (name, number)


def test_what_is_not_understood_counts_as_not_said_and_is_told():
    found = understood(
        "nx", changed(nvpmodel="sudo: a password is required", files={"/etc/nvpmodel.conf": "<"})
    )
    assert found.present is None and found.modes is None
    assert [flaw.split(":")[0] for flaw in found.flaws] == ["nvpmodel.conf", "nvpmodel -q"]
    assert "mode" not in described(found.board, found, JetsonOptions())
    with pytest.raises(UsageError, match=r"no power modes that could be set: nvpmodel.conf: exp"):
        found.mode("10W")


def test_the_script_speaks_the_same_protocol():
    assert f"\nPROTOCOL = {PROTOCOL}\n" in script()


@pytest.mark.parametrize("protocol", [PROTOCOL + 1, None, "x"])
def test_a_script_of_another_version_is_refused(protocol):
    with pytest.raises(UsageError, match=r"nx: an ofa_board.py of another version") as raised:
        understood("nx", changed(protocol=protocol))
    assert "jetson_by_hand" in raised.value.advice


def test_a_board_without_modes():
    found = understood("nx", {"protocol": PROTOCOL, "files": {}, "versions": {}, "programs": []})
    with pytest.raises(UsageError, match=r"could be set: no /etc/nvpmodel.conf"):
        found.mode("10W")
    assert found.mode(None) is None


anything = st.recursive(
    st.none()
    | st.integers()
    | st.text(max_size=9)
    | st.sampled_from(list(HELLO["files"].values())),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*HELLO, *HELLO["files"]]), inner, max_size=4)
    ),
    max_leaves=12,
)
answers = st.fixed_dictionaries(
    {
        "files": st.dictionaries(st.sampled_from(list(HELLO["files"])), st.text() | anything),
        "versions": st.dictionaries(st.text(), anything) | anything,
        "programs": st.lists(anything) | anything,
    },
    optional={"protocol": st.just(PROTOCOL) | anything, "nvpmodel": anything, "leftover": anything},
)


@given(answers)
def test_any_answer_is_understood_or_refused(answer):
    with contextlib.suppress(InputError, UsageError):
        found = understood("nx", answer)
        found.refuse_another(NAMED["jetson_xavier_nx"])
        described(NAMED["jetson_xavier_nx"], found, JetsonOptions(mode="10W"))
