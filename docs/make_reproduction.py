"""Check every claim, keep what came out in docs/data/reproduction.json, write docs/reproduction.md.

python docs/make_reproduction.py --material FOLDER    # minutes; FOLDER: published files
python docs/make_reproduction.py                      # the page again, from what is kept
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from platform import python_version
from typing import Any, Final

from ofa_plugins_core.claims import Verdict
from ofa_plugins_core.jobs.reproduced import VERDICTS, Outcome, Reproduction, why_of
from ofa_plugins_core.words import counted

HERE: Final = Path(__file__).parent
DATA: Final = HERE / "data" / "reproduction.json"
PAGE: Final = HERE / "reproduction.md"
LIBRARIES: Final = ("numpy", "torch")

HEAD: Final = """# What the papers claim, checked

```sh
pip install -r requirements.txt './plugins/dynamic_ofa[torch]' ./plugins/block_profile
ofa reproduce
ofa reproduce --show
ofa reproduce CompOFA --material FOLDER --verdict differs
```

`ofa reproduce` checks what the papers of this field claim, one by one: what comes out here beside
the published figure and its source. It goes by name or by work; `--json` is for programs. Nothing
is fetched. `--out RUN` keeps what was found, Ctrl-C ends it, `--resume --out RUN` goes on, with
fewer claims or more, and `ofa report RUN` makes a page.

Claims come with plugins. The first line, in a checkout, installs all of them; `requirements.txt`
alone has neither Dynamic-OFA's nor block profiling's, nor torch, which a few claims need.

Claims about published files need your own copies of these: `--show` says which, at which address
their authors have them, and where they have to lie below `--material FOLDER` (or `$OFA_MATERIAL`).

| verdict | |
|---|---|
| **reproduced** | every judged row holds: it stands to the published figure as the claim says |
| **consistent** | they hold, too, but by arithmetic on published figures, or by a choice of ours |
| **differs** | one does not; the reason is said where it is known |
| **needs** | it takes a file, a plugin or an extra that is not here |
| **failed** | a file is broken (exit code 5), or a plugin is (4) |

