"""Pages made by hand, and sites made of them, for the tests of the renderers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from d2lbuild.config.types import Config, Execution, Framework, Html, Library
from d2lbuild.model import Book, Cell, CellKind, Contents, ContentsEntry, Notebook, Output, Section, Span
from d2lbuild.rendering.page import Page, PageCell

PYTORCH = Framework("pytorch", "PyTorch", "torch", packages=("torch",))
JAX = Framework("jax", "JAX", "jax", packages=("jax",))
MXNET = Framework("mxnet", "MXNet", "mxnet", packages=("mxnet",))


def make_config(root: Path, frameworks: Sequence[Framework] = (PYTORCH, JAX), **changes: object) -> Config:
    """Return the configuration of a small book in `root`."""
    config = Config(
        root=root,
        source=root / "conf" / "book.toml",
        chapters=PurePosixPath("chapters"),
        name="mini",
        title="A Mini Book",
        author="Somebody",
        copyright="2026",
        release="1.0",
        language="en",
        frameworks=tuple(frameworks),
        notebooks=("**/*.md",),
        exclusions=(),
        resources=(),
        bibliography=(),
        html=Html(),
        library=Library(),
        execution=Execution(),
        output=root / "_build",
    )
    return replace(config, **changes)  # type: ignore[arg-type]


def make_section(name: str, **fields: object) -> Section:
    """Return a section without blocks."""
    return Section(id=name, path=PurePosixPath(f"chapters/{name}.md"), blocks=(), title=name, **fields)  # type: ignore[arg-type]


class PageBuilder:
    """Adds cells to a page, each below the last one, as lines of a file."""

    def __init__(self, name: str, frameworks: Sequence[str], **fields: object) -> None:
        self.section = make_section(name, **fields)
        self.frameworks = tuple(frameworks)
        self.cells: list[PageCell] = []
        self.line = 1

    def add(
        self,
        kind: CellKind,
        source: str,
        *frameworks: str,
        outputs: Sequence[Output] = (),
        tags: frozenset[str] = frozenset(),
    ) -> None:
        """Add a cell for `frameworks`, or for all."""
        count = source.count("\n") + 1
        lines = tuple(range(self.line, self.line + count))
        self.cells.append(
            PageCell(
                id=f"cell-{len(self.cells)}",
                kind=kind,
                source=source,
                span=Span(self.section.path, lines[0], lines[-1]),
                lines=lines,
                frameworks=frameworks or self.frameworks,
                everywhere=not frameworks or len(frameworks) == len(self.frameworks),
                tags=tags,
                outputs=tuple(outputs),
            )
        )
        self.line += count + 1

    def prose(self, source: str, *frameworks: str) -> None:
        """Add prose."""
        self.add(CellKind.PROSE, source, *frameworks)

    def code(self, source: str, *frameworks: str, text: str = "", tags: frozenset[str] = frozenset()) -> None:
        """Add code that prints `text`."""
        outputs: list[Output] = [{"output_type": "stream", "name": "stdout", "text": text}] if text else []
        self.add(CellKind.CODE, source, *frameworks, outputs=outputs, tags=tags)

    def contents(self, *targets: str, numbered: bool = False) -> None:
        """Add a ``toc`` fence that lists the sections `targets`."""
        first = self.line
        path = self.section.path
        entries = tuple(
            ContentsEntry(target, target, Span(path, line, line))
            for line, target in enumerate(targets, start=first + 1)
        )
        found = Contents(entries, Span(path, first, first + len(targets)), maxdepth=2, numbered=numbered)
        self.section = replace(self.section, contents=(*self.section.contents, found))
        self.add(CellKind.CONTENTS, "\n".join([":maxdepth: 2", *targets]))

    def page(self, results: Mapping[str, object] | None = None) -> Page:
        """Return the page."""
        return Page(self.section, self.frameworks, tuple(self.cells), dict(results or {}))  # type: ignore[arg-type]


def make_book(*pages: Page, bibliography: Sequence[str] = ()) -> Book:
    """Return the book that consists of `pages`, the first of which is its root."""
    sections = {page.section.id: page.section for page in pages}
    files = tuple(map(PurePosixPath, bibliography))
    return Book(root=pages[0].section.id, sections=sections, labels={}, bibliography=files)


def make_notebook(section: Section, framework: str, *cells: Cell) -> Notebook:
    """Return what one framework sees of a section."""
    return Notebook(section, framework, cells)


def make_cell(
    name: str, source: str, line: int, *, kind: CellKind = CellKind.CODE, frameworks: frozenset[str] | None = None
) -> Cell:
    """Return a cell that starts on `line`."""
    lines = tuple(range(line, line + source.count("\n") + 1))
    span = Span(PurePosixPath("chapters/page.md"), lines[0], lines[-1])
    return Cell(name, kind, source, span, lines, frameworks)


def as_myst(text: str, _tabbed: bool = False) -> tuple[str, Sequence[int]]:
    """Take prose that is MyST Markdown already."""
    return text, range(text.count("\n") + 1)
