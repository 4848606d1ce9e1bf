"""The published OFA supernets: golden costs, counts, and every line beside the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from ofa_plugins_core import Host, InputError, UsageError

HERE = Path(__file__).parent
SHARED = HERE.parents[3] / "shared"
NAMES = ("ofa_mbv3_w1.0", "ofa_mbv3_w1.2", "ofa_proxyless_w1.3", "ofa_resnet50")


@pytest.fixture(scope="module")
def host():
    return Host.discover()


def lines(path):
    if not path.exists():
        pytest.skip(f"{path} is not there: the shared material lies beside the repository")
    return [json.loads(line) for line in path.read_text().splitlines()]


def golden_holds(host, name, records):
    supernet = host.supernet(name)
    archs = [r["arch"] for r in records]
    for cost in ("params", "flops", "peak_memory"):
        model = host.cost_model(cost).build(supernet)
        values = model.evaluate(archs)
        expected = [r[cost] for r in records]
        assert [
            v if e is not None else None for v, e in zip(values, expected, strict=True)
        ] == expected
    for record in records:
        history = [items for _, _, items in model.history(record["arch"])]
        if "peak_history" in record:
            assert history == record["peak_history"]
        assert max(history) == model.evaluate([record["arch"]])[0]


@pytest.mark.parametrize("name", NAMES)
def test_golden_costs(host, name):
    golden_holds(host, name, lines(HERE / "golden" / f"{name}.jsonl"))


@pytest.mark.parametrize("name", NAMES)
def test_every_golden_cost(host, name):
    golden_holds(host, name, lines(SHARED / "golden" / "costs" / f"{name}.jsonl"))


def test_every_measured_record_has_its_peak_memory(host):
    records = lines(SHARED / "data" / "accuracy" / "ofa_mbv3_w1.0.jsonl")
    model = host.cost_model("peak_memory").build(host.supernet("ofa_mbv3_w1.0"))
    assert model.evaluate([r["arch"] for r in records]).tolist() == [
        r["peak_memory"] for r in records
    ]
    assert len(records) == 2088


@pytest.mark.parametrize(
    ("name", "networks"),
    [
        ("ofa_mbv3_w1.0", 21_758_655_492_572_485_851),
        ("ofa_mbv3_w1.2", 7371**5),
        ("ofa_proxyless_w1.3", 7371**5 * 9),
        # stem: 2 depths, 2 distinct middle widths, 3 widths; stages: 3 widths, e a block
        ("ofa_resnet50", 12 * (3 * (9 + 27 + 81)) ** 3 * (3 * (81 + 243 + 729))),
    ],
)
def test_counts(host, name, networks):
    assert host.supernet(name).space.count() == networks


@pytest.mark.parametrize(("name", "ours"), [(n, "w1.3" in n or "resnet" in n) for n in NAMES])
def test_our_extension_of_peak_memory_is_called_so(host, name, ours):
    source = host.cost_model("peak_memory").build(host.supernet(name)).source
    assert source.startswith("MOOFA")
    assert ("our extension" in source) == ours


@pytest.mark.parametrize(("alias", "name"), [("OFA", "ofa_mbv3_w1.0")])
def test_aliases(host, alias, name):
    assert host.supernet(alias).name == name


def test_params_of_whole_networks(host):
    """The supernet's own parameters are its largest network's and the kernel matrices'."""
    for name, whole in (("ofa_mbv3_w1.0", 7_678_880), ("ofa_mbv3_w1.2", 10_715_752)):
        supernet = host.supernet(name)
        largest = supernet.space.sizes[None, :].astype(np.uint8) - 1
        params = host.cost_model("params").build(supernet).evaluate(largest)[0]
        assert params + 20 * (25**2 + 9**2) == whole


class TestPriced:
    """``priced_as``: the published tables price every MobileNetV3 as the wide one."""

    def test_same_choices(self, host):
        narrow, wide = host.supernet("ofa_mbv3_w1.0"), host.supernet("ofa_mbv3_w1.2")
        arch = narrow.space.decode(narrow.space.sample(1, np.random.default_rng(0)))[0]
        priced = narrow.priced_as(wide)
        assert priced.name == narrow.name
        assert priced.geometry().blocks(arch) == wide.geometry().blocks(arch)

    @pytest.mark.parametrize("other", ["ofa_resnet50", "ofa_proxyless_w1.3"])
    def test_others_are_refused(self, host, other):
        with pytest.raises(UsageError, match=f"cannot be priced as {other}"):
            host.supernet("ofa_mbv3_w1.0").priced_as(host.supernet(other))


