"""`d2lbuild check`: everything that can be found wrong without running anything."""

from d2lbuild.cli.messages import counted, finding_text, note, say
from d2lbuild.cli.options import BookOption, read_config
from d2lbuild.model import Severity

__all__ = ["check"]


def check(book: BookOption = None) -> int:
    """Say what is wrong with the book, file and line.

    \b
    Looks at labels, references, citations, images, the table of contents, framework names, blocks that
    are never closed, the syntax of code, the library and the names that code takes from it, in all
    frameworks. Runs nothing and writes nothing. Exits with 1 if there is an error.

    \b
    Examples:
      d2lbuild check
      d2lbuild check --book ~/books/d2l-en
    """
    from d2lbuild import pipeline  # noqa: PLC0415 - slow to import

    findings = pipeline.check(read_config(book))
    for finding in findings:
        say(finding_text(finding))
    note(counted(findings) or "nothing is wrong")
    return int(any(finding.severity is Severity.ERROR for finding in findings))
