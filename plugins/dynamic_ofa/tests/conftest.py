"""The published levels; and an elastic toy whose outputs say which level ran, and if all of it did.

torch is imported where it is used: without it the tests of what needs none run.
"""

from __future__ import annotations

import pytest
from attrs import evolve, frozen

from dynamic_ofa.levels.table import Accuracy, Latency, LevelRow, LevelTable, WeightsOf
from ofa_plugins_core import Host, JobContext, SupernetEntry
from ofa_plugins_core.interfaces import Level
from ofa_plugins_core.testing import in_process, toy_supernet

NETS_6 = (
    (74.202, 41.16),
    (74.968, 45.42),
    (76.134, 49.44),
    (77.54, 51.08),
    (78.346, 56.75),
    (79.03, 61.73),
)
"""Accuracy in percent and latency in ms of the published table nets_6."""

CLASSES, SIZE = 7, 32
WIDTHS = {2: 8, 3: 12}
"""Expand ratio -> channels inside."""


@pytest.fixture(scope="session")
def nets_6():
    """The levels of the published table."""
    return tuple(Level(accuracy, latency) for accuracy, latency in NETS_6)


def arch_of(expand, depth, size=SIZE):
    """An architecture of the toy; its first block's ratio and its first stage's depth count."""
    ratios = [expand] + [2] * 3
    return {"ks": [3] * 4, "e": ratios, "d": [depth, 1], "image_size": size}


ARCHS = (arch_of(2, 1), arch_of(3, 1), arch_of(2, 2), arch_of(3, 2))


