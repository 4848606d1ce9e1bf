"""Blocks and networks on a device: in turns, each once, and whatever came stays."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

import numpy as np
import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ofa_plugins_core.errors import InputError, PluginError
from ofa_plugins_core.jobs.lut import measuring
from ofa_plugins_core.jobs.lut.kept import NETWORKS, PARTS, ROWS, Kept
from ofa_plugins_core.jobs.lut.measuring import (
    arch_key,
    drawn_networks,
    estimated_seconds,
    measure_all,
    reference_network,
    reference_turns,
    turns_of,
)
from ofa_plugins_core.testing import ToyDevice, everything, toy_supernet

TOY = toy_supernet()
SMALL = toy_supernet(resolutions=(32,), stages=1)


def kept_in(folder, resume=False):
    return Kept(folder, {"device": "bench"}, resume)


def keys(kept):
    return {kind: set(rows) for kind, rows in kept.found.items()}


def passes(device):
    """How often each work ran: its blocks -> passes."""
    return Counter(work.blocks for work in device.ran)


class TestAll:
    """Everything of a plan."""

    def test_every_row_part_and_network_is_what_the_device_takes(self, context, plan):
        device, kept, wanted = ToyDevice(start=0.1), kept_in(None), plan(split=True)
        measure_all(context, device, wanted, kept)
        assert set(kept.found[ROWS]) == set(wanted.rows.blocks)
        assert set(kept.found[PARTS]) == set(wanted.parts.blocks)
        assert set(kept.found[NETWORKS]) == set(map(arch_key, wanted.archs))
        for kind, needed in ((ROWS, wanted.rows), (PARTS, wanted.parts)):
            for key, block in needed.blocks.items():
                macs = sum(op.macs for op in block.ops)
                assert kept.found[kind][key].mean == pytest.approx(0.11 + 1e-6 * macs)
        for arch in wanted.archs:
            blocks = TOY.geometry().blocks(arch)
            macs = sum(op.macs for b in blocks for op in b.ops)
            expected = 0.1 + 0.01 * len(blocks) + 1e-6 * macs
            assert kept.found[NETWORKS][arch_key(arch)].mean == pytest.approx(expected)

    def test_batches_are_run_as_such(self, context, plan):
        device = ToyDevice()
        measure_all(context, device, plan(batch=4), kept_in(None))
        assert {work.batch for work in device.ran} == {4}

    def test_each_runs_as_often_as_it_must(self, context, plan):
        device, wanted = ToyDevice(), plan()
        measure_all(context, device, wanted, kept_in(None))
        reference = TOY.geometry().blocks(reference_network(TOY))
        found = passes(device)
        rounds = 3 + 1  # least passes, and one to warm up
        archs = {TOY.geometry().blocks(a) for a in wanted.archs} - {reference}
        assert all(found[(b,)] == rounds for b in wanted.rows.blocks.values())
        assert all(found[blocks] == rounds for blocks in archs)
        # two image sizes, and the networks together, where it has four turns a round
        assert found[reference] == 2 * rounds + 1 + 3 * 4

    @pytest.mark.parametrize(("networks", "turns"), [(1, 4), (5, 4), (16, 4), (64, 16)])
    def test_the_reference_is_known_better_than_any_network(self, networks, turns):
        assert reference_turns(NETWORKS, networks) == turns
        assert reference_turns(ROWS, networks) == 1

    def test_blocks_of_a_size_take_turns(self, context, plan):
        device, wanted = ToyDevice(), plan(SMALL, networks=0)
        measure_all(context, device, wanted, kept_in(None))
        count = len(wanted.rows.blocks) + 1
        ran = [work.blocks for work in device.ran][count:]
        rounds = [ran[i : i + count] for i in range(0, len(ran), count)]
        assert all(len(set(r)) == count for r in rounds)
        assert len({tuple(r) for r in rounds}) == len(rounds)

    def test_drift_is_levelled_by_the_reference(self, context, plan):
        """Twice as slow in the end: rows of the first size and of the last are comparable."""
        device, kept, wanted = ToyDevice(drift=5e-3), kept_in(None), plan(networks=0)
        measure_all(context, device, wanted, kept)
        assert device.drift * len(device.ran) > 0.5
        reference = device.true_time(
            evolve(device.ran[0], blocks=TOY.geometry().blocks(reference_network(TOY)))
        )
        measured, levelled = [], []
        for key, block in wanted.rows.blocks.items():
            row = kept.found[ROWS][key]
            true = device.true_time(evolve(device.ran[0], blocks=(block,)))
            measured.append(row.mean / true)
            levelled.append(row.levelled(reference).mean / true)
        assert max(measured) / min(measured) > 1.2
        assert max(levelled) / min(levelled) < 1.1

    def test_everything_is_let_go_of_but_the_reference_which_ends_with_the_session(
        self, context, plan
    ):
        device = ToyDevice()
        measure_all(context, device, plan(split=True), kept_in(None))
        assert device.open == []
        assert [w.blocks for w in device.held] == [TOY.geometry().blocks(reference_network(TOY))]

    def test_conditions_stand_with_each(self, context, plan):
        kept = kept_in(None)
        measure_all(context, ToyDevice(), plan(), kept)
        assert all(
            row.conditions["passes"] > 0 for rows in kept.found.values() for row in rows.values()
        )

    def test_the_seed_decides_the_order(self, context, plan):
        ran = []
        for seed in (1, 1, 2):
            device = ToyDevice()
            measure_all(evolve(context, seed=seed), device, plan(), kept_in(None))
            ran.append([work.blocks for work in device.ran])
        assert ran[0] == ran[1] != ran[2]

    def test_progress_is_told_by_kind_and_grows(self, context, plan):
        told = []
        wanted = plan(split=True)
        measure_all(evolve(context, listener=told.append), ToyDevice(), wanted, kept_in(None))
        for what, total in (
            (ROWS, len(wanted.rows.blocks)),
            (PARTS, len(wanted.parts.blocks)),
            (NETWORKS, len(wanted.archs)),
        ):
            done = [e.done for e in told if e.what == what]
            assert done == sorted(done) and done[-1] == total
            assert {e.total for e in told if e.what == what} == {total}
        assert any("32 px" in e.note for e in told)


class TestTurns:
    """What takes turns together."""

    KNOWN: ClassVar = {ROWS: (), PARTS: (), NETWORKS: ()}

    def test_with_room_for_all_a_size_is_one_turn(self, plan):
        wanted = plan(split=True)
        turns = list(turns_of(wanted, self.KNOWN))
        assert [t.kind for t in turns] == [ROWS, ROWS, PARTS, PARTS, NETWORKS]
        assert [t.note for t in turns] == ["32 px", "64 px", "32 px", "64 px", ""]
        assert [set(t.works) for t in turns[:2]] == [set(k) for k in wanted.rows.new.values()]

    @pytest.mark.parametrize("batch", [1, 16])
    def test_no_more_are_held_than_there_is_room_for(self, plan, monkeypatch, batch):
        """A board's memory is small: weights, and the tensors of a batch."""
        wanted = plan(split=True, batch=batch)
        room = 150_000
        monkeypatch.setattr(measuring, "ROOM", room)
        turns = list(turns_of(wanted, self.KNOWN))
        assert len(turns) > 8
        for turn in turns:
            sizes = [self.bytes_of(work) for work in turn.works.values()]
            assert sum(sizes) <= room or len(sizes) == 1
        for kind, due in ((ROWS, wanted.rows.blocks), (PARTS, wanted.parts.blocks)):
            found = [key for t in turns if t.kind == kind for key in t.works]
            assert found == list(due)
        nets = [key for t in turns if t.kind == NETWORKS for key in t.works]
        assert nets == list(map(arch_key, wanted.archs))

    def bytes_of(self, work):
        ops = [op for block in work.blocks for op in block.ops]
        tensors = work.batch * max(op.inputs + op.outputs for op in ops)
        return 4 * (sum(op.params for op in ops) + tensors)

    def test_groups_are_what_a_device_holds(self, context, plan, monkeypatch):
        wanted = plan(networks=12)
        held = []

        class Full(ToyDevice):
            def pass_of(self, work):
                held.append(len(self.held))
                return super().pass_of(work)

        monkeypatch.setattr(measuring, "ROOM", 150_000)
        measure_all(context, Full(), wanted, kept_in(None))
        groups = [len(t.works) for t in turns_of(wanted, self.KNOWN)]
        assert max(held) == max(groups) + 1, "and the reference"

    def test_what_is_known_takes_no_turn(self, plan):
        wanted = plan()
        known = {**self.KNOWN, ROWS: set(wanted.rows.new[32])}
        assert [t.note for t in turns_of(wanted, known)] == ["64 px", ""]


