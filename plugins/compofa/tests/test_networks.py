"""CompOFA: golden costs, counts, and the coupling closed under everything that moves networks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compofa import coupled
from ofa_plugins_core import Host, InputError

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SHARED = ROOT.parent / "shared"
NAMES = ("compofa", "compofa_elastic")
HOST = Host.discover()
DEPTH_TO_EXPAND = {2: 3, 3: 4, 4: 6}
KERNELS = [k for stage in (3, 5, 3, 3, 5) for k in [stage] * 4]


def lines(path):
    if not path.exists():
        pytest.skip(f"{path} is not there: the shared material lies beside the repository")
    return [json.loads(line) for line in path.read_text().splitlines()]


def golden_holds(name, records):
    supernet = HOST.supernet(name)
    archs = [r["arch"] for r in records]
    for cost in ("params", "flops", "peak_memory"):
        model = HOST.cost_model(cost).build(supernet)
        assert model.evaluate(archs).tolist() == [r[cost] for r in records]
    for record in records:
        if "peak_history" in record:
            history = [items for _, _, items in model.history(record["arch"])]
            assert history == record["peak_history"]


@pytest.mark.parametrize("name", NAMES)
def test_golden_costs(name):
    golden_holds(name, lines(HERE / "golden" / f"{name}.jsonl"))


@pytest.mark.parametrize("name", NAMES)
def test_every_golden_cost(name):
    file = {"compofa": "compofa_fixed"}.get(name, name)
    golden_holds(name, lines(SHARED / "golden" / "costs" / f"{file}.jsonl"))


def test_every_measured_record_has_its_peak_memory():
    records = lines(SHARED / "data" / "accuracy" / "compofa_elastic.jsonl")
    model = HOST.cost_model("peak_memory").build(HOST.supernet("compofa_elastic"))
    found = model.evaluate([r["arch"] for r in records]).tolist()
    assert found == [r["peak_memory"] for r in records]
    assert len(found) == 1664


def test_counts():
    fixed, free = (HOST.supernet(n).space for n in NAMES)
    assert fixed.count() == 3**5
    assert fixed.count() * len(fixed.resolutions) == 1215
    assert free.count() == 117**5
    assert free.resolutions == tuple(range(128, 225, 4))


def test_coupling_is_a_pure_function():
    assert coupled((2, 3, 4), (3, 4, 6)) == DEPTH_TO_EXPAND
    assert coupled((4, 2), (6, 3)) == {2: 3, 4: 6}
    with pytest.raises(ValueError, match="one to one"):
        coupled((2, 3), (3, 4, 6))


def keeps_coupling(arch):
    expand = [DEPTH_TO_EXPAND[d] for d in arch["d"] for _ in range(4)]
    return arch["e"] == expand


def genes_of(space):
    row = st.tuples(*(st.integers(0, int(size) - 1) for size in space.sizes))
    return row.map(lambda r: np.array(r, dtype=np.uint8))


@pytest.mark.parametrize("name", NAMES)
class TestClosed:
    """Whatever is drawn, changed or crossed gene by gene stays inside the coupling."""

    def test_samples(self, name):
        space = HOST.supernet(name).space
        drawn = space.decode(space.sample(200, np.random.default_rng(1)))
        assert all(keeps_coupling(a.as_dict()) for a in drawn)

    @settings(max_examples=40, deadline=None)
    @given(data=st.data())
    def test_mutations_and_crossovers(self, name, data):
        space = HOST.supernet(name).space
        one, two = data.draw(genes_of(space)), data.draw(genes_of(space))
        mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(one), max_size=len(one))))
        mutant = one.copy()
        column = data.draw(st.integers(0, len(one) - 1))
        mutant[column] = data.draw(st.integers(0, int(space.sizes[column]) - 1))
        for row in (mutant, np.where(mask, one, two)):
            assert keeps_coupling(space.decode(row.astype(np.uint8))[0].as_dict())


class TestForms:
    """Kernels are fixed: null, or exactly these."""

    ARCH: ClassVar = {"ks": None, "e": [3] * 20, "d": [2] * 5, "image_size": 160}

    def params(self, arch, name="compofa"):
        return HOST.cost_model("params").build(HOST.supernet(name)).evaluate([arch])[0]

    def test_null_and_exactly_these(self):
        expected = self.params(self.ARCH)
        rest = {k: v for k, v in self.ARCH.items() if k != "ks"}
        assert self.params({**self.ARCH, "ks": KERNELS}) == expected
        assert self.params(rest) == expected
        assert self.params({**self.ARCH, "wid": None}) == expected
        assert self.params({**self.ARCH, "ks": KERNELS}, "compofa_elastic") == expected

    def test_unused_slots_hold_anything(self):
        unused = [0, 0, 7, 7] * 5
        ks = [u or k for u, k in zip(unused, KERNELS, strict=True)]
        assert self.params({**self.ARCH, "ks": ks}) == self.params(self.ARCH)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"ks": [3] * 20}, r"ks\[4\] = 3 breaks the coupling of compofa, which fixes it to 5"),
            ({"e": [4] * 20}, r"e\[0\] = 4 breaks the coupling of compofa, which fixes it to 3"),
            ({"d": [2, 2, 3, 2, 2]}, r"e\[8\] = 3 breaks the coupling of compofa"),
        ],
    )
    def test_others_are_refused(self, change, said):
        with pytest.raises(InputError, match=said):
            self.params({**self.ARCH, **change})

    def test_free_kernels_are_not_null(self):
        with pytest.raises(InputError, match="'ks' must be a list of 20 numbers"):
            self.params(self.ARCH, "compofa_elastic")


class TestOwnRow:
    """A coupled network of a user's own."""

    def test_example(self):
        supernet = HOST.supernet(str(ROOT / "examples" / "compound.yaml"))
        assert supernet.name == "small_compound"
        assert supernet.space.count() == 27
        arch = {"ks": None, "e": [3] * 12, "d": [2] * 3, "image_size": 128}
        assert HOST.cost_model("flops").build(supernet).evaluate([arch])[0] > 0

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ("kernels: [3, 4, 5]", "kernels: kernel sizes are odd, found 4"),
            ("kernels: [3, 5]", "kernels: has 2 entries, but there are 3 stages"),
            ("e: [3, 4]", "the coupling pairs depths with expand ratios one to one"),
            ("e: 3", "e: expected a list .* found 3"),
        ],
    )
    def test_bad_rows(self, tmp_path, change, said):
        key = change.partition(":")[0]
        text = (ROOT / "examples" / "compound.yaml").read_text()
        kept = [line for line in text.splitlines() if not line.startswith(f"{key}:")]
        path = tmp_path / "mine.yaml"
        path.write_text("\n".join([*kept, change]))
        with pytest.raises(Exception, match=said) as caught:
            HOST.supernet(str(path))
        assert caught.value.exit_code == 2
        assert str(path) in caught.value.message
