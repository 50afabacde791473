"""What is made to explode does not: it is read in seconds, refused, or cut."""

import io
import json
import tarfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from d2lbuild.config import load_config
from d2lbuild.editing.importing import read_foreign
from d2lbuild.errors import ConfigError, UsageError
from d2lbuild.execution.results import archives
from d2lbuild.execution.results.archives import import_cache
from d2lbuild.publishing.manifest import read_manifest
from d2lbuild.rendering.outputs import OutputSettings, displayed
from tests.books import write_book
from tests.fuzz.targets import TARGETS
from tests.hard_use.conftest import Machine, places

pytestmark = pytest.mark.integration

LIMIT = 32 * 2**20
SECONDS = 15
"""More than any of these takes on a busy machine, and far less than an explosion."""


@contextmanager
def soon() -> Iterator[None]:
    """Fail if what is done inside takes long."""
    begun = time.process_time()
    yield
    assert time.process_time() - begun < SECONDS


# --- prose and code ---

PROSE = {
    "quotes": ">" * 100_000,
    "quotes with gaps": "> " * 50_000 + "x",
    "lists": "- " * 50_000 + "x",
    "numbers": "1. " * 50_000,
    "deeper lists": "".join(" " * depth + "- a\n" for depth in range(0, 400, 2)),
    "emphasis": "*a **a " * 20_000,
    "stars": "*" * 100_000 + "a",
    "brackets": "[" * 100_000,
    "pairs of brackets": "[" * 20_000 + "]" * 20_000,
    "links": "[a](" * 30_000,
    "images": "![" * 20_000,
    "ticks": "".join("`" * length + " " for length in range(100)),
    "dollars": "$a " * 30_000,
    "comments": "<!--" * 50_000,
    "tags": "<a " * 50_000,
    "slides": "(**" * 30_000,
    "a wide table": "|a" * 10_000 + "\n" + "|-" * 10_000 + "\n",
    "roles": ":label:`" * 20_000,
    "regions": ":begin_tab:`jax`\n" * 5_000,
    "headings": "# a\n" * 2_000,
    "a long line": "a" * 3_000_000,
    "backslashes": "\\" * 100_000,
}


@pytest.mark.parametrize("name", PROSE)
@pytest.mark.parametrize("target", ["section", "prose"])
def test_prose_is_read_in_seconds(target: str, name: str) -> None:
    with soon():
        TARGETS[target](f"# T\n{PROSE[name]}".encode())


CODE = {
    "minus": "x = " + "-" * 100_000 + "1",
    "not": "x = " + "not " * 50_000 + "1",
    "brackets": "x = " + "(" * 100_000,
    "attributes": "x" + ".a" * 50_000,
    "sums": "x = 1" + "+1" * 50_000,
    "aliases": "d2l.numpy(" * 80 + ")" * 80,
    "blocks": "".join(" " * depth + "if x:\n" for depth in range(200)) + " " * 200 + "x",
    "branches": "if tab.selected('jax'):\n  x\n" + "elif tab.selected('pytorch'):\n  x\n" * 3000,
    "saved": "#@save\nx = " + "-" * 700 + "d2l.numpy(x)",
    "lambdas": "x = " + "lambda: " * 3000 + "1",
    "strings": '"""' * 30_000,
    "a long string": "x = '" + "a" * 5_000_000 + "'",
    "a long comment": "#" * 10_000_000,
    "magics": "!a\n" * 20_000,
}


@pytest.mark.parametrize("name", CODE)
def test_code_is_read_in_seconds(name: str) -> None:
    with soon():
        TARGETS["library"](CODE[name].encode())


def test_pages_of_it_are_written_and_formulas_are_left_to_browsers(machine: Machine) -> None:
    formula = (
        r"$\def\a{\a\a}\a$ and $" + "{" * 500 + "x" + "}" * 500 + "$\n\n$$" + r"\frac{1}{" * 300 + "}" * 300 + "$$\n"
    )
    text = f"# One\n\n{formula}\n" + "\n\n".join(PROSE[name][:20_000] for name in ("quotes", "lists", "emphasis"))
    code = f"```{{.python .input}}\n{CODE['minus'][:3000]}\n```\n\n```{{.python .input}}\n{'#' * 1_000_000}\n```\n"
    machine.write({"one.md": text, "two.md": f"# Two\n\n{code}"})
    with soon():
        report = machine.build("html", "notebooks")
    assert ("syntax-error", 4) in places(report, "two.md")
    assert (machine.root / "_build" / "pytorch" / "html" / "one.html").is_file()


# --- configuration ---


@pytest.mark.parametrize(
    "text",
    ["a = " + "[" * 100_000, "a = " + "{a=" * 20_000, "a = " + "[" * 900 + "]" * 900, "a = 1\n" * 300_000],
    ids=["lists", "tables", "deep", "long"],
)
@pytest.mark.parametrize("place", ["conf/book.toml", "frameworks/own/framework.toml"])
def test_toml_that_explodes_is_refused(tmp_path: Path, place: str, text: str) -> None:
    write_book(tmp_path, {}, conf='[book]\nname = "x"\ntitle = "X"\nauthor = "X"\nframeworks = ["own"]\n')
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text(text, "utf-8")
    with soon(), pytest.raises(ConfigError) as error:
        load_config(tmp_path)
    assert error.value.findings


