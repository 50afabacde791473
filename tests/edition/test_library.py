"""The generated library module."""

import ast
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2lbuild.config import Text, load_config
from d2lbuild.edition.library import Library, extract, used_names
from d2lbuild.edition.select import has_page, select
from d2lbuild.model import Notebook, Span
from d2lbuild.source.book import load_book
from tests.books import rules, write_book

NOWHERE = Span(PurePosixPath("header.py"), 1, 1)
FRAMEWORK = """\
name = "NAME"
title = "NAME"
module = "MODULE"
prefix = "np"

[aliases.simple]
concat = "concatenate"
Base = "object.Base"

[aliases.fluent]
numpy = "detach().numpy"
"""


def cell(code: str, mark: str = "#@tab all") -> str:
    return f"```{{.python .input}}\n{mark}\n{code}\n```\n"


def notebooks(root: Path, one: str, two: str = "# Two\n", framework: str = "pytorch") -> list[Notebook]:
    index = "# Book\n\n```toc\none\ntwo\n```\n"
    write_book(root, {"index.md": index, "one.md": one, "two.md": two})
    for name, module in (("pytorch", "torch"), ("jax", "jax")):
        folder = root / "frameworks" / name
        folder.mkdir(parents=True, exist_ok=True)
        text = FRAMEWORK.replace("NAME", name).replace("MODULE", module)
        (folder / "framework.toml").write_text(text, encoding="utf-8")
    config = load_config(root)
    sections = load_book(config).sections.values()
    return [select(one, framework, ["pytorch", "jax"]) for one in sections if has_page(one, framework)]


def library(root: Path, one: str, two: str = "# Two\n", framework: str = "pytorch") -> Library:
    found = notebooks(root, one, two, framework)
    return extract(found, load_config(root).framework(framework), title="A Mini Book")


def test_a_module_with_everything(tmp_path: Path) -> None:
    imports = cell("#@save\nimport os\nfrom a.b import c as d\nimport numpy as np")
    stub = cell('class A(d2l.Base):  #@save\n    """Is A."""\n    def f(self):\n        raise NotImplementedError')
    one = "# One\n:label:`sec_one`\n" + imports + stub
    two = "# Two\n:label:`sec_two`\n" + cell("@d2l.add_to_class(d2l.A)  #@save\ndef f(self):\n    return np.ones(1)")
    assert library(tmp_path, one, two).source == (
        "################ WARNING ################\n"
        "# The part below is generated automatically by d2lbuild from the chapters of “A Mini Book”.\n"
        "# Edit those, not this file.\n\n\n"
        "import os\nimport sys\n\nimport numpy as np\nfrom a.b import c as d\n\n\n"
        "d2l = sys.modules[__name__]\n\n\n"
        "# Aliases that the definitions below need\nBase = object.Base\n\n\n"
        "# chapters/one.md:12\nclass A(d2l.Base):\n"
        '    """Is A.\n\n    Defined in :numref:`sec_one`"""\n\n'
        '    def f(self):\n        """Defined in :numref:`sec_two`"""\n        return np.ones(1)\n\n\n'
        "# Aliases\nconcat = np.concatenate\nnumpy = lambda x, *args, **kwargs: x.detach().numpy(*args, **kwargs)\n"
    )


def test_a_later_definition_replaces_an_earlier_one(tmp_path: Path) -> None:
    one = "# One\n" + cell("def f():  #@save\n    return 1") + cell("def g():  #@save\n    return 2")
    two = "# Two\n" + cell("def f():  #@save\n    return 3")
    source = library(tmp_path, one, two).source
    assert "return 1" not in source
    assert source.index("return 2") < source.index("return 3")


def test_each_framework_gets_its_own(tmp_path: Path) -> None:
    branches = "    if tab.selected('jax'):\n        return 'jax'\n    if tab.selected('pytorch'):\n        no"
    torch = cell("def f():  #@save\n    return 'torch'", "#@tab pytorch")
    one = "# One\n" + torch + cell(f"def f():  #@save\n{branches}", "#@tab jax")
    assert "return 'torch'" in library(tmp_path, one).source
    source = library(tmp_path, one, framework="jax").source
    assert "return 'jax'" in source
    assert "tab." not in source


def test_a_method_for_a_class_that_is_not_saved(tmp_path: Path) -> None:
    one = "# One\n" + cell("@d2l.add_to_class(d2l.A)  #@save\ndef f(self):\n    return 1")
    found = library(tmp_path, one)
    assert rules(found.findings) == [("unsaved-class", 4)]
    assert "f(self)" not in found.source


