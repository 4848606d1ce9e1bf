"""The claims of all plugins, and the page of what they came to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "docs" / "data" / "reproduction.json"

for plugin in ("moofa", "compofa", "dynamic_ofa", "block_profile"):
    pytest.importorskip(plugin, reason="the page is about all plugins")


def test_every_claim_is_on_the_page_with_its_words(host):
    if not DATA.is_file():
        pytest.skip("the docs are not beside the tests")
    kept = json.loads(DATA.read_text(encoding="utf-8"))["claims"]
    told = {c["claim"]: (c["work"], c["source"], c["summary"]) for c in kept}
    offered = {e.name: (e.work, e.source, e.summary) for e in host.entries("claims")}
    assert told == offered, "run: python docs/make_reproduction.py --material FOLDER"


def test_a_published_file_has_one_name_one_place_and_the_same_words_everywhere(host):
    needed = {m for e in host.entries("claims") for m in e.needs}
    assert len(needed) == len({m.name for m in needed}) == len({m.place for m in needed})


def test_all_but_the_longest_are_quick(host):
    seconds = {e.name: e.seconds for e in host.entries("claims")}
    assert max(seconds.values()) < 60
    assert sum(seconds.values()) < 600
