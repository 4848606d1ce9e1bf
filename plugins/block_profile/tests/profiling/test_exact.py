"""The closed form against looking at every network, and against drawing some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from block_profile.profiling.forcing import NOTHING, forcing_of
from block_profile.profiling.rows import Drawing, RowPlan, row_plans, wanted_rows
from block_profile.profiling.specs import Catalogue
from block_profile.profiling.statistics import Closed, bindings, sampled
from ofa_plugins_core.testing.toys import ToyPredictor, toy_cost, toy_supernet
from ofa_plugins_core.values import Genes

SUPERNET = toy_supernet()
CATALOGUE = Catalogue.of(SUPERNET.geometry())
MODELS: Mapping[str, Any] = {
    "params": toy_cost("params", SUPERNET),
    "largest": toy_cost("largest", SUPERNET),
    "accuracy": ToyPredictor(SUPERNET.space),
}
CLOSED = {name: Closed(SUPERNET.space, model, (32, 64)) for name, model in MODELS.items()}
DEMANDS = [*CATALOGUE.blocks(), *CATALOGUE.depths()]


def grid(space) -> Genes:
    """(n, genes): every combination of options, also such as are one network."""
    return np.indices(tuple(space.sizes), dtype=np.uint8).reshape(len(space.sizes), -1).T


def values_of(name: str, genes: Genes) -> np.ndarray:
    model = MODELS[name]
    return model.predict(genes).value if name == "accuracy" else model.evaluate(genes)


def enumerated(name: str, plan: RowPlan) -> tuple[np.ndarray, np.ndarray]:
    """Every value of a row, with its probability."""
    genes = grid(SUPERNET.space)
    odds = plan.forcing.odds(SUPERNET.space)
    if plan.size is not None:
        odds[0] = np.eye(2)[SUPERNET.resolutions.index(plan.size)]
    weights = np.prod([odds[c][genes[:, c]] for c in range(genes.shape[1])], axis=0)
    there = weights > 0
    return values_of(name, genes[there]).astype(float), weights[there]


rows = st.builds(
    lambda picks, rule, size: RowPlan("", forcing_of(picks, SUPERNET.space, rule), size),
    st.lists(st.sampled_from(DEMANDS), max_size=1),
    st.sampled_from(["strict", "paper"]),
    st.sampled_from([None, 32, 64]),
)


@settings(max_examples=40, deadline=None)
@given(plan=rows, name=st.sampled_from(sorted(MODELS)))
def test_exact_is_what_looking_at_every_network_gives(plan: RowPlan, name: str) -> None:
    values, weights = enumerated(name, plan)
    found = CLOSED[name].row(plan)
    mean = weights @ values

    slack = found.error + 1e-9 * abs(mean)
    assert found.mean == pytest.approx(mean, abs=slack)
    assert found.sd == pytest.approx(np.sqrt(weights @ (values - mean) ** 2), rel=1e-2, abs=1e-6)
    assert (found.min, found.max) == pytest.approx((values.min(), values.max()))


@settings(max_examples=30, deadline=None)
@given(plan=rows, name=st.sampled_from(sorted(MODELS)))
def test_quantiles_are_within_a_step_a_term_of_every_networks(plan: RowPlan, name: str) -> None:
    values, weights = enumerated(name, plan)
    found = CLOSED[name].row(plan)
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    slack = 4e-3 * (values.max() - values.min()) if name != "largest" else 0.0

    for share, quantile in ((0.01, found.p1), (0.05, found.p5), (0.95, found.p95)):
        assert quantile is not None
        ends = [values[order][np.searchsorted(below, share + d)] for d in (-1e-9, 1e-9)]
        assert min(ends) - slack - 1e-9 <= quantile <= max(ends) + slack + 1e-9


@pytest.mark.parametrize("rule", ["strict", "paper"])
@pytest.mark.parametrize("name", sorted(MODELS))
def test_samples_agree_with_the_closed_form(name: str, rule: str) -> None:
    plans = row_plans(wanted_rows(CATALOGUE, (), True), SUPERNET.space, rule, None)
    drawing = Drawing(SUPERNET.space, (32, 64), 2000, 5, "independent")
    off = []
    for plan, (genes, share) in zip(plans, drawing.networks(plans), strict=True):
        found, exact = sampled(values_of(name, genes).astype(float)), CLOSED[name].row(plan)
        error = max(exact.sd / np.sqrt(2000), 1e-9)
        off.append((found.mean - exact.mean) / error)
        assert share == pytest.approx(plan.forcing.chance(SUPERNET.space), abs=0.05)

    assert np.abs(off).max() < 4.5 and 0.5 < np.std(off) < 1.5


def test_rows_after_one_another_do_not_disturb_each_other() -> None:
    plans = row_plans(wanted_rows(CATALOGUE, (), True), SUPERNET.space, "strict", None)
    closed = CLOSED["params"]
    there = [closed.row(plan) for plan in plans]
    back = [closed.row(plan) for plan in reversed(plans)]

    assert there == back[::-1]


def test_places_that_hold_the_maximum_are_those_of_every_network() -> None:
    genes = grid(SUPERNET.space)
    shares, alone = dict[str, float](), dict[str, float]()
    for index, size in enumerate(SUPERNET.resolutions):
        here = genes[genes[:, 0] == index]
        quantity = MODELS["largest"].separable(size)
        terms = np.array(
            [
                np.broadcast_to(f.table[tuple(here[:, c] for c in f.genes)], len(here))
                for f in quantity.factors
            ]
        )
        held = terms == terms.max(axis=0)
        for factor, row in zip(quantity.factors, held, strict=True):
            shares[factor.name] = shares.get(factor.name, 0) + row.mean() / 2
            only = (row & (held.sum(axis=0) == 1)).mean() / 2
            alone[factor.name] = alone.get(factor.name, 0) + only

    found = {b.place: b for b in bindings(CLOSED["largest"], CATALOGUE.places)}
    assert set(found) == {name for name, share in shares.items() if share}
    for name, binding in found.items():
        assert (binding.share, binding.alone) == pytest.approx((shares[name], alone[name]))


def test_the_error_of_a_linked_sum_is_small_and_said() -> None:
    found = CLOSED["accuracy"].row(RowPlan("", NOTHING, None))

    assert 0 < found.error < 1e-3
