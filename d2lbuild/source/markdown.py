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
from d2lbuild.source.fences import FencedBlock, find_fences
from d2lbuild.source.prose import split_lines
from d2lbuild.source.reading import read_section

__all__ = ["FrameworkNames", "cut_section", "parse_section", "selected", "unparse"]

_BEGIN = re.compile(r"\s*:begin_tab:`(?P<names>[^`]*)`\s*$")
_END = re.compile(r"\s*:end_tab:\s*$")
_BREAK = re.compile(r"\+\+\+(\s.*)?$")
_MARKS = (":begin_tab:", ":end_tab:", "+++")
"""What such lines begin with: few do, and asking is faster than matching."""
_CELL_INFO = re.compile(r"\{\s*\.python\s+\.input\b[^}]*\}|\{code-cell\}.*")
_CODE_MARK = re.compile(r"(?:#\s*@tab|%%tab)\b[ \t]*(?P<names>.*?)\s*$")
_FURNITURE = re.compile(r"^\s*(%load_ext\s+d2l(book|build)\.tab\b|tab\.interact_select\()", re.MULTILINE)
_OPTION = re.compile(r":(?P<name>[\w-]+):\s*(?P<value>.*)$")
_TOC_ENTRY = re.compile(r"(?:.*<(?P<inside>[^>]+)>|(?P<plain>\S+))$")
_HIDING = {
    "hide_code": "remove-input",
    "hide code": "remove-input",
    "hide_output": "remove-output",
    "hide outputs": "remove-output",
    "hide output": "remove-output",
    "hide": "remove-cell",
    "hide_all": "hide-all",
}
_HIDING_MARK = re.compile(r"#\s*(?:@(?P<mark>hide(?:_code|_output|_all)?)|(?P<words>[Hh]ide (?:code|outputs?)))\s*$")


@dataclass(frozen=True, slots=True)
class FrameworkNames:
    """The names that framework marks may use."""

    book: tuple[str, ...]
    """Those of the book, the default first."""
    others: frozenset[str] = frozenset()
    """Known ones that this book does not list: no error, but never selected either."""


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
                kind = _fence_kind(fence.info)
                self._check_closed(fence)
                if kind is not BlockKind.PROSE:
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
        if match := _BEGIN.match(line):
            self._prose(lines, prose, at)
            if self.tab_opened is not None:
                self._unclosed(self.tab_opened, f"the next one in line {self._line(at)}")
            self.tab, self.tab_opened = self._frameworks(match["names"], at), at
        elif _END.match(line):
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
        if kind is BlockKind.CODE:
            self._code(fence, lines, body=body, indent=indent)
            return
        if kind is BlockKind.CONTENTS:
            self.contents.append(self._toc(body, at + 1))
        content = "".join(line + "\n" for line in body)
        first_line = self._line(at) + 1
        self._block(
            kind, lines, at, fence.end, frameworks=self.tab, content=content, content_line=first_line, indent=indent
        )

    def _code(self, fence: FencedBlock, lines: Sequence[str], *, body: list[str], indent: int) -> None:
        skipped, tags = 0, set[str]()
        if fence.info.strip().startswith("{code-cell}"):
            skipped, tags = _cell_options(body)
        frameworks: Frameworks = self.tab if self.tab is not None else frozenset({self.names.book[0]})
        while skipped < len(body):
            line = body[skipped]
            if match := _CODE_MARK.match(line.strip()):
                marked = self._frameworks(match["names"], fence.first + 1 + skipped)
                frameworks = _both(self.tab, marked)
            elif match := _HIDING_MARK.match(line.strip()):
                tags.add(_HIDING[(match["mark"] or match["words"]).lower()])
            elif line.strip():
                break
            skipped += 1
        rest = body[skipped:]
        while rest and not rest[-1].strip():
            rest.pop()
        source = "\n".join(rest)
        kind = BlockKind.FURNITURE if _FURNITURE.search(source) else BlockKind.CODE
        code_line = min(fence.first + 1 + skipped, len(lines) - 1)
        self._block(
            kind,
            lines,
            fence.first,
            fence.end,
            frameworks=frameworks,
            content=source,
            content_line=self._line(code_line),
            indent=indent,
            tags=frozenset(tags),
        )

    def _toc(self, body: Sequence[str], at: int) -> Contents:
        maxdepth, numbered, entries = None, False, []
        for offset, raw in enumerate(body):
            line = raw.strip()
            span = self.span(at + offset)
            if option := _OPTION.match(line):
                if option["name"] == "maxdepth" and option["value"].strip().isdigit():
                    maxdepth = int(option["value"])
                elif option["name"] == "numbered":
                    numbered = True
                else:
                    self._find(
                        "toc-option",
                        f"unknown option `{line}` of a `toc`",
                        at + offset,
                        hint="`:maxdepth: N` and `:numbered:` are known",
                    )
            elif line and (entry := _TOC_ENTRY.match(line)):
                entries.append(ContentsEntry((entry["inside"] or entry["plain"]).strip(), "", span))
        return Contents(tuple(entries), self.span(at - 1, at + len(body)), maxdepth, numbered)

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
    ) -> None:
        text = "".join(lines[first:last])
        span = self.span(first, last - 1)
        self.blocks.append(Block(kind, text, span, frameworks, content, content_line, indent, tags))

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


def _fence_kind(info: str) -> BlockKind:
    info = info.strip()
    if _CELL_INFO.match(info):
        return BlockKind.CODE
    word = info.split()[0] if info else ""
    return {"toc": BlockKind.CONTENTS, "eval_rst": BlockKind.RST, "{eval-rst}": BlockKind.RST}.get(
        word, BlockKind.PROSE
    )


def _both(one: Frameworks, other: Frameworks) -> Frameworks:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _cell_options(body: Sequence[str]) -> tuple[int, set[str]]:
    """Read the options of a MyST ``{code-cell}``: how many lines they take, and the tags."""
    end = 0
    if body and body[0].strip() == "---":
        end = next((n for n in range(1, len(body)) if body[n].strip() == "---"), 0) + 1
    else:
        while end < len(body) and _OPTION.match(body[end].strip()):
            end += 1
    tags: set[str] = set()
    for line in body[:end]:
        if match := re.match(r":?tags:\s*(.*)$", line.strip()):
            tags.update(re.findall(r"[\w@.-]+", match[1]))
        elif match := re.match(r"-\s+([\w@.-]+)$", line.strip()):
            tags.add(match[1])
    return end, tags


def selected(frameworks: Frameworks, framework: str) -> bool:
    """Whether something marked for `frameworks` belongs to `framework`."""
    return frameworks is None or framework in frameworks
