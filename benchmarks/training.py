"""What training promises to be fast at.

    python benchmarks/training.py [--json] [--device cuda]

A step as the published code takes it: batch 32, 128 pixels, four subnets, on the CPU with as many
threads as torch takes, channels last as ``ofa run train`` lays them out. It is held against a plain
training loop over the extracted subnets of the same architectures, each with an optimiser of its
own.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any

import torch
from promises import Row, medians, report
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from ofa_plugins_core import Host
from ofa_plugins_core.nn.engines import joined
from ofa_plugins_core.nn.pictures import normalised
from ofa_plugins_core.nn.running import Runner
from ofa_plugins_core.nn.training.losses import Loss
from ofa_plugins_core.nn.training.steps import Stepper, optimiser_of
from ofa_plugins_core.phases import Phase, draw

BATCH, SIZE, SUBNETS, ROUNDS = 32, 128, 4, 3
PUBLISHED = "3.7 s a step, 4.2 s with distillation (published code, two threads of two cores)"
SLOWEST = 1 / 0.8
"""At least 0.8 of the subnets a second."""


def rows(device: str) -> Iterator[Row]:
    """A row a supernet, and what distillation adds."""
    host = Host.discover()
    for name in ("ofa_mbv3_w1.0", "moofa_v3"):
        yield from of_supernet(host, name, device)


def of_supernet(host: Any, name: str, device: str) -> Iterator[Row]:
    """The step, plain and taught."""
    supernet = host.supernet(name).at([SIZE])
    phase = Phase(step="expand", number=1, epochs=1, base_lr=0.01, subnets=SUBNETS)
    archs = supernet.space.decode(draw(supernet.space, phase, (0, 0)))
    pixels = torch.randint(0, 256, (BATCH, 3, SIZE, SIZE), dtype=torch.uint8)
    labels = torch.randint(0, 1000, (BATCH,))
    with joined(device) as engine:
        runner = Runner(engine, channels_last=True)
        net = runner.placed(supernet.build())
        alone = [runner.placed(net.extract(arch)) for arch in archs]
        teacher = runner.placed(net.extract(net.largest)).eval().requires_grad_(False)

        def stepper(taught: bool) -> Stepper:
            optimiser = optimiser_of(net, 0.9, 3e-5)
            for group in optimiser.param_groups:
                group["lr"] = 1e-4
            taught_by = teacher if taught else None
            return Stepper(net.train(), optimiser, Loss(0.1, 1.0), runner, net.activate, taught_by)

        def done() -> None:
            if device == "cuda":
                torch.cuda.synchronize()

        def ours(taught: bool, with_stepper: list[Stepper]) -> Any:
            def run() -> None:
                with_stepper[taught].step(archs, [(pixels, labels)], [0])
                done()

            return run

        optimisers = [torch.optim.SGD(s.parameters(), 1e-4, 0.9, nesterov=True) for s in alone]

        def plain() -> None:
            images = runner.images(normalised(pixels))
            targets = labels.to(engine.device)
            for subnet, optimiser in zip(alone, optimisers, strict=True):
                optimiser.zero_grad(set_to_none=True)
                F.cross_entropy(subnet.train()(images), targets, label_smoothing=0.1).backward()
                optimiser.step()
            done()

        steppers = [stepper(False), stepper(True)]
        what = f"{name}: a training step of {SUBNETS} subnets, batch {BATCH}, {SIZE} pixels"
        against = "a plain training loop over the extracted subnets"
        taught, untaught = ours(True, steppers), ours(False, steppers)
        taught()  # the first pass of each kind allocates
        elastic, reference = medians(untaught, plain, ROUNDS)
        yield Row(what, against, elastic, reference, SLOWEST, PUBLISHED)
        with_teacher, again = medians(taught, plain, ROUNDS)
        yield Row(f"{what}, with distillation", f"{against}, untaught", with_teacher, again, 1.6)


if __name__ == "__main__":
    where = "cuda" if "--device" in sys.argv and "cuda" in sys.argv else "cpu"
    begun = time.monotonic()
    code = report(rows(where))
    print(f"{torch.get_num_threads()} threads, {time.monotonic() - begun:.0f} s", file=sys.stderr)
    sys.exit(code)
