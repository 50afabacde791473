"""The finished HTML of outputs as nodes of a document, so that any output of Sphinx can show them.

It was cleaned before: here its elements become paragraphs, tables, lists and text as it was printed.
"""

from collections.abc import Iterator, Sequence
from html.parser import HTMLParser

from docutils import nodes

__all__ = ["nodes_of_html"]

_MOST_LINES = 200
"""Lines of a printed text; of a longer one, paper shows only the beginning."""
_TEXTUAL = {
    **dict.fromkeys(("b", "strong", "th"), nodes.strong),
    **dict.fromkeys(("i", "em", "var", "cite"), nodes.emphasis),
    **dict.fromkeys(("code", "kbd", "samp", "tt"), nodes.literal),
    "sub": nodes.subscript,
    "sup": nodes.superscript,
}
_ITEMS: dict[str, type[nodes.Element]] = {"ul": nodes.bullet_list, "ol": nodes.enumerated_list}
_SKIPPED = {"style", "script", "template", "title", "button", "select", "svg"}
_BREAKS = {"p", "div", "table", "ul", "ol", "li", "pre", "details", "section", "article", "figure", "blockquote", "hr"}
_BREAKS |= {f"h{level}" for level in range(1, 7)} | {"dl", "dt", "dd", "summary"}


def nodes_of_html(children: Sequence[nodes.Node]) -> list[nodes.Node]:
    """Return the nodes of an output; HTML among them, which formulas may interrupt, is read as one text."""
    found: list[nodes.Node] = []
    reader: _Reader | None = None
    for child in children:
        if isinstance(child, nodes.raw) and "html" in child.get("format", "").split():
            reader = reader or _Reader()
            reader.feed(child.astext())
        elif reader is not None and isinstance(child, nodes.math | nodes.math_block):
            reader.put(child)
        else:
            found += reader.finished() if reader else []
            reader = None
            found.append(child)
    return [*found, *(reader.finished() if reader else [])]


