"""A TOML file that remembers its lines, and its validation with every problem put at its place."""

import inspect
import json
import re
import tomllib
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from d2lbuild.config.positions import Key, positions
from d2lbuild.config.problems import Problems, UnreadableError, nearest, place_of, read_text
from d2lbuild.config.table import Table
from d2lbuild.model import Span

__all__ = ["Document", "read_document", "validate"]

Model = TypeVar("Model", bound=Table)

_WANTED = {
    "string_type": "must be text in quotes",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "list_type": "must be a list",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "finite_number": "must be a finite number",
    "too_short": "must not be empty",
}


@dataclass(frozen=True, slots=True)
class Document:
    """A TOML file: its values, and on which lines its keys stand."""

    place: PurePosixPath
    data: dict[str, object]
    lines: dict[Key, int]

    def span(self, *key: str | int) -> Span:
        """Return the line of a key, or of the nearest table around it that is written in the file."""
        for length in range(len(key), 0, -1):
            if line := self.lines.get(key[:length]):
                return Span(self.place, line, line)
        return Span(self.place, 1, 1)


def read_document(path: Path, root: Path, problems: Problems) -> Document:
    """Read a TOML file; UnreadableError if it is not one."""
    place = place_of(path, root)
    text = read_text(path, place, problems)
    try:
        return Document(place, tomllib.loads(text), positions(text))
    except tomllib.TOMLDecodeError as error:
        message, _, where = str(error).partition(" (at ")
        found = re.match(r"line (\d+), column (\d+)", where)
        line, column = (int(found[1]), int(found[2])) if found else (text.rstrip().count("\n") + 1, 0)
        message = f"is not TOML: {message[:1].lower()}{message[1:]}"
        problems.error("syntax", message, Span(place, line, line, column))
        raise UnreadableError from error
    except RecursionError as error:
        problems.error("syntax", "is not TOML that can be read: brackets stand too deep in others", Span(place, 1, 1))
        raise UnreadableError from error


def validate(document: Document, model: type[Model], problems: Problems) -> Model | None:
    """Return the file's values as `model`, or None after noting all that is wrong."""
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            _note(detail, document, model, problems)
        return None


def _note(detail: ErrorDetails, document: Document, model: type[Table], problems: Problems) -> None:
    # Pydantic marks an error in a dictionary's key by a last element "[key]"; an empty key is one that nobody wrote,
    # unless it is not known.
    unseen = ("[key]",) if detail["type"] == "extra_forbidden" else ("[key]", "")
    location = tuple(part for part in detail["loc"] if part not in unseen)
    span = document.span(*location)
    tables = dict(_tables(model, ()))
    shown = f"[{location[0]}]" if location in tables and location else _shown(location)
    match detail["type"]:
        case "extra_forbidden":
            is_table = isinstance(detail["input"], dict) and len(location) == 1
            what = f"table [{location[0]}]" if is_table else f"key {shown}"
            problems.error("unknown-key", f"{what} is not known", span, _hint(location, tables))
        case "missing":
            problems.error("missing-key", f"{shown} is missing", span)
        case kind:
            wrong = _WANTED.get(kind) or detail["msg"].replace("Input should", "must")
            value = detail["input"]
            found = f", is {json.dumps(value, ensure_ascii=False)}" if isinstance(value, str | int | float) else ""
            rule = "bad-key" if "[key]" in detail["loc"] else "bad-value"
            problems.error(rule, f"{shown} {wrong}{found}", span)


def _shown(location: Key) -> str:
    """Return a location as readers write it: ``[html] header_links[0].url``."""
    table, keys = location[:1], location[1:]
    if keys and isinstance(keys[0], int):
        return f"`{table[0]}{''.join(f'[{part}]' for part in keys)}`"
    if not keys:
        return f"`{table[0]}`" if table else "the file"
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in keys)
    return f"[{table[0]}] `{path.lstrip('.')}`"


def _hint(location: Key, tables: Mapping[Key, list[str]]) -> str:
    """Return which known key is meant, or in which table the key belongs."""
    names = [part for part in location if isinstance(part, str)]
    name, around = names[-1], tuple(names[:-1])
    if around not in tables:
        around = around[:-1]  # a table that is one of many, each under a name of the author's
    known = tables.get(around, [])
    elsewhere = [table for table, keys in tables.items() if name in keys and table != around]
    if elsewhere:
        return (
            f"it belongs in [{'.'.join(map(str, elsewhere[0]))}]"
            if elsewhere[0]
            else "it belongs above the first table"
        )
    return nearest(name, known)


def _tables(model: type[Table], at: Key) -> Iterator[tuple[Key, list[str]]]:
    """Yield every table of a model with its known keys."""
    yield at, list(model.model_fields)
    for name, info in model.model_fields.items():
        for inner in _models(info.annotation):
            yield from _tables(inner, (*at, name))


def _models(annotation: object) -> Iterator[type[Table]]:
    """Yield the tables that an annotation is made of: itself, or what a list or union holds."""
    if inspect.isclass(annotation) and issubclass(annotation, Table):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _models(inner)
