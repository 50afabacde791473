"""Dialect prose to MyST Markdown, for Sphinx.

The text is edited by the offsets of its marks, the rest stays as it is; each output line knows its input line.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urlsplit

from d2lbuild.model import Book, Label, LabelKind, Section
from d2lbuild.rendering.locale import translated
from d2lbuild.rendering.sources.nested_pieces import PLACE
from d2lbuild.source.links import find_link, is_remote, resolve_path
from d2lbuild.source.marks import Mark, MarkKind
from d2lbuild.source.prose import Equation, Fence, Figure, Heading, Prose, Table, parse_prose, plain_words

__all__ = ["OF_FRAMEWORK", "PAGE_SCHEME", "Translated", "TranslationContext", "translate"]

PAGE_SCHEME = "d2l-page"
"""Links into pages are written as addresses of this scheme; `numbered_references` resolves them."""
OF_FRAMEWORK = "@"
"""Stands between a label and the framework that has a version of its own of what it names: ``fig_x@jax``."""


@dataclass(frozen=True, slots=True)
class TranslationContext:
    """What a translation must know about the rest of the book."""

    root: Path
    """The book's folder."""
    book: Book
    section: Section
    pages: frozenset[str]
    """Ids of the sections that have a page in this edition."""
    image: Callable[[Path], str]
    """Makes a file of the book known to the renderer, and gives the address under which pages show it."""
    language: str = "en"
    """That of the book."""
    tabbed: bool = False
    """Whether the prose stands in a tab, where a heading cannot open a section."""


@dataclass(frozen=True, slots=True)
class Translated:
    """MyST Markdown."""

    text: str
    lines: tuple[int, ...]
    """For each line of `text` the line of the input, both counted from 0."""


def translate(text: str, context: TranslationContext) -> Translated:
    """Translate prose. What the book's checks have reported is shown as text, so that Sphinx need not warn again."""
    return _Translator(parse_prose(text), context).run()


_LIST_MARKER = re.compile(r"[ \t>]*(?:[-*+]|\d+[.)])[ \t]+")
_PUNCTUATION = re.compile(r"[ \t]*([.,;:])(?=\s|$)")
_TARGET_LINE = re.compile(r"^([ \t]*)(%|\+\+\+|:::|\([^()\s]+\)=[ \t]*$)", re.MULTILINE)
_OWN_NUMBERING = re.compile(r"\s*\\begin\{(align|alignat|equation|eqnarray|flalign|gather|multline)\*?\}")
_CITATIONS = {"cite": "cite:p", "citep": "cite:p", "citet": "cite:t"}
_Item = Heading | Figure | Table | Equation | Fence


