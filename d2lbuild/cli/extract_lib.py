"""`d2lbuild extract-lib`: writes the library module of each framework, or compares it with what is there."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from d2lbuild import unchanged
from d2lbuild.cli.messages import count, diff_text, note, say
from d2lbuild.cli.options import PATH, book_option, framework_option, read_config, words
from d2lbuild.config import config_files, default_frameworks
from d2lbuild.errors import StaleError, UsageError
from d2lbuild.execution.home import cache_home
from d2lbuild.files import write_if_changed
from d2lbuild.model import Severity
from d2lbuild.output_folder import prepare_output

if TYPE_CHECKING:
    from d2lbuild.config import Config
    from d2lbuild.edition.library import Library

__all__ = ["extract_lib"]


@click.command
@framework_option
@click.option("--output", metavar="DIR", type=PATH, help="Write the package, or the wheel, into this folder.")
@click.option("--check", is_flag=True, help="Write nothing; exit with 4 if a module is stale.")
@click.option("--parity", is_flag=True, help="Write nothing; print which framework's library has which names.")
@click.option("--wheel", is_flag=True, help="Write no modules, but a wheel of them for `pip install`, in _build/dist.")
@click.option(
    "--import/--no-import", "imports", default=True, help="Import each module in its framework's environment."
)
@book_option
@click.pass_obj
def extract_lib(
    arguments: Sequence[str],
    *,
    framework: Sequence[str],
    output: Path | None,
    check: bool,
    parity: bool,
    wheel: bool,
    imports: bool,
    book: Path | None,
) -> int:
    """Write the library: one module a framework.

    \b
    A module holds what the chapters save with #@save. It goes where the book keeps it, otherwise below
    _build/lib. Default: all frameworks.

    \b
    Says what is wrong with the modules and with notebooks that use them, and imports each module in its
    framework's environment if there is one. Exits with 1 if there is an error; modules are written all the
    same, except those that are not Python.

    \b
    Examples:
      d2lbuild extract-lib
      d2lbuild extract-lib --framework pytorch --output src
      d2lbuild extract-lib --check --no-import
      d2lbuild extract-lib --parity
      d2lbuild extract-lib --wheel
    """
    if wheel and check:
        raise UsageError("--check compares modules, and --wheel writes none", hint="leave one of the two out")
    from d2lbuild import extraction, pipeline  # noqa: PLC0415 - slow to import

    config = read_config(book)
    names = pipeline.select_frameworks(config, words(framework) or ("all",))
    if parity:
        from d2lbuild.cli.parity import parity_text  # noqa: PLC0415 - slow to import

        say(parity_text(extraction.libraries(config, names)))
        return 0
    found = extraction.checked_libraries(config, names)
    findings = found.findings
    if imports:
        findings += extraction.import_libraries(config, found.libraries)
    messages = [str(finding) for finding in findings]
    for message in messages:
        note(message)
    code = int(any(finding.severity is Severity.ERROR for finding in findings))
    folder = output.expanduser().absolute() if output else None
    if wheel:
        _write_wheel(config, found.libraries, folder)
        return code
    paths = _write_modules(config, found.libraries, folder, check=check)
    files = [*_dependencies(config), *found.files, *paths]
    record = unchanged.Record(() if check else tuple(map(str, paths)), tuple(messages), code)
    unchanged.note(cache_home(), arguments, unchanged.facts_of(files), record)
    return code


def _write_modules(
    config: "Config", libraries: Mapping[str, "Library"], folder: Path | None, *, check: bool
) -> list[Path]:
    """Write the modules, or raise StaleError if one of them is not what it should be; return their paths."""
    from d2lbuild import extraction  # noqa: PLC0415 - slow to import

    paths: list[Path] = []
    stale: list[Path] = []
    for name, library in libraries.items():
        if library.fault:
            continue
        path = extraction.library_path(config, config.framework(name), folder)
        paths.append(path)
        if not check:
            if path.is_relative_to(config.output):
                prepare_output(config)
            write_if_changed(path, library.source)
            say(str(path))
        elif differences := _differences(path, library.source, config.root):
            say(diff_text(differences))
            stale.append(path)
    if stale:
        raise StaleError(
            f"{count(len(stale), 'library module')} out of date: {', '.join(path.name for path in stale)}",
            hint="run `d2lbuild extract-lib`",
        )
    return paths


def _dependencies(config: "Config") -> list[Path]:
    """Return what the modules depend on beside the chapters: the configuration, environments and d2lbuild itself."""
    here = Path.cwd()
    sources = [file for folder in (config.root, here, *here.parents) for file in config_files(folder)]
    folders = [config.root / "frameworks", default_frameworks()]
    definitions = [file for folder in folders for file in (folder, *folder.rglob("*"))]
    program = Path(__file__).parents[1].rglob("*.py")
    return [config.source, *sources, *definitions, cache_home() / "environments", *program]


def _write_wheel(config: "Config", libraries: Mapping[str, "Library"], folder: Path | None) -> None:
    from d2lbuild.rendering.wheel import write_wheel  # noqa: PLC0415 - slow to import

    if folder is None:
        prepare_output(config)
    path, findings = write_wheel(config, libraries, folder or config.output / "dist")
    for finding in findings:
        note(finding)
    say(str(path))


def _differences(path: Path, wanted: str, root: Path) -> list[str]:
    """Return the unified diff from the file on disk to what it should hold."""
    there = path.read_bytes().decode(errors="replace") if path.exists() else ""
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    old, new = there.splitlines(keepends=True), wanted.splitlines(keepends=True)
    return list(difflib.unified_diff(old, new, shown if path.exists() else "/dev/null", f"{shown} (from the chapters)"))
