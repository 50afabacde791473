"""Which notebooks run again after a change, with d2lbuild, jupyter-cache and d2lbook: a small book, and real runs.

The book has three sections with code, in two frameworks, of which one is built. Before each change everything is as
after a first build, with the times that files had then.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench import peers
from bench.bars import EITHER, MUST, UNSEEN
from bench.measuring import ENVIRONMENT, OURS, Rows, Setting, ours, run
from bench.works.execution import JUPYTER_CACHE, peer_environment, ran, write_kernel

TITLE = "What runs again after a change"
ABOUT = """\
A book of three notebooks, run once; then one thing changes, and what runs again is counted, by the starts of kernels.
A figure with ✗ is wrong: too few shows readers outputs that their code would not give, too many costs time.
jupyter-cache is asked about notebooks that d2lbuild writes again after each change, with the library that d2lbuild
writes; d2lbook about the book itself, as `d2lbook build lib` and `build eval`."""

FRAMEWORK, OTHER = "pytorch", "jax"

_CONFIG = """\
[project]
name = changes
title = Changes
author = Nobody
copyright = 2026
release = 1.0

[build]
notebooks = *.md
tabs = pytorch, jax
resources = data/
non-notebooks = index.md

[library]
version_file = d2l/__init__.py

[library-pytorch]
lib_file = d2l/torch.py
lib_name = torch

[library-jax]
lib_file = d2l/jax.py
lib_name = jnp
"""
_DEFINITION = """\
name = "{name}"
title = "{name}"
module = "{module}"
prefix = "{module}"
packages = ["packaging"]
interpreter = "{python}"
preload = []
"""
_HEADER = "################# WARNING ################\n# The code below is generated.\n"
_INDEX = "# Changes\n:label:`chap_changes`\n\n```toc\n:numbered:\n\none\ntwo\nthree\n```\n"
_IMPORT = """\
```{.python .input}
#@tab pytorch
from d2l import torch as d2l
```

```{.python .input}
#@tab jax
from d2l import jax as d2l
```
"""
_ONE = f"""\
# One
:label:`sec_one`

Words of one.

{_IMPORT}
```{{.python .input}}
#@tab all
def double(x): #@save
    return 2 * x
```

```{{.python .input}}
#@tab all
def unused(x): #@save
    return 3 * x
```

```{{.python .input}}
#@tab all
print(double(1))
```
"""
_TWO = f"""\
# Two
:label:`sec_two`

Words of two.

{_IMPORT}
```{{.python .input}}
#@tab all
from pathlib import Path
print(d2l.double(2), Path("data/read.txt").read_text(), Path("data/asked.txt").exists())
try:
    print(open("data/wanted.txt").read())
except OSError:
    print("nothing")
```
"""
_THREE = """\
# Three
:label:`sec_three`

Words of three.

```{.python .input}
#@tab pytorch
# a comment
print(3)
```

```{.python .input}
#@tab jax
print(4)
```
"""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happens to the book, and how many of its notebooks must run again."""

    what: str
    must: float
    make: Callable[[Path], None]


def _in(name: str, old: str, new: str) -> Callable[[Path], None]:
    def make(book: Path) -> None:
        path = book / name
        text = path.read_text("utf-8")
        if old not in text:
            raise ValueError(f"{old!r} is not in {name}")
        path.write_text(text.replace(old, new), "utf-8")

    return make


def _nothing(_: Path) -> None:
    pass


def _touch(book: Path) -> None:
    (book / "two.md").touch()


def _clone(book: Path) -> None:
    for path in book.rglob("*"):
        if "_build" not in path.parts and path.is_file():
            path.touch()


def _move(book: Path) -> None:
    (book / "three.md").rename(book / "four.md")
    _in("index.md", "three", "four")(book)


def _add(book: Path) -> None:
    (book / "new.md").write_text(_THREE.replace("hree", "wenty").replace("print(3)", "print(20)"), "utf-8")
    _in("index.md", "three", "three\nnew")(book)


def _appear(name: str) -> Callable[[Path], None]:
    def make(book: Path) -> None:
        (book / "data" / name).write_text("here", "utf-8")

    return make


CHANGES = (
    Change("nothing", 0, _nothing),
    Change("prose", 0, _in("two.md", "Words of two.", "Other words of two.")),
    Change("a file is saved without a change", 0, _touch),
    Change("a fresh clone: all files are newer", 0, _clone),
    Change("a label and the references to it", 0, _in("two.md", "sec_two", "sec_second")),
    Change("a section is renamed", 0, _move),
    Change("a cell of another framework", 0, _in("three.md", "print(4)", "print(44)")),
    Change("a cell", 1, _in("three.md", "print(3)", "print(33)")),
    Change("a comment in a cell", EITHER, _in("three.md", "# a comment", "# another comment")),
    Change("a new section", 1, _add),
    Change("a saved function that another notebook uses", 2, _in("one.md", "return 2 * x", "return x + x")),
    Change("a saved function that no other notebook uses", 1, _in("one.md", "return 3 * x", "return x + x + x")),
    Change("a file that a notebook reads", 1, _in("data/read.txt", "old", "new")),
    Change("a file that no notebook reads", 0, _in("data/ignored.txt", "old", "new")),
    Change("a file appears that a notebook tried to open", 1, _appear("wanted.txt")),
    Change(UNSEEN, 1, _appear("asked.txt")),
)
VERSION = "the version of an installed package"


