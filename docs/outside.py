"""A Sphinx extension: what lies outside ``docs/`` as pages of the site, and links that find it.

The README and those of the plugins become pages; so do the examples, each in full, and
docs/search.md under another name, for Sphinx has a page ``search`` of its own. A link from any page
to one of them leads to that page; a link to any other file of the checkout becomes its path, for
there is no public address to lead to. A link to a file that is not there is an error.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT: Final = Path(__file__).resolve().parents[1]
COPIED: Final = "copied"
"""The folder in ``docs/`` for pages that are made from files outside it; not kept."""

MADE_BY_FULL: Final = "composition"
"""The page that a run of every combination writes: it may not be there yet."""
LINK: Final = re.compile(
    r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<target>[^)#\s:]*)(?P<anchor>#[^)\s]*)?\)"
)
LANGUAGES: Final = {".yaml": "yaml", ".py": "python", ".jsonl": "json"}


class BrokenLinkError(Exception):
    """A link leads to a file that the checkout does not hold."""


def pages_of(root: Path) -> dict[str, str]:
    """File or folder of the checkout -> the page, in ``docs/``, that shows it."""
    found = {"README.md": f"{COPIED}/start.md", "examples": f"{COPIED}/examples.md"}
    found["docs/search.md"] = f"{COPIED}/searching.md"
    if (root / "CHANGELOG.md").is_file():
        found["CHANGELOG.md"] = f"{COPIED}/changelog.md"
    for readme in sorted(root.glob("plugins/*/README.md")):
        name = readme.parent.name
        page = f"{COPIED}/plugins/{name}.md"
        found |= {f"plugins/{name}": page, f"plugins/{name}/README.md": page}
    return found


def linked(text: str, source: str, page: str, root: Path = ROOT) -> str:
    """A page's text, its links fit for the site.

    Args:
        text: Markdown.
        source: the file that it comes from, from the root of the checkout.
        page: where it stands in the site, from ``docs/``.
        root: the checkout.

    Raises:
        BrokenLinkError: a link leads nowhere.
    """
    pages = pages_of(root)

    def one(match: re.Match[str]) -> str:
        words, target, anchor = match["text"], match["target"], match["anchor"] or ""
        if not target:
            return match[0]
        file = os.path.normpath(PurePosixPath(source).parent / target)
        if not (root / file).exists():
            raise BrokenLinkError(f"{source}: {target} is not there")
        place = _place(file, pages)
        if place is None:
            return f"{words} (`{file}`)" if file not in words else words
        return f"[{words}]({os.path.relpath(place, PurePosixPath(page).parent)}{anchor})"

    parts = re.split(r"(^ *```.*?^ *```$)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if i % 2 else LINK.sub(one, part) for i, part in enumerate(parts))


def _place(file: str, pages: dict[str, str]) -> str | None:
    """Where a file of the checkout stands in the site, from ``docs/``; None: nowhere."""
    if file in pages:
        return pages[file]
    if file.startswith("docs/"):
        return file.removeprefix("docs/")
    return pages["examples"] if file.startswith("examples/") else None


def copied(root: Path = ROOT) -> dict[str, str]:
    """Pages to make from files outside ``docs/``: page -> Markdown."""
    made = {page: source for source, page in pages_of(root).items() if source.endswith(".md")}
    texts = {
        page: linked((root / source).read_text(encoding="utf-8"), source, page, root)
        for page, source in made.items()
    }
    texts[f"{COPIED}/start.md"] = _started(texts[f"{COPIED}/start.md"])
    return {**texts, f"{COPIED}/examples.md": _examples(root)}


def _started(text: str) -> str:
    """The README without its list of pages, which the site's own navigation is."""
    text = text.replace("# ofa-plugins\n", "# Start\n", 1)
    return re.sub(r"^## Read on\n.*?(?=^MIT licence)", "", text, flags=re.MULTILINE | re.DOTALL)


def _examples(root: Path) -> str:
    parts = ["# Examples\n", "Files of the checkout's folder `examples`, in full.\n"]
    for file in sorted((root / "examples").iterdir()):
        if file.suffix in LANGUAGES:
            fence = f"```{LANGUAGES[file.suffix]}\n{file.read_text(encoding='utf-8').rstrip()}\n```"
            parts.append(f"## {file.name}\n\n{fence}\n")
    return "\n".join(parts)


def _write(app: Sphinx) -> None:
    wanted = copied()
    folder = Path(app.srcdir)
    for old in (folder / COPIED).rglob("*.md"):
        if old.relative_to(folder).as_posix() not in wanted:
            old.unlink()
    for page, text in wanted.items():
        file = folder / page
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def _read(app: Sphinx, name: str, source: list[str]) -> None:
    if name == "index" and not (Path(app.srcdir) / f"{MADE_BY_FULL}.md").is_file():
        source[0] = re.sub(rf"\n.*\b{MADE_BY_FULL}\b.*", "", source[0])
    if not name.startswith(f"{COPIED}/"):
        source[0] = linked(source[0], f"docs/{name}.md", f"{name}.md")


def setup(app: Sphinx) -> dict[str, Any]:
    """Sphinx's entry."""
    app.connect("builder-inited", _write)
    app.connect("source-read", _read)
    return {"version": "1", "parallel_read_safe": True}
