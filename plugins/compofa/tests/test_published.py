"""The published checkpoints' addresses, as specified."""

from __future__ import annotations

from compofa.published import entries

PLACE = "https://github.com/gatech-sysml/CompOFA/raw/main/ofa/checkpoints"


def test_both_supernets_have_their_checkpoint():
    found = {entry.supernet: entry for entry in entries()}
    assert set(found) == {"compofa", "compofa_elastic"}
    for supernet, stem in (("compofa", "simple"), ("compofa_elastic", "simple_elastic")):
        name = f"model_best_compofa_{stem}.pth.tar"
        entry = found[supernet]
        assert (entry.name, entry.layout) == (name, "old")
        assert entry.addresses == (f"{PLACE}/{name}",)
        assert (entry.size, entry.sha256) == (None, None)
