"""Which engine a process joins, and what it says where it cannot."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import ModuleType

import pytest

torch = pytest.importorskip("torch")

from ofa_plugins_core.errors import PeerLostError, UsageError  # noqa: E402
from ofa_plugins_core.nn.engines import horovod, joined, left_alone, needing_all  # noqa: E402
from ofa_plugins_core.nn.engines.ending import ended_by_launcher  # noqa: E402


@pytest.fixture(autouse=True)
def unlaunched(monkeypatch):
    """As in a shell."""
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "HOROVOD_RANK", "HOROVOD_SIZE"):
        monkeypatch.delenv(name, raising=False)


def test_one_process_is_the_whole():
    values = torch.arange(3.0)
    with joined("cpu", compress="fp16") as engine:
        assert (engine.rank, engine.count, engine.leads, engine.share) == (0, 1, True, (0, 1))
        assert (engine.name, engine.device) == ("one process", torch.device("cpu"))
        for operation in (engine.mean_, engine.sum_, engine.broadcast_):
            operation(values, "values")
        assert engine.total(values).tolist() == values.tolist() == [0, 1, 2]
        assert engine.count_all(7) == 7
        engine.meet()
    assert "horovod.torch" not in sys.modules


@pytest.mark.parametrize(
    ("engine", "launcher", "line"),
    [
        ("torchrun", "torchrun", "torchrun --nproc-per-node 2 --no-python ofa run train"),
        ("horovod", "horovodrun", "OMP_NUM_THREADS=1 horovodrun -np 2 ofa run train"),
    ],
)
def test_an_engine_that_was_not_started_says_how_it_is(engine, launcher, line):
    said = f"--engine {engine}: this process was not started by {launcher}\nstart it with: {line}"
    with pytest.raises(UsageError, match=said), joined("cpu", engine):
        pass


def test_what_a_launcher_started_does_not_work_alone_or_with_another(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="--engine alone, but torchrun has started several"):
        joined("cpu", "alone").__enter__()
    with pytest.raises(UsageError, match=r"--engine horovod: .* not started by horovodrun"):
        joined("cpu", "horovod").__enter__()


@pytest.mark.parametrize("names", [["WORLD_SIZE"], ["HOROVOD_RANK", "HOROVOD_SIZE"]])
def test_who_is_left_alone_waits_for_nobody(monkeypatch, names):
    for name in names:
        monkeypatch.setenv(name, "2")
    before = dict(os.environ)
    with left_alone(), joined("cpu") as engine:
        assert engine.count == 1
    assert dict(os.environ) == before


def test_torchrun_with_one_process_may_be_asked_for(monkeypatch):
    for name, value in {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "localhost"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MASTER_PORT", "0")
    with joined("cpu") as engine:
        assert engine.name == "one process"
    with joined("cpu", "torchrun") as engine:
        assert (engine.name, engine.count) == ("torchrun", 1)


def test_half_of_torchruns_environment_is_one_clear_line(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(UsageError, match="torchrun's part of the environment is incomplete"):
        joined("cpu").__enter__()


@pytest.fixture
def launched_by_horovod(monkeypatch):
    monkeypatch.setenv("HOROVOD_RANK", "0")
    monkeypatch.setenv("HOROVOD_SIZE", "2")


@pytest.mark.usefixtures("launched_by_horovod")
def test_a_missing_horovod_is_one_clear_line(monkeypatch):
    monkeypatch.setattr(horovod, "find_spec", lambda name: None)
    said = r"Horovod is not installed\nbuild it for this torch.*docs/horovod.md"
    with pytest.raises(UsageError, match=said), joined("cpu"):
        pass


@pytest.mark.usefixtures("launched_by_horovod")
@pytest.mark.parametrize("flaw", ["without torch", "of another torch", "without gloo"])
def test_a_horovod_that_does_not_fit_says_what_to_do(monkeypatch, capsys, flaw):
    def loaded(name):
        assert name == "horovod.torch"
        if flaw == "of another torch":
            raise ImportError("undefined symbol: _ZN3c10")
        module = ModuleType(name)
        if flaw == "without gloo":
            module.init, module.gloo_built = None, lambda: 0
        else:
            sys.stdout.write("Extension horovod.torch has not been built")
        return module

    monkeypatch.setattr(horovod, "find_spec", lambda name: True)
    monkeypatch.setattr(horovod, "import_module", loaded)
    said = rf"installed, but not built for torch {torch.__version__}: (it was|Ext|undef)".replace(
        "+", r"\+"
    )
    with pytest.raises(UsageError, match=said) as raised, joined("cpu"):
        pass
    assert "-std=c++17" in raised.value.advice
    assert capsys.readouterr().out == ""


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_one_clear_line():
    with pytest.raises(UsageError, match=r"--device cuda: (torch here|no GPU)"), joined("cuda"):
        pass


def test_an_operation_that_loses_a_peer_is_one_clear_error():
    said = "[/some/where/pair.cc:537] Read error [::1]:3: Connection reset. This is\nand a trace"
    lost = pytest.raises(PeerLostError, match=r"gone: Read error \[::1\]:3: Connection reset\ngo")
    with lost as raised, needing_all():
        raise RuntimeError(said)
    assert raised.value.exit_code == 130
    with pytest.raises(RuntimeError, match="Mismatched"), needing_all():
        raise RuntimeError("Mismatched allreduce tensor shapes")


def test_a_launchers_signal_to_end_is_an_error_that_can_be_handled():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(PeerLostError, match="SIGTERM"), ended_by_launcher():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_signal_that_comes_while_the_error_is_told_does_not_cut_it_short():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(PeerLostError, match="noticed"), ended_by_launcher():
        raise PeerLostError("noticed")
    signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_outside_the_main_thread_signals_stay_as_they_are():
    seen = []

    def work():
        with ended_by_launcher():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]