def measure(setting: Setting) -> Rows:
    """Make each change in turn."""
    rows = Rows()
    kernel = setting.folder / "kernel"
    peers.make(kernel, "install", "ipykernel", "packaging==24.0")
    builders = _builders(setting, kernel)
    for builder in builders:
        _write_book(builder.book, kernel / "bin" / "python")
        first = builder.build()
        if first != 3:
            raise SystemExit(f"{builder.who} ran {first} notebooks of three")
        shutil.copytree(builder.folder, builder.kept, symlinks=True)
    for change in CHANGES:
        rows.note(change.what, MUST, change.must, "runs")
        for builder in builders:
            builder.restore()
            change.make(builder.book)
            rows.note(change.what, builder.who, builder.build(), "runs")
    peers.make(kernel, "install", "packaging==24.1")
    rows.note(VERSION, MUST, 3, "runs")
    for builder in builders:
        builder.restore()
        rows.note(VERSION, builder.who, builder.build(), "runs")
    return rows


def _builders(setting: Setting, kernel: Path) -> "list[_Ours]":
    found = [_Ours(setting, kernel)]
    if setting.peers:
        found.append(_JupyterCache(setting, kernel))
        if shutil.which("pandoc"):
            found.append(_D2lbook(setting, kernel))
    return found


def _write_book(book: Path, python: Path) -> None:
    files = {"config.ini": _CONFIG, "index.md": _INDEX, "one.md": _ONE, "two.md": _TWO, "three.md": _THREE}
    files |= {"data/read.txt": "old", "data/ignored.txt": "old", "d2l/__init__.py": '__version__ = "1.0"\n'}
    for name, module in ((FRAMEWORK, "torch"), (OTHER, "jax")):
        files[f"d2l/{module}.py"] = _HEADER
        definition = _DEFINITION.format(name=name, module=module, python=python)
        files[f"frameworks/{name}/framework.toml"] = definition
    for name, text in files.items():
        (book / name).parent.mkdir(parents=True, exist_ok=True)
        (book / name).write_text(text, "utf-8")


class _Ours:
    """d2lbuild, which counts by itself."""

    who = OURS

    def __init__(self, setting: Setting, kernel: Path) -> None:
        self.folder = setting.folder / "changing" / self.who
        """All that a build reads and leaves."""
        self.kept = setting.folder / "kept" / self.who
        """The same after the first build."""
        self.book = self.folder / "book"
        self.starts = setting.folder / f"{self.who}.txt"
        self.python = kernel / "bin" / "python"
        self.jupyter = setting.folder / f"jupyter-{self.who}"

    def restore(self) -> None:
        """Let everything be as it was after the first build."""
        shutil.rmtree(self.folder)
        shutil.copytree(self.kept, self.folder, symlinks=True)

    def build(self) -> int:
        """Build the book, and return how many notebooks ran."""
        report = self.folder / "report.xml"
        self.ours("build", "--framework", FRAMEWORK, "--to", "notebooks", "--report", report)
        return len(ran(report))

    def ours(self, command: str, *arguments: str | Path) -> None:
        """Run d2lbuild."""
        environment = {**ENVIRONMENT, "D2LBUILD_CACHE": str(self.folder / "cache")}
        output = self.folder / "output"
        where = [] if command == "extract-lib" else ["--output", output]
        run(ours(command, "--book", self.book, *where, *arguments), environment=environment)

    def counted(self, command: list[str], where: Path, variables: Mapping[str, str] = ENVIRONMENT) -> int:
        """Run a program, and return how many kernels it starts."""
        self.starts.write_text("", "utf-8")
        start = f'echo >> "{self.starts}"; exec "{self.python}" -m ipykernel_launcher -f "$0"'
        library = self.folder / "library"
        write_kernel(self.jupyter, "python3", ["sh", "-c", start, "{connection_file}"], {"PYTHONPATH": str(library)})
        own = peer_environment(self.jupyter)
        run(command, where=where, environment={**own, "PATH": variables["PATH"]})
        return len(self.starts.read_text("utf-8").splitlines())


class _JupyterCache(_Ours):
    """jupyter-cache, on notebooks that d2lbuild writes."""

    who = "jupyter-cache"

    def build(self) -> int:
        """Build the book, and return how many notebooks ran."""
        self.ours("build", "--framework", FRAMEWORK, "--to", "notebooks", "--no-execute")
        self.ours("extract-lib", "--no-import", "--output", self.folder / "library")
        notebooks = self.folder / "output" / FRAMEWORK / "notebooks" / FRAMEWORK
        shutil.copytree(self.book / "data", notebooks / "data", dirs_exist_ok=True)
        sections = [path.stem for path in sorted(self.book.glob("*.md")) if path.stem != "index"]
        files = [str(notebooks / f"{name}.ipynb") for name in sections]
        python = peers.program("execution", "python")
        cache = str(self.folder / "jupyter-cache")
        return self.counted([python, "-c", JUPYTER_CACHE, cache, *files], notebooks, peer_environment(self.jupyter))


class _D2lbook(_Ours):
    """d2lbook, on the book itself."""

    who = "d2lbook"

    def build(self) -> int:
        """Build the book, and return how many notebooks ran."""
        program = peers.program("d2lbook", "d2lbook")
        variables = {**ENVIRONMENT, "PATH": f"{Path(program).parent}:{ENVIRONMENT['PATH']}"}
        (self.folder / "library").mkdir(exist_ok=True)
        run([program, "build", "lib"], where=self.book, environment=variables)
        shutil.copytree(self.book / "d2l", self.folder / "library" / "d2l", dirs_exist_ok=True)
        return self.counted([program, "build", "eval", "--tab", FRAMEWORK], self.book, variables)
