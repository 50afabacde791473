"""What a check needs to know of one section, found once and kept: what is wrong with it alone, and its code."""

import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from d2lbuild.checking.code import check_cells, check_imports
from d2lbuild.checking.files import check_file
from d2lbuild.checking.prose import check_prose, external_links
from d2lbuild.config import Config
from d2lbuild.edition.library_checks import imports_another, mentions
from d2lbuild.edition.select import has_page, select
from d2lbuild.execution.needs import needs_of
from d2lbuild.model import Cell, Finding, Section, Span
from d2lbuild.source.ignores import Ignore, find_ignores
from d2lbuild.source.reading import prose_groups

__all__ = ["CheckedNotebook", "CheckedSection", "check_section"]


@dataclass(frozen=True)
class CheckedNotebook:
    """A section as one framework sees it."""

    findings: tuple[Finding, ...]
    """What is wrong with its code on its own."""
    mentioned: frozenset[str] = frozenset()
    """Names of the library that its code may use."""
    another: bool = False
    """Whether it may import another framework's library."""
    packed: bytes = b""
    """`cells`, pickled: they are the most of what is kept, and seldom looked at."""
    saved: tuple[Cell, ...] = ()
    """Those of them that save something."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells that use the library or save something."""
        cells: tuple[Cell, ...] = pickle.loads(self.packed) if self.packed else ()  # noqa: S301 - our own
        return cells


@dataclass(frozen=True)
class CheckedSection:
    """One section."""

    key: str
    """Tells its file, and all else that this depends on, from all others."""
    section: Section
    """Without its blocks."""
    findings: tuple[Finding, ...]
    """What is wrong with its text and its cells; `section.findings` are those of who read it."""
    ignores: tuple[Ignore, ...]
    links: tuple[tuple[str, Span], ...]
    """The addresses on other sites that it names."""
    notebooks: Mapping[str, CheckedNotebook]
    """By framework."""


def check_section(config: Config, key: str, section: Section, data: bytes) -> CheckedSection:
    """Look at a section that was just read from `data`."""
    groups = list(prose_groups(section.blocks))
    return CheckedSection(
        key=key,
        section=replace(section, blocks=(), digest=key),
        findings=(*check_file(section, data), *check_prose(section, groups, config), *check_cells(section, config)),
        ignores=tuple(find_ignores(section)),
        links=tuple(external_links(section, groups)),
        notebooks=dict(_notebooks(config, section)),
    )


def _notebooks(config: Config, section: Section) -> Iterator[tuple[str, CheckedNotebook]]:
    names = [one.name for one in config.frameworks]
    package = config.library.package
    for framework in config.frameworks:
        if not has_page(section, framework.name):
            continue
        comment = "" if framework.is_python else framework.comment
        notebook = select(section, framework.name, names, comment=comment)
        findings = [*notebook.findings, *needs_of(notebook, config.execution)[1]]
        if not framework.is_python:
            yield framework.name, CheckedNotebook(tuple(findings))
            continue
        findings += check_imports(notebook)
        text = "\n".join(cell.source for cell in notebook.code)
        yield (
            framework.name,
            CheckedNotebook(
                tuple(findings),
                mentions(text, package),
                imports_another(text, package, framework.module),
                pickle.dumps(tuple(cell for cell in notebook.code if package in cell.source), pickle.HIGHEST_PROTOCOL),
                tuple(cell for cell in notebook.code if "@save" in cell.source),
            ),
        )
