#!/usr/bin/env python3
# ruff: noqa: SIM105, UP006, UP035, UP045  # newer than a board's Python
"""The board's side of ofa-plugins: times networks, sets power modes and clocks, reads sensors.

One file, Python 3.6, standard library; torch and trtexec are used where they are installed. It
takes requests, one JSON object a line, and writes an answer a line: from stdin to stdout (over
ssh, or as a child of the program on the same machine), or from a file to a file:

    python3 ofa_board.py --requests requests.jsonl --answers answers.jsonl

Nothing is parsed here: raw texts go back, the host understands them. Whatever ends it - an error,
a signal, the end of stdin because ssh is gone, 15 minutes without a request - clocks and power mode
are put back first; if it was killed outright, the next start does it.
"""

import argparse
import base64
import ctypes
import fcntl
import glob
import json
import os
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any, Dict, List, Optional, Set, Tuple

PROTOCOL = 1
CPU = "/sys/devices/system/cpu"
CLOCKS = (CPU + "/cpu[0-9]*/cpufreq/scaling_cur_freq", "/sys/class/devfreq/*/cur_freq")
HEAT = ("/sys/class/thermal/thermal_zone*/type", "/sys/class/thermal/thermal_zone*/temp")
RAILS = ("/sys/class/hwmon/hwmon*/in*_label", "/sys/bus/i2c/drivers/ina3221x/*/*/rail_name_*")
POWER = (
    "/sys/class/hwmon/hwmon*/in*_input",
    "/sys/class/hwmon/hwmon*/curr*_input",
    "/sys/bus/i2c/drivers/ina3221x/*/*/in_power*_input",
)
FACTS = (
    "/proc/device-tree/model",
    "/proc/device-tree/compatible",
    "/etc/nv_tegra_release",
    "/etc/nvpmodel.conf",
    CPU + "/online",
    CPU + "/cpu[0-9]*/cpufreq/scaling_*_freq",
    CPU + "/cpu[0-9]*/cpufreq/cpuinfo_max_freq",
    "/sys/class/devfreq/*/*_freq",
    "/sys/class/devfreq/*/available_frequencies",
)
GPUS = ("gpu", "gp10b", "gv11b", "ga10b")
LONGEST = 300000
MEASURES = ("time", "power")
QUIET = 900
HUNG_UP = select.POLLERR | select.POLLHUP | 0x2000  # POLLRDHUP, which Python 3.6 does not name


class RefusedError(Exception):
    """A request that cannot be done; kind: denied, missing, reboot, usage or failed."""

    def __init__(self, kind: str, message: str) -> None:
        Exception.__init__(self, message)
        self.kind = kind


class StoppedError(BaseException):
    """A signal came."""


