"""Training images: the same however the work is split, each once an epoch, no crash."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")
pytest.importorskip("sklearn")

from ofa_plugins_core.errors import InputError, UsageError  # noqa: E402
from ofa_plugins_core.events import Notice  # noqa: E402
from ofa_plugins_core.nn.data import images_of  # noqa: E402
from ofa_plugins_core.nn.training.augmenting import Augment, usual_augment  # noqa: E402
from ofa_plugins_core.nn.training.held import held  # noqa: E402
from ofa_plugins_core.nn.training.samples import TrainingImages, check_learnable  # noqa: E402

SIZES = (8, 12, 16, 20)


def digits(limit=None, **more):
    images = images_of("digits", 16, split="train", limit=limit)
    options = {"augment": usual_augment(images), "seed": 1, "phase": 0, "batch": 8, **more}
    return TrainingImages(images=images, **options)


def from_folder(tmp_path, **more):
    told = []
    images = images_of(str(tmp_path), 16, split="train", listener=told.append)
    options = {"augment": usual_augment(images), "seed": 1, "phase": 0, "batch": 4, **more}
    return TrainingImages(images=images, **options), told


def steps(training, number=0, sizes=SIZES, start=0):
    return list(training.epoch(number, sizes, start))


def same(one, other):
    assert len(one) == len(other)
    return all(
        torch.equal(a, b)
        for ours, theirs in zip(one, other, strict=True)
        for pair, match in zip(ours, theirs, strict=True)
        for a, b in zip(pair, match, strict=True)
    )


# ------------------------------------------------------------------- steps and blocks


def test_a_step_is_blocks_of_bytes_and_labels():
    found = steps(digits(limit=100, blocks=2, mine=(0, 1)))
    assert len(found) == 100 // 16
    assert [len(blocks) for blocks in found] == [2] * 6
    pixels, labels = found[0][0]
    assert (pixels.dtype, labels.dtype) == (torch.uint8, torch.int64)
    assert pixels.shape[:2] == (8, 3)
    assert pixels.shape[2] == pixels.shape[3]
    assert labels.shape == (8,)


def test_one_process_with_two_blocks_has_what_two_with_one_have():
    whole = steps(digits(blocks=2, mine=(0, 1)))
    shares = [steps(digits(blocks=2, mine=(n,))) for n in range(2)]
    assert same(whole, [a + b for a, b in zip(*shares, strict=True)])


def test_the_same_images_come_out_in_blocks_of_another_size():
    small = steps(digits(limit=96, batch=8, blocks=4, mine=range(4)), sizes=(16,))
    large = steps(digits(limit=96, batch=16, blocks=2, mine=range(2)), sizes=(16,))
    joined = [
        [tuple(torch.cat(pair) for pair in zip(*blocks[n : n + 2], strict=True)) for n in (0, 2)]
        for blocks in small
    ]
    assert same(joined, large)


def test_reading_processes_change_nothing():
    own = digits(limit=100, blocks=2, mine=(1,))
    assert same(steps(own), steps(evolve(own, workers=2)))


def test_a_later_start_gives_the_tail(tmp_path):
    training = digits(limit=100)
    assert same(steps(training, 3)[5:], steps(training, 3, start=5))
    assert steps(training, start=training.steps) == []


def test_what_is_skipped_is_not_read(tmp_path, folder_of):
    training, _ = from_folder(folder_of(tmp_path))
    order = training.order(0)
    for place in order[:4]:
        os.unlink(training.images.pictures.paths[place])
    assert len(steps(training, start=1)) == 2
    assert training.images.unreadable == {}


@settings(max_examples=20, deadline=None)
@given(
    batch=st.integers(1, 20), blocks=st.integers(1, 4), epoch=st.integers(0, 5), seed=st.integers(0)
)
def test_every_image_comes_once_an_epoch_at_most(batch, blocks, epoch, seed):
    training = digits(limit=97, batch=batch, blocks=blocks, mine=range(blocks), seed=seed)
    planned = [b.places.tolist() for b in training._planned(epoch, (8,), 0)]
    assert [len(p) for p in planned] == [batch] * (blocks * training.steps)
    places = [place for block in planned for place in block]
    assert len(set(places)) == len(places) == training.steps * batch * blocks
    assert 97 - len(places) < batch * blocks
    assert sorted(training.order(epoch).tolist()) == list(range(97))


def test_orders_and_sizes_differ_by_seed_phase_and_epoch_alone():
    one = digits()
    others = [(digits(seed=2), 0), (digits(phase=1), 0), (digits(), 1)]
    drawn = [one.size_of(0, step, SIZES) for step in range(40)]
    assert set(drawn) == set(SIZES)
    for other, epoch in others:
        assert (one.order(0) != other.order(epoch)).any()
        assert drawn != [other.size_of(epoch, step, SIZES) for step in range(40)]
    split = digits(batch=4, blocks=8, mine=(3,), workers=2)
    assert (one.order(0) == split.order(0)).all()
    assert drawn == [split.size_of(0, step, SIZES) for step in range(40)]


def test_all_blocks_of_a_step_have_the_size_that_was_drawn():
    training = digits(blocks=2, mine=(0, 1))
    for step, blocks in enumerate(steps(training, 4)):
        size = training.size_of(4, step, SIZES)
        assert [pixels.shape[-1] for pixels, _ in blocks] == [size, size]


def test_a_batch_that_is_larger_than_the_set_is_refused_with_the_numbers():
    with pytest.raises(UsageError, match="a step takes 2 × 64 images, digits has 100") as raised:
        steps(digits(limit=100, batch=64, blocks=2))
    assert "smaller batch" in str(raised.value)


def test_the_callers_random_state_stays_as_it_is():
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    for workers in (0, 1):
        steps(digits(limit=50, workers=workers))
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert (np.random.get_state()[1] == numpy_state).all()


def test_an_epoch_that_is_given_up_leaves_no_process_behind():
    def children():
        own = f"/proc/{os.getpid()}/task/{os.getpid()}/children"
        with open(own) as file:
            return set(file.read().split())

    if not os.path.exists(f"/proc/{os.getpid()}/task/{os.getpid()}/children"):
        pytest.skip("this system does not list processes in /proc")
    before = children()
    epoch = digits(workers=2).epoch(0, SIZES)
    next(epoch)
    assert len(children() - before) == 2
    epoch.close()
    until = time.monotonic() + 10
    while children() - before and time.monotonic() < until:
        time.sleep(0.05)
    assert not children() - before


def test_without_changes_a_picture_is_what_evaluation_makes_of_it():
    images = images_of("digits", 16, split="train", limit=20)
    plain = Augment(crop="whole", flip=False)
    training = TrainingImages(images=images, augment=plain, seed=0, phase=0, batch=20)
    [[(pixels, labels)]] = steps(training, sizes=(16,))
    expected, expected_labels = next(images.raw_batches(20))
    back = torch.from_numpy(np.argsort(training.order(0)))
    assert torch.equal(labels[back], expected_labels)
    assert (pixels[back].int() - expected.int()).abs().max() <= 1


# ------------------------------------------------------------------- files


def test_large_and_small_pictures_of_one_folder_train_together(tmp_path, folder_of):
    folder_of(tmp_path)
    Image.new("L", (500, 3), 200).save(tmp_path / "train" / "cat" / "long.jpg")
    training, _ = from_folder(tmp_path, batch=13)
    [[(pixels, labels)]] = steps(training)
    assert len(pixels) == 13
    assert sorted(labels.tolist()) == [0] * 7 + [1] * 6


@pytest.mark.parametrize("workers", [0, 2])
def test_an_unreadable_picture_gives_its_place_to_the_next_and_is_named(broken, workers):
    plain = Augment(crop="whole", flip=False)
    training, told = from_folder(broken, workers=workers, augment=plain)
    pixels = torch.cat([blocks[0][0] for blocks in steps(training, sizes=(20,))])
    labels = torch.cat([blocks[0][1] for blocks in steps(training, sizes=(20,))])
    row = {int(place): n for n, place in enumerate(training.order(0))}
    for broken, instead in ((8, 9), (11, 13), (12, 13), (15, 0)):
        assert torch.equal(pixels[row[broken]], pixels[row[instead]])
        assert labels[row[broken]] == labels[row[instead]] == int(instead > 0)
    notices = [n.message for n in told if isinstance(n, Notice)]
    assert sum("cannot be read" in n for n in notices) == 3
    assert training.images.skipped == 4


def test_pictures_held_in_memory_give_what_files_give(broken):
    Image.new("RGB", (9, 11), (1, 2, 3)).save(broken / "train" / "cat" / "odd.png")
    for change in (Augment(crop="shifted"), Augment(crop="scaled", colour=1.0)):
        training, _ = from_folder(broken, augment=change)
        kept = evolve(training, images=held(training.images))
        assert type(kept.images.pictures).__name__ == "Held"
        assert same(steps(training), steps(kept))
        assert same(steps(training), steps(evolve(kept, workers=1)))
        assert sorted(kept.images.unreadable) == sorted(training.images.unreadable)
        assert "dog" in kept.images.pictures.called(next(iter(kept.images.unreadable)))
    assert np.array_equal(kept.images[0][0], training.images[0][0])


@pytest.mark.parametrize("workers", [0, 1])
def test_a_set_without_a_readable_picture_is_one_clear_line(tmp_path, workers, folder_of):
    folder_of(tmp_path, each=3)
    for file in tmp_path.rglob("*.png"):
        file.write_bytes(b"broken")
    training, _ = from_folder(tmp_path, workers=workers)
    assert held(training.images) is training.images
    with pytest.raises(InputError, match="none of 6 images can be read"):
        steps(training)


def test_one_class_or_none_is_nothing_to_learn(tmp_path, colours):
    check_learnable(images_of("digits", 16, split="train"))
    for n, pixels in enumerate(colours(3)):
        for folder in ("none", "one/cat"):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / folder / f"{n}.png")
    with pytest.raises(InputError, match="no classes to train on"):
        check_learnable(images_of(str(tmp_path / "none"), 16, split="train"))
    (tmp_path / "one" / "empty").mkdir()
    with pytest.raises(InputError, match="one class: there is nothing to learn"):
        check_learnable(images_of(str(tmp_path / "one"), 16, split="train"))
