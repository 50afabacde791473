"""What is wrong with the BibTeX files, as findings: pybtex would end the build at the first slip."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from d2lbuild.config.types import Config
from d2lbuild.model import Finding, Severity, Span

__all__ = ["bibliography_findings", "bibliography_key"]


def bibliography_findings(errors: Sequence[Any], config: Config) -> Iterator[Finding]:
    """Say pybtex's errors in the book's terms."""
    for error in errors:
        name = Path(getattr(error, "filename", None) or "").name
        path = next((path for path in config.bibliography if path.name == name), None)
        line = getattr(error, "lineno", None) or 1
        message = error.args[0] if error.args else str(error)
        span = Span(PurePosixPath(path), line, line) if path else None
        yield Finding("bibliography", f"the bibliography cannot be read here: {message}", span, Severity.WARNING)


def bibliography_key(config: Config) -> str:
    """Return a name for the present contents of the bibliography, under which its findings are remembered."""
    digest = hashlib.sha256()
    for path in config.bibliography:
        file = config.root / path
        digest.update(file.read_bytes() if file.is_file() else b"\0")
    return f"bibliography {digest.hexdigest()}"
