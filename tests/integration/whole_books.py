"""A mini book that is made as a whole, as a PDF or an EPUB, and what epubcheck says of an EPUB."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from d2lbuild.config import load_config
from d2lbuild.pipeline import BuildReport, BuildRequest, build

__all__ = ["BOOK", "complaints", "make", "needs_epubcheck"]

BOOK = Path(__file__).parent / "pdf_book"
EPUBCHECK = shutil.which("epubcheck")
JAVA = shutil.which("java")
needs_epubcheck = pytest.mark.skipif(
    EPUBCHECK is None or JAVA is None, reason="epubcheck is not installed: `make test` installs it"
)


def make(
    root: Path,
    changes: Mapping[str, str] | None = None,
    *,
    to: tuple[str, ...],
    frameworks: tuple[str, ...] = ("pytorch",),
    conf: str = "",
    jobs: int = 2,
) -> BuildReport:
    """Build a copy of the book in which some files are others, and its configuration is longer."""
    shutil.copytree(BOOK, root, dirs_exist_ok=True)
    with (root / "conf" / "book.toml").open("a", encoding="utf-8") as settings:
        settings.write(conf)
    for name, text in (changes or {}).items():
        (root / "chapters" / name).write_text(text, "utf-8")
    return build(load_config(root), BuildRequest(frameworks, to=to, execute=False, jobs=jobs))


def complaints(path: Path) -> list[str]:
    """Return what epubcheck finds wrong."""
    assert EPUBCHECK
    assert JAVA
    # Debian's program is the archive itself.
    start = [JAVA, "-jar", EPUBCHECK] if Path(EPUBCHECK).read_bytes().startswith(b"PK") else [EPUBCHECK]
    done = subprocess.run([*start, str(path)], capture_output=True, text=True, check=False)
    assert "EPUBCheck completed" in done.stdout, done.stderr
    return [line for line in (done.stdout + done.stderr).splitlines() if re.match("(FATAL|ERROR|WARNING)", line)]
