"""The files of an EPUB that say what is in it, and the archive itself: the same bytes for the same content."""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import count
from pathlib import PurePosixPath
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from d2lbuild.rendering.epub.contents import Entry
from d2lbuild.rendering.fixed_time import fixed_time

__all__ = ["KINDS", "Facts", "archive", "contents_for_old_readers", "list_of_contents", "package_document"]

KINDS = {
    ".xhtml": "application/xhtml+xml",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".ncx": "application/x-dtbncx+xml",
}
"""What files are in the words of EPUB, by their suffixes."""
_COMPRESSED = {".png", ".jpg", ".jpeg", ".gif", ".webp"}
"""Files that would not become smaller."""
_CONTAINER = """\
<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="EPUB/package.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""
_PACKAGE = 'xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="book"'
_FEATURES = ("alternativeText", "MathML", "readingOrder", "structuralNavigation", "tableOfContents")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is said of a book."""

    title: str
    edition: str
    author: str
    language: str
    rights: str
    source: str
    """Its address, or another name that no other book has."""
    cover: str
    """The file of the cover's image."""

    @property
    def identifier(self) -> str:
        """A name that the book keeps from release to release."""
        return f"urn:uuid:{uuid5(NAMESPACE_URL, f'{self.source}#{self.edition}')}"

    @property
    def whole_title(self) -> str:
        """The title, with the framework."""
        return f"{self.title} ({self.edition})"


def package_document(facts: Facts, files: Mapping[str, bytes], spine: Sequence[str]) -> str:
    """Return the list of everything in the book; `spine` are the pages in the order of reading."""
    names = {name: f"i{number}" for number, name in enumerate(sorted(files), start=1)}
    items = [
        f'<item id="{names[name]}" href="{quote(name)}" media-type="{KINDS[PurePosixPath(name).suffix.lower()]}"'
        f"{_properties(name, content, facts)}/>"
        for name, content in sorted(files.items())
    ]
    order = [f'<itemref idref="{names[name]}"/>' for name in spine]
    ncx = next(one for name, one in names.items() if name.endswith(".ncx"))
    return "\n".join(
        [
            '<?xml version="1.0" encoding="utf-8"?>',
            f'<package {_PACKAGE} xml:lang="{facts.language}">',
            *_metadata(facts, names[facts.cover]),
            *("<manifest>", *items, "</manifest>"),
            *(f'<spine toc="{ncx}">', *order, "</spine>"),
            "</package>",
            "",
        ]
    )


def _properties(name: str, content: bytes, facts: Facts) -> str:
    found = []
    if name == "nav.xhtml":
        found.append("nav")
    if name == facts.cover:
        found.append("cover-image")
    if name.endswith(".xhtml"):
        if b"<math " in content:
            found.append("mathml")
        if re.search(rb"<svg[\s>]", content):
            found.append("svg")
    return f' properties="{" ".join(found)}"' if found else ""


def _metadata(facts: Facts, cover: str) -> Iterator[str]:
    yield '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
    yield f'<dc:identifier id="book">{facts.identifier}</dc:identifier>'
    yield f"<dc:title>{escape(facts.whole_title)}</dc:title>"
    yield f"<dc:language>{facts.language}</dc:language>"
    if facts.author:
        yield f"<dc:creator>{escape(facts.author)}</dc:creator>"
    if facts.rights:
        yield f"<dc:rights>{escape(facts.rights)}</dc:rights>"
    yield f'<meta property="dcterms:modified">{fixed_time():%Y-%m-%dT%H:%M:%SZ}</meta>'
    for mode in ("textual", "visual"):
        yield f'<meta property="schema:accessMode">{mode}</meta>'
    for feature in _FEATURES:
        yield f'<meta property="schema:accessibilityFeature">{feature}</meta>'
    yield '<meta property="schema:accessibilityHazard">none</meta>'
    yield f'<meta name="cover" content="{cover}"/>'
    yield "</metadata>"


# --- the contents -----------------------------------------------------------------------------------------------------


def list_of_contents(entries: Sequence[Entry], title: str, first: str) -> str:
    """Return the body of the page ``nav.xhtml``; `first` is the page that reading begins with."""
    return "\n".join(
        [
            '<nav epub:type="toc" role="doc-toc" id="toc">',
            f"<h1>{escape(title)}</h1>",
            *_lines(entries),
            "</nav>",
            '<nav epub:type="landmarks" hidden="hidden" id="landmarks">',
            "<ol>",
            f'<li><a epub:type="toc" href="#toc">{escape(title)}</a></li>',
            f'<li><a epub:type="bodymatter" href="{first}">{escape(entries[0].title)}</a></li>',
            "</ol>",
            "</nav>",
            "",
        ]
    )


def _lines(entries: Sequence[Entry]) -> Iterator[str]:
    yield "<ol>"
    for entry in entries:
        link = f'<a href="{escape(entry.address)}">{escape(entry.title, quote=False)}</a>'
        if entry.below:
            yield f"<li>{link}"
            yield from _lines(entry.below)
            yield "</li>"
        else:
            yield f"<li>{link}</li>"
    yield "</ol>"


def contents_for_old_readers(entries: Sequence[Entry], facts: Facts) -> str:
    """Return ``toc.ncx``, the contents of the second version of EPUB."""
    points = list(_points(entries, count(1), {}))
    return "\n".join(
        [
            '<?xml version="1.0" encoding="utf-8"?>',
            f'<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" version="2005-1" xml:lang="{facts.language}">',
            f'<head><meta name="dtb:uid" content="{facts.identifier}"/></head>',
            f"<docTitle><text>{escape(facts.whole_title)}</text></docTitle>",
            *("<navMap>", *points, "</navMap>"),
            "</ncx>",
            "",
        ]
    )


def _points(entries: Sequence[Entry], numbers: Iterator[int], orders: dict[str, int]) -> Iterator[str]:
    for entry in entries:
        number = next(numbers)
        order = orders.setdefault(entry.address, len(orders) + 1)  # a part has the place of its first page
        yield f'<navPoint id="n{number}" playOrder="{order}"><navLabel><text>{escape(entry.title)}</text></navLabel>'
        yield f'<content src="{escape(entry.address)}"/>'
        yield from _points(entry.below, numbers, orders)
        yield "</navPoint>"


# --- the archive ------------------------------------------------------------------------------------------------------


def archive(files: Mapping[str, bytes]) -> bytes:
    """Return the book; `files` are those below its folder ``EPUB``."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as found:
        _put(found, "mimetype", b"application/epub+zip", zipfile.ZIP_STORED)
        _put(found, "META-INF/container.xml", _CONTAINER.encode(), zipfile.ZIP_DEFLATED)
        for name, content in sorted(files.items(), key=lambda item: (item[0] != "package.opf", item[0])):
            stored = PurePosixPath(name).suffix.lower() in _COMPRESSED
            _put(found, f"EPUB/{name}", content, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)
    return written.getvalue()


def _put(found: zipfile.ZipFile, name: str, content: bytes, method: int) -> None:
    time = fixed_time()
    entry = zipfile.ZipInfo(name, max(time.timetuple()[:6], (1980, 1, 1, 0, 0, 0)))
    entry.compress_type = method
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    found.writestr(entry, content)
