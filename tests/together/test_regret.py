"""docs/dynamic_ofa.md holds what its maker makes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_tables_of_the_page_are_made_by_its_maker():
    spec = importlib.util.spec_from_file_location("make_regret", DOCS / "make_regret.py")
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    kept = maker.PAGE.read_text(encoding="utf-8")
    assert kept == maker.page(kept), "run: python docs/make_regret.py"
