"""A host of the core alone with a toy plugin, and the program run on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import entry_points
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from attrs import define, field, frozen

from ofa_plugins_core import (
    CostModelEntry,
    DeviceEntry,
    FittedPredictorEntry,
    Host,
    InfeasibleError,
    PredictorEntry,
    SamplerEntry,
    SearcherEntry,
    SupernetEntry,
    UsageError,
    hookimpl,
)
from ofa_plugins_core.cli.main import run
from ofa_plugins_core.events import Progress
from ofa_plugins_core.interfaces import Found, SeparableCost
from ofa_plugins_core.own_tables import OwnNetwork, OwnRow, OwnTable
from ofa_plugins_core.table_model import Correction, TableError
from ofa_plugins_core.tables import row_key
from ofa_plugins_core.testing.toys import ToyPredictor, everything, toy_supernet
from ofa_plugins_core.timing import Effort


@frozen
class ListOptions:
    """Options of the toy searchers."""

    shuffle: bool = field(default=False, metadata={"help": "look in a random order"})
    most: int = 100_000


@frozen
class Lister:
    """Looks at every network: what exact search has to equal."""

    options: ListOptions = ListOptions()
    proves: bool = True

    def refuses(self, problem: Any) -> str | None:
        rough = [n for n, c in problem.costs.items() if not isinstance(c, SeparableCost)]
        return f"not separable: {', '.join(rough)}" if self.proves and rough else None

    def search(self, problem: Any, generator: Any, listener: Any = lambda event: None) -> Found:
        genes = everything(problem.supernet.space)
        listener(Progress("look", len(genes), len(genes)))
        values = {name: model.evaluate(genes) for name, model in problem.costs.items()}
        if problem.predictor is not None:
            values["accuracy"] = problem.predictor.predict(genes).value
        met = np.ones(len(genes), dtype=bool)
        for bound in problem.constraints:
            here = bound.met(values[bound.name])
            if not here.any():
                least = (
                    values[bound.name].min() if bound.relation == "<=" else values[bound.name].max()
                )
                raise InfeasibleError(
                    f"nothing meets {bound}", smallest={bound.name: float(least)}, binds="the stem"
                )
            met &= here
        rows = np.flatnonzero(met)
        score = values[problem.objective][rows] * (-1 if problem.objective == "accuracy" else 1)
        if problem.front:
            rows = _front(rows, score, [values[n][rows] for n in problem.costs])
        else:
            rows = rows[[np.argmin(score)]]
        return Found(genes[rows], self.proves, 0 if self.proves else len(genes))


def _front(rows: Any, score: Any, costs: list[Any]) -> Any:
    table = np.stack([score, *costs], axis=1)
    beaten = [((table <= one).all(1) & (table < one).any(1)).any() for one in table]
    _, first = np.unique(table, axis=0, return_index=True)
    return rows[[i for i in sorted(first) if not beaten[i]]]


class Rough:
    """A cost that is not separable."""

    name, unit, kind, source = "rough", "s", "measured", "a toy"

    def __init__(self, supernet: Any) -> None:
        self.supernet = supernet

    def evaluate(self, archs: Any) -> Any:
        return np.asarray(archs).sum(axis=1).astype(float)


class Uniform:
    """Draws from the space."""

    def __init__(self, space: Any) -> None:
        self.space = space

    def sample(self, n: int, generator: Any) -> Any:
        return self.space.canonical(self.space.sample(n, generator))


class Half(ToyPredictor):
    """Fitted on the first image size alone."""

    @property
    def resolutions(self) -> tuple[int, ...]:
        return (32,)

    def support(self, size: int, constraints: Any) -> int:
        return 7


def _load(supernet: Any, file: Path | None, entry: Any) -> ToyPredictor:
    if file is None and entry is None:
        raise UsageError(f"nothing fitted for {supernet.name}", advice="ofa run fit makes one")
    return Half(supernet.space, "additive", "made up")


def toy_plugin() -> ModuleType:
    """A plugin with a supernet, a predictor, two searchers and a sampler."""
    module = ModuleType("toy_plugin")

    def offers(hook: str, *records: Any) -> None:
        def give() -> tuple[Any, ...]:
            return records

        give.__name__ = hook
        setattr(module, hook, hookimpl(give))

    module.OFA_API = 1  # type: ignore[attr-defined]
    offers(
        "ofa_supernets",
        SupernetEntry("toy", "small", toy_supernet, ("toy_alias",)),
        SupernetEntry("bare", "small, nothing fitted", lambda: toy_supernet("bare")),
        SupernetEntry("torn", "small, several data sets", lambda: toy_supernet("torn")),
    )
    offers("ofa_predictors", PredictorEntry("additive", "made up", _load))
    file = Path("nowhere")
    offers(
        "ofa_fitted_predictors",
        *(
            FittedPredictorEntry("additive", "toy", d, file, "made up")
            for d in ("imagenet", "mine")
        ),
        *(FittedPredictorEntry("additive", "torn", d, file, "made up") for d in ("a", "b")),
    )
    offers(
        "ofa_searchers",
        SearcherEntry("exact", "looks at all", Lister, ListOptions, exact=True),
        SearcherEntry("evolution", "looks at all", lambda o: Lister(o, False), ListOptions),
    )
    offers("ofa_samplers", SamplerEntry("even", "uniform", lambda s, o: Uniform(s.space)))
    offers("ofa_cost_models", CostModelEntry("rough", "a toy", "s", lambda s, o: Rough(s)))
    return module


def core_host(**extra: ModuleType) -> Host:
    """The core and these plugins, whatever else is installed."""
    installed = {point.name for point in entry_points(group="ofa.plugins")}
    return Host.discover(installed, extra)


@pytest.fixture(scope="session")
def toy_host() -> Host:
    """The core and the toy plugin."""
    return core_host(toy=toy_plugin())


@pytest.fixture
def host_with(request: pytest.FixtureRequest) -> Callable[[str], Host]:
    """source -> the core, the toy plugin and a plugin of that source, named ``other``."""

    def make(source: str) -> Host:
        module = ModuleType("other_plugin")
        code = compile(f"OFA_API = 1\n{source}", "other_plugin.py", "exec", dont_inherit=True)
        exec(code, module.__dict__)
        return core_host(toy=toy_plugin(), other=module)

    return make


@pytest.fixture
def host_on() -> Callable[[Any], Host]:
    """device -> the core, the toy plugin, others, and that device under the name ``bench``."""

    def make(device: Any, **others: ModuleType) -> Host:
        module = ModuleType("bench_plugin")

        def ofa_devices() -> tuple[DeviceEntry]:
            return (DeviceEntry("bench", "a toy", lambda options: device),)

        module.OFA_API = 1  # type: ignore[attr-defined]
        module.ofa_devices = hookimpl(ofa_devices)  # type: ignore[attr-defined]
        return core_host(toy=toy_plugin(), bench=module, **others)

    return make


@frozen
class Outcome:
    """What a command line came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as one JSON value."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def ofa(
    toy_host: Host,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Outcome]:
    """Runs ``ofa WORDS`` on the toy host, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OFA_FITTED", str(tmp_path / "fitted"))
    monkeypatch.setenv("OFA_TABLES", str(tmp_path / "tables"))
    monkeypatch.setenv("OFA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("OFA_BLOCK", raising=False)

    def call(*words: str, host: Host = toy_host) -> Outcome:
        code = run(words, lambda block: host)
        shown = capsys.readouterr()
        return Outcome(code, shown.out, shown.err)

    return call


@pytest.fixture
def archs(tmp_path: Path) -> Path:
    """A file of three architectures of the toy, in both forms."""
    one = {"ks": [3, 3, 3, 3], "e": [2, 2, 2, 2], "d": [1, 1], "image_size": 32}
    two = {"ks": [5, 5, 5, 5], "e": [3, 3, 3, 3], "d": [2, 2], "image_size": 64}
    lines = [one, {"arch": two, "top1": 70.0}, {**one, "image_size": 48}]
    path = tmp_path / "archs.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def own_table() -> Callable[..., OwnTable]:
    """A latency table of the toy as ``ofa run lut`` makes one; fields may be given."""

    def row(mean: float) -> OwnRow:
        return OwnRow(
            mean=mean,
            std=mean / 50,
            count=12,
            half_width=mean / 90,
            disturbed=1,
            conditions={"cpu_celsius": 41.5},
            reference=2.5,
        )

    def make(sizes: tuple[int, ...] = (32, 64), **fields: Any) -> OwnTable:
        geometry = toy_supernet(resolutions=sizes).geometry()
        rows = {
            str(size): {
                row_key(b): row(0.02 + 1e-6 * sum(op.macs for op in b.ops))
                for b in geometry.catalogue(size).blocks
            }
            for size in sizes
        }
        arch = {"ks": [3] * 4, "e": [2] * 4, "d": [1, 1], "image_size": sizes[0]}
        return OwnTable(
            **{
                "supernet": "toy",
                "device": {"device": "bench", "model": "Toy 1", "threads": "2"},
                "batch": 1,
                "effort": Effort(),
                "made": "2026-01-02T03:04:05+00:00",
                "reference": 2.5,
                "swing": (0.9, 1.2),
                "correction": Correction(scale=0.9, per_block=-0.004, offset=0.03),
                "error": TableError(
                    networks=12, mape=2.5, spearman=0.99, pearson=0.995, low=0.9, high=1.2
                ),
                "rows": rows,
                "networks": [
                    OwnNetwork(arch=arch, sum=0.5, blocks=4, measured=row(0.45), seen=0.46)
                ],
                **fields,
            }
        )

    return make


@define
class Content:
    """What the server of these tests has under a path, and how it behaves."""

    body: bytes
    etag: str | None = '"first"'
    ranges: bool = True
    drop_at: int | None = None
    status: int = 200
    kind: str = "application/octet-stream"
    moved_to: str | None = None
    length: bool = True


class _Handler(BaseHTTPRequestHandler):
    """Serves the contents of its server; ``drop_at`` ends a connection once, in the middle."""

    server: Any

    def do_GET(self) -> None:
        found = self.server.contents.get(self.path)
        self.server.asked.append((self.path, dict(self.headers)))
        if found is None or found.status != 200:
            self.send_error(404 if found is None else found.status)
        elif found.moved_to:
            self.send_response(302)
            self.send_header("Location", found.moved_to)
            self.end_headers()
        else:
            self._send(found)

    def _send(self, found: Content) -> None:
        start, total = self._start(found), len(found.body)
        if start >= total > 0:
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        if found.etag:
            self.send_header("ETag", found.etag)
        if found.length:
            self.send_header("Content-Length", str(total - start))
        self.send_header("Content-Type", found.kind)
        self.end_headers()
        end, found.drop_at = found.drop_at, None
        self.wfile.write(found.body[start:end])

    def _start(self, found: Content) -> int:
        asked = self.headers.get("Range")
        changed = self.headers.get("If-Range") not in (None, found.etag)
        if not asked or changed or not found.ranges:
            return 0
        return int(asked.removeprefix("bytes=").removesuffix("-"))

    def log_message(self, *words: Any) -> None:
        """Be quiet."""


class Publisher(ThreadingHTTPServer):
    """A server on this machine; ``contents`` is what it has, ``asked`` what it was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.contents: dict[str, Content] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def publish(self, path: str, body: bytes, **how: Any) -> str:
        """Put a content under a path; its address."""
        self.contents[path] = Content(body, **how)
        return self.address(path)

    def address(self, path: str) -> str:
        """Of a path, also where nothing is."""
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def ranges(self) -> list[str | None]:
        """What each request asked for."""
        return [headers.get("Range") for _, headers in self.asked]


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Publisher]:
    """A server of published files, and an empty cache."""
    monkeypatch.setenv("OFA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Publisher()
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()
