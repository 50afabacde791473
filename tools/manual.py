"""Writes those pages of the manual that are made of the code: all commands, all keys, the fate of each old key.

`python tools/manual.py` writes them, `python tools/manual.py --check` says which are not what they should be.
"""

import ast
import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from d2lbuild.cli.app import program
from d2lbuild.config.framework_schema import FrameworkFile
from d2lbuild.config.schema import BookFile
from d2lbuild.config.table import Table
from d2lbuild.starting.old_keys import FATES

COMMAND = "python tools/manual.py"
FOLDER = Path(__file__).parents[1] / "docs" / "reference"
_MADE = f"<!-- Made by `{COMMAND}`: change the code that it is made of, not this page. -->\n"
_ABOUT_COMMANDS = """\
`d2lbuild COMMAND --help` says the same on a terminal. Messages and progress go to stderr, results to stdout; colours
and the progress bar appear on terminals only, and `NO_COLOR` is honoured. `--book` is the nearest parent folder with a
configuration unless given. `d2lbuild --install-completion` lets the shell complete commands, options,
frameworks and sections: bash from 4.4 on, zsh or fish, as `$SHELL` says or as it is named after the option.
"""
_ABOUT_KEYS = """\
All paths are relative to the book's folder, written with `/`, and stay inside of it. Unknown keys are errors.
[Configuration](../configuration.md) says how to go about it.
"""
_ABOUT_OLD_KEYS = """\
d2lbuild builds a book with a `config.ini` as it is. `d2lbuild migrate` writes the new layout; this is what it makes of
each key. [From d2lbook](../from-d2lbook.md) says the rest.
"""
_TYPES = {
    "string": "text",
    "boolean": "true or false",
    "integer": "whole number",
    "number": "number",
    "object": "table",
    "array": "list",
}


def pages() -> dict[str, str]:
    """Return the text of each page by its name."""
    return {"commands.md": commands(), "configuration.md": configuration(), "config-ini.md": old_keys()}


def main() -> int:
    """Write the pages, or compare them."""
    stale = [name for name, text in pages().items() if _there(FOLDER / name) != text]
    if "--check" in sys.argv[1:]:
        for name in stale:
            print(f"{FOLDER / name} is out of date: run `{COMMAND}`")
        return 4 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for name in stale:
        (FOLDER / name).write_text(pages()[name], encoding="utf-8")
        print(FOLDER / name)
    return 0


def _there(path: Path) -> str:
    return path.read_text("utf-8") if path.is_file() else ""


# --- commands ---


def commands() -> str:
    """Return what `--help` says of every command."""
    parts = [
        "# Commands\n",
        _MADE,
        _ABOUT_COMMANDS,
        _table(("exit code", "meaning"), _EXIT_CODES),
    ]
    return "\n".join([*parts, *_command(program, click.Context(program), ())])


_EXIT_CODES = [
    ("0", "fine"),
    ("1", "the book failed: a notebook, an error found by `check`, or with `--strict` a warning"),
    ("2", "the command line or the configuration is wrong"),
    ("3", "an environment, a package or a program is missing"),
    ("4", "something is out of date, and `--check` asked for that"),
    ("130", "interrupted"),
]


def _command(command: click.Command, context: click.Context, path: tuple[str, ...]) -> Iterator[str]:
    name = " ".join(("d2lbuild", *path))
    if path:
        yield f"{'#' * (len(path) + 1)} {name}\n"
        yield f"```text\n{' '.join((name, *_usage(command, context)))}\n```\n"
    for paragraph in inspect.cleandoc(command.help or "").replace("\b\n", "").split("\n\n"):
        heading, _, rest = paragraph.partition("\n")
        if heading == "Examples:":
            yield f"```text\n{inspect.cleandoc(rest)}\n```\n"
        elif path:
            yield f"{paragraph}\n"
    rows = [_option(one) for one in command.params]
    if path and rows:
        yield _table(("argument or option", "meaning"), rows)
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            one = command.get_command(context, inner)
            assert one is not None
            yield from _command(one, click.Context(one, context), (*path, inner))


