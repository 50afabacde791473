"""Options that several commands share, and reading the configuration that they lead to."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from d2lbuild.cli.completion import complete_framework, complete_section
from d2lbuild.errors import UsageError

if TYPE_CHECKING:
    from d2lbuild.config import Config, Framework
    from d2lbuild.model import Section

__all__ = [
    "PATH",
    "backend_and_address",
    "book_of",
    "book_option",
    "changed_since_option",
    "config_if_any",
    "framework_option",
    "json_option",
    "known",
    "one_framework",
    "one_framework_option",
    "one_section",
    "output_option",
    "read_config",
    "report_paths",
    "section_ids",
    "sections_argument",
    "shard_of",
    "shard_option",
    "words",
]

BACKENDS = ("local", "ray")
_MANY = 20
"""How many choices a message names."""

PATH = click.Path(path_type=Path, readable=False)
"""A file or folder, which shells complete. Whether it is what a command needs is for the command to say."""

book_option = click.option(
    "--book", metavar="DIR", type=PATH, help="The book's folder. Default: the nearest parent with a configuration."
)
framework_option = click.option(
    "--framework",
    "-f",
    metavar="NAME",
    multiple=True,
    help="Frameworks, joined by commas or one option each; 'all' for all.",
    shell_complete=complete_framework,
)
one_framework_option = click.option(
    "--framework",
    "-f",
    metavar="NAME",
    help="Whose cells. Default: the book's first framework.",
    shell_complete=complete_framework,
)
output_option = click.option("--output", metavar="DIR", type=PATH, help="Where to build. Default: _build in the book.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print all of it for programs.")
sections_argument = click.argument(
    "sections",
    nargs=-1,
    metavar="[SECTION]...",
    help="Run only the notebooks of these sections, or folders of sections.",
    shell_complete=complete_section,
)
changed_since_option = click.option(
    "--changed-since", metavar="REV", help="Run only what a change since this revision concerns: origin/main."
)
shard_option = click.option("--shard", metavar="I/N", help="Run the part I of N, for N machines with the same cache.")


def book_of(book: Path | None) -> Path:
    """Return the folder that the option names, or the book that we stand in; UsageError if we stand in none."""
    from d2lbuild.config import find_book  # noqa: PLC0415 - `--help` is to be quick

    return book.expanduser() if book else find_book(Path.cwd())


def read_config(book: Path | None, output: Path | None = None) -> "Config":
    """Return the configuration of the book that the options name, with another output folder if they say so."""
    from d2lbuild.config import load_config  # noqa: PLC0415 - `--help` is to be quick

    config = load_config(book_of(book))
    if output is None:
        return config
    folder = output.expanduser().absolute()
    if config.root.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{output} holds the book itself", hint="choose a folder for output alone")
    return replace(config, output=folder)


def config_if_any(book: Path | None) -> "Config | None":
    """Return the configuration of the book that we stand in, or None; an error only if a book is named."""
    try:
        return read_config(book)
    except UsageError:
        if book is not None:
            raise
        return None


def words(values: Iterable[str]) -> tuple[str, ...]:
    """Return the words of an option that may be repeated and take several, joined by commas."""
    return tuple(word for value in values for word in value.replace(",", " ").split())


def known(names: Sequence[str], choices: Sequence[str], noun: str) -> tuple[str, ...]:
    """Return `names` without repetitions; UsageError, with the nearest name, for one that is no choice."""
    for name in names:
        if name not in choices:
            from difflib import get_close_matches  # noqa: PLC0415 - only for slips

            near = get_close_matches(name, choices, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"one of {', '.join(choices[:_MANY])}"
            raise UsageError(f"unknown {noun} '{name}'", hint=hint)
    return tuple(dict.fromkeys(names))


def backend_and_address(backend: str, address: str | None) -> tuple[str, str]:
    """Return where notebooks run; UsageError for a backend that there is not, or that has no address."""
    (backend,) = known([backend], BACKENDS, "backend")
    if address is not None and backend == "local":
        raise UsageError("--address is that of a cluster", hint="add --backend ray")
    return backend, address or ""


def shard_of(text: str | None) -> tuple[int, int]:
    """Return which part of how many an option names; UsageError for one that there cannot be."""
    if text is None:
        return 1, 1
    number, _, total = text.partition("/")
    if not (number.isascii() and total.isascii() and number.isdigit() and total.isdigit()):
        raise UsageError(f"'{text}' is no part of a build", hint="name the second of four parts as 2/4")
    if not 1 <= int(number) <= int(total):
        raise UsageError(f"there is no part {number} of {total}", hint="parts are counted from 1")
    return int(number), int(total)


def report_paths(reports: Iterable[Path]) -> tuple[Path, ...]:
    """Return where reports go, absolute; UsageError for a kind that there is not, or a place that cannot be written."""
    paths = tuple(dict.fromkeys(path.expanduser().absolute() for path in reports))
    if paths:
        from d2lbuild.reporting.writing import check_reports  # noqa: PLC0415 - slow to import

        check_reports(paths)
    return paths


def section_ids(sections: Iterable[str], config: "Config") -> tuple[str, ...]:
    """Return sections by their ids, also where they are named as files, as a shell completes them."""
    return tuple(_section_id(section, config) for section in sections)


def one_section(name: str, config: "Config") -> "Section":
    """Return the section that is named by its id or its file; UsageError, with the nearest name, if there is none."""
    from d2lbuild.source.book import load_sections  # noqa: PLC0415 - slow to import

    sections = load_sections(config)
    (found,) = section_ids([name], config)
    if found not in sections and (config.root / config.chapters / f"{found}.md").is_file():
        raise UsageError(f"no table of contents reaches the section '{found}'", hint="write it into a `toc`")
    return sections[known([found], tuple(sections), "section")[0]]


def one_framework(name: str | None, config: "Config") -> "Framework":
    """Return the framework of that name, or the book's first one."""
    names = [one.name for one in config.frameworks]
    return config.framework(known([name or config.default_framework], names, "framework")[0])


def _section_id(section: str, config: "Config") -> str:
    if any(section == framework.name for framework in config.frameworks):
        raise UsageError(
            f"'{section}' is a framework, and stands where sections do",
            hint=f"several frameworks are joined by commas: --framework NAME,{section}",
        )
    path = Path(section)
    source = config.root / config.chapters
    for base in (Path.cwd(), config.root):
        file = (base / path).absolute()
        if file.exists() and file.is_relative_to(source) and file != source:
            path = file.relative_to(source)
            break
    return (path.with_suffix("") if path.suffix in (".md", ".ipynb") else path).as_posix()
