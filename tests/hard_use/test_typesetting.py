"""What LaTeX of a book may do while a PDF is made: no program, no file outside, no end of time."""

import shutil
from pathlib import Path

import pytest

from d2lbuild.errors import BookError
from d2lbuild.rendering.pdf import xelatex
from tests.hard_use.conftest import SECRET, Machine

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("xelatex") is None, reason="LaTeX is not installed"),
]


def text_of(pdf: Path) -> str:
    from pypdf import PdfReader  # noqa: PLC0415 - only where there is LaTeX

    return "\n".join(page.extract_text() for page in PdfReader(pdf).pages)


def raw(latex: str) -> str:
    lines = "\n".join(f"   {line}" for line in latex.splitlines())
    return f"# One\n\nBefore.\n\n```eval_rst\n.. raw:: latex\n\n{lines}\n```\n\nAfterwards.\n"


@pytest.mark.parametrize(
    "latex",
    [
        r"\immediate\write18{touch OUTSIDE/made}\input{|cat OUTSIDE/secret.txt}",
        r"\newread\f\openin\f=../../../../outside/secret.txt \read\f to\x \x \input{OUTSIDE/secret.txt}",
        r"\newwrite\f\immediate\openout\f=../../../../outside/made \immediate\write\f{x}\immediate\closeout\f",
    ],
)
def test_nothing_outside_is_read_written_or_run(machine: Machine, latex: str) -> None:
    machine.write({"one.md": raw(latex.replace("OUTSIDE", str(machine.outside)))})
    machine.build("pdf")
    assert SECRET not in text_of(_pdf(machine)).replace("\n", "")
    assert not (machine.outside / "made").exists()
    assert machine.leaks() == []


def _pdf(machine: Machine) -> Path:
    return next((machine.root / "_build").rglob("mini.pdf"))


def test_a_macro_that_never_ends_is_ended(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xelatex, "MOST_SECONDS", 20)
    machine.write({"one.md": "# One\n\n$\\def\\a{\\a}\\a$\n"})
    with pytest.raises(BookError, match="was ended after 20 seconds"):
        machine.build("pdf")


def test_a_macro_that_grows_is_shown_as_it_is_written(machine: Machine) -> None:
    machine.write({"one.md": "# One\n\n$\\def\\a{\\a\\a}\\a$\n\nAfterwards.\n"})
    report = machine.build("pdf")
    assert "Afterwards" in text_of(_pdf(machine))
    assert [one.rule for one in report.findings if one.rule == "latex-error"]
