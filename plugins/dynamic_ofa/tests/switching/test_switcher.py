"""A supernet and its levels as one network; bad input is refused before anything runs."""

from __future__ import annotations

from threading import Thread

import pytest

torch = pytest.importorskip("torch")

from attrs import evolve, frozen  # noqa: E402

from dynamic_ofa.levels.table import WeightsOf, write_table  # noqa: E402
from dynamic_ofa.switching.switcher import Switcher  # noqa: E402
from ofa_plugins_core.errors import InputError, PluginError, UsageError  # noqa: E402
from ofa_plugins_core.interfaces import Decision  # noqa: E402

MODES = ("resident", "in_place")


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def notices():
    return []


@pytest.fixture
def opened(host, table, notices):
    """Switchers that are closed in the end."""
    made = []

    def call(given=None, **options):
        chosen = {"host": host, "listener": lambda e: notices.append(e.message), **options}
        made.append(Switcher(table if given is None else given, **chosen))
        return made[-1]

    yield call
    for switcher in made:
        switcher.close()


class TestRunning:
    def test_each_level_answers_as_a_freshly_calibrated_subnet(self, opened, mode, image, expected):
        net = opened(mode=mode)
        for level in (0, 3, 1, 2, 0):
            net.switch(level)
            ran = net.run(image)
            assert ran.level == net.level == level
            assert torch.allclose(ran.output, expected[level], atol=1e-6)
            assert torch.equal(net(image), ran.output)
            assert ran.latency_ms > 0

    def test_it_begins_at_the_most_accurate_level_or_where_it_is_told_to(self, opened, mode):
        assert opened(mode=mode).level == 3
        assert opened(mode=mode, start=1).level == 1

    def test_images_of_another_size_are_resized(self, opened, mode):
        net = opened(mode=mode)
        assert net(torch.rand(2, 3, 50, 40)).shape == (2, 7)

    @pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
    def test_images_of_another_float_type_are_cast(self, opened, mode, image, expected, dtype):
        found = opened(mode=mode)(image.to(dtype))
        assert found.dtype == torch.float32
        assert torch.allclose(found, expected[3], atol=0.05)

    def test_a_callable_is_asked_for_images_of_the_levels_size(self, table_of, net, table, opened):
        archs = [{**table.levels[0].arch, "image_size": size} for size in (32, 64)]
        found, asked = opened(table_of("tiny", net, archs)), []

        def images(size):
            asked.append(size)
            return torch.rand(1, 3, size, size)

        for level in (0, 1):
            found.switch(level)
            found(images)
        assert asked == [32, 64]

    def test_made_in_inference_mode_it_switches_all_the_same(self, opened, mode, image, expected):
        with torch.inference_mode():
            net = opened(mode=mode)
            for level in (1, 0):
                net.switch(level)
                assert torch.allclose(net(image), expected[level], atol=1e-6)

    def test_networks_that_no_longer_serve_are_not_kept(self, opened, image):
        net = opened()
        net.close()
        net.close()
        for use in (lambda: net(image), lambda: net.switch(0), lambda: net.level, net.facts):
            with pytest.raises(UsageError, match="closed"):
                use()

    @pytest.mark.parametrize(
        "images",
        [torch.rand(3, 32, 32), torch.rand(1, 1, 32, 32), torch.zeros(1, 3, 9, 9).int(), 5],
    )
    def test_what_is_no_image_is_refused(self, opened, images):
        with pytest.raises(UsageError, match="expected images"):
            opened()(images)


