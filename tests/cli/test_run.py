"""``ofa run``: commands from options, YAML under flags, strict values, exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ofa_plugins_core.cli import output
from ofa_plugins_core.events import Notice, Progress

SEARCH = ("run", "search", "--supernet", "toy", "--cost", "peak_memory")

GREET = """
from attrs import field, frozen
from enum import Enum
from pathlib import Path
from typing import Literal
from ofa_plugins_core import JobEntry, hookimpl

class Tone(Enum):
    KIND = "kind"
    CURT = "curt"

@frozen
class Options:
    who: str = field(metadata={"help": "whom to greet", "short": "w"})
    times: int = field(default=1, metadata={"help": "how often", "unit": "greetings"})
    warmth: float = 0.5
    loud: bool = False
    tone: Tone = Tone.KIND
    way: Literal["word", "wave"] = "word"
    sizes: tuple[int, ...] = ()
    files: list[Path] = field(factory=list)
    limit: int | None = None

def greet(context, options):
    if options.who == "nobody":
        raise KeyError("nobody is there")
    return {"who": options.who, "times": options.times, "warmth": options.warmth,
            "loud": options.loud, "tone": options.tone.value, "way": options.way,
            "sizes": list(options.sizes), "files": [str(f) for f in options.files],
            "limit": options.limit, "seed": context.seed, "settings": dict(context.settings)}

@hookimpl
def ofa_jobs():
    yield JobEntry("greet", "says hello", greet, Options, example="ofa run greet --who you")
"""


def test_a_plugins_job_is_a_command_with_flags_from_its_options(ofa, host_with):
    done = ofa(
        *("run", "greet", "-w", "you", "--times", "3", "--warmth", "2", "--loud", "--tone", "curt"),
        *("--way", "wave", "--sizes", "1,2", "--sizes", "3", "--files", "a,b", "--files", "c"),
        *("--seed", "7", "--json"),
        host=host_with(GREET),
    )
    assert done.code == 0, done.err
    assert done.json == {
        "who": "you",
        "times": 3,
        "warmth": 2.0,
        "loud": True,
        "tone": "curt",
        "way": "wave",
        "sizes": [1, 2, 3],
        "files": ["a,b", "c"],
        "limit": None,
        "seed": 7,
        "settings": {},
    }


def test_flags_win_over_yaml_and_yaml_over_defaults(ofa, host_with, tmp_path):
    (tmp_path / "c.yaml").write_text(
        "who: you\ntimes: 2\nwarmth: 1e1\nsizes: [4]\nloud: true\nseed: 3\nset: {even: {}}\n"
    )
    words = ("run", "greet", "--config", "c.yaml", "--times", "5", "--no-loud", "--json")
    done = ofa(*words, host=host_with(GREET))
    assert done.code == 0, done.err
    got = done.json
    assert (got["times"], got["loud"], got["warmth"], got["sizes"]) == (5, False, 10.0, [4])
    assert got["seed"] == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--times", "many"), "greet.times: expected a whole number, found 'many'"),
        (("--warmth", "nan"), "greet.warmth: expected a number, found 'nan'"),
        (("--tone", "shrill"), "greet.tone: expected kind or curt, found 'shrill'"),
        (("--sizes", "1,x"), "greet.sizes[1]: expected a whole number, found 'x'"),
        (("--seed", "-1"), "seed: expected a whole number from 0 up, found -1"),
        (("--seed", "x"), "seed: expected a whole number, found 'x'"),
        (("--shout",), "No such option"),
        (("extra",), "unexpected extra argument"),
        (("--set", "even"), "cannot read --set 'even'"),
        (("--set", "evn.x=1"), "unknown name in --set 'evn'; nearest known: even"),
    ],
)
def test_wrong_flags_are_code_2_with_path_and_value(ofa, host_with, words, said):
    done = ofa("run", "greet", "--who", "you", *words, host=host_with(GREET))
    assert done.code == 2
    assert said in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("who: you\ntimes: '3'", "greet.times: expected a whole number, found '3'"),
        ("who: you\nloud: 'false'", "greet.loud: expected true or false, found 'false'"),
        ("who: you\ntimse: 3", "unknown key 'timse'; nearest known: times"),
        ("who: you\nsizes: 128", "greet.sizes: expected a list"),
        ("who: you\nwho: me", "the key 'who' is there twice"),
        ("who: !!python/object/apply:os.system ['true']", "not plain YAML"),
        ("- who", "expected a mapping"),
        ("who: you\nset: [1]", "set: expected NAME: {KEY: VALUE}"),
        ("job: search\nwho: you", "is of the job 'search', not of 'greet'"),
        ("a: &a [1]\nwho: *a", "aliases"),
    ],
)
def test_a_wrong_configuration_is_code_2(ofa, host_with, tmp_path, text, said):
    (tmp_path / "c.yaml").write_text(text)
    done = ofa("run", "greet", "--config", "c.yaml", host=host_with(GREET))
    assert done.code == 2
    assert said in done.err


def test_a_missing_configuration_is_code_5(ofa, host_with):
    done = ofa("run", "greet", "--config", "absent.yaml", host=host_with(GREET))
    assert done.code == 5
    assert "cannot read absent.yaml" in done.err


def test_what_is_required_is_said_with_the_example(ofa, host_with):
    done = ofa("run", "greet", host=host_with(GREET))
    assert done.code == 2
    assert "ofa run greet needs --who" in done.err
    assert "ofa run greet --who you" in done.err


def test_help_lists_jobs_of_all_plugins_and_a_jobs_flags(ofa, host_with):
    host = host_with(GREET)
    listed = ofa("run", "--help", host=host)
    assert listed.code == 0
    assert "Says hello" in listed.out
    assert "search" in listed.out
    shown = ofa("run", "greet", "--help", host=host).out
    for text in ("--who", "-w", "whom to greet", "[required]", "(greetings)", "[default: 1]"):
        assert text in shown
    assert "kind|curt" in shown
    for common in ("--config", "--seed", "--out", "--json", "--resume", "--set"):
        assert common in shown


def test_a_failing_plugin_does_not_break_the_list(ofa, host_with):
    source = "from ofa_plugins_core import hookimpl\n@hookimpl\ndef ofa_jobs():\n    raise OSError"
    done = ofa("run", "--help", host=host_with(source))
    assert done.code == 0
    assert "search" in done.out


def test_an_unknown_job_names_the_nearest(ofa):
    done = ofa("run", "serach")
    assert done.code == 2
    assert "unknown job 'serach'; nearest known: search" in done.err


def test_a_job_that_raises_is_blamed_on_its_plugin(ofa, host_with):
    host = host_with(GREET)
    done = ofa("run", "greet", "--who", "nobody", host=host)
    assert done.code == 4
    assert "plugin 'other'" in done.err
    assert "Traceback" not in done.err
    assert "Traceback" in ofa("--debug", "run", "greet", "--who", "nobody", host=host).err


def test_a_job_cannot_take_a_flag_that_all_jobs_have(ofa, host_with):
    source = """
