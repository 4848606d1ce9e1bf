"""A program for tests: a run that limits the clock of a processor and then gets signals.

``python limited.py CONFTEST ROOT FIRST LATER…``: FIRST (``-``: none) comes during an inference,
each LATER whenever something ends: while the limit is put back, when the switcher is closed.
"""

from __future__ import annotations

import signal
import sys
import tempfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from dynamic_ofa.live.stopping import SIGNALS
from dynamic_ofa.monitoring.actuators import CpuClock
from dynamic_ofa.monitoring.options import CpuClockOptions
from ofa_plugins_core import ActuatorEntry, NoOptions, RuntimePolicyEntry
from ofa_plugins_core.interfaces import Decision

LIMITED = 800.0


def main(conftest, root, first, *later):
    """Exit code of the run."""
    for number in SIGNALS:  # whoever runs the tests may ignore some, as nohup does
        signal.signal(number, signal.SIG_DFL)
    spec = spec_from_file_location("stand_ins", conftest)
    stand_ins = module_from_spec(spec)
    spec.loader.exec_module(stand_ins)

    def send(*names):
        for name in names:
            signal.raise_signal(getattr(signal, name))

    class Clock(CpuClock):
        def set(self, value):
            if value != LIMITED:
                send(*later)
            super().set(value)

    class Limiting:
        def start(self, levels):
            return None

        def decide(self, state, seen):
            return state, Decision(0, "", {"cpu_max_mhz": LIMITED})

    class Shelf(stand_ins.Shelf):
        def runtime_policy(self, name):
            return RuntimePolicyEntry(name, "", lambda options: Limiting(), NoOptions)

        def actuator(self, name):
            return ActuatorEntry(name, "", lambda _: Clock.found(CpuClockOptions(root=Path(root))))

    class Closing(stand_ins.StandIn):
        def __exit__(self, *given):
            send(*later)

    stand_ins.StandIn = Closing
    with tempfile.TemporaryDirectory() as folder:
        table, machine = stand_ins.table_of_three(), stand_ins.Machine()
        bench = stand_ins.Bench(table, machine, Path(folder) / "run")
        bench.host = Shelf()
        bench.fails = {} if first == "-" else {3: lambda: send(first)}
        result = bench.run(limit="1 s", actuators="cpu_max_mhz", count=9)
    sys.stdout.write(f"{len(result.inferences)} inferences\n")
    return result.exit_code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
