"""What is fuzzed: functions of bytes that may do nothing but return, whatever the bytes are.

Errors meant for users are caught where a reader may raise them; anything else that escapes is a defect, and so is a
property that does not hold. `test_corpus.py` runs what is kept in `corpus/`, `tools/fuzz.py` looks for more.
"""

import atexit
import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path, PurePosixPath
from unittest.mock import patch

from d2lbuild.config import Aliases, Config, Framework, load_config
from d2lbuild.editing.importing import import_notebook, read_foreign
from d2lbuild.edition.edition import Edition
from d2lbuild.edition.library import extract
from d2lbuild.edition.select import select
from d2lbuild.errors import BookError, ConfigError, UsageError
from d2lbuild.execution.results.archives import import_cache
from d2lbuild.execution.results.cache import read_inputs
from d2lbuild.execution.results.entries import DamagedEntry, decode, open_entry
from d2lbuild.execution.results.history import read_record, read_text
from d2lbuild.model import Book, Finding, Section
from d2lbuild.rendering.outputs import OutputSettings, displayed
from d2lbuild.rendering.plain_markdown import PlainContext, plain_markdown
from d2lbuild.rendering.sources.myst import TranslationContext, translate
from d2lbuild.source.book import load_book
from d2lbuild.source.markdown import FrameworkNames, parse_section, unparse
from d2lbuild.source.prose import split_lines
from d2lbuild.source.works import read_works, references
from tests.books import write_book
from tests.rendering.outputs.test_hostile import is_harmless

__all__ = ["TARGETS"]

Target = Callable[[bytes], None]

PATH = PurePosixPath("chapters/page.md")
ALIASES = Aliases(
    simple={"matmul": "jnp.matmul"}, fluent={"numpy": "asnumpy"}, args=(("size(a_1, k=b)", "a_1.size(b)"),)
)
FRAMEWORKS = (Framework("pytorch", "PyTorch", "torch", aliases=ALIASES), Framework("jax", "JAX", "jax"))
FRAMEWORK_NAMES = [one.name for one in FRAMEWORKS]
NAMES = FrameworkNames(tuple(FRAMEWORK_NAMES), frozenset({"mxnet"}))


