"""Images prepared once: the same batches, bit for bit; a file that is not its own is not taken."""

from __future__ import annotations

import json
import os
import re
import zlib
from importlib.util import find_spec

import numpy as np
import pytest
from attrs import evolve

torch = pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")

from ofa_plugins_core.errors import InputError, UsageError  # noqa: E402
from ofa_plugins_core.events import Notice  # noqa: E402
from ofa_plugins_core.nn import evaluating, prepared  # noqa: E402
from ofa_plugins_core.nn.data import calibration_set, images_of  # noqa: E402
from ofa_plugins_core.nn.evaluating import Supply, check_memory  # noqa: E402
from ofa_plugins_core.nn.pictures import Files  # noqa: E402

SIZE, BATCH = 16, 4
WAYS = ("memory", "disk")


@pytest.fixture
def data(tmp_path):
    """22 pictures in two classes; one is no picture, one is cut short."""
    generator = np.random.default_rng(3)
    for split in ("val", "train"):
        for number in range(22):
            folder = tmp_path / "data" / split / ("cat" if number < 11 else "dog")
            folder.mkdir(parents=True, exist_ok=True)
            pixels = generator.integers(0, 256, (30, 40, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{number:03}.jpg")
    broken = tmp_path / "data" / "val" / "cat"
    (broken / "001.jpg").write_bytes(b"no picture")
    whole = (broken / "006.jpg").read_bytes()
    (broken / "006.jpg").write_bytes(whole[: len(whole) // 2])
    return tmp_path / "data"


@pytest.fixture
def told():
    """Notices and progress, as they came."""
    return []


@pytest.fixture
def images(data, told):
    return images_of(str(data), SIZE, split="val", listener=told.append)


@pytest.fixture
def supplied(images, tmp_path):
    def make(fast, of=images, **more):
        return Supply(of, BATCH, room=0, fast=fast, folder=tmp_path / "cache", **more)

    return make


def kept_in(tmp_path):
    return sorted((tmp_path / "cache").glob("*.images"))


def same(one, other):
    pairs = list(zip(one, other, strict=True))
    assert pairs
    assert all(torch.equal(a, b) for left, right in pairs for a, b in zip(left, right, strict=True))


def notices(told):
    return [e.message for e in told if isinstance(e, Notice)]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("fast", WAYS)
def test_batches_labels_and_what_is_skipped_are_the_usual_ones(supplied, images, fast, workers):
    usual = evolve(images, unreadable={})
    supply = supplied(fast, workers=workers)
    for size in (SIZE, 24, SIZE):
        same(supply.at(size), usual.at(size).batches(BATCH))
        assert images.unreadable == usual.unreadable
        assert sorted(images.unreadable) == [1, 6]


@pytest.mark.parametrize("fast", WAYS)
def test_each_of_several_processes_has_the_batches_that_it_usually_has(supplied, images, fast):
    for number in range(3):
        usual = evolve(images, unreadable={})
        own = supplied(fast, of=evolve(images, unreadable={}), share=(number, 3))
        same(own.at(SIZE), usual.batches(BATCH, share=(number, 3)))
        assert own.images.unreadable == usual.unreadable


@pytest.mark.parametrize("fast", WAYS)
def test_calibration_images_keep_the_order_in_which_they_were_drawn(supplied, data, fast):
    drawn = calibration_set(str(data), SIZE, 10, seed=5)
    same(supplied(fast, of=drawn).at(SIZE), drawn.batches(BATCH))


def test_pictures_in_arrays_are_kept_too(supplied, tmp_path):
    if find_spec("sklearn") is None:
        pytest.skip("scikit-learn brings the digits")
    digits = images_of("digits", 8, split="val", limit=30, seed=1)
    other = images_of("digits", 8, split="val", limit=30, seed=2)
    for drawn in (digits, other, digits):
        same(supplied("disk", of=drawn).at(8), drawn.batches(BATCH))
    assert len(kept_in(tmp_path)) == 2


def test_a_file_is_taken_by_the_next_command_without_opening_a_picture(
    supplied, images, told, tmp_path, monkeypatch
):
    usual = list(images.batches(BATCH))
    list(supplied("disk").at(SIZE))
    assert sum("kept in" in n for n in notices(told)) == 1
    opened = []
    load = Files.load
    monkeypatch.setattr(Files, "load", lambda self, n: opened.append(n) or load(self, n))
    again = evolve(images, unreadable={})
    same(supplied("disk", of=again).at(SIZE), usual)
    assert sorted(opened) == [1, 6]  # what could not be read is tried again
    assert sorted(again.unreadable) == [1, 6]
    (file,) = kept_in(tmp_path)
    assert file.stat().st_size == pytest.approx(22 * 3 * SIZE**2, abs=800)


def changed(data, tmp_path):
    os.utime(data / "val" / "dog" / "015.jpg", ns=(1, 1))


def replaced(data, tmp_path):
    Image.new("RGB", (40, 30), "red").save(data / "val" / "dog" / "015.jpg")


def mended(data, tmp_path):
    Image.new("RGB", (40, 30), "red").save(data / "val" / "cat" / "001.jpg")


def flipped(data, tmp_path):
    (file,) = kept_in(tmp_path)
    content = bytearray(file.read_bytes())
    content[1000] ^= 1
    file.write_bytes(content)


def cut(data, tmp_path):
    (file,) = kept_in(tmp_path)
    file.write_bytes(file.read_bytes()[:-3])


def emptied(data, tmp_path):
    kept_in(tmp_path)[0].write_bytes(b"")


def at_its_end(tmp_path, pattern, new):
    """Other words of the same length in a file's description."""
    (file,) = kept_in(tmp_path)
    before = file.read_bytes()
    after = re.sub(pattern, new, before)
    assert after != before and len(after) == len(before)
    file.write_bytes(after)


def other_row(data, tmp_path):
    """A picture that can be read is said to be broken."""
    at_its_end(tmp_path, rb'"6": ', b'"7": ')


def other_words(data, tmp_path):
    at_its_end(tmp_path, rb'("6": ".)....', rb"\1 odd")


def checksummed(tmp_path, rows):
    """A file with a checksum that is right, whose broken rows somebody else has written."""
    (file,) = kept_in(tmp_path)
    content, start = file.read_bytes(), 22 * 3 * SIZE**2
    text = json.dumps({**json.loads(content[start:-16]), "broken": rows}).encode()
    ends = (zlib.crc32(content[:start] + text), len(text))
    file.write_bytes(content[:start] + text + b"".join(n.to_bytes(8, "big") for n in ends))


def no_such_row(data, tmp_path):
    checksummed(tmp_path, {"1": "x", "6": "x", "99": "x"})


def row_below(data, tmp_path):
    checksummed(tmp_path, {"-21": "x", "1": "x", "6": "x"})


def of_others(data, tmp_path):
    """A sound file of other pictures under this name."""
    (file,) = kept_in(tmp_path)
    other = images_of(str(data), SIZE, split="train")
    list(Supply(other, BATCH, fast="disk", folder=tmp_path / "other").at(SIZE))
    next((tmp_path / "other").glob("*.images")).replace(file)


@pytest.mark.parametrize(
    "harm",
    [
        *(changed, replaced, mended, flipped, cut, emptied, of_others),
        *(other_row, other_words, no_such_row, row_below),
    ],
    ids=lambda f: f.__name__,
)
def test_a_file_that_is_broken_or_of_other_pictures_is_made_again(
    supplied, images, data, told, tmp_path, harm
):
    list(supplied("disk").at(SIZE))
    harm(data, tmp_path)
    told.clear()
    fresh = images_of(str(data), SIZE, split="val")
    again = evolve(images, unreadable={})
    same(supplied("disk", of=again).at(SIZE), fresh.batches(BATCH))
    assert any("kept in" in n for n in notices(told))
    assert again.unreadable.keys() == fresh.unreadable.keys()
    told.clear()
    list(supplied("disk").at(SIZE))
    assert not any("kept in" in n for n in notices(told))  # and then it is taken


def test_a_picture_that_a_lost_disk_hid_is_read_when_it_is_back(
    supplied, images, told, monkeypatch
):
    load = Files.load

    def lost(self, number):
        if number == 15:
            raise OSError(5, "Input/output error")
        return load(self, number)

    monkeypatch.setattr(Files, "load", lost)
    list(supplied("disk").at(SIZE))
    assert 15 in images.unreadable
    monkeypatch.undo()
    again = evolve(images, unreadable={})
    same(supplied("disk", of=again).at(SIZE), again.batches(BATCH))
    assert 15 not in again.unreadable


def test_what_stops_the_making_leaves_no_file_and_what_a_kill_left_is_removed(
    supplied, images, data, tmp_path
):
    list(supplied("disk").at(SIZE))
    (file,) = kept_in(tmp_path)
    left = file.with_name(f".{file.name}.0a1b2c3d.part")
    left.write_bytes(b"half")
    file.unlink()

    def stops(event):
        if not isinstance(event, Notice):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(supplied("disk", of=evolve(images, listener=stops)).at(SIZE))
    assert [p.suffix for p in (tmp_path / "cache").iterdir()] == [".lock"]


def test_a_full_disk_is_refused_before_anything_is_written(supplied, tmp_path, monkeypatch):
    monkeypatch.setattr(prepared, "disk_left", lambda folder: 1000)
    with pytest.raises(InputError, match=r"0\.0169 MB in .*, 0.001 MB are free"):
        list(supplied("disk").at(SIZE))
    assert not kept_in(tmp_path)


def test_memory_that_is_short_is_refused_before_anything_is_read(supplied, monkeypatch):
    monkeypatch.setattr(Files, "load", lambda self, number: pytest.fail("it was read"))
    supply, other = supplied("memory"), supplied("memory")
    needed = 22 * 3 * (SIZE**2 + 24**2)
    assert supply.needs([SIZE, 24, SIZE]) == needed
    monkeypatch.setattr(evaluating, "memory_left", lambda: 2 * needed)
    check_memory([supply, other, supplied("disk")], [SIZE, 24])
    with pytest.raises(UsageError, match="22 images at 16, 24 pixels in each of 3 processes"):
        check_memory([supply], [SIZE, 24], copies=3)
    monkeypatch.setattr(evaluating, "memory_left", lambda: 2 * needed - 1)
    with pytest.raises(UsageError, match=r"needs 0.11 MB for 44 images") as raised:
        check_memory([supply, other], [SIZE, 24])
    assert "--fast disk" in str(raised.value) and "--images" in str(raised.value)
    monkeypatch.setattr(evaluating, "memory_left", lambda: 100)
    with pytest.raises(UsageError, match=r"0\.0169 MB"):
        supply.keep(SIZE)
    monkeypatch.setattr(evaluating, "memory_left", lambda: None)  # nobody knows
    check_memory([supply], [SIZE])


def test_what_is_kept_already_needs_nothing_more(supplied, monkeypatch):
    supply = supplied("memory")
    assert supply.keep(SIZE)
    assert supply.needs([SIZE]) == 0
    assert not supplied(None).keep(SIZE)  # no room, nothing asked for
