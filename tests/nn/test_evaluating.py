"""Scores and times of a network, and images that are decoded once."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from torch import nn  # noqa: E402

from ofa_plugins_core.nn.data import images_of  # noqa: E402
from ofa_plugins_core.nn.evaluating import (  # noqa: E402
    Supply,
    forward_time,
    score,
    threads,
)
from ofa_plugins_core.nn.running import Runner  # noqa: E402


class Answers(nn.Module):
    """Gives the logits that it is shown: the first pixels of a picture."""

    def forward(self, images):
        return images[:, 0, 0, :]


class Alone:
    """The only process."""

    device, count, leads, share = torch.device("cpu"), 1, True, (0, 1)

    def total(self, values):
        return values


RUNNER = Runner(Alone())


def shown(rows):
    return torch.tensor(rows).float()[:, None, None, :].expand(-1, 3, 1, -1)


def test_top1_and_top5_are_what_they_say():
    logits = [[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [0, 9, 8, 7, 6, 5]]
    found = score(Answers(), [(shown(logits), torch.tensor([5, 3, 0]))], RUNNER)
    assert (found.images, found.top1, found.top5) == (3, 1, 2)


def test_fewer_than_five_classes_are_no_problem():
    found = score(Answers(), [(shown([[1, 0], [1, 0]]), torch.tensor([0, 1]))], RUNNER)
    assert (found.top1, found.top5) == (1, 2)


def test_numbers_that_are_not_finite_count_as_wrong():
    logits = [[float("nan"), 1.0], [float("inf"), 0.0], [1.0, 0.0]]
    found = score(Answers(), [(shown(logits), torch.tensor([0, 0, 0]))], RUNNER)
    assert (found.images, found.top1, found.infinite) == (3, 1, 2)


def test_scores_tell_how_far_they_are_and_sum_over_processes():
    class Twice(Alone):
        def total(self, values):
            return values * 2

    told = []
    batches = [(shown([[1, 0]]), torch.tensor([0]))] * 3
    found = score(Answers(), batches, Runner(Twice()), told.append)
    assert told == [1, 2, 3]
    assert (found.images, found.top1) == (6, 6)


def test_a_forward_pass_is_warmed_up_and_timed_by_its_median():
    calls = []

    class Counting(Answers):
        def forward(self, images):
            calls.append((tuple(images.shape), self.training))
            return super().forward(images)

    found = forward_time(Counting(), 8, RUNNER, batch=3, repeats=7, warmup=2)
    assert calls == [((3, 3, 8, 8), False)] * 9
    assert 0 < found.low <= found.median <= found.high
    assert (found.repeats, found.batch, found.threads) == (7, 3, torch.get_num_threads())


@pytest.mark.parametrize("options", [{"channels_last": True}, {"precision": "bf16"}])
def test_other_formats_give_nearly_the_same_answers(options):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 10, 3, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    batches = list(images_of("digits", 16, split="val", limit=64).batches(32))
    one = score(network, batches, RUNNER)
    other = Runner(Alone(), **options)
    two = score(other.placed(network), batches, other)
    assert abs(one.top1 - two.top1) <= 3
    assert one.images == two.images == 64


def test_pictures_are_decoded_once_a_size_where_they_fit():
    images = images_of("digits", 8, split="val", limit=20)
    reads = []
    original = type(images.pictures).load

    class Counted:
        labels, called = images.pictures.labels, images.pictures.called

        def load(self, number):
            reads.append(number)
            return original(images.pictures, number)

    from attrs import evolve

    counted = evolve(images, pictures=Counted())
    for room, times in ((2**20, 1), (0, 3)):
        reads.clear()
        supply = Supply(counted, 8, room=room)
        passes = [list(supply.at(8)) for _ in range(3)]
        assert len(reads) == 20 * times
        assert all(torch.equal(a, b) for (a, _), (b, _) in zip(*passes[:2], strict=True))
    assert next(iter(supply.at(16)))[0].shape == (8, 3, 16, 16)


def test_threads_are_as_before_afterwards():
    before = torch.get_num_threads()
    with threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
