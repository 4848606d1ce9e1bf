"""Checkpoints: whole or not at all, the last few kept, the last good one found."""

import io

import pytest

torch = pytest.importorskip("torch")

from attrs import evolve  # noqa: E402

from ofa_plugins_core.errors import InputError, UsageError  # noqa: E402
from ofa_plugins_core.nn.engines import joined  # noqa: E402
from ofa_plugins_core.nn.training.saving import Checkpoints, Position, State  # noqa: E402

OF = {"supernet": "x", "seed": 0}


@pytest.fixture
def engine():
    with joined("cpu") as found:
        yield found


def state(done, **more):
    return State(Position(done // 10, done % 10, done), OF, **more)


def tensors(value):
    return {"model": {"w": torch.full((3,), float(value))}, "optimiser": {"state": {}}}


@pytest.fixture
def kept(tmp_path):
    said = []
    found = Checkpoints(tmp_path / "phase", keep=2, listener=said.append)
    return found, said


def test_the_last_one_comes_back_with_all_that_was_kept(kept, engine):
    checkpoints, _ = kept
    best = {"epoch": 1, "top1": {"smallest@32": 12.5}, "mean": 12.5}
    checkpoints.save(state(13, best=best, history=(best,), losses=(4.5, 3)), tensors(2))
    found, content = checkpoints.latest(OF, engine)
    assert (found.position.epoch, found.position.step, found.position.done) == (1, 3, 13)
    assert (found.best, found.history, found.losses) == (best, (best,), (4.5, 3))
    assert torch.equal(content["model"]["w"], torch.full((3,), 2.0))


def test_the_last_few_are_kept(kept, engine):
    checkpoints, _ = kept
    for done in (3, 6, 9, 12):
        checkpoints.save(state(done), tensors(done))
    assert [p.name for p in checkpoints.found()] == [
        "checkpoint-000000009.ckpt",
        "checkpoint-000000012.ckpt",
    ]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"no checkpoint"])
def test_of_a_broken_one_the_one_before_is_taken_and_the_user_is_told(kept, engine, content):
    checkpoints, said = kept
    checkpoints.save(state(3), tensors(3))
    (checkpoints.folder / "checkpoint-000000006.ckpt").write_bytes(content)
    found, _ = checkpoints.latest(OF, engine)
    assert found.position.done == 3
    assert "checkpoint-000000006.ckpt is broken" in said[0].message
    assert "the one before is taken" in said[0].message


@pytest.mark.parametrize(
    "change",
    [{"model": 1}, {"position": [-1, 0, 0]}, {"best": {"mean": "x"}}, {"of": [1]}, {"losses": []}],
)
def test_one_that_was_edited_is_a_broken_one(kept, engine, change):
    checkpoints, said = kept
    checkpoints.save(state(3), tensors(3))
    checkpoints.save(state(6), tensors(6))
    last = checkpoints.found()[-1]
    torch.save({**torch.load(last, weights_only=True), **change}, last)
    found, _ = checkpoints.latest(OF, engine)
    assert found.position.done == 3
    assert f"{last.name} is broken" in said[0].message


def test_a_broken_one_of_later_steps_goes_when_the_next_good_one_is_written(kept, engine):
    """It would count as the last, so that of one that is kept the good one would go."""
    checkpoints = evolve(kept[0], keep=1)
    checkpoints.save(state(3), tensors(3))
    (checkpoints.folder / "checkpoint-000000006.ckpt").write_bytes(b"half of it")
    checkpoints.save(state(4), tensors(4))
    assert [p.name for p in checkpoints.found()] == ["checkpoint-000000004.ckpt"]


def test_a_pickle_that_asks_for_more_than_data_is_not_run(kept, engine, tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "run"), "w"))

    checkpoints, said = kept
    checkpoints.folder.mkdir()
    torch.save({"format": Evil()}, checkpoints.folder / "checkpoint-000000006.ckpt")
    assert checkpoints.latest(OF, engine) is None
    assert "is broken" in said[0].message
    assert "starts anew" in said[0].message
    assert not (tmp_path / "run").exists()


def test_one_of_something_else_is_refused(kept, engine):
    checkpoints, _ = kept
    checkpoints.save(state(3), tensors(3))
    with pytest.raises(UsageError, match="seed was 0, is 1"):
        checkpoints.latest({**OF, "seed": 1}, engine)


def test_a_full_disk_leaves_the_older_ones_and_nothing_half_written(kept, engine, monkeypatch):
    checkpoints, _ = kept
    checkpoints.save(state(3), tensors(3))

    def full(content, file):
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(InputError, match="No space left on device"):
        checkpoints.save(state(6), tensors(6))
    assert [p.name for p in checkpoints.folder.iterdir()] == ["checkpoint-000000003.ckpt"]


def test_where_there_is_none_it_says_so(kept, engine):
    assert kept[0].latest(OF, engine) is None


def test_positions_count_steps_within_epochs():
    found = Position()
    for _ in range(7):
        found = found.next(3)
    assert (found.epoch, found.step, found.done) == (2, 1, 7)


def test_checkpoints_are_plain_data(kept):
    """So that ``weights_only`` reads them."""
    checkpoints, _ = kept
    checkpoints.save(state(3), tensors(3))
    whole = io.BytesIO(checkpoints.found()[0].read_bytes())
    assert torch.load(whole, weights_only=True)["position"] == [0, 3, 3]
