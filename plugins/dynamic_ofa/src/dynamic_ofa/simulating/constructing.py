"""Makes the traces that ship: ``python -m dynamic_ofa.simulating.constructing`` writes them.

None of them was measured. They are made for levels of 41 to 62 ms and limits near 60 ms, as the
published table nets_6 has them; what each of them is like, and why, is said in its first line.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from dynamic_ofa.traces import Moment, Trace, write_trace

FOLDER: Final = Path(__file__).parent / "traces"
MHZ: Final = 1900.0
"""Full clock of the constructed device: latency is taken to go with 1 / clock."""


def constructed() -> tuple[Trace, ...]:
    """Every trace that ships, in the order in which docs list them."""
    return (_limits(), _contention(), _clock(), _thermal(), _battery(), _demo())


def _trace(name: str, duration_s: float, moments: list[Moment], about: str) -> Trace:
    return Trace(
        name=name,
        kind="constructed",
        duration_s=duration_s,
        moments=tuple(moments),
        about=about,
    )


def _limits() -> Trace:
    steps = ((0.0, 65.0), (15.0, 55.0), (30.0, 46.0), (45.0, 60.0))
    return _trace(
        "limits",
        60.0,
        [Moment(time_s=time, limit_ms=limit) for time, limit in steps],
        "an application that asks for 65, 55, 46 and again 60 ms while the load stays as it is: "
        "what a policy does with room that it is given, and with room that it loses",
    )


def _contention() -> Trace:
    steps = ((0.0, 1.0, 50.0), (10.0, 1.35, 100.0), (25.0, 1.0, 50.0), (35.0, 1.2, 90.0))
    moments = [
        Moment(time_s=time, factor=factor, readings={"cpu_percent": use})
        for time, factor, use in (*steps, (45.0, 1.0, 50.0))
    ]
    about = (
        "a second program takes its part of the processor, a large one from 10 to 25 s, a smaller "
        "one from 35 to 45 s: inferences take 1.35 and 1.2 times as long, and then as before"
    )
    return _trace("contention", 60.0, moments, about)


def _clocked(time: float, mhz: float, **readings: float) -> Moment:
    """Latency goes with 1 / clock, to four digits."""
    factor = round(MHZ / mhz, 4)
    return Moment(time_s=time, factor=factor, readings={"clock_mhz": mhz, **readings})


def _clock() -> Trace:
    steps = ((0.0, MHZ), (10.0, 1500.0), (25.0, 1400.0), (40.0, MHZ))
    about = (
        "a governor sets the clock to 1,500 MHz at 10 s, to 1,400 at 25 s and back to 1,900 at "
        "40 s; an inference takes in proportion longer"
    )
    return _trace("clock", 60.0, [_clocked(time, mhz) for time, mhz in steps], about)


def _thermal() -> Trace:
    """A second a moment: a clock that gives way step by step, as boards without a fan have it."""
    moments = []
    for second in range(90):
        heat = 45 + min(35.0, max(0.0, second - 5) * 1.0)  # 80 at 40 s
        heat -= max(0.0, second - 60) * 1.5  # cooled from 60 s on
        mhz = round(MHZ - 50 * max(0.0, heat - 70), 1)
        moments.append(_clocked(float(second), mhz, soc_celsius=heat))
    about = (
        "a board warms up by 1 K a second to 80 °C; above 70 °C its clock gives way by 50 MHz a "
        "kelvin, down to 1,400 MHz; from 60 s on it is cooled. A load that creeps, not jumps"
    )
    return _trace("thermal", 90.0, moments, about)


def _battery() -> Trace:
    moments = []
    for second in range(0, 120, 5):
        percent = round(24 - 0.15 * second, 2)
        mhz = MHZ if percent > 20 else 1500.0 if percent > 10 else 1400.0
        moments.append(_clocked(float(second), mhz, battery_percent=percent))
    about = (
        "a battery goes from 24 to 6 %; the device saves by 1,500 MHz from 20 % on and 1,400 MHz "
        "from 10 % on, and does not come back: the level has to stay down"
    )
    return _trace("battery", 120.0, moments, about)


def _demo() -> Trace:
    about = (
        "the published demo: a training job starts at 2.5 s, and the level goes 3, 2, 1 at a limit "
        "of 60 ms with the table nets_6. Its own trace is not published: inferences take 1.25 "
        "times as long here (between 1.214 and 1.321 the levels are these), and it ends within 70 "
        "images of reaching level 1, before the rules try level 2 again"
    )
    return _trace("demo", 9.0, [Moment(time_s=0.0), Moment(time_s=2.5, factor=1.25)], about)


def write_all(folder: Path = FOLDER) -> None:
    """Write every trace, a file each."""
    for trace in constructed():
        write_trace(folder / f"{trace.name}.jsonl", trace)


if __name__ == "__main__":
    write_all()