*Kind* says how our figure was had. *Computed* and *measured* (here, or by the records' authors) are
what they say; *predicted* is a fit's or a published predictor's word; *published* is arithmetic on
published figures, which shows that they agree with each other and no more. Nothing here trains a
network: what a paper says of its own training is beyond this page, but for its arithmetic and the
records of its checkpoints. Where no figure was published it says *none*, and what ours is held to
instead. A row without a verdict is shown, not judged. What your own paper claims is checked beside
these by a [hook of your plugin](hooks.md#ofa_claims).
"""


def parsed() -> argparse.Namespace:
    """What the caller wants."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--material", type=Path)
    parser.add_argument("--only", nargs="+", default=(), metavar="NAME")
    return parser.parse_args()


def found(material: Path, only: Sequence[str], before: Sequence[Any]) -> dict[str, Any]:
    """Check claims, each of this machine and these versions.

    Args:
        only: their names; none: all.
        before: what is kept of the others; of claims that nobody offers any more nothing is.

    Raises:
        SystemExit: a claim failed, or lacks what it needs.
    """
    result = json.loads(_ofa(*only, "--material", str(material.resolve()), "--json"))
    offered = [json.loads(line)["name"] for line in _ofa("--show", "--json").splitlines()]
    known = {c["claim"]: c for c in (*before, *result["claims"])}
    claims = [known[name] for name in offered if name in known]
    verdicts = {v: sum(c["verdict"] == v for c in claims) for v in VERDICTS}
    if verdicts["needs"] or verdicts["failed"]:
        sys.exit(f"not everything could be checked: {verdicts}")
    text = json.dumps(claims)
    if str(material.resolve()) in text or str(Path.home()) in text:
        sys.exit("a claim names a place on this machine")
    about = {
        "command": "ofa reproduce --material FOLDER --json",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": {
            "ofa-plugins": version("ofa-plugins-core"),
            "Python": python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
    }
    return {"about": about, "claims": claims}


def _ofa(*words: str) -> str:
    done = subprocess.run(["ofa", "reproduce", *words], stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


def machine() -> str:
    """Kind of processor, and how many of its cores there are."""
    told = Path("/proc/cpuinfo")
    text = told.read_text(encoding="utf-8") if told.is_file() else ""
    model = re.search(r"model name\s*: (.*)", text)
    cores = counted(os.cpu_count() or 1, "core")
    return f"{cores} of {model[1].strip() if model else 'an unknown processor'}"


def page(kept: Mapping[str, Any]) -> str:
    """The whole page, from what is kept."""
    outcomes = [Outcome.read(claim) for claim in kept["claims"]]
    return "\n".join([HEAD, *_summary(kept, outcomes), *_works(outcomes)]).rstrip() + "\n"


def _summary(kept: Mapping[str, Any], outcomes: Sequence[Outcome]) -> Iterator[str]:
    about, verdicts = kept["about"], Counter(o.verdict for o in outcomes)
    said = ", ".join(f"{verdicts[v]} {v}" for v in VERDICTS if verdicts[v])
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    minutes = sum(o.seconds or 0 for o in outcomes) / 60
    yield f"## {counted(len(outcomes), 'claim')}: {said}\n"
    yield (
        f"Made by `{about['command']}` on {about['date']}, in {minutes:.1f} minutes on "
        f"{about['machine']}, shared with other work; {versions}.\n"
        "`python docs/make_reproduction.py --material FOLDER` makes this page again.\n"
    )
    yield "| claim | work | what it says | verdict | s |\n|---|---|---|---|---|"
    for o in outcomes:
        row = (f"[{o.claim}](#{o.claim})", o.work, _text(o.summary), f"**{o.verdict}**", _time(o))
        yield f"| {' | '.join(row)} |"
    yield ""
    yield from _reasons(outcomes, "differs", "What differs, and why")
    yield from _reasons(outcomes, "consistent", "What is consistent, and why no more")


def _reasons(outcomes: Sequence[Outcome], verdict: Verdict, heading: str) -> Iterator[str]:
    """Why, of each claim of a verdict: every reason once."""
    found = [o for o in outcomes if o.verdict == verdict]
    if not found:
        return
    yield f"## {heading}\n"
    yield "| claim | what it says | why |\n|---|---|---|"
    for o in found:
        why = why_of(o) or "the reason is not known"
        yield f"| [{o.claim}](#{o.claim}) | {_text(o.summary)} | {_text(why)} |"
    yield ""


def _time(outcome: Outcome) -> str:
    return "" if outcome.seconds is None else f"{outcome.seconds:.1f}"


def _works(outcomes: Sequence[Outcome]) -> Iterator[str]:
    for work, claims in groupby(outcomes, key=lambda o: o.work):
        yield f"## {work}\n"
        for outcome in claims:
            yield from _claim(outcome)


def _claim(outcome: Outcome) -> Iterator[str]:
    """One claim: its figures as a table, and what there is to say of them."""
    first, second, _ = Reproduction([outcome], 1).as_tables()
    yield f"### {outcome.claim}\n"
    yield f"{_text(outcome.summary)}. *{_text(outcome.source)}*: **{outcome.verdict}**\n"
    _, columns, rows = first
    if rows:
        yield f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}"
        yield from (f"| {' | '.join(map(_text, row))} |" for row in rows)
        yield ""
    notes = [line for line in second[0].splitlines() if line.strip()]
    yield from (f"{_text(line)}\n" for line in notes)


def _text(text: str) -> str:
    """As it is, whatever Markdown or HTML would make of it."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\|*`\[\]]|(?<!\w)_|_(?!\w))", r"\\\1", plain)


def main() -> None:
    """Check where material is given; write."""
    given = parsed()
    if given.material is not None:
        kept = json.loads(DATA.read_text(encoding="utf-8"))["claims"] if given.only else ()
        result = found(given.material, given.only, kept)
        text = json.dumps(result, indent=1, ensure_ascii=False)
        DATA.write_text(text + "\n", encoding="utf-8")
    PAGE.write_text(page(json.loads(DATA.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main()