class Signals:
    """A signal ends it once, by StoppedError; ``with signals`` holds it back until that is done."""

    def __init__(self) -> None:
        self.came, self.due, self.depth = 0, False, 0

    def start(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
            signal.signal(number, self._come)

    def _come(self, number: int, frame: Any) -> None:
        if self.came:
            return
        self.came, self.due = number, self.depth > 0
        if not self.due:
            raise StoppedError()

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self.depth -= 1
        if self.due and not self.depth:
            self.due = False
            if kind is None:
                raise StoppedError()


# ------------------------------------------------------------------ files and programs


class System:
    """The machine below a root: its files, and its programs, found through PATH."""

    def __init__(self, root: str) -> None:
        self.root = root
        places = [self.path(p) for p in ("/usr/sbin", "/usr/bin", "/usr/src/tensorrt/bin")]
        before = os.environ.get("PATH", "").split(os.pathsep)
        path = places + before if root != "/" else before + places
        self.env = dict(os.environ, PATH=os.pathsep.join(path))
        self.shared = self.path("/var/tmp")  # of all users; outlives a power cut, as modes do
        self.host = []  # type: List[int]

    def path(self, path: str) -> str:
        return os.path.join(self.root, path.lstrip("/"))

    def texts(self, patterns: Tuple[str, ...]) -> Dict[str, str]:
        """Path -> text; a file that cannot be read, such as a sensor switched off, is left out."""
        found = {}
        for pattern in patterns:
            for path in sorted(glob.glob(self.path(pattern))):
                try:
                    with open(path, "rb") as file:
                        text = file.read(LONGEST).decode("utf-8", "replace")
                except OSError:
                    continue
                found["/" + os.path.relpath(path, self.root)] = text
        return found

    def write(self, path: str, text: str) -> None:
        with open(self.path(path), "w") as file:
            file.write(text)

    def find(self, program: str) -> Optional[str]:
        return shutil.which(program, path=self.env["PATH"])

    def deserted(self) -> bool:
        """Whether the host has closed one of its pipes."""
        poll = select.poll()
        for file in self.host:
            poll.register(file, HUNG_UP)
        return any(event & HUNG_UP for _, event in poll.poll(0))

    def run_heard(self, words: List[str], timeout: float) -> Dict[str, Any]:
        """Run a program that takes minutes; it ends early where nobody waits for it any more."""
        ended = threading.Event()
        process = self.start(words)

        def watch() -> None:
            while not ended.wait(0.5):
                if self.deserted():
                    signal_group(process, signal.SIGTERM)

        watcher = threading.Thread(target=watch)
        watcher.daemon = True
        watcher.start()
        try:
            return self._finish(process, words, timeout)
        finally:
            ended.set()

    def run(self, words: List[str], timeout: float = 120.0, root: bool = False) -> Dict[str, Any]:
        """A program's exit code and output; it asks nobody, and a signal meant for us spares it."""
        if root and os.geteuid() != 0 and self.find("sudo"):
            words = ["sudo", "-n", *words]
        return self._finish(self.start(words), words, timeout)

    def _finish(self, process: Any, words: List[str], timeout: float) -> Dict[str, Any]:
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            end_group(process)
            raise RefusedError("failed", f"{words[0]}: not done after {timeout:g} s") from None
        except BaseException:
            end_group(process)
            raise
        return {"code": process.returncode, "out": out[-LONGEST:], "err": err[-LONGEST:]}

    def start(self, words: List[str], errors: int = subprocess.PIPE) -> Any:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            universal_newlines=True,
            errors="replace",
            env=self.env,
            start_new_session=True,
        )

    def must(self, words: List[str], what: str) -> Dict[str, Any]:
        """Run a program that needs root; RefusedError where it does not do it."""
        done = self.run(words, root=True)
        said = (done["out"] + "\n" + done["err"]).strip()
        if "reboot required" in said.lower():  # it asks, nobody answers, and it gives up
            raise RefusedError("reboot", f"this {what} needs a reboot of the board")
        if done["code"] == 0:
            return done
        last = said.splitlines()[-1] if said else f"exit code {done['code']}"
        signs = ("root", "permi", "denied", "password", "sudo")
        powerless = os.geteuid() != 0 and not self.find("sudo")
        denied = powerless or any(sign in said.lower() for sign in signs)
        kind = "denied" if denied else "failed"
        raise RefusedError(kind, f"{what}: {os.path.basename(words[0])}: {last}")


