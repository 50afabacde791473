"""The files that decide what a command says of a book, for commands that end at once if none of them has changed."""

import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from d2lbuild.config import config_files, default_frameworks
from d2lbuild.rendering.sources.book_files import files_of_book

if TYPE_CHECKING:
    from d2lbuild.config import Config

__all__ = ["MANY", "files_read"]

MANY = 20_000
"""A folder with so many files is no book, and looking at all of them would not be quick."""


def files_read(config: "Config") -> list[str | Path]:
    """Return the files and folders that decide what is wrong with a book: its own, and those of this program."""
    here = Path.cwd()
    settings = [file for folder in (config.root, here, *here.parents) for file in config_files(folder)]
    frameworks = default_frameworks()
    # Files of this program and its theme, and the folder that changes when another package is installed.
    program = files_of_book(Path(__file__).parents[1], config.output)
    installed = Path(sysconfig.get_path("purelib"))
    return [
        config.source,
        *settings,
        frameworks,
        *sorted(frameworks.rglob("*")),
        *program,
        installed,
        *files_of_book(config.root, config.output),
    ]
