"""docs/outside.py: pages made from files outside docs/, and links that find them."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
if not (ROOT / "docs").is_dir():
    pytest.skip("the docs are not beside the tests", allow_module_level=True)

SPEC = importlib.util.spec_from_file_location("outside", ROOT / "docs" / "outside.py")
outside = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(outside)


@pytest.fixture
def root(tmp_path):
    """A checkout with a page, a plugin, an example, and a script."""
    for name in (
        "docs/a.md",
        "docs/search.md",
        "plugins/p/README.md",
        "examples/x.yaml",
        "b/run.py",
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"of {file.stem}\n")
    (tmp_path / "README.md").write_text(
        "# ofa-plugins\n\n## Read on\n\n- [a](docs/a.md)\n\nMIT licence.\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    ("source", "page", "link", "found"),
    [
        ("docs/a.md", "a.md", "[r](../README.md#x)", "[r](copied/start.md#x)"),
        ("docs/a.md", "a.md", "[s](search.md#why)", "[s](copied/searching.md#why)"),
        ("docs/a.md", "a.md", "[p](../plugins/p)", "[p](copied/plugins/p.md)"),
        ("docs/a.md", "a.md", "[x](../examples/x.yaml)", "[x](copied/examples.md)"),
        ("docs/a.md", "a.md", "[b](../b/run.py)", "b (`b/run.py`)"),
        ("docs/a.md", "a.md", "[`b/run.py`](../b/run.py)", "`b/run.py`"),
        ("README.md", "copied/start.md", "[a](docs/a.md)", "[a](../a.md)"),
        ("plugins/p/README.md", "copied/plugins/p.md", "[a](../../docs/a.md)", "[a](../../a.md)"),
        ("docs/a.md", "a.md", "[far](https://example.org/a.md)", "[far](https://example.org/a.md)"),
        ("docs/a.md", "a.md", "[here](#below)", "[here](#below)"),
        ("docs/a.md", "a.md", "![](figures/no.svg)", "![](figures/no.svg)"),
    ],
)
def test_a_link_leads_to_a_page_of_the_site_or_becomes_a_path(root, source, page, link, found):
    assert outside.linked(f"See {link}.", source, page, root) == f"See {found}."


def test_code_is_left_alone(root):
    text = "```python\nx[0](../nowhere)\n```\n"
    assert outside.linked(text, "docs/a.md", "a.md", root) == text


def test_a_link_to_nothing_is_an_error(root):
    with pytest.raises(outside.BrokenLinkError, match=r"docs/a\.md: \.\./gone is not there"):
        outside.linked("[x](../gone)", "docs/a.md", "a.md", root)


def test_pages_are_made_of_the_readmes_and_the_examples(root):
    made = outside.copied(root)
    assert set(made) == {
        f"copied/{name}.md" for name in ("start", "examples", "searching", "plugins/p")
    }
    assert made["copied/start.md"] == "# Start\n\nMIT licence.\n"
    assert "## x.yaml\n\n```yaml\nof x\n```" in made["copied/examples.md"]


def test_no_page_links_to_what_is_not_there():
    for page in sorted((ROOT / "docs").glob("*.md")):
        outside.linked(page.read_text(encoding="utf-8"), f"docs/{page.name}", page.name)
    outside.copied()


def test_every_page_is_in_the_table_of_contents():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^(?:.*<)?([\w/]+)>?$", index, re.MULTILINE))
    pages = {p.stem for p in (ROOT / "docs").glob("*.md")} - {"index", "search"}
    assert pages - listed == set()
