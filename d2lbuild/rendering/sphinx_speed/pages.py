"""What Sphinx, MyST-NB and extensions do for each page, though it is the same for all, or not needed for ours."""

from pathlib import Path
from typing import Any

from docutils import nodes

from d2lbuild.rendering.sphinx_speed.override import Override

__all__ = ["overrides"]

_DESIGN = ("sphinx-design", "0.8")


def overrides() -> list[Override]:
    """Return what makes single pages faster."""
    return [
        # Our own notebooks are checked against a schema, when they are read and once more when they are put aside.
        Override("nbformat", "5", "nbformat", "validate", lambda _: _content),
        # The way to each style sheet and script is looked up on the disk, for each page.
        Override("Sphinx", "9.0", "sphinx.builders.html", "_file_checksum", _remembered_checksum),
        # Each text of a page is asked, and answers by raising an error.
        *(
            Override(*_DESIGN, f"sphinx_design.{module}", "is_component", lambda _: _is_component)
            for module in ("aside", "dropdown", "tabs")
        ),
    ]


def _content(*_arguments: Any, **_options: Any) -> None:
    """Find nothing wrong with a notebook."""


def _remembered_checksum(original: Any) -> Any:
    known: dict[tuple[Path, str], str] = {}

    def _file_checksum(outdir: Path, filename: Any) -> str:
        key = (outdir, str(filename))
        if key not in known:
            known[key] = original(outdir, filename)
        return known[key]

    return _file_checksum


def _is_component(node: nodes.Node, name: str) -> bool:
    return isinstance(node, nodes.Element) and node.attributes.get("design_component") == name
