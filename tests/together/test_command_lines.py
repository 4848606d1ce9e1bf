"""Every command line that a page prints is one that the program takes; none is unaccounted for."""

from __future__ import annotations

import importlib.util
import re
import sys
import tomllib
from pathlib import Path

import pytest
import typer

from ofa_plugins_core import Host
from ofa_plugins_core.cli import run as cli
from ofa_plugins_core.cli.main import app
from ofa_plugins_core.cli.session import Session
from ofa_plugins_core.errors import OfaError, UsageError

for plugin in ("moofa", "compofa", "dynamic_ofa", "block_profile", "devices_jetson"):
    pytest.importorskip(plugin, reason="the pages are about all plugins")

ROOT = Path(__file__).parents[2]
if not (ROOT / "docs").is_dir():
    pytest.skip("the docs are not beside the tests", allow_module_level=True)


def loaded(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


command_lines = loaded("command_lines")
GIVEN = command_lines.substitutes()
PAGES = {page: (ROOT / page).read_text(encoding="utf-8") for page in command_lines.pages()}
LINES = {page: command_lines.lines_of(page, text) for page, text in PAGES.items()}
ALL = [line for lines in LINES.values() for line in lines]
HOST = Host.discover()


def read(words):
    """Take a command line as the program does, up to the point where it would start to work."""
    session = Session(words, lambda block: HOST)
    context = typer.main.get_command(app).make_context("ofa", list(words), obj=session)
    while hasattr(context.command, "resolve_command"):
        rest = [*context._protected_args, *context.args]
        name, command, rest = context.command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context, obj=session)
    missing = [p.name for p in context.command.params if p.required and not context.params[p.name]]
    if missing:
        raise UsageError(f"{', '.join(missing)} missing")
    if context.parent.command_path == "ofa run":
        entry = HOST.job(context.info_name)
        given = {k: v for k, v in context.params.items() if k not in ("config", "resume")}
        if not context.params["config"]:
            cli.requested(entry, HOST, given)


def trouble(line, text):
    """What the program has against a line; None: nothing."""
    words = command_lines.Line(line.page, line.number, text).ofa
    try:
        read(words)
    except (OfaError, Exception) as error:
        return f"{line.page}:{line.number}: {text}: {error or type(error).__name__}"
    return None


@pytest.mark.parametrize("page", LINES)
def test_the_program_takes_every_line_as_printed(page):
    lines = [line for line in LINES[page] if line.ofa is not None]
    assert [t for line in lines if (t := trouble(line, line.text))] == []


@pytest.mark.parametrize("page", LINES)
def test_the_program_takes_every_line_as_it_is_run(page):
    lines = [x for x in LINES[page] if x.ofa is not None and GIVEN.reason(x) is None]
    assert [t for line in lines if (t := trouble(line, GIVEN.small(line)))] == []


@pytest.mark.parametrize(
    "line",
    [
        "ofa run search --supernet moofa_v3 --cost peak_memory --bound 3",
        "ofa run search --cost peak_memory",
        "ofa run serch --supernet moofa_v3",
        "ofa run search --supernet moofa_v3 --set evolution.populace=3",
        "ofa weights fetsh x",
        "ofa show supernet moofa_v3 --jsn",
    ],
)
def test_a_line_that_is_wrong_is_found(line):
    assert trouble(command_lines.Line("a page", 1, line), line)


def test_nothing_that_is_run_still_has_to_be_filled_in():
    run = [line for line in ALL if GIVEN.reason(line) is None]
    assert len(run) > 100
    open_ends = [f"{x.page}:{x.number}: {GIVEN.small(x)}" for x in run]
    assert [text for text in open_ends if command_lines.PLACEHOLDER.search(text)] == []


def test_every_reason_not_to_run_is_still_needed():
    idle = [m for page, text in PAGES.items() for m in command_lines.idle_marks(page, text)]
    general = [p for p, _ in GIVEN.elsewhere if not any(re.search(p, x.text) for x in ALL)]
    assert (idle, general) == ([], [])


def test_what_is_installed_and_run_from_the_checkout_is_there():
    missing = []
    for line in ALL:
        words = line.words
        if "pip" in words[0] and words[1] == "install":
            missing += [f"{line.page}: {w}" for w in words[2:] if w[0] in "./" and not _is_there(w)]
        if words[0] == "python" and words[1].endswith(".py") and not (ROOT / words[1]).is_file():
            missing.append(f"{line.page}: {words[1]}")
    assert missing == []


def _is_there(requirement):
    """A local path with a pyproject.toml that has the extras asked for."""
    path, _, extras = requirement.rstrip("]").partition("[")
    file = ROOT / path / "pyproject.toml"
    if not file.is_file():
        return False
    known = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
    return {*filter(None, extras.split(","))} <= {*known.get("optional-dependencies", ())}


class TestReadingPages:
    """Which lines are commands, and which reasons are whose."""

    PAGE = """\
# Title

<!-- not run, "two": because -->

```sh
# a comment
ofa one --a '# no comment'   # but this
ofa two \\
    --b
```

```python
ofa three
```

| a | b |
|---|---|
| `ofa show four --c d\\|e` | `ofa` and `other thing` |

<!-- not run: never -->

```console
pip five
```

<!-- not run: nothing here -->
"""

    def test_commands_with_their_numbers_and_reasons(self):
        found = [(x.number, x.text, x.why_not) for x in command_lines.lines_of("p.md", self.PAGE)]
        assert found == [
            (7, "ofa one --a '# no comment'", None),
            (8, "ofa two --b", "because"),
            (18, "ofa show four --c d|e", None),
            (23, "pip five", "never"),
        ]

    def test_a_reason_for_a_whole_page(self):
        text = self.PAGE.replace("# Title", "<!-- not run on this page: no -->")
        assert {x.why_not for x in command_lines.lines_of("p.md", text)} == {"no"}

    def test_a_mark_that_no_line_answers_to_is_idle(self):
        text = self.PAGE.replace('"two"', '"twelve"')
        assert command_lines.idle_marks("p.md", text) == ["p.md: twelve"]


def test_the_page_of_commands_is_current():
    maker = loaded("make_commands")
    kept = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert kept == maker.page(), "run: python docs/make_commands.py"
