"""Block profiles of the published spaces, held against the published figures."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

pytest.importorskip("block_profile")
from block_profile.profiling.forcing import forcing_of
from block_profile.profiling.rows import Drawing, row_plans, wanted_rows
from block_profile.profiling.specs import Catalogue
from block_profile.profiling.statistics import Closed

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"{SHARED} is not there: what others measured stays with them"
)
COUNTS = {
    "ofa_mbv3_w1.0": 180,
    "ofa_proxyless_w1.3": 189,
    "ofa_resnet50": 169,
    "moofa_v3": 180,
    "compofa": 45,
    "compofa_elastic": 135,
}
PANELS = {
    "paper": ((42.12, 42.66, 43.41), (41.46, 41.82, 42.31), (41.14, 41.41, 41.81)),
    "strict": ((42.66, 43.64, 44.60),),
}
"""Mills et al., Note10 at 224: rows e6, e4, e3, columns k3, k5, k7; ms. Strict: first row only."""
WITHIN = {"paper": 0.15, "strict": 0.2}


@pytest.fixture
def catalogue(host):
    return lambda name: Catalogue.of(host.supernet(name).geometry())


@pytest.fixture
def profile(ofa):
    return lambda *words, code=0: ofa("run", "profile", *words, "--json", code=code)


def panel(found, metric, ratios=(6, 4, 3)):
    """Means of a block over the places that it is forced at."""
    means = {effect["label"]: effect["mean"] for effect in found["effects"][metric]["options"]}
    return [[means[f"MBConv{e}_{k}x{k}"] for k in (3, 5, 7)] for e in ratios]


@pytest.mark.parametrize(("name", "count"), COUNTS.items())
def test_combinations_are_as_many_as_published(catalogue, name, count):
    assert len(catalogue(name).blocks()) == count


@pytest.mark.parametrize(
    ("rule", "chances"), [("strict", (1, 1, 1, 1)), ("paper", (1, 1, 2 / 3, 1 / 3))]
)
def test_a_forced_layer_is_active_in_the_rules_share(catalogue, rule, chances):
    whole = catalogue("ofa_mbv3_w1.2")
    plans = row_plans(wanted_rows(whole, (), False), whole.space, rule, None)
    drawing = Drawing(whole.space, (224,), 1000, 0, "common")
    for plan, (_, share) in zip(plans[1:], drawing.networks(plans[1:]), strict=True):
        chance = chances[plan.forcing.demands[0].forced.layer]
        assert plan.forcing.chance(whole.space) == pytest.approx(chance)
        assert share == pytest.approx(chance, abs=0.05) and (share == 1 or chance < 1)


@needs_shared
@pytest.mark.parametrize("rule", PANELS)
def test_the_note10_panel_is_the_published_one(profile, rule):
    found = profile(
        *("--supernet", "ofa_mbv3_w1.2", "--metrics", "latency@note10", "--resolutions", "224"),
        *("--lut", str(SHARED / "lut" / "note10"), "--exact", "--num-archs", "0", "--rule", rule),
    )
    for ours, published in zip(panel(found, "latency@note10"), PANELS[rule], strict=False):
        assert ours == pytest.approx(published, abs=WITHIN[rule])


@needs_shared
def test_a_hundred_drawn_networks_a_row_come_near_the_panel(profile):
    found = profile(
        *("--supernet", "ofa_mbv3_w1.2", "--metrics", "latency@note10", "--resolutions", "224"),
        *("--lut", str(SHARED / "lut" / "note10"), "--rule", "paper"),
    )
    for ours, published in zip(panel(found, "latency@note10"), PANELS["paper"], strict=True):
        assert ours == pytest.approx(published, abs=0.15)


@needs_shared
def test_accuracy_ranks_blocks_and_units_as_published(profile):
    found = profile(
        *("--supernet", "ofa_mbv3_w1.2", "--metrics", "accuracy", "--resolutions", "224"),
        *("--predictor", "mlp", "--predictor-weights"),
        *(str(SHARED / "predictors" / "mit_mbv3_w1.2.pth"), "--rule", "paper"),
    )
    means = np.array(panel(found, "accuracy"))
    assert means.min() > 80.9 and means.max() < 81.4
    assert (np.diff(means, axis=0) < 0).all()  # e6 before e4 before e3
    assert (means[:, 0] < means[:, 1]).all()
    gains = [unit["gain"] for unit in found["effects"]["accuracy"]["units"]]
    assert min(gains) > 0.2 and fmean(gains[3:]) > fmean(gains[:3])


def test_where_the_depth_decides_about_the_block_there_is_no_paper_rule(catalogue):
    whole = catalogue("compofa")
    for demand in whole.blocks():
        ruled = [forcing_of([demand], whole.space, rule) for rule in ("paper", "strict")]
        assert ruled[0].chance(whole.space) == ruled[1].chance(whole.space) == 1.0


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("[0, 0]", "Stem residual as skipped"),
        ("[0, 2]", "Stem residual as kept"),
        ("[1, 1, 48]", "Stem out as stem w48"),
        ("[2, 3, 1, 0.35, 2048]", "Unit 3 Layer 1 as bottleneck e0.35 w2048"),
    ],
)
def test_resnets_blocks_go_by_the_published_specs(catalogue, text, label):
    (wanted,) = catalogue("ofa_resnet50").named(text)
    assert wanted.demands[0].label == label


def test_resnets_chain_of_widths_has_a_closed_form(host):
    supernet = host.supernet("ofa_resnet50").at([160])
    cost = host.cost_model("flops").build(supernet)
    whole, closed = Catalogue.of(supernet.geometry()), Closed(supernet.space, cost, (160,))
    plans = row_plans(wanted_rows(whole, ("[1]", "[2, 1, 3]"), True), supernet.space, "paper", None)
    drawing = Drawing(supernet.space, (160,), 1000, 1, "independent")
    off = []
    for plan, (genes, _) in zip(plans, drawing.networks(plans), strict=True):
        exact, values = closed.row(plan), cost.evaluate(genes)
        off.append((values.mean() - exact.mean) / (exact.sd / np.sqrt(1000)))
        assert exact.min <= values.min() and values.max() <= exact.max
        assert (values <= exact.p5).mean() == pytest.approx(0.05, abs=0.03)
    assert np.abs(off).max() < 4.5 and len(off) > 20


def test_moofas_peak_memory_is_bound_by_its_last_unit_most_often(profile):
    found = profile(
        *("--supernet", "moofa_v3", "--metrics", "peak_memory", "--num-archs", "0", "--exact"),
        *("--blocks", "[4]", "--blocks", "[0]"),
    )
    binds = found["binds"]["peak_memory"]
    assert [b["place"] for b in binds[:2]] == ["stage 5 block 2", "stage 5 block 3"]
    assert sum(b["alone"] for b in binds) < 1 < sum(b["share"] for b in binds)
    last = sum(b["alone"] for b in binds if b["unit"] == 4)
    assert last > 0.4 and all(b["alone"] <= b["share"] for b in binds)


def test_what_is_outside_the_space_ends_with_code_2(profile):
    said = profile("--supernet", "moofa_v3", "--blocks", "[0, 0, 3, 6]", code=2)
    assert "no such block at Unit 0 Layer 0" in said and "MBConv4_7x7" in said
    assert "unknown cost 'speed'" in profile("--supernet", "moofa_v3", "--metrics", "speed", code=2)
