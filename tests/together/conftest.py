"""What needs several plugins at once; skipped, and said so, where one is not installed."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

MISSING = [n for n in ("ofa_search", "ofa_mit", "compofa", "moofa") if find_spec(n) is None]

# the toys of exact search are importable here too
sys.path.insert(0, str(Path(__file__).parents[2] / "plugins" / "ofa_search" / "tests"))

collect_ignore_glob = ["test_*.py"] if MISSING else []


def pytest_report_header() -> str:
    """Why tests/together is left out, if it is."""
    return f"tests/together: skipped, not installed: {', '.join(MISSING)}" if MISSING else ""
