"""Checks of the whole tree; ``nox`` alone runs what CI runs.

Every suite runs against installed packages, from outside the root, so that the flat core folder
cannot shadow the wheel. Environments are made with uv where it is there (seconds), else with
virtualenv and pip; the one with torch is made with pip, whose configuration may name a CPU build.
"""

from __future__ import annotations

import os
import platform
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

import nox

ROOT = Path(__file__).parent.resolve()
nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = [
    "lint",
    "core",
    "plugin",
    "third_party",
    "newcomer",
    "release",
    "docs",
    "together",
]

TESTING = ["pytest==9.2.0", "pytest-xdist==3.8.0", "hypothesis==6.170.15"]
TYPING = ["mypy==2.4.1", "types-PyYAML"]
BUILDING = ["hatchling==1.33.0", "attrs==26.1.0", "twine==7.0.0", "uv==0.13.9"]
PLUGINS = {
    "ofa_search": ["pymoo==0.6.2"],
    "ofa_mit": [],
    "compofa": [],
    "moofa": [],
    "devices_jetson": ["vermin==1.9.2"],
    "dynamic_ofa": [],
    "block_profile": [],
}
"""Plugin -> what its own tests need beyond its declared dependencies."""

ALONE = [
    "tests/report",
    "plugins/devices_jetson/tests",
    *(f"plugins/dynamic_ofa/tests/{part}" for part in ("monitoring", "policies", "simulating")),
    *(f"plugins/block_profile/tests/{part}" for part in ("profiling", "reducing")),
]
"""Suites that torch and other plugins change nothing for: their own sessions are enough."""

OPTIONAL = re.compile("torch|onnx|sklearn|scipy|PIL|matplotlib|tensorboard|Suite")
"""What a suite speaks of that everything installed may change something for."""


def _alone() -> list[str]:
    """Suites that their own sessions are enough for: ALONE, and what speaks of nothing optional.

    Nor may a conftest.py between a suite and its root. tests/together and what is run with an
    outside plugin always take part.
    """
    found = list(ALONE)
    for root in (ROOT / "tests", *(ROOT / "plugins" / name / "tests" for name in PLUGINS)):
        for file in sorted(root.rglob("test_*.py")):
            above = (p / "conftest.py" for p in file.parents if p.is_relative_to(root))
            texts = [p.read_text(encoding="utf-8") for p in (file, *above) if p.is_file()]
            whole = file.is_relative_to(ROOT / "tests" / "together") or "third_party" in file.parts
            if not whole and not any(map(OPTIONAL.search, texts)):
                found.append(str(file.relative_to(ROOT)))
    return found


ALL = [".", *(f"./plugins/{name}" for name in PLUGINS)]

EXECUTORCH = ["executorch==1.5.1", "torchao==0.18.0", "tosa-tools==2026.5.0"]

HOROVOD = "0.28.1"
HOROVOD_BUILD = ["setuptools==84.2.1", "cloudpickle==3.1.2", "packaging==26.3", "psutil==7.2.2"]

OUTSIDE = "./tests/third_party/ofa_outside"


def _tests(session: nox.Session, *paths: str, workers: str = "2", **env: str) -> None:
    """Run pytest on installed packages, from a folder that holds none of them."""
    where = [str(ROOT / p) for p in paths]
    with session.chdir(session.create_tmp()):
        session.run(
            "pytest",
            f"--rootdir={ROOT}",
            f"--config-file={ROOT / 'pyproject.toml'}",
            "-q",
            *(["-n", workers, "--dist", "worksteal"] if workers != "1" else []),
            *where,
            *session.posargs,
            env={"OMP_NUM_THREADS": "1", **env},
        )


@nox.session
def lint(session: nox.Session) -> None:
    """Style, formatting, layering."""
    session.install("ruff==0.17.5", "import-linter==2.16", *ALL)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    with session.chdir(session.create_tmp()):  # the installed packages, not the folder
        session.run("lint-imports", "--config", str(ROOT / "pyproject.toml"))


@nox.session(venv_backend="virtualenv")
def types(session: nox.Session) -> None:
    """Strict types alone: the core's and every plugin's, torch's own among them."""
    session.install("-r", "requirements-torch.txt", *TYPING)
    session.run("mypy")


