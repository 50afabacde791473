"""A new section in the table of contents that is nearest to it."""

import os
from pathlib import Path, PurePosixPath

from d2lbuild.config import Config
from d2lbuild.editing.layout import lay_out
from d2lbuild.files import write_atomically
from d2lbuild.model import BlockKind
from d2lbuild.source.cells import FrameworkNames

__all__ = ["add_entry", "nearest_contents"]


def nearest_contents(config: Config, section: str) -> tuple[Path, str] | None:
    """Return the file whose ``toc`` should name a section, and the entry for it; None if there is no such file."""
    chapters = config.root / config.chapters
    for folder in PurePosixPath(section).parents:
        file = chapters / folder / "index.md"
        if file.is_file() and (folder / "index").as_posix() != section:
            return file, PurePosixPath(os.path.relpath(section, folder)).as_posix()
    return None


def add_entry(file: Path, entry: str, names: FrameworkNames) -> bool:
    """Write an entry below the last one of a file's last ``toc``; return whether it has a ``toc``."""
    layout = lay_out(file.read_bytes().decode("utf-8"), names)
    tables = [piece for piece in layout.pieces if piece.block.kind is BlockKind.CONTENTS]
    if not tables:
        return False
    if any(entry == line.strip() for piece in tables for line in piece.block.content.split("\n")):
        return True
    piece = tables[-1]
    at = piece.shown[1] - 1
    while at > piece.first + 1 and not layout.lines[at - 1].strip():
        at -= 1
    lines = [*layout.lines[:at], " " * piece.block.indent + entry + layout.newline, *layout.lines[at:]]
    write_atomically(file, "".join(lines))
    return True
