"""The command line, run in this process."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from d2lbuild.cli import main
from tests.books import INDEX, write_book


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run of the command line gave."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run the command line with arguments; its cache is empty and its colours are off."""
    monkeypatch.setenv("D2LBUILD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)

    def go(*arguments: str) -> Ran:
        capfd.readouterr()
        code = main(arguments)
        return Ran(code, *capfd.readouterr())

    return go


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a small book, in which the command line stands."""
    code = "```{.python .input}\n#@tab %s\ndef double(x):  #@save\n    return 2 * x\n```\n"
    one = "# One\n\n" + code % "pytorch" + "\n" + code % "jax"
    root = write_book(tmp_path / "a böok", {"index.md": INDEX, "one.md": one, "two.md": "# Two\n\nText.\n"})
    monkeypatch.chdir(root)
    return root
