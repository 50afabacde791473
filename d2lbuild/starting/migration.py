"""Takes a book over from its `config.ini`: the files of the new layout that give the same pages.

What is written is made of the configuration as it was read, not of the text of the old file, so both are read alike.
"""

import ast
import os
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import tomli_w

from d2lbuild.config import Aliases, Config, Framework, config_files, default_frameworks
from d2lbuild.config.frameworks import FILE, Definitions
from d2lbuild.config.ini import Ini, read_ini
from d2lbuild.config.legacy import LIBRARY_OF
from d2lbuild.config.problems import Problems, read_text
from d2lbuild.config.writing import Refused, as_tables
from d2lbuild.errors import UsageError
from d2lbuild.files import write_atomically
from d2lbuild.model import Finding, Span
from d2lbuild.starting.old_keys import FATES, FRAMEWORK_SECTION

__all__ = ["KEPT_AS", "Migration", "migration", "write_beside", "write_copy"]

KEPT_AS = "config.ini.old"
"""What the old configuration is called afterwards where the book is changed in its place."""

_TOLD_HERE = ("code-not-run", "unknown-key", "unknown-section", "not-supported")
"""Rules of findings about keys; what becomes of keys is told once."""
_LOCKS = ("requirements.in", "requirements.txt", "requirements-gpu.in", "requirements-gpu.txt")
_BOOK_COMMENT = "# Made from config.ini by `d2lbuild migrate`.\n\n"


@dataclass(frozen=True, slots=True)
class Migration:
    """What has to be written, and what cannot be."""

    files: Mapping[PurePosixPath, str]
    """Text by path below the book's folder."""
    findings: tuple[Finding, ...]
    """Keys that go nowhere: notes where d2lbuild never used them, warnings where pages will be others than before."""


def migration(config: Config) -> Migration:
    """Return how a book with a `config.ini` is configured in the new layout; UsageError for another book."""
    new, old = config_files(config.root)
    if config.source != old:
        raise UsageError(
            f"{config.source} is not a config.ini", hint="only books with a config.ini, and no conf/book.toml, are old"
        )
    problems = Problems()
    ini = read_ini(read_text(old, PurePosixPath(old.name), problems), PurePosixPath(old.name), Problems())
    tables, refused = as_tables(config)
    files = {PurePosixPath(*new.relative_to(config.root).parts): _BOOK_COMMENT + tomli_w.dumps(tables)}
    for framework in config.frameworks:
        files |= _framework_files(config, framework, problems)
    _tell_of_keys(ini, problems)
    for one in refused:
        problems.warn("not-carried-over", f"[{one.table}] `{one.key}`: {one.why}: left out", _origin(one, ini))
    if tables["book"]["name"] != config.name:
        message = f"the book is called `{tables['book']['name']}` now: results that were kept for it are not shown"
        problems.warn("renamed", message, _origin(Refused("book", "name", ""), ini))
    problems.findings += [finding for finding in config.findings if finding.rule not in _TOLD_HERE]
    return Migration(files, problems.in_order())


# --- keys ---


def _tell_of_keys(ini: Ini, problems: Problems) -> None:
    """Note each key that goes nowhere."""
    for name, section in ini.sections.items():
        fates = FATES.get(FRAMEWORK_SECTION if name.startswith(LIBRARY_OF) else name)
        for key, entry in section.items():
            if not entry.value or name == "DEFAULT":
                continue
            fate = (fates or {}).get(key)
            if fate is None:
                problems.note("not-carried-over", f"`{key}` of [{name}] is not known to d2lbuild", entry.span)
            elif not fate.place:
                problems.note("not-carried-over", f"`{key}` of [{name}] goes nowhere", entry.span, fate.advice)


def _origin(refused: Refused, ini: Ini) -> Span | None:
    """Return the line of the old file that a value of the new one comes from."""
    new = f"[{refused.table}] {refused.key}"
    for name, section in ini.sections.items():
        fates = FATES.get(FRAMEWORK_SECTION if name.startswith(LIBRARY_OF) else name, {})
        for key, entry in section.items():
            if entry.value and key in fates and fates[key].place.startswith(new):
                return entry.span
    return None


# --- frameworks ---


