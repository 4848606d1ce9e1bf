"""What each of several processes does in the tests of engines.

Started by a launcher as ``worker.py SCENARIO ENGINE COMPRESS FOLDER``; what a process finds, it
saves as ``FOLDER/RANK.pt``.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import warnings
from pathlib import Path

warnings.simplefilter("error")

import torch  # noqa: E402
from torch import nn  # noqa: E402

from ofa_plugins_core.errors import OfaError  # noqa: E402
from ofa_plugins_core.nn.engines import joined  # noqa: E402
from ofa_plugins_core.nn.syncnorm import synchronised  # noqa: E402

FEW = 3
MANY = 5
"""Images of process 0 and of process 1 in a step."""


def operations(engine, folder):
    """Each operation once, on tensors of several types and layouts."""
    mine = torch.arange(6.0).reshape(2, 3) + 10 * engine.rank
    found = {"about": (engine.name, engine.count, engine.leads, engine.share)}
    for name in ("mean", "sum", "broadcast"):
        tensor = mine.clone()
        getattr(engine, f"{name}_")(tensor, name)
        found[name] = tensor
    odd = torch.tensor(1.0 + 2**-12)  # float16 has 11 bits: it comes back as 1
    engine.mean_(odd, "odd")
    large = torch.tensor(40000.0)  # two of them would pass float16's range
    engine.mean_(large, "large")
    exact = torch.tensor(1.0 + 2**-12)
    engine.sum_(exact, "exact")
    steps = torch.tensor(7 + engine.rank)
    engine.broadcast_(steps, "steps")
    crosswise = torch.arange(24.0).reshape(1, 2, 3, 4).to(memory_format=torch.channels_last)
    engine.sum_(crosswise, "crosswise")
    weight = nn.Parameter(mine.clone())
    engine.broadcast_(weight, "weight")
    kept = torch.ones(2, dtype=torch.float64)
    found |= {
        "odd": odd,
        "large": large,
        "exact": exact,
        "steps": steps,
        "crosswise": crosswise,
        "weight": weight.detach(),
    }
    found |= {"total": engine.total(kept), "kept": kept, "count": engine.count_all(3)}
    engine.meet()
    return found


class Sliced(nn.Module):
    """An elastic norm: it calls torch's function with a slice of what it holds."""

    def __init__(self, channels, held):
        super().__init__()
        self.channels, self.norm = channels, nn.BatchNorm2d(held)

    def forward(self, x):
        n, part = self.norm, slice(self.channels)
        running = n.running_mean[part], n.running_var[part]
        more = {"weight": n.weight[part], "bias": n.bias[part], "training": self.training}
        return nn.functional.batch_norm(x, *running, **more, momentum=0.3, eps=n.eps)


def network():
    """Norms of two and four dimensions, one that averages plainly, one sliced."""
    torch.manual_seed(1)
    layers = [nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 5, 3), Sliced(5, 8)]
    layers += [nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 4)]
    layers += [nn.BatchNorm1d(4, affine=False, momentum=None), nn.Linear(4, 2)]
    return nn.Sequential(*layers)


def trained(engine, share, kind=torch.float64, steps=4):
    """The network's state after SGD on the share of each step's images: (first, past the last).

    bfloat16: parameters in float32, computed in bfloat16 where autocast does.
    """
    low = kind == torch.bfloat16
    held = torch.float32 if low else kind
    net = network().to(held)
    generator = torch.Generator().manual_seed(2)
    for _ in range(steps):
        images = torch.randn(FEW + MANY, 3, 9, 9, generator=generator, dtype=torch.float64) + 3
        labels = torch.randint(2, (FEW + MANY,), generator=generator)[slice(*share)]
        with synchronised(engine), torch.autocast("cpu", torch.bfloat16, enabled=low):
            logits = net(images[slice(*share)].to(held)).to(held)
            own = nn.functional.cross_entropy(logits, labels, reduction="sum")
        (own * engine.count / len(images)).backward()
        for name, parameter in net.named_parameters():
            engine.mean_(parameter.grad, name)
            parameter.data -= 0.1 * parameter.grad  # torch.optim takes ten seconds to import
            parameter.grad = None
    return net.state_dict()


def norm(engine, folder):
    """Unequal batches in two precisions; and one image of one pixel in each process."""
    share = ((0, FEW), (FEW, FEW + MANY))[engine.rank]
    found = {kind: trained(engine, share, kind) for kind in (torch.float64, torch.bfloat16)}
    with synchronised(engine):
        pixel = nn.BatchNorm1d(2).double()(torch.tensor([[1.0, 5.0 + engine.rank]]).double())
    return {**found, "pixel": pixel.detach()}


def die(folder):
    """By kill -9; a file says when."""
    (folder / "killed").touch()
    os.kill(os.getpid(), signal.SIGKILL)


def killed(engine, folder):
    """Process 1 dies by kill -9 between two steps; the others go on working."""
    for step in range(10_000):
        if engine.rank == 1 and step == 20:
            die(folder)
        engine.mean_(torch.ones(1000), "gradient")
    raise AssertionError("nothing has happened")


def busy(engine, folder):
    """Process 1 dies while the others work for themselves, far from any operation of all."""
    if engine.rank == 1:
        die(folder)
    time.sleep(100)


def main():
    scenario, engine, compress, folder = sys.argv[1:]
    try:
        with joined("cpu", engine, compress) as found:
            rank = found.rank
            torch.save(globals()[scenario](found, Path(folder)), Path(folder, f"{rank}.pt"))
    except OfaError as error:
        Path(folder, f"{rank}.txt").write_text(f"{error.exit_code}\n{error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
