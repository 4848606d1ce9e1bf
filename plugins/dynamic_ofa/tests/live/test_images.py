"""Images for a live run, as batches of each level's size."""

from __future__ import annotations

import pytest

from ofa_plugins_core.errors import InputError

torch = pytest.importorskip("torch")

from dynamic_ofa.live.images import Images  # noqa: E402


@pytest.fixture
def pictures(tmp_path):
    """A folder of three plain pictures, and a file that is none."""
    image = pytest.importorskip("PIL.Image")
    for number, colour in enumerate(("red", "green", "blue")):
        image.new("RGB", (70, 50), colour).save(tmp_path / f"{number}.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    return str(tmp_path)


def made(data, *, batch=1, seed=0):
    return Images(data, [64, 32, 64], batch, seed, lambda event: None)


def test_random_ones_have_the_level_s_size_and_follow_the_seed():
    images = made("random", batch=2)
    assert images.at(32, 0).shape == (2, 3, 32, 32) and images.at(64, 5).shape == (2, 3, 64, 64)
    assert torch.equal(images.at(32, 1), made("random", batch=2).at(32, 1))
    assert not torch.equal(images.at(32, 1), made("random", batch=2, seed=1).at(32, 1))


def test_a_folder_goes_round_among_its_pictures(pictures):
    images = made(pictures)
    shown = [images.at(32, n) for n in range(4)]
    assert all(x.shape == (1, 3, 32, 32) and x.dtype == torch.float32 for x in shown)
    assert torch.equal(shown[0], shown[3]) and not torch.equal(shown[0], shown[1])


def test_too_few_pictures_for_a_batch_are_an_error(pictures):
    with pytest.raises(InputError, match="has not 9 images that can be read"):
        made(pictures, batch=9)
    with pytest.raises(InputError):
        made(pictures + "/nothing")
