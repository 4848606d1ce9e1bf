"""Claims are checked one by one: what keeps one from being checked keeps no other."""

from __future__ import annotations

import json
import signal
from contextlib import suppress
from types import ModuleType

import pytest

from ofa_plugins_core import (
    Checked,
    ClaimEntry,
    Comparison,
    Host,
    InputError,
    Material,
    UsageError,
    hookimpl,
)
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import MissingExtraError, PluginError, UnknownNameError
from ofa_plugins_core.events import Notice, Progress
from ofa_plugins_core.jobs.reproduce_options import ReproduceOptions
from ofa_plugins_core.jobs.reproducing import JOURNAL, run_reproduce
from ofa_plugins_core.report.listed import tables_of

TABLE = Material("table", "lut/table", "a table", "https://example.org/table")


def found(ours, **how):
    return lambda context, files: Checked([Comparison("networks", ours, 243, **how)], "by counting")


def chosen(context, files):
    return Checked([Comparison("networks", 243, 243)], chosen="the trace is ours")


def raising(error):
    def check(context, files):
        raise error

    return check


def read(context, files):
    text = files["table"].read_text()
    if not text.isdigit():
        raise InputError(f"{files['table']}: not a number", advice="copy it anew")
    return Checked([Comparison("rows", int(text), 3)])


def claim(name, check, work="Paper", needs=()):
    return ClaimEntry(f"paper_{name}", f"that {name}", work, "Table 1", check, needs)


@pytest.fixture
def checked(host_on_claims, tmp_path):
    """(claims, options) -> the result; ``told`` are the events."""

    def call(*claims, resume=False, out=None, seed=0, **options):
        host = host_on_claims(claims)
        call.told = []
        context = JobContext(host, call.told.append, seed, out=out, resume=resume)
        return run_reproduce(context, ReproduceOptions(**options))

    return call


@pytest.fixture
def host_on_claims():
    """Claims -> a host of the core and a plugin that offers them."""
    installed = {p.name for p in Host.discover().states() if p.name != "builtin"}

    def make(claims):
        module = ModuleType("paper")
        module.OFA_API = 1

        @hookimpl
        def ofa_claims():
            return claims

        module.ofa_claims = ofa_claims
        return Host.discover(installed, {"paper": module})

    return make


def verdicts(result):
    return {o.claim.removeprefix("paper_"): o.verdict for o in result.outcomes}


class TestVerdicts:
    def test_each_claim_has_its_own(self, checked):
        result = checked(
            claim("holds", found(243)),
            claim("fails", found(242, why="one is missing")),
            claim("lacks", read, needs=(TABLE,)),
            claim("extra", raising(MissingExtraError("this", "paper", "torch"))),
            claim("other", raising(UnknownNameError("supernet", "theirs", ["toy"]))),
            claim("refused", raising(InputError("broken.json: no JSON"))),
            claim("crashes", raising(ZeroDivisionError("oh"))),
            claim("unjudged", found(1, relation="shown")),
            claim("nothing", lambda context, files: None),
        )
        assert verdicts(result) == {
            "holds": "reproduced",
            "fails": "differs",
            "lacks": "needs",
            "extra": "needs",
            "other": "needs",
            "refused": "failed",
            "crashes": "failed",
            "unjudged": "failed",
            "nothing": "failed",
        }
        reasons = {o.claim: o.reason for o in result.outcomes}
        assert "table: a table; https://example.org/table" in reasons["paper_lacks"]
        assert "paper" in reasons["paper_crashes"]
        assert "ZeroDivisionError" in reasons["paper_crashes"]
        assert "judged" in reasons["paper_unjudged"]

    def test_a_misspelt_name_in_a_claim_is_its_plugins_fault_no_lack(self, checked):
        def asks(name):
            return lambda context, files: context.host.cost_model(name) and found(243)

        lacking, slipped = claim("a", asks("energy_of_theirs")), claim("b", asks("flopz"))
        result = checked(lacking, slipped)
        assert verdicts(result) == {"a": "needs", "b": "failed"}
        assert result.exit_code == 4
        said = (
            "fault of the claim's plugin: it asks for an unknown cost 'flopz'; nearest known: flops"
        )
        assert said in result.outcomes[1].reason

    def test_the_exit_code_is_that_of_the_first_that_failed_and_0_where_one_differs(self, checked):
        broken, crashing = raising(InputError("broken")), raising(ZeroDivisionError())
        assert checked(claim("a", found(0)), claim("b", found(243))).exit_code == 0
        assert checked(claim("a", found(0)), claim("b", broken)).exit_code == 5
        assert checked(claim("a", crashing), claim("b", broken)).exit_code == 4

    def test_a_claim_tells_progress_alone_and_writes_nowhere(self, checked, tmp_path):
        seen = []

        def check(context, files):
            seen.append((context.out, context.resume))
            context.listener(Notice("rows vary"))
            context.listener(Progress("network", 1, 2))
            return found(243)(context, files)

        checked(claim("a", check), out=tmp_path / "run")
        assert seen == [(None, False)]
        assert [e.what for e in checked.told if isinstance(e, Progress)] == ["claim", "network"]
        assert not [e for e in checked.told if isinstance(e, Notice)]