def signal_group(process: Any, number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except OSError:
        pass


def end_group(process: Any) -> None:
    """End a program and its children."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        process.kill()
    process.communicate()


# ------------------------------------------------------------------ what is put back


class Undo:
    """Steps that put the board back as it was, as data: on disk, so that a kill loses none.

    Who may set mode and clocks holds a lock on a file that all users share: the kernel lets go of
    it with the process. Each user's steps lie in a folder of its own, which the others can see.
    """

    def __init__(self, system: System, signals: Signals) -> None:
        self.system, self.signals = system, signals
        self.folder = os.path.join(system.shared, f"ofa-board-{os.geteuid()}")
        self.file = os.path.join(self.folder, "undo.json")
        self.steps = []  # type: List[List[Any]]
        self.claimed = None  # type: Optional[int]
        self.stale = False

    def ready(self) -> None:
        """Before mode or clocks are set: nothing is left of a killed run, and nobody else is on."""
        self.leftover()
        if self.stale:
            failed = self.all()["failed"]
            if failed:
                raise RefusedError(
                    "failed",
                    "what a killed session has left cannot be put back: {}; as root run "
                    "ofa_board.py once more, or reboot".format("; ".join(failed)),
                )
        self.claim()

    def leftover(self) -> List[str]:
        """Take up what a killed run has left; refuse while another one is at work."""
        if self.claimed is not None or not os.path.exists(self.file):
            return []
        self.claim()
        self._own_folder()
        try:
            with open(self.file) as file:
                self.steps = [list(step) for step in json.load(file)["steps"]]
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return list(self.all()["restored"])

    def claim(self) -> None:
        """Keep all others off mode and clocks until everything is put back."""
        if self.claimed is not None:
            return
        file = shared_file(os.path.join(self.system.shared, "ofa-board.lock"))
        others = [path for path in self._kept() if path != self.file]
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            raise RefusedError(
                "usage",
                f"another ofa_board.py{self._who()} has set mode or clocks of this board; "
                "wait for it, or end it",
            ) from None
        if others:
            os.close(file)
            raise RefusedError(
                "usage",
                "a killed session of another user has left mode or clocks changed: log in as that "
                f"user once, or put them back as root and delete {others[0]}",
            )
        self.claimed = file

    def _kept(self) -> List[str]:
        return sorted(glob.glob(os.path.join(self.system.shared, "ofa-board-*", "undo.json")))

    def _who(self) -> str:
        for path in self._kept():
            try:
                with open(path) as file:
                    return " (process {})".format(int(json.load(file)["pid"]))
            except (OSError, ValueError, KeyError, TypeError):
                continue
        return ""

    def store(self) -> str:
        """A file for clocks that is not there yet: jetson_clocks asks before it overwrites."""
        self._own_folder()
        names = (os.path.join(self.folder, f"clocks{number}.conf") for number in range(10000))
        return next(name for name in names if not os.path.lexists(name))

    def push(self, step: List[Any]) -> None:
        """Keep a step before what it undoes is done."""
        self.steps.append(step)
        self._keep(self.steps)

    def drop(self) -> None:
        """Forget the last step: what it undoes was not done."""
        self.steps.pop()
        self._keep(self.steps)

    def _own_folder(self) -> None:
        """Ours alone to write: anybody may have made something of that name before."""
        try:
            os.mkdir(self.folder)
        except FileExistsError:
            pass
        found = os.lstat(self.folder)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise RefusedError("usage", f"{self.folder} is somebody else's: delete it as root")
        os.chmod(self.folder, 0o755)

    def _keep(self, steps: List[List[Any]]) -> None:
        self._own_folder()
        beside = self.file + ".part"
        with open(beside, "w") as file:
            json.dump({"pid": os.getpid(), "steps": steps}, file)
        os.rename(beside, self.file)

    def all(self) -> Dict[str, Any]:
        """Put everything back, the last first, whatever signal comes.

        A step goes once it is done; one that fails stays for the next start.
        """
        restored, failed, left = [], [], []  # type: Tuple[List[str], List[str], List[List[Any]]]
        with self.signals:
            while self.steps:
                step = self.steps[-1]
                try:
                    restored.append(self._one(step))
                except (RefusedError, OSError, subprocess.SubprocessError) as error:
                    failed.append(str(error))
                    left.insert(0, step)
                self.steps.pop()
                if step not in left:
                    self._done(step, self.steps + left)
            self.steps, self.stale = left, bool(left)
            if not left and self.claimed is not None:
                self._free()
        return {"restored": restored, "failed": failed}

    def _done(self, step: List[Any], rest: List[List[Any]]) -> None:
        """Take a step that was done off the disk; a full disk keeps nothing from being put back."""
        try:
            self._keep(rest)
            if step[0] == "jetson_clocks":
                os.remove(step[1])
        except (RefusedError, OSError):
            pass

    def _free(self) -> None:
        for remove, path in ((os.remove, self.file), (os.rmdir, self.folder)):
            try:
                remove(path)
            except OSError:
                pass
        assert self.claimed is not None
        os.close(self.claimed)
        self.claimed = None

    def _one(self, step: List[Any]) -> str:
        if step[0] == "jetson_clocks":
            self.system.must([program(self.system, step[0]), "--restore", step[1]], "clocks")
            return "clocks"
        if step[0] == "mode":
            self.system.must([program(self.system, "nvpmodel"), "-m", str(step[1])], "power mode")
            return "mode"
        for path, text in step[1].items():
            self.system.write(path, text)
        return "clocks"


def shared_file(path: str) -> int:
    """Open a file to lock that any user may have made; no link is followed, nothing is written."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    if not os.path.isdir(os.path.dirname(path)):
        os.makedirs(os.path.dirname(path))
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        file = os.open(path, flags | os.O_CREAT, 0o644)
        os.fchmod(file, 0o644)  # whatever the umask: others have to see it
        return file


def program(system: System, name: str) -> str:
    found = system.find(name)
    if found is None:
        raise RefusedError("missing", f"{name} is not installed here")
    return found


# ------------------------------------------------------------------ networks in torch


def builder(torch: Any) -> Any:
    """blocks -> a module in evaluation mode, from their JSON alone; weights are random."""
    nn = torch.nn
    Module = nn.Module  # type: Any  # noqa: N806  # a class

    class HardSwish(Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return x * nn.functional.relu6(x + 3.0) / 6.0

    class HardSigmoid(Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return nn.functional.relu6(x + 3.0) / 6.0

    class SqueezeExcite(Module):  # type: ignore[misc]
        def __init__(self, reduce: Any, expand: Any) -> None:
            nn.Module.__init__(self)
            self.pool, self.reduce, self.expand = nn.AdaptiveAvgPool2d(1), reduce, expand

        def forward(self, x: Any) -> Any:
            return x * self.expand(self.reduce(self.pool(x)))

    class Sum(Module):  # type: ignore[misc]
        def __init__(self, main: Any, shortcut: Any, act: Any) -> None:
            nn.Module.__init__(self)
            self.main, self.shortcut, self.act = main, shortcut, act

        def forward(self, x: Any) -> Any:
            y = self.main(x) + self.shortcut(x)
            return y if self.act is None else self.act(y)

    def activation(name: str) -> Any:
        if name == "relu":
            return nn.ReLU(inplace=True)
        if name == "relu6":
            return nn.ReLU6(inplace=True)
        if name == "h_swish":  # torch 1.6 and later; 1.5 and before have neither
            return nn.Hardswish(inplace=True) if hasattr(nn, "Hardswish") else HardSwish()
        if name == "h_sigmoid":
            return nn.Hardsigmoid() if hasattr(nn, "Hardsigmoid") else HardSigmoid()
        raise RefusedError("usage", f"unknown activation {name!r}")

    def pooling(op: Dict[str, Any]) -> Any:
        k, s = op["kernel"], op["stride"]
        if op["name"] == "mean":
            return nn.AdaptiveAvgPool2d(1)
        if op["name"] == "max":
            return nn.MaxPool2d(k, s, k // 2)
        return nn.AvgPool2d(k, s, 0, ceil_mode=True, count_include_pad=False)

    def weighted(op: Dict[str, Any]) -> Any:
        into, out, k = op["channels_in"], op["channels_out"], op["kernel"]
        if op["role"] == "linear":
            made = nn.Linear(into, out, bias=op["bias"])
        else:
            made = nn.Conv2d(
                into, out, k, op["stride"], k // 2, groups=op["groups"], bias=op["bias"]
            )
        fan = into // op["groups"] * k * k
        with torch.no_grad():  # sizes stay sound: no infinite and no denormal numbers
            made.weight.normal_(0.0, (2.0 / fan) ** 0.5)
            if made.bias is not None:
                made.bias.zero_()
        return made

    def layer(op: Dict[str, Any]) -> Any:
        if op["role"] == "pool":
            return pooling(op)
        found = [nn.Flatten()] if op["role"] == "linear" else []
        found.append(weighted(op))
        if op["norm"]:
            found.append(nn.BatchNorm2d(op["channels_out"]))
        if op["activation"] is not None:
            found.append(activation(op["activation"]))
        return nn.Sequential(*found)

    def block(given: Dict[str, Any]) -> Any:
        main, aside, ops = [], [], list(given["ops"])
        while ops:
            op = ops.pop(0)
            if op["name"].startswith("shortcut"):
                aside.append(layer(op))
            elif op["name"] == "se.reduce":
                main.append(SqueezeExcite(layer(op), layer(ops.pop(0))))
            else:
                main.append(layer(op))
        if not (aside or given["shortcut"]):
            return nn.Sequential(*main)
        act = None if given["activation"] is None else activation(given["activation"])
        return Sum(nn.Sequential(*main), nn.Sequential(*aside), act)

    def build(blocks: List[Dict[str, Any]]) -> Any:
        return nn.Sequential(*[block(one) for one in blocks]).eval()

    return build


def keep_memory() -> None:
    """Freed memory stays with this process: glibc would give it back and take it again, by chance.

    As the core's device ``cpu`` does it; the numbers are M_TRIM_THRESHOLD and M_MMAP_THRESHOLD.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "gnu_get_libc_version"):
        library.mallopt(-1, 2**31 - 1)
        library.mallopt(-3, 2**25)


class Torch:
    """Works in torch, by the names that requests give them."""

    def __init__(self) -> None:
        self.works = {}  # type: Dict[str, Tuple[Any, Any, bool]]

    @staticmethod
    def load_torch() -> Any:
        try:
            import torch
        except Exception as error:  # a broken build raises anything
            version = sys.version.split()[0]
            raise RefusedError(
                "missing", f"no torch for Python {version}: {one_line(error)}"
            ) from None
        return torch

    def load(self, asked: Dict[str, Any]) -> Dict[str, Any]:
        torch, gpu = self.load_torch(), asked["processor"] == "gpu"
        if gpu and not torch.cuda.is_available():
            raise RefusedError("missing", f"torch {torch.__version__} sees no GPU here")
        if not gpu:
            keep_memory()
        if asked.get("threads"):
            torch.set_num_threads(int(asked["threads"]))
        if gpu:
            torch.backends.cudnn.benchmark = True  # kernels are chosen by trying, as deployed
        first, half = asked["blocks"][0]["ops"][0], asked.get("dtype") == "fp16"
        size = (asked["batch"], first["channels_in"], first["size_in"], first["size_in"])
        try:
            network, images = builder(torch)(asked["blocks"]), torch.rand(*size)
            if half:
                network, images = network.half(), images.half()
            if gpu:
                network, images = network.cuda(), images.cuda()
            self.works[asked["work"]] = (network, images, gpu)
            self.time(asked["work"], 1)
        except RuntimeError as error:
            self.works.pop(asked["work"], None)
            if "memory" in str(error).lower():
                raise RefusedError(
                    "usage", f"no memory for a batch of {size[0]}: {one_line(error)}"
                ) from None
            raise
        return {}

    def time(self, work: str, passes: int) -> List[float]:
        """Milliseconds of passes in a row; the input was written just before, as in a network."""
        if work not in self.works:
            raise RefusedError("usage", f"no work {work!r} is loaded")
        network, images, gpu = self.works[work]
        torch, found = self.load_torch(), []
        with torch.no_grad():
            images.add_(0.0)
            for _ in range(passes):
                found.append(
                    self._gpu(torch, network, images) if gpu else self._cpu(network, images)
                )
        return found

    @staticmethod
    def _gpu(torch: Any, network: Any, images: Any) -> float:
        start = torch.cuda.Event(enable_timing=True)
        end = torch.cuda.Event(enable_timing=True)
        torch.cuda.synchronize()
        start.record()
        network(images)
        end.record()
        end.synchronize()
        return float(start.elapsed_time(end))

    @staticmethod
    def _cpu(network: Any, images: Any) -> float:
        start = time.perf_counter()
        network(images)
        return (time.perf_counter() - start) * 1000.0

    def release(self, work: str) -> None:
        _, _, gpu = self.works.pop(work, (None, None, False))
        if gpu:
            self.load_torch().cuda.empty_cache()


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


# ------------------------------------------------------------------ sensors


class Sensors:
    """Raw readings of power with the seconds of each: tegrastats, or the INA3221's files."""

    def __init__(self, system: System, interval_ms: int) -> None:
        self.system, self.interval = system, interval_ms / 1000.0
        self.lines = []  # type: List[List[Any]]
        self.zero = time.monotonic()
        self.ended = threading.Event()
        self.process = None  # type: Any
        stats = system.find("tegrastats")
        if stats is not None:
            words = [stats, "--interval", str(interval_ms)]
            self.process = system.start(words, subprocess.DEVNULL)  # nobody reads its complaints
        elif not system.texts(RAILS):
            raise RefusedError(
                "missing", "neither tegrastats nor an INA3221 is here: no power is read"
            )
        self.thread = threading.Thread(target=self._read if self.process else self._poll)
        self.thread.daemon = True
        self.thread.start()

    def now(self) -> float:
        return time.monotonic() - self.zero

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append([self.now(), line.rstrip("\n")])

    def _poll(self) -> None:
        names = self.system.texts(RAILS)
        while not self.ended.wait(self.interval):
            self.lines.append([self.now(), dict(names, **self.system.texts(POWER))])

    def stop(self) -> None:
        self.ended.set()
        if self.process is not None:
            signal_group(self.process, signal.SIGTERM)
        self.thread.join(5)
        if self.process is not None:
            self.process.kill()
            self.process.wait()


# ------------------------------------------------------------------ requests


class Board:
    """Answers requests."""

    def __init__(self, system: System, signals: Signals) -> None:
        self.system, self.undo, self.torch = system, Undo(system, signals), Torch()
        self.signals = signals
        self.folder = None  # type: Optional[str]
        self.found = []  # type: List[str]
        try:
            self.found = self.undo.leftover()
        except (RefusedError, OSError):
            pass  # said again when something is set

    def answer(self, asked: Dict[str, Any]) -> Dict[str, Any]:
        """An answer to any request; errors are answers, too."""
        done = {"n": asked.get("n")}  # type: Dict[str, Any]
        try:
            do = getattr(self, "do_" + str(asked.get("do")), None)
            if do is None:
                raise RefusedError("usage", "unknown request {!r}".format(asked.get("do")))
            done.update(do(asked), ok=True)
        except RefusedError as error:
            done.update(ok=False, kind=error.kind, error=str(error))
        except PermissionError as error:
            done.update(ok=False, kind="denied", error=one_line(error))
        except Exception as error:
            text = f"{type(error).__name__}: {one_line(error)}"
            done.update(ok=False, kind="failed", error=text)
        return done

    def do_hello(self, asked: Dict[str, Any]) -> Dict[str, Any]:
        system = self.system
        query = system.find("nvpmodel")
        names = ("nvpmodel", "jetson_clocks", "tegrastats", "trtexec")
        return {
            "protocol": PROTOCOL,
            "root": system.root,
            "files": system.texts(FACTS + CLOCKS + HEAT + RAILS),
            "nvpmodel": system.run([query, "-q"])["out"] if query else "",
            "programs": [name for name in names if system.find(name)],
            "versions": versions(),
            "leftover": self.found,
            "user": os.geteuid(),
        }

    def do_mode(self, asked: Dict[str, Any]) -> Dict[str, Any]:
        tool, wanted = program(self.system, "nvpmodel"), int(asked["number"])
        self.undo.ready()
        before = self._mode(tool)
        if before == wanted:
            return {"changed": False}
        self.undo.push(["mode", before])
        try:
            self.system.must([tool, "-m", str(wanted)], "power mode")
            if self._mode(tool) != wanted:
                raise RefusedError("failed", f"nvpmodel -m {wanted} did not change the power mode")
        except RefusedError:
            if self._mode(tool) == before:
                self.undo.drop()
            raise
        return {"changed": True}

    def _mode(self, tool: str) -> int:
        said = self.system.run([tool, "-q"])["out"].split()
        if not said or not said[-1].isdigit():
            raise RefusedError("failed", "nvpmodel -q does not say the present power mode")
        return int(said[-1])

    def do_lock(self, asked: Dict[str, Any]) -> Dict[str, Any]:
        tool = self.system.find("jetson_clocks")
        self.undo.ready()
        if tool is None:
            return self._lock_files()
        store = self.undo.store()
        self.system.must([tool, "--store", store], "clocks cannot be stored")
        if not os.path.exists(store):
            raise RefusedError("failed", "clocks cannot be stored: jetson_clocks wrote no file")
        self.undo.push(["jetson_clocks", store])
        self.system.must([tool], "clocks cannot be locked")
        return {"how": "jetson_clocks"}

    def _lock_files(self) -> Dict[str, Any]:
        """Without jetson_clocks: the lowest clock is set to the highest that the mode allows."""
        wanted = {}
        for path, text in self.system.texts((CPU + "/cpu[0-9]*/cpufreq/scaling_max_freq",)).items():
            wanted[path.replace("scaling_max_freq", "scaling_min_freq")] = text
        for path, text in self.system.texts(("/sys/class/devfreq/*/max_freq",)).items():
            if any(name in path for name in GPUS):
                wanted[path.replace("max_freq", "min_freq")] = text
        before = self.system.texts(tuple(wanted))
        if not before:
            raise RefusedError(
                "missing", "neither jetson_clocks nor cpufreq is here: no clock is locked"
            )
        self.undo.push(["files", before])
        for path in before:
            try:
                self.system.write(path, wanted[path])
            except OSError as error:
                raise RefusedError(
                    "denied", f"clocks cannot be locked: {one_line(error)}"
                ) from None
        return {"how": "sysfs"}

    def do_restore(self, asked: Dict[str, Any]) -> Dict[str, Any]:
        return self.undo.all()

    def do_conditions(self, asked: Dict[str, Any]) -> Dict[str, Any]:
        return {"files": self.system.texts(CLOCKS + HEAT)}

    def do_load(self, asked: Dict[str, Any]) -> Dict[str, Any]:
        return self.torch.load(asked)

    def do_time(self, asked: Dict[str, Any]) -> Dict[str, Any]:
        return {"ms": self.torch.time(asked["work"], int(asked["passes"]))}

    def do_release(self, asked: Dict[str, Any]) -> Dict[str, Any]:
        self.torch.release(asked["work"])
        return {}

    def do_power(self, asked: Dict[str, Any]) -> Dict[str, Any]:
        """Power while nothing runs, then while passes do; times are seconds from the start.

        What ran just before, this script included, is given time to calm down first.
        """
        sensors = Sensors(self.system, int(asked["interval_ms"]))
        try:
            time.sleep(float(asked["settle_s"]))
            idle = sensors.now()
            time.sleep(float(asked["idle_s"]))
            start = sensors.now()
            passes = self.torch.time(asked["work"], int(asked["passes"]))
            end = sensors.now()
            time.sleep(2.0 * sensors.interval)
        finally:
            sensors.stop()
        return {"idle": [idle, start], "run": [start, end], "ms": passes, "lines": sensors.lines}

    def do_file(self, asked: Dict[str, Any]) -> Dict[str, Any]:
        """Take a part of a file that trtexec is to read; it is gone when this ends."""
        if self.folder is None:
            self.folder = tempfile.mkdtemp(prefix="ofa-board-")
        path = os.path.join(self.folder, os.path.basename(asked["name"]))
        with open(path, "wb" if asked["first"] else "ab") as file:
            file.write(base64.b64decode(asked["base64"]))
        return {}

    def do_trtexec(self, asked: Dict[str, Any]) -> Dict[str, Any]:
        """Run trtexec; {files} in an argument is the folder of files that were sent."""
        tool, folder = program(self.system, "trtexec"), self.folder or tempfile.mkdtemp()
        self.folder = folder
        words = [tool, *(word.replace("{files}", folder) for word in asked["arguments"])]
        done, times = self.system.run_heard(words, float(asked["timeout_s"])), None
        exported = os.path.join(folder, "times.json")
        if os.path.exists(exported):
            with open(exported) as file:
                times = file.read()
            os.remove(exported)
        return dict(done, times=times)

    def close(self) -> Dict[str, Any]:
        """Put everything back."""
        done = self.undo.all()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
        return done


def versions() -> Dict[str, Optional[str]]:
    """Of Python, torch, CUDA, cuDNN and TensorRT; None for what is not here."""
    found = {"python": sys.version.split()[0]}  # type: Dict[str, Optional[str]]
    found.update(torch=None, cuda=None, cudnn=None, gpu=None, tensorrt=None)
    try:
        import torch

        found.update(torch=str(torch.__version__), cuda=torch.version.cuda)
        if torch.cuda.is_available():
            cudnn = torch.backends.cudnn  # type: Any
            found.update(cudnn=str(cudnn.version()))
            found.update(gpu=str(torch.cuda.get_device_name(0)))
    except Exception as error:  # a broken build raises anything; the reason is said on loading
        sys.stderr.write(f"torch: {one_line(error)}\n")
    try:
        import tensorrt  # type: ignore[import-not-found,unused-ignore]

        found.update(tensorrt=str(tensorrt.__version__))
    except Exception:
        pass
    return found


# ------------------------------------------------------------------ serving


def heard(quiet_s: int) -> str:
    """A line of stdin; where none comes for so long, SIGALRM ends us: the host may be gone."""
    signal.alarm(quiet_s)
    try:
        return sys.stdin.readline()
    finally:
        signal.alarm(0)


def serve(board: Board, out: Any, quiet_s: int) -> None:
    """Answer lines of stdin until it ends."""
    board.system.host = [0, out.fileno()]
    for line in iter(lambda: heard(quiet_s), ""):
        try:
            asked = json.loads(line)
        except ValueError:
            asked = None
        if not isinstance(asked, dict):
            asked = {"do": line.strip()[:80]}
        if asked.get("do") == "end":
            with board.signals:
                out.write(json.dumps(dict(board.close(), n=asked.get("n"), ok=True)) + "\n")
                out.flush()
            return
        out.write(json.dumps(board.answer(asked)) + "\n")
        out.flush()


def answered(path: str) -> List[int]:
    """Numbers of the requests that a file of answers has, complete lines only."""
    found = []
    if os.path.exists(path):
        with open(path, "rb") as file:
            whole = file.read()
        whole = whole[: whole.rfind(b"\n") + 1]
        with open(path, "wb") as file:  # a line cut short by a power loss is dropped
            file.write(whole)
        for line in whole.decode("utf-8").splitlines()[1:]:
            entry = json.loads(line)
            if entry["answer"].get("ok"):
                found.append(entry["request"]["n"])
    return found


def serve_files(board: Board, requests: str, answers: str) -> None:
    """Answer a file of requests; where answers are there already, go on after them."""
    with open(requests) as file:
        asked = [json.loads(line) for line in file if line.strip()]
    before = set(answered(answers))
    waiting = {a["work"] for a in asked if a["do"] in MEASURES and a["n"] not in before}
    new = not os.path.exists(answers) or not os.path.getsize(answers)
    with open(answers, "a") as out:
        if new:
            origin = "measured" if board.system.root == "/" else "constructed"
            head = {"recording": PROTOCOL, "origin": origin, "made": time.time()}
            out.write(json.dumps(head) + "\n")
        for number, one in enumerate(asked):
            if one["n"] in before and not again(one, waiting):
                continue
            done = board.answer(one)
            if not done["ok"]:
                sys.stderr.write("{do}: {error}\n".format(do=one["do"], error=done["error"]))
                if one["do"] in ("hello", "mode", "lock"):  # nothing is to be measured so
                    raise SystemExit(5)
            if one["n"] not in before:
                out.write(json.dumps({"request": one, "answer": done}) + "\n")
                out.flush()
            if number % 50 == 0 or number + 1 == len(asked):
                sys.stderr.write(f"{number + 1} of {len(asked)} requests\n")


def again(request: Dict[str, Any], waiting: Set[str]) -> bool:
    """Whether a request that was answered before an interruption has to be done once more."""
    return request["do"] in ("mode", "lock") or (
        request["do"] in ("load", "release") and request["work"] in waiting
    )


def main() -> int:
    """Answer; put everything back whatever happens."""
    given = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    given.add_argument("--root", default="/", help="another file system's root, for tests")
    given.add_argument("--requests", metavar="FILE", help="take requests from a file")
    given.add_argument("--answers", metavar="FILE", help="and write them with answers to another")
    given.add_argument("--quiet", type=int, default=QUIET, metavar="S", help="end after S seconds")
    options = given.parse_args()
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not mix with answers
    signals, code = Signals(), 0
    board = None  # type: Optional[Board]
    try:
        try:
            signals.start()
            board = Board(System(options.root), signals)
            if options.requests:
                serve_files(board, options.requests, options.answers or "answers.jsonl")
            else:
                serve(board, out, options.quiet)
        finally:
            signals.depth += 1  # for good: putting things back must not be interrupted
    except StoppedError:
        code = 128 + signals.came
        if signals.came == signal.SIGALRM:
            sys.stderr.write(f"nothing was asked for {options.quiet} s, so the session ended\n")
    except (BrokenPipeError, ConnectionError):
        code = 1
    finally:
        done = {"failed": []} if board is None else board.close()  # type: Dict[str, Any]
        for line in done["failed"]:
            sys.stderr.write(f"not put back: {line}\n")
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