class TestInterrupted:
    """Whenever it ends, what was finished stays and is not measured again."""

    def whole(self, context, plan, folder):
        device, kept = ToyDevice(noise=0.02), kept_in(folder)
        measure_all(context, device, plan, kept)
        return keys(kept), len(device.ran)

    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(data=st.data())
    def test_at_any_pass_and_resumed_it_is_the_same_set(self, context, plan, tmp_path, data):
        wanted = plan(SMALL, networks=10, split=True)
        everything_, count = self.whole(context, wanted, None)
        last = data.draw(st.integers(0, count - 1))

        def before(number):
            if number == last:
                raise KeyboardInterrupt

        first = ToyDevice(noise=0.02, before=before)
        with pytest.raises(KeyboardInterrupt):
            measure_all(context, first, wanted, kept_in(tmp_path))
        assert first.open == []
        kept = kept_in(tmp_path, resume=True)
        done = {k: dict(rows) for k, rows in kept.found.items()}
        second = ToyDevice(noise=0.02, seed=1)
        measure_all(context, second, wanted, kept)
        assert keys(kept) == everything_
        reference = SMALL.geometry().blocks(reference_network(SMALL))
        again = {SMALL.geometry().blocks(a) for a in wanted.archs if arch_key(a) in done[NETWORKS]}
        again |= {(wanted.rows.blocks[k],) for k in done[ROWS]}
        assert not (again - {reference}) & set(passes(second)) - {
            (wanted.parts.blocks[k],) for k in wanted.parts.blocks if k not in done[PARTS]
        }
        for kind, rows in done.items():
            assert {k: kept.found[kind][k] for k in rows} == rows

    def test_a_device_that_goes_away_leaves_what_it_measured(self, context, plan, tmp_path):
        def before(number):
            if number == 120:
                raise InputError("the board does not answer")

        device, kept = ToyDevice(before=before), kept_in(tmp_path)
        with pytest.raises(InputError, match="the board does not answer"):
            measure_all(context, device, plan(), kept)
        assert device.open == []
        found = kept_in(tmp_path, resume=True).found
        assert found == kept.found
        assert len(found[ROWS]) > 0

    def test_a_recording_that_ends_gives_the_rows_that_it_has(self, context, plan):
        kept, wanted = kept_in(None), plan(networks=0)
        count = len(wanted.rows.sizes[32])
        measure_all(context, ToyDevice(passes=5 * (count + 1)), wanted, kept)
        assert set(wanted.rows.sizes[32]) <= set(kept.found[ROWS])
        assert set(kept.found[ROWS]) != set(wanted.rows.blocks)

    @pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
    def test_times_that_are_none_are_told_with_the_row(self, context, plan, value):
        class Odd(ToyDevice):
            def pass_of(self, work):
                self.ran.append(work)
                return value if len(work.blocks) == 1 else 1.0

        device = Odd()
        with pytest.raises(PluginError, match=f"the device says that a pass of .* took {value} ms"):
            measure_all(context, device, plan(), kept_in(None))
        assert device.open == []


