"""A plugin for each law that breaks it, installed: the kit names the law and says what is wrong.

What the plugins do stands in ``unlawful/``, a file a seam.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

from ofa_plugins_core import Host
from ofa_plugins_core.testing import fresh, installed, toy_supernet
from ofa_plugins_core.testing.checking import MADE, check
from ofa_plugins_core.testing.laws import LawBrokenError, advice, title
from ofa_plugins_core.testing.laws import cost as cost_laws
from ofa_plugins_core.testing.laws import plugin as plugin_laws
from ofa_plugins_core.testing.laws import sampler as sampler_laws
from ofa_plugins_core.testing.offered import ELASTIC, LAWS, PRICED

PROGRAM = "import sys; from ofa_plugins_core.cli.main import run; sys.exit(run())"
PLACE = Path(__file__).parent / "unlawful"


def read(path):
    """A file's names, for what is to be parametrised."""
    spec = spec_from_file_location(f"unlawful_{path.stem}", path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SEAMS = {path.stem: read(path) for path in sorted(PLACE.glob("*.py")) if path.stem != "whole"}
WHOLE = read(PLACE / "whole.py").BROKEN
BROKEN = [(seam, law) for seam, module in SEAMS.items() for law in module.BROKEN]
KINDS = {
    "actuator": "actuators",
    "claim": "claims",
    "cost": "cost_models",
    "device": "devices",
    "job": "jobs",
    "latency": "latency_predictors",
    "monitor": "monitors",
    "plan": "training_plans",
    "policy": "runtime_policies",
    "predictor": "fitted_predictors",
    "reduction": "reductions",
    "sampler": "samplers",
    "searcher": "searchers",
    "supernet": "supernets",
}
ELSEWHERE = {ELASTIC: "tests/together/test_unlawful_networks.py", PRICED: "cost"}
"""Kinds whose laws are broken elsewhere: networks in torch take a plugin that has some."""


def source(seam, law):
    """A plugin that yields what breaks the law, from each hook of the seam's file."""
    hooks = [name for name in vars(SEAMS[seam]) if name.startswith("ofa_")]
    lines = ["from ofa_plugins_core import hookimpl", f"import unlawful_{seam}", "OFA_API = 1"]
    for hook in hooks:
        given = f"unlawful_{seam}.{hook}({law!r}, {name_of(seam, law)!r})"
        lines += ["@hookimpl", f"def {hook}():", f"    yield from {given}"]
    return "\n".join(lines) + "\n"


def name_of(seam, law):
    return f"{seam}_{law}"


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """All of them side by side, as if pip had installed them."""
    with pytest.MonkeyPatch.context() as patch:
        site, others = tmp_path_factory.mktemp("unlawful"), entry_points(group="ofa.plugins")
        for seam, module in SEAMS.items():
            text = (PLACE / f"{seam}.py").read_text(encoding="utf-8")
            (site / f"unlawful_{seam}.py").write_text(text, encoding="utf-8")
            for law in module.BROKEN:
                installed(site, name_of(seam, law), source(seam, law))
        patch.syspath_prepend(str(site))
        yield Host.discover({point.name for point in others})


@pytest.mark.parametrize(("seam", "law"), BROKEN, ids=lambda value: value)
def test_the_kit_names_the_law_that_a_plugin_breaks(host, seam, law):
    sentence = next(title(one) for one in LAWS[KINDS[seam]] if one.__name__ == law)
    found = check(host, name_of(seam, law), offer=KINDS[seam])
    broken = {f.law: f.message for f in found if f.outcome == "broken"}
    assert sentence in broken or refused_when_built(seam, broken), found
    said = broken.get(sentence) or broken[MADE]
    assert re.search(r"\w+.* \w+", said), "it says in words what is wrong"
    assert not said.startswith("it raised")


def refused_when_built(seam, broken):
    """What nobody can train by, or keep in a file, does not get as far as the laws."""
    return seam in ("plan", "latency") and f"{seam}" in broken.get(MADE, "")


@pytest.mark.parametrize("law", WHOLE)
def test_the_kit_names_the_law_that_a_whole_plugin_breaks(ofa_install, law):
    ofa_install("unlawful", {"unlawful": WHOLE[law], "tensorflow": ""})  # as if it were there
    found = check(Host.discover(), "unlawful", offer="plugin")
    sentence = next(title(one) for one in plugin_laws.LAWS if one.__name__ == law)
    assert [f.law for f in found if f.outcome == "broken"] == [sentence], found


def test_the_command_names_the_law_and_what_to_do(tmp_path):
    """As a program of its own, with a plugin as pip installs one."""
    seam, law = "sampler", "draws_by_the_generator"
    text = (PLACE / f"{seam}.py").read_text(encoding="utf-8")
    installed(tmp_path, "unlawful", {"unlawful": source(seam, law), f"unlawful_{seam}": text})
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "plugins", "check", "unlawful"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4, done.stderr
    broken = next(one for one in sampler_laws.LAWS if one.__name__ == law)
    (line,) = (line for line in done.stdout.splitlines() if ": broken: " in line)
    assert title(broken) in line
    assert advice(broken) in line
    assert "1 law broken" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("spoils", ["rebound", "changed in place"])
def test_an_attribute_of_the_supernet_is_left_alone(spoils):
    class Noted:
        """A toy with a list of its own."""

        def __init__(self):
            self.notes, self.toy = [], toy_supernet()

        def __getattr__(self, name):
            return getattr(vars(self)["toy"], name)

    class Writes:
        def evaluate(self, archs):
            if spoils == "rebound":
                ground.notes = []
            ground.notes += ["seen"]
            return np.zeros(len(archs))

    ground = Noted()
    with pytest.raises(LawBrokenError, match=r"the supernet's \.notes"):
        cost_laws.supernet_stays(Writes(), ground, np.random.default_rng(20))


def test_offers_in_the_order_of_a_set_are_others_in_each_process(ofa_install):
    names = ", ".join(f"'cost_{number}'" for number in range(20))
    one = 'yield CostModelEntry("sound", "keeps its laws", "count", build)'
    several = (
        f"for name in {{{names}}}:\n        {one.replace(chr(34) + 'sound' + chr(34), 'name')}"
    )
    ofa_install("unordered", read(PLACE / "whole.py")._OFFER.replace(one, several))
    orders = [tuple(fresh.seen("unordered").offers["cost_models"]) for _ in range(2)]
    assert len(orders[0]) == 20
    assert orders[0] != orders[1]


def test_every_law_says_what_to_do():
    every = {law for laws in (*LAWS.values(), plugin_laws.LAWS) for law in laws}
    assert [law.__name__ for law in every if not advice(law).endswith(".")] == []


def test_every_law_has_a_plugin_that_breaks_it():
    known = {(KINDS[seam], law) for seam, law in BROKEN}
    known |= {("predictors", law) for kind, law in known if kind == "fitted_predictors"}
    # a smaller space is a supernet made by the core: its plugin gives data alone
    known |= {("reductions", law.__name__) for law in LAWS["supernets"]}
    every = {(kind, law.__name__) for kind, laws in LAWS.items() for law in laws}
    assert {pair for pair in every - known if pair[0] not in ELSEWHERE} == set()
    assert {law.__name__ for law in plugin_laws.LAWS} == set(WHOLE)
