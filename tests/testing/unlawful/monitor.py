"""Monitors, each of which breaks one law."""

from __future__ import annotations

import math
import random

from ofa_plugins_core import MonitorEntry


class Reads:
    def __init__(self, found):
        self.found = found

    def read(self):
        return self.found()


BROKEN = {
    "reads_numbers_by_name": lambda: {"cpu_percent": math.nan},
    "names_say_the_unit": lambda: {"heat": 40.0},
    "no_other_randomness": lambda: {"noise_db": random.random()},
}


def ofa_monitors(law, name):
    yield MonitorEntry(name, "breaks a law", lambda options: Reads(BROKEN[law]))
