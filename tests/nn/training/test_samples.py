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
from ofa_plugins_core.nn.training import samples  # noqa: E402
from ofa_plugins_core.nn.training.samples import (  # noqa: E402
    DRAWS,
    Augment,
    TrainingImages,
    check_learnable,
    draws,
    held,
    scaled_box,
    usual_augment,
)

SIZES = (8, 12, 16, 20)


def digits(limit=None, **more):
    images = images_of("digits", 16, split="train", limit=limit)
    options = {"augment": usual_augment(images), "seed": 1, "phase": 0, "batch": 8, **more}
    return TrainingImages(images=images, **options)


def colours(count, height=20, width=30, seed=0):
    generator = np.random.Generator(np.random.PCG64(seed))
    return generator.integers(0, 256, (count, height, width, 3)).astype(np.uint8)


def folder_of(tmp_path, each=6, height=20, width=30, suffix=".png"):
    for label, name in enumerate(("cat", "dog")):
        (tmp_path / "train" / name).mkdir(parents=True)
        for n, pixels in enumerate(colours(each, height, width, label)):
            Image.fromarray(pixels).save(tmp_path / "train" / name / f"{n:03}{suffix}")
    return tmp_path


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


def test_what_is_skipped_is_not_read(tmp_path):
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


# ------------------------------------------------------------------- changes


@given(seed=st.integers(0, 2**70), numbers=st.lists(st.integers(0, 2**40), min_size=1, max_size=5))
def test_random_numbers_depend_on_key_and_number_alone(seed, numbers):
    found = draws((seed, 0, 3), numbers)
    assert found.shape == (len(numbers), DRAWS)
    assert ((found >= 0) & (found < 1)).all()
    assert (found[-1] == draws((seed, 0, 3), numbers[-1:])[0]).all()
    assert (found != draws((seed, 0, 4), numbers)).any()


def test_random_numbers_are_even_and_unrelated():
    found = draws((0, 0, 0), range(20000))
    assert abs(found.mean(0) - 0.5).max() < 0.01
    assert abs(found.var(0) - 1 / 12).max() < 0.003
    related = np.corrcoef(found[:, :6].T) - np.eye(6)
    assert abs(related).max() < 0.03
    assert abs(np.corrcoef(found[:-1, 0], found[1:, 0])[0, 1]) < 0.03


@given(
    width=st.integers(1, 600),
    height=st.integers(1, 600),
    min_scale=st.floats(0.05, 1),
    number=st.integers(0, 10**6),
)
def test_a_scaled_crop_lies_in_the_picture(width, height, min_scale, number):
    drawn = draws((0,), [number])[0]
    left, top, right, bottom = scaled_box(width, height, min_scale, drawn)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height


def test_scaled_crops_are_spread_over_areas_and_ratios():
    boxes = np.array([scaled_box(400, 300, 0.08, row) for row in draws((0,), range(5000))])
    across, down = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    areas, ratios = across * down / (400 * 300), across / down
    assert 0.075 < areas.min() < 0.09
    assert areas.max() > 0.95
    assert 0.73 < ratios.min() < 0.77
    assert 1.3 < ratios.max() < 1.37
    assert (boxes[:, 0] == 0).any() and (boxes[:, 2] == 400).any()


def test_a_very_long_picture_is_cut_in_the_middle():
    assert scaled_box(1000, 30, 0.9, draws((0,), [0])[0]) == (480, 0, 520, 30)
    assert scaled_box(30, 1000, 0.9, draws((0,), [0])[0]) == (0, 480, 30, 520)


def test_without_changes_a_picture_is_what_evaluation_makes_of_it():
    images = images_of("digits", 16, split="train", limit=20)
    plain = Augment(crop="whole", flip=False)
    training = TrainingImages(images=images, augment=plain, seed=0, phase=0, batch=20)
    [[(pixels, labels)]] = steps(training, sizes=(16,))
    expected, expected_labels = next(images.raw_batches(20))
    back = torch.from_numpy(np.argsort(training.order(0)))
    assert torch.equal(labels[back], expected_labels)
    assert (pixels[back].int() - expected.int()).abs().max() <= 1


