"""All files of a book, and of a website: what a build can depend on, told by looking at names and times only."""

import os
from collections.abc import Iterator
from pathlib import Path

from d2lbuild.output_folder import OUTPUT_MARKER

__all__ = ["files_of_book", "files_of_site"]


def files_of_book(root: Path, output: Path) -> Iterator[str]:
    """Yield the files and folders below `root`, sorted; hidden ones, and what builds have written, are left out.

    Folders are there because their times tell that something was added, also where nothing is missing now. Links to
    folders outside are not followed: they are there with a separator at their end.
    """
    top = os.path.realpath(root)
    for name, folders, files in os.walk(root):
        folders[:] = sorted(
            one
            for one in folders
            if not one.startswith((".", "__pycache__"))
            and f"{name}{os.sep}{one}" != str(output)
            and not Path(name, one, OUTPUT_MARKER).is_file()
        )
        yield name
        yield from (f"{name}{os.sep}{one}" for one in sorted(files) if not one.startswith("."))
        yield from (f"{name}{os.sep}{one}{os.sep}" for one in folders if _leads_out(f"{name}{os.sep}{one}", top))


def _leads_out(folder: str, top: str) -> bool:
    return os.path.islink(folder) and not f"{os.path.realpath(folder)}{os.sep}".startswith(top + os.sep)  # noqa: PTH114


def files_of_site(output: Path) -> Iterator[str]:
    """Yield the files and folders of a website, and its folder itself."""
    for name, folders, files in os.walk(output):
        folders.sort()
        yield name
        yield from (f"{name}{os.sep}{one}" for one in sorted(files))
