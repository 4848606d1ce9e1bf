"""``ofa list`` and ``ofa show``."""

import json

import pytest

from ofa_plugins_core import (
    CostModelEntry,
    Host,
    JobEntry,
    SupernetEntry,
)
from ofa_plugins_core.chain import at_resolution
from ofa_plugins_core.cli.main import run
from ofa_plugins_core.errors import UnknownNameError
from ofa_plugins_core.report.offers import kind_of, type_label
from ofa_plugins_core.report.supernets import cost_range
from ofa_plugins_core.testing import everything, in_process, toy_cost, toy_supernet

COMPUTED = {"params", "flops", "peak_memory", "peak_memory_mcunet", "weight_bytes"}


def refuse(*_: object) -> None:
    raise RuntimeError("no such luck")


@pytest.fixture(scope="module")
def host() -> Host:
    toys = in_process(
        "toys",
        ofa_supernets=[SupernetEntry("toy", "two small stages", toy_supernet, ("plaything",))],
        ofa_cost_models=[CostModelEntry("moody", "always fails", "sighs", refuse)],
        ofa_jobs=[JobEntry("nap", "do nothing", refuse, example="ofa run nap")],
    )
    return Host.discover(extra={"toys": toys})


@pytest.fixture
def ofa(host, capsys):
    """Words -> (exit code, stdout, stderr)."""

    def call(*words: str) -> tuple[int, str, str]:
        code = run(words, lambda block: host)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_everything_is_listed_with_its_plugin(ofa):
    code, out, _ = ofa("list", "--json")
    found = {(o["kind"], o["name"]): o for o in json.loads(out)}
    assert code == 0
    assert found["supernets", "toy"] == {
        "kind": "supernets",
        "name": "toy",
        "summary": "two small stages",
        "plugin": "toys",
        "aliases": ["plaything"],
    }
    assert found["cost_models", "params"]["plugin"] == "builtin"
    assert found["jobs", "nap"]["plugin"] == "toys"


@pytest.mark.parametrize("word", ["cost_models", "costs", "cost", "cost-models", "cost_model"])
def test_one_kind_by_any_of_its_names(ofa, word):
    code, out, _ = ofa("list", word, "--json")
    assert code == 0
    found = json.loads(out)
    assert {o["kind"] for o in found} == {"cost_models"}
    assert {o["name"] for o in found} >= COMPUTED


def test_the_list_is_one_line_each(ofa):
    code, out, _ = ofa("list", "supernets")
    assert code == 0
    (line,) = [line for line in out.splitlines() if line.strip().startswith("toy ")]
    assert "toys" in line
    assert "two small stages (also: plaything)" in line


def test_an_unknown_kind_names_the_nearest(ofa):
    code, out, err = ofa("list", "supernetz")
    assert (code, out) == (2, "")
    assert "nearest known: supernets" in err


def test_kinds_in_the_plural_and_in_the_singular():
    assert (
        kind_of("policies") == kind_of("policy") == kind_of("runtime_policy") == "runtime_policies"
    )
    assert kind_of("family") == "families"
    with pytest.raises(UnknownNameError):
        kind_of("")


def test_a_supernet_is_shown_with_exact_counts_and_costs(ofa, host):
    code, out, _ = ofa("show", "supernet", "toy", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["name"] == "toy"
    assert found["aliases"] == ["plaything"]
    assert found["networks"] == 400
    assert found["resolutions"] == [32, 64]
    assert found["dimensions"]["ks"] == {"entries": 4, "options": [3, 5], "free": 4}
    assert found["dimensions"]["d"]["entries"] == 2
    assert set(found["costs"]) >= COMPUTED
    supernet = host.supernet("toy")
    genes = everything(supernet.space)
    for name, cost in found["costs"].items():
        values = host.cost_model(name).build(supernet).evaluate(genes)
        assert (cost["min"], cost["max"]) == (values.min(), values.max()), name
        sizes = [supernet.resolutions[i] for i in genes[:, 0]]
        assert cost["min_image_size"] in {
            s for s, v in zip(sizes, values, strict=True) if v == cost["min"]
        }
        assert cost["max_image_size"] in {
            s for s, v in zip(sizes, values, strict=True) if v == cost["max"]
        }
        assert isinstance(cost["min"], int)
        assert cost["kind"] == "computed"


def test_a_cost_that_fails_is_left_out_and_named(ofa):
    code, out, err = ofa("show", "supernet", "toy", "--json")
    assert code == 0
    assert "moody" not in json.loads(out)["costs"]
    assert "cost 'moody' is left out" in err
    assert "no such luck" in err


def test_a_supernet_in_words(ofa):
    code, out, _ = ofa("show", "supernet", "plaything")
    assert code == 0
    assert "400 distinct ones at each resolution" in out
    assert "32, 64 pixels" in out
    assert "peak_memory" in out


def test_costs_that_shrink_as_the_image_grows_are_asked_at_every_size():
    """No such cost is built in: tables of another shape must not be skipped."""
    supernet = toy_supernet(resolutions=(32, 64, 96))

    class Odd:
        name, unit, kind, source = "odd", "x", "computed", None

        def separable(self, size):
            cost = toy_cost("params", supernet).separable(size)
            sign = {32: 1, 64: 3, 96: -1}[size]
            from attrs import evolve

            factors = tuple(evolve(f, table=f.table * sign) for f in cost.factors)
            return evolve(cost, factors=factors)

    found = cost_range(supernet.space, Odd())
    assert (found.least.image_size, found.most.image_size) == (96, 64)
    values = toy_cost("params", supernet).evaluate(at_resolution(everything(supernet.space)[0], 0))
    assert found.most.value > 2 * values[0]


def test_an_offer_is_shown_with_its_options(ofa):
    code, out, _ = ofa("show", "cost", "weight_bytes", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["name"], found["unit"], found["plugin"]) == ("weight_bytes", "bytes", "builtin")
    (option,) = found["options"]
    assert (option["name"], option["default"]) == ("dtype", "fp32")
    assert option["type"] == "one of int8, fp16, fp32"
    assert "data type" in option["help"]
    assert not option["required"]
    text = ofa("show", "cost", "weight_bytes")[1]
    assert "dtype" in text
    assert "--set weight_bytes.OPTION=VALUE" in text


def test_a_job_is_shown_with_its_example(ofa):
    found = json.loads(ofa("show", "job", "nap", "--json")[1])
    assert found["example"] == "ofa run nap"
    assert "no options" in ofa("show", "job", "nap")[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "supernet", "toi"), "nearest known: toy"),
        (("show", "cost", "parms"), "nearest known: params"),
        (("show", "thing", "toy"), "unknown kind 'thing'"),
        (("show", "cost", "params", "--as-built"), "about a supernet"),
    ],
)
def test_wrong_names_end_with_code_2(ofa, words, said):
    code, out, err = ofa(*words)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_a_device_says_what_it_is_here(ofa):
    code, out, _ = ofa("show", "device", "cpu", "--json")
    here = json.loads(out)["here"]
    assert code == 0
    assert here["device"] == "cpu" and here["model"] and int(here["cores"]) >= 1
    _, said, _ = ofa("show", "device", "cpu")
    assert f"model {here['model']}" in said


