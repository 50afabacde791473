"""Writes a new book: the template beside this file, with what is not for the chosen frameworks left out.

The template is a whole book in all frameworks. ``<<word>>`` in it stands for a value.
"""

import json
import os
import re
import shutil
import tempfile
import time
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from d2lbuild.config import default_frameworks
from d2lbuild.errors import UsageError
from d2lbuild.files import write_atomically
from d2lbuild.starting.continuous import SERVICES, Continuous, write_ci_file

__all__ = ["CI", "DEFAULT", "NewBook", "known_frameworks", "start_book"]

TEMPLATE = Path(__file__).parent / "template"
CI = (*SERVICES, "none")
"""Services of continuous integration that a new book can have a file for."""

DEFAULT = "pytorch"
"""The framework of a book for which none is named."""

_WORD = re.compile(r"<<(\w+)>>")
_MARK = re.compile(r"(?P<before>#@tab |:begin_tab:`)(?P<names>[\w, ]+)(?P<after>`?)$")
_ALL = "all"
_LAST = "conf"
"""A folder with this in it is a book."""


@dataclass(frozen=True, slots=True)
class NewBook:
    """What a new book is to be."""

    folder: Path
    frameworks: Sequence[str]
    """In the order that its pages have them."""
    title: str = ""
    """Empty: made from the folder's name."""
    author: str = ""
    ci: str = "github"


def known_frameworks() -> dict[str, str]:
    """Return the frameworks that a new book can have without describing them, the usual one first: name and title."""
    found = {}
    files = default_frameworks().glob("*/framework.toml")
    for file in sorted(files, key=lambda file: (file.parent.name != DEFAULT, file)):
        data = tomllib.loads(file.read_text("utf-8"))
        found[file.parent.name] = str(data["title"])
    return found


def start_book(wanted: NewBook) -> Path:
    """Write a book, whole or not at all, and return its folder.

    Raises UsageError if there is something in the folder beside a repository of git.
    """
    folder = Path(os.path.abspath(wanted.folder))  # noqa: PTH100 - `..` has no name of its own
    _check_empty(folder)
    values = _values(wanted, folder.name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place, so that moving it there is a matter of names.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".d2lbuild-new-") as temporary:
        made = Path(temporary) / folder.name
        _write(made, wanted, values)
        if folder.exists():
            _move_into(made, folder)
        else:
            made.rename(folder)
    return folder


def _check_empty(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder} is a file", hint="name a folder that is empty, or that is not there yet")
    there = sorted(path.name for path in folder.iterdir() if path.name != ".git")
    if there:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise UsageError(
            f"{folder} is not empty: it holds {there[0]}{more}",
            hint="name a folder that is empty, or that is not there yet",
        )


def _move_into(made: Path, folder: Path) -> None:
    """Move everything into a folder that stays itself, since a shell may stand in it; undone if that fails."""
    moved: list[Path] = []
    try:
        for path in sorted(made.iterdir(), key=lambda path: path.name == _LAST):
            path.rename(target := folder / path.name)
            moved.append(target)
    except BaseException:
        for path in moved:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        raise


# --- the template ---


def _write(target: Path, wanted: NewBook, values: Mapping[str, str]) -> None:
    for path in sorted(TEMPLATE.rglob("*")):
        name = path.relative_to(TEMPLATE)
        if path.is_dir():
            continue
        text = path.read_text("utf-8")
        if path.suffix == ".md":
            text = "\n".join(_for_frameworks(text.split("\n"), wanted.frameworks))
        write_atomically(target / name, _WORD.sub(lambda match: values[match[1]], text))
    if wanted.ci in SERVICES:
        write_ci_file(target, Continuous(wanted.ci, wanted.frameworks))


def _values(wanted: NewBook, folder: str) -> dict[str, str]:
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", folder).strip("-._") or "book"
    title = wanted.title.strip() or re.sub(r"[-_\s]+", " ", folder).strip().title() or "A New Book"
    author = wanted.author.strip()
    for what, text in (("title", title), ("author", author)):
        if not text.isprintable():
            raise UsageError(f"the {what} has characters that cannot be printed", hint="write it on one line")
    titles = known_frameworks()
    copyright_ = f"{time.strftime('%Y')}, {author}" if author else time.strftime("%Y")
    in_toml = {"name": name, "author": author, "copyright": copyright_, "frameworks": list(wanted.frameworks)}
    values = {key: json.dumps(value, ensure_ascii=False) for key, value in in_toml.items()}
    return values | {
        "quoted_title": json.dumps(title, ensure_ascii=False),
        "title": _plain(title),
        "titles": _joined([titles[one] for one in wanted.frameworks]),
    }


def _plain(text: str) -> str:
    """Return text as Markdown that shows it as it is."""
    return re.sub(r"([\\`*_\[\]<>$#])", r"\\\1", text)


def _joined(names: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def _for_frameworks(lines: Iterable[str], chosen: Collection[str]) -> Iterator[str]:
    """Yield the lines of a chapter without cells and blocks that are for none of the chosen frameworks."""
    block: list[str] = []
    end = ""
    left_out = False
    for line in lines:
        if end:
            block.append(line)
            if line == end:
                shown = list(_marked(block, chosen))
                yield from shown
                end, left_out = "", not shown
        elif line.startswith(("```{.python", ":begin_tab:")):
            block, end = [line], "```" if line.startswith("```") else ":end_tab:"
        elif line or not left_out:
            yield line
            left_out = False
        else:
            left_out = False  # the blank line after what was left out


def _marked(block: Sequence[str], chosen: Collection[str]) -> Iterator[str]:
    """Yield a block with its mark naming only chosen frameworks; nothing if it names none of them."""
    at, match = next((number, found) for number, line in enumerate(block) if (found := _MARK.match(line)))
    names = [name.strip() for name in match["names"].split(",")]
    kept = [name for name in names if name == _ALL or name in chosen]
    if kept:
        mark = f"{match['before']}{', '.join(kept)}{match['after']}"
        yield from (*block[:at], mark, *block[at + 1 :])
