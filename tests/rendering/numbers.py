"""The numbers that readers see, by page and id: on pages of a website or an EPUB, and in XeLaTeX's notes of a PDF."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from docutils import nodes

__all__ = ["differing", "labels_of_website", "numbers_of_pdf", "numbers_of_website"]

_NUMBER = re.compile(r"\d+(?:\.\d+)*")
_LABEL = re.compile(r"^\\newlabel\{(?P<name>[^}]*)\}\{\{\{?(?P<number>[^{}]*)\}", re.MULTILINE)
Places = dict[tuple[str, str], str]


def numbers_of_website(site: Path, suffix: str = ".html") -> Places:
    """Return the numbers of sections, figures, tables and formulas of all pages; those of an EPUB are like them."""
    found: Places = {}
    for path in sorted(site.rglob(f"*{suffix}")):
        page = path.relative_to(site).with_suffix("").as_posix()
        soup = BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for element, words in _numbered(soup):
            if (match := _NUMBER.search(words)) is not None:
                found[page, str(element["id"])] = match[0]
    return found


def labels_of_website(site: Path, sections: Mapping[str, str]) -> dict[str, str]:
    """Return the numbers of labels, whose sections are given; what has no number is missing."""
    places = numbers_of_website(site)
    ids = {name: (nodes.make_id(name), nodes.make_id(f"equation-{name}")) for name in sections}
    found = {
        name: next((places[sections[name], one] for one in ids[name] if (sections[name], one) in places), "")
        for name in sections
    }
    return {name: number for name, number in found.items() if number}


def _numbered(soup: BeautifulSoup) -> Iterator[tuple[Tag, str]]:
    for section in soup.select("section[id]"):
        heading = section.find(re.compile("^h[1-6]$"), recursive=False)
        if isinstance(heading, Tag) and (number := heading.select_one(".section-number")):
            yield section, number.get_text()
    for numbered in soup.select("figure[id], table[id]"):
        if number := numbered.select_one(".caption-number"):
            yield numbered, number.get_text()
    for formula in soup.select(".math[id]"):
        if number := formula.select_one(".eqno"):
            yield formula, number.get_text()


def numbers_of_pdf(notes: Path) -> Places:
    """Return the numbers that labels have in a file ``book.aux``."""
    found: Places = {}
    for match in _LABEL.finditer(notes.read_text("utf-8")):
        kind, _, rest = match["name"].partition(":")
        if kind == "equation":
            page, _, label = rest.partition(":")
            found[page, nodes.make_id(f"equation-{label}")] = match["number"]
        else:
            found[kind, rest] = match["number"]
    return found


def differing(site: Mapping[tuple[str, str], str], pdf: Mapping[tuple[str, str], str]) -> list[str]:
    """Return what has another number in the PDF or the EPUB than on the website, or none."""
    return [f"{place}: {number}, {pdf.get(place)}" for place, number in site.items() if pdf.get(place) != number]
