"""What a reader can hold against a whole PDF: found by reading it, with the website of the same book beside it."""

import re
import subprocess
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pypdf
from bs4 import BeautifulSoup, Tag

from tests.rendering.numbers import differing, numbers_of_pdf, numbers_of_website

__all__ = ["Heading", "WholePdf", "faults", "headings_of_website"]

_WORD = re.compile(r"[\u3400-\u9fff]{2}|[^\W\d_\u3400-\u9fff]{3,}")
"""Of Chinese, which has no spaces, two characters: a formula or a footnote may stand in the middle of a longer run."""
_HEAD, _FOOT = 64, 60
"""In points: the height of what stands above and below the text of a page."""
_TOP, _SIDE, _BOTTOM = 20.0, 17.0, 20.0
"""In points: what printers and thumbs need around a page. Notes stand in the margin, nothing beyond it."""


@dataclass(frozen=True)
class Heading:
    """A heading of the website."""

    page: str
    id: str
    number: str
    title: str
    """Empty if there is maths in it, which an outline cannot show."""


def headings_of_website(site: Path) -> list[Heading]:
    """Return the headings of all pages that come from sections."""
    found = []
    for path in sorted(site.rglob("*.html")):
        page = path.relative_to(site).with_suffix("").as_posix()
        soup = BeautifulSoup(path.read_text("utf-8"), "html.parser")
        article = soup.select_one("article[role=main]")
        if article is None or page.startswith("api") or page in {"genindex", "search", "404"}:
            continue
        found += [_heading(page, section) for section in article.select("section[id]")]
    return found


def _heading(page: str, section: Tag) -> Heading:
    heading = section.find(re.compile("^h[1-6]$"), recursive=False)
    assert isinstance(heading, Tag)
    number = heading.select_one(".section-number")
    digits = number.get_text().strip().rstrip(".") if number else ""
    if number:
        number.decompose()
    for link in heading.select("a.headerlink"):
        link.decompose()
    title = "" if heading.select_one(".math") else " ".join(heading.get_text().split())
    return Heading(page, str(section["id"]), digits, title)