class TestFacts:
    def test_switches_are_timed_and_the_first_inference_after_one(self, opened, mode, image):
        net = opened(mode=mode)
        assert net.facts().switches == 0 and net.facts().switch_ms is None
        took = net.switch(0)
        assert took > 0 and net.facts().switch_ms == took and net.facts().first_ms is None
        ran = net.run(image)
        assert net.facts().first_ms == ran.latency_ms
        assert net.facts().load_seconds > 0

    def test_the_level_that_is_on_already_costs_nothing(self, opened, mode):
        net = opened(mode=mode)
        assert net.switch(net.level) == 0.0
        assert net.facts().switches == 0

    def test_levels_that_share_take_little_more_than_the_largest(self, opened):
        facts = opened().facts()
        assert facts.largest_bytes < facts.resident_bytes < 2 * facts.largest_bytes

    def test_in_place_the_supernet_and_the_statistics_are_counted(self, opened, net, table):
        found = opened(mode="in_place").facts().resident_bytes
        own = sum(t.nbytes for t in (*net.parameters(), *net.buffers()))
        assert found == own + sum(row.statistics.values.nbytes for row in table.levels)

    def test_threads_are_those_that_the_table_was_measured_with(self, opened, table):
        before = torch.get_num_threads()
        torch.set_num_threads(2)
        try:
            measured = evolve(table, device={"device": "cpu", "threads": "1"})
            net = opened(measured)
            assert torch.get_num_threads() == 1
            net.close()
            assert torch.get_num_threads() == 2
            opened(evolve(table, device={"device": "cuda", "threads": "1"}))
            assert torch.get_num_threads() == 2
        finally:
            torch.set_num_threads(before)

    def test_threads_are_put_back(self, opened):
        before = torch.get_num_threads()
        net = opened(threads=1)
        assert torch.get_num_threads() == 1
        net.close()
        assert torch.get_num_threads() == before

    def test_threads_stay_while_another_switcher_wants_them(self, opened):
        before = torch.get_num_threads()
        torch.set_num_threads(2)
        try:
            one, two = opened(threads=1), opened(threads=1)
            one.close()
            assert torch.get_num_threads() == 1
            two.close()
            assert torch.get_num_threads() == 2
        finally:
            torch.set_num_threads(before)

    def test_switches_are_noted_in_the_order_in_which_they_were_done(self, opened, image):
        """Another thread's switch waits until this one's is noted: the level awaited is on."""
        net = opened(start=0)
        others, noted = [], net._times.switched

        def note(level, took):
            if not others:
                others.append(Thread(target=net.switch, args=(2,), daemon=True))
                others[0].start()
                others[0].join(0.2)
            noted(level, took)

        net._times.switched = note
        net.switch(1)
        others[0].join(60)
        ran = net.run(image)
        assert ran.level == 2
        assert net.facts().first_ms == ran.latency_ms


class TestFailing:
    @pytest.fixture
    def broken(self, opened, monkeypatch):
        """In place, after a switch that failed and was not put back; and what mends it."""
        net = opened(mode="in_place", start=0)

        def fail(arch):
            raise RuntimeError("fault")

        with monkeypatch.context() as patch:
            patch.setattr(net._way._net, "activate", fail)
            with pytest.raises(RuntimeError, match="fault"):
                net.switch(3)
        return net

    def test_without_a_level_nothing_runs(self, broken, image):
        for use in (lambda: broken(image), lambda: broken(torch.rand), lambda: broken.level):
            with pytest.raises(UsageError, match="no level is on"):
                use()

    @pytest.mark.parametrize("level", [0, 3])
    def test_a_switch_mends_it_to_the_level_before_too(self, broken, image, expected, level):
        assert broken.switch(level) > 0
        assert broken.level == level
        assert torch.allclose(broken(image), expected[level], atol=1e-6)


@frozen
class Steps:
    """To the levels of a list, one an inference."""

    way: tuple[int, ...]

    def start(self, levels):
        return 0

    def decide(self, state, observation):
        return state + 1, Decision(self.way[state], f"seen {observation.limit:g} ms")


