"""Latency tables of the toy supernet, measured on a device whose time is worked out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.jobs.lut.measuring import Plan, drawn_networks
from ofa_plugins_core.jobs.lut.works import needed_parts, needed_rows
from ofa_plugins_core.testing import ToySupernet, toy_supernet
from ofa_plugins_core.timing import Effort

QUICK = Effort(least=3, most=6, warmup=1)


@pytest.fixture
def plan() -> Callable[..., Plan]:
    """What is to be measured of the toy, at two image sizes; ``split`` with parts."""

    def make(
        supernet: ToySupernet | None = None, networks: int = 9, split: bool = False, **fields: Any
    ) -> Plan:
        place = supernet or toy_supernet()
        found = Plan(
            place,
            needed_rows(place),
            needed_parts(place) if split else None,
            drawn_networks(place, networks, 0),
            QUICK,
            1,
        )
        return evolve(found, **fields)

    return make


@pytest.fixture
def context(toy_host: Any) -> JobContext:
    """What a job runs in: the toy host, no folder."""
    return JobContext(host=toy_host)