class TestNames:
    CLAIMS = (
        claim("a", found(243), "First"),
        claim("b", found(243), "Second"),
        claim("c", found(243), "Second"),
    )

    @pytest.mark.parametrize(
        ("names", "due"),
        [
            ((), "abc"),
            (("second",), "bc"),
            (("paper_b", "First"), "ba"),
            (("Second", "PAPER_B"), "bc"),
        ],
    )
    def test_claims_are_asked_by_name_or_by_work(self, checked, names, due):
        assert "".join(verdicts(checked(*self.CLAIMS, claims=names))) == due

    def test_an_unknown_name_is_told_with_claims_and_works(self, checked):
        for name, due in [
            ("papr_b", "paper_b, "),
            ("secnd", r"Second(\n|$)"),
            ("FRIST", r"First(\n|$)"),
        ]:
            with pytest.raises(UsageError, match=f"nearest known: {due}"):
                checked(*self.CLAIMS, claims=(name,))

    def test_one_like_none_is_told_whose_claims_are_here_and_not_all_of_them(self, checked):
        with pytest.raises(UsageError) as error:
            checked(*self.CLAIMS, claims=("thrid work",))
        assert "here: First, Second; for another work's install its plugin" in str(error.value)
        assert "paper_" not in str(error.value)

    def test_what_is_shown_says_whose_claims_are_here(self, checked):
        shown = checked(*self.CLAIMS, claims=("first",), show=True).as_tables()
        assert "here: First, Second;" in shown[-1][0]

    def test_without_any_claim_it_says_where_to_look(self, checked):
        with pytest.raises(UsageError, match="offers a claim"):
            checked()

    def test_a_claim_of_a_failed_plugin_is_told_with_its_blame(self, host_on_claims):
        def offer():
            yield claim("a", found(243))
            raise ZeroDivisionError("oh")

        host = host_on_claims(offer())
        told = []
        with pytest.raises(PluginError, match="ZeroDivisionError"):
            run_reproduce(JobContext(host), ReproduceOptions(claims=("paper_a",)))
        with pytest.raises(UsageError):
            run_reproduce(JobContext(host, told.append), ReproduceOptions())
        assert "ZeroDivisionError" in told[0].message


class TestMaterial:
    CLAIM = claim("a", read, needs=(TABLE,))

    @pytest.fixture
    def folder(self, tmp_path):
        (tmp_path / "lut").mkdir()
        (tmp_path / "lut" / "table").write_text("3")
        return tmp_path

    def test_it_is_found_in_its_place_below_the_folder(self, checked, folder, monkeypatch):
        assert verdicts(checked(self.CLAIM, material=folder)) == {"a": "reproduced"}
        assert verdicts(checked(self.CLAIM, material=folder / "lut")) == {"a": "needs"}
        monkeypatch.setenv("OFA_MATERIAL", str(folder))
        assert verdicts(checked(self.CLAIM)) == {"a": "reproduced"}

    def test_a_given_file_comes_before_the_folders(self, checked, folder, tmp_path):
        other = tmp_path / "other"
        other.write_text("4")
        assert verdicts(checked(self.CLAIM, material=folder, given=(f"table={other}",))) == {
            "a": "differs"
        }

    def test_a_broken_one_fails_its_claim_alone(self, checked, folder):
        (folder / "lut" / "table").write_text("\x80 os.system")
        result = checked(self.CLAIM, claim("b", found(243)), material=folder)
        assert verdicts(result) == {"a": "failed", "b": "reproduced"}
        assert result.exit_code == 5
        assert "not a number; copy it anew" in result.outcomes[0].reason

    @pytest.mark.parametrize(
        ("given", "error"),
        [
            ("table", UsageError),
            ("table=", UsageError),
            ("tabel=x", UnknownNameError),
            ("table=nowhere", InputError),
        ],
    )
    def test_what_cannot_be_given_is_refused(self, checked, given, error):
        with pytest.raises(error):
            checked(self.CLAIM, given=(given,))

    def test_a_file_of_a_claim_that_is_not_asked_may_be_given(self, checked, folder):
        given = (f"table={folder / 'lut' / 'table'}",)
        result = checked(self.CLAIM, claim("b", found(243)), given=given, claims=("paper_b",))
        assert verdicts(result) == {"b": "reproduced"}

    def test_a_name_of_two_files_cannot_be_given(self, checked, folder):
        other = Material("table", "elsewhere", "another table", "ask")
        claims = (self.CLAIM, claim("b", read, needs=(other,)))
        given = (f"table={folder / 'lut' / 'table'}",)
        with pytest.raises(UsageError, match="2 published files are called so: lut/table and els"):
            checked(*claims, given=given)
        assert verdicts(checked(*claims, given=given, claims=("paper_a",))) == {"a": "reproduced"}

    def test_a_folder_that_is_not_there_is_refused(self, checked, folder):
        with pytest.raises(InputError, match="no folder"):
            checked(self.CLAIM, material=folder / "nowhere")

    def test_what_two_plugins_call_alike_may_lie_in_two_places(self, checked, folder):
        other = Material("table", "elsewhere", "another table", "ask")
        result = checked(self.CLAIM, claim("b", read, needs=(other,)), material=folder)
        assert verdicts(result) == {"a": "reproduced", "b": "needs"}

    def test_shown_is_what_each_needs_and_nothing_is_checked(self, checked, folder):
        never = claim("b", raising(ZeroDivisionError()))
        shown = checked(self.CLAIM, never, material=folder, show=True)
        first, second = shown.as_json()
        assert (first["name"], second["needs"]) == ("paper_a", [])
        assert first["needs"] == [
            {
                "name": "table",
                "place": "lut/table",
                "summary": "a table",
                "how": "https://example.org/table",
                "here": True,
            }
        ]
        assert not shown.worth_keeping


