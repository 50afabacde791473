"""The program of a book that changes its LaTeX before it is set: it runs only where the command line says so."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from d2lbuild.config.types import Config
from d2lbuild.errors import BookError
from d2lbuild.files import write_atomically
from d2lbuild.model import Finding, Severity

__all__ = ["changed_by_program", "not_run"]

_SHOWN = 20
"""So many lines of what it says are shown, the last ones."""


def not_run(config: Config) -> Iterator[Finding]:
    """Yield that the book has such a program, which was not run."""
    program = config.pdf.post_latex
    if program is not None:
        message = f"[pdf] `post_latex` names a program, {program.text}, which was not run: the PDF is as it is without"
        hint = "if you trust it, add --run-post-latex"
        yield Finding("code-not-run", message, program.span, Severity.WARNING, hint)


def changed_by_program(text: str, config: Config, file: Path) -> str:
    """Return what the book's program makes of a text.

    As existing books expect, the program stands in the book's folder and is given the path of a file that it changes.
    BookError if it fails.
    """
    program = config.pdf.post_latex
    if program is None:
        return text
    script = config.root / program.text
    if not script.is_file():
        raise BookError(f"{program.span}: [pdf] `post_latex`: there is no file {program.text}")
    write_atomically(file, text)
    done = subprocess.run(
        [sys.executable, str(script), str(file)],
        cwd=config.root,
        env={**os.environ, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = "".join(f"\n  {line}" for line in done.stdout.splitlines()[-_SHOWN:])
        raise BookError(
            f"{program.span}: the program {program.text} failed with exit code {done.returncode}:{said}",
            hint=f"it runs in {sys.executable}: install there what it needs, or leave --run-post-latex out",
        )
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BookError(f"{program.span}: the program {program.text} left no text in UTF-8: {error}") from error
