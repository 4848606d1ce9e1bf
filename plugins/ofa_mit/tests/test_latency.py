"""Latency of the published networks by the published tables beside the repository."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from ofa_plugins_core import Host, InputError
from ofa_plugins_core.builtin.latency import LatencyOptions
from ofa_plugins_core.table_flaws import CopiedRows, FallingSums, NoisyRows, find_flaws
from ofa_plugins_core.tables import TableFolder, row_key

SHARED = Path(__file__).parents[4] / "shared"
LUT = SHARED / "data" / "lut"

pytestmark = pytest.mark.skipif(
    not LUT.exists(), reason=f"{LUT} is not there: published tables are not part of the project"
)


@pytest.fixture(scope="module")
def host():
    return Host.discover()


@pytest.fixture(scope="module")
def tables():
    return {n: TableFolder.open(LUT / n) for n in ("note10", "jetson_gpu", "jetson_cpu")}


def latency(host, supernet, table, lut_as=None):
    options = LatencyOptions(table, LUT / table, lut_as)
    return host.cost_model(f"latency@{table}").build(supernet, options)


def test_golden_latencies(host):
    path = SHARED / "golden" / "costs" / "ofa_mbv3_w1.2.jsonl"
    records = [
        r for r in map(json.loads, path.read_text().splitlines()) if "latency_note10_ms" in r
    ]
    model = latency(host, host.supernet("ofa_mbv3_w1.2"), "note10")
    expected = [r["latency_note10_ms"] for r in records]
    assert len(expected) == 45
    assert np.allclose(model.evaluate([r["arch"] for r in records]), expected, rtol=0, atol=1e-6)
    assert (model.name, model.unit, model.kind) == ("latency@note10", "ms", "published")


def test_the_rows_are_exactly_what_the_wide_network_needs(host, tables):
    blocks = host.supernet("ofa_mbv3_w1.2").geometry().catalogue(224).blocks
    assert {row_key(b) for b in blocks} == tables["jetson_gpu"].table(224).rows.keys()


class Inert:
    """Stands for every class that a pickle names: nothing of it is run."""

    def __init__(self, *given):
        pass

    def __call__(self, *given):
        return Inert()

    def __setstate__(self, state):
        pass

    def __setitem__(self, key, value):
        pass

    append = extend = __call__


class InertUnpickler(pickle.Unpickler):
    """Reads the lists, dicts and numbers of a pickle, and nothing else."""

    def find_class(self, module, name):
        return Inert

    def persistent_load(self, key):
        return None


def published_levels():
    path = SHARED / "data" / "dynamic_ofa" / "nets_6.pickle"
    with path.open("rb") as file:
        return InertUnpickler(file).load()["configs"]


@pytest.mark.parametrize(
    ("table", "sums"),
    [
        ("jetson_gpu", [18.2, 19.9, 23.7, 24.8, 27.3, 30.2]),
        ("jetson_cpu", [1208.5, 1295.1, 1580.8, 1766.5, 2128.8, 2902.4]),
    ],
)
def test_known_sums(host, table, sums):
    found = latency(host, host.supernet("ofa_mbv3_w1.2"), table).evaluate(published_levels())
    assert found.round(1).tolist() == sums


def test_another_networks_rows_are_refused(host):
    with pytest.raises(InputError, match=r"lacks \d+ rows that ofa_mbv3_w1\.0 needs") as caught:
        latency(host, host.supernet("ofa_mbv3_w1.0"), "note10").separable(224)
    assert "the table has rows of ofa_mbv3_w1.2" in caught.value.message
    assert "--lut-as ofa_mbv3_w1.2" in caught.value.advice


def test_the_published_convention_is_marked(host):
    narrow, wide = host.supernet("ofa_mbv3_w1.0"), host.supernet("ofa_mbv3_w1.2")
    model = latency(host, narrow.priced_as(wide), "note10", "ofa_mbv3_w1.2")
    assert model.source.startswith("published convention: priced as ofa_mbv3_w1.2")
    arch = narrow.space.decode(narrow.at([160]).space.sample(1, np.random.default_rng(0)))[0]
    arch = {**arch.as_dict(), "image_size": 160}
    assert model.evaluate([arch]) == latency(host, wide, "note10").evaluate([arch])


def test_missing_sizes_are_named(host):
    with pytest.raises(InputError, match="no latency table for 128 px") as caught:
        latency(host, host.supernet("ofa_mbv3_w1.2"), "note10").separable(128)
    assert "--resolutions 160,164" in caught.value.advice


def test_known_flaws_of_a_table_alone(tables):
    gpu = {type(f): f for f in find_flaws([tables["jetson_gpu"]])}
    copied = {key.partition("-")[0] for _, key in gpu[CopiedRows].rows}
    assert copied == {"Conv", "Conv_1", "Conv_2", "Logits", "AvgPool2D", "expanded_conv"}
    assert len(gpu[CopiedRows].rows) == 6 * 17
    assert gpu[NoisyRows].typical == pytest.approx(0.035, abs=5e-4)
    assert FallingSums in gpu
    cpu = {type(f): f for f in find_flaws([tables["jetson_cpu"]])}
    assert {key for _, key in cpu[CopiedRows].rows if not key.startswith("expanded_conv")} == set()
    assert len(cpu[CopiedRows].rows) == 17
    noise = cpu[NoisyRows]
    assert (round(noise.typical, 2), round(noise.largest, 2)) == (0.34, 0.98)
    assert round(noise.largest_fixed, 2) == 3.24
    assert FallingSums in cpu
    note10 = {type(f): f for f in find_flaws([tables["note10"]])}
    assert set(note10) == {NoisyRows}
    assert note10[NoisyRows].typical == pytest.approx(0.024, abs=5e-4)


def test_a_copy_is_told_once(tables):
    copies = [f for f in find_flaws(list(tables.values())) if isinstance(f, CopiedRows)]
    assert [(c.table, c.known) for c in copies] == [("jetson_gpu", True), ("jetson_cpu", True)]
