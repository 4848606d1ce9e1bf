"""Images at levels that follow the load: what an application adds to use a level table.

    python examples/switching.py [LEVELS] [LIMIT]

LEVELS: a level table, by file, folder or the name of one that ships; LIMIT: for example '60 ms'.
"""

from __future__ import annotations

import sys

import torch

from dynamic_ofa import Switcher
from dynamic_ofa.quantities import read_limits
from ofa_plugins_core.errors import OfaError

IMAGES = 200


def camera(size: int) -> torch.Tensor:
    """One image at the size that the level wants; here it is noise."""
    return torch.rand(1, 3, size, size)


def main(levels: str = "moofa_v3", limit: str = "60 ms") -> None:
    """Run images under a policy, and say how it went."""
    late, bound = 0, read_limits(limit).least
    with Switcher(levels, policy="hysteresis", limit=limit, listener=print) as net:
        for number in range(IMAGES):
            ran = net.run(camera)  # or the logits alone: y = net(x)
            late += ran.latency_ms > bound
            if ran.decision and ran.decision.level != ran.level:
                print(f"image {number}: {ran.level} -> {ran.decision.level}, {ran.decision.reason}")
        print(f"{late} of {IMAGES} images over {limit}; now at level {net.level}")
        print(net.facts())


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except OfaError as error:
        raise SystemExit(f"{error}") from error