def _usage(command: click.Command, context: click.Context) -> Iterator[str]:
    if isinstance(command, click.Group):
        yield "COMMAND"
    else:
        yield from command.collect_usage_pieces(context)


def _option(one: Any) -> tuple[str, str]:
    if one.param_type_name == "argument":
        return f"`{one.metavar.strip('[].')}`", one.help or ""
    value = "" if one.is_flag else f" {one.metavar or 'TEXT'}"
    names = ", ".join(f"`{name}{value}`" for name in [*one.opts, *one.secondary_opts])
    default = one.default if isinstance(one.default, str | int | float) and not isinstance(one.default, bool) else ""
    return names, f"{one.help or ''}{f' Default: `{default}`.' if default else ''}"


def _table(heading: tuple[str, ...], rows: Any) -> str:
    lines = [heading, ("---",) * len(heading), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in lines) + "\n"


# --- configuration ---


def configuration() -> str:
    """Return all keys of the configuration files."""
    parts = [
        "# Keys\n",
        _MADE,
        _ABOUT_KEYS,
        "## conf/book.toml\n",
    ]
    for name, field in BookFile.model_fields.items():
        parts += _tables(f"[{name}]", *_models(field.annotation))
    parts.append("## frameworks/NAME/framework.toml\n")
    parts += _tables("", FrameworkFile)
    return "\n".join(parts)


def _tables(path: str, model: Any) -> Iterator[str]:
    """Yield the keys of a table, and then those of the tables in it."""
    facts = model.model_json_schema()
    keys = _docstrings(model)
    rows = [(f"`{key}`", *_facts(model, key, facts), text) for key, text in keys.items()]
    if path:
        yield f"### {path}\n"
    yield _table(("key", "value", "default", "meaning"), rows)
    for key, field in model.model_fields.items():
        for inner in _models(field.annotation):
            place = f"{path[1:-1]}.{key}".lstrip(".")
            shown = {"header_links": f"[[{place}]]", "sections": f'[{place}."a/b"]'}.get(key, f"[{place}]")
            yield from _tables(shown, inner)


def _models(annotation: Any) -> list[type[Table]]:
    """Return the tables that a value is, or is made of."""
    if isinstance(annotation, type) and issubclass(annotation, Table):
        return [annotation]
    return [one for inner in getattr(annotation, "__args__", ()) for one in _models(inner)]


def _facts(model: type[Table], key: str, facts: Mapping[str, Any]) -> tuple[str, str]:
    field = model.model_fields[key]
    default = field.get_default(call_default_factory=True)
    value = facts["properties"][key]
    choices = value.get("enum") or []
    kinds = [one for one in value.get("anyOf", [value]) if one.get("type") != "null"]
    kind = " or ".join(f"`{json.dumps(one)}`" for one in choices) or _TYPES.get(kinds[0].get("type", "object"), "table")
    if key in ("colab", "sagemaker", "binder") and not isinstance(default, Table):
        kind = "text or table"
    if "memory" in key:
        kind = "size"
    if field.is_required():
        return kind, "needed"
    empty = default in (None, "", [], {}) or isinstance(default, Table)
    return kind, "" if empty else f"`{json.dumps(default)}`"


def _docstrings(model: type[Table]) -> dict[str, str]:
    """Return what stands below each key in the schema."""
    (definition,) = ast.parse(inspect.getsource(model)).body
    assert isinstance(definition, ast.ClassDef)
    body = definition.body
    found: dict[str, str] = {}
    for one, below in zip(body, [*body[1:], None], strict=True):
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
            is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
            found[one.target.id] = " ".join(str(below.value.value).split()) if is_text else ""  # type: ignore[union-attr]
    return found


# --- config.ini ---


def old_keys() -> str:
    """Return what becomes of each key of a `config.ini`."""
    parts = [
        "# Keys of config.ini\n",
        _MADE,
        _ABOUT_OLD_KEYS,
    ]
    for section, fates in FATES.items():
        rows = [(f"`{key}`", f"`{fate.place}`" if fate.place else "—", fate.advice) for key, fate in fates.items()]
        parts += [f"## [{section}]\n", _table(("key", "becomes", ""), rows)]
    return "\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