class TestNetworks:
    """Whole networks to hold the table against."""

    @given(st.integers(0, 30), st.integers(0, 99))
    @settings(deadline=None)
    def test_they_are_distinct_and_of_the_space(self, count, seed):
        drawn = drawn_networks(TOY, count, seed)
        assert len(drawn) == count
        assert len(set(map(arch_key, drawn))) == count
        genes = TOY.space.encode(drawn) if drawn else np.empty((0, len(TOY.space.genes)), np.uint8)
        assert (TOY.space.canonical(genes) == genes).all()

    def test_they_are_of_every_image_size(self):
        assert {a.image_size for a in drawn_networks(TOY, 40, 0)} == {32, 64}

    def test_the_seed_decides(self):
        assert drawn_networks(TOY, 9, 1) == drawn_networks(TOY, 9, 1) != drawn_networks(TOY, 9, 2)

    def test_more_than_there_are_is_all(self):
        found = drawn_networks(SMALL, 500, 0)
        assert len(found) == len(everything(SMALL.space)) == 20

    def test_the_reference_is_one_of_the_space_at_the_smallest_size(self):
        arch = reference_network(TOY)
        assert arch.image_size == 32
        TOY.space.encode([arch])


class TestEstimate:
    """How long it will take, before it does."""

    @pytest.mark.parametrize("split", [False, True])
    def test_it_is_about_what_it_takes(self, context, plan, split):
        wanted, asked, device = plan(networks=12, split=split), ToyDevice(), ToyDevice(noise=0.03)
        with asked.session() as session:
            least, most = estimated_seconds(session, wanted)
        measure_all(context, device, wanted, kept_in(None))
        really = sum(map(device.true_time, device.ran)) / 1000
        assert least < most
        assert least / 2 < really < 2 * most

    def test_asking_takes_a_few_passes_of_each_block(self, plan):
        device, wanted = ToyDevice(), plan()
        with device.session() as session:
            estimated_seconds(session, wanted)
        assert len(device.ran) == 2 * len(wanted.rows.sizes[64])
        assert device.held == []

    def test_a_device_without_passes_takes_the_time_of_loading(self, plan):
        with ToyDevice(passes=0).session() as session:
            least, most = estimated_seconds(session, plan())
        assert 0 <= least == most < 1
