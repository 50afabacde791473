"""`d2lbuild translate`: what has changed in the book that this one is a translation of."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import click

from d2lbuild.cli.completion import complete_section
from d2lbuild.cli.groups import OrderedGroup
from d2lbuild.cli.messages import columns, count, note, say
from d2lbuild.cli.options import book_option, json_option, read_config, section_ids
from d2lbuild.errors import StaleError

if TYPE_CHECKING:
    from d2lbuild.translation.parts import Change, Part
    from d2lbuild.translation.status import SectionStatus

__all__ = ["translate"]

_origin_option = click.option(
    "--origin", metavar="BOOK", help="The book that is translated: a folder, or FOLDER@REVISION. As configured."
)
_SHOWN = 60
"""Characters of a part that are shown."""


@click.group(cls=OrderedGroup, no_args_is_help=True)
def translate() -> None:
    """Following the book that this one is a translation of.

    \b
    Examples:
      d2lbuild translate status
      d2lbuild translate accept preface
    """


@translate.command
@click.argument(
    "sections",
    nargs=-1,
    metavar="[SECTION]...",
    help="Show these sections, or folders of sections, part by part.",
    shell_complete=complete_section,
)
@_origin_option
@json_option
@click.option("--check", is_flag=True, help="Exit with 4 if the origin has changed what was translated.")
@book_option
def status(*, sections: Sequence[str], origin: str | None, as_json: bool, check: bool, book: Path | None) -> int:
    """Show what has changed in the origin since a section was translated.

    \b
    Compares page_origin.md, the copy that a translation keeps of what was translated, with the origin as it
    is now: paragraphs, formulas, tables and cells. Also says which sections are new, or gone, and which
    cells do something else than those of the origin; comments and docstrings may differ. Asks no
    translation service, and changes nothing.

    \b
    Examples:
      d2lbuild translate status
      d2lbuild translate status chapter_preface/index
      d2lbuild translate status --origin ../d2l-en@v1.0 --check
    """
    from d2lbuild.translation.origin import origin_of  # noqa: PLC0415 - slow to import
    from d2lbuild.translation.status import Standing, translation_status  # noqa: PLC0415

    config = read_config(book)
    with origin_of(config, origin) as other:
        found = translation_status(config, other, section_ids(sections, config))
        if as_json:
            say(json.dumps([_facts(one) for one in found], indent=2, ensure_ascii=False))
        elif sections:
            for one in found:
                for line in _lines(one):
                    say(line)
        elif rows := [_row(one) for one in found if one.code or one.standing not in (Standing.CURRENT, Standing.OWN)]:
            say(columns([("", "section", "parts", "cells"), *rows]))
    numbers = Counter(one.standing.value for one in found)
    note(f"{count(len(found), 'section')}: " + ", ".join(f"{number} {word}" for word, number in numbers.items()))
    late = any(one.standing in (Standing.OUTDATED, Standing.GONE) for one in found)
    return StaleError.exit_code if check and late else 0


@translate.command
@click.argument(
    "sections",
    nargs=-1,
    required=True,
    metavar="SECTION...",
    help="Sections that follow the origin.",
    shell_complete=complete_section,
)
@_origin_option
@book_option
def accept(*, sections: Sequence[str], origin: str | None, book: Path | None) -> int:
    """Keep the origin's text as it is now as what has been translated.

    \b
    Writes page_origin.md beside page.md, and nothing else: to be done when the translation of the section
    follows the origin.

    \b
    Examples:
      d2lbuild translate accept chapter_preface/index
    """
    from d2lbuild.translation.origin import origin_of  # noqa: PLC0415 - slow to import
    from d2lbuild.translation.status import accept as accept_sections  # noqa: PLC0415

    config = read_config(book)
    with origin_of(config, origin) as other:
        written = accept_sections(config, other, section_ids(sections, config))
    for path in written:
        say(str(path))
    return 0


# --- words ---


def _row(one: "SectionStatus") -> tuple[str, ...]:
    parts = _counts(one.changes) or (f"now {one.moved}?" if one.moved else "")
    return one.standing.value, one.section, parts, f"{len(one.code)} differ" if one.code else ""


def _counts(changes: "tuple[Change, ...]") -> str:
    numbers = Counter(change.kind.value for change in changes)
    return ", ".join(f"{number} {word}" for word, number in sorted(numbers.items(), key=lambda one: -one[1]))


def _lines(one: "SectionStatus") -> Iterator[str]:
    """Yield what became of each part of a section, with the places in both books."""
    more = _counts(one.changes) or (f"now {one.moved}?" if one.moved else "")
    yield f"{one.section}: {one.standing.value}{f': {more}' if more else ''}"
    for change, line in zip(one.changes, one.places, strict=True):
        places = [_place(one.copy, change.before), _place(one.origin, change.after)]
        where = " → ".join(filter(None, places)) + (f" (near {one.file}:{line})" if line else "")
        yield f"  {change.kind.value}: {where}: {_start(change.after or change.before)}"
    for change in one.code:
        places = [_place(one.origin, change.before), _place(one.file, change.after)]
        kind = {"removed": "missing here", "added": "only here", "changed": "differs"}[change.kind.value]
        yield f"  code {kind}: {' → '.join(filter(None, places))}: {_start(change.before or change.after)}"


def _place(file: PurePosixPath | None, part: "Part | None") -> str:
    return f"{file}:{part.first}-{part.last}" if part else ""


def _start(part: "Part | None") -> str:
    text = " ".join(part.text.split()) if part else ""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _facts(one: "SectionStatus") -> dict[str, Any]:
    def lines(part: "Part | None") -> list[int] | None:
        return [part.first, part.last] if part else None

    def change(each: "Change", first: str, second: str) -> dict[str, Any]:
        return {"change": each.kind.value, first: lines(each.before), second: lines(each.after)}

    return {
        "section": one.section,
        "status": one.standing.value,
        "file": _text(one.file),
        "copy": _text(one.copy),
        "origin": _text(one.origin),
        "moved": one.moved or None,
        "changes": [
            change(each, "copy", "origin") | {"line": line} for each, line in zip(one.changes, one.places, strict=True)
        ],
        "code": [change(each, "origin", "translation") for each in one.code],
    }


def _text(path: PurePosixPath | None) -> str | None:
    return str(path) if path else None
