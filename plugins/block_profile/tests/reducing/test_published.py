"""The published smaller spaces, as the paper has them."""

from __future__ import annotations

from block_profile.reducing.published import ENTRIES

SPACES = {
    "npu": ({"k7"}, ()),
    "note10": ({"e3 k7", "e4 k7"}, (3, 4, 4, 4, 4)),
    "gpu": ({"e3 k3", "e3 k7", "e4 k3"}, (4, 3, 4, 3, 3)),
    "cpu": (set(), (3, 3, 3, 4, 4)),
    "max_accuracy": ({"e3", "e4 k3"}, ()),
}


def test_they_are_what_was_published() -> None:
    found = {e.name: ({d.label for d in e.reduction.drop}, e.reduction.depth) for e in ENTRIES}

    assert found == SPACES
    assert all("CIKM 2021" in e.reduction.source for e in ENTRIES)
