"""What the user sees: results on stdout, everything else on stderr, colours only on a terminal."""

import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from d2lbuild.model import Finding, Severity
from d2lbuild.wording import count, duration

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

__all__ = [
    "columns",
    "complain",
    "count",
    "counted",
    "diff_text",
    "duration",
    "errors",
    "finding_text",
    "harmless",
    "is_detail",
    "note",
    "results",
    "say",
    "serious",
]

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


_CODES = {
    **{code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"},
    **dict.fromkeys((*range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)), 0xFFFD),
}
"""What a terminal takes for commands, and what turns text around, with the signs that are shown instead."""
_COMMAND = re.compile(r"^([^\S\n]*:):|##\[", re.MULTILINE)
"""What GitHub's workflows take for a command."""


def harmless(text: str) -> str:
    """Return a text without signs that a terminal, or a workflow that shows it, would obey.

    Names and messages may come from a book, and from what its cells print.
    """
    text = text.translate(_CODES)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        return _COMMAND.sub(lambda match: f"{match[1]} :" if match[1] else "# #[", text)
    return text


def results() -> "Console":
    """Return the console of what a command was asked for: stdout."""
    return _console(stderr=False)


def errors() -> "Console":
    """Return the console of everything else: stderr."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> "Console":
    # Made anew each time, so that it writes to what stdout and stderr are now. Lines are never broken: a terminal does
    # that itself, and in a pipe each message stays one line.
    return _kind_of_console()(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)


@cache
def _kind_of_console() -> "type[Console]":
    from rich.console import Console  # noqa: PLC0415 - slow to import, and words in a pipe need no colours
    from rich.text import Text  # noqa: PLC0415

    class HarmlessConsole(Console):
        def print(self, *objects: Any, **options: Any) -> None:
            super().print(*(shown(one) for one in objects), **options)

    def shown(one: Any) -> Any:
        if isinstance(one, Text):
            one = one.copy()
            one.plain = harmless(one.plain)
        return harmless(one) if isinstance(one, str) else one

    return HarmlessConsole


def say(text: "str | Finding | Text" = "") -> None:
    """Print a result."""
    _print(text, stderr=False)


def note(text: "str | Finding | Text" = "") -> None:
    """Print something about the work itself."""
    _print(text, stderr=True)


def _print(text: "str | Finding | Text", *, stderr: bool) -> None:
    stream = sys.stderr if stderr else sys.stdout
    may_be_coloured = stream.isatty() or "FORCE_COLOR" in os.environ or "TTY_COMPATIBLE" in os.environ
    if isinstance(text, str | Finding) and not may_be_coloured:
        stream.write(f"{harmless(str(text))}\n")
        stream.flush()
    else:
        _console(stderr=stderr).print(finding_text(text) if isinstance(text, Finding) else text)


def complain(message: str, *, title: str = "error", findings: Sequence[Finding] = (), hint: str = "") -> None:
    """Print why a command ends early."""
    from rich.text import Text  # noqa: PLC0415 - slow to import

    text = Text(title, "bold red")
    if message:
        text.append(f": {message}", "not bold default")
    for finding in findings:
        text.append("\n  ").append(finding_text(finding))
    if hint:
        text.append("\nhint: ", "bold cyan").append(hint, "not bold default")
    note(text)


def finding_text(finding: Finding) -> "Text":
    """Return a finding in its colours: ``path:line:col: severity: message (hint) [rule]``, as `str` has it."""
    from rich.text import Text  # noqa: PLC0415 - slow to import

    text = Text(style="not bold default")
    if finding.span:
        text.append(f"{finding.span}: ", "bold")
    text.append(f"{finding.severity.value}: ", _STYLES[finding.severity])
    text.append(finding.message)
    if finding.hint:
        text.append(f" ({finding.hint})")
    return text.append(f" [{finding.rule}]", "dim")


def serious(findings: Iterable[Finding]) -> list[Finding]:
    """Return the errors, then the warnings, without the notes."""
    kept = [finding for finding in findings if finding.severity is not Severity.NOTE]
    return sorted(kept, key=lambda finding: finding.severity is not Severity.ERROR)


def counted(findings: Iterable[Finding]) -> str:
    """Return how many findings of each kind there are: ``2 errors, 1 warning``; empty for none."""
    numbers = Counter(finding.severity for finding in findings)
    return ", ".join(count(numbers[severity], severity.value) for severity in Severity if numbers[severity])


def is_detail(line: str) -> bool:
    """Whether a line of uv's output says nothing that a reader needs: each package, how to activate."""
    return line.startswith((" + ", " - ", " ~ ", "Activate with")) or not line.strip()


def columns(rows: Sequence[Sequence[str]], *, heading: bool = True) -> "Text":
    """Return rows of text with aligned columns, the first of them as a heading."""
    from rich.cells import cell_len  # noqa: PLC0415 - slow to import
    from rich.text import Text  # noqa: PLC0415

    widths = [max(cell_len(cell) for cell in column) for column in zip(*rows, strict=True)]
    text = Text()
    for number, row in enumerate(rows):
        cells = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
        text.append("\n" if number else "").append("  ".join(cells).rstrip(), "bold" if heading and not number else "")
    return text


def diff_text(lines: Iterable[str]) -> "Text":
    """Return a unified diff in its usual colours."""
    from rich.text import Text  # noqa: PLC0415 - slow to import

    styles = {"+": "green", "-": "red", "@": "cyan"}
    text = Text()
    for line in lines:
        bold = line.startswith(("+++", "---"))
        text.append(line if line.endswith("\n") else f"{line}\n", "bold" if bold else styles.get(line[:1], ""))
    text.rstrip()
    return text
