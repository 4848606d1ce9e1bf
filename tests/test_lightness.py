"""Light: nothing heavy is loaded that a command does not need, and discovery is quick."""

from __future__ import annotations

import subprocess
import sys
import time

from ofa_plugins_core import Host

HEAVY = ("torch", "torchvision", "horovod", "pymoo", "scipy", "matplotlib", "http.client")


class TestLightness:
    def python(self, code):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def test_discovering_everything_loads_nothing_heavy(self):
        code = (
            "import sys; from ofa_plugins_core import Host; from ofa_plugins_core.hookspecs import "
            "KINDS; host = Host.discover(); [host.entries(k) for k in KINDS]; "
            "[host.supernet(e.name) for e in host.entries('supernets')]; "
            "[e.build(host.supernet(s.name)) for s in host.entries('supernets') "
            "for e in host.entries('cost_models') if not e.qualified]; "
            f"print([m for m in {HEAVY} if m in sys.modules])"
        )
        assert self.python(code) == "[]"

    def test_discovering_everything_loads_no_searcher(self):
        code = (
            "import sys; from importlib.metadata import entry_points; "
            "from ofa_plugins_core import Host; "
            "ours = ('ofa_search', 'ofa_mit', 'compofa', 'moofa'); "
            "names = {p.name for p in entry_points(group='ofa.plugins')}; "
            "Host.discover(names - set(ours)); "
            "print([m for m in sys.modules if m.startswith('ofa_search.exact') or m in "
            "('ofa_search.nsga2', 'ofa_search.exhaustive', 'ofa_mit.evolution', "
            "'ofa_plugins_core.archive', 'ofa_plugins_core.scoring')])"
        )
        assert self.python(code) == "[]"

    def test_the_fixtures_for_plugin_authors_load_nothing_at_all(self):
        code = (
            "import sys, pytest; import ofa_plugins_core.testing.plugin; "
            "print([m for m in ('numpy', 'attr', 'hypothesis', 'ofa_plugins_core.host', "
            f"*{HEAVY}) if m in sys.modules])"
        )
        assert self.python(code) == "[]"

    def test_discovery_is_quick_once_python_is_warm(self):
        Host.discover()
        seconds = min(_timed(Host.discover) for _ in range(5))
        assert seconds < 0.2, "discovery should take some 20 ms"


def _timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