@nox.session
def core(session: nox.Session) -> None:
    """The core's suite with the core alone."""
    session.install(".[plot]", *TESTING)
    _tests(session, "tests")


@nox.session
@nox.parametrize("name", list(PLUGINS))
def plugin(session: nox.Session, name: str) -> None:
    """One plugin's suite with the core, that plugin and its declared dependencies alone."""
    session.install(f"./plugins/{name}", *TESTING, *PLUGINS[name])
    _tests(session, f"plugins/{name}/tests")


@nox.session(venv_backend="virtualenv")
def together(session: nox.Session) -> None:
    """Everything installed, torch and an outside plugin included: strict types, every suite.

    Then two workers of Horovod, in the same environment: one with torch takes two minutes.
    """
    session.install("-r", "requirements-torch.txt", *TYPING)  # torch takes a minute: once for both
    session.run("mypy")
    session.install("--force-reinstall", "--no-deps", *ALL, OUTSIDE)
    left_out = shlex.join(f"--ignore={ROOT / part}" for part in _alone())
    suites = ["tests", *(f"plugins/{name}/tests" for name in PLUGINS)]
    _tests(session, *suites, PYTEST_ADDOPTS=left_out)
    _two_workers(session)


@nox.session
def third_party(session: nox.Session) -> None:
    """Plugins of others, really installed: a complete one, and broken ones of every kind."""
    strangers = [
        f"./{p.parent.relative_to(ROOT)}" for p in ROOT.glob("tests/third_party/**/pyproject.toml")
    ]
    session.install(*ALL, *TESTING, *strangers)
    _tests(session, "tests/third_party")


