"""The published files' addresses: as specified, and of supernets that exist."""

from __future__ import annotations

import pytest

from ofa_mit.published import entries
from ofa_plugins_core import Host

ENTRIES = {entry.name: entry for entry in entries()}


@pytest.mark.parametrize(
    ("name", "supernet", "layout"),
    [
        ("ofa_mbv3_d234_e346_k357_w1.0", "ofa_mbv3_w1.0", "old"),
        ("ofa_mbv3_d234_e346_k357_w1.2", "ofa_mbv3_w1.2", "old"),
        ("ofa_proxyless_d234_e346_k357_w1.3", "ofa_proxyless_w1.3", "old"),
        ("ofa_resnet50", "ofa_resnet50", "new"),
    ],
)
def test_the_four_nets_have_three_addresses_each(name, supernet, layout):
    entry = ENTRIES[name]
    assert (entry.supernet, entry.layout) == (supernet, layout)
    assert entry.addresses == (
        f"https://huggingface.co/han-cai/ofa/resolve/main/{name}",
        f"https://raw.githubusercontent.com/han-cai/files/master/ofa/ofa_nets/{name}",
        f"https://hanlab.mit.edu/files/OnceForAll/ofa_nets/{name}",
    )


def test_the_teacher_and_what_each_phase_left():
    place = "https://raw.githubusercontent.com/han-cai/files/master/ofa/ofa_checkpoints"
    phases = [e for e in ENTRIES.values() if e.addresses and e.addresses[0].startswith(place)]
    assert [e.name for e in phases] == [
        "ofa_D4_E6_K7", "ofa_D4_E6_K357", "ofa_D34_E6_K357", "ofa_D234_E6_K357",
        "ofa_D234_E46_K357", "ofa_D234_E346_K357",
    ]  # fmt: skip
    assert [e.layout for e in phases] == ["static"] + ["old"] * 5


def test_fifty_specialised_networks_of_two_files_each():
    names = [name for name in ENTRIES if name.endswith(("/init", "/net.config"))]
    assert len(names) == 100
    assert len({name.partition("/")[0] for name in names}) == 50


def test_nothing_is_invented_and_every_supernet_is_there():
    known = {entry.name for entry in Host.discover().entries("supernets")}
    for entry in ENTRIES.values():
        assert entry.size is None
        assert entry.sha256 is None
        assert entry.supernet in known
        assert entry.source
