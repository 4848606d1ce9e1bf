"""``ofa weights`` on the command line."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import entry_points
from importlib.util import find_spec

import pytest

from ofa_plugins_core import Host, SupernetEntry, WeightsEntry
from ofa_plugins_core.cli.main import run
from ofa_plugins_core.testing import in_process, toy_supernet
from ofa_plugins_core.weights import cache

needs_torch = pytest.mark.skipif(
    find_spec("torch") is None, reason="torch is not installed: the extra [torch]"
)

BODY = b"weights of a network" * 1000
SHA = hashlib.sha256(BODY).hexdigest()


class Net:
    """What converting asks of a network: it takes both layouts of one tensor, strictly."""

    space = active = largest = activate = extract = apply_statistics = sort_channels = None

    def __init__(self, classes):
        self.classes = classes

    def load_published(self, state, *, new_head=False):
        from ofa_plugins_core import InputError

        self.state = {key.replace("mobile_inverted_conv", "conv"): t for key, t in state.items()}
        if set(self.state) != {"blocks.0.conv.weight", "classifier.linear.weight"}:
            raise InputError(f"unexpected: {min(self.state)}")
        assert self.classes == self.state["classifier.linear.weight"].shape[0]

    def published(self, layout="new"):
        name = {"new": "conv", "old": "mobile_inverted_conv"}[layout]
        return {key.replace(".conv.", f".{name}."): t for key, t in self.state.items()}


class Buildable:
    """The toy, with a network."""

    def __init__(self):
        self.toy = toy_supernet("toy")

    def __getattr__(self, name):
        return getattr(self.toy, name)

    def build(self, num_classes=None):
        return Net(num_classes)


@pytest.fixture
def ofa(publisher, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OFA_BLOCK", raising=False)
    entries = [
        WeightsEntry("net", "toy", "old", (publisher.publish("/net", BODY),), source="a paper"),
        WeightsEntry("gone", "toy", "new", (publisher.address("/gone"),)),
        WeightsEntry("paged", "bare", "new", page="https://example.org/page"),
        WeightsEntry("some/init", "toy", "static", (publisher.publish("/init", BODY),), sha256=SHA),
    ]
    toys = [
        SupernetEntry("toy", "a toy", Buildable, ("toy_alias",)),
        SupernetEntry("bare", "a toy", lambda: toy_supernet("bare")),
    ]
    plugin = in_process("toys", ofa_supernets=toys, ofa_weights=entries)

    def call(*words, code=0):
        others = {point.name for point in entry_points(group="ofa.plugins")}
        assert run(words, lambda block: Host.discover(others, {"toys": plugin})) == code
        return capsys.readouterr()

    return call


class TestList:
    def test_json_has_every_file(self, ofa):
        files = {f["name"]: f for f in json.loads(ofa("weights", "list", "--json").out)}
        assert list(files) == ["gone", "net", "paged", "some/init"]
        assert set(files["net"]) == {
            "name", "supernet", "layout", "state", "path", "size", "sha256", "addresses", "page",
            "source",
        }  # fmt: skip
        assert (files["net"]["state"], files["net"]["path"]) == ("not fetched", None)
        assert files["paged"]["page"] == "https://example.org/page"

    def test_people_get_a_table_with_what_lies_in_folders_left_out(self, ofa):
        shown = ofa("weights", "list").out
        assert "3 files, 0 of them cached in" in shown
        assert "1 more lie in folders: ofa weights list '*/*'" in shown
        assert "a paper" in shown
        assert "some/init" in ofa("weights", "list", "*/*").out

    def test_of_one_supernet(self, ofa):
        found = json.loads(ofa("weights", "list", "--supernet", "toy_alias", "--json").out)
        assert [f["name"] for f in found] == ["gone", "net", "some/init"]
        assert "unknown supernet" in ofa("weights", "list", "--supernet", "x", code=2).err

    def test_the_kind_is_listed_with_the_others(self, ofa):
        assert "net" in ofa("list", "weights").out
        shown = json.loads(ofa("show", "weights", "net", "--json").out)
        assert (shown["supernet"], shown["layout"]) == ("toy", "old")
        plugins = json.loads(ofa("plugins", "list", "--json").out)
        offers = next(p["offers"] for p in plugins if p["name"] == "toys")
        assert offers["weights"] == ["net", "gone", "paged", "some/init"]


class TestFetch:
    def test_prints_where_the_file_lies(self, ofa):
        shown = ofa("weights", "fetch", "net")
        assert shown.out == f"{cache.folder() / 'net'}\n"
        assert (cache.folder() / "net").read_bytes() == BODY

    def test_json_says_what_is_known_now(self, ofa):
        (found,) = json.loads(ofa("weights", "fetch", "net", "--json").out)
        assert (found["state"], found["sha256"], found["size"]) == ("cached", SHA, len(BODY))

    def test_a_dead_address_says_why_and_what_to_do(self, ofa):
        shown = ofa("weights", "fetch", "gone", code=5)
        assert "ofa: cannot fetch 'gone': its address does not give it" in shown.err
        assert "/gone: 404 Not Found" in shown.err
        assert "ofa weights add FILE --name gone" in shown.err
        assert "Traceback" not in shown.err

    def test_a_page_is_shown_with_the_command_that_follows(self, ofa):
        shown = ofa("weights", "fetch", "paged", code=5)
        assert "https://example.org/page, then: ofa weights add FILE --name paged" in shown.err

    def test_of_several_each_failure_is_told_and_the_rest_comes(self, ofa):
        shown = ofa("weights", "fetch", "gone", "net", "paged", code=5)
        assert "cannot fetch 'gone'" in shown.err
        assert "2 of 3 files could not be fetched" in shown.err
        assert shown.out == f"{cache.folder() / 'net'}\n"

    def test_an_unknown_name_names_the_nearest(self, ofa):
        assert (
            "unknown file of weights 'nett'; nearest known: net"
            in ofa("weights", "fetch", "nett", code=2).err
        )

    def test_ctrl_c_is_130_and_says_that_the_part_is_kept(self, ofa, monkeypatch):
        def interrupted(self, event):
            if getattr(event, "what", "").startswith("fetch"):
                raise KeyboardInterrupt

        from ofa_plugins_core.cli.output import Teller

        monkeypatch.setattr(Teller, "_progress", interrupted)
        shown = ofa("weights", "fetch", "net", code=130)
        assert "bytes are kept; the same command goes on with them" in shown.err
        monkeypatch.undo()


class TestAdd:
    def test_a_file_under_a_published_name(self, ofa, tmp_path):
        (tmp_path / "mine").write_bytes(BODY)
        ofa("weights", "add", "mine", "--name", "paged")
        assert cache.cached("paged").read_bytes() == BODY

    def test_a_name_of_ones_own_needs_a_supernet(self, ofa, tmp_path):
        (tmp_path / "mine").write_bytes(BODY)
        assert "whose weights are these" in ofa("weights", "add", "mine", code=2).err
        (found,) = json.loads(ofa("weights", "add", "mine", "--supernet", "toy", "--json").out)
        assert (found["layout"], found["supernet"]) == ("own", "toy")

    def test_what_lies_in_the_cache_already_is_checked_too(self, ofa):
        folder = cache.folder()
        (folder / "some").mkdir(parents=True)
        (folder / "some" / "init").write_bytes(BODY[:-1] + b"X")
        (folder / "paged").write_text("<html>sign in</html>")
        own = (str(folder / "some" / "init"), "--name", "some/init")
        assert f"published is {SHA}" in ofa("weights", "add", *own, code=5).err
        assert "it is a web page" in ofa("weights", "add", str(folder / "paged"), code=5).err
        assert cache.index() == {}
        (folder / "some" / "init").write_bytes(BODY)
        ofa("weights", "add", *own)
        assert cache.index()["some/init"].sha256 == SHA

    def test_a_missing_file(self, ofa):
        assert "nowhere is not there" in ofa("weights", "add", "nowhere", code=5).err

    def test_a_folder_under_one_name_is_wrong_use(self, ofa, tmp_path):
        (tmp_path / "some").mkdir()
        assert "is a folder" in ofa("weights", "add", "some", "--name", "net", code=2).err


class TestVerify:
    def test_whole_files_pass(self, ofa):
        ofa("weights", "fetch", "net")
        assert "is whole" in ofa("weights", "verify").out

    def test_a_changed_one_is_code_5_with_both_hashes(self, ofa):
        ofa("weights", "fetch", "net")
        (cache.folder() / "net").write_bytes(BODY[:-1] + b"X")
        shown = ofa("weights", "verify", "--json", code=5)
        (verdict,) = json.loads(shown.out)
        assert not verdict["whole"]
        assert SHA in verdict["what"]
        assert "ofa weights fetch --anew net" in shown.err

    def test_one_that_lost_its_end_is_broken_too(self, ofa):
        ofa("weights", "fetch", "net")
        (cache.folder() / "net").write_bytes(BODY[:-1])
        assert "not whole: net" in ofa("weights", "verify", code=5).err

    def test_nothing_cached_is_nothing_wrong(self, ofa):
        assert json.loads(ofa("weights", "verify", "--json").out) == []


@needs_torch
class TestConvert:
    @pytest.fixture
    def old(self, tmp_path):
        import torch

        state = {
            "blocks.0.mobile_inverted_conv.weight": torch.arange(4.0),
            "classifier.linear.weight": torch.ones(3, 2),
        }
        torch.save({"state_dict": state}, tmp_path / "old.pth.tar")
        return state

    def state(self, path):
        from ofa_plugins_core.nn.checkpoints import read_state

        return read_state(path)

    def test_to_safetensors_and_back(self, ofa, old, tmp_path):
        ofa("weights", "convert", "old.pth.tar", "new.safetensors", "--supernet", "toy")
        assert set(self.state(tmp_path / "new.safetensors")) == {
            "blocks.0.conv.weight", "classifier.linear.weight",
        }  # fmt: skip
        words = ("new.safetensors", "back.pth", "--supernet", "toy", "--to", "old", "--json")
        done = json.loads(ofa("weights", "convert", *words).out)
        assert (done["layout"], done["format"], done["tensors"]) == ("old", "torch", 2)
        back = self.state(tmp_path / "back.pth")
        assert list(back) == list(old)
        assert all(back[k].equal(old[k]) for k in old)

    def test_without_a_supernet_only_the_format_changes(self, ofa, old, tmp_path):
        shown = ofa("weights", "convert", "old.pth.tar", "same", "--to", "safetensors")
        assert "names stay as they are" in shown.err
        assert "not named" in shown.out
        assert "None" not in shown.out
        assert set(self.state(tmp_path / "same")) == set(old)
        assert (tmp_path / "same").read_bytes()[8:9] == b"{"

    def test_a_cached_file_by_its_name_knows_its_supernet(self, ofa, old, tmp_path):
        ofa("weights", "add", "old.pth.tar", "--name", "net")
        ofa("weights", "convert", "net", "out.safetensors")
        assert "blocks.0.conv.weight" in self.state(tmp_path / "out.safetensors")

    def test_a_text_is_refused_with_what_to_give_instead(self, ofa, tmp_path):
        (tmp_path / "notes.pth").write_text("epochs: 25\n")
        shown = ofa("weights", "convert", "notes.pth", "x", "--supernet", "toy", code=5)
        assert "notes.pth is no checkpoint but a text" in shown.err
        assert "ofa weights fetch NAME" in shown.err

    @pytest.mark.parametrize(
        ("words", "code", "said"),
        [
            (("old.pth.tar", "x", "--to", "new"), 2, "--to new needs --supernet"),
            (("old.pth.tar", "x", "--to", "onnx"), 2, "unknown target of --to 'onnx'"),
            (("old.pth.tar", "old.pth.tar"), 2, "exists already"),
            (("old.pth.tar", "x", "--supernet", "bare"), 2, "bare has no network in torch"),
            (("nowhere.pth", "x"), 5, "nowhere.pth is not there"),
            (("net", "x"), 5, "net is not cached"),
            (("old.pth.tar", "old.pth.tar/x"), 5, "cannot write"),
        ],
    )
    def test_what_cannot_be_done_is_one_line(self, ofa, old, words, code, said):
        shown = ofa("weights", "convert", *words, code=code)
        assert said in shown.err
        assert "Traceback" not in shown.err

    def test_a_hostile_pickle_is_refused_and_not_run(self, ofa, tmp_path):
        import pickle

        import torch

        class Shell:
            def __reduce__(self):
                return eval, (f"open({str(tmp_path / 'pwned')!r}, 'w')",)

        torch.save({"state_dict": Shell()}, tmp_path / "bad.pth", pickle_module=pickle)
        shown = ofa("weights", "convert", "bad.pth", "out.pth", "--supernet", "toy", code=5)
        assert "bad.pth is refused: it asks for" in shown.err
        assert "eval" in shown.err
        assert not (tmp_path / "pwned").exists()
        assert not (tmp_path / "out.pth").exists()


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed")
def test_converting_without_torch_names_the_extra(ofa, tmp_path):
    (tmp_path / "x.pth").write_bytes(BODY)
    assert "[torch]" in ofa("weights", "convert", "x.pth", "y.pth", code=2).err


def test_the_group_explains_itself(ofa):
    shown = ofa("weights", "--help").out
    assert all(word in shown for word in ("list", "fetch", "add", "verify", "convert"))