class WholePdf:
    """A finished PDF, read again."""

    def __init__(self, path: Path, log: Path) -> None:
        self._path = path
        self._reader = pypdf.PdfReader(path)
        self._log = log.read_text("utf-8", errors="replace")

    @cached_property
    def outline(self) -> list[tuple[str, int]]:
        """The titles of the outline, in order, each with the index of its page."""
        return list(self._entries(self._reader.outline))

    def _entries(self, entries: Any) -> Iterator[tuple[str, int]]:
        for entry in entries:
            if isinstance(entry, list):
                yield from self._entries(entry)
            else:
                page = self._reader.get_destination_page_number(entry)
                assert page is not None, f"{entry.title} leads nowhere"
                yield " ".join(str(entry.title).split()), page

    @cached_property
    def texts(self) -> list[str]:
        """The text of each page, without what stands above and below it."""
        box = self._reader.pages[0].mediabox
        area = {"-x": 0, "-y": _HEAD, "-W": int(box.width), "-H": int(box.height) - _HEAD - _FOOT}
        options = [str(part) for option in area.items() for part in option]
        done = subprocess.run(["pdftotext", *options, str(self._path), "-"], check=True, capture_output=True, text=True)
        return done.stdout.split("\f")[: len(self._reader.pages)]

    def fonts_left_out(self) -> list[str]:
        """Return the fonts that are not embedded."""
        done = subprocess.run(["pdffonts", str(self._path)], check=True, capture_output=True, text=True)
        # Names may be wider than their column, so the others are counted from the end.
        return [line for line in done.stdout.splitlines()[2:] if line.split()[-5] != "yes"]

    def missing_characters(self) -> list[str]:
        """Return what the log says of characters without a glyph."""
        return re.findall(r"^Missing character: .*", self._log, re.MULTILINE)

    def undefined_references(self) -> list[str]:
        """Return what the log says of references that lead nowhere, for which a PDF shows question marks."""
        return re.findall(r".*(?:Reference|Citation) .* undefined.*", self._log)

    def absent_headings(self, headings: list[Heading]) -> list[Heading]:
        """Return the headings that the outline does not have under their number and title."""
        titles = {title for title, _ in self.outline}
        numbers = {title.split(" ")[0] for title in titles}
        return [
            one
            for one in headings
            if (f"{one.number} {one.title}".strip() not in titles if one.title else one.number not in numbers)
        ]

    def absent_words(self, site: Path) -> dict[str, list[str]]:
        """Return, by page of the website, words of its paragraphs that are nowhere in the PDF."""
        there = _letters("".join(self.texts))  # words are broken at the ends of lines and pages
        absent = {}
        for path in sorted(site.rglob("*.html")):
            soup = BeautifulSoup(path.read_text("utf-8"), "html.parser")
            missing: set[str] = set()
            for paragraph in soup.select("article[role=main] section > p"):
                for part in paragraph.select(".math, a.headerlink"):
                    part.decompose()
                text = unicodedata.normalize("NFKC", paragraph.get_text(" "))
                missing.update(
                    match[0]
                    for match in _WORD.finditer(text)
                    if _letters(match[0]) not in there and not _is_parted(text, match.start(), there)
                )
            if missing:
                absent[path.relative_to(site).as_posix()] = sorted(missing)
        return absent

    def outside(self) -> list[str]:
        """Return the words that stand nearer to the edge of their page than a printer can print."""
        done = subprocess.run(["pdftotext", "-bbox", str(self._path), "-"], check=True, capture_output=True, text=True)
        found, number, width, height = [], 0, 0.0, 0.0
        for line in done.stdout.splitlines():
            if match := re.match(r'\s*<page width="([\d.]+)" height="([\d.]+)"', line):
                number, width, height = number + 1, float(match[1]), float(match[2])
            elif match := re.match(
                r'\s*<word xMin="(-?[\d.]+)" yMin="(-?[\d.]+)" xMax="(-?[\d.]+)" yMax="(-?[\d.]+)">(.*)</word>', line
            ):
                left, top, right, bottom = map(float, match.groups()[:4])
                if left < _SIDE or right > width - _SIDE or top < _TOP or bottom > height - _BOTTOM:
                    found.append(f"page {number}: {match[5]} at {left:.0f}, {top:.0f}, {right:.0f}, {bottom:.0f}")
        return found

    def broken_links(self) -> list[str]:
        """Return the links that lead to no place of the PDF, or to no address."""
        known = self._reader.named_destinations
        found = []
        for number, page in enumerate(self._reader.pages, start=1):
            for annotation in page.get("/Annots") or ():
                link: Any = annotation.get_object()
                if link.get("/Subtype") != "/Link":
                    continue
                action = link.get("/A") or {}
                target = link.get("/Dest") or action.get("/D")
                address = str(action.get("/URI", ""))
                if target is not None and isinstance(target, str) and target not in known:
                    found.append(f"page {number}: {target}")
                elif target is None and not re.match(r"(https?|mailto|ftp):\S+$", address):
                    found.append(f"page {number}: {address or action}")
        return found


def _letters(text: str) -> str:
    """Return the letters of a text; a ligature is a character of its own in a PDF."""
    return "".join(filter(str.isalpha, unicodedata.normalize("NFKC", text))).lower()


def _is_parted(text: str, at: int, there: str) -> bool:
    """Whether two Chinese characters are there with those beside them, but on two pages, with a figure between them."""
    before, after = _letters(text[max(at - 3, 0) : at + 1]), _letters(text[at + 1 : at + 5])
    return text[at] >= "\u3400" and before in there and after in there


def faults(folder: Path) -> dict[str, object]:
    """Return what is wrong with the PDF in the folder of one framework, which has the website beside it."""
    site, latex = folder / "html", folder / "pdf-work" / "latex"
    (path,) = (folder / "pdf").glob("*.pdf")
    pdf = WholePdf(path, latex / "book.log")
    headings = [one for one in headings_of_website(site) if one.page != "index"]  # that is the title of the book
    found: dict[str, object] = {
        "fonts left out": pdf.fonts_left_out(),
        "missing characters": pdf.missing_characters(),
        "undefined references": pdf.undefined_references(),
        "headings not in the outline": pdf.absent_headings(headings),
        "words left out": pdf.absent_words(site),
        "outside of the page": pdf.outside(),
        "broken links": pdf.broken_links(),
        "other numbers": differing(numbers_of_website(site), numbers_of_pdf(latex / "book.aux")),
    }
    return {what: these for what, these in found.items() if these}
