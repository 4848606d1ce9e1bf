"""Images: every known shape of folder, honest splits, and no crash because of one bad file."""

from __future__ import annotations

import io
import math
import pickle
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")

from ofa_plugins_core.errors import InputError, UsageError  # noqa: E402
from ofa_plugins_core.nn.bundled import _Arrays  # noqa: E402
from ofa_plugins_core.nn.data import calibration_batches, images_of  # noqa: E402
from ofa_plugins_core.nn.folders import imagenet_wnids  # noqa: E402
from ofa_plugins_core.nn.pictures import DEVIATION, MEAN, squared  # noqa: E402


def picture(number=0, width=40, height=30):
    pixels = np.random.Generator(np.random.PCG64(number)).integers(0, 256, (height, width, 3))
    return Image.fromarray(pixels.astype(np.uint8))


def fill(folder, classes=("cat", "dog"), each=2, suffix=".jpg"):
    for label, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for n in range(each):
            picture(100 * label + n).save(folder / name / f"{n:03}{suffix}")
    return folder


def told(data, **more):
    notices = []
    options = {"split": "val", **more}
    found = images_of(str(data), options.pop("size", 16), listener=notices.append, **options)
    return found, [n.message for n in notices]


def read(images, batch=100, workers=0):
    return [labels.tolist() for _, labels in images.batches(batch, workers)]


def test_train_and_val_with_a_folder_a_class(tmp_path):
    fill(tmp_path / "train", each=5)
    fill(tmp_path / "val", suffix=".png")
    found, said = told(tmp_path)
    assert (found.classes, len(found), said) == (("cat", "dog"), 4, [])
    assert len(told(tmp_path, split="train")[0]) == 10
    (images, labels), *rest = found.batches(100)
    assert not rest
    assert (images.shape, images.dtype) == ((4, 3, 16, 16), torch.float32)
    assert labels.tolist() == [0, 0, 1, 1]


def test_a_folder_without_splits_is_split_the_same_way_each_time_and_says_so(tmp_path):
    fill(tmp_path, each=60)
    held_out, said = told(tmp_path)
    train = told(tmp_path, split="train")[0]
    assert "one image in 5 is held out" in said[0]
    assert len(held_out) + len(train) == 120
    assert 12 <= len(held_out) <= 36
    assert not set(held_out.pictures.paths) & set(train.pictures.paths)
    assert told(tmp_path)[0].pictures.paths == held_out.pictures.paths


def test_a_split_that_is_missing_is_replaced_by_the_other_and_says_so(tmp_path):
    fill(tmp_path / "test")
    found, said = told(tmp_path, split="train")
    assert len(found) == 4
    assert "no images of its own for train: those of test/ are taken" in said[0]


def test_images_alone_do_for_calibration_but_not_for_evaluation(tmp_path):
    for n in range(3):
        picture(n).save(tmp_path / f"{n}.png")
    found, _ = told(tmp_path)
    assert (found.classes, found.labels) == ((), [-1, -1, -1])
    assert [b.shape for b in calibration_batches(str(tmp_path), 16, 3, 2)] == [
        (2, 3, 16, 16),
        (1, 3, 16, 16),
    ]
    with pytest.raises(InputError, match="no classes to evaluate on"):
        found.labelled_for(10)


