"""Importing library modules where their notebooks run; here that is the Python of the tests."""

import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from d2lbuild.config.types import Framework, Text
from d2lbuild.edition.library import Library, extract
from d2lbuild.execution.environments.environments import Environment
from d2lbuild.execution.environments.library_import import import_library
from d2lbuild.model import Cell, CellKind, Finding, Notebook, Section, Severity, Span

PATH = PurePosixPath("one.md")
HERE = Environment("pytorch", Path(sys.executable), "digest", {}, "3.11")


def library(code: str, *, header: str = "") -> Library:
    """Return the library of a chapter whose only cell begins in line 11."""
    cell = Cell("c", CellKind.CODE, code, Span(PATH, 10, 90), tuple(range(11, 12 + code.count("\n"))))
    text = Text(header, Span(PurePosixPath("header.py"), 1, 1)) if header else None
    framework = Framework("pytorch", "PyTorch", "torch", header=text)
    return extract([Notebook(Section("one", PATH, (), "One"), "pytorch", (cell,))], framework)


def test_a_module_that_can_be_imported(tmp_path: Path) -> None:
    code = "class A:  #@save\n    pass\n\nd2l.B = d2l.A  #@save\n"
    assert import_library(library(code), HERE, tmp_path) is None


def test_the_finding_leads_to_the_chapter(tmp_path: Path) -> None:
    code = "def f(x):  #@save\n    return 1 / x\n\nY = f(0)  #@save"
    finding = import_library(library(code), HERE, tmp_path)
    assert finding == Finding(
        "library-import",
        "importing d2l.torch fails in the environment of pytorch: ZeroDivisionError: division by zero",
        Span(PATH, 12, 12),
    )


def test_a_package_that_the_environment_lacks_is_only_a_warning(tmp_path: Path) -> None:
    for one in (library("#@save\nimport nowhere_at.all"), library("", header="\nimport nowhere_at.all")):
        finding = import_library(one, HERE, tmp_path)
        assert finding
        assert finding.severity is Severity.WARNING
        assert "'nowhere_at'" in finding.hint
        assert str(finding.span) in ("one.md:12", "header.py:2")


def test_what_is_missing_in_the_library_itself_is_an_error(tmp_path: Path) -> None:
    finding = import_library(library("", header="import d2l.other"), HERE, tmp_path)
    assert finding
    assert finding.severity is Severity.ERROR


def test_the_variables_of_the_framework_hold(tmp_path: Path) -> None:
    code = "#@save\nimport os\n\nassert int(os.environ['D2LBUILD_TEST']) == 1  #@save"
    good = library(code)
    assert import_library(good, HERE, tmp_path)
    framework = replace(good.framework, variables={"D2LBUILD_TEST": "{threads}"})
    assert import_library(replace(good, framework=framework), HERE, tmp_path) is None


def test_what_is_printed_disturbs_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert import_library(library("print('hello')  #@save"), HERE, tmp_path) is None
    assert capfd.readouterr() == ("", "")


def test_an_import_is_tried_once(tmp_path: Path) -> None:
    count = tmp_path / "count"
    code = f"with open({str(count)!r}, 'a') as f:  #@save\n    f.write('x')\n"
    for _ in range(2):
        assert import_library(library(code), HERE, tmp_path) is None
    assert count.read_text() == "x"
    import_library(library(code), replace(HERE, digest="another"), tmp_path)
    assert count.read_text() == "xx"


def test_a_failure_is_remembered(tmp_path: Path) -> None:
    one = library("assert False, 'no'  #@save")
    first = import_library(one, HERE, tmp_path)
    gone = replace(HERE, python=tmp_path / "gone")
    assert first is not None
    assert import_library(one, gone, tmp_path) == first


def test_what_may_be_chance_is_not_remembered(tmp_path: Path) -> None:
    slow = library("#@save\nimport time\n\ntime.sleep(60)  #@save")
    finding = import_library(slow, HERE, tmp_path, timeout=0.3)
    assert finding
    assert "it has not ended after 0.3 s" in finding.message
    dead = import_library(library("#@save\nimport os\n\nos._exit(7)  #@save"), HERE, tmp_path)
    assert dead
    assert "the process ended with 7" in dead.message
    nothing = import_library(slow, replace(HERE, python=tmp_path / "gone"), tmp_path)
    assert nothing
    assert "does not run" in nothing.message
    assert not (tmp_path / "imports").exists()
