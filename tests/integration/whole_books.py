"""A mini book that is made as a whole, as a PDF or an EPUB."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from d2lbuild.config import load_config
from d2lbuild.pipeline import BuildReport, BuildRequest, build

__all__ = ["BOOK", "make"]

BOOK = Path(__file__).parent / "pdf_book"


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
