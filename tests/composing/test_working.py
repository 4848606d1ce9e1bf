"""All combinations: what is kept when it is interrupted, and gone on with."""

from __future__ import annotations

import json

import pytest

from ofa_plugins_core.composing.axes import Asked, Axes, axes_of
from ofa_plugins_core.composing.working import JOURNAL, openers_first, try_all
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.events import Progress
from ofa_plugins_core.interfaces import Found

ASKED = Asked(supernets=("toy",), costs=("params", "flops"))


def test_every_combination_and_every_pair_is_tried(host_of):
    host, heard = host_of(), []
    axes = axes_of(host, ASKED)
    known = try_all(host, axes, listener=heard.append)
    assert [c.combination for _, c in sorted(known.cells.items())] == axes.combinations()
    assert {(p.kind, p.name, p.supernet) for p in known.pairs} == {("samplers", "uniform", "toy")}
    steps = [e.done for e in heard if isinstance(e, Progress)]
    assert steps == list(range(1, len(known.cells) + 1))


def test_the_same_seed_finds_the_same(host_of):
    host = host_of()
    axes = axes_of(host, ASKED)

    def values(seed):
        cells = try_all(host, axes, seed=seed).cells
        return [a.value for c in cells.values() for a in c.answers.values()]

    assert values(1) == values(1)


def test_what_makes_something_up_comes_first_each_by_itself():
    axes = Axes(
        supernets=("s", "t"),
        costs=("flops", "latency@table"),
        predictors=("none", "form"),
        searchers=("one", "two"),
    )
    asked = axes.combinations()
    order = openers_first(asked, range(len(asked)))
    assert sorted(order) == list(range(len(asked)))
    first = [(c.supernet, c.cost, c.predictor) for c in (asked[n] for n in order[:4])]
    assert first == [
        ("s", "flops", "form"),
        ("s", "latency@table", "none"),
        ("t", "flops", "form"),
        ("t", "latency@table", "none"),
    ]


class TestInterrupted:
    @pytest.fixture
    def stopping(self, host_of, searcher_entry):
        """A host whose searcher is interrupted at its third search; it counts them."""
        calls = []

        def search(problem, generator):
            calls.append(problem)
            if len(calls) == 3:
                raise KeyboardInterrupt
            space = problem.supernet.space
            least = space.canonical(space.sample(1, generator)) * 0
            return Found(least, False, 1)

        return host_of(ofa_searchers=[searcher_entry(search)]), calls

    def test_what_is_known_is_kept_and_gone_on_with(self, stopping, tmp_path):
        host, calls = stopping
        axes = axes_of(host, Asked(supernets=("toy",), predictors=("none",), searchers=("other",)))
        first = try_all(host, axes, out=tmp_path / "m")
        assert first.interrupted
        assert len(first.cells) == 2
        rest = try_all(host, axes, out=tmp_path / "m", resume=True)
        assert not rest.interrupted
        assert len(rest.cells) == len(axes.combinations())
        assert len(calls) == len(axes.combinations()) + 1

    def test_other_combinations_are_not_gone_on_with(self, host_of, tmp_path):
        host = host_of()
        try_all(host, axes_of(host, ASKED), out=tmp_path / "m")
        other = axes_of(host, Asked(supernets=("bare",), costs=("params",)))
        with pytest.raises(UsageError, match="axes"):
            try_all(host, other, out=tmp_path / "m", resume=True)

    def test_a_journal_whose_cells_stand_under_others_numbers_is_refused(self, host_of, tmp_path):
        host = host_of()
        axes = axes_of(host, ASKED)
        try_all(host, axes, out=tmp_path / "m")
        file = tmp_path / "m" / JOURNAL
        head, *lines = map(json.loads, file.read_text().splitlines())
        numbers = [line["number"] for line in lines]
        swapped = [{**line, "number": n} for line, n in zip(lines, numbers[::-1], strict=True)]
        file.write_text("".join(json.dumps(line) + "\n" for line in (head, *swapped)))
        with pytest.raises(InputError, match="line 2: not what was written there"):
            try_all(host, axes, out=tmp_path / "m", resume=True)

    def test_a_broken_journal_is_named_with_its_line(self, host_of, tmp_path):
        host = host_of()
        axes = axes_of(host, ASKED)
        try_all(host, axes, out=tmp_path / "m")
        file = tmp_path / "m" / JOURNAL
        lines = file.read_text().splitlines()
        lines[2] = json.dumps({"number": 0, "cell": {"supernet": 1}})
        file.write_text("\n".join(lines) + "\n")
        with pytest.raises(InputError, match="line 3"):
            try_all(host, axes, out=tmp_path / "m", resume=True)


def test_a_process_is_due(host_of):
    host = host_of()
    with pytest.raises(UsageError, match="--parallel"):
        try_all(host, axes_of(host, ASKED), processes=0)