from attrs import frozen
from ofa_plugins_core import JobEntry, hookimpl
@frozen
class Options:
    seed: int = 0
@hookimpl
def ofa_jobs():
    yield JobEntry("greedy", "wants the seed", print, Options)
"""
    done = ofa("run", "greedy", host=host_with(source))
    assert done.code == 4
    assert "Options.seed" in done.err


def test_without_json_nothing_is_printed_on_stdout(ofa):
    done = ofa(*SEARCH)
    assert done.code == 0
    assert done.out == ""
    assert "peak_memory" in done.err


def test_a_run_is_kept_under_its_name(ofa, tmp_path):
    done = ofa(*SEARCH, "--json")
    folder = Path(done.json["run"])
    assert re.fullmatch(r"runs/search-toy-\d{8}T\d{6}Z-[0-9a-f]{4}", str(folder))
    assert sorted(p.name for p in folder.iterdir()) == [
        *("config.yaml", "front.csv", "result.json", "run.json")
    ]
    assert json.loads((folder / "result.json").read_text()) == done.json


def test_a_kept_configuration_works_again(ofa):
    first = ofa(*SEARCH, "--constraint", "peak_memory<=12k", "--seed", "4", "--json").json
    again = ofa("run", "search", "--config", f"{first['run']}/config.yaml", "--json")
    assert again.code == 0, again.err
    assert again.json["front"] == first["front"]


def test_settings_of_entries_are_kept_with_their_types(ofa):
    first = ofa(*SEARCH, "--set", "exact.shuffle=yes", "--set", "exact.most=7", "--json").json
    kept = (Path(first["run"]) / "config.yaml").read_text()
    assert 'set: {"exact": {"shuffle": true, "most": 7}}' in kept
    assert ofa("run", "search", "--config", f"{first['run']}/config.yaml").code == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("exact: {most: '7'}", "exact.most: expected a whole number, found '7'"),
        ("exact: {msot: 7}", "exact: unknown key 'msot'; nearest known: most"),
        ("evolution: {shuffle: 1}", "evolution.shuffle: expected true or false, found 1"),
    ],
)
def test_settings_in_yaml_are_strict_whether_they_are_used_or_not(ofa, tmp_path, text, said):
    (tmp_path / "c.yaml").write_text(f"set:\n  {text}\n")
    done = ofa(*SEARCH, "--config", "c.yaml")
    assert done.code == 2
    assert said in done.err


def test_an_existing_out_is_refused_without_resume(ofa, tmp_path):
    (tmp_path / "here").mkdir()
    done = ofa(*SEARCH, "--out", "here")
    assert done.code == 2
    assert "here exists already" in done.err
    assert ofa(*SEARCH, "--out", "here", "--resume").code == 0


def test_resume_answers_the_same_question_again_and_no_other(ofa):
    first = ofa(*SEARCH, "--out", "here", "--json")
    again = ofa("run", "search", "--resume", "--out", "here", "--json")
    assert again.json["front"] == first.json["front"]
    assert "starts anew" in again.err
    kept = Path("here/result.json").read_bytes()
    other = ofa(*SEARCH, "--out", "here", "--resume", "--points", "3")
    assert other.code == 2
    assert "here is of another run: points was None, is 3" in other.err
    assert Path("here/result.json").read_bytes() == kept


def test_resume_says_where_there_is_nothing_to_go_on_with(ofa):
    done = ofa(*SEARCH, "--out", "nowhere", "--resume")
    assert done.code == 0
    assert "nothing to go on with in nowhere" in done.err


def test_resume_needs_a_folder(ofa):
    assert ofa(*SEARCH, "--resume").code == 2


def test_an_unwritable_out_is_code_5(ofa, tmp_path):
    (tmp_path / "file").write_text("")
    done = ofa(*SEARCH, "--out", "file/run")
    assert done.code == 5
    assert "cannot write" in done.err


def test_cost_and_predict_keep_nothing_unless_asked(ofa, archs, tmp_path):
    words = ("run", "cost", "--supernet", "toy", "--archs", str(archs), "--json")
    assert ofa(*words).code == 0
    assert not (tmp_path / "runs").exists()
    assert ofa(*words, "--out", "kept").code == 0
    assert (tmp_path / "kept" / "result.json").is_file()


@pytest.mark.parametrize("name", ["costs.jsonl", "costs.csv"])
def test_an_out_that_is_named_like_a_file_is_one(ofa, archs, name):
    words = ("--supernet", "toy", "--cost", "params", "--archs", str(archs))
    done = ofa("run", "cost", *words, "--out", name, "--json")
    assert done.code == 0, done.err
    kept = Path(name).read_text()
    rows = [f"{line['params']}" for line in done.lines]
    assert kept == (done.out if name.endswith("jsonl") else "\n".join(["params", *rows, ""]))


def test_a_search_is_kept_in_a_folder(ofa):
    done = ofa(*SEARCH, "--out", "found.json")
    assert done.code == 2
    assert "named like a file" in done.err


def test_a_full_disk_is_code_5_and_the_result_is_shown_all_the_same(ofa, monkeypatch, tmp_path):
    def full(self, *content, **more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    done = ofa(*SEARCH, "--json")
    assert done.code == 5
    assert "No space left on device" in done.err
    assert len(done.json["front"]) > 1
    assert done.json["run"] is None
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_a_plot_is_drawn_into_the_run(ofa):
    pytest.importorskip("matplotlib")
    found = ofa(*SEARCH, "--plot", "--json").json
    assert "<svg" in (Path(found["run"]) / "front.svg").read_text()


def test_long_tables_are_shortened_and_say_so(capsys):
    rows = [[str(n), f"{n * n:,}"] for n in range(1000)]
    output.write_tables([("squares", ["n", "n²"], rows)])
    shown = capsys.readouterr().err
    assert "1000 rows, 21 of them shown" in shown
    assert "998,001" in shown
    assert len(shown.splitlines()) < 30


def test_progress_is_told_on_stderr_now_and_then(capsys, monkeypatch):
    monkeypatch.setattr(output, "QUIET_SECONDS", 0.0)
    tell = output.Teller()
    tell(Progress("bound", 1, 2, "peak_memory<=3"))
    tell(Notice("a flaw"))
    tell.close()
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "bound 1/2 peak_memory<=3\nnote: a flaw\n"
