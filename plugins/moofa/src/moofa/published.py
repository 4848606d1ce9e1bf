"""Where MOOFA's checkpoints were published, as data; sizes and hashes were not published."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ofa_plugins_core.entries import WeightsEntry

DRIVE: Final = "https://drive.google.com/file/d/1xSFRTZ9b9ONI7_8s_VEyKLzd5rLihYAT"


def entries() -> Iterator[WeightsEntry]:
    """The one archive, behind a page for browsers; its last step's file goes by this name."""
    yield WeightsEntry(
        "moofa_v3",
        supernet="moofa_v3",
        layout="new",
        page=DRIVE,
        source="MOOFA (2024): one archive of the teacher and the network after each step; "
        "unpack it and add the last step's file",
    )
