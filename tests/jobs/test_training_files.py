"""Which files a phase begins with."""

from pathlib import Path
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from ofa_plugins_core.entries import JobContext  # noqa: E402
from ofa_plugins_core.errors import InputError, UsageError  # noqa: E402
from ofa_plugins_core.jobs.planning import Chosen  # noqa: E402
from ofa_plugins_core.jobs.train_options import TrainOptions  # noqa: E402
from ofa_plugins_core.jobs.training_files import Files  # noqa: E402
from ofa_plugins_core.nn.checkpoints import write_state  # noqa: E402
from ofa_plugins_core.phases import Phase  # noqa: E402

EVERY = tuple(Phase(step=s, epochs=1, base_lr=0.1) for s in ("teacher", "kernel", "depth"))
TUNED = Phase(step="finetune", epochs=1, base_lr=0.1)


@pytest.fixture
def files():
    """With options; (Files, what it told)."""

    def make(leads=True, **options):
        said = []
        context = JobContext(host=None, listener=lambda event: said.append(event.message))
        found = Chosen("p", None, EVERY, TUNED, None, (0,))
        return Files(context, TrainOptions(**options), found, leads), said

    return make


@pytest.fixture
def weights(tmp_path):
    """A file that says which phase it is of."""

    def write(label):
        file = tmp_path / f"{label}.pth"
        write_state(file, {"w": torch.ones(1)}, about={"label": label} if label else None)
        return str(file)

    return write


def done(phase, folder):
    return SimpleNamespace(phase=phase, folder=Path(folder))


def test_a_phase_starts_from_the_best_of_the_one_before(files):
    found, _ = files(all=True)
    assert found.start(1, [done(EVERY[0], "a")]) == Path("a/best.pth")
    assert found.start(2, [done(EVERY[0], "a"), done(EVERY[1], "b")]) == Path("b/best.pth")


def test_the_first_starts_from_nothing_and_any_from_nothing_if_that_is_wanted(files):
    assert files()[0].start(0, []) is None
    assert files(weights="fresh")[0].start(2, []) is None


def test_a_single_phase_needs_the_weights_of_the_one_before(files, weights):
    with pytest.raises(UsageError, match="depth 1 starts from the weights of kernel 1"):
        files()[0].start(2, [])
    kernel = weights("kernel 1")
    assert files(weights=kernel)[0].start(2, []) == Path(kernel)


def test_a_file_of_too_early_a_phase_is_refused(files, weights):
    with pytest.raises(UsageError, match=r"depth 1 comes after kernel 1; .* is of teacher"):
        files(weights=weights("teacher"))[0].start(2, [])
    with pytest.raises(UsageError, match=r"finetune comes after depth 1; .* is of kernel 1"):
        files(weights=weights("kernel 1"))[0].start(-1, [])


def test_one_that_does_not_say_is_taken_and_that_is_told(files, weights):
    found, said = files(weights=weights(""))
    assert found.start(2, []).name == ".pth"
    assert "does not say which phase it is of" in said[0]


def test_the_first_process_alone_needs_to_have_the_files(files):
    """Workers on other machines need no common disk: they are told what the files hold."""
    with pytest.raises(InputError, match=r"no weights 'nowhere\.pth'"):
        files(weights="nowhere.pth")[0].start(0, [])
    assert files(leads=False, weights="nowhere.pth")[0].start(0, []) == Path("nowhere.pth")


def test_a_phase_is_taught_by_the_runs_own_teacher_or_by_the_one_that_is_named(files, weights):
    own = [done(EVERY[0], "a"), done(EVERY[1], "b")]
    assert files()[0].teacher(EVERY[2], own, None) == Path("a/best.pth")
    named = weights("teacher")
    assert files(teacher=Path(named))[0].teacher(EVERY[2], own, None) == Path(named)


def test_the_phase_after_the_teachers_is_taught_by_what_it_starts_from(files):
    assert files()[0].teacher(EVERY[1], [], Path("t.pth")) == Path("t.pth")
    with pytest.raises(UsageError, match="depth 1 is taught by the trained largest network"):
        files()[0].teacher(EVERY[2], [], Path("k.pth"))


def test_a_subnet_may_go_on_without_a_teacher(files):
    assert files()[0].teacher(TUNED, [], Path("s.pth")) is None