@pytest.mark.parametrize("workers", [0, 2])
def test_unreadable_files_are_skipped_counted_and_named(tmp_path, workers):
    fill(tmp_path / "val", each=4)
    whole = (tmp_path / "val" / "cat" / "000.jpg").read_bytes()
    (tmp_path / "val" / "cat" / "000.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "val" / "cat" / "001.jpg").write_bytes(b"")
    (tmp_path / "val" / "dog" / "002.jpg").write_bytes(b"no picture at all")
    (tmp_path / "val" / "dog" / "readme.txt").write_text("not an image")
    (tmp_path / "val" / "dog" / ".hidden").write_text("nobody's business")
    found, said = told(tmp_path)
    for _ in range(2):  # each file counts once, however often it is read
        assert read(found, 3, workers) == [[0], [0, 1, 1], [1]]
        assert found.skipped == 4
    assert "1 files" in said[0]
    found.listener.__self__  # noqa: B018  # the list's own append
    notices = [n.message for n in found.listener.__self__]
    assert sum("cannot be read" in n for n in notices) == 3
    assert "truncated" in notices[1]


def test_an_empty_or_missing_folder_is_one_clear_line(tmp_path):
    with pytest.raises(InputError, match="holds no image"):
        told(tmp_path)
    (tmp_path / "val" / "cat").mkdir(parents=True)
    (tmp_path / "val" / "cat" / "a.txt").write_text("")
    with pytest.raises(InputError, match="1 files in it are no images"):
        told(tmp_path)
    with pytest.raises(InputError, match="cannot read"):
        told(tmp_path / "absent")


def test_a_network_of_imagenets_classes_is_given_its_labels_by_wnid(tmp_path):
    wnids = imagenet_wnids()
    assert (len(wnids), list(wnids)) == (1000, sorted(set(wnids)))
    fill(tmp_path / "val", (wnids[7], wnids[311]))
    found, _ = told(tmp_path)
    assert found.labels == [0, 0, 1, 1]
    assert found.labelled_for(1000).labels == [7, 7, 311, 311]
    assert found.labelled_for(2).labels == [0, 0, 1, 1]
    assert read(found.labelled_for(1000)) == [[7, 7, 311, 311]]


def test_a_wrong_number_of_classes_offers_a_new_head(tmp_path):
    found, _ = told(fill(tmp_path))
    with pytest.raises(UsageError, match="has 2 classes, the network 1000") as raised:
        found.labelled_for(1000)
    assert "--new-head --classes 2" in str(raised.value)


def test_digits_come_with_a_library_and_are_split_without_overlap():
    pytest.importorskip("sklearn")
    val, train = (told("digits", split=s, size=32)[0] for s in ("val", "train"))
    assert (len(val), len(train)) == (360, 1437)
    assert val.classes == tuple("0123456789")
    assert sorted(set(val.labels)) == list(range(10))
    images, _ = next(val.batches(8))
    assert images.shape == (8, 3, 32, 32)
    shades = images * torch.tensor(DEVIATION)[:, None, None] + torch.tensor(MEAN)[:, None, None]
    assert torch.allclose(shades[:, 0], shades[:, 1], atol=1e-6)
    assert float(shades.min()) >= -1e-6
    assert float(shades.max()) <= 1 + 1e-6


def test_a_limit_draws_with_the_seed_and_keeps_the_order():
    pytest.importorskip("sklearn")
    one, same, other = (told("digits", limit=50, seed=s)[0].numbers for s in (1, 1, 2))
    assert one == same == sorted(one)
    assert one != other
    assert len(set(one)) == 50


def test_calibration_draws_training_images_and_says_where_there_are_fewer():
    pytest.importorskip("sklearn")
    notices = []
    found = list(calibration_batches("digits", 32, 2000, 500, listener=notices.append))
    assert [len(b) for b in found] == [500, 500, 437]
    assert "calibrates on 1437 images" in notices[0].message
    one, same, other = (next(calibration_batches("digits", 32, 20, 20, s)) for s in (3, 3, 4))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_shares_of_several_processes_are_the_batches_of_one():
    pytest.importorskip("sklearn")
    found, _ = told("digits")
    whole = [labels.tolist() for _, labels in found.batches(50)]
    shares = [[labels.tolist() for _, labels in found.batches(50, share=(n, 3))] for n in range(3)]
    assert shares == [whole[n::3] for n in range(3)]


def test_reading_leaves_the_random_state_alone():
    pytest.importorskip("sklearn")
    before = torch.get_rng_state()
    next(iter(told("digits")[0].batches(10)))
    assert torch.equal(torch.get_rng_state(), before)


# ------------------------------------------------------------------- CIFAR-10 and transforms


def cifar_rows(count, seed):
    generator = np.random.Generator(np.random.PCG64(seed))
    return generator.integers(0, 256, (count, 3072)).astype(np.uint8), list(range(count))


def test_cifar10_in_both_of_its_own_formats_is_the_same(tmp_path):
    names = [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]
    for seed, name in enumerate(names):
        pixels, labels = cifar_rows(4, seed)
        for folder in ("cifar-10-batches-py", "binary"):
            (tmp_path / folder).mkdir(exist_ok=True)
        with (tmp_path / "cifar-10-batches-py" / name).open("wb") as file:
            pickle.dump({b"data": pixels, b"labels": labels}, file, protocol=2)
        rows = np.concatenate([np.array(labels, np.uint8)[:, None], pixels], axis=1)
        rows.tofile(tmp_path / "binary" / f"{name}.bin")
    for split, count in (("val", 4), ("train", 20)):
        one = told(tmp_path, split=split, size=32)[0]
        other = told(tmp_path / "binary", split=split, size=32)[0]
        assert (one.name, len(one), one.classes[0]) == ("cifar10", count, "airplane")
        assert all(
            torch.equal(a, b) and torch.equal(m, n)
            for (a, m), (b, n) in zip(one.batches(3), other.batches(3), strict=True)
        )
    red = cifar_rows(4, 5)[0][2, :1024].reshape(32, 32)
    assert (np.array(told(tmp_path, size=32)[0][2][0])[..., 0] == red).all()


def test_a_pickle_that_asks_for_more_than_arrays_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return print, ("run",)

    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    (folder / "test_batch").write_bytes(pickle.dumps({b"data": Evil()}))
    with pytest.raises(InputError, match="more than arrays"):
        told(tmp_path)
    kept = _Arrays(io.BytesIO(pickle.dumps(np.arange(3))), encoding="bytes").load()
    assert kept.tolist() == [0, 1, 2]


def test_cifar10_as_folders_is_taken_whole_not_cropped(tmp_path):
    classes = ("airplane", "automobile", "bird", "cat", "deer")
    classes += ("dog", "frog", "horse", "ship", "truck")
    fill(tmp_path / "test", classes, each=1)
    found, _ = told(tmp_path)
    assert (found.name, found.cropped) == ("cifar10", False)


@pytest.mark.parametrize("shape", [(40, 30), (31, 57), (183, 200), (16, 16)])
@pytest.mark.parametrize("size", [16, 33, 160])
def test_evaluations_crop_equals_torchvisions(shape, size):
    vision = pytest.importorskip("ofa_plugins_core.nn.vision")
    torchvision = vision.torchvision()
    steps = [torchvision.transforms.Resize(math.ceil(size / 0.875))]
    expected = torchvision.transforms.Compose([*steps, torchvision.transforms.CenterCrop(size)])
    given = picture(1, *shape)
    pixels = torch.from_numpy(np.array(expected(given))).permute(2, 0, 1)
    assert torch.equal(squared(given, size, True), pixels)


def test_torchvision_comes_in_through_one_door_in_a_fresh_process():
    code = (
        "from ofa_plugins_core.nn.vision import transforms; print(transforms().CenterCrop(4).size)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_digits_are_scikit_learns_own():
    datasets = pytest.importorskip("sklearn.datasets")
    whole = datasets.load_digits()
    found, _ = told("digits", size=8)
    assert found.labels == whole.target[::5].tolist()
    shades = np.stack([np.array(found[n][0])[..., 0] for n in range(10)])
    assert (shades == (whole.images[::5][:10] * (255 / 16)).round()).all()
