"""What networks in torch promise to be fast at.

    python benchmarks/networks.py [--json] [--device cuda]

On the CPU: one thread, batch 1, 224 pixels. On a GPU: channels last, bf16, batch 64, and the images
a second are shown beside torchvision's.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from attrs import frozen
from promises import Action, Row, medians, report

from ofa_plugins_core import Host
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.nn.vision import torchvision
from ofa_plugins_core.values import Arch

SIZE = 224
SUPERNETS = ("ofa_mbv3_w1.0", "moofa_v3", "ofa_resnet50")
PUBLISHED = "extraction takes 1.2 to 1.9 forward passes, 25 to 69 ms (published code)"


@frozen
class Setting:
    """Where and how networks run."""

    device: str
    batch: int
    rounds: int

    def placed(self, module: Any) -> Any:
        """A network as it runs here."""
        module = module.eval().to(self.device)
        if self.device == "cuda":
            module = module.to(memory_format=torch.channels_last, dtype=torch.bfloat16)
        return module

    def images(self) -> torch.Tensor:
        """(batch, 3, 224, 224)."""
        return self.placed_images(torch.randn(self.batch, 3, SIZE, SIZE))

    def placed_images(self, x: torch.Tensor) -> torch.Tensor:
        """Images as they are given here."""
        if self.device == "cuda":
            return x.to(self.device, torch.bfloat16, memory_format=torch.channels_last)
        return x

    def forward(self, module: Any, x: torch.Tensor) -> Action:
        """One pass, waited for."""

        def run() -> None:
            with torch.inference_mode():
                module(x)
                if self.device == "cuda":
                    torch.cuda.synchronize()

        return run


def subnets(supernet: Supernet) -> Iterator[tuple[str, Arch]]:
    """The smallest, a middle and the largest subnet."""
    space = supernet.space.with_resolutions([SIZE])
    last = space.sizes - 1
    rows = np.stack([last * 0, last // 2, last]).astype(np.uint8)
    yield from zip(("smallest", "middle", "largest"), space.decode(rows), strict=True)


def promises(host: Host, name: str, setting: Setting) -> Iterator[Row]:
    """Elastic against extracted; extraction and activation against a forward pass."""
    supernet: Any = host.supernet(name)
    net, x = setting.placed(supernet.build()), setting.images()
    for label, arch in subnets(supernet):
        chosen = arch.as_dict()
        net.activate(chosen)
        subnet = setting.placed(net.extract(chosen))
        elastic, extracted = setting.forward(net, x), setting.forward(subnet, x)
        for _ in range(3):
            elastic()
            extracted()
        what = f"of {name}'s {label} subnet"
        seconds = medians(elastic, extracted, setting.rounds)
        yield Row(f"elastic forward {what}", "extracted forward", *seconds, 1.10)
        seconds = medians(lambda c=chosen: net.extract(c), extracted, setting.rounds)
        yield Row(f"extraction {what}", "its forward", *seconds, 1.5, PUBLISHED)
        seconds = medians(lambda c=chosen: net.activate(c), extracted, setting.rounds)
        yield Row(f"activation {what}", "its forward", *seconds, 0.01)


def macs_of(module: Any) -> int:
    """Multiply-accumulates of a network on one image, counted by hooks."""
    found: list[int] = []

    def note(layer: Any, given: Any, out: torch.Tensor) -> None:
        positions = out[0, 0].numel() if out.ndim == 4 else 1
        found.append(layer.weight.numel() * positions)

    layers = [m for m in module.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    hooks = [layer.register_forward_hook(note) for layer in layers]
    with torch.inference_mode():
        module(torch.zeros(1, 3, SIZE, SIZE))
    for hook in hooks:
        hook.remove()
    return sum(found)


def nearest(host: Host, supernet: Supernet, macs: int) -> Arch:
    """Of 20,000 draws the subnet whose multiply-accumulates come nearest."""
    at = supernet.at([SIZE])
    genes = at.space.sample(20_000, np.random.default_rng(0))
    costs = host.cost_model("flops").build(at).evaluate(genes)
    return at.space.decode(genes[[np.argmin(np.abs(costs - macs))]])[0]


def yardstick(host: Host, setting: Setting) -> Iterator[Row]:
    """An elastic subnet against torchvision's MobileNetV3-Large of as many MACs."""
    outside = torchvision().models.mobilenet_v3_large().eval()
    macs, supernet = macs_of(outside), host.supernet("ofa_mbv3_w1.0")
    net: Any = setting.placed(supernet.build())  # type: ignore[attr-defined]
    net.activate(nearest(host, supernet, macs))
    x, outside = setting.images(), setting.placed(outside)
    seconds = medians(setting.forward(net, x), setting.forward(outside, x), setting.rounds)
    rate = [f"{setting.batch / s:,.0f}" for s in seconds]
    yield Row(
        f"elastic forward of an ofa_mbv3_w1.0 subnet of {macs / 1e6:.0f}M MACs: {rate[0]} images/s",
        f"torchvision's mobilenet_v3_large, {rate[1]} images/s",
        *seconds,
        1.25,
    )


def rows() -> Iterator[Row]:
    """Every promise, measured."""
    cuda = "cuda" in sys.argv
    setting = Setting("cuda", 64, 50) if cuda else Setting("cpu", 1, 25)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    host = Host.discover()
    for name in SUPERNETS:
        yield from promises(host, name, setting)
    yield from yardstick(host, setting)


if __name__ == "__main__":
    raise SystemExit(report(rows()))
