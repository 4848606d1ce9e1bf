"""Counts, times and amounts of bytes as a person says them."""

from __future__ import annotations


def counted(count: int, thing: str) -> str:
    """So many things: "1 row", "1,257 rows"."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """Seconds in the unit in which they are said: "4 s", "6 min", "1.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def durations(least: float, most: float) -> str:
    """A range of seconds: "4 min to 6 min", "about 5 min"."""
    words = duration(least), duration(most)
    return f"about {words[1]}" if words[0] == words[1] else " to ".join(words)


def sized(count: int) -> str:
    """Bytes in the unit in which they are said: "12 MB", "7.5 GB"."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.3g} MB"
