"""Plugins that break a law of plugins as a whole: each is a module's source."""

from __future__ import annotations

_OFFER = """
from ofa_plugins_core import CostModelEntry, hookimpl
from ofa_plugins_core.testing import toy_cost

OFA_API = 1


def build(supernet, options):
    return toy_cost("params", supernet)


@hookimpl
def ofa_cost_models():
    yield CostModelEntry("sound", "keeps its laws", "count", build)
"""

_SUPERNET = """
from ofa_plugins_core import SupernetEntry, hookimpl

OFA_API = 1


def build():
    import tensorflow
    from ofa_plugins_core.testing import toy_supernet

    return toy_supernet("heavy")


@hookimpl
def ofa_supernets():
    yield SupernetEntry("heavy", "needs too much", build)
"""

BROKEN = {
    "hooks_are_cheap": f"import tensorflow\n{_OFFER}",
    "supernets_are_cheap": _SUPERNET,
    "is_the_same_in_every_process": f"""
import os
{_OFFER.replace('"sound"', 'f"cost_of_{os.getpid()}"')}""",
    "hooks_have_no_other_randomness": f"import random\nrandom.seed(1)\n{_OFFER}",
    "hooks_print_nothing": f"print('hello')\n{_OFFER}",
}
