"""Changes of pictures: within their bounds, and each from the picture's own random numbers."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")
pytest.importorskip("sklearn")

from ofa_plugins_core.nn.data import images_of  # noqa: E402
from ofa_plugins_core.nn.training.augmenting import (  # noqa: E402
    DRAWS,
    Augment,
    draws,
    scaled_box,
    usual_augment,
)


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


def test_flips_mirror_every_other_picture(colours):
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


def test_shifted_pictures_keep_what_stays_inside(colours):
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


def test_what_a_picture_becomes_does_not_depend_on_its_neighbours(colours):
    pictures = [*colours(3, 9, 9), *colours(2, 12, 7), *colours(2, 16, 16)]
    drawn = draws((0,), range(7))
    for change in (Augment(crop="shifted"), Augment(crop="scaled", colour=1.0)):
        together = change.changed(pictures, drawn, 16)
        for row, picture in enumerate(pictures):
            alone = change.changed([picture], drawn[row : row + 1], 16)[0]
            assert (together[row] == alone).all()


@pytest.mark.parametrize("crop", ["scaled", "shifted", "whole"])
def test_bytes_that_are_not_for_writing_do(crop, colours):
    (picture,) = colours(1, 12, 12)
    picture.setflags(write=False)
    before = picture.copy()
    for size in (12, 16):
        found = Augment(crop=crop, min_scale=1.0, colour=0.5).changed(
            [picture], draws((0,), [1]), size
        )
        assert found.shape == (1, size, size, 3)
    assert (picture == before).all()


def test_the_usual_changes_are_those_of_the_data_set(tmp_path, folder_of):
    images = images_of("digits", 16, split="train")
    assert usual_augment(images) == Augment(crop="shifted", flip=False)
    assert usual_augment(evolve(images, name="cifar10")) == Augment(crop="shifted", flip=True)
    large = images_of(str(folder_of(tmp_path)), 16, split="train")
    wanted = Augment(crop="scaled", min_scale=0.3, flip=True, colour=1.0)
    assert usual_augment(large, 0.3) == wanted
