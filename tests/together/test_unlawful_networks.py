"""Elastic networks, each of which breaks one law: the law says so, on a network of ofa_mit's."""

from __future__ import annotations

import random
from copy import deepcopy

import numpy as np
import pytest

from ofa_plugins_core.errors import InputError
from ofa_plugins_core.testing.laws import LawBrokenError, elastic

torch = pytest.importorskip("torch")


class Supernet:
    """The small one, with something of its own."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(vars(self)["inner"], name)


def nudged(net):
    """A network with a weight that is not what it was."""
    with torch.no_grad():
        next(iter(net.parameters())).add_(0.5)
    return net


def extracts(change):
    def extract(self, arch):
        return change(self, type(self).__mro__[1].extract(self, arch))

    return {"extract": extract}


def calls_itself(change):
    def forward(self, x):
        return change(self, type(self).__mro__[1].forward(self, x), x)

    return {"forward": forward}


def shares(net, subnet):
    for mine, theirs in zip(subnet.parameters(), net.parameters(), strict=False):
        if mine.shape == theirs.shape:
            mine.data = theirs.data
            break
    return subnet


def takes_anything(self, state):
    """Loads what fits, and says nothing of the rest."""
    try:
        type(self).__mro__[1].load_published(self, state)
    except InputError:
        nudged(self)


def loses_old(self, layout="new"):
    """The older layout is written wrongly."""
    state = type(self).__mro__[1].published(self, layout)
    return {k: t + 1 if layout == "old" and t.ndim == 4 else t for k, t in state.items()}


def activates_anything(self, arch):
    try:
        type(self).__mro__[1].activate(self, arch)
    except InputError:
        return


def sorts_wrongly(self, phase=0, *more, **how):
    nudged(self)


def renames(self, arch):
    type(self).__mro__[1].activate(self, arch)
    vars(self.sold_by)["name"] += "'"


def gambles(self, arch):
    random.random()
    type(self).__mro__[1].activate(self, arch)


def spoils(self, arch):
    type(self).__mro__[1].activate(self, arch)
    nudged(self)


def mixes_images(net, out, x):
    return out + out.mean(0, keepdim=True) if len(out) > 1 else out


def wider(net, subnet):
    subnet.extra = torch.nn.Linear(2, 2)
    return subnet


BROKEN = {
    "fills_the_protocols": {"extract": lambda self, arch: object()},
    "extraction_keeps_the_function": extracts(lambda net, subnet: nudged(subnet)),
    "batches_agree_with_single_images": calls_itself(mixes_images),
    "activation_leaves_no_trace": {"activate": spoils},
    "active_is_what_was_asked_for": {"activate": lambda self, arch: None},
    "copies_are_independent": extracts(shares),
    "counts_are_the_geometrys": extracts(wider),
    "files_round_trip": {"published": loses_old},
    "loading_is_strict": {"load_published": takes_anything},
    "refuses_what_is_no_arch": {"activate": activates_anything},
    "sorting_keeps_the_largest": {"sort_channels": sorts_wrongly},
    "statistics_are_written_where_they_belong": {"apply_statistics": lambda *given: None},
    "training_reaches_the_weights": calls_itself(lambda net, out, x: out.detach() * net.one()),
    "no_other_randomness": {"activate": gambles},
    "supernet_stays": {"activate": renames},
}


def one(net):
    """A parameter that is no weight of the network's."""
    return torch.nn.Parameter(torch.ones((), dtype=torch.double))


@pytest.fixture(scope="module")
def small(host):
    supernet = host.supernet("ofa_small")
    return supernet, supernet.build(10)


@pytest.mark.parametrize("law", elastic.LAWS, ids=lambda law: law.__name__)
def test_the_law_finds_a_network_that_breaks_it(small, law):
    supernet, net = small
    ground = Supernet(supernet)
    vars(ground)["name"] = supernet.name
    if law is elastic.building_is_repeatable:
        vars(ground)["build"] = lambda classes: supernet.build(classes + 1)
        broken = net
    else:
        broken = deepcopy(net)
        parts = {**BROKEN[law.__name__], "one": one, "sold_by": ground}
        broken.__class__ = type("Broken", (type(net),), parts)
    with pytest.raises(LawBrokenError):
        law(broken, ground, np.random.default_rng(20))
