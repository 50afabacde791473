"""Books of plain notebooks, as Sphinx with MyST-NB and Jupyter Book 1 build them; d2lbuild writes the notebooks."""

import json
from collections.abc import Sequence
from pathlib import Path

from bench import peers
from bench.measuring import Setting, ours, run
from d2lbuild.config import Config
from d2lbuild.model import Book
from d2lbuild.source.book import load_book

SPHINX = "Sphinx + MyST-NB"
JUPYTER_BOOK = "Jupyter Book 1"

_CONF = """\
project = "book"
extensions = ["myst_nb"]
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath", "amsmath"]
html_theme = "furo"
root_doc = "index"
exclude_patterns = ["_build", "README.md"]
suppress_warnings = ["*"]
"""
_CONFIG = """\
title: book
only_build_toc_files: true
execute:
  execute_notebooks: "off"
parse:
  myst_enable_extensions: [dollarmath, amsmath]
"""


def plain_notebooks(setting: Setting, framework: str, *sections: str) -> Path:
    """Return the folder of a book's notebooks for one framework, without outputs."""
    output = setting.folder / f"notebooks-{framework}"
    choices = ["--no-execute", "--framework", framework, "--to", "notebooks", "--book", setting.book]
    command = ours("build", *choices, "--output", output, *sections)
    run(command, where=setting.book, environment=setting.environment("notebooks"), allowed=(0, 1))
    return output / framework / "notebooks" / framework


def sphinx(book: Path, config: Config) -> tuple[Sequence[str], Path]:
    """Make a folder of notebooks a book of Sphinx; return the command that builds it, and where its pages are."""
    (book / "conf.py").write_text(_CONF, encoding="utf-8")
    contents = load_book(config)
    for section in contents.sections.values():
        entries = _entries(contents, section.id)
        if entries:
            _add_contents(book / f"{section.id}.ipynb", entries)
    # MyST-NB writes notebooks beside the pages, which must not be taken for sources.
    site = book.parent / "site"
    return [peers.program("sphinx", "sphinx-build"), "-q", "-j", "2", "-b", "html", str(book), str(site / "html")], site


def jupyter_book(book: Path, config: Config) -> tuple[Sequence[str], Path]:
    """Make a folder of notebooks a book of Jupyter Book; return the command that builds it, and where its pages are."""
    contents = load_book(config)
    (book / "_config.yml").write_text(_CONFIG, encoding="utf-8")
    lines = ["format: jb-book", f"root: {contents.root}", "chapters:"]
    for entry in _entries(contents, contents.root):
        lines += _listed(contents, entry, "")
    (book / "_toc.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [peers.program("jupyter-book", "jupyter-book"), "build", "--quiet", str(book)], book / "_build"


def _entries(book: Book, section: str) -> list[str]:
    """Return the sections that the contents of a section name."""
    found = [entry.section for contents in book.sections[section].contents for entry in contents.entries]
    return [section for section in found if section]


def _listed(book: Book, section: str, indent: str) -> list[str]:
    lines = [f"{indent}- file: {section}"]
    entries = _entries(book, section)
    if entries:
        lines.append(f"{indent}  sections:")
        for entry in entries:
            lines += _listed(book, entry, f"{indent}  ")
    return lines


def _add_contents(path: Path, entries: Sequence[str]) -> None:
    notebook = json.loads(path.read_text("utf-8"))
    text = "\n".join(["```{toctree}", "", *(f"/{entry}" for entry in entries), "```"])
    notebook["cells"].append({"cell_type": "markdown", "id": "contents", "metadata": {}, "source": [text]})
    path.write_text(json.dumps(notebook), encoding="utf-8")