def _framework_files(config: Config, framework: Framework, problems: Problems) -> dict[PurePosixPath, str]:
    """Return the folder of a framework, if the book says other things of it than its definition does."""
    definitions = Definitions(config.root, default_frameworks(), Problems())
    folder = definitions.folder(framework.name)
    defined = definitions.read(folder) if folder else None
    if defined is not None and _said(defined) == _said(framework):
        return {}
    data: dict[str, Any] = {"title": framework.title}
    if folder is not None and defined is not None:
        data = tomllib.loads((folder / FILE).read_text("utf-8"))
        data.pop("aliases", None)
    elif not framework.is_python:
        data |= {"language": framework.language, "comment": framework.comment}
    if framework.is_python:
        data |= {"module": framework.module, "prefix": framework.prefix}
    # Tables come after plain values, as in files that people write.
    data = {key: value for key, value in data.items() if not isinstance(value, dict)} | data
    if aliases := _aliases(framework.aliases, problems):
        data["aliases"] = aliases
    own = PurePosixPath("frameworks", framework.name)
    files = {own / FILE: tomli_w.dumps(data)}
    if framework.header is not None:
        files[own / "header.py"] = framework.header.text
    if folder is not None and folder != config.root / own:
        files |= {own / name: (folder / name).read_text("utf-8") for name in _LOCKS if (folder / name).is_file()}
    return files


def _said(framework: Framework) -> tuple[object, ...]:
    """Return what a `config.ini` can say of a framework."""
    aliases = framework.aliases
    texts = [*(line.text for line in aliases.plain), framework.header.text if framework.header else ""]
    kinds = (list(aliases.simple.items()), list(aliases.fluent.items()), aliases.args, aliases.reverse)
    return framework.module, framework.prefix, kinds, texts


def _aliases(aliases: Aliases, problems: Problems) -> dict[str, dict[str, str]]:
    plain: dict[str, str] = {}
    for line in aliases.plain:
        name, _, value = line.text.partition(" = ")
        if _is_assignment(line.text, name):
            plain[name] = value
        else:
            message = f"`{line.text}` is not `name = value`: write it into header.py"
            problems.warn("not-carried-over", message, line.span)
    tables = {
        "simple": dict(aliases.simple),
        "fluent": dict(aliases.fluent),
        "args": dict(aliases.args),
        "plain": plain,
        "reverse": dict(aliases.reverse),
    }
    return {name: table for name, table in tables.items() if table}


def _is_assignment(line: str, name: str) -> bool:
    try:
        tree = ast.parse(line)
    except SyntaxError:
        return False
    return name.isidentifier() and len(tree.body) == 1 and isinstance(tree.body[0], ast.Assign)


# --- writing ---


def write_beside(config: Config, found: Migration) -> list[Path]:
    """Write the new files into the book's folder, and rename those that they replace; return what was written."""
    old = config.root / KEPT_AS
    replaced = {config.source: old}
    replaced |= {
        path: path.with_name(f"{path.name}.old") for name in found.files if (path := config.root / name).is_file()
    }
    for kept in replaced.values():
        if kept.exists():
            raise UsageError(f"{kept} is there already", hint="move it away first: nothing is written over")
    for path, kept in replaced.items():
        if path != config.source:
            path.rename(kept)
    written = list(_write(config.root, found))
    # Last: until then the book is the old one, whatever happens.
    config.source.rename(old)
    return written


def write_copy(config: Config, found: Migration, target: Path) -> list[Path]:
    """Write a copy of the book in the new layout into a folder, which must be empty or not there yet."""
    target = Path(os.path.abspath(target))  # noqa: PTH100 - `..` is to be gone from what is printed
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} is not empty", hint="name a folder that is empty, or that is not there yet")
    if target.resolve().is_relative_to(config.root.resolve()):
        raise UsageError(f"{target} lies in the book", hint="name a folder outside of it, or say --in-place")

    def left_out(folder: str, names: list[str]) -> set[str]:
        here = Path(folder)
        ours = {name for name in names if here / name in (config.source, config.output)}
        return ours | {name for name in names if name in (".git", "__pycache__")}

    shutil.copytree(config.root, target, ignore=left_out, symlinks=True, dirs_exist_ok=True)
    return list(_write(target, found))


def _write(root: Path, found: Migration) -> Iterator[Path]:
    for name, text in found.files.items():
        write_atomically(root / name, text)
        yield root / name