@nox.session(venv_backend="none")
def newcomer(session: nox.Session) -> None:
    """The README's first command, as written, in a clean checkout of what is committed."""
    first, _ = readme_commands()
    folder = Path(tempfile.mkdtemp(prefix="ofa-newcomer-"))
    try:
        checkout = folder / "ofa-plugins"
        session.run("git", "clone", "-q", str(ROOT), str(checkout), external=True)
        _shell(session, first, checkout)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def readme_commands() -> tuple[str, str]:
    """The two command lines at the top of the README."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    found = [line for line in lines if line.startswith("python3 -m venv ")]
    if len(found) != 2:
        raise SystemExit(f"README.md must hold two newcomer's commands, found {len(found)}")
    return found[0], found[1]


def _shell(session: nox.Session, command: str, folder: Path) -> None:
    session.log(f"$ {command}")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("VIRTUAL_ENV", "NOX"))}
    done = subprocess.run(["bash", "-ec", command], cwd=folder, env=clean, check=False)
    if done.returncode:
        session.error(f"the README's command ended with {done.returncode}")


@nox.session
def release(session: nox.Session) -> None:
    """All packages as they would be published, into dist/: built, looked into, installed, used."""
    session.install(*BUILDING)
    types = [word for need in TYPING for word in ("--types", need)]
    session.run("python", "-m", "release", *types, *session.posargs)


@nox.session(venv_backend="uv", python="3.11")
def lowest(session: nox.Session) -> None:
    """The suites without torch at the lowest versions that the packages say they need.

    Old releases warn of what newer Pythons and each other will drop, so warnings are no errors.
    """
    light = (".[plot,testing]", "./plugins/ofa_search[nsga2]", *ALL[2:], "pytest-xdist>=3.5")
    session.install("--resolution", "lowest-direct", *light)
    suites = (f"plugins/{name}/tests" for name in PLUGINS)
    apart = shlex.join(f"--ignore={ROOT / 'tests' / part}" for part in ("together", "third_party"))
    _tests(session, "tests", *suites, PYTEST_ADDOPTS=f"{apart} -W default")


@nox.session(venv_backend="virtualenv")
def benchmarks(session: nox.Session) -> None:
    """What is promised to be fast, as ratios measured side by side in one run."""
    session.install("-r", "requirements-torch.txt")
    session.install("--force-reinstall", "--no-deps", *ALL)
    with session.chdir(session.create_tmp()):
        for name in ("search", "profiling", "networks", "evaluating", "training", "switching"):
            session.run("python", str(ROOT / "benchmarks" / f"{name}.py"), *session.posargs)


@nox.session(venv_backend="virtualenv")
def horovod(session: nox.Session) -> None:
    """Two workers of Horovod alone; ``together`` has them, too."""
    session.install("-r", "requirements-torch.txt")
    session.install("--force-reinstall", "--no-deps", *ALL)
    _two_workers(session)


def _two_workers(session: nox.Session) -> None:
    """Of Horovod, on this machine, really; its wheel is built once and kept."""
    wheel = _horovod_wheel(session)
    if wheel is None:
        return
    session.install(str(wheel))
    both = ("tests/nn/engines", "tests/nn/training/test_workers.py", "tests/horovod")
    try:
        _tests(session, *both, workers="1", PYTEST_ADDOPTS="-k horovod")
    finally:  # the suites of the next run are to find what they found in this one
        session.run("python", "-m", "pip", "uninstall", "-q", "-y", "horovod")


def _horovod_wheel(session: nox.Session) -> Path | None:
    """The wheel for the session's Python and torch, from the cache or built into it.

    None, with a word on it, where it cannot be built: that takes a compiler and the system's cmake,
    as the index's newer one refuses Horovod's files.
    """
    asked = "import sys, torch; print(sys.implementation.cache_tag, torch.__version__)"
    python, torch = session.run("python", "-c", asked, silent=True, log=False).split()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    machine = f"{platform.system()}-{platform.machine()}".lower()
    kept = cache / "ofa-plugins" / "wheels" / f"horovod-{HOROVOD}-torch-{torch}-{python}-{machine}"
    if found := next(kept.glob("horovod-*.whl"), None):
        return found
    missing = [n for n in ("cmake", "g++") if shutil.which(n, path=_system_path()) is None]
    if missing:
        session.log(f"skipped: Horovod cannot be built without {' and '.join(missing)}")
        return None
    made = _built_horovod(session)
    kept.mkdir(parents=True, exist_ok=True)
    shutil.copy(made, kept / "unfinished")
    return (kept / "unfinished").rename(kept / made.name)  # whole, or not there


def _built_horovod(session: nox.Session) -> Path:
    """Build the wheel: some five minutes. It asks for C++14, and torch's headers for C++17."""
    folder = Path(session.create_tmp()).resolve() / "horovod"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    compiler = folder / "cxx"
    compiler.write_text('#!/bin/sh\nexec g++ "$@" -std=c++17\n')  # the last one counts
    compiler.chmod(0o755)
    given = {f"HOROVOD_WITH{n}": "1" for n in ("_PYTORCH", "_GLOO", "OUT_TENSORFLOW", "OUT_MXNET")}
    given |= {"HOROVOD_WITHOUT_MPI": "1", "CXX": str(compiler), "MAKEFLAGS": "-j2"}
    given["PATH"] = os.pathsep.join([session.bin, _system_path()])
    session.install(*HOROVOD_BUILD)
    options = ("--no-build-isolation", "--no-deps", "--no-cache-dir", "--wheel-dir", str(folder))
    session.run("python", "-m", "pip", "wheel", *options, f"horovod=={HOROVOD}", env=given)
    return next(folder.glob("horovod-*.whl"))


def _system_path() -> str:
    """The folders of the system's programs: before them may stand an environment's cmake."""
    return "/usr/local/bin:/usr/bin:/bin"


@nox.session(venv_backend="virtualenv")
def executorch(session: nox.Session) -> None:
    """Export to ExecuTorch, and its memory plans: an installation of its own, 1.7 GB.

    Without ONNX: the two want different releases of ml_dtypes.
    """
    session.install(".[torch]", "./plugins/ofa_search[nsga2]", *TESTING, *EXECUTORCH)
    session.install("--force-reinstall", "--no-deps", *ALL)
    _tests(session, "tests/nn", "tests/together", workers="1")


@nox.session(venv_backend="virtualenv")
def kills(session: nox.Session) -> None:
    """A training that is killed ten times at random moments ends in the same bits."""
    session.install("-r", "requirements-torch.txt")
    session.install("--force-reinstall", "--no-deps", *ALL)
    _tests(session, "tests/together/test_training.py", OFA_KILLS="10", PYTEST_ADDOPTS="-k killed")


