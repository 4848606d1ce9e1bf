"""Latency tables with real supernets: which rows, published tables, and small real measurements."""

from __future__ import annotations

import io
import json
import pickle
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from ofa_plugins_core.jobs.lut.works import needed_parts, needed_rows
from ofa_plugins_core.tables import TableFolder, row_key

DATA = Path(__file__).parents[3] / "shared" / "data"
needs_shared = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"{DATA} is not there: published tables are not redistributed"
)
PUBLISHED = ("note10", "jetson_cpu", "jetson_gpu")
SUPERNETS = (
    "ofa_mbv3_w1.0",
    "ofa_mbv3_w1.2",
    "ofa_proxyless_w1.3",
    "ofa_resnet50",
    "compofa",
    "compofa_elastic",
    "moofa_v1",
    "moofa_v2",
    "moofa_v3",
)


class TestRows:
    """Exactly the blocks that a supernet can be made of."""

    @pytest.mark.parametrize("name", SUPERNETS)
    def test_no_key_stands_for_two_blocks_and_no_network_lacks_one(self, host, name):
        supernet = host.supernet(name).as_built()
        first, last = supernet.resolutions[0], supernet.resolutions[-1]
        ends = supernet.at([first, last])
        needed = needed_rows(ends)
        needed_parts(ends)
        space, seen = ends.space, {first: set(), last: set()}
        for arch in space.decode(space.canonical(space.sample(200, np.random.default_rng(0)))):
            for block in supernet.geometry().blocks(arch):
                key = row_key(block)
                assert needed.blocks[key].as_dict() == block.as_dict()
                seen[arch.image_size].add(key)
        for size, keys in seen.items():
            assert keys <= set(needed.sizes[size])

    def test_of_ofa_w12_are_96_a_size(self, host):
        needed = needed_rows(host.supernet("ofa_mbv3_w1.2").as_built().at(range(160, 225, 4)))
        assert {len(keys) for keys in needed.sizes.values()} == {96}
        assert len(needed.sizes) == 17

    @needs_shared
    @pytest.mark.parametrize("name", PUBLISHED)
    def test_of_ofa_w12_are_those_of_the_published_tables(self, host, name):
        folder = TableFolder.open(DATA / "lut" / name)
        needed = needed_rows(host.supernet("ofa_mbv3_w1.2").as_built().at(folder.sizes))
        for size in folder.sizes:
            assert set(needed.sizes[size]) == set(folder.table(size).rows)

    def test_another_kernel_space_needs_fewer(self, host):
        """CompOFA's kernels are fixed by the stage: fewer rows than OFA's."""
        counts = {
            name: len(needed_rows(host.supernet(name).as_built().at([224])).blocks)
            for name in ("compofa", "compofa_elastic", "ofa_mbv3_w1.0")
        }
        assert counts["compofa"] < counts["compofa_elastic"] <= counts["ofa_mbv3_w1.0"] == 96


class Inert:
    """Stands for whatever a pickle asks for; keeps the state that it is given, runs nothing."""

    state = None

    def __new__(cls, *args, **kwargs):
        return object.__new__(cls)

    def __init__(self, *args, **kwargs):
        pass

    def __call__(self, *args):
        return Inert()

    def __setstate__(self, state):
        self.state = state

    def __setitem__(self, key, value):
        pass

    def append(self, value):
        pass


class DataOnly(pickle.Unpickler):
    """Imports no name of the file."""

    def find_class(self, module, name):
        return Inert

    def persistent_load(self, pid):
        return None


def levels():
    """The six published levels: (architecture, re-measured latency in ms)."""
    content = (DATA / "dynamic_ofa" / "nets_6.pickle").read_bytes()
    found = DataOnly(io.BytesIO(content)).load()
    out = []
    for config, pair in zip(found["configs"], found["accu_lat"], strict=True):
        _, shape, _, _, raw = pair.state
        accuracy, latency = np.frombuffer(raw, "<f8").reshape(shape)
        arch = {
            "ks": config["ks"],
            "e": config["e"],
            "d": config["d"],
            "image_size": config["r"][0],
        }
        out.append((arch, float(latency), float(accuracy)))
    return out


