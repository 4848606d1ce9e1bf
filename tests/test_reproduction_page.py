"""docs/reproduction.md is what docs/make_reproduction.py makes of what is kept."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
if not DOCS.is_dir():
    pytest.skip("the docs are not beside the tests", allow_module_level=True)

PLACES = re.compile(r"(?<![\w.])/(?:work|tmp|home|root|usr|mnt)/")


@pytest.fixture(scope="module")
def maker():
    spec = importlib.util.spec_from_file_location(
        "make_reproduction", DOCS / "make_reproduction.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def kept(maker):
    return json.loads(maker.DATA.read_text(encoding="utf-8"))


def test_the_page_is_current(maker, kept):
    said = "run: python docs/make_reproduction.py"
    assert maker.PAGE.read_text(encoding="utf-8") == maker.page(kept), said


def test_every_claim_was_judged_and_no_place_of_a_machine_is_named(kept):
    assert {c["verdict"] for c in kept["claims"]} <= {"reproduced", "consistent", "differs"}
    assert not PLACES.search(json.dumps(kept))


def test_what_differs_says_why_on_the_page(maker, kept):
    broken = next(c for c in kept["claims"] if c["verdict"] == "reproduced" and c["rows"])
    row = {**broken["rows"][0], "ours": "a|b", "holds": False, "why": "<because>"}
    changed = {**broken, "chosen": "", "verdict": "differs", "rows": [row]}
    page = maker.page({**kept, "claims": [changed]})
    assert "| a\\|b |" in page
    assert page.count("&lt;because>") == 2


def test_what_is_consistent_says_why_no_more_on_the_page(maker, kept):
    found = next(c for c in kept["claims"] if c["verdict"] == "reproduced")
    changed = {**found, "verdict": "consistent", "chosen": "the trace is ours"}
    page = maker.page({**kept, "claims": [changed]})
    assert f"| {maker._text(found['summary'])} | the trace is ours |" in page
    assert "| arithmetic on published figures |" in maker.page(
        {**kept, "claims": [{**changed, "chosen": ""}]}
    )
