"""The wheel of the library: what is in it, and what it says where something is missing."""

import ast
import base64
import csv
import hashlib
import io
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path

import pytest

from d2lbuild.config import Config, load_config
from d2lbuild.errors import BookError, ConfigError
from d2lbuild.extraction import libraries
from d2lbuild.rendering.wheel import Wheel, make_wheel, with_guard, write_wheel
from tests.books import INDEX, write_book

CONF = """\
[book]
name = "mini"
title = "A “Mini” Book \\\\ \\""
author = "Nobody"
copyright = "2026"
release = "1.0-rc1"
frameworks = ["pytorch", "jax"]
"""
FRAMEWORKS = {
    "pytorch": ("PyTorch", "torch", "no-such-torch"),
    "jax": ("JAX", "jax", "no-such-jax"),
}
REQUIREMENTS = """\
# what it needs
{main}>=2,<3  # the framework
ipykernel>=6
matplotlib-inline
pandas[excel]; python_version < '4'
-r other.txt
"""
ONE = """\
# One
:label:`sec_one`
```{.python .input}
#@tab all
import os  #@save
def double(x):  #@save
    return 2 * x
def me():  #@save
    return d2l.double(d2l.twice)
twice = 4  #@save
```
"""


def book(root: Path, header: str = "import no_such_{}.nn as nn\n", *, conf: str = CONF, one: str = ONE) -> Config:
    write_book(root, {"index.md": INDEX, "one.md": one, "two.md": "# Two\n"}, conf=conf)
    for name, (title, module, main) in FRAMEWORKS.items():
        folder = root / "frameworks" / name
        folder.mkdir(parents=True, exist_ok=True)
        text = f'name = "{name}"\ntitle = "{title}"\nmodule = "{module}"\npackages = ["{main}"]\npython = "3.11"\n'
        (folder / "framework.toml").write_text(text, encoding="utf-8")
        (folder / "requirements.in").write_text(REQUIREMENTS.format(main=main), encoding="utf-8")
        (folder / "header.py").write_text(header.format(module), encoding="utf-8")
    return load_config(root)


def wheel(config: Config) -> Wheel:
    return make_wheel(config, libraries(config, [framework.name for framework in config.frameworks]))


def contents(made: Wheel) -> Mapping[str, bytes]:
    archive = zipfile.ZipFile(io.BytesIO(made.content))
    return {name: archive.read(name) for name in archive.namelist()}


def installed(made: Wheel, folder: Path) -> Path:
    """Install a wheel by pip, offline, and return the folder to import from."""
    folder.mkdir()
    path = folder / made.name
    path.write_bytes(made.content)
    target = folder / "site"
    options = ["--no-index", "--no-deps", "--no-compile", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return target


def python(code: str, site: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env={"PYTHONPATH": str(site)}, capture_output=True, text=True, check=False)


def test_the_files_and_their_record(tmp_path: Path) -> None:
    made = wheel(book(tmp_path))
    assert made.name == "d2l-1.0rc1-py3-none-any.whl"
    files = contents(made)
    assert list(files) == [
        "d2l-1.0rc1.dist-info/METADATA",
        "d2l-1.0rc1.dist-info/WHEEL",
        "d2l/__init__.py",
        "d2l/jax.py",
        "d2l/torch.py",
        "d2l-1.0rc1.dist-info/RECORD",
    ]
    record = files["d2l-1.0rc1.dist-info/RECORD"].decode()
    rows = {name: (digest, size) for name, digest, size in csv.reader(record.splitlines())}
    assert rows.keys() == files.keys()
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        expected = ("", "") if name.endswith("RECORD") else (f"sha256={digest}", str(len(content)))
        assert rows[name] == expected


def test_the_same_book_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = book(tmp_path / "1"), book(tmp_path / "2")
    assert wheel(first) == wheel(second)
    path, _ = write_wheel(first, libraries(first, ["pytorch", "jax"]), tmp_path / "dist")
    assert path.read_bytes() == wheel(second).content
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    other = book(tmp_path / "3", one=ONE.replace("2 * x", "x + x"))
    assert wheel(other) != wheel(first)


def test_what_pip_reads_about_it(tmp_path: Path) -> None:
    files = contents(wheel(book(tmp_path)))
    told = message_from_bytes(files["d2l-1.0rc1.dist-info/METADATA"])
    assert (told["Name"], told["Version"], told["Author"]) == ("d2l", "1.0rc1", "Nobody")
    assert told["Requires-Python"] == ">=3.11"
    assert told.get_all("Provides-Extra") == ["pytorch", "jax"]
    assert told.get_all("Requires-Dist") == [
        'no-such-torch<3,>=2; extra == "pytorch"',
        'pandas[excel]; (python_version < "4") and extra == "pytorch"',
        'no-such-jax<3,>=2; extra == "jax"',
        'pandas[excel]; (python_version < "4") and extra == "jax"',
    ]
    assert "A “Mini” Book" in files["d2l-1.0rc1.dist-info/METADATA"].decode().splitlines()[3]
    description = ast.get_docstring(ast.parse(files["d2l/__init__.py"]))
    assert description
    assert description.startswith('The code of “A “Mini” Book \\ "”, saved from its chapters.')


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ("import math\n", set()),
        ("from matplotlib_inline import backend_inline\n", {"ipykernel", "matplotlib-inline"}),
        ("from IPython import display\n", {"ipykernel"}),
    ],
)
def test_what_only_notebooks_need_is_left_out(tmp_path: Path, header: str, kept: set[str]) -> None:
    files = contents(wheel(book(tmp_path, header)))
    told = message_from_bytes(files["d2l-1.0rc1.dist-info/METADATA"]).get_all("Requires-Dist") or []
    names = {one.partition(";")[0].partition(">")[0] for one in told}
    assert names & {"ipykernel", "matplotlib-inline"} == kept