def test_a_mark_that_saves_nothing_is_reported(tmp_path: Path) -> None:
    assert rules(library(tmp_path, "# One\n" + cell("for i in x:\n    y = 1  #@save")).findings) == [("idle-save", 5)]


def test_the_header_comes_first_and_its_imports_are_not_repeated(tmp_path: Path) -> None:
    one = "# One\n" + cell("#@save\nimport os\nimport re")
    notebooks(tmp_path, one)
    (tmp_path / "frameworks" / "pytorch" / "header.py").write_text("import os\n\nDATA = {}\n", encoding="utf-8")
    config = load_config(tmp_path)
    sections = load_book(config).sections.values()
    found = extract([select(one, "pytorch", ["pytorch"]) for one in sections], config.framework("pytorch"))
    assert found.source.startswith("import os\n\nDATA = {}\n")
    assert found.source.count("import os") == 1


def test_a_header_in_the_module_itself_survives_extraction(tmp_path: Path) -> None:
    one = "# One\n" + cell("def f():  #@save\n    return DATA")
    (tmp_path / "index.md").write_text("# Book\n\n```toc\none\n```\n", encoding="utf-8")
    (tmp_path / "one.md").write_text(one, encoding="utf-8")
    ini = (
        "[project]\nname = old\n[build]\ntabs = pytorch\n[library-pytorch]\nlib_file = d2l/torch.py\nlib_name = torch\n"
    )
    (tmp_path / "config.ini").write_text(ini, encoding="utf-8")
    module = tmp_path / "d2l" / "torch.py"
    module.parent.mkdir()
    module.write_text(
        "DATA = {}\n\n#####  WARNING  #####\n# The part below is generated automatically\nold\n", encoding="utf-8"
    )
    for _ in range(2):
        config = load_config(tmp_path)
        sections = load_book(config).sections.values()
        found = extract([select(one, "pytorch", ["pytorch"]) for one in sections], config.framework("pytorch"))
        assert found.source.startswith("DATA = {}\n")
        assert found.source.count("DATA = {}") == 1
        module.write_text(found.source, encoding="utf-8")


def test_a_closure_holds_what_is_reached(tmp_path: Path) -> None:
    code = """\
def a():  #@save
    return d2l.b(np)

def b(x):  #@save
    return TABLE

TABLE = {}  #@save

def c():  #@save
    return 1
"""
    one = "# One\n" + cell("#@save\nimport numpy as np\nimport re") + cell(code)
    found = library(tmp_path, one)
    assert found.closure(frozenset({"a"})) == ("TABLE", "a", "b", "np")
    assert found.closure(frozenset({"c", "unknown"})) == ("c",)
    assert set(found.closure(None)) == {"TABLE", "a", "b", "c", "np", "re", "concat", "numpy", "Base"}


def test_digests_change_with_what_is_reached_alone(tmp_path: Path) -> None:
    code = (
        "def a():  #@save\n    return d2l.b()\n\n\ndef b():  #@save\n    return 1\n\n\ndef c():  #@save\n    return 1"
    )
    before = library(tmp_path / "1", "# One\n" + cell(code))
    after = library(
        tmp_path / "2",
        "# One\n\nMore prose.\n\n" + cell(code.replace("b():  #@save\n    return 1", "b():  #@save\n    return 2")),
    )
    assert before.digests(frozenset({"a"})) != after.digests(frozenset({"a"}))
    assert before.digests(frozenset({"c"})) == after.digests(frozenset({"c"}))
    assert before.digests(frozenset()) == {}


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("x = 1", set()),
        ("from d2l import torch as d2l", {""}),
        ("from d2l import torch as d2l\nd2l.plot(d2l.Trainer().fit)", {"", "plot", "Trainer"}),
        ("from d2l.torch import plot as p", {"", "plot"}),
        ("import d2l.torch\nd2l.torch.plot()", {"", "plot", "torch"}),
        ("from d2l.torch import *", None),
        ("from d2l import torch as d2l\nf(d2l)", None),
        ("%%bash\necho d2l.x", set()),
        ("x = (", None),
    ],
)
def test_the_names_that_a_notebook_uses(tmp_path: Path, code: str, names: set[str] | None) -> None:
    (notebook,) = [one for one in notebooks(tmp_path, "# One\n" + cell(code)) if one.section.id == "one"]
    assert used_names(notebook, "d2l", "torch") == names