def test_a_device_that_is_not_here_says_why(ofa, monkeypatch):
    monkeypatch.setattr("ofa_plugins_core.nn.devices.machine.find_spec", lambda name: None)
    code, out, _ = ofa("show", "device", "cuda", "--json")
    assert code == 0
    assert json.loads(out)["here"] == "no: the device cuda needs the extra [torch]"


def test_a_missing_file_ends_with_code_5(ofa, tmp_path):
    code, out, _ = ofa("show", "supernet", str(tmp_path / "none.yaml"))
    assert (code, out) == (5, "")


def test_a_failed_plugin_is_mentioned(capsys):
    broken = in_process("broken")
    broken.OFA_API = 99
    host = Host.discover(extra={"broken": broken})
    assert run(["list", "costs", "--json"], lambda block: host) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)
    assert "incompatible: plugin 'broken'" in said.err


def test_types_as_users_read_them():
    from pathlib import Path
    from typing import Literal

    assert type_label(tuple[int, ...]) == "list of int"
    assert type_label(tuple[int | float, ...] | None) == "list of int or float"
    assert type_label(Literal["a", "b"] | None) == "one of a, b"
    assert type_label(Path | None) == "Path"


# ---------------------------------------------------------------- the published supernets


@pytest.fixture(scope="module")
def published() -> Host:
    pytest.importorskip("moofa")
    return Host.discover()


def shown(published, capsys, *words):
    assert run(["show", "supernet", *words, "--json"], lambda block: published) == 0
    return json.loads(capsys.readouterr().out)


def test_moofa_v3(published, capsys):
    found = shown(published, capsys, "mc_ofa")
    assert found["name"] == "moofa_v3"
    assert "mc_ofa" in found["aliases"]
    assert found["networks"] == 7371**5
    assert found["resolutions"] == [128, 160, 192, 224]
    costs = found["costs"]
    assert (costs["params"]["min"], costs["params"]["max"]) == (3988256, 19337240)
    assert (costs["flops"]["min"], costs["flops"]["max"]) == (78683840, 1169558496)
    assert (costs["peak_memory"]["min"], costs["peak_memory"]["max"]) == (299520, 696192)
    assert found["note"] is None


def test_moofa_v2_says_what_its_costs_are(published, capsys):
    found = shown(published, capsys, "moofa_v2")
    assert found["networks"] == 4914 * 7371**4
    assert "published static network" in found["note"]
    assert "expand where e = 1" in found["note"]
    built = shown(published, capsys, "moofa_v2", "--as-built")
    assert built["as_built"]
    assert built["costs"]["params"]["min"] > found["costs"]["params"]["min"]
    assert built["costs"]["peak_memory"] == found["costs"]["peak_memory"]
    assert run(["show", "supernet", "moofa_v2"], lambda block: published) == 0
    assert "published static network" in capsys.readouterr().out


def test_compofa_follows_its_coupling(published, capsys):
    found = shown(published, capsys, "compofa")
    assert found["networks"] == 243
    assert found["dimensions"]["ks"]["fixed"]
    assert found["dimensions"]["e"]["follows"] == ["d"]


def test_ofa_resnet50_counts_equal_widths_once(published, capsys):
    found = shown(published, capsys, "ofa_resnet50")
    assert found["dimensions"]["d"]["options_by_entry"][0] == [0, 2]
    assert found["costs"]["peak_memory"]["max_image_size"] == 256