class TestInterrupted:
    def test_what_was_checked_is_kept_and_resuming_asks_the_others(self, checked, tmp_path):
        asked = []

        def count(context, files):
            asked.append(1)
            return found(243)(context, files)

        out = tmp_path / "run"
        stopped = (claim("a", count), claim("b", raising(KeyboardInterrupt())))
        result = checked(*stopped, out=out)
        assert (verdicts(result), result.exit_code) == ({"a": "reproduced"}, 130)
        assert result.as_json()["interrupted"]
        result = checked(claim("a", count), claim("b", count), out=out, resume=True)
        assert (len(asked), result.exit_code) == (2, 0)
        assert verdicts(result) == {"a": "reproduced", "b": "reproduced"}

    @pytest.fixture
    def interruptible(self):
        """Ctrl-C raises here, also where the process was started to ignore it."""
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        yield signal.default_int_handler
        signal.signal(signal.SIGINT, before)

    def test_it_ends_a_claim_whose_search_returns_what_it_has(self, checked, interruptible):
        def searching(context, files):
            with suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
            return found(243)(context, files)

        result = checked(claim("a", found(243)), claim("b", searching), claim("c", found(243)))
        assert (verdicts(result), result.exit_code) == ({"a": "reproduced"}, 130)
        assert signal.getsignal(signal.SIGINT) is interruptible

    def test_before_the_first_claim_it_ends_as_any_interrupt(self, checked):
        with pytest.raises(KeyboardInterrupt):
            checked(claim("a", raising(KeyboardInterrupt())))

    def test_resuming_asks_again_what_could_not_be_judged(self, checked, tmp_path):
        lacking, broken = claim("a", read, needs=(TABLE,)), claim("b", raising(InputError("x")))
        out = tmp_path / "run"
        assert set(verdicts(checked(lacking, broken, out=out)).values()) == {"needs", "failed"}
        (tmp_path / "lut").mkdir()
        (tmp_path / "lut" / "table").write_text("3")
        mended = claim("b", found(243))
        result = checked(lacking, mended, out=out, resume=True, material=tmp_path)
        assert set(verdicts(result).values()) == {"reproduced"}

    @pytest.mark.parametrize("verdict", ["reproduced", "consistent", "differs"])
    def test_resuming_asks_nothing_again_that_was_judged(self, checked, tmp_path, verdict):
        how = {"consistent": {"kind": "published"}}.get(verdict, {})
        judged = claim("a", found(242 if verdict == "differs" else 243, **how))
        assert verdicts(checked(judged, out=tmp_path / "run")) == {"a": verdict}
        again = claim("a", raising(ZeroDivisionError()))
        assert verdicts(checked(again, out=tmp_path / "run", resume=True)) == {"a": verdict}

    def test_fewer_and_other_claims_go_on_with_those_that_were_checked(self, checked, tmp_path):
        once, out = claim("a", found(243)), tmp_path / "run"
        checked(once, claim("b", found(243)), out=out)
        never, new = claim("a", raising(ZeroDivisionError())), claim("c", found(242))
        few = checked(never, new, out=out, resume=True, claims=("paper_a",))
        assert verdicts(few) == {"a": "reproduced"}
        more = checked(never, new, out=out, resume=True)
        assert verdicts(more) == {"a": "reproduced", "c": "differs"}

    def test_a_journal_of_another_seed_is_refused(self, checked, tmp_path):
        checked(claim("a", found(243)), out=tmp_path / "run")
        with pytest.raises(UsageError, match="seed"):
            checked(claim("a", found(243)), out=tmp_path / "run", resume=True, seed=1)

    @pytest.mark.parametrize("line", ['{"claim": "paper_a"}', '{"verdict": 3}', "[1]", "{"])
    def test_a_journal_that_is_broken_is_told(self, checked, tmp_path, line):
        out = tmp_path / "run"
        checked(claim("a", found(243)), out=out)
        with (out / JOURNAL).open("a") as file:
            file.write(line + "\n")
        with pytest.raises(InputError, match="line 3"):
            checked(claim("a", found(243)), out=out, resume=True)


