"""Published specialised networks, read from their configurations and names."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from ofa_mit.claims import specialised as claims
from ofa_mit.specialised import label_of, run_specialised
from ofa_mit.specialised_options import SpecialisedOptions
from ofa_plugins_core import Host, InputError, JobContext, UsageError
from ofa_plugins_core.cli.main import run

PUBLISHED = Path(__file__).parents[4] / "shared" / "data" / "specialised"
needs_published = pytest.mark.skipif(
    not PUBLISHED.is_dir(),
    reason=f"{PUBLISHED} is not there: published networks are not redistributed",
)

NAME = "note10_lat-8ms_top1-71.4_finetune-25"
ARCH = {
    "ks": [3, 5, 3, 3, 7, 3, 5, 3] + [3, 3, 3, 3] * 3,
    "e": [3, 4, 3, 3, 6, 3, 4, 3] + [4, 6, 3, 3] * 3,
    "d": [2, 3, 2, 2, 2],
    "image_size": 224,
}


@pytest.fixture(scope="module")
def host():
    return Host.discover()


def configuration(supernet, arch):
    """A network in the published form, made from our description of it."""
    blocks = supernet.geometry().blocks(arch)
    convs = {block.kind: block.ops[0].channels_out for block in blocks if block.ops}
    found = {
        "name": "MobileNetV3",
        "first_conv": {"name": "ConvLayer", "out_channels": convs["stem"]},
        "blocks": [as_published(b) for b in blocks if b.kind == "mbconv"],
        "feature_mix_layer": {"name": "ConvLayer", "out_channels": convs["feature_mix"]},
        "classifier": {"name": "LinearLayer", "out_features": 1000},
    }
    if "final_expand" in convs:
        found["final_expand_layer"] = {"out_channels": convs["final_expand"]}
    return found


def as_published(block):
    ops = {op.name: op for op in block.ops}
    across, expands = ops["depthwise"], "expand" in ops
    conv = {
        "name": "MBInvertedConvLayer",
        "in_channels": ops["expand" if expands else "depthwise"].channels_in,
        "out_channels": ops["project"].channels_out,
        "kernel_size": across.kernel,
        "stride": across.stride,
        "expand_ratio": dict(block.choice)["e"],
        "mid_channels": across.channels_out if expands else None,
        "act_func": across.activation,
        "use_se": block.squeeze_excite,
    }
    shortcut = {"name": "IdentityLayer"} if block.shortcut else None
    return {"mobile_inverted_conv": conv, "shortcut": shortcut}


@pytest.fixture
def folder(host, tmp_path):
    """One network of w1.0 in the form of the data, one of w1.2 in the published form."""
    one = configuration(host.supernet("ofa_mbv3_w1.0"), ARCH)
    (tmp_path / f"{NAME}.json").write_text(json.dumps(one))
    other = tmp_path / "flops-389M_top1-79.1_finetune-75"
    other.mkdir()
    (other / "net.config").write_text(
        json.dumps(configuration(host.supernet("ofa_mbv3_w1.2"), ARCH))
    )
    (other / "init").write_bytes(b"weights")
    return tmp_path


def read(host, folder, events=None, **options):
    context = JobContext(host, [].append if events is None else events.append)
    return run_specialised(context, SpecialisedOptions(folder=folder, **options)).as_json()


class TestNetworks:
    def test_each_is_found_in_its_supernet(self, host, folder):
        rows = {row["name"]: row for row in read(host, folder)}
        assert rows[NAME]["supernet"] == "ofa_mbv3_w1.0"
        assert rows["flops-389M_top1-79.1_finetune-75"]["supernet"] == "ofa_mbv3_w1.2"
        assert rows[NAME]["arch"] == {**ARCH, **canonical(host, ARCH)}

    def test_what_the_name_says_is_published(self, host, folder):
        row = next(row for row in read(host, folder) if row["name"] == NAME)
        assert row["device"] == "note10"
        source = "the OFA authors' specialised networks, on note10"
        assert row["latency"] == {"value": 8, "unit": "ms", "kind": "published", "source": source}
        assert (row["top1"]["value"], row["top1"]["kind"]) == (71.4, "published")
        assert (row["flops"], row["finetune_epochs"]) == (None, 25)

    def test_the_image_size_is_assumed_and_said_or_given(self, host, folder):
        events = []
        row = next(r for r in read(host, folder, events) if r["name"] == NAME)
        assert (row["arch"]["image_size"], row["image_size_from"]) == (224, "assumed")
        assert any("224 is assumed" in event.message for event in events)
        row = next(r for r in read(host, folder, image_size=160) if r["name"] == NAME)
        assert (row["arch"]["image_size"], row["image_size_from"]) == (160, "option")

    def test_a_run_config_beside_it_says_the_image_size(self, host, folder):
        name = "flops-389M_top1-79.1_finetune-75"
        (folder / name / "run.config").write_text('{"image_size": 236}')
        row = next(r for r in read(host, folder) if r["name"] == name)
        assert (row["arch"]["image_size"], row["image_size_from"]) == (236, "configuration")

    def test_macs_in_the_name_decide_it(self, host, tmp_path):
        supernet = host.supernet("ofa_mbv3_w1.2")
        arch = {**ARCH, "image_size": 236}
        macs = host.cost_model("flops").build(supernet.at([236])).evaluate([arch])[0]
        file = tmp_path / f"flops-{round(macs / 1e6)}M_top1-79.0_finetune-75.json"
        file.write_text(json.dumps(configuration(supernet, ARCH)))
        (row,) = read(host, tmp_path)
        assert (row["arch"]["image_size"], row["image_size_from"]) == (236, "name")
        assert row["flops"]["value"] == round(macs / 1e6) * 10**6
        assert (row["device"], row["latency"]) == (None, None)

    def test_only_the_asked_supernets(self, host, folder):
        events = []
        rows = read(host, folder, events, supernet="ofa_mbv3_w1.2")
        assert [row["supernet"] for row in rows] == ["ofa_mbv3_w1.2"]
        assert any("1 left out: 1: ofa_mbv3_w1.2: other widths" in e.message for e in events)

    def test_one_file_or_one_folder_is_enough(self, host, folder):
        assert len(read(host, folder / f"{NAME}.json")) == 1
        (row,) = read(host, folder / "flops-389M_top1-79.1_finetune-75")
        assert row["name"] == "flops-389M_top1-79.1_finetune-75"

    def test_the_output_is_what_archs_reads(self, host, folder, tmp_path, capsys):
        def ofa(*words):
            assert run(words, lambda block: host) == 0
            return capsys.readouterr().out

        words = ("--folder", str(folder), "--supernet", "ofa_mbv3_w1.0", "--json")
        (tmp_path / "archs.jsonl").write_text(ofa("run", "specialised", *words))
        words = ("--supernet", "ofa_mbv3_w1.0", "--archs", str(tmp_path / "archs.jsonl"))
        (cost,) = ofa("run", "cost", *words, "--cost", "flops", "--json").splitlines()
        assert json.loads(cost)["flops"] > 1e8

    def test_the_cache_is_such_a_folder(self, host, folder):
        (folder / "index.json").write_text('{"files": {}}')
        assert len(read(host, folder)) == 2

    def test_people_get_a_table(self, host, folder, capsys, monkeypatch):
        monkeypatch.setenv("COLUMNS", "300")  # a narrow terminal breaks names
        assert run(("run", "specialised", "--folder", str(folder)), lambda block: host) == 0
        shown = capsys.readouterr().err
        assert NAME in shown
        assert "224?" in shown


def canonical(host, arch):
    space = host.supernet("ofa_mbv3_w1.0").at([224]).space
    return space.decode(space.encode([arch]))[0].as_dict()


@pytest.mark.parametrize(
    ("name", "device", "batch", "ms", "top1"),
    [
        ("LG-G8_lat-24ms_top1-76.4_finetune-25", "LG-G8", None, 24, 76.4),
        ("1080ti_gpu64-27ms_top1-76.4_finetune-25", "1080ti", 64, 27, 76.4),
        ("my_board_lat-2.5ms_top1-70", "my_board", None, 2.5, 70),
    ],
)
def test_names(name, device, batch, ms, top1):
    label = label_of(name)
    assert (label.device, label.batch) == (device, batch)
    assert (label.latency.value, label.top1.value) == (ms, top1)


def test_a_name_that_says_nothing_gives_nothing(host, folder):
    (folder / f"{NAME}.json").rename(folder / "mine.json")
    row = next(row for row in read(host, folder) if row["name"] == "mine")
    assert (row["device"], row["latency"], row["top1"]) == (None, None, None)


class TestNotOurs:
    def changed(self, host, folder, **changes):
        file = folder / f"{NAME}.json"
        found = json.loads(file.read_text())
        found["blocks"][2]["mobile_inverted_conv"] |= changes
        file.write_text(json.dumps(found))
        with pytest.raises(InputError) as caught:
            read(host, file)
        assert caught.value.exit_code == 5
        return caught.value.message

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"kernel_size": 9}, "ks"),
            ({"expand_ratio": 5}, "e"),
            ({"mid_channels": 104}, "mid=104"),
            ({"act_func": "h_swish"}, "activation='h_swish'"),
            ({"use_se": True}, "se=True"),
            ({"stride": 2}, "stride=2"),
        ],
    )
    def test_a_block_that_no_supernet_has(self, host, folder, changes, said):
        message = self.changed(host, folder, **changes)
        assert "ofa_mbv3_w1.0: " in message
        assert said in message

    def test_among_others_it_is_left_out_and_told(self, host, folder):
        file = folder / f"{NAME}.json"
        found = json.loads(file.read_text())
        del found["blocks"][1]
        file.write_text(json.dumps(found))
        events = []
        assert len(read(host, folder, events)) == 1
        assert any(f"{NAME} is left out: " in e.message for e in events)

    def test_a_supernet_of_other_blocks_is_wrong_use(self, host, folder):
        with pytest.raises(UsageError, match="not made of MBConv stages"):
            read(host, folder, supernet="ofa_resnet50")


class TestBroken:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("{", "is no JSON"),
            ("[1]", "expected an object"),
            ("{}", "it has no blocks"),
            ('{"blocks": [3]}', r"blocks\[0\]: expected an object, found 3"),
            ('{"blocks": [{"mobile_inverted_conv": {}}]}', r"blocks\[0\]: in_channels is None"),
            ("[" * 10**5, "is no JSON"),
            ('{"blocks": []}', "it has no blocks"),
            ("\xff", "is no JSON|no configuration"),
        ],
    )
    def test_one_line_with_the_file_and_the_place(self, host, tmp_path, text, said):
        (tmp_path / "x.json").write_bytes(text.encode("latin-1"))
        with pytest.raises(InputError, match=said) as caught:
            read(host, tmp_path)
        assert "x.json" in caught.value.message
        assert "\n" not in caught.value.message

    def test_nothing_there(self, host, tmp_path):
        with pytest.raises(InputError, match="holds no configuration"):
            read(host, tmp_path)
        with pytest.raises(InputError, match="cannot read"):
            read(host, tmp_path / "nowhere")

    def test_the_exit_code_is_5(self, host, tmp_path, capsys):
        (tmp_path / "x.json").write_text("{")
        assert run(("run", "specialised", "--folder", str(tmp_path)), lambda block: host) == 5
        assert "Traceback" not in capsys.readouterr().err


@pytest.fixture(scope="module")
def rows(host):
    return read(host, PUBLISHED)


class TestClaims:
    """Of ``ofa reproduce``, on a network made for the purpose."""

    @pytest.fixture
    def claimed(self, host, tmp_path):
        """(what its name says of MACs, image size) -> what checking comes to."""

        def call(off, size=200):
            supernet = host.supernet("ofa_mbv3_w1.2")
            arch = {**ARCH, "image_size": size}
            macs = host.cost_model("flops").build(supernet.at([size])).evaluate([arch])[0]
            name = f"flops-{round(macs / 1e6) + off}M_top1-80.0_finetune-75.json"
            (tmp_path / name).write_text(json.dumps(configuration(supernet, ARCH)))
            return claims.mobile_setting(JobContext(host), {"specialised_networks": tmp_path})

        return call

    def test_macs_are_those_of_the_name_at_a_size_that_we_choose(self, claimed):
        found = claimed(0)
        assert found.verdict == "consistent"
        assert "at 200 px" in found.comparisons[0].what

    def test_no_image_size_has_the_macs_of_a_wrong_name(self, claimed):
        found = claimed(3)
        assert found.verdict == "differs"
        assert "none has the MACs" in found.comparisons[0].why

    def test_a_folder_without_such_networks_is_refused(self, host, tmp_path):
        one = configuration(host.supernet("ofa_mbv3_w1.2"), ARCH)
        (tmp_path / "note10_lat-30ms_top1-78.4_finetune-75.json").write_text(json.dumps(one))
        with pytest.raises(InputError, match="named for its MACs"):
            claims.mobile_setting(JobContext(host), {"specialised_networks": tmp_path})


@needs_published
class TestPublished:
    def test_all_fifty_are_networks_of_our_supernets(self, rows):
        assert Counter(row["supernet"] for row in rows) == {
            "ofa_mbv3_w1.0": 24,
            "ofa_mbv3_w1.2": 10,
            "ofa_proxyless_w1.3": 16,
        }

    def test_every_one_has_its_top1_and_a_latency_or_macs(self, rows):
        assert all(60 < row["top1"]["value"] < 90 for row in rows)
        assert all((row["latency"] is None) == (row["device"] is None) for row in rows)
        assert all((row["latency"] is None) != (row["flops"] is None) for row in rows)

    def test_the_names_with_macs_agree_with_our_costs(self, host, rows):
        named = [row for row in rows if row["flops"]]
        assert [row["arch"]["image_size"] for row in named] == [224, 224, 236]
        supernet = host.supernet("ofa_mbv3_w1.2").at([224, 236])
        macs = host.cost_model("flops").build(supernet).evaluate([row["arch"] for row in named])
        assert [round(m / 1e6) for m in macs] == [389, 482, 595]

    def test_the_registry_lists_their_files_under_the_same_supernets(self, host, rows):
        listed = {e.name: e.supernet for e in host.entries("weights")}
        for row in rows:
            for file in ("init", "net.config"):
                assert listed[f"{row['name']}/{file}"] == row["supernet"]
