"""How a notebook that failed is shown: where in the chapter, the code around it, the error and where it was raised."""

import re

from rich.text import Text

from d2lbuild.model import Cell, Failure, Status
from d2lbuild.pipeline import NotebookFailure

__all__ = ["failure_text", "last_frame"]

_AROUND = 3
"""Lines of code before and after the failing one."""
_MOST_LINES = 12
"""Lines of an error's message."""
_MOST_CHARACTERS = 300
"""Characters of a line; a message may hold a whole tensor."""

_FRAME = re.compile(r"(File .+|Cell In ?\[\d+\].*|Input In ?\[\d+\].*)")
_ARROW = re.compile(r"-+> \d+ (.*)")


def failure_text(failed: NotebookFailure) -> Text:
    """Return what a reader needs to mend a notebook."""
    failure = failed.result.failure or Failure(None, failed.result.status.value, "")
    first, *rest = failure.message.splitlines() or [""]
    text = Text(f"{failed.place or failed.section}: ", "bold")
    text.append(failure.name, "bold red")
    text.append(f": {_short(first)}" if first else "", "not bold default")
    text.append(f" [{failed.framework}]", "not bold dim")
    for line in _first_lines(rest):
        text.append(f"\n  {line}", "not bold default")
    if failed.cell is not None:
        text.append(_excerpt(failed.cell, failure.line))
    if failed.result.status is Status.FAILED:
        for line in last_frame(failure.traceback):
            text.append(f"\n  {_short(line)}", "not bold dim")
    else:
        for line in failure.traceback.splitlines()[-_MOST_LINES:]:
            text.append(f"\n  {_short(line)}", "not bold dim")
    if not failed.fresh:
        text.append("\n  unchanged since it failed; --rerun-failed runs it again", "not bold cyan")
    return text


def _short(line: str) -> str:
    return line if len(line) <= _MOST_CHARACTERS else f"{line[: _MOST_CHARACTERS - 1]}…"


def _first_lines(lines: list[str]) -> list[str]:
    more = [f"… and {len(lines) - _MOST_LINES} more lines"] if len(lines) > _MOST_LINES else []
    return [*map(_short, lines[:_MOST_LINES]), *more]


def _excerpt(cell: Cell, failing: int | None) -> Text:
    """Return the lines of a cell around the failing one, with their numbers in the chapter; without one, the first."""
    lines = cell.source.splitlines()
    middle = min(failing or 1, len(lines)) - 1
    text = Text(style="not bold default")
    for index in range(max(0, middle - _AROUND), min(len(lines), middle + _AROUND + 1)):
        here = index == middle and failing is not None
        text.append("\n❯" if here else "\n ", "bold red")
        text.append(f"{cell.lines[index]:>6} │ ", "dim")
        text.append(_short(lines[index]), "bold" if here else "")
    return text


def last_frame(traceback: str) -> list[str]:
    """Return where an error was raised, from IPython's plain traceback; nothing if it was in a cell itself."""
    place, code = "", ""
    for line in traceback.splitlines():
        if frame := _FRAME.fullmatch(line.strip()):
            place, code = frame[1], ""
        elif place and not code and (arrow := _ARROW.match(line)):
            code = arrow[1].strip()
    if not place.startswith("File "):
        return []
    return [f"raised in {place.removeprefix('File ')}", *([f"    {code}"] if code else [])]
