"""Runs XeLaTeX as often as it takes, and makes the PDF of its pages; nothing is asked, fetched or run besides.

Each pass is looked at by itself: an error is known after the first one, and a pass that would say the same is not made.
"""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from d2lbuild.errors import BookError
from d2lbuild.rendering.kept_digests import digest_of_file
from d2lbuild.rendering.pdf.images import FIXED_TIME

__all__ = ["NAME", "Typesetter"]

NAME = "book"
"""What the LaTeX is called."""

MOST_SECONDS = 1200
"""For one pass. A book of a thousand pages takes a tenth of it."""
_MOST_PASSES = 6
_REMEMBERED = ("aux", "toc")
"""What a pass leaves for the next one."""
_ENOUGH_MEMORY = {
    "extra_mem_top": "10000000",
    "extra_mem_bot": "10000000",
    "buf_size": "4000000",
    "save_size": "400000",
}


class Typesetter:
    """Sets the file ``book.tex`` of a folder."""

    def __init__(self, folder: Path, observer: Callable[[int], None]) -> None:
        self.folder = folder
        self.passes = 0
        self._observer = observer

    def one_pass(self) -> bool:
        """Run XeLaTeX once; return whether another pass may give something else."""
        before = self._memory()
        self.passes += 1
        self._observer(self.passes)
        self._run(
            "xelatex", "-no-pdf", "-interaction=nonstopmode", "-file-line-error", "-no-shell-escape", f"{NAME}.tex"
        )
        return self._memory() != before and self.passes < _MOST_PASSES

    def finish(self) -> Path | None:
        """Make the PDF of what the last pass gave; None if there is nothing to make it of."""
        pages = self.folder / f"{NAME}.xdv"
        if not pages.is_file():
            return None
        made = self.folder / f"{NAME}.pdf"
        made.unlink(missing_ok=True)
        self._run("xdvipdfmx", "-q", "-E", "-z", "6", "-o", made.name, pages.name)
        return made if made.is_file() else None

    def log(self) -> str:
        """Return what the last pass said."""
        path = self.folder / f"{NAME}.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""

    def forget(self) -> None:
        """Remove what earlier passes have left: an error in it would come again."""
        for suffix in (*_REMEMBERED, "xdv", "log"):
            (self.folder / f"{NAME}.{suffix}").unlink(missing_ok=True)
        self.passes = 0

    def _memory(self) -> list[str]:
        return [digest_of_file(self.folder / f"{NAME}.{suffix}") for suffix in _REMEMBERED]

    def _run(self, *command: str) -> None:
        settings = {
            **FIXED_TIME,
            **_ENOUGH_MEMORY,
            "max_print_line": "10000",
            "error_line": "254",
            "half_error_line": "238",
            "shell_escape": "f",
            # No files but the book's own, those of TeX and, by their names, fonts.
            "openin_any": "p",
            "openout_any": "p",
            "TEXMFOUTPUT": "",
        }
        try:
            subprocess.run(
                list(command), cwd=self.folder, env={**os.environ, **settings}, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=MOST_SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise BookError(
                f"{command[0]} was ended after {MOST_SECONDS} seconds",
                hint="look in formulas and in the preamble for a macro that calls itself: it never ends",
            ) from None
