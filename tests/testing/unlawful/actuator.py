"""Actuators, each of which breaks one law."""

from __future__ import annotations

from ofa_plugins_core import ActuatorEntry


class Dial:
    """An actuator; what is set sticks unless it does not."""

    def __init__(self, values=(1.0, 2.0), sticks=True):
        self.values, self.unit, self.sticks, self.now = values, "threads", sticks, 1.0

    def get(self):
        return self.now

    def set(self, value):
        self.now = value if self.sticks else value + 1


BROKEN = {
    "values_increase": lambda: Dial(values=(2.0, 1.0)),
    "setting_what_is_set_changes_nothing": lambda: Dial(sticks=False),
}


def ofa_actuators(law, name):
    yield ActuatorEntry(name, "breaks a law", lambda options: BROKEN[law]())
