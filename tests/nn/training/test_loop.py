"""The loop of a phase: when it stops, what it keeps, what it goes on with."""

import math
import os
import signal

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from attrs import evolve  # noqa: E402
from torch import nn  # noqa: E402

from ofa_plugins_core.nn.checkpoints import about_of, read_state  # noqa: E402
from ofa_plugins_core.nn.data import images_of  # noqa: E402
from ofa_plugins_core.nn.engines import joined  # noqa: E402
from ofa_plugins_core.nn.running import Runner  # noqa: E402
from ofa_plugins_core.nn.training import loop  # noqa: E402
from ofa_plugins_core.nn.training.augmenting import usual_augment  # noqa: E402
from ofa_plugins_core.nn.training.losses import Loss  # noqa: E402
from ofa_plugins_core.nn.training.samples import TrainingImages  # noqa: E402
from ofa_plugins_core.nn.training.steps import Stepper, optimiser_of  # noqa: E402
from ofa_plugins_core.nn.training.tracking import Trackers  # noqa: E402
from ofa_plugins_core.phases import Phase  # noqa: E402

EPOCHS, STEPS = 3, 2


@pytest.fixture(scope="module")
def images():
    found = images_of("digits", 12, split="train", limit=24)
    return TrainingImages(images=found, augment=usual_augment(found), seed=0, phase=1, batch=4)


def network():
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(400, 10))
    return nn.Sequential(*layers).train()


@pytest.fixture
def course(images, tmp_path):
    """How to make a course whose validations come to given means; () -> it."""

    def make(means=(10.0, 20.0, 30.0), during=lambda epoch: None, pace=None, rate=1.0, **more):
        net, told = network(), []

        def validate():
            told.append(len(told))
            during(len(told))
            mean = means[len(told) - 1]
            return {"top1": {"largest@12": mean}, "mean": mean}

        with joined("cpu") as engine:
            runner = Runner(engine)
        stepper = Stepper(net, optimiser_of(net, 0.9, 0.0), Loss(0.1, 1.0), runner)
        course = loop.Course(
            phase=Phase(step="teacher", epochs=EPOCHS, base_lr=0.05),
            number=1,
            seed=0,
            stepper=stepper,
            images=images,
            sizes=(12,),
            space=None,
            rate=rate,
            validate=validate,
            published=net.state_dict,
            about={"label": "teacher"},
            of={"seed": 0},
            folder=tmp_path / "phase",
            pace=pace or loop.Pace(steps_most=STEPS),
            tracker=lambda done: Trackers({}),
        )
        return evolve(course, **more)

    return make


def interrupt(wanted):
    def during(epoch):
        if epoch == wanted:
            os.kill(os.getpid(), signal.SIGINT)

    return during


def test_the_best_by_mean_is_kept_and_says_of_which_epoch_it_is(course):
    outcome = loop.Loop(course(means=(10.0, 30.0, 20.0))).run()
    assert (outcome.best["epoch"], outcome.best["mean"]) == (2, 30.0)
    assert [h["mean"] for h in outcome.history] == [10.0, 30.0, 20.0]
    assert about_of(course().folder / loop.BEST) == {"label": "teacher", "epoch": 2, "mean": 30.0}


def test_a_best_that_its_checkpoint_outlived_is_written_again(course, monkeypatch):
    """Killed between the two, as a full disk does it here."""
    with monkeypatch.context() as patch:
        patch.setattr(loop, "write_state", lambda *a, **k: (_ for _ in ()).throw(OSError("full")))
        with pytest.raises(OSError, match="full"):
            loop.Loop(course()).run()
    made = course(means=(20.0, 30.0))
    assert not (made.folder / loop.BEST).exists()
    found = loop.Loop(made)
    found._resume()
    assert about_of(made.folder / loop.BEST)["epoch"] == 1
    assert loop.Loop(course(means=(5.0, 6.0))).run().best["epoch"] == 1


def test_a_best_of_an_earlier_epoch_gives_way_to_the_checkpoints(course, monkeypatch):
    """Killed between the second checkpoint and its best weights."""
    write, count = loop.write_state, iter(range(9))

    def once(*args, **named):
        if next(count):
            raise OSError("full")
        write(*args, **named)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "write_state", once)
        with pytest.raises(OSError, match="full"):
            loop.Loop(course(means=(10.0, 30.0))).run()
    made = course(means=(20.0,))
    assert about_of(made.folder / loop.BEST)["epoch"] == 1
    assert loop.Loop(made).run().best["epoch"] == 2
    assert about_of(made.folder / loop.BEST)["epoch"] == 2


def lost(file):
    file.unlink()


def emptied(file):
    file.write_bytes(b"")


@pytest.mark.parametrize("harm", [lost, emptied])
@pytest.mark.parametrize(("means", "epoch"), [((30.0, 20.0), 2), ((10.0, 20.0), 2)])
def test_a_best_that_is_lost_gives_way_to_what_the_checkpoint_has(course, harm, means, epoch):
    loop.Loop(course(means=means, during=interrupt(2))).run()
    harm(course().folder / loop.BEST)
    told = []
    made = course(means=(5.0,), listener=told.append)
    outcome = loop.Loop(made).run()
    assert outcome.best["epoch"] == epoch
    assert about_of(made.folder / loop.BEST)["epoch"] == epoch
    assert any("is lost" in getattr(n, "message", "") for n in told) == (means[0] > means[1])
    assert loop.finished(made.folder) is False


