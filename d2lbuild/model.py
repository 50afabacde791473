"""What flows through the stages: frozen values, each of which remembers its source lines.

Words: a *section* is one source file, an *edition* the book for one framework, a *notebook* a section as one framework
sees it, a *page* what a reader sees (the notebooks of one section, joined).
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

__all__ = [
    "Block",
    "BlockKind",
    "Book",
    "Cell",
    "CellKind",
    "Contents",
    "ContentsEntry",
    "ExecutionResult",
    "Failure",
    "Finding",
    "Frameworks",
    "Image",
    "Label",
    "LabelKind",
    "Needs",
    "Notebook",
    "Output",
    "Reference",
    "Section",
    "Severity",
    "Span",
    "Status",
]

Frameworks = frozenset[str] | None
Output = dict[str, Any]
"""One output of a code cell, as nbformat 4.5 defines it."""


# What a book has thousands of has no slots: pickles of frozen classes with slots take twice as long to load.
@dataclass(frozen=True, order=True)
class Span:
    """Lines of a source file, counted from 1, both ends included."""

    path: PurePosixPath
    """Relative to the book's root."""
    first: int
    last: int
    column: int = 0
    """Column of the first character, counted from 1; 0 if it is not known."""

    def __str__(self) -> str:
        column = f":{self.column}" if self.column else ""
        return f"{self.path}:{self.first}{column}"


class Severity(enum.Enum):
    """How bad a finding is: an error fails `check` and the build under `--strict`."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with the book or its configuration."""

    rule: str
    """A short kebab-case name, such as ``unknown-framework``."""
    message: str
    """A lower-case fact, without the place."""
    span: Span | None = None
    severity: Severity = Severity.ERROR
    hint: str = ""
    """What to do about it, such as the nearest right name."""

    def __str__(self) -> str:
        place = f"{self.span}: " if self.span else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.severity.value}: {self.message}{hint} [{self.rule}]"


# --- sources ---


class BlockKind(enum.Enum):
    """What a run of source lines is."""

    PROSE = "prose"
    CODE = "code"
    """An executable cell."""
    CONTENTS = "contents"
    """A ```` ```toc ```` fence."""
    RST = "rst"
    """An ```` ```eval_rst ```` fence."""
    FURNITURE = "furniture"
    """A cell that only serves the editor (`%load_ext d2lbook.tab`): dropped."""
    MARK = "mark"
    """A line that only opens or closes something (`:begin_tab:`, `:end_tab:`)."""


@dataclass(frozen=True)
class Block:
    """A run of whole source lines. The blocks of a section, joined, are its file."""

    kind: BlockKind
    text: str
    """The lines, exactly as they stand in the file."""
    span: Span
    frameworks: Frameworks = None
    """For code this is resolved: a cell without a mark has the default framework."""
    content: str = ""
    """For fences: what stands inside, without the fence and the framework mark, dedented."""
    content_line: int = 0
    """The source line of the first line of `content`."""
    indent: int = 0
    """Columns by which a fence is indented (one inside a list)."""
    tags: frozenset[str] = frozenset()
    """Jupyter cell tags and the hiding marks, in Jupyter's words (``hide-input``, ``raises-exception``, …)."""
    needs: str = ""
    """What stands behind a ``#@needs`` mark of the cell, which is not in `content`."""
    needs_line: int = 0
    """The source line of that mark; 0 if there is none."""


class LabelKind(enum.Enum):
    """What a label names; it decides the words of a reference to it."""

    SECTION = "section"
    FIGURE = "figure"
    TABLE = "table"
    EQUATION = "equation"
    OTHER = "other"


@dataclass(frozen=True)
class Label:
    """A ``:label:`` or ``:eqlabel:``."""

    name: str
    kind: LabelKind
    span: Span
    frameworks: Frameworks = None
    text: str = ""
    """The title or caption that it names, as source."""


@dataclass(frozen=True)
class Reference:
    """A mark that refers to something: a label, a work, a Python object."""

    role: str
    """``numref``, ``ref``, ``eqref``, ``cite``, ``citet``, ``citep``, ``class``, ``func``, ``mod``."""
    target: str
    span: Span
    frameworks: Frameworks = None


@dataclass(frozen=True)
class Image:
    """An image of the text."""

    target: str
    """As written: a path relative to the section's file, or an address."""
    caption: str
    span: Span
    frameworks: Frameworks = None


@dataclass(frozen=True, slots=True)
class ContentsEntry:
    """One line of a ``toc`` fence."""

    target: str
    """As written."""
    section: str
    """The id of the section, or the empty string if it does not exist."""
    span: Span


@dataclass(frozen=True, slots=True)
class Contents:
    """A ``toc`` fence."""

    entries: tuple[ContentsEntry, ...]
    span: Span
    maxdepth: int | None = None
    numbered: bool = False
    caption: str = ""
    """Stands above the entries; in the first section it is the title of a part of the book."""