class _Reader(HTMLParser):
    """Reads HTML; `finished` gives its nodes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._top = nodes.container()
        self._open: list[nodes.Element] = [self._top]
        self._names: list[str] = [""]
        self._skipped = 0
        self._printed: list[str] | None = None
        self._rows: list[tuple[list[nodes.entry], bool]] | None = None

    def finished(self) -> list[nodes.Node]:
        """Return what was read."""
        self.close()
        return list(_tidy(self._top.children))

    def put(self, node: nodes.Node) -> None:
        """Add a node that is none of HTML."""
        if isinstance(node, nodes.math):
            self._text_holder().append(node)
        else:
            self._block().append(node)

    # --- what the parser calls ---

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SKIPPED:
            self._skipped += 1
        elif self._skipped or self._printed is not None:
            return
        elif tag == "pre":
            self._printed = []
        elif tag == "table":
            self._rows = []
        elif tag == "tr" and self._rows is not None:
            self._rows.append(([], False))
        elif tag in ("td", "th") and self._rows:
            self._cell(tag, dict(attrs))
        elif tag in _ITEMS:
            self._push(tag, _ITEMS[tag](), self._block())
        elif tag == "li" and isinstance(self._open[-1], nodes.bullet_list | nodes.enumerated_list):
            self._push(tag, nodes.list_item(), self._open[-1])
        elif tag in _TEXTUAL:
            self._push(tag, _TEXTUAL[tag](), self._text_holder())
        elif tag == "br":
            self._text_holder().append(nodes.Text(" "))
        elif tag in _BREAKS:
            self._end_text()

    def handle_endtag(self, tag: str) -> None:
        if tag in _SKIPPED:
            self._skipped = max(0, self._skipped - 1)
        elif self._skipped:
            return
        elif tag == "pre" and self._printed is not None:
            text = _shortened("".join(self._printed))
            self._printed = None
            if text:
                self._block().append(nodes.literal_block(text, text, language="none", classes=["d2l-printed"]))
        elif self._printed is not None:
            return
        elif tag == "table" and self._rows is not None:
            rows, self._rows = self._rows, None
            self._pop_to("td")
            if any(cells for cells, _ in rows):
                self._block().append(_table(rows))
        elif tag in ("td", "th"):
            self._pop_to("td")
        elif tag in _TEXTUAL or tag in _ITEMS or tag == "li":
            self._pop_to(tag)
        elif tag in _BREAKS:
            self._end_text()

    def handle_data(self, data: str) -> None:
        if self._skipped:
            return
        if self._printed is not None:
            self._printed.append(data)
        elif data.strip() or isinstance(self._open[-1], nodes.TextElement):
            words = " ".join(data.split())
            before, after = " " * data[:1].isspace(), " " * (data[-1:].isspace() and bool(words))
            self._text_holder().append(nodes.Text(f"{before}{words}{after}"))

    # --- the tree ---

    def _cell(self, tag: str, attributes: dict[str, str | None]) -> None:
        assert self._rows
        self._pop_to("td")
        cells, _ = self._rows[-1]
        entry = nodes.entry()
        span = attributes.get("colspan") or ""
        if span.isdigit() and 1 < int(span) < 100:
            entry["morecols"] = int(span) - 1
        cells.append(entry)
        if tag == "th" and all(isinstance(one, nodes.entry) and "head" in one for one in cells[:-1]):
            entry["head"] = True
        self._rows[-1] = (cells, all("head" in one for one in cells))
        self._push("td", entry, None)

    def _push(self, name: str, node: nodes.Element, into: nodes.Element | None) -> None:
        if into is not None:
            into.append(node)
        self._open.append(node)
        self._names.append(name)

    def _pop_to(self, name: str) -> None:
        """End an element and all that is open in it."""
        if name in self._names:
            while self._names.pop() != name:
                self._open.pop()
            self._open.pop()

    def _end_text(self) -> None:
        while isinstance(self._open[-1], nodes.TextElement):
            self._open.pop()
            self._names.pop()

    def _block(self) -> nodes.Element:
        """Return where blocks go."""
        self._end_text()
        return self._open[-1]

    def _text_holder(self) -> nodes.Element:
        """Return where text goes; a paragraph is begun if need be."""
        if not isinstance(self._open[-1], nodes.TextElement):
            self._push("paragraph", nodes.paragraph(), self._open[-1])
        return self._open[-1]


def _shortened(text: str) -> str:
    lines = text.strip("\n").split("\n")
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], f"… {len(lines) - _MOST_LINES} more lines"]
    return "\n".join(line.rstrip() for line in lines)


def _table(rows: Sequence[tuple[list[nodes.entry], bool]]) -> nodes.table:
    width = max(sum(1 + cell.get("morecols", 0) for cell in cells) for cells, _ in rows)
    group = nodes.tgroup(cols=width)
    group.extend(nodes.colspec(colwidth=1) for _ in range(width))
    leading = next((at for at, (_, is_head) in enumerate(rows) if not is_head), len(rows))
    parts: list[tuple[type[nodes.Element], Sequence[tuple[list[nodes.entry], bool]]]]
    parts = [(nodes.thead, rows[:leading]), (nodes.tbody, rows[leading:])]
    for kind, part in parts:
        if part:
            holder = kind()
            for cells, _ in part:
                missing = width - sum(1 + cell.get("morecols", 0) for cell in cells)
                row = nodes.row()
                row.extend([*cells, *(nodes.entry() for _ in range(missing))])
                holder += row
            group += holder
    if leading == len(rows):
        group += nodes.tbody()
    return nodes.table("", group, classes=["d2l-frame"])


def _tidy(found: Sequence[nodes.Node]) -> Iterator[nodes.Node]:
    """Leave out what is empty."""
    for node in found:
        if not isinstance(node, nodes.paragraph) or node.astext().strip() or node.children:
            yield node
