"""A latency table drawn: networks as measured against what it says of them."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from attrs import evolve

pytest.importorskip("matplotlib", reason="drawing needs the extra [plot]")

from ofa_plugins_core.errors import InputError
from ofa_plugins_core.own_tables import OwnNetwork, OwnRow
from ofa_plugins_core.report.tables import table_plot
from ofa_plugins_core.table_model import Correction


@pytest.fixture
def table(own_table):
    """With five networks."""
    arch = {"ks": [3] * 4, "e": [2] * 4, "d": [1, 1], "image_size": 32}
    networks = [
        OwnNetwork(
            arch=arch,
            sum=1.0 + n,
            blocks=4 + n,
            measured=OwnRow(mean=0.9 + n, std=0.1, count=5),
            seen=1.0 + n,
        )
        for n in range(5)
    ]
    return own_table(networks=networks)


def texts(path):
    """All text of an SVG file; fails where it is not XML."""
    return [t for e in ElementTree.parse(path).iter() if (t := (e.text or "").strip())]


def marks(path):
    return len(re.findall("<use ", path.read_text()))


def test_it_says_what_it_shows(tmp_path, table):
    file = tmp_path / "plots" / "networks.svg"
    table_plot(table, file)
    said = " ".join(texts(file))
    assert "toy: bench, Toy 1, 2 threads, batch 1" in said
    assert "latency by the table, ms, predicted" in said
    assert "latency, ms, measured" in said
    assert "12 networks: off by 2.5 % on average, rank correlation 0.990" in said
    for name in ("sum of rows", "corrected", "as it was then"):
        assert name in said


def test_every_network_is_there_in_each_way(tmp_path, table):
    few, many = tmp_path / "few.svg", tmp_path / "many.svg"
    table_plot(evolve(table, networks=table.networks[:2]), few)
    table_plot(evolve(table, networks=table.networks[:2] * 2), many)
    # each twice; of axes' ticks there are as many as before
    assert marks(many) - marks(few) == 2 * 3


def test_without_an_error_no_band_and_no_promise(tmp_path, table):
    file = tmp_path / "networks.svg"
    table_plot(evolve(table, error=None), file)
    assert "networks: off by" not in " ".join(texts(file))
    assert "sum of rows" in " ".join(texts(file))


def test_the_correction_and_what_was_seen_are_drawn(tmp_path, table):
    drawn = []
    other = [evolve(n, seen=2 * n.seen) for n in table.networks]
    for number, changes in enumerate([{}, {"correction": Correction()}, {"networks": other}]):
        file = tmp_path / str(number) / "networks.svg"
        table_plot(evolve(table, **changes), file)
        drawn.append(file.read_bytes())
    assert len(set(drawn)) == 3


def test_the_same_table_gives_the_same_bytes(tmp_path, table):
    one, two = (tmp_path / name / "networks.svg" for name in ("one", "two"))
    table_plot(table, one)
    table_plot(table, two)
    assert one.read_bytes() == two.read_bytes()


def test_a_constant_rank_is_no_mistake(tmp_path, table):
    table_plot(evolve(table, error=evolve(table.error, spearman=None)), tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_place_that_cannot_be_written_is_told(tmp_path, table):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError):
        table_plot(table, tmp_path / "file" / "networks.svg")