NAMES = st.sampled_from(["f", "g", "A", "TABLE"])


@st.composite
def saved_cells(draw: st.DrawFn) -> str:
    name = draw(NAMES)
    value = draw(st.integers(0, 3))
    if name == "A":
        return cell(f"class A:  #@save\n    def m{value}(self):\n        return {value}")
    if name == "TABLE":
        return cell(f"TABLE = {value}  #@save")
    return cell(f"def {name}():  #@save\n    return {value}")


@given(st.lists(saved_cells(), max_size=6))
def test_the_module_is_deterministic_and_the_last_definition_wins(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str]
) -> None:
    root = tmp_path_factory.mktemp("book")
    text = "# One\n" + "".join(cells)
    source = library(root, text).source
    assert source == library(root, text).source
    names = [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert len(names) == len(set(names))
    scope: dict[str, object] = {"__name__": "sys", "np": __import__("types").SimpleNamespace(concatenate=None)}
    exec(source.replace("Base = object.Base", ""), scope)
    for made in cells:
        if "def f()" in made:
            expected = int(made.split("return ")[1].split("\n")[0])
    if any("def f()" in made for made in cells):
        assert scope["f"]() == expected  # type: ignore[operator]


def _statements(root: Path, *codes: str) -> list[str]:
    """Return what the module says after it has named itself."""
    source = library(root, "# One\n" + "".join(cell(code) for code in codes)).source
    return [line for line in source.split("d2l = sys.modules[__name__]\n")[1].split("\n") if line and line[0] != "#"]


@pytest.mark.parametrize(
    "code",
    [
        "X: int = 1",
        "X, (Y, *Z) = f()",
        "d2l.TABLE['key'] = 1",
        "d2l.STATE.deep.x = 1",
        "d2l.STATE += 1",
        "f().x = 1",
        "d2l.f(1)",
    ],
)
def test_assignments_are_saved_as_they_stand(tmp_path: Path, code: str) -> None:
    assert f"{code}" in _statements(tmp_path, f"#@save\n{code}")


def test_entries_of_a_table_are_no_second_definition(tmp_path: Path) -> None:
    """Nor are they lost: each stays, in order."""
    codes = ("#@save\nTABLE = {}", "#@save\nd2l.TABLE['a'] = 1", "#@save\nd2l.TABLE['b'] = 2")
    found = library(tmp_path, "# One\n" + "".join(map(cell, codes)))
    assert found.findings == ()
    assert _statements(tmp_path, *codes)[:3] == ["TABLE = {}", "d2l.TABLE['a'] = 1", "d2l.TABLE['b'] = 2"]


def test_the_package_itself_is_not_saved(tmp_path: Path) -> None:
    code = "#@save\nimport d2l.torch\nfrom d2l import torch as d2l\nd2l = sys.modules[__name__]\nX = 1"
    source = library(tmp_path, "# One\n" + cell(code)).source
    assert "import d2l" not in source
    assert source.count("sys.modules") == 1
    assert "\nX = 1\n" in source


def test_many_names_of_one_module_take_a_line_each(tmp_path: Path) -> None:
    names = [f"a_rather_long_name_{n}" for n in range(5)]
    source = library(tmp_path, "# One\n" + cell(f"#@save\nfrom package import {', '.join(names)}")).source
    assert "from package import (\n" + "".join(f"    {name},\n" for name in names) + ")\n" in source


def test_a_method_that_a_later_cell_replaces_leaves_no_gap(tmp_path: Path) -> None:
    owner = "class A:  #@save\n    x = 1\n\n    def f(self):\n        return 1\n\n    def g(self):\n        return 2"
    method = "@d2l.add_to_class(A)  #@save\ndef g(self):\n    return 3"
    source = library(tmp_path, "# One\n" + cell(owner) + cell(method)).source
    assert "        return 1\n\n    def g(self):\n        return 3\n" in source
    assert "return 2" not in source


def test_a_header_that_imports_all_leaves_no_block_of_imports(tmp_path: Path) -> None:
    found = notebooks(tmp_path, "# One\n")
    framework = replace(load_config(tmp_path).framework("pytorch"), header=Text("import sys\n", NOWHERE))
    assert "import sys\n\n\n################ WARNING" in extract(found, framework).source
