"""What is wrong with the prose of one section: headings, images, tables, words."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, islice
from operator import eq
from pathlib import PurePosixPath

from d2lbuild.checking.files import found
from d2lbuild.config import Config
from d2lbuild.config.types import Check, WordRule
from d2lbuild.model import Block, BlockKind, Finding, Frameworks, LabelKind, Section, Span
from d2lbuild.source.marks import MarkKind
from d2lbuild.source.prose import Heading, Prose, parse_prose

__all__ = ["ProseGroups", "check_prose", "external_links", "word_pattern"]

_NONBREAKING = frozenset({"numref", "ref", "eqref", "cite", "citet", "citep"})
"""What should not stand at the beginning of a line."""
_TWICE = re.compile(r"(?<![\w'’.-])([^\W\d_]+)([ \t]+|[ \t]*\r?\n[ \t]*)(\1)(?![\w'’-])", re.IGNORECASE)
_MARKS = str.maketrans(dict.fromkeys('.,;:!?()[]*_"“”„«»', " "))
_RIGHTLY_TWICE = frozenset({"had", "that", "is", "do", "bye", "very", "so", "ha", "no", "blah"})
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_BARE_ADDRESS = re.compile(r"https?://[^\s<>()\[\]`\"]+", re.IGNORECASE)
_LOCAL = re.compile(r"https?://(?:localhost|[\w.-]*\bexample(?:\.(?:com|org|net))?)(?:[:/]|$)", re.IGNORECASE)
"""Addresses that are no page of the network."""
_BROKEN_MARK = re.compile(
    r"(?<![\w:])(?::(?P<name>numref|ref|eqref|cite[tp]?|label|eqlabel):(?!`)|:?(?P<bare>numref|eqref|cite[tp]?|eqlabel):?`)"
)
_UNSPACED_HEADING = re.compile(r"^#{1,6}[^\W\d_]+", re.MULTILINE)
_STRAY_SPACE = re.compile(r"(?<=[^\s|-])[ \t]+([,.])(?=\s)")
_HIDING = frozenset({MarkKind.ROLE, MarkKind.CODE, MarkKind.MATH, MarkKind.DISPLAY})
ProseGroups = Sequence[tuple[Sequence[Block], str, int]]
"""What `source.reading.prose_groups` gives of a section."""
_Spans = Callable[[int], Span]


def check_prose(section: Section, groups: ProseGroups, config: Config) -> Iterator[Finding]:
    """Yield what is wrong."""
    headings: list[tuple[Heading, Span, Frameworks]] = []
    for blocks, text, first in groups:
        prose = parse_prose(text)
        span = _spans(section, prose, first)
        headings += [(one, span(one.start), _frameworks(blocks, one.start)) for one in prose.headings]
        yield from _images_and_tables(prose, span)
        yield from _unclosed_maths(prose, span)
        yield from _slips(prose, span)
        yield from _odd_fences(blocks, prose, span)
        yield from _spaces(prose, span, config.check)
        yield from _words(prose, span, config)
    yield from _headings(headings)
    yield from _chapter_label(section)


def _spans(section: Section, prose: Prose, first: int) -> _Spans:
    lines = section.lines

    def span(offset: int) -> Span:
        line = first + prose.line(offset)
        number = lines[min(line, len(lines) - 1)] if lines else line + 1
        return Span(section.path, number, number, prose.column(offset))

    return span


def _frameworks(blocks: Sequence[Block], offset: int) -> Frameworks:
    block = _block_at(blocks, offset)
    return block.frameworks if block else None


def _block_at(blocks: Sequence[Block], offset: int) -> Block | None:
    ends = accumulate(len(block.text) for block in blocks)
    return next((block for block, end in zip(blocks, ends, strict=True) if offset < end), None)


# --- headings ---


def _headings(headings: Sequence[tuple[Heading, Span, Frameworks]]) -> Iterator[Finding]:
    level = 0
    titles: list[Frameworks] = []
    for heading, span, frameworks in headings:
        if level and heading.level > level + 1:
            message = f"a heading of level {heading.level} below one of level {level}"
            yield found("heading-jump", message, span, f"begin it with {'#' * (level + 1)}")
        level = heading.level
        if heading.level == 1:
            if any(_meet(frameworks, other) for other in titles):
                hint = "begin it with ##: a page has one title"
                yield found("several-titles", "a second heading of the first level", span, hint)
            titles.append(frameworks)


def _meet(one: Frameworks, other: Frameworks) -> bool:
    return one is None or other is None or bool(one & other)


def _chapter_label(section: Section) -> Iterator[Finding]:
    name = PurePosixPath(section.id)
    if not section.title or len(name.parts) < 2 or not (name.name == "index" or section.contents):
        return
    if not any(label.kind is LabelKind.SECTION for label in section.labels):
        message = f"the chapter '{section.title}' has no label"
        yield found("chapter-label", message, Span(section.path, 1, 1), "add a line :label:`chap_…` below its title")


# --- images, tables, formulas ---


def _images_and_tables(prose: Prose, span: _Spans) -> Iterator[Finding]:
    for mark in prose.marks:
        if mark.kind is MarkKind.IMAGE and not prose.text[slice(*mark.inner)].strip():
            message = f"the image '{mark.value}' has no text for those who do not see it"
            yield found("image-alt", message, span(mark.start), "write what it shows between the brackets")
    for table in prose.tables:
        if table.labels and not table.caption:
            message = f"the table '{table.labels[0].value}' has a label but no caption"
            yield found("table-caption", message, span(table.start), "write a line `:A caption` above the table")


def _unclosed_maths(prose: Prose, span: _Spans) -> Iterator[Finding]:
    text = prose.text
    if text.count("$$") == 2 * sum(mark.kind is MarkKind.DISPLAY for mark in prose.marks):
        return  # all of them are closed
    for match in re.finditer(r"(?<![\\$])\$\$(?!\$)", text):
        if not _covered(prose, match.start()):
            yield found("unclosed-math", "`$$` opens a formula that is never closed", span(match.start()))
            return


def _slips(prose: Prose, span: _Spans) -> Iterator[Finding]:
    """Yield what looks like something of the dialect and is plain text."""
    for match in _BROKEN_MARK.finditer(prose.text):
        if not _covered(prose, match.start()):
            text = match.group().strip()
            name = match["name"] or match["bare"]
            yield found(
                "broken-mark", f"'{text}' is no mark", span(match.start()), f"write `:{name}:` and, after it, `…`"
            )
    for match in _UNSPACED_HEADING.finditer(prose.text):
        if not _covered(prose, match.start()):
            yield found("unspaced-heading", f"'{match.group()}' begins no heading", span(match.start()), "add a space")


def _odd_fences(blocks: Sequence[Block], prose: Prose, span: _Spans) -> Iterator[Finding]:
    for fence in prose.fences:
        if not (fence.info.startswith("{") and re.search(r"\binput\b", fence.info)):
            continue
        block = _block_at(blocks, fence.start)
        if block is None or block.kind is BlockKind.PROSE:  # others are cells in a list
            message = f"'{fence.info}' begins a listing, which is never run"
            yield found("odd-fence", message, span(fence.info_at), "a cell begins with ```{.python .input}")


def _covered(prose: Prose, offset: int) -> bool:
    """Whether a place of prose is no words: in code, a formula, a mark."""
    if any(fence.start <= offset < fence.end for fence in prose.fences):
        return True
    return any(mark.start <= offset < mark.end for mark in prose.marks if mark.kind in _HIDING)


def external_links(section: Section, groups: ProseGroups) -> Iterator[tuple[str, Span]]:
    """Yield the addresses on other sites that links, images and bare addresses name."""
    named = [(one.target, one.span) for one in section.references if one.role == "link"]
    named += [(image.target, image.span) for image in section.images]
    yield from (
        one
        for one in (*named, *_bare_addresses(section, groups))
        if _ADDRESS.match(one[0]) and not _LOCAL.match(one[0])
    )


def _bare_addresses(section: Section, groups: ProseGroups) -> Iterator[tuple[str, Span]]:
    for _, text, first in groups:
        if "http" in text:
            prose = parse_prose(text)
            span = _spans(section, prose, first)
            linked = [mark for mark in prose.marks if mark.kind in (MarkKind.LINK, MarkKind.IMAGE)]
            for match in _BARE_ADDRESS.finditer(text):
                at = match.start()
                if not _covered(prose, at) and not any(mark.start <= at < mark.end for mark in linked):
                    yield match.group().rstrip(".,;:!?*'\""), span(at)


# --- words ---


def _spaces(prose: Prose, span: _Spans, check: Check) -> Iterator[Finding]:
    if check.rules.get("nonbreaking-space", "off") == "off":
        return
    for mark in prose.marks:
        at = mark.start - 1
        if mark.kind is not MarkKind.ROLE or mark.name not in _NONBREAKING or at < 1:
            continue
        if prose.text[at] == " " and not prose.text[at - 1].isspace():
            message = f"a line may break between this space and `:{mark.name}:`"
            yield found("nonbreaking-space", message, span(at), "put a no-break space, U+00A0, before it")


def _words(prose: Prose, span: _Spans, config: Config) -> Iterator[Finding]:
    text = prose.text
    for match in _TWICE.finditer(text) if _is_wanted(config) and _may_repeat(text) else ():
        first, word = match[1], match[3]
        same = first == word or (first[1:] == word[1:] and word.islower())  # not `US us`
        if same and word not in _RIGHTLY_TWICE and len(word) > 1 and not _covered(prose, match.start()):
            message = f"'{word}' stands here twice"
            yield found("repeated-word", message, span(match.start(2) + len(match[2])), "remove one of them")
    for match in _STRAY_SPACE.finditer(text):
        if not _covered(prose, match.start()):
            yield found("stray-space", f"a space before '{match[1]}'", span(match.start()), "remove it")
    for word in config.check.words:
        for match in word_pattern(word).finditer(text):
            if match.group() and not _covered(prose, match.start()):
                hint = f"write '{match.expand(word.replacement)}'" if word.replacement is not None else ""
                yield found("words", f"'{match.group()}': {word.message}", span(match.start()), hint)


def _may_repeat(text: str) -> bool:
    """Whether a word may stand twice in a row: most texts need no closer look."""
    words = text.lower().translate(_MARKS).split()
    return any(map(eq, words, islice(words, 1, None)))


def word_pattern(word: WordRule) -> re.Pattern[str]:
    """Return what finds the words."""
    return re.compile(word.pattern)


def _is_wanted(config: Config) -> bool:
    """Whether words that stand twice are mistakes: in other languages many are none."""
    return config.language.startswith("en") or "repeated-word" in config.check.rules