def test_flips_mirror_every_other_picture():
    pictures = list(colours(400, 8, 8))
    found = Augment(crop="whole").changed(pictures, draws((0,), range(400)), 8)
    mirrored = [(f == p[:, ::-1]).all() for f, p in zip(found, pictures, strict=True)]
    kept = [(f == p).all() for f, p in zip(found, pictures, strict=True)]
    assert all(a != b for a, b in zip(mirrored, kept, strict=True))
    assert 160 < sum(mirrored) < 240


def test_shifts_reach_an_eighth_of_the_side_and_leave_black():
    white = [np.full((32, 32, 3), 255, np.uint8)] * 400
    found = Augment(crop="shifted").changed(white, draws((0,), range(400)), 32)
    lit = found[..., 0] > 0
    assert set((~lit).all(2).sum(1).tolist()) == set(range(5))
    assert set((~lit).all(1).sum(1).tolist()) == set(range(5))
    assert lit[:, 4:28, 4:28].all()


def test_shifted_pictures_keep_what_stays_inside():
    (picture,) = colours(1, 16, 16)
    for drawn in draws((0,), range(50)):
        (found,) = Augment(crop="shifted", flip=False).changed([picture], drawn[None], 16)
        places = [
            (y, x)
            for y in range(-2, 3)
            for x in range(-2, 3)
            if (np.roll(picture, (y, x), (0, 1))[2:14, 2:14] == found[2:14, 2:14]).all()
        ]
        assert len(places) == 1


def test_colour_changes_brightness_and_saturation_within_bounds():
    grey, red = np.full((4, 4, 3), 100, np.uint8), np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 200
    drawn = draws((0,), range(300))
    change = Augment(crop="whole", flip=False, colour=1.0)
    shades = change.changed([grey] * 300, drawn, 4)[:, 0, 0].astype(int)
    assert (np.ptp(shades, axis=1) <= 1).all()  # grey stays grey
    assert 87 <= shades.min() <= 88 and 112 <= shades.max() <= 113  # 100 (1 ± 32 / 255)
    reds = change.changed([red] * 300, drawn, 4)[:, 0, 0].astype(int)
    assert reds[:, 1].max() > 25  # paler
    assert (reds[:, 1] == 0).sum() > 90  # or more saturated, cut at 0
    stronger = evolve(change, colour=2.0).changed([grey] * 300, drawn, 4)
    assert stronger.min() < 77
    off = evolve(change, colour=0.0).changed([red] * 300, drawn, 4)
    assert (off == red).all()


def test_what_a_picture_becomes_does_not_depend_on_its_neighbours():
    pictures = [*colours(3, 9, 9), *colours(2, 12, 7), *colours(2, 16, 16)]
    drawn = draws((0,), range(7))
    for change in (Augment(crop="shifted"), Augment(crop="scaled", colour=1.0)):
        together = change.changed(pictures, drawn, 16)
        for row, picture in enumerate(pictures):
            alone = change.changed([picture], drawn[row : row + 1], 16)[0]
            assert (together[row] == alone).all()


@pytest.mark.parametrize("crop", ["scaled", "shifted", "whole"])
def test_bytes_that_are_not_for_writing_do(crop):
    (picture,) = colours(1, 12, 12)
    picture.setflags(write=False)
    before = picture.copy()
    for size in (12, 16):
        found = Augment(crop=crop, min_scale=1.0, colour=0.5).changed(
            [picture], draws((0,), [1]), size
        )
        assert found.shape == (1, size, size, 3)
    assert (picture == before).all()


def test_the_usual_changes_are_those_of_the_data_set(tmp_path):
    images = images_of("digits", 16, split="train")
    assert usual_augment(images) == Augment(crop="shifted", flip=False)
    assert usual_augment(evolve(images, name="cifar10")) == Augment(crop="shifted", flip=True)
    large, _ = from_folder(folder_of(tmp_path))
    wanted = Augment(crop="scaled", min_scale=0.3, flip=True, colour=1.0)
    assert usual_augment(large.images, 0.3) == wanted


# ------------------------------------------------------------------- files