def test_an_installed_wheel(tmp_path: Path) -> None:
    site = installed(wheel(book(tmp_path / "book", "import json\n")), tmp_path / "installed")
    code = "import d2l; print(d2l.__version__); from d2l import torch as d2l; print(d2l.me(), hasattr(d2l, '_check'))"
    done = python(code, site)
    assert (done.returncode, done.stdout) == (0, "1.0rc1\n8 False\n"), done.stderr


@pytest.mark.parametrize(("module", "title", "extra"), [("torch", "PyTorch", "pytorch"), ("jax", "JAX", "jax")])
def test_what_is_missing_is_said_in_one_sentence(tmp_path: Path, module: str, title: str, extra: str) -> None:
    site = installed(wheel(book(tmp_path / "book")), tmp_path / "installed")
    done = python(f"from d2l import {module} as d2l", site)
    sentence = f"ImportError: d2l.{module} needs {title}, which is not installed here: pip install d2l[{extra}]"
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == sentence
    assert "During handling" not in done.stderr


def test_the_first_missing_package_is_named(tmp_path: Path) -> None:
    header = "import json\nimport pytest\nimport not_there.inner, no_such_{}\n"
    made = wheel(book(tmp_path / "book", header))
    done = python("import d2l.torch", installed(made, tmp_path / "installed"))
    assert done.stderr.splitlines()[-1] == "ImportError: d2l.torch needs not_there, which is not installed here"
    assert [finding.message for finding in made.findings] == [
        "d2l.torch imports pytest, not_there, which d2l[pytorch] does not install",
        "d2l.jax imports pytest, not_there, which d2l[jax] does not install",
    ]


def test_optional_imports_are_not_asked_for(tmp_path: Path) -> None:
    header = "try:\n    import not_there\nexcept ImportError:\n    not_there = None\n"
    config = book(tmp_path, header)
    library = libraries(config, ["pytorch"])["pytorch"]
    assert with_guard(library) == library.source
    assert wheel(config).findings == ()


def test_the_guard_stands_below_what_must_be_first(tmp_path: Path) -> None:
    header = '"""Words."""\nfrom __future__ import annotations\nimport no_such_torch\n'
    source = with_guard(libraries(book(tmp_path, header), ["pytorch"])["pytorch"])
    module = ast.parse(source)
    assert ast.get_docstring(module) == "Words."
    compile(source, "torch.py", "exec")
    assert [type(node).__name__ for node in module.body[:5]] == ["Expr", "ImportFrom", "FunctionDef", "Expr", "Delete"]


def test_a_module_that_is_not_python(tmp_path: Path) -> None:
    config = book(tmp_path, one=ONE.replace("return 2 * x", "return 2 * x\nreturn 1  #@save"))
    with pytest.raises(BookError, match=r"d2l\.torch is not Python"):
        wheel(config)


@pytest.mark.parametrize("release", ["", "second edition"])
def test_a_release_that_is_no_version(tmp_path: Path, release: str) -> None:
    config = replace(book(tmp_path), release=release)
    with pytest.raises(ConfigError) as error:
        wheel(config)
    assert "release" in error.value.message
    assert "book.toml" in error.value.hint