@dataclass(frozen=True, slots=True)
class Section:
    """One source file."""

    id: str
    """Its path below the root without the suffix, with ``/``: ``chapter_x/page``."""
    path: PurePosixPath
    blocks: tuple[Block, ...]
    title: str
    """The first heading, as source; empty if there is none."""
    labels: tuple[Label, ...] = ()
    references: tuple[Reference, ...] = ()
    images: tuple[Image, ...] = ()
    contents: tuple[Contents, ...] = ()
    anchors: tuple[str, ...] = ()
    """The keys of its headings, see `source.links.anchor_key`: links can lead to them."""
    bibliographies: tuple[Reference, ...] = ()
    """The ``:bibliography:`` marks; their targets are files."""
    findings: tuple[Finding, ...] = ()
    """What is wrong with the file on its own."""
    lines: tuple[int, ...] | None = None
    """For each line of the blocks its line in the file, where the text was made from another format."""
    digest: str = field(default="", compare=False)
    """Tells it, and the cells that are cut out of it, from all others; empty if it was not read from a file."""


@dataclass(frozen=True, slots=True)
class Book:
    """All sections that the table of contents reaches, in its order."""

    root: str
    """The id of the section that the contents start from, ``index``."""
    sections: Mapping[str, Section]
    """By id, in reading order."""
    labels: Mapping[str, Label]
    """By name; the first of several wins."""
    citations: frozenset[str] = frozenset()
    """The keys of the bibliography."""
    bibliography: tuple[PurePosixPath, ...] = ()
    """The BibTeX files, relative to the book's root: those of the configuration and of ``:bibliography:`` marks."""
    orphans: tuple[str, ...] = ()
    """Ids of sources that match the patterns but that no ``toc`` reaches."""
    findings: tuple[Finding, ...] = ()
    """What is wrong across files, and all findings of the sections, in reading order."""


# --- editions ---


class CellKind(enum.Enum):
    """What a cell of a notebook is."""

    PROSE = "prose"
    CODE = "code"
    CONTENTS = "contents"
    RST = "rst"


@dataclass(frozen=True)
class Cell:
    """A block as one framework sees it."""

    id: str
    """The same in every framework; a valid nbformat 4.5 cell id, unique in its section."""
    kind: CellKind
    source: str
    """Prose in the dialect; code with its branches taken (and, after `expand`, its aliases expanded)."""
    span: Span
    lines: tuple[int, ...]
    """For each line of `source`, its line in the file."""
    frameworks: Frameworks = None
    """The frameworks that the block was written for, not only this one."""
    tags: frozenset[str] = frozenset()
    indent: int = 0
    needs: str = ""
    """What stands behind a ``#@needs`` mark: see `execution.needs`."""
    needs_line: int = 0
    """The source line of that mark; 0 if there is none."""


@dataclass(frozen=True, slots=True)
class Notebook:
    """A section as one framework sees it."""

    section: Section
    framework: str
    cells: tuple[Cell, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def code(self) -> tuple[Cell, ...]:
        """The executable cells, in order."""
        return tuple(cell for cell in self.cells if cell.kind is CellKind.CODE)


# --- execution ---


@dataclass(frozen=True, slots=True)
class Needs:
    """What running a notebook takes."""

    gpus: int = 0
    """Whole GPUs that it cannot do without."""
    gpu_memory: int | None = None
    """Bytes of one GPU's memory: with this, the notebook shares a GPU with others that say so too."""
    uses_gpu: bool = False
    """It runs on a CPU as well, but takes a GPU where there is one."""
    memory: int | None = None
    """Bytes of memory; a notebook that takes more is ended."""
    timeout: float | None = None
    """Seconds for the whole notebook; None: as the book has it."""
    packages: tuple[str, ...] = ()
    """Exact requirements beside the framework's lock: ``("networkx==3.3",)``."""
    origin: str = ""
    """Who says so: a place in a chapter, the configuration's file, or the words of the code that were guessed from."""


class Status(enum.Enum):
    """How the run of a notebook ended."""

    DONE = "done"
    FAILED = "failed"
    """A cell raised an exception."""
    TIMEOUT = "timeout"
    DIED = "died"
    """The kernel's process ended by itself."""
    NOT_STARTED = "not started"
    """The kernel never answered."""
    SKIPPED = "skipped"
    """It needs what this machine does not have, such as a GPU; `Failure.message` says what."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Where and why a run ended early."""

    cell: int | None
    """The index among the notebook's code cells; None if none was running."""
    name: str
    """The exception's class, or the status in words."""
    message: str
    traceback: str = ""
    """Without terminal colours; empty where there is none."""
    line: int | None = None
    """The line within the cell, counted from 1, of the last frame that lies in it."""


@dataclass(frozen=True, slots=True)
class ExecutionResult:
    """What running one notebook gave. Picklable and independent of the prose around the cells."""

    status: Status
    outputs: tuple[tuple[Output, ...], ...]
    """For each code cell its outputs; cells that did not run have none."""
    seconds: float
    """Wall time of all cells, without the kernel's start."""
    finished: str
    """UTC, ISO 8601, to the second."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """What it ran with: ``{"python": "3.11.7", "torch": "2.13.0"}``."""
    failure: Failure | None = None
    device: str = "cpu"
    """``cpu``, or what the GPUs are called that it ran on."""
    memory: int | None = None
    """The most bytes that the kernel and the processes it started held at once; None where that is unknown."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """The files of the book that it read, relative to the sources' folder, each with its SHA-256 before the run, or
    ``absent``. A folder that it listed ends in ``/`` and has the digest of its names."""
    warnings: tuple[str, ...] = ()
    """What it did that it should not: files written elsewhere, processes left behind."""
    attempts: int = 1
