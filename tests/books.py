"""Mini books for tests: a folder of files, a configuration, and what a build of it gives."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from d2lbuild.config import Config, load_config
from d2lbuild.model import Book, Finding
from d2lbuild.source.book import load_book

CONF = """\
[book]
name = "mini"
title = "A Mini Book"
author = "Nobody"
copyright = "2026"
release = "0.1"
frameworks = ["pytorch", "jax"]
resources = ["img"]
"""

INDEX = """\
# The Book
:label:`chap_book`

```toc
:numbered:

one
two
```
"""


def write_book(root: Path, files: Mapping[str, str | bytes], *, conf: str = CONF) -> Path:
    """Write a book below `root`; the files are relative to its folder ``chapters``."""
    (root / "conf").mkdir(parents=True, exist_ok=True)
    (root / "conf" / "book.toml").write_text(conf, encoding="utf-8")
    (root / "chapters").mkdir(exist_ok=True)
    for name, content in files.items():
        path = root / "chapters" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def configuration(root: Path, *, interpreter: Path | None = None) -> Config:
    """Read the configuration; with `interpreter` every framework runs in that Python and needs no environment."""
    config = load_config(root)
    if interpreter is None:
        return config
    frameworks = tuple(replace(one, interpreter=interpreter, header=None) for one in config.frameworks)
    return replace(config, frameworks=frameworks)


def book(root: Path, files: Mapping[str, str | bytes], *, conf: str = CONF) -> Book:
    """Write and read a book."""
    return load_book(load_config(write_book(root, files, conf=conf)))


def rules(findings: tuple[Finding, ...]) -> list[tuple[str, int]]:
    """Return rule and line of each finding."""
    return [(finding.rule, finding.span.first if finding.span else 0) for finding in findings]


def read_cases(path: Path) -> list[tuple[str, str, str]]:
    """Read a fixture file: title, input and expected output, each case ended by lines of a single dot."""
    cases: list[tuple[str, str, str]] = []
    parts: list[list[str]] = [[]]
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line != ".":
            parts[-1].append(line)
        elif len(parts) < 3:
            parts.append([])
        else:
            title = " ".join(one for one in parts[0] if one and not one.startswith("//"))
            cases.append((title, "\n".join(parts[1]), "\n".join(parts[2])))
            parts = [[]]
    return cases