@nox.session
def docs(session: nox.Session) -> None:
    """The site, warnings as errors, without torch; it lies in docs/_build/html."""
    session.install("-r", "docs/requirements.txt", ".[testing]", *ALL[1:])
    session.run("sphinx-build", "-q", "-W", "--keep-going", "docs", "docs/_build/html")


@nox.session(venv_backend="virtualenv")
def commands(session: nox.Session) -> None:
    """Every command line that the pages print, really run, but for those marked with a reason."""
    session.install("-r", "requirements-torch.txt")
    session.install("--force-reinstall", "--no-deps", *ALL)
    with session.chdir(session.create_tmp()):
        session.run("python", str(ROOT / "docs" / "run_commands.py"), *session.posargs)


@nox.session
def figures(session: nox.Session) -> None:
    """Make what is generated again: docs/hooks.md, commands.md and the figures of moofa.md.

    Run by hand, after a hook, a command or the search over MOOFA's networks has changed, and before
    a release; it writes into the working tree, so no list has it. What takes longer has scripts of
    its own: docs/make_memory.py (ExecuTorch takes a minute a network) and docs/make_training.py
    (three hours of a core). Neither is run here or in ``full``.
    """
    session.install(".[plot]", *ALL[1:])
    session.run("python", "docs/make_hooks.py")
    session.run("python", "docs/make_commands.py")
    runs = Path(session.create_tmp()) / "sweeps"
    shutil.rmtree(runs, ignore_errors=True)
    for name in ("moofa_v3", "ofa_mbv3_w1.0", "compofa_elastic"):
        asked = ("--supernet", name, "--cost", "peak_memory", "--cost", "flops")
        bounds = ("--constraint", "peak_memory<=300k:800k", "--out", str(runs / name))
        session.run("ofa", "run", "search", *asked, *bounds, silent=True)
    beside = [w for n in ("ofa_mbv3_w1.0", "compofa_elastic") for w in ("--beside", str(runs / n))]
    published = ("--published", "docs/data/moofa_table1.json", "--limit", "400k")
    session.run("ofa", "report", str(runs / "moofa_v3"), *beside, *published, silent=True)
    for made, kept in (("sweeps", "sweep"), ("sweeps-near", "sweep-near")):
        shutil.copy(runs / "moofa_v3" / "plots" / f"{made}.svg", f"docs/figures/{kept}.svg")


@nox.session(venv_backend="virtualenv")
def matrix(session: nox.Session) -> None:
    """Everything that mixes, mixed, in some five minutes; fails if anything is broken.

    It fails, too, where docs/composition.md has other grids or reasons; the new page lies in the
    session's folder, to be copied. In a home of its own, so that no table or fit of the user's
    takes part. With arguments (``-- --supernet compofa``) the page is made and not compared.
    """
    session.install("-r", "requirements-torch.txt")
    session.install("--force-reinstall", "--no-deps", *ALL)
    home = {"XDG_DATA_HOME": session.create_tmp(), "OMP_NUM_THREADS": "1"}
    made, kept = Path(session.create_tmp()) / "composition.md", ROOT / "docs" / "composition.md"
    words = ("--parallel", "2", "--markdown", str(made))
    session.run("ofa", "plugins", "matrix", *words, *session.posargs, env=home)
    if not session.posargs and _findings(made) != _findings(kept):
        session.error(f"docs/composition.md has other grids or reasons: cp {made} {kept}")


def _findings(page: Path) -> str:
    """Grids and reasons of a page of the matrix, without when and where it was made."""
    _, _, found = page.read_text(encoding="utf-8").partition("## Can I mix X with Y?")
    return found.partition("\n## Made\n")[0]


@nox.session(venv_backend="none")
def full(session: nox.Session) -> None:
    """Everything CI runs, and what takes longer: lowest versions, benchmarks, matrix, kills, …"""
    for name in nox.options.sessions:
        session.notify(name)
    session.notify("lowest")
    session.notify("benchmarks")
    session.notify("kills")
    session.notify("executorch")
    session.notify("commands")
    session.notify("matrix")