class TestForms:
    """Every form of an architecture that published files have."""

    ARCH: ClassVar = {"ks": [3] * 20, "e": [4] * 20, "d": [2] * 5, "image_size": 176}

    def same(self, host, form, arch=ARCH):
        space = host.supernet("ofa_mbv3_w1.0").space
        assert np.array_equal(space.encode([form]), space.encode([arch]))

    def test_under_a_key(self, host):
        self.same(host, {"arch": self.ARCH, "top1": 70.1})

    def test_null_width(self, host):
        self.same(host, {"wid": None, **self.ARCH})

    def test_list_of_resolutions(self, host):
        rest = {k: v for k, v in self.ARCH.items() if k != "image_size"}
        self.same(host, {**rest, "r": [176]})
        self.same(host, {**rest, "r": 176})

    def test_inactive_slots_hold_anything(self, host):
        ks = [3, 3, 0, 99] * 5
        self.same(host, {**self.ARCH, "ks": ks, "e": [4, 4, -1, 0] * 5})

    def test_any_image_size_is_priced(self, host):
        model = host.cost_model("flops").build(host.supernet("ofa_mbv3_w1.0"))
        sizes = [32, 33, 100, 225, 512]
        values = model.evaluate([{**self.ARCH, "image_size": s} for s in sizes])
        assert (np.diff(values) > 0).all()

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"ks": [3] * 19}, "'ks' must be a list of 20 numbers"),
            ({"ks": None}, "'ks' must be a list of 20 numbers"),
            ({"ks": [4] + [3] * 19}, r"ks\[0\] = 4 is not an option"),
            ({"e": [True] + [3] * 19}, r"e\[0\] must be a number, found True"),
            ({"e": [float("nan")] + [3] * 19}, r"e\[0\] must be a number, found nan"),
            ({"e": [10**5000] + [3] * 19}, r"e\[0\] must be a number, found a huge number"),
            ({"d": ["2"] * 5}, r"d\[0\] must be a number, found '2'"),
            ({"d": [5, 2, 2, 2, 2]}, r"d\[0\] = 5 is not an option .* options: 2, 3, 4"),
            ({"image_size": 31}, "image_size must be a whole number of pixels"),
            ({"image_size": 10**9}, "image_size must be a whole number of pixels"),
            ({"image_size": 176.5}, "image_size must be a whole number of pixels"),
            ({"image_size": None}, "image_size must be a whole number of pixels"),
            ({"image_size": [160, 176]}, "image_size must be a whole number of pixels"),
            ({"wid": 1.0}, "'wid' must be null"),
        ],
    )
    def test_others_are_refused(self, host, change, said):
        model = host.cost_model("params").build(host.supernet("ofa_mbv3_w1.0"))
        with pytest.raises(InputError, match=f"architecture 1: .*{said}"):
            model.evaluate([self.ARCH, {**self.ARCH, **change}])

    def test_the_stem_takes_two_or_none(self, host):
        model = host.cost_model("params").build(host.supernet("ofa_resnet50"))
        arch = {"d": [1, 0, 0, 0, 0], "e": [0.2] * 18, "w": [0] * 6, "image_size": 224}
        with pytest.raises(InputError, match=r"d\[0\] = 1 is not an option"):
            model.evaluate([arch])


@pytest.mark.parametrize("name", ["ofa_mbv3_w1.0", "ofa_resnet50"])
def test_another_number_of_classes_changes_the_classifier_alone(name):
    ours = Host.discover().supernet(name)
    theirs, params = ours.with_classes(10), Host.discover().cost_model("params")
    genes = ours.space.sample(20, np.random.default_rng(0))
    fewer = params.build(ours).evaluate(genes) - params.build(theirs).evaluate(genes)
    for arch, difference in zip(ours.space.decode(genes), fewer, strict=True):
        features = ours.geometry().blocks(arch)[-1].ops[-1].channels_in
        assert difference == 990 * (features + 1)
    assert theirs.as_built().space.genes == ours.space.genes
    with pytest.raises(UsageError, match="at least one class"):
        ours.with_classes(0)
