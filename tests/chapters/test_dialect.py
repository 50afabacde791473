"""The tables of where our book uses the dialect are complete and true; sections say where they are discussed."""

import re
import tomllib
from pathlib import Path

import pytest

from d2lbuild.config import load_config
from d2lbuild.edition.select import has_page
from d2lbuild.model import BlockKind, Section
from d2lbuild.source.book import load_book

ROOT = Path(__file__).parents[2]
CONFIG = load_config(ROOT)
LINK = re.compile(r"\]\(\.\./chapters/(?P<section>[\w/-]+)\.md\)")
PATTERNS: dict[str, list[str]] = {
    mark["row"]: mark["patterns"]
    for mark in tomllib.loads((Path(__file__).parent / "dialect_marks.toml").read_text(encoding="utf-8"))["mark"]
}
FORUM = CONFIG.html.forum
NOT_DISCUSSED = {"index", "references"}
"""Names of sections that only lead to others."""


def source_of(section: str) -> str:
    return (ROOT / CONFIG.chapters / f"{section}.md").read_text(encoding="utf-8")


def marks_of(document: str) -> dict[str, str]:
    """Return the first two cells of each row about marks in one of the two documents."""
    rows: dict[str, str] = {}
    heading = ""
    lines = document.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if not line.startswith("|"):
            heading = ""
            continue
        first, second = (cell.strip() for cell in line.split("|")[1:3])
        if following.startswith("|---"):
            heading = first
        elif heading in {"in the source", "tag"} and not line.startswith("|---"):
            rows[first] = second
    return rows


WHERE = marks_of((ROOT / "docs" / "dialect-in-the-book.md").read_text(encoding="utf-8"))


def test_each_mark_of_the_dialect_has_a_row_and_patterns() -> None:
    dialect = marks_of((ROOT / "docs" / "dialect.md").read_text(encoding="utf-8"))
    assert len(dialect) > 30
    assert set(dialect) <= set(WHERE)
    assert set(WHERE) == set(PATTERNS)


@pytest.mark.parametrize("row", WHERE)
def test_a_mark_is_where_its_row_says(row: str) -> None:
    sections = [match["section"] for match in LINK.finditer(WHERE[row])]
    patterns = [re.compile(pattern, re.MULTILINE) for pattern in PATTERNS[row]]
    if not sections:
        assert re.match(r"nowhere: \w", WHERE[row])
        found = {path: path.read_text(encoding="utf-8") for path in (ROOT / CONFIG.chapters).rglob("*.md")}
        assert [path for path, text in found.items() if any(pattern.search(text) for pattern in patterns)] == []
        return
    sources = {section: source_of(section) for section in sections}
    for section, text in sources.items():
        assert any(pattern.search(text) for pattern in patterns), f"{section} has nothing of {row}"
    for pattern in patterns:
        assert any(pattern.search(text) for text in sources.values()), f"{pattern.pattern} is in none of {sections}"


def test_every_section_ends_with_where_it_is_discussed() -> None:
    wrong = {
        name: discussed(section)
        for name, section in load_book(CONFIG).sections.items()
        if name.rpartition("/")[2] not in NOT_DISCUSSED and not source_of(name).endswith(f"\n\n{discussed(section)}")
    }
    assert not wrong, "The ends that these sections need:\n\n" + "\n".join(
        f"{name}\n{end}" for name, end in wrong.items()
    )


def discussed(section: Section) -> str:
    """Return the end of a section: a link for each framework that it has a page for; if it has no code, one for all."""
    address = f"{FORUM}?discussions_q={section.id}"
    if not any(block.kind is BlockKind.CODE for block in section.blocks):
        return f"[Discussions]({address})\n"
    names = [one.name for one in CONFIG.frameworks if has_page(section, one.name)]
    return "\n".join(f":begin_tab:`{name}`\n[Discussions]({address}+{name})\n:end_tab:\n" for name in names)
