"""Labels networks, fits latency predictors, and writes docs/latency_predictor.md's figures.

``python docs/make_latency_predictor.py FOLDER [--steps cpu,note10] [--networks 600]
[--resolution 224] [--epochs 200] [--set latency.passes=300 …]``: labels and fits are kept in FOLDER
and gone on with; the figures go into
docs/data/latency_predictor.json, from which the page's table is made. ``cpu`` measures whole
networks and a latency table on this machine, which should have nothing else to do: an hour or two
on two cores, most of it training. ``note10`` prices networks by the published table
(``--note10 FOLDER``). ``--steps none`` only writes the page.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ofa_plugins_core.cli.main import run

HERE = Path(__file__).parent
PAGE = HERE / "latency_predictor.md"
KEPT = HERE / "data" / "latency_predictor.json"
SUPERNET = {"cpu": "ofa_mbv3_w1.0", "note10": "ofa_mbv3_w1.2"}
ABOUT = {
    "cpu": "measured on {device}",
    "note10": "by the published Note10 table",
}


def ofa(out: Path, *words: str) -> dict[str, Any]:
    """A command's result; what is done already is not done again."""
    kept = out / "result.json"
    if not kept.is_file():
        more = ["--resume"] if out.exists() else []
        code = run([*words, "--out", str(out), *more])
        if code:
            raise SystemExit(code)
    found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    return found


def step(name: str, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Label, have a table, fit: what ``fit`` says, and of what."""
    supernet, size = SUPERNET[name], str(given.resolution)
    place = folder / name
    if name == "note10":
        table, how = given.note10, ["--lut", f"note10={given.note10}"]
    else:
        table, how = place / "table", ["--device", "cpu", "--measure"]
        words = ["run", "lut", "--supernet", supernet, "--device", "cpu", "--resolutions", size]
        ofa(table, *words, *given.set)
        how += given.set
    words = ["run", "label", "--supernet", supernet, "--n", str(given.networks)]
    labels = ofa(place / "labels", *words, "--resolutions", size, *how)
    words = ["run", "fit", "--kind", "latency", "--supernet", supernet, "--lut", f"table={table}"]
    data = ["--data", str(place / "labels" / "latencies.csv")]
    epochs = ["--set", f"sequence.epochs={given.epochs}"]
    found = ofa(place / "fit", *words, *data, *epochs)
    about = ABOUT[name].format(device=labels["source"])
    keys = ("supernet", "resolutions", "networks", "held_out", "beside", "verdict", "note")
    ways = {**{k: found[k] for k in keys}, "form": found["predictor"]}
    return {"labels": about, "epochs": given.epochs, **ways}


def rows(figures: dict[str, Any]) -> Iterator[str]:
    """The table of the page."""
    yield (
        "| latencies | networks: fitted to, chosen by, held out | way | MAE ms | MAPE % | "
        "Spearman | fastest 10 % | fastest 25 % |"
    )
    yield "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |"
    for found in figures.values():
        split = found["networks"]
        many = f"{split['train']}, {split['dev']}, {split['held_out']}"
        about = f"{found['supernet']} at {found['resolutions'][0]}, {found['labels']}"
        form = f"{found['form']}, {found['epochs']} epochs"
        for way, quality in {form: found["held_out"], **found["beside"]}.items():
            yield f"| {about} | {many} | {way} | {_cells(quality)} |"
            about = many = ""
    yield ""
    for found in figures.values():
        yield f"- Latencies {found['labels']}: {found['verdict']}.{_linear(found)}"


def _linear(found: dict[str, Any]) -> str:
    """Whether a linear fit would have done."""
    off, form = found["held_out"]["mape"], found["form"]
    linear = found["beside"].get("linear", {"mape": float("inf")})["mape"]
    if linear <= off:
        return f" A linear fit suffices: off by {linear:.2f} %, {form} by {off:.2f} %."
    return ""


def _cells(quality: dict[str, Any]) -> str:
    ranks = quality["spearman"]
    cells = [f"{round(quality['mae'], 4):.3g}", f"{quality['mape']:.2f}"]
    cells.append("?" if ranks is None else f"{ranks:.4f}")
    return " | ".join([*cells, *(f"{100 * v:.0f} %" for v in quality["overlap"].values())])


def page(text: str) -> str:
    """The page with its table made anew from the figures."""
    figures = json.loads(KEPT.read_text(encoding="utf-8"))
    made = "\n".join(rows(figures))
    marked = f"<!-- figures -->\n\n{made}\n\n<!-- end of figures -->"
    pattern = r"<!-- figures -->\n.*?<!-- end of figures -->"
    text, count = re.subn(pattern, lambda _: marked, text, flags=re.DOTALL)
    assert count == 1, f"{PAGE} has {count} places for the figures"
    return text


def main() -> None:
    """Do the steps, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", default="cpu,note10", help="or none")
    parser.add_argument("--networks", type=int, default=600)
    parser.add_argument("--resolution", type=int, default=224)
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--set", nargs="*", default=[], help="of measuring: latency.passes=300")
    note10 = HERE.parent.parent / "shared" / "data" / "lut" / "note10"
    parser.add_argument("--note10", type=Path, default=note10)
    given = parser.parse_args()
    given.set = [word for one in given.set for word in ("--set", one)]
    figures = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else {}
    for name in (s for s in given.steps.split(",") if s != "none"):
        figures[name] = step(name, given.folder, given)
        KEPT.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
