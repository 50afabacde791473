"""Plain paragraphs of a text, told apart from all that needs a parser of Markdown: most of a book is plain.

A line that begins with a letter at the left margin goes on with a paragraph or begins one, whatever it says, unless a
fence, displayed maths or HTML is open; and a blank line before it ends lists and quotations.
"""

import re
from collections.abc import Iterator, Sequence

__all__ = ["stretches"]

_PLAIN = re.compile(r"""[^\W\d_]|:[A-Za-z]|[(\["'!“‘]|\$(?!\$)|\d+(?![\d.)])""")
"""What a line begins with that can begin nothing but a paragraph, or go on with one."""
_MAY_STAY_OPEN = re.compile(r"```|~~~|^[\s>*+.)\d-]*<|\0", re.MULTILINE)
"""What may begin a thing that blank lines do not end."""
_MARKERS = " \t>*+.)-0123456789"
"""What may stand before a thing in a list or a quotation."""


def stretches(lines: Sequence[str]) -> Iterator[tuple[int, int, bool]]:
    """Yield first line, line after the last, and whether that is a plain paragraph, for all but blank lines.

    What is no plain paragraph is to be parsed; each such stretch means the same on its own as in its place.
    """
    begun = end = -1
    runs = _runs(lines)
    for first, last, plain in runs:
        if plain:
            if begun >= 0:
                yield begun, end, False
                begun = -1
            yield first, last, True
            continue
        begun, end = begun if begun >= 0 else first, last
        if _stays_open(lines[first:last]):
            yield begun, len(lines), False
            return
    if begun >= 0:
        yield begun, end, False


def _runs(lines: Sequence[str]) -> Iterator[tuple[int, int, bool]]:
    """Yield the runs of lines between blank ones, and whether each is a plain paragraph."""
    first, plain = -1, True
    for number, line in enumerate(lines):
        if line.strip(" \t\r\n"):
            if first < 0:
                first, plain = number, True
            plain = plain and _PLAIN.match(line) is not None
        elif first >= 0:
            yield first, number, plain and not _may_define(lines[first:number])
            first = -1
    if first >= 0:
        yield first, len(lines), plain and not _may_define(lines[first:])


def _stays_open(lines: Sequence[str]) -> bool:
    """Whether something begins in these lines that blank lines do not end."""
    if _MAY_STAY_OPEN.search("".join(lines)):
        return True
    opened = False
    for line in lines:
        stripped = line.lstrip(_MARKERS).rstrip()
        if opened:
            opened = not stripped.endswith("$$")
        elif stripped.startswith("$$"):
            opened = len(stripped) < 4 or "$$" not in stripped[2:]
    return opened


def _may_define(lines: Sequence[str]) -> bool:
    """Whether a paragraph may be the definition of a link, which no reader sees."""
    return lines[0].startswith("[") and any("]:" in line for line in lines)