def test_a_best_that_is_lost_in_an_epoch_gives_way_to_a_later_one(course, monkeypatch):
    step, count = Stepper.step, iter(range(100))
    with monkeypatch.context() as patch:
        patch.setattr(Stepper, "step", lambda *a: step(*a) if next(count) < 3 else math.nan)
        made = course(means=(30.0,), pace=loop.Pace(steps_most=STEPS, save_every=1))
        with pytest.raises(loop.DivergedError):
            loop.Loop(made).run()
    lost(made.folder / loop.BEST)
    assert loop.Loop(course(means=(10.0, 20.0))).run().best["epoch"] == 3


def test_what_is_tracked_begins_where_the_checkpoint_is(course):
    begun = []

    def tracker(done):
        begun.append(done)
        return Trackers({})

    loop.Loop(course(during=interrupt(2), tracker=tracker)).run()
    loop.Loop(course(means=(30.0,), tracker=tracker)).run()
    assert begun == [0, 2 * STEPS]


def test_of_equal_ones_the_first_is_kept(course):
    assert loop.Loop(course(means=(10.0, 10.0, 10.0))).run().best["epoch"] == 1


def test_the_last_epoch_is_validated_whatever_the_pace(course):
    pace = loop.Pace(steps_most=STEPS, validate_every=2)
    assert [h["epoch"] for h in loop.Loop(course(pace=pace)).run().history] == [2, 3]


@pytest.mark.parametrize("epoch", [1, EPOCHS])
def test_an_interruption_while_it_validates_ends_the_phase_there(course, epoch):
    """In its last epoch, too: the plan's next phase must not begin."""
    outcome = loop.Loop(course(during=interrupt(epoch))).run()
    assert (outcome.interrupted, outcome.steps) == (True, epoch * STEPS)
    again = loop.Loop(course(means=(20.0, 30.0)[epoch - 1 :])).run()
    assert (again.interrupted, again.steps) == (False, EPOCHS * STEPS)


def test_an_interruption_is_heard_where_an_epoch_is_one_step(course):
    pace = loop.Pace(steps_most=1)
    outcome = loop.Loop(course(during=interrupt(1), pace=pace)).run()
    assert (outcome.interrupted, outcome.steps) == (True, 1)


def test_gone_on_with_in_an_epoch_it_comes_to_the_same_bits(course, monkeypatch):
    whole = course()
    loop.Loop(whole).run()
    wanted = read_state(whole.folder / loop.BEST)
    for file in whole.folder.iterdir():
        file.unlink()
    step, count = Stepper.step, iter(range(100))
    with monkeypatch.context() as patch:
        patch.setattr(Stepper, "step", lambda *a: step(*a) if next(count) < 3 else math.nan)
        with pytest.raises(loop.DivergedError, match="epoch 2, step 2"):
            loop.Loop(course(pace=loop.Pace(steps_most=STEPS, save_every=1))).run()
    outcome = loop.Loop(course(means=(20.0, 30.0))).run()
    assert outcome.steps == EPOCHS * STEPS
    found = read_state(whole.folder / loop.BEST)
    assert all(torch.equal(found[k], t) for k, t in wanted.items())


def test_weights_that_are_no_numbers_are_not_kept(course, monkeypatch):
    """The loss tells of them one step late."""
    made = course(pace=loop.Pace(steps_most=STEPS, save_every=1))
    step, count = Stepper.step, iter(range(100))

    def broken(self, *args):
        loss = step(self, *args)
        if next(count) == 2:
            with torch.no_grad():
                self.network[0].weight[0] = torch.nan
        return loss

    monkeypatch.setattr(Stepper, "step", broken)
    with pytest.raises(loop.DivergedError, match="checkpoint-000000002"):
        loop.Loop(made).run()
    files = sorted(p.name for p in made.folder.glob("*.ckpt"))
    assert files == ["checkpoint-000000001.ckpt", "checkpoint-000000002.ckpt"]


def test_each_step_and_block_has_random_numbers_of_its_own(course, images, monkeypatch):
    """Of dropout, and so of the draws, which have the same key."""
    step, told = Stepper.step, []

    def recorded(self, archs, blocks, seeds):
        told.extend(seeds)
        return step(self, archs, blocks, seeds)

    monkeypatch.setattr(Stepper, "step", recorded)
    loop.Loop(course(images=evolve(images, blocks=2, mine=range(2)))).run()
    assert len(set(told)) == len(told) == EPOCHS * STEPS * 2


def test_a_teacher_answers_as_it_is_evaluated_and_is_not_trained():
    teacher = loop.frozen_teacher(network())
    assert not any(module.training for module in teacher.modules())
    assert not any(p.requires_grad for p in teacher.parameters())
