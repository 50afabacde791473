"""`d2lbuild doctor`: what is missing on this machine, and the command that mends it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from d2lbuild.cli.messages import count, note, results, say
from d2lbuild.cli.options import book_option, config_if_any, framework_option, json_option, known, words
from d2lbuild.errors import SetupError

if TYPE_CHECKING:
    from rich.text import Text

    from d2lbuild.config import Config
    from d2lbuild.doctor import Section
    from d2lbuild.equipment import Item

__all__ = ["doctor"]

_MARKS = {"ok": ("✓", "ok", "green"), "missing": ("✗", "missing", "bold red"), "note": ("–", "-", "yellow")}
"""By state: the mark, the same for terminals that lack it, its style."""


@click.command
@click.argument("outputs", nargs=-1, metavar="[OUTPUT]...", help="notebooks, html, pdf, epub. Default: all.")
@framework_option
@book_option
@click.option("--dev", "development", is_flag=True, help="Also programs that only the tests of d2lbuild use.")
@json_option
def doctor(
    *, outputs: Sequence[str], framework: Sequence[str], book: Path | None, development: bool, as_json: bool
) -> int:
    """Show what is missing on this machine, and the command that mends it.

    \b
    Looks at d2lbuild itself, at the environments that notebooks run in (of all frameworks unless --framework
    says otherwise), and at what each output needs. Installs nothing and writes nothing; works outside of a
    book, too. Exits with 3 if something is missing.

    \b
    Examples:
      d2lbuild doctor
      d2lbuild doctor pdf
      d2lbuild doctor notebooks --framework pytorch
      d2lbuild doctor --json
    """
    from d2lbuild import pipeline  # noqa: PLC0415 - slow to import
    from d2lbuild.doctor import OUTPUTS, examine  # noqa: PLC0415
    from d2lbuild.equipment import State  # noqa: PLC0415

    chosen = known(words(outputs), OUTPUTS, "output") or OUTPUTS
    config = config_if_any(book)
    names = pipeline.select_frameworks(config, words(framework) or ("all",)) if config else ()
    found = examine(config, names, chosen, development=development)
    missing = [item for section in found for item in section.items if item.state is State.MISSING]
    if as_json:
        say(json.dumps(_facts(config, found, complete=not missing), indent=2))
    else:
        say(_table(found))
        verb = "is" if len(missing) == 1 else "are"
        note(f"{count(len(missing), 'thing')} {verb} missing" if missing else "nothing is missing")
    return SetupError.exit_code if missing else 0


def _facts(config: "Config | None", sections: Sequence["Section"], *, complete: bool) -> dict[str, Any]:
    return {
        "complete": complete,
        "book": str(config.root) if config else None,
        "sections": {section.name: [_fact(item) for item in section.items] for section in sections},
    }


def _fact(item: "Item") -> dict[str, Any]:
    return {
        "name": item.name,
        "state": item.state.value,
        "detail": item.detail,
        "lacks": list(item.lacks),
        "mend": item.mend,
    }


def _table(sections: Sequence["Section"]) -> "Text":
    """Return a line for each thing, and below it what mends it."""
    from rich.cells import cell_len  # noqa: PLC0415 - slow to import
    from rich.text import Text  # noqa: PLC0415

    plain = not _can_show("".join(mark for mark, _, _ in _MARKS.values()))
    marks = {state: word if plain else mark for state, (mark, word, _) in _MARKS.items()}
    widths = max(map(len, marks.values())), max(cell_len(item.name) for one in sections for item in one.items)
    text = Text()
    for section in sections:
        text.append("\n" if text else "").append(section.name, "bold")
        for number, item in enumerate(section.items):
            detail = item.detail or f"not there: {', '.join(item.lacks)}"
            text.append("\n  ").append(marks[item.state.value].ljust(widths[0]), _MARKS[item.state.value][2])
            text.append(f" {item.name}{' ' * (widths[1] - cell_len(item.name))}  {detail}", "not bold default")
            rest = section.items[number + 1 :]
            if item.mend and item.mend not in [other.mend for other in rest]:  # one command may mend several
                text.append(f"\n  {' ' * widths[0]}   ").append(item.mend, "not bold cyan")
    return text


def _can_show(characters: str) -> bool:
    """Whether the place where results go has some characters."""
    try:
        characters.encode(results().encoding)
    except UnicodeEncodeError:
        return False
    return True
