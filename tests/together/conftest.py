"""What needs several plugins at once; skipped, and said so, where one is not installed."""

from __future__ import annotations

from importlib.util import find_spec

MISSING = [n for n in ("ofa_search", "ofa_mit", "compofa", "moofa") if find_spec(n) is None]

collect_ignore_glob = ["test_*.py"] if MISSING else []


def pytest_report_header() -> str:
    """Why tests/together is left out, if it is."""
    return f"tests/together: skipped, not installed: {', '.join(MISSING)}" if MISSING else ""
