"""A configuration as the tables of a `book.toml`: what would be the same without a key is left out."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from pydantic import ValidationError

from d2lbuild.config.schema import BookFile, ExecutionTable, HtmlTable, LibraryTable, PdfTable
from d2lbuild.config.table import Table
from d2lbuild.config.types import SERVICES, Config, Html, NotebookService

__all__ = ["Refused", "as_tables"]

_DEFAULTS = {
    "chapters": "chapters",
    "language": "en",
    "notebooks": ["**/*.md", "**/*.ipynb"],
}
"""Of keys that always have a value."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A value that a `book.toml` cannot have."""

    table: str
    key: str
    why: str


def as_tables(config: Config) -> tuple[dict[str, dict[str, Any]], list[Refused]]:
    """Return what a `book.toml` says that means the same, and what it cannot say."""
    folder, refused = _library_folder(config)
    library = LibraryTable.model_construct(
        package=config.library.package, folder=folder, version_file=_text(config.library.version_file)
    )
    tables = {
        "book": _book(config),
        "html": _html(config.html, [framework.name for framework in config.frameworks]),
        "pdf": _changed(PdfTable, _pdf(config)),
        "library": _changed(LibraryTable, dict(library)),
        "execution": _changed(
            ExecutionTable, {"enabled": config.execution.enabled, "data": list(config.execution.data)}
        ),
        "elsewhere": _elsewhere(config),
        "output": _output(config),
    }
    found = {name: table for name, table in tables.items() if table}
    if config.translation is not None:
        found["translation"] = {}
    if config.pdf.post_latex and not (config.root / config.pdf.post_latex.text).is_file():
        del found["pdf"]["post_latex"]
        refused.append(Refused("pdf", "post_latex", f"there is no file {config.pdf.post_latex.text}"))
    return found, [*refused, *_take_out_what_is_refused(found)]


def _book(config: Config) -> dict[str, Any]:
    name = config.name if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", config.name) else _file_name(config.name)
    table = {
        "name": name,
        "title": config.title,
        "author": config.author,
        "copyright": config.copyright,
        "release": config.release,
        "language": config.language,
        "frameworks": [framework.name for framework in config.frameworks],
        "chapters": str(config.chapters),
        "notebooks": list(config.notebooks),
        "exclusions": list(config.exclusions),
        "resources": list(config.resources),
        "bibliography": list(map(str, config.bibliography)),
    }
    return {key: value for key, value in table.items() if value and value != _DEFAULTS.get(key)}


def _file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._") or "book"


def _html(html: Html, frameworks: Sequence[str]) -> dict[str, Any]:
    keys = {title: key for key, title in SERVICES.items()}
    links = [
        {"name": link.name, "url": link.url} | ({"icon": link.icon} if link.icon else {}) for link in html.header_links
    ]
    table = {
        "favicon": _text(html.favicon),
        "logo": _text(html.logo),
        "css": list(map(str, html.css)),
        "javascript": list(map(str, html.javascript)),
        "repository": html.repository,
        # Without a repository nothing depends on its branch.
        "branch": html.branch if html.repository else "main",
        "notebooks": {keys[one.name]: _addresses(one, frameworks) for one in html.services},
        "header_links": links,
    }
    return _changed(HtmlTable, table)


def _elsewhere(config: Config) -> dict[str, Any]:
    services = {
        name: {
            "install": {framework: list(words) for framework, words in one.install.items()},
            "kernels": dict(one.kernels),
            "images": dict(one.images),
            "header": one.header,
            "gpu_pattern": one.gpu_pattern,
            "exclusions": list(one.exclusions),
        }
        for name, one in config.elsewhere.items()
    }
    return {name: {key: value for key, value in table.items() if value} for name, table in services.items()}


def _addresses(service: NotebookService, frameworks: Sequence[str]) -> str | dict[str, str]:
    """Return one address with a place for the framework's name, if that gives the address of each."""
    templates = {address.replace(name, "{framework}") for name, address in service.addresses.items()}
    if len(templates) == 1 and service.addresses.keys() == set(frameworks):
        return templates.pop()
    return dict(service.addresses)


def _pdf(config: Config) -> dict[str, Any]:
    pdf = config.pdf
    return {
        "main_font": pdf.main_font,
        "sans_font": pdf.sans_font,
        "mono_font": pdf.mono_font,
        "logo": _text(pdf.logo),
        "post_latex": pdf.post_latex.text if pdf.post_latex else None,
    }


def _library_folder(config: Config) -> tuple[str | None, list[Refused]]:
    """Return the folder that the library's package is kept in: that of most modules."""
    files = [one.library_file for one in config.frameworks if one.library_file is not None]
    packages = [file.parent for file in files if file.parent.name == config.library.package]
    if not packages:
        return None, [Refused("library", "folder", f"{file} lies in no package") for file in files]
    package = max(packages, key=packages.count)
    elsewhere = [file for file in files if file.parent != package]
    return str(package.parent), [Refused("library", "folder", f"{file} is not in {package}") for file in elsewhere]


def _output(config: Config) -> dict[str, Any]:
    folder = config.output.relative_to(config.root).as_posix()
    return {} if folder == "_build" else {"folder": folder}


def _changed(model: type[Table], table: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is not the default of its key."""
    defaults = {name: field.default for name, field in model.model_fields.items()}
    return {key: value for key, value in table.items() if value not in (defaults[key], None, [], {}, "")}


def _text(path: PurePosixPath | None) -> str | None:
    return str(path) if path is not None else None


def _take_out_what_is_refused(tables: dict[str, dict[str, Any]]) -> list[Refused]:
    try:
        BookFile.model_validate(tables)
    except ValidationError as error:
        # Backwards, so that the numbers of what stands before in a list stay right.
        return [
            _take_out(tables, tuple(detail["loc"]), detail["msg"])
            for detail in reversed(error.errors(include_url=False))
        ]
    return []


def _take_out(tables: dict[str, dict[str, Any]], location: tuple[str | int, ...], why: str) -> Refused:
    table, key = str(location[0]), str(location[1])
    value = tables[table][key]
    if isinstance(value, list) and len(location) > 2 and isinstance(at := location[2], int):
        why = f"`{value.pop(at)}` {why}"
        if value:
            return Refused(table, key, why)
    del tables[table][key]
    return Refused(table, key, why)