class TestResult:
    def test_ours_stands_beside_the_published_figure(self, checked):
        result = checked(
            claim("a", found(242.5, relation="at least", within=0.25, why="known", unit="ms")),
            claim("b", found(243, kind="measured")),
        )
        json.dumps(result.as_json())
        first = result.as_json()["claims"][0]
        assert first["rows"] == [
            {
                "what": "networks",
                "ours": 242.5,
                "published": 243,
                "unit": "ms",
                "kind": "computed",
                "relation": "at least",
                "within": 0.25,
                "holds": False,
                "why": "known",
            }
        ]
        assert (first["source"], first["reason"]) == ("Table 1", "by counting")
        titles = [title for title, _, _ in result.as_tables()]
        assert titles[0] == "paper_a: differs\nthat a\nTable 1"
        assert titles[1] == "networks: known\nby counting\n"
        assert titles[-1] == "2 claims: 1 reproduced, 1 differs"
        cells = result.as_tables()[0][2][0]
        assert cells == ("networks", "242.5", "≥ 243 ± 0.25", "ms", "computed", "differs")

    def test_where_there_is_nothing_to_hold_ours_to_nothing_is_said_of_it(self, checked):
        row = Comparison("x", 1, None, relation="at least", within=0.5, beside="theirs")
        cells = checked(claim("a", lambda *given: Checked([row]))).as_tables()[0][2][0]
        assert cells[1:3] == ("1", "–")

    def test_a_reason_of_several_figures_is_said_once(self, checked):
        rows = [Comparison(what, 1, 2, why="known") for what in ("first", "second", "third")]
        result = checked(claim("a", lambda context, files: Checked(rows)))
        assert result.as_tables()[1][0] == "first, and 2 more: known\n"

    def test_the_page_of_its_run_has_its_tables(self, checked):
        result = checked(claim("a", found(243)), claim("b", read, needs=(TABLE,)))
        kept = json.loads(json.dumps(result.as_json()))
        overview, figures, lacking = tables_of(kept)
        assert overview.title == "2 claims: 1 reproduced, 1 needs"
        assert overview.rows[0][:4] == ("paper_a", "Paper", "that a", "reproduced")
        assert figures.title == "paper_a: reproduced\nthat a\nTable 1\nby counting"
        assert figures.columns == ("figure", "ours", "published", "unit", "kind", "judged")
        assert (lacking.title.splitlines()[0], lacking.columns) == ("paper_b: needs", ())

    def test_the_page_of_its_run_says_why_and_what_is_needed(self, checked):
        result = checked(
            claim("a", found(242, why="one is missing")),
            claim("b", read, needs=(TABLE,)),
            claim("c", raising(InputError("no JSON", advice="copy it anew"))),
            claim("d", found(243, kind="published")),
            claim("e", chosen),
        )
        overview, figures, *_ = tables_of(json.loads(json.dumps(result.as_json())))
        whys = [row[overview.columns.index("why")] for row in overview.rows]
        assert whys == [
            "one is missing",
            "needs table: a table; https://example.org/table",
            "no JSON; copy it anew",
            "arithmetic on published figures",
            "the trace is ours",
        ]
        assert figures.rows[0][figures.columns.index("why")] == "one is missing"

    def test_one_verdict_can_be_shown_alone_and_all_are_counted(self, checked):
        claims = claim("a", found(243)), claim("b", found(242)), claim("c", found(241))
        result = checked(*claims, verdict=("differs",))
        tables = result.as_tables()
        titles = [title.partition(":")[0] for title, _, rows in tables if rows]
        assert titles == ["paper_b", "paper_c", "3 claims"]
        assert [row[0] for row in tables[-1][2]] == ["paper_b", "paper_c"]
        assert "1 reproduced, 2 differs" in tables[-1][0]
        assert len(result.as_json()["claims"]) == 3