def test_large_and_small_pictures_of_one_folder_train_together(tmp_path):
    folder_of(tmp_path)
    Image.new("L", (500, 3), 200).save(tmp_path / "train" / "cat" / "long.jpg")
    training, _ = from_folder(tmp_path, batch=13)
    [[(pixels, labels)]] = steps(training)
    assert len(pixels) == 13
    assert sorted(labels.tolist()) == [0] * 7 + [1] * 6


def break_some(tmp_path):
    folder_of(tmp_path, each=8)
    for name, content in (("000", b""), ("003", b"nothing"), ("004", b"?"), ("007", b"\x89PNG")):
        (tmp_path / "train" / "dog" / f"{name}.png").write_bytes(content)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_unreadable_picture_gives_its_place_to_the_next_and_is_named(tmp_path, workers):
    break_some(tmp_path)
    plain = Augment(crop="whole", flip=False)
    training, told = from_folder(tmp_path, workers=workers, augment=plain)
    pixels = torch.cat([blocks[0][0] for blocks in steps(training, sizes=(20,))])
    labels = torch.cat([blocks[0][1] for blocks in steps(training, sizes=(20,))])
    row = {int(place): n for n, place in enumerate(training.order(0))}
    for broken, instead in ((8, 9), (11, 13), (12, 13), (15, 0)):
        assert torch.equal(pixels[row[broken]], pixels[row[instead]])
        assert labels[row[broken]] == labels[row[instead]] == int(instead > 0)
    notices = [n.message for n in told if isinstance(n, Notice)]
    assert sum("cannot be read" in n for n in notices) == 3
    assert training.images.skipped == 4


def test_pictures_held_in_memory_give_what_files_give(tmp_path):
    break_some(tmp_path)
    Image.new("RGB", (9, 11), (1, 2, 3)).save(tmp_path / "train" / "cat" / "odd.png")
    for change in (Augment(crop="shifted"), Augment(crop="scaled", colour=1.0)):
        training, _ = from_folder(tmp_path, augment=change)
        kept = evolve(training, images=held(training.images))
        assert type(kept.images.pictures).__name__ == "Held"
        assert same(steps(training), steps(kept))
        assert same(steps(training), steps(evolve(kept, workers=1)))
        assert sorted(kept.images.unreadable) == sorted(training.images.unreadable)
        assert "dog" in kept.images.pictures.called(next(iter(kept.images.unreadable)))
    assert np.array_equal(kept.images[0][0], training.images[0][0])


def test_several_processes_decode_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(samples, "PART", 5)
    break_some(tmp_path)
    images = from_folder(tmp_path)[0].images
    one, other = held(images).pictures, held(images, workers=2).pictures
    assert (one.pixels == other.pixels).all()
    assert one.odd == other.odd
    assert len(one.odd) == 4


def test_a_limited_set_is_held_with_its_own_pictures(tmp_path):
    images = images_of(str(folder_of(tmp_path)), 16, split="train", limit=5, seed=3)
    kept = held(images)
    assert kept.labels == images.labels
    assert all(np.array_equal(kept[n][0], images[n][0]) for n in range(5))


def test_only_small_pictures_that_fit_are_held(tmp_path):
    large, _ = from_folder(folder_of(tmp_path / "large", width=65))
    assert held(large.images) is large.images
    small, _ = from_folder(folder_of(tmp_path / "small"))
    assert held(small.images, room=12 * 20 * 30 * 3 - 1) is small.images
    assert held(small.images, room=12 * 20 * 30 * 3) is not small.images
    arrays = images_of("digits", 16, split="train")
    assert held(arrays) is arrays


@pytest.mark.parametrize("workers", [0, 1])
def test_a_set_without_a_readable_picture_is_one_clear_line(tmp_path, workers):
    folder_of(tmp_path, each=3)
    for file in tmp_path.rglob("*.png"):
        file.write_bytes(b"broken")
    training, _ = from_folder(tmp_path, workers=workers)
    assert held(training.images) is training.images
    with pytest.raises(InputError, match="none of 6 images can be read"):
        steps(training)


def test_one_class_or_none_is_nothing_to_learn(tmp_path):
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