class TestPolicies:
    def test_it_is_shown_each_inference_and_switches(self, opened, mode, image, expected):
        net = opened(mode=mode, policy=Steps((1, 1, 0)), limit=25.0, start=2)
        rans = [net.run(image) for _ in range(3)]
        assert [r.level for r in rans] == [2, 1, 1] and net.level == 0
        assert rans[0].decision == Decision(1, "seen 25 ms")
        assert torch.allclose(rans[1].output, expected[1], atol=1e-6)
        assert net.facts().switches == 2

    def test_it_goes_on_from_a_level_that_was_turned_on_by_hand(self, opened, image):
        net = opened(policy=Steps((1,)), limit=25.0, start=2)
        net.switch(0)
        assert net.run(image).decision == Decision(1, "seen 25 ms")
        assert net.level == 1

    def test_a_limit_under_the_fastest_level_is_told(self, opened, notices):
        opened(policy=Steps(()), limit="9 ms")
        (said,) = notices
        assert said.startswith("the limit of 9 ms is under the fastest level's 10 ms")

    def test_a_policy_that_gives_no_level_is_to_blame(self, opened, image):
        net = opened(policy=Steps((9,)), limit=25.0)
        with pytest.raises(PluginError, match="due is the number of a level, 0 to 3"):
            net(image)

    @pytest.mark.parametrize("given", [{"policy": Steps(())}, {"limit": 60.0}])
    def test_a_policy_and_a_limit_go_together(self, opened, given):
        with pytest.raises(UsageError, match="without a"):
            opened(**given)


class TestRefusing:
    def test_a_table_of_other_weights(self, opened, table):
        other = evolve(table, weights=WeightsOf(kind="file", sha256="ab" * 32, source="net.pth"))
        with pytest.raises(
            InputError, match=r"for other weights: abababababab \(net\.pth\); these are"
        ):
            opened(other, weights="synthetic")

    def test_the_formulas_own_weights_are_those_of_any_machine(self, opened, table, notices):
        """Another mathematics library may round them otherwise: they would hash otherwise."""
        other = evolve(table, weights=WeightsOf(kind="synthetic", sha256="ab" * 32))
        assert opened(other, weights="synthetic").level == 3
        (said,) = notices
        assert "filled otherwise" in said and "abababababab" in said

    def test_a_table_of_another_supernet(self, opened, table, notices):
        """A variant has the same space, and other latencies."""
        other = evolve(table, supernet="tiny+stride1")
        with pytest.raises(InputError, match=r"of a supernet that nothing here offers: .*stride1"):
            opened(other)
        opened(other, supernet="tiny")
        assert "what it says does not hold for tiny" in notices[0]

    def test_a_table_that_does_not_know_its_weights_is_told(self, opened, table, notices):
        opened(evolve(table, weights=WeightsOf(kind="unknown")), weights="synthetic")
        (said,) = notices
        assert "does not say with which weights it was made" in said

    def test_a_table_without_statistics(self, opened, table, with_rows):
        with pytest.raises(InputError, match="missing batch norm statistics of level 0"):
            opened(with_rows(table, statistics=None))

    @pytest.mark.parametrize("change", [{"ks": [3]}, {"e": [6, 2, 2, 2]}])
    def test_architectures_of_another_supernet(self, opened, table, with_rows, change):
        other = with_rows(table, arch={**table.levels[0].arch, **change})
        with pytest.raises(InputError, match="level 0 is no architecture of tiny: "):
            opened(other)

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"mode": "beside"}, "unknown mode 'beside'"),
            ({"device": "abacus"}, "do not run on the device 'abacus'"),
            ({"device": "meta"}, "do not run on the device 'meta'"),
            ({"start": 4}, "there is no level 4"),
            ({"threads": 0}, "threads: expected"),
        ],
    )
    def test_what_makes_no_sense(self, opened, given, said):
        with pytest.raises(UsageError, match=said):
            opened(**given)

    @pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
    def test_a_gpu_that_is_not_there(self, opened):
        with pytest.raises(UsageError, match="no cuda that torch can use"):
            opened(device="cuda")

    @pytest.mark.parametrize("level", [-1, 4])
    def test_a_level_that_is_not_there(self, opened, level):
        with pytest.raises(UsageError, match=f"there is no level {level}: the table has 4"):
            opened().switch(level)


def test_a_tables_file_does_as_well(opened, table, tmp_path, image, expected):
    pytest.importorskip("dynamic_ofa.levels.finding")
    write_table(tmp_path / "levels.zip", table)
    net = opened(tmp_path / "levels.zip", start=2)
    assert torch.allclose(net(image), expected[2], atol=1e-6)
