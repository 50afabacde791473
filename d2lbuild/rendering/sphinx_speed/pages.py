"""What Sphinx, MyST-NB and extensions do for each page or build, though it is always the same, or of no use here."""

from pathlib import Path
from typing import Any

from jinja2 import FileSystemBytecodeCache

from d2lbuild.rendering.sphinx_speed.override import Override

__all__ = ["overrides"]


def overrides(memory: Path) -> list[Override]:
    """Return what makes single pages faster; `memory` is a folder that stays from build to build."""
    return [
        # Our own notebooks are checked against a schema, when they are read and once more when they are put aside.
        Override("nbformat", "5", "nbformat", "validate", lambda _: _content),
        # MyST-NB puts each aside once more, for its own downloads, which no page of ours offers.
        Override("nbformat", "5", "nbformat", "writes", lambda _: _empty),
        # Each process compiles all templates, which takes longer than filling them for a page.
        Override(
            "Sphinx", "9.0", "sphinx.jinja2glue", "BuiltinTemplateLoader.init", lambda one: _compiled(one, memory)
        ),
        # The way to each style sheet and script is looked up on the disk, for each page.
        Override("Sphinx", "9.0", "sphinx.builders.html", "_file_checksum", _remembered_checksum),
    ]


def _content(*_arguments: Any, **_options: Any) -> None:
    """Find nothing wrong with a notebook."""


def _empty(*_arguments: Any, **_options: Any) -> str:
    """Write nothing of a notebook."""
    return "{}\n"


def _compiled(original: Any, memory: Path) -> Any:
    def init(self: Any, *arguments: Any, **options: Any) -> None:
        original(self, *arguments, **options)
        folder = memory / "templates"
        folder.mkdir(parents=True, exist_ok=True)
        self.environment.bytecode_cache = FileSystemBytecodeCache(str(folder))

    return init


def _remembered_checksum(original: Any) -> Any:
    known: dict[tuple[Path, str], str] = {}

    def _file_checksum(outdir: Path, filename: Any) -> str:
        key = (outdir, str(filename))
        if key not in known:
            known[key] = original(outdir, filename)
        return known[key]

    return _file_checksum
