"""Collects the prose of some of our chapters into one text, on which the chapter on sequences trains its models.

    python tools/collect_prose.py SECTION… > chapters/sequences/prose.txt

The sections are the preface, the introduction and the chapters before that one. A paragraph becomes a line. Code,
headings, tables, displayed formulas and the text for single frameworks are left out, and so are all marks. Any change
of the text runs the notebooks of that chapter again, with other numbers: so it is a copy of what was written when the
chapter was, and stays as it is while the sections are edited.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from d2lbuild.config import load_config
from d2lbuild.model import BlockKind, Section
from d2lbuild.source.book import load_book

_ROOT = Path(__file__).parents[1]
_NO_PARAGRAPH = ("#", "|", "![", ":", "$$")

_REPLACEMENTS = (
    (re.compile(r":\w+:`fig_[^`]*`"), "the figure"),
    (re.compile(r":\w+:`tab_[^`]*`"), "the table"),
    (re.compile(r":eqref:`[^`]*`"), "that equation"),
    (re.compile(r":(?:numref|ref):`[^`]*`"), "that section"),
    (re.compile(r"\s*:\w+:`[^`]*`"), ""),
    (re.compile(r"\(~~.*?~~\)"), ""),
    (re.compile(r"\[\*\*|\*\*\]|\(\*\*|\*\*\)|\*+|`"), ""),
    (re.compile(r"\[([^]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"(?m)^\s*(?:\*|1\.) "), ""),
    (re.compile(r"\$[^$]*\$"), "x"),
    (re.compile(r"\s+"), " "),
)
"""What is replaced in a paragraph, in this order: references, other marks, emphasis, links, list items, formulas."""


def paragraphs(sections: Iterable[Section]) -> Iterator[str]:
    """Yield the paragraphs of sections that every edition has, as plain text."""
    for section in sections:
        for block in section.blocks:
            if block.kind is BlockKind.PROSE and block.frameworks is None:
                # A displayed formula may have empty lines around it, but none within.
                for paragraph in re.split(r"\n\s*\n", block.text):
                    if plain := _plain(paragraph):
                        yield plain


def _plain(paragraph: str) -> str:
    if paragraph.lstrip().startswith(_NO_PARAGRAPH):
        return ""
    for pattern, replacement in _REPLACEMENTS:
        paragraph = pattern.sub(replacement, paragraph)
    return paragraph.strip()


def main(names: list[str]) -> None:
    """Write the prose of the sections with these names to stdout."""
    book = load_book(load_config(_ROOT))
    print("\n".join(paragraphs(book.sections[name] for name in names)))


if __name__ == "__main__":
    main(sys.argv[1:])