def tiny_network(space, classes):
    """An ``ElasticModule``; made here, where torch is known to be there."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    def layer(into, out, kernel=1, stride=1):
        conv = nn.Conv2d(into, out, kernel, stride, kernel // 2, bias=False)
        return nn.Sequential(conv, nn.BatchNorm2d(out))

    def cut(widest, into, out):
        conv, norm = widest
        made = layer(into, out, conv.kernel_size[0], conv.stride[0])
        made[0].weight.data.copy_(conv.weight[:out, :into])
        for name in ("weight", "bias", "running_mean", "running_var"):
            getattr(made[1], name).data.copy_(getattr(norm, name)[:out])
        return made

    def run(x, widest, out):
        conv, norm = widest
        weight = conv.weight[:out, : x.shape[1]]
        x = F.conv2d(x, weight, None, conv.stride, conv.padding)
        kept = (norm.running_mean, norm.running_var, norm.weight, norm.bias)
        return F.relu(F.batch_norm(x, *(t[:out] for t in kept)))

    class Subnet(nn.Module):
        def __init__(self, net, arch):
            super().__init__()
            inner = WIDTHS[arch["e"][0]]
            self.arch = arch
            self.layers = nn.ModuleList([cut(net.stem, 3, 4), cut(net.expand, 4, inner)])
            self.layers.append(cut(net.project, inner, 4))
            if arch["d"][0] == 2:
                self.layers.append(cut(net.again, 4, 4))
            self.head = nn.Linear(4, classes)
            self.head.load_state_dict(net.classifier["linear"].state_dict())

        def forward(self, x):
            for found in self.layers:
                x = F.relu(found(x))
            return self.head(x.mean((2, 3)))

        def published(self, layout="new"):
            return {f"{layout}.{k}": t.clone() for k, t in self.state_dict().items()}

    class Network(nn.Module):
        """What is active is looked up at every layer: half a switch would be seen."""

        def __init__(self):
            super().__init__()
            self.stem, self.expand = layer(3, 4, 3, 8), layer(4, max(WIDTHS.values()))
            self.project, self.again = layer(max(WIDTHS.values()), 4), layer(4, 4)
            self.classifier = nn.ModuleDict({"linear": nn.Linear(4, classes)})
            self.space, self.largest = space, space.decode((space.sizes - 1)[None])[0]
            self.activate(self.largest)

        def activate(self, arch):
            self.active = arch if isinstance(arch, dict) else arch.as_dict()

        def forward(self, x):
            x = run(x, self.stem, 4)
            x = run(x, self.expand, WIDTHS[self.active["e"][0]])
            x = run(x, self.project, 4)
            if self.active["d"][0] == 2:
                x = run(x, self.again, 4)
            return self.classifier["linear"](x.mean((2, 3)))

        def extract(self, arch):
            return Subnet(self, arch if isinstance(arch, dict) else arch.as_dict()).eval()

        def published(self, layout="new"):
            return {k: t.clone() for k, t in self.state_dict().items()}

        def load_published(self, state, *, new_head=False):
            self.load_state_dict(state)

        @torch.no_grad()
        def apply_statistics(self, arch, statistics):
            parts = (self.stem, self.expand, self.project, self.again)
            for (mean, variance), part in zip(statistics.values(), parts, strict=False):
                part[1].running_mean[: len(mean)].copy_(mean)
                part[1].running_var[: len(variance)].copy_(variance)

        def sort_channels(self, phase=0):
            raise NotImplementedError

    return Network()


@frozen(eq=False, slots=False)
class Tiny:
    """The toy with a network."""

    toy: object

    def __getattr__(self, name):
        return getattr(self.toy, name)

    def build(self, num_classes=None):
        return tiny_network(self.toy.space, num_classes or CLASSES)


@pytest.fixture(scope="session")
def host():
    """This plugin, and a supernet with a network."""
    entry = SupernetEntry("tiny", "four levels", lambda: Tiny(toy_supernet("tiny")))
    return Host.discover(extra={"tinies": in_process("tinies", ofa_supernets=[entry])})


@pytest.fixture(scope="session")
def weights_of(host):
    """(supernet) -> its network with synthetic weights."""
    from ofa_plugins_core.jobs.networks import load_network
    from ofa_plugins_core.jobs.torch_options import NetworkOptions

    def load(name="tiny", **options):
        chosen = {"weights": "synthetic", "classes": CLASSES, **options}
        return load_network(JobContext(host), NetworkOptions(supernet=name, **chosen)).net

    return load


@pytest.fixture(scope="session")
def table_of():
    """(name, net, archs) -> a level table of synthetic weights with statistics of its own."""
    import torch

    from dynamic_ofa.levels.statistics import as_table_statistics
    from dynamic_ofa.levels.weights import digest_of
    from ofa_plugins_core.nn.calibrate import norms_of

    def row(net, number, arch):
        generator = torch.Generator().manual_seed(number)
        found = {
            name: [torch.rand(2, n.num_features, generator=generator) + s for s in (0.0, 0.5)]
            for name, n in norms_of(net.extract(arch)).items()
        }
        pairs = {name: (mean[0], variance[1]) for name, (mean, variance) in found.items()}
        return LevelRow(
            arch=arch,
            accuracy=Accuracy(value=70.0 + number, kind="predicted"),
            latency=Latency(value=10.0 + 10 * number),
            statistics=as_table_statistics(pairs),
        )

    def table(name, net, archs, classes=CLASSES):
        rows = tuple(row(net, n, arch) for n, arch in enumerate(archs))
        weights = WeightsOf(kind="synthetic", sha256=digest_of(net), source="synthetic")
        return LevelTable(supernet=name, classes=classes, weights=weights, device={}, levels=rows)

    return table


@pytest.fixture(scope="session")
def net(weights_of):
    """The tiny network; nobody changes it."""
    return weights_of()


@pytest.fixture(scope="session")
def table(net, table_of):
    """Its four levels."""
    return table_of("tiny", net, ARCHS)


@pytest.fixture(scope="session")
def with_rows():
    """(table, changes) -> the table with each of its rows changed."""

    def changed(table, **changes):
        return evolve(table, levels=tuple(evolve(row, **changes) for row in table.levels))

    return changed


@pytest.fixture(scope="session")
def image():
    """One image of the levels' size."""
    import torch

    return torch.rand(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="session")
def expected(net, table, image):
    """Of each level what a freshly extracted subnet with its statistics answers."""
    import torch

    from ofa_plugins_core.nn import calibrate

    def answer(row):
        subnet = net.extract(row.arch)
        pairs = row.statistics.items().items()
        calibrate.apply(subnet, {k: tuple(map(torch.from_numpy, p)) for k, p in pairs})
        with torch.inference_mode():
            return subnet(image)

    return [answer(row) for row in table.levels]
