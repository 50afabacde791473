"""The manual, built by Sphinx: `make docs`."""

import re
from typing import TYPE_CHECKING

from d2lbuild import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "d2lbuild"
author = "The d2lbuild authors"
copyright = author  # noqa: A001 - Sphinx calls it so
release = __version__

extensions = ["myst_parser"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"d2lbuild {release}"
html_show_sphinx = False
myst_heading_anchors = 4

_REPOSITORY = "https://github.com/d2lbuild/d2lbuild/blob/main/"


def _link_to_repository(_: "Sphinx", name: str, text: list[str]) -> None:
    """Let links that leave the manual lead to the repository."""
    if "/" not in name:
        text[0] = re.sub(r"\]\(\.\./", f"]({_REPOSITORY}", text[0])
        text[0] = re.sub(r"\]\(([\w-]+\.yaml)\)", rf"]({_REPOSITORY}docs/\1)", text[0])


def _leave_out_empty_patterns(app: "Sphinx", name: str, text: list[str]) -> None:
    """Let a pattern in the table of contents match no page: Sphinx complains of that, and cannot be told not to."""
    if name == "index":
        empty = (
            line for line in re.findall(r"^[\w-]+\*$", text[0], re.MULTILINE) if not any(app.srcdir.glob(f"{line}.md"))
        )
        for line in empty:
            text[0] = text[0].replace(f"\n{line}\n", "\n")


def setup(app: "Sphinx") -> None:
    """Register what changes the sources."""
    app.connect("source-read", _link_to_repository)
    app.connect("source-read", _leave_out_empty_patterns)
