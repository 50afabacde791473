"""A malicious book: it is made by code, so that no dangerous file lies in the repository."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from d2lbuild.config import load_config
from d2lbuild.pipeline import BuildReport, BuildRequest, build
from tests.books import CONF, write_book

SECRET = "SECRET-OF-THE-MACHINE"
"""What stands in files outside of the book: it may appear in no output."""


@dataclass(frozen=True)
class Machine:
    """A folder with a book in it, and files beside the book that are none of its business."""

    top: Path

    @property
    def root(self) -> Path:
        """The book's folder."""
        return self.top / "book"

    @property
    def outside(self) -> Path:
        """A folder that the book must not reach."""
        return self.top / "outside"

    def write(self, files: Mapping[str, str | bytes], *, conf: str = CONF) -> Path:
        """Write a book of one framework whose contents name all sections."""
        names = "\n".join(name.removesuffix(".md") for name in files if name.endswith(".md") and name != "index.md")
        index = f"# The Book\n\n```toc\n{names}\n```\n"
        return write_book(self.root, {"index.md": index, **files}, conf=conf)

    def build(self, *to: str, **changes: object) -> BuildReport:
        """Build the first framework's edition; nothing is run."""
        request = BuildRequest(("pytorch",), to=to or ("html",), execute=False, jobs=1, **changes)  # type: ignore[arg-type]
        return build(load_config(self.root), request)

    def leaks(self) -> list[str]:
        """Return the files below the output folder that hold what stands outside of the book."""
        made = (path for path in (self.root / "_build").rglob("*") if path.is_file() and not path.is_symlink())
        return [str(path.relative_to(self.root)) for path in made if SECRET.encode() in path.read_bytes()]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine with secrets in files of many kinds."""
    found = Machine(tmp_path)
    found.outside.mkdir()
    texts = {
        "md": f"# {SECRET}\n",
        "bib": f"@book{{secret, title = {{{SECRET}}}, author = {{A}}, year = 1999}}\n",
        "svg": f"<svg xmlns='http://www.w3.org/2000/svg'><text>{SECRET}</text></svg>",
        "ipynb": f'{{"cells": [], "metadata": {{"title": "{SECRET}"}}, "nbformat": 4, "nbformat_minor": 5}}',
    }
    for kind in ("md", "bib", "svg", "ipynb", "txt", "html", "csv", "py", "css", "js", "tex", "png"):
        (found.outside / f"secret.{kind}").write_text(texts.get(kind, f"{SECRET},{SECRET}\n"), "utf-8")
    return found


Rules = Callable[[BuildReport], set[tuple[str, int]]]


def places(report: BuildReport, path: str) -> set[tuple[str, int]]:
    """Return rule and line of the findings in one section."""
    spans = [(one.rule, one.span) for one in report.findings]
    return {(rule, span.first) for rule, span in spans if span and span.path.name == path}