@dataclass(slots=True)
class _Translator:
    prose: Prose
    context: TranslationContext
    out: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    """The input line of each finished output line, and of the one being written."""
    marks: tuple[Mark, ...] = ()
    """Those of the prose; a slide mark whose text is shown counts as its two ends."""

    def __post_init__(self) -> None:
        self.marks = tuple(sorted(_split_slides(self.prose.marks), key=lambda mark: (mark.start, -mark.end)))

    def run(self) -> Translated:
        at = 0
        for start, item in sorted(self._items(), key=lambda pair: pair[0]):
            if start < at:
                continue  # it stands inside of an item that is already written
            self._text(at, start)
            at = self._write(item)
        self._text(at, len(self.prose.text))
        return Translated("".join(self.out), tuple(self.lines))

    def _items(self) -> Iterator[tuple[int, _Item]]:
        prose = self.prose
        yield from ((heading.start, heading) for heading in prose.headings)
        yield from ((figure.image.start, figure) for figure in prose.figures)
        yield from ((fence.start, fence) for fence in prose.fences)
        yield from (((table.caption_block or (table.start, 0))[0], table) for table in prose.tables)
        removed = [mark for mark in prose.marks if mark.kind is MarkKind.SLIDE and mark.name == "(~~"]
        for equation in prose.equations:
            if not any(mark.start <= equation.mark.start < mark.end for mark in removed):
                yield equation.mark.start, equation

    def _write(self, item: _Item) -> int:
        """Write an item; return the offset after it."""
        if isinstance(item, Heading):
            return self._heading(item)
        if isinstance(item, Figure):
            return self._figure(item)
        if isinstance(item, Table):
            return self._table(item)
        if isinstance(item, Equation):
            return self._equation(item)
        return self._fence(item)

    # --- output ---

    def _put(self, text: str, offset: int, *, follows: bool = False) -> None:
        """Write `text`; its lines come from the line of `offset`, or with `follows` from that one on."""
        if not text:
            return
        line = self.prose.line(offset)
        if not self.lines:
            self.lines.append(line)
        self.out.append(text)
        for n in range(text.count("\n")):
            self.lines.append(line + n + 1 if follows else line)

    def _current(self) -> str:
        """Return what the output line being written holds so far."""
        text = ""
        for piece in reversed(self.out):
            text = piece + text
            if "\n" in piece:
                break
        return text.rsplit("\n", 1)[-1]

    def _block(self, opening: str, options: list[str], body: list[str], offset: int) -> None:
        """Write a directive on lines of its own, indented like the place where it stands."""
        self._put(" " * self.prose.lazy.get(self.prose.line(offset), 0), offset)
        current = self._current()
        prefix = current
        if (match := _LIST_MARKER.fullmatch(current)) and current.strip(" \t>"):
            prefix = re.sub(r"[^>]", " ", match.group())
        elif current.strip(" \t>"):
            indent = re.match(r"[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)?", current)
            prefix = re.sub(r"[^>]", " ", indent.group()) if indent else ""
            self._put(f"\n{prefix.rstrip()}\n{prefix}", offset)
        sign = "~" if "`" in opening else "`"  # a fence of backticks has none after it
        ticks = sign * (max([2, *(len(run) for line in body for run in re.findall(f"{sign}+", line))]) + 1)
        inner = [*options, "", *body] if body else options
        self._put(
            "\n".join([f"{ticks}{opening}", *((prefix + line).rstrip() for line in inner), prefix + ticks]), offset
        )

    # --- items ---

    def _counts(self, label: Mark) -> bool:
        """Whether a label is the one of its name that references lead to: a second one has been reported."""
        first = self._label(" ".join(label.value.split()))
        return first is None or first.span.path == self.context.section.path

    def _name(self, labels: Sequence[Mark]) -> list[str]:
        return [f":name: {label.value.strip()}" for label in labels if self._counts(label)][:1]

    def _heading(self, heading: Heading) -> int:
        title = self._inline(*heading.text)
        if self.context.tabbed:
            self._block(f"{{rubric}} {title}", self._name(heading.labels), [], heading.start)
        else:
            for label in filter(self._counts, heading.labels):
                self._put(f"({label.value})=\n", heading.start)
            self._put(f"{'#' * heading.level} {title}", heading.start)
        return heading.labels[-1].end if heading.labels else heading.end

    def _figure(self, figure: Figure) -> int:
        source = self._image_source(figure.image)
        caption = self._inline(*figure.image.inner)
        options = self._name(figure.labels)
        if source is None:
            if options and caption.strip():
                self._absent(figure, options, caption.split("\n"))
            else:
                self._put(self._replacement(figure.image), figure.image.start)
            return figure.end
        options += [f":width: {figure.width}"] if figure.width else []
        options += [f":height: {figure.height}"] if figure.height else []
        alternative = plain_words(self.prose, *figure.image.inner)
        options += [f":alt: {alternative}"] if alternative else []
        body = caption.split("\n") if caption.strip() else []
        self._block(f"{{{'figure' if body else 'image'}}} {source}", options, body, figure.image.start)
        return figure.end

    def _absent(self, figure: Figure, options: list[str], caption: list[str]) -> None:
        """Write a figure without its image, so that references find its number."""
        address = figure.image.value
        words = f"[{self._missing(address)}]"
        if is_remote(address):
            text = translated(self.context.language, "image at {host}")
            words = f"[{text.format(host=urlsplit(address).netloc)}]"
            options = [*options, f":link: {address}"]
        self._block(f"{{d2l-absent-figure}} {words}", options, caption, figure.image.start)

    def _table(self, table: Table) -> int:
        rows = self._inline(table.start, table.end).split("\n")
        end = max([table.end, *(label.end for label in table.labels)])
        if table.caption_block:
            end = max(end, table.caption_block[1])
        if table.caption is None and not table.labels:
            self._put("\n".join(rows), table.start, follows=True)
            return end
        caption = " ".join(self._inline(*table.caption).split()) if table.caption else ""
        options = self._name(table.labels)
        self._block(f"{{table}} {caption}".rstrip(), options, [row.strip() for row in rows], table.start)
        return end

    def _equation(self, equation: Equation) -> int:
        mark = equation.mark
        body = [line.strip() for line in re.split(r"\r\n|\r|\n", mark.value) if line.strip()]
        end = mark.end
        if match := _PUNCTUATION.match(self.prose.text, end):
            body[-1:] = [(body[-1] if body else "") + match[1]]
            end = match.end()
        label = equation.label
        options = [f":label: {label.value.strip()}"] if label and self._counts(label) else []
        options += [":nowrap:"] if _OWN_NUMBERING.match(mark.value) else []
        self._block("{math}", options, body, mark.start)
        rest = self.prose.text[end : end + 1]
        if rest and rest not in "\r\n":
            self._put("\n", mark.start)
            while self.prose.text[end : end + 1] in {" ", "\t"}:
                end += 1
        return end

    def _fence(self, fence: Fence) -> int:
        text = self.prose.text
        if fence.info.startswith(f"{{{PLACE}}}"):
            self._put(text[fence.start : fence.end], fence.start, follows=True)
            return fence.end
        info_end = fence.info_at + len(text[fence.info_at :].split("\n", 1)[0].rstrip("\r"))
        language = re.match(r"\{?\s*\.?([\w+#-]+)", fence.info)
        self._put(text[fence.start : fence.info_at], fence.start, follows=True)
        self._put(language[1] if language else "text", fence.info_at)
        self._put(text[info_end : fence.end], info_end, follows=True)
        if not fence.closed:
            marker = re.search(r"[`~]+$", text[fence.start : fence.info_at])
            self._put(f"\n{marker.group() if marker else '```'}", fence.end - 1)
        return fence.end

    # --- inline ---

    def _text(self, start: int, end: int) -> None:
        """Write running text, its marks replaced."""
        at = start
        for mark in self.marks:
            if mark.start < at or mark.end > end:
                continue  # it stands elsewhere, or inside of the one before
            self._put(_escaped(self.prose.text[at : mark.start]), at, follows=True)
            self._put(self._mark(mark), mark.start)
            at = mark.end
        self._put(_escaped(self.prose.text[at:end]), at, follows=True)

    def _inline(self, start: int, end: int) -> str:
        """Return a stretch as text, for a title or a caption."""
        inner = _Translator(self.prose, self.context)
        inner._text(start, end)
        return "".join(inner.out)

    def _mark(self, mark: Mark) -> str:
        text = self.prose.text
        if mark.kind is MarkKind.SLIDE:
            return ""
        if mark.kind is MarkKind.ROLE:
            return self._role(mark)
        if mark.kind in {MarkKind.MATH, MarkKind.DISPLAY}:
            formula = " ".join(mark.value.split())
            ticks = "``" if "`" in formula else "`"
            return f"{{math}}{ticks}{formula}{ticks}"
        if mark.kind is MarkKind.IMAGE:
            source = self._image_source(mark)
            caption = plain_words(self.prose, *mark.inner)
            return f"![{caption}]({source})" if source is not None else self._replacement(mark)
        if mark.kind is MarkKind.LINK:
            return self._link(mark)
        return text[mark.start : mark.end]

    def _role(self, mark: Mark) -> str:
        value = " ".join(mark.value.split())
        if mark.name in {"numref", "ref", "eqref"}:
            return self._reference(mark.name, value)
        if mark.name in _CITATIONS:
            keys = [key.strip() for key in value.split(",") if key.strip()]
            known = [key for key in keys if key in self.context.book.citations]
            missing = "".join(f" \\[{key}?\\]" for key in keys if key not in known)
            return (f"{{{_CITATIONS[mark.name]}}}`{','.join(known)}`" if known else "") + (
                missing if known else missing.lstrip()
            )
        if mark.name in {"class", "func", "mod"}:
            return f"{{py:{mark.name}}}`{value}`"
        if mark.name == "bibliography":
            return "```{bibliography}\n```"
        if mark.name in {"label", "eqlabel", "width", "height", "begin_tab", "end_tab"}:
            return ""
        return f"`{value}`"

    def _reference(self, role: str, name: str) -> str:
        label = self._label(name)
        if label is None:
            return f"\\[{name}?\\]"
        if not self._available(label):
            return f"*{self._title_of(label)}*"
        if label.kind is LabelKind.EQUATION:
            return f"{{eq}}`{name}`"
        if label.kind is LabelKind.OTHER:
            return f"*{self._title_of(label)}*"
        return f"{{{role if role != 'eqref' else 'numref'}}}`{name}`"

    def _label(self, name: str) -> Label | None:
        labels = self.context.book.labels
        return labels.get(name) or labels.get(name.rpartition(OF_FRAMEWORK)[0])

    def _available(self, label: Label) -> bool:
        """Whether the label's page is part of the edition."""
        return any(self.context.book.sections[page].path == label.span.path for page in self.context.pages)

    def _title_of(self, label: Label) -> str:
        """Return the title of the section that holds a label, as MyST."""
        for section in self.context.book.sections.values():
            if section.path == label.span.path:
                title = label.text if label.kind is LabelKind.SECTION else section.title
                return _Translator(parse_prose(title), self.context).run().text or label.name
        return label.name

    def _link(self, mark: Mark) -> str:
        text, target = self._inline(*mark.inner), mark.value
        if is_remote(target) or not target:
            return f"[{text}]({_absolute(target)})"
        link = find_link(target, self.context.section, self.context.book.sections, self.context.root)
        if link.section:
            if link.section not in self.context.pages:
                return text
            fragment = f"#{quote(link.fragment)}" if link.fragment else ""
            return f"[{text}]({PAGE_SCHEME}:{quote(link.section)}{fragment})"
        if link.file is not None and link.file.is_file():
            return f"[{text}]({self.context.image(link.file)})"
        return text

    def _image_source(self, mark: Mark) -> str | None:
        """Return the address of an image for Sphinx; None if it cannot be shown."""
        if is_remote(mark.value):
            return None
        file = resolve_path(self.context.root, self.context.section.path, mark.value)
        return self.context.image(file) if file is not None and file.is_file() else None

    def _replacement(self, mark: Mark) -> str:
        """Return what is shown in place of an image that is missing, or that lies elsewhere."""
        caption = " ".join(self._inline(*mark.inner).split())
        if is_remote(mark.value):
            return f"[{caption or mark.value}]({_absolute(mark.value)})"
        return f"*\\[{self._missing(mark.value)}\\]* {caption}".rstrip()

    def _missing(self, address: str) -> str:
        text = translated(self.context.language, "missing image: {name}")
        return text.format(name=PurePosixPath(address).name)


def _split_slides(marks: Iterable[Mark]) -> Iterator[Mark]:
    for mark in marks:
        if mark.kind is MarkKind.SLIDE and mark.name != "(~~":
            yield Mark(MarkKind.SLIDE, mark.start, mark.inner[0])
            yield Mark(MarkKind.SLIDE, mark.inner[1], mark.end)
        else:
            yield mark


def _absolute(address: str) -> str:
    """Return the address of another site as MyST knows it for one."""
    return f"https:{address}" if address.startswith("//") else address


def _escaped(text: str) -> str:
    """Take the meaning from what MyST reads as a mark and the dialect does not."""
    text = _TARGET_LINE.sub(lambda match: f"{match[1]}\\{match[2]}", text)
    return re.sub(r"(?<!\\)\$", r"\\$", text)