def test_values_that_name_each_other_are_put_together_once(tmp_path: Path) -> None:
    bomb = "".join(f"k{n} = {f'%(k{n + 1})s ' * 8}\n" for n in range(12))
    text = f"[project]\nname = x\ntitle = %(k0)s\n{bomb}k12 = boom\n"
    (tmp_path / "config.ini").write_text(text, "utf-8")
    with soon():
        config = load_config(tmp_path)
    assert len(config.title) < 100_000
    assert any("is too long" in one.message for one in config.findings)


# --- notebooks ---

ALIASES = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefghi", "bcdefghij", strict=True)
)
KERNEL = "jupytext:\n  text_representation:\n    format_name: myst\n"
YAML = {
    "front.md": f"---\n{ALIASES}---\n# T\n",
    "myst.md": f"---\n{KERNEL}---\n# T\n\n```{{code-cell}}\n---\n{ALIASES}---\nx\n```\n",
    "front.Rmd": f"---\n{ALIASES}---\n# T\n",
    "front.py": "# ---\n" + "".join(f"# {line}\n" for line in ALIASES.splitlines()) + "# ---\nx = 1\n",
    "deep.md": f"---\na: {'[' * 50_000}\n---\n# T\n",
    "deep.ipynb": "[" * 100_000,
    "object.md": "---\na: !!python/object/apply:os.system [touch NEVER]\n---\n# T\n",
}


@pytest.mark.parametrize("name", YAML)
def test_yaml_and_json_that_explode_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(YAML[name].replace("NEVER", str(tmp_path / "never")), "utf-8")
    with soon():
        try:
            found = read_foreign(tmp_path / name)
        except UsageError:
            return
    assert not (tmp_path / "never").exists()
    # What Jupytext takes for text stays text.
    assert len(json.dumps(found)) < 10 * len(YAML[name]) + 10_000


def test_a_notebook_as_a_source_that_is_nested_too_deep_is_a_finding(tmp_path: Path) -> None:
    deep = '{"a":' * 5000 + "1" + "}" * 5000
    cell = f'{{"cell_type": "raw", "source": "", "metadata": {deep}}}'
    with soon():
        TARGETS["notebook"](f'{{"cells": [{cell}], "metadata": {{}}, "nbformat": 4, "nbformat_minor": 5}}'.encode())


# --- archives ---


def zip_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("results/x", bytes(LIMIT + 1))


def tar_bomb(path: Path, kind: bytes = tarfile.REGTYPE) -> None:
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("results/x")
        member.type = kind
        member.size = LIMIT + 1
        archive.addfile(member, io.BytesIO(bytes(member.size)))


BOMBS: dict[str, Callable[[Path], None]] = {
    "x.zip": zip_bomb,
    "x.tar.gz": tar_bomb,
    "extended.tar.gz": lambda path: tar_bomb(path, tarfile.XHDTYPE),
    "name.tar.gz": lambda path: tar_bomb(path, tarfile.GNUTYPE_LONGNAME),
}


@pytest.mark.parametrize("name", BOMBS)
def test_an_archive_takes_no_more_memory_than_a_file_may_have(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_BYTES", LIMIT)
    BOMBS[name](tmp_path / name)
    assert (tmp_path / name).stat().st_size < LIMIT / 100
    tracemalloc.start()
    try:
        with soon():
            refused = import_cache(tmp_path / "cache", tmp_path / name).refused
    except UsageError as error:
        refused = [(name, error.message)]
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert refused
    assert most < LIMIT
    assert not (tmp_path / "cache").exists()


def test_a_manifest_that_explodes_names_nothing() -> None:
    assert read_manifest(b'{"files": ' + b"[" * 100_000) == {}


# --- outputs ---

HTML = ["<div>" * 50_000, "<!--" * 50_000, "<![CDATA[" * 30_000, "<ul><li>" * 20_000, "<table><tr><td>" * 20_000]
HTML += ["<b a=b " * 50_000, "&" * 200_000, "<style>" + "a{" * 50_000, '<p style="' + "calc(" * 10_000 + '">x']
SVG = "<svg xmlns='http://www.w3.org/2000/svg'>"
OUTPUTS = [
    *(("text/html", text) for text in HTML),
    *(("text/markdown", text) for text in HTML[:2]),
    ("text/latex", "$$" + "\\frac{" * 20_000 + "$$"),
    ("image/svg+xml", SVG + "<g>" * 20_000 + "</g>" * 20_000 + "</svg>"),
    ("image/svg+xml", f'<!DOCTYPE svg [<!ENTITY a "b"><!ENTITY c "{"&a;" * 9}">]>{SVG}&c;</svg>'),
    ("image/svg+xml", f"<!DOCTYPE svg SYSTEM 'file:///etc/passwd'>{SVG}</svg>"),
    ("text/plain", "\x1b[1m" * 100_000 + "x"),
    ("application/json", {"a": "b" * 1_000_000}),
]


@pytest.mark.parametrize(("kind", "data"), OUTPUTS, ids=range(len(OUTPUTS)))
def test_outputs_are_shown_in_seconds(kind: str, data: object) -> None:
    output = {"output_type": "display_data", "data": {kind: data, "text/plain": "instead"}, "metadata": {}}
    with soon():
        shown = displayed([output], "cell", frozenset(), OutputSettings())
    assert len(shown.outputs) == 1
