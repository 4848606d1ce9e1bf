"""A process of the second load: multiplies matrices while told to, and never outlives the run.

It takes lines on stdin: ``work``, ``rest``; where stdin ends, or its parent is gone, it ends. Run
as ``python -m dynamic_ofa.live.busy``; says ``ready`` on stdout.
"""

from __future__ import annotations

import os
import signal
import sys
from threading import Event, Thread
from typing import Final

import numpy as np

SIDE: Final = 320
"""Of the matrices: about a megabyte for three, out of the cores' own caches."""
GLANCE_S: Final = 0.5
"""Between looks at the parent while resting."""


def main() -> None:
    """Work and rest as told."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this one
    parent, working = os.getppid(), Event()
    Thread(target=_listen, args=(working,), daemon=True).start()
    one = np.random.default_rng(0).random((SIDE, SIDE), dtype=np.float32) / SIDE
    other = one.copy()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while os.getppid() == parent:
        if working.wait(GLANCE_S):
            np.matmul(one, other, out=other)
            other += one  # without it, numbers fade to zero, and denormal ones take long


def _listen(working: Event) -> None:
    for line in sys.stdin:
        if line.strip() == "work":
            working.set()
        else:
            working.clear()
    os._exit(0)


if __name__ == "__main__":
    main()
