"""The options of random search; alone, so that discovery loads no searcher."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import ge


@frozen
class RandomOptions:
    """Options of ``random``."""

    draws: int = field(default=10_000, validator=ge(1), metadata={"help": "networks drawn"})