@cache
def _folder() -> Path:
    """Return a folder of this process, which is gone after it."""
    folder = Path(tempfile.mkdtemp(prefix="d2lbuild-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _config() -> Config:
    return load_config(write_book(_folder() / "mini", {"index.md": "# The Book\n"}))


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")


def _check(findings: Iterable[Finding], lines: int) -> None:
    """Each finding can be shown, and stands in the file."""
    for finding in findings:
        assert str(finding)
        assert finding.span is None or 1 <= finding.span.first <= finding.span.last <= max(1, lines), finding


# --- sections ---------------------------------------------------------------------------------------------------------


def _section(text: str) -> Section:
    section = parse_section(text, PATH, NAMES)
    assert unparse(section) == text
    lines = len(split_lines(text))
    at = 1
    for block in section.blocks:
        assert block.span.first == at
        at = block.span.last + 1
    assert at == lines + 1 or not section.blocks
    _check(section.findings, lines)
    return section


def section(data: bytes) -> None:
    """A section is cut into blocks that are its text again, and each framework gets a part of it."""
    text = _text(data)
    found = _section(text)
    lines = len(split_lines(text))
    for name in FRAMEWORK_NAMES:
        notebook = select(found, name, FRAMEWORK_NAMES)
        _check(notebook.findings, lines)
        for cell in notebook.cells:
            assert cell.frameworks is None or name in cell.frameworks
            assert all(1 <= line <= lines + 1 for line in cell.lines), cell


def prose(data: bytes) -> None:
    """Prose becomes MyST and plain Markdown, each line of which knows where it comes from."""
    text = _text(data)
    found = _section(f"# One\n{text}")
    book = Book("one", {"one": found}, {label.name: label for label in found.labels}, frozenset({"known"}))
    last = len(split_lines(text))
    for tabbed in (False, True):
        context = TranslationContext(
            _folder(), book, found, frozenset({"one"}), lambda file: f"/{file.name}", tabbed=tabbed
        )
        made = translate(text, context)
        assert all(0 <= line <= last for line in made.lines)
    plain_markdown(text, PlainContext(_folder(), book, found, frozenset({"one"}), {}, lambda file: file.name))


def library(data: bytes) -> None:
    """Saved code becomes a module, or a finding says why not; expanded code has a line for each of its lines."""
    cells = _text(data).split("\0")
    fence = "`" * (3 + max((cell.count("`") for cell in cells), default=0))
    found = _section("# T\n" + "".join(f"{fence}{{.python .input}}\n{cell}\n{fence}\n" for cell in cells))
    for framework in FRAMEWORKS:
        notebook = select(found, framework.name, FRAMEWORK_NAMES)
        made = extract([notebook], framework)
        edition = Edition(framework, (notebook,), made)
        assert (len(made.places) == made.source.rstrip("\n").count("\n") + 1) or made.fault or not made.blocks
        made.digests(None)
        assert all(str(finding) for finding in edition.findings)
        for expanded in edition.notebooks.values():
            cells_left = [cell for cell in expanded.code if cell.source]  # a branch that is not taken leaves nothing
            assert all(len(cell.lines) == cell.source.count("\n") + 1 for cell in cells_left)


# --- configuration ----------------------------------------------------------------------------------------------------


def _configuration(place: str, data: bytes) -> None:
    root = _folder() / place.replace("/", "-")
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    lines = data.count(b"\n") + data.count(b"\r") + 1
    config = None
    try:
        config = load_config(root)
        findings = config.findings
    except (ConfigError, UsageError) as error:
        findings = error.findings
    _check((one for one in findings if one.span and one.span.path == PurePosixPath(place)), lines)
    if config is None:
        return
    assert config.output.is_relative_to(root)
    files = (*config.bibliography, *config.html.css, *config.html.javascript, config.chapters)
    assert not any(path.is_absolute() or ".." in path.parts for path in files), files
    assert not any(pattern.startswith("/") or ".." in pattern.split("/") for pattern in config.notebooks)


def book_toml(data: bytes) -> None:
    """A `book.toml` is read, or all that is wrong with it is said; nothing in it leads out of the book."""
    _configuration("conf/book.toml", data)


def config_ini(data: bytes) -> None:
    """The same of a `config.ini`, of which no code is run."""
    _configuration("config.ini", data)


def framework_toml(data: bytes) -> None:
    """A framework's definition is read, or what is wrong with it is said."""
    root = _folder() / "frameworks-book"
    write_book(root, {}, conf='[book]\nname = "x"\ntitle = "X"\nauthor = "X"\nframeworks = ["own"]\n')
    (root / "frameworks" / "own").mkdir(parents=True, exist_ok=True)
    (root / "frameworks" / "own" / "framework.toml").write_bytes(data)
    with contextlib.suppress(ConfigError):
        assert load_config(root).frameworks[0].name == "own"


# --- notebooks and outputs --------------------------------------------------------------------------------------------


def notebook(data: bytes) -> None:
    """A notebook is a source like others, or a finding says that it cannot be read."""
    root = write_book(_folder() / "notebooks", {"index.ipynb": data})
    book = load_book(load_config(root))
    _check(book.findings, len(split_lines(_text(data))))


def foreign_notebook(data: bytes) -> None:
    """What is imported becomes a section with the same code, or is refused; the first byte chooses the kind of file."""
    suffix = (".ipynb", ".md", ".py", ".Rmd")[data[0] % 4 if data else 0]
    path = _folder() / f"foreign{suffix}"
    path.write_bytes(data[1:])
    with contextlib.suppress(UsageError, BookError):
        made = import_notebook(read_foreign(path), path, "one", "pytorch", NAMES)
        _section(made.text)
        assert not any("/" in name or name.startswith(".") for name in made.pictures)


def outputs(data: bytes) -> None:
    """Whatever an output holds, what pages show of it does nothing; the first byte chooses what it is said to be."""
    kinds = ("text/html", "text/markdown", "text/latex", "image/svg+xml", "text/plain", "image/png", "application/json")
    choice = data[0] % (len(kinds) + 3) if data else 0
    text = _text(data[1:])
    if choice < len(kinds):
        output = {"output_type": "display_data", "data": {kinds[choice]: text}, "metadata": {}}
    elif choice == len(kinds):
        output = {"output_type": "stream", "name": "stdout", "text": text}
    elif choice == len(kinds) + 1:
        output = {"output_type": "error", "ename": text, "evalue": text, "traceback": [text]}
    else:  # a whole output, as a notebook that was tampered with may hold it
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return
        if not isinstance(found, dict):
            return
        output = found
    shown = displayed([output], "cell", frozenset(), OutputSettings(stderr=True))
    for one in shown.outputs:
        if html := one["data"].get("text/html"):
            assert is_harmless(html), html


# --- other files ------------------------------------------------------------------------------------------------------


_entry_points = cache(entry_points)
"""Pybtex looks for each of its parts in all packages, each time; that takes longer than all else."""


def bibliography(data: bytes) -> None:
    """What BibTeX makes no sense of has a place and no words."""
    (_folder() / "works.bib").write_bytes(data)
    files = [PurePosixPath("works.bib")]
    with patch("pybtex.plugin.entry_points", _entry_points):
        works = read_works(_folder(), files)
        references(_folder(), files)
    lines = max(1, len(split_lines(_text(data))))
    assert all(isinstance(work.summary, str) and 1 <= work.span.first <= lines for work in works.values())


def cache_entry(data: bytes) -> None:
    """A file of the cache is whole, or said to be damaged."""
    path = _folder() / f"{'0' * 64}.json"
    path.write_bytes(data)
    with contextlib.suppress(DamagedEntry):
        decode(path, data)
    with contextlib.suppress(DamagedEntry):
        open_entry(path).load()
    for read in (read_record, read_text):
        with contextlib.suppress(ValueError):
            read(data)
    read_inputs(data, "0" * 64)


def cache_archive(data: bytes) -> None:
    """An archive is taken into a cache, or refused; nothing of it is written elsewhere."""
    top = _folder() / "archives"
    shutil.rmtree(top, ignore_errors=True)
    top.mkdir()
    name = "x.zip" if data.startswith(b"PK") else "x.tar.gz"
    (top / name).write_bytes(data)
    with contextlib.suppress(UsageError):
        import_cache(top / "cache", top / name)
    assert {path.name for path in top.iterdir()} <= {name, "cache"}


TARGETS: dict[str, Target] = {
    one.__name__: one
    for one in (
        *(section, prose, library, book_toml, config_ini, framework_toml, notebook, foreign_notebook, outputs),
        *(bibliography, cache_entry, cache_archive),
    )
}
