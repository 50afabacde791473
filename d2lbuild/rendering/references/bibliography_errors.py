"""What is wrong with the BibTeX files, as findings: pybtex would end the build at the first slip."""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from d2lbuild.model import Book, Finding, Severity, Span

__all__ = ["bibliography_findings"]


def bibliography_findings(errors: Sequence[Any], book: Book) -> Iterator[Finding]:
    """Say pybtex's errors in the book's terms."""
    for error in errors:
        name = Path(getattr(error, "filename", None) or "").name
        path = next((path for path in book.bibliography if path.name == name), None)
        line = getattr(error, "lineno", None) or 1
        message = error.args[0] if error.args else str(error)
        span = Span(PurePosixPath(path), line, line) if path else None
        yield Finding("bibliography", f"the bibliography cannot be read here: {message}", span, Severity.WARNING)