@needs_shared
class TestPublished:
    """What is known of the published tables is found again."""

    def check(self, ofa_lines, *words):
        return ofa_lines("run", "lut", "--supernet", "ofa_mbv3_w1.2", "--json", *words)

    @pytest.fixture
    def lines(self, host, capsys, tmp_path, monkeypatch):
        from ofa_plugins_core.cli.main import run

        monkeypatch.chdir(tmp_path)

        def call(*words):
            assert run(words, lambda block: host) == 0
            return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

        return call

    @pytest.mark.parametrize(("name", "each"), [("jetson_gpu", 6), ("jetson_cpu", 1)])
    def test_foreign_rows(self, lines, name, each):
        (found,) = self.check(lines, "--lut", str(DATA / "lut" / name))
        (foreign,) = [f for f in found["flaws"] if "bit for bit" in f]
        copied = each * 17
        assert f"{copied} of 1632 rows ({each} at each of 17 image sizes)" in foreign
        assert "from the published note10 table" in foreign
        assert found["lacking"] == {}

    def test_the_note10_itself_has_none(self, lines):
        (found,) = self.check(lines, "--lut", str(DATA / "lut" / "note10"))
        assert not [f for f in found["flaws"] if "bit for bit" in f]

    def test_widths_of_another_supernet_say_which_rows_lack(self, lines):
        words = ("run", "lut", "--supernet", "moofa_v3", "--json", "--resolutions", "160")
        (found,) = lines(*words, "--lut", str(DATA / "lut" / "note10"))
        assert len(found["lacking"]["160"]) > 50
        assert any(k.startswith("Conv-input:160x160x3-") for k in found["lacking"]["160"])

    @pytest.mark.parametrize(
        ("name", "sums"),
        [
            ("jetson_gpu", [18.2, 19.9, 23.7, 24.8, 27.3, 30.2]),
            ("jetson_cpu", [1208.5, 1295.1, 1580.8, 1766.5, 2128.8, 2902.4]),
        ],
    )
    def test_known_sums(self, lines, tmp_path, name, sums):
        path = tmp_path / "archs.jsonl"
        path.write_text("".join(json.dumps(arch) + "\n" for arch, *_ in levels()))
        words = ("run", "cost", "--supernet", "ofa_mbv3_w1.2", "--archs", str(path), "--json")
        found = lines(*words, "--cost", "latency", "--lut", str(DATA / "lut" / name))
        assert [line["latency"] for line in found] == pytest.approx(sums, abs=0.051)

    def test_against_the_published_measurements(self, lines, tmp_path):
        path = tmp_path / "measured.jsonl"
        path.write_text(
            "".join(
                json.dumps({"arch": arch, "latency": latency, "top1": top1}) + "\n"
                for arch, latency, top1 in levels()
            )
        )
        table = ("--lut", str(DATA / "lut" / "jetson_gpu"), "--measured", str(path))
        (found,) = self.check(lines, *table)
        assert found["agreement"]["spearman"] == pytest.approx(1.0)
        assert found["agreement"]["pearson"] == pytest.approx(0.992, abs=5e-4)
        assert found["scale"] == pytest.approx([2.05, 2.29], abs=0.01)


needs_export = pytest.mark.skipif(
    not (find_spec("onnx") and find_spec("onnxruntime")), reason="needs the extra [export]"
)


class TestReal:
    """A real table on this machine, small: what it says is there, not how good it is."""

    DEVICES = ("cpu", pytest.param("onnxruntime", marks=needs_export))

    @pytest.mark.parametrize("device", DEVICES)
    def test_a_table_is_measured_searched_and_carries_its_interval(self, ofa, tmp_path, device):
        words = ("--resolutions", "128", "--networks", "12", "--least", "3", "--most", "10")
        run = tmp_path / "run"
        made = ofa(
            "run",
            "lut",
            "--supernet",
            "moofa_v3",
            "--device",
            device,
            *words,
            "--out",
            str(run),
            "--json",
        )
        assert made["rows"] == made["of"] == 96
        assert (made["networks"], made["sizes"]) == (12, [128])
        assert made["device"]["device"] == device and made["device"]["threads"] == "1"
        assert made["error"]["networks"] == 12
        rows = json.loads((run / "table.json").read_text())["rows"]["128"]
        assert all(row["mean"] > 0 and row["reference"] > 0 for row in rows.values())

        search = ("--cost", "latency", "--lut", str(run), "--resolutions", "128", "--json")
        quickest = ofa("run", "search", "--supernet", "moofa_v3", *search, "--minimize", "latency")
        (best,) = quickest["front"]
        latency = best["costs"]["latency"]
        assert (quickest["searcher"], latency["unit"], latency["kind"]) == (
            "exact",
            "ms",
            "predicted",
        )
        low, high = made["error"]["interval"]
        assert latency["low"] == pytest.approx(low * latency["value"])
        assert latency["high"] == pytest.approx(high * latency["value"])
        assert device in latency["source"]

        bound = 1.5 * latency["value"]
        found = ofa(
            "run", "search", "--supernet", "moofa_v3", *search, "--constraint", f"latency<={bound}"
        )
        assert found["optimal"]
        assert found["front"][0]["costs"]["latency"]["value"] <= bound

    @pytest.mark.parametrize("device", DEVICES)
    def test_a_network_is_measured_once(self, ofa, tmp_path, device):
        arch = {"ks": [3] * 20, "e": [2] * 20, "d": [2] * 5, "image_size": 128}
        archs = tmp_path / "archs.jsonl"
        archs.write_text(json.dumps(arch) + "\n")
        words = ("run", "cost", "--supernet", "moofa_v3", "--archs", str(archs), "--json")
        measure = ("--cost", "latency", "--device", device, "--measure")
        first = ofa(*words, *measure)
        assert first["latency"] > 0
        assert ofa(*words, *measure) == first  # to the last digit: from memory
        kept = (tmp_path / "cache" / "measured.jsonl").read_text().splitlines()
        assert Counter(map(len, map(json.loads, kept))) == {2: 1}

    def test_what_would_be_measured(self, ofa):
        shown = ofa(
            "run", "lut", "--supernet", "ofa_mbv3_w1.2", "--resolutions", "160", "--show", "--json"
        )
        assert shown["rows"] == {"160": 96}
        assert (shown["time"]["unit"], shown["time"]["kind"]) == ("s", "predicted")
        assert 1 < shown["time"]["value"] < 10_000
