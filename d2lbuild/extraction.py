"""The library of each framework: the short way through the stages, to the saved code and no further.

The prose is not read but for labels, and no alias is expanded; frameworks are done at the same time.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from d2lbuild.checking.ignores import settled
from d2lbuild.checking.places import with_columns
from d2lbuild.config import Config, Framework
from d2lbuild.edition.edition import make_edition
from d2lbuild.edition.library import Library
from d2lbuild.edition.library_checks import joined
from d2lbuild.errors import SetupError
from d2lbuild.execution.environments.environments import Environment, find
from d2lbuild.execution.environments.library_import import import_library
from d2lbuild.execution.home import cache_home
from d2lbuild.findings import in_order, placed
from d2lbuild.garbage import without_collections
from d2lbuild.model import Finding, Section
from d2lbuild.parallel import at_once
from d2lbuild.source.book import load_sections
from d2lbuild.source.ignores import find_ignores
from d2lbuild.source.reading import read_labels

__all__ = ["CheckedLibraries", "checked_libraries", "import_libraries", "libraries", "library_path"]


@dataclass(frozen=True, slots=True)
class CheckedLibraries:
    """The libraries of several frameworks, and what is known of them without running anything."""

    libraries: Mapping[str, Library]
    """By framework."""
    findings: tuple[Finding, ...]
    files: tuple[Path, ...]
    """The sources that were read, and the folders that they lie in."""


def libraries(config: Config, frameworks: Sequence[str]) -> Mapping[str, Library]:
    """Return the library of each framework."""
    return checked_libraries(config, frameworks).libraries


def checked_libraries(config: Config, frameworks: Sequence[str]) -> CheckedLibraries:
    """Return the library of each framework in Python, and what is wrong with them or with code that uses them."""
    with without_collections(freeze=True):
        return _checked_libraries(config, frameworks)


def _checked_libraries(config: Config, frameworks: Sequence[str]) -> CheckedLibraries:
    frameworks = [name for name in frameworks if config.framework(name).is_python]
    # Of the prose only the labels above saved code matter.
    cut = load_sections(config).values()
    sections = tuple(read_labels(one) if any("@save" in block.content for block in one.blocks) else one for one in cut)

    def of(names: Sequence[str]) -> Callable[[], list[tuple[Library, tuple[Finding, ...]]]]:
        def checked() -> list[tuple[Library, tuple[Finding, ...]]]:
            editions = [make_edition(config, sections, name) for name in names]
            return [(edition.library, tuple(edition.findings)) for edition in editions]

        return checked

    count = max(1, min(len(frameworks), os.cpu_count() or 1))
    found = [one for part in at_once([of(frameworks[n::count]) for n in range(count)]) for one in part]
    by_name = {library.framework.name: (library, findings) for library, findings in found}
    ordered = {name: by_name[name] for name in frameworks}
    wrong = placed(config, joined({name: findings for name, (_, findings) in ordered.items()}))
    files = {config.root / one.path for one in sections}
    return CheckedLibraries(
        libraries={name: library for name, (library, _) in ordered.items()},
        findings=in_order(sections, _settled(config, sections, wrong)),
        files=tuple(sorted(files | {file.parent for file in files})),
    )


def _settled(config: Config, sections: Sequence[Section], findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings as `check` shows them: with columns, and as rules and comments have it."""
    every = tuple(findings)
    wanted = {finding.span.path for finding in every if finding.span}
    concerned = [section for section in sections if section.path in wanted]
    data = {section.path: (config.root / section.path).read_bytes() for section in concerned}
    ignores = [ignore for section in concerned for ignore in find_ignores(section)]
    return settled(config, with_columns(every, data), ignores, names=False, whole=False)


def import_libraries(config: Config, libraries: Mapping[str, Library]) -> tuple[Finding, ...]:
    """Import each module in its framework's environment, if there is one; return what goes wrong."""
    home = cache_home()
    modules = [library for library in libraries.values() if not library.fault]
    known = [(library, environment) for library in modules if (environment := _known(library, home))]
    with ThreadPoolExecutor(max_workers=max(1, os.cpu_count() or 1)) as pool:
        found = [one for one in pool.map(lambda pair: import_library(pair[0], pair[1], home), known) if one]
    return tuple(placed(config, found))


def _known(library: Library, home: Path) -> Environment | None:
    try:
        return find(library.framework, home)
    except SetupError:
        return None  # without a lock there is no environment either


def library_path(config: Config, framework: Framework, output: Path | None = None) -> Path:
    """Return where a library module is written: in `output`, where the book keeps it, or in the build's folder."""
    if output is None and framework.library_file is not None:
        return config.root / framework.library_file
    folder = output if output is not None else config.output / "lib"
    return folder / config.library.package / f"{framework.module}.py"
