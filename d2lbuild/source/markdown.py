"""One source file, its text cut into blocks.

The blocks keep their lines exactly, so that `unparse(section)` is the file. Framework marks are read here, once.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import PurePosixPath

from d2lbuild.model import (
    Block,
    BlockKind,
    Contents,
    ContentsEntry,
    Finding,
    Frameworks,
    Section,
    Severity,
    Span,
)
from d2lbuild.source.cells import HIDING, OPTION, CellLanguage, CellMarks, FrameworkNames, cell_options
from d2lbuild.source.fences import FencedBlock, find_fences
from d2lbuild.source.prose import split_lines
from d2lbuild.source.reading import read_section

__all__ = ["BEGIN_TAB", "END_TAB", "FURNITURE", "FrameworkNames", "cut_section", "parse_section", "selected", "unparse"]

BEGIN_TAB = re.compile(r"\s*:begin_tab:`(?P<names>[^`]*)`\s*$")
END_TAB = re.compile(r"\s*:end_tab:\s*$")
_BREAK = re.compile(r"\+\+\+(\s.*)?$")
_MARKS = (":begin_tab:", ":end_tab:", "+++")
"""What such lines begin with: few do, and asking is faster than matching."""
FURNITURE = re.compile(r"^\s*(%load_ext\s+d2l(book|build)\.tab\b|tab\.interact_select\()", re.MULTILINE)
_TOC_ENTRY = re.compile(r"(?:.*<(?P<inside>[^>]+)>|(?P<plain>\S+))$")
_KINDS = {"toc": BlockKind.CONTENTS, "eval_rst": BlockKind.RST, "{eval-rst}": BlockKind.RST}


def parse_section(
    text: str,
    path: PurePosixPath,
    names: FrameworkNames,
    *,
    name: str | None = None,
    lines: Sequence[int] | None = None,
) -> Section:
    """Parse one file.

    `path` is relative to the book's root and `name` the section's id (the path without its suffix by default). `lines`
    gives the line of the file for each line of `text`, where the text was made from another format. Nothing is raised:
    what is wrong stands in `findings`.
    """
    return read_section(cut_section(text, path, names, name=name, lines=lines))


def cut_section(
    text: str,
    path: PurePosixPath,
    names: FrameworkNames,
    *,
    name: str | None = None,
    lines: Sequence[int] | None = None,
) -> Section:
    """Do the first half of `parse_section`: cut the text into blocks, and leave the prose in them unread."""
    cutter = _Cutter(text, path, names, lines)
    cutter.cut()
    return Section(
        id=name if name is not None else str(path.with_suffix("")),
        path=path,
        blocks=tuple(cutter.blocks),
        title="",
        contents=tuple(cutter.contents),
        findings=tuple(cutter.findings),
        lines=tuple(lines) if lines is not None else None,
    )


def unparse(section: Section) -> str:
    """Return the text that the section was parsed from."""
    return "".join(block.text for block in section.blocks)


@dataclass(slots=True)
class _Cutter:
    """Walks over the lines of a file and cuts them into blocks."""

    text: str
    path: PurePosixPath
    names: FrameworkNames
    line_map: Sequence[int] | None
    blocks: list[Block] = field(default_factory=list)
    contents: list[Contents] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    tab: Frameworks = None
    tab_opened: int | None = None

    def cut(self) -> None:
        lines = split_lines(self.text)
        fences = find_fences(lines)
        marks = {number for number, line in enumerate(lines) if line.lstrip().startswith(_MARKS)}
        prose = end = self._front_matter(lines)
        for at in sorted(marks | fences.keys()):
            if at < end:
                continue  # it stands in a fence
            if fence := fences.get(at):
                end = fence.end
                self._check_closed(fence)
                info = fence.info.strip()
                if language := self.names.cell_language(info):
                    self._prose(lines, prose, at)
                    self._code(fence, lines, language)
                    prose = end
                elif kind := _KINDS.get(info.split(maxsplit=1)[0] if info else ""):
                    self._prose(lines, prose, at)
                    self._fence(kind, fence, lines)
                    prose = end
            elif self._mark(lines, prose, at):
                prose = at + 1
        self._prose(lines, prose, len(lines))
        if self.tab_opened is not None:
            self._unclosed(self.tab_opened, "the end of the file")
        if not self.text.strip():
            self._find(
                "empty-file", "the file is empty", 0, severity=Severity.WARNING, hint="write a heading, or remove it"
            )

    # --- pieces ---

    def _front_matter(self, lines: Sequence[str]) -> int:
        """Take the YAML head of a Jupytext notebook; return the line after it."""
        if not lines or lines[0].rstrip() != "---":
            return 0
        end = next((n for n in range(1, len(lines)) if lines[n].rstrip() in {"---", "..."}), None)
        if end is None or not any(re.match(r"(jupytext|kernelspec|jupyter|myst)\s*:", line) for line in lines[1:end]):
            return 0
        self._block(BlockKind.MARK, lines, 0, end + 1)
        return end + 1

    def _mark(self, lines: Sequence[str], prose: int, at: int) -> bool:
        line = lines[at]
        if match := BEGIN_TAB.match(line):
            self._prose(lines, prose, at)
            if self.tab_opened is not None:
                self._unclosed(self.tab_opened, f"the next one in line {self._line(at)}")
            self.tab, self.tab_opened = self._frameworks(match["names"], at), at
        elif END_TAB.match(line):
            self._prose(lines, prose, at)
            if self.tab_opened is None:
                self._find("stray-end-tab", "`:end_tab:` closes nothing", at, hint="remove it, or open the block")
            self.tab, self.tab_opened = None, None
        elif _BREAK.match(line):
            self._prose(lines, prose, at)
        else:
            return False
        self._block(BlockKind.MARK, lines, at, at + 1)
        return True

    def _prose(self, lines: Sequence[str], first: int, last: int) -> None:
        if first < last:
            self._block(BlockKind.PROSE, lines, first, last, frameworks=self.tab)

    def _fence(self, kind: BlockKind, fence: FencedBlock, lines: Sequence[str]) -> None:
        at = fence.first
        indent = len(lines[at]) - len(lines[at].lstrip(" "))
        body = fence.content.split("\n")[:-1]
        if kind is BlockKind.CONTENTS:
            self.contents.append(self._toc(body, at + 1))
        content = "".join(line + "\n" for line in body)
        first_line = self._line(at) + 1
        self._block(
            kind, lines, at, fence.end, frameworks=self.tab, content=content, content_line=first_line, indent=indent
        )

    def _code(self, fence: FencedBlock, lines: Sequence[str], language: CellLanguage) -> None:
        body = fence.content.split("\n")[:-1]
        skipped, tags, needs, needs_at = 0, set[str](), list[str](), 0
        if fence.info.strip().startswith("{code-cell}"):
            skipped, tags = cell_options(body)
        marks = language.marks
        frameworks: Frameworks = self.tab if self.tab is not None else frozenset(language.frameworks[:1])
        while skipped < len(body):
            line, at = body[skipped].strip(), fence.first + 1 + skipped
            if match := marks.tab.match(line):
                marked = self._frameworks(match["names"], at)
                frameworks = _both(self.tab, marked)
                if marked and not frameworks:
                    self._crossed(match["names"], at)
            elif match := marks.hiding.match(line):
                tags.add(HIDING[(match["mark"] or match["words"]).lower()])
            elif match := marks.needs.match(line):
                needs.append(match["text"])
                needs_at = needs_at or self._line(at)
            elif line:
                break
            skipped += 1
        rest = body[skipped:]
        while rest and not rest[-1].strip():
            rest.pop()
        source = "\n".join(rest)
        if "@needs" in source:
            self._misplaced_needs(rest, fence.first + 1 + skipped, marks)
        kind = BlockKind.FURNITURE if FURNITURE.search(source) else BlockKind.CODE
        code_line = min(fence.first + 1 + skipped, len(lines) - 1)
        self._block(
            kind,
            lines,
            fence.first,
            fence.end,
            frameworks=self._speaking(language, frameworks, fence.first) if language.one_of_many else frameworks,
            content=source,
            content_line=self._line(code_line),
            indent=len(lines[fence.first]) - len(lines[fence.first].lstrip(" ")),
            tags=frozenset(tags),
            needs=", ".join(needs),
            needs_line=needs_at,
        )

    def _speaking(self, language: CellLanguage, frameworks: Frameworks, at: int) -> Frameworks:
        """Leave to a cell the frameworks that speak its language; note those that it names and that do not."""
        if frameworks is None:
            return frozenset(language.frameworks)
        others = sorted(name for name in frameworks if name in self.names.book and name not in language.frameworks)
        for name in others:
            own = self.names.language(name)
            message = f"a cell in {language.name} is marked for {name}, whose language is {own}"
            self._find("wrong-language", message, at, hint=f"begin the cell with ```{{.{own} .input}}")
        return frameworks - frozenset(others)

    def _crossed(self, names: str, at: int) -> None:
        around = ", ".join(sorted(self.tab or ()))
        message = f"a cell marked for '{names.strip()}' stands in a `:begin_tab:` for {around}: nobody sees it"
        hint = "mark it for one of these, or move it out"
        self._find("crossed-tabs", message, at, severity=Severity.WARNING, hint=hint)

    def _misplaced_needs(self, code: Sequence[str], at: int, marks: CellMarks) -> None:
        for offset, line in enumerate(code):
            if marks.needs.match(line.strip()):
                hint = "move it up: it is a mark only there"
                self._find("misplaced-needs", "`@needs` stands below the first line of code", at + offset, hint=hint)

    def _toc(self, body: Sequence[str], at: int) -> Contents:
        maxdepth, numbered, caption, entries = None, False, "", []
        for offset, raw in enumerate(body):
            line = raw.strip()
            span = self.span(at + offset)
            if option := OPTION.match(line):
                if option["name"] == "maxdepth" and option["value"].strip().isdigit():
                    maxdepth = int(option["value"])
                elif option["name"] == "numbered":
                    numbered = True
                elif option["name"] == "caption" and option["value"].strip():
                    caption = option["value"].strip()
                else:
                    self._find(
                        "toc-option",
                        f"unknown option `{line}` of a `toc`",
                        at + offset,
                        hint="`:maxdepth: N`, `:numbered:` and `:caption: TEXT` are known",
                    )
            elif line and (entry := _TOC_ENTRY.match(line)):
                entries.append(ContentsEntry((entry["inside"] or entry["plain"]).strip(), "", span))
        return Contents(tuple(entries), self.span(at - 1, at + len(body)), maxdepth, numbered, caption)

    # --- helpers ---

    def _block(
        self,
        kind: BlockKind,
        lines: Sequence[str],
        first: int,
        last: int,
        *,
        frameworks: Frameworks = None,
        content: str = "",
        content_line: int = 0,
        indent: int = 0,
        tags: frozenset[str] = frozenset(),
        needs: str = "",
        needs_line: int = 0,
    ) -> None:
        text = "".join(lines[first:last])
        span = self.span(first, last - 1)
        self.blocks.append(Block(kind, text, span, frameworks, content, content_line, indent, tags, needs, needs_line))

    def _line(self, index: int) -> int:
        if self.line_map:
            return self.line_map[min(index, len(self.line_map) - 1)]
        return index + 1

    def span(self, first: int, last: int | None = None) -> Span:
        """Return the span of lines `first` to `last`, counted from 0."""
        return Span(self.path, self._line(first), self._line(first if last is None else last))

    def _frameworks(self, text: str, at: int) -> Frameworks:
        names = [name for name in re.split(r"[\s,]+", text) if name]
        if "all" in names:
            return None
        if not names:
            self._find(
                "no-framework",
                "the mark names no framework",
                at,
                hint=f"write one of {', '.join(self.names.book)}, or all",
            )
        known = []
        for name in names:
            if name in self.names.book or name in self.names.others:
                known.append(name)
                continue
            near = get_close_matches(name, [*self.names.book, *self.names.others, "all"], n=1, cutoff=0.4)
            hint = f"did you mean {near[0]}?" if near else f"the book has {', '.join(self.names.book)}"
            self._find("unknown-framework", f"unknown framework '{name}'", at, hint=hint)
        return frozenset(known)

    def _check_closed(self, fence: FencedBlock) -> None:
        if not fence.closed:
            self._find(
                "unclosed-fence",
                f"the fence `{fence.markup}{fence.info}` is never closed",
                fence.first,
                hint=f"add a line `{fence.markup}` where the block ends",
            )

    def _unclosed(self, at: int, until: str) -> None:
        self._find(
            "unclosed-tab",
            f"`:begin_tab:` is not closed before {until}",
            at,
            hint="add a line `:end_tab:` where the block ends",
        )

    def _find(self, rule: str, message: str, at: int, *, severity: Severity = Severity.ERROR, hint: str = "") -> None:
        self.findings.append(Finding(rule, message, self.span(at), severity, hint))


def _both(one: Frameworks, other: Frameworks) -> Frameworks:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def selected(frameworks: Frameworks, framework: str) -> bool:
    """Whether something marked for `frameworks` belongs to `framework`."""
    return frameworks is None or framework in frameworks
