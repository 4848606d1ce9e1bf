"""The searchers that ofa_search offers keep the laws of their seam."""

from __future__ import annotations

import attrs
import pytest

from ofa_plugins_core import Host
from ofa_plugins_core.testing import SearcherSuite

HOST = Host.discover()
SEARCHERS = HOST.plugin("ofa_search").offers.get("searchers", [])


def test_it_is_loaded_and_nothing_is_contested():
    plugin = HOST.plugin("ofa_search")
    assert (plugin.state, plugin.error) == ("loaded", None)
    assert {"exact", "exhaustive", "nsga2"} <= set(SEARCHERS)


def small(entry):
    """A searcher with so few generations that the toy's 800 networks keep it busy."""
    if "generations" not in {a.name for a in attrs.fields(entry.options)}:
        return entry.build()
    return entry.build(entry.options(population=40, generations=8))


class TestSearchers(SearcherSuite):
    @pytest.fixture(params=SEARCHERS)
    def searcher(self, request):
        return small(HOST.searcher(request.param))
