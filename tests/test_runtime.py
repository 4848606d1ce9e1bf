"""The run-time seams as docs/plugins.md shows them: a policy, a monitor, an actuator of others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ofa_plugins_core import Host, UsageError
from ofa_plugins_core.interfaces import Decision, Level, Observation
from ofa_plugins_core.testing.checking import check

GUIDE = Path(__file__).parents[1] / "docs" / "plugins.md"
PATH = "/sys/class/hwmon/hwmon0/pwm1"
LEVELS = (Level(70.0, 10.0), Level(75.0, 20.0), Level(78.0, 40.0))


@pytest.fixture
def fan(tmp_path, ofa_install):
    """The plugin of the guide, on a fan that is a file."""
    if not GUIDE.is_file():
        pytest.skip("docs/ is not beside the tests")
    text = GUIDE.read_text(encoding="utf-8")
    (source,) = re.findall(r"```python\n# breeze\.py[^\n]*\n(.*?)```", text, re.S)
    file = tmp_path / "pwm1"
    file.write_text("127")
    ofa_install("breeze", source.replace(PATH, str(file)))
    return file


def test_it_keeps_every_law(fan):
    found = check(Host.discover(), "breeze")
    assert {f.outcome for f in found} == {"holds"}, found
    assert {f.kind for f in found} == {"plugin", "runtime_policies", "monitors", "actuators"}
    assert fan.read_text() == "127", "a check leaves what is set as it was"


def test_where_there_is_no_fan_nothing_is_offered_to_set(fan):
    fan.unlink()
    with pytest.raises(UsageError, match="no fan"):
        Host.discover().actuator("fan_percent").build()
    found = check(Host.discover(), "breeze")
    assert {f.outcome for f in found if f.kind == "actuators"} == {"does not apply"}


def test_it_turns_the_fan_up_before_it_gives_up_accuracy(fan):
    policy = Host.discover().runtime_policy("breeze").build()
    state, decisions = policy.start(LEVELS), []
    for n, speed in ((0, 50.0), (1, 50.0), (2, 100.0), (3, 100.0)):
        seen = Observation(n / 10, 90.0, 60.0, {"fan_percent": speed}, level=2)
        state, found = policy.decide(state, seen)
        decisions.append(found)
    assert decisions == [
        2,
        Decision(2, "more air", {"fan_percent": 100}),
        2,
        Decision(1, "2 were late"),
    ]


def test_levels_without_a_known_energy_have_none():
    assert Level(70.0, 10.0).energy is None
