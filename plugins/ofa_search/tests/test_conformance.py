"""The searchers that ofa_search offers keep the laws of their seam."""

from __future__ import annotations

import pytest

from ofa_plugins_core import Host
from ofa_plugins_core.testing import SearcherSuite

HOST = Host.discover()
SEARCHERS = HOST.plugin("ofa_search").offers.get("searchers", [])


def test_it_is_loaded_and_nothing_is_contested():
    plugin = HOST.plugin("ofa_search")
    assert (plugin.state, plugin.error) == ("loaded", None)
    assert {"exact", "exhaustive", "nsga2"} <= set(SEARCHERS)


class TestSearchers(SearcherSuite):
    @pytest.fixture(params=SEARCHERS)
    def searcher(self, request):
        return HOST.searcher(request.param).build()
