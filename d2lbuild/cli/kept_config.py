"""The configuration that the last command read, for one that is to answer at once: reading it anew imports pydantic."""

import contextlib
import hashlib
import os
import pickle
from pathlib import Path
from typing import TYPE_CHECKING

from d2lbuild import unchanged
from d2lbuild.cli.read_files import MANY, files_read
from d2lbuild.config import find_source, load_config
from d2lbuild.execution.home import cache_home
from d2lbuild.files import write_atomically

if TYPE_CHECKING:
    from d2lbuild.config import Config

__all__ = ["config_and_facts"]


def config_and_facts(book: Path) -> "tuple[Config, unchanged.Facts]":
    """Return the configuration of the book in a folder, and the state of its files and those of this program.

    It is that of the last time unless a file differs, other than in what a text says. Raises as `load_config` does.
    """
    file = _file(find_source(book)[1])
    try:
        config, before = pickle.loads(file.read_bytes())  # noqa: S301 - our own file
        facts = unchanged.facts_of(files_read(config))
        if _fits(before, facts):
            return config, facts
    except Exception:  # noqa: S110 - not there, damaged, or of another version of this program
        pass
    config = load_config(book)
    facts = unchanged.facts_of(files_read(config))
    # Read twice: whatever was written in between is in both, or the files are not as these facts have them.
    if len(facts) <= MANY and load_config(book) == config:
        with contextlib.suppress(OSError):  # a folder that cannot be written costs time, nothing else
            write_atomically(file, pickle.dumps((config, facts), pickle.HIGHEST_PROTOCOL))
    return config, facts


def _fits(before: unchanged.Facts, now: unchanged.Facts) -> bool:
    """Whether a book has the same files, and only its texts may say something else: no configuration reads them."""
    return before.keys() == now.keys() and all(
        fact == now[name] or (name.endswith(".md") and fact is not None and now[name] is not None)
        for name, fact in before.items()
    )


def _file(source: Path) -> Path:
    whole = f"{source}\0{os.path.expanduser('~')}"  # noqa: PTH111 - this one never fails
    name = hashlib.sha256(whole.encode(errors="surrogateescape")).hexdigest()[:16]
    return cache_home() / "configurations" / f"{name}.pickle"
