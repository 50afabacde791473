"""What somebody has who installs the wheel alone: `d2lbuild new`, then a build of that book, without our sources."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.frameworks, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the program, installed from the wheel in an environment that has nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    # What lies here beside the sources, such as builds, is no part of a wheel.
    source = folder / "source"
    for name in ("d2lbuild", "frameworks", "pyproject.toml", "README.md", "LICENSE"):
        there, copied = ROOT / name, source / name
        copied.parent.mkdir(exist_ok=True)
        if there.is_dir():
            shutil.copytree(there, copied, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(there, copied)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(source)], check=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    subprocess.run([*pip, "--python", str(python), "install", str(wheel)], check=True)
    shutil.rmtree(source)
    return python.with_name("d2lbuild")


def test_a_new_book_is_built_and_runs(program: Path, tmp_path: Path) -> None:
    unwanted = ("PYTHONPATH", "VIRTUAL_ENV", "D2LBUILD_STOCK_SPHINX")
    environ = {name: value for name, value in os.environ.items() if name not in unwanted}
    environ["D2LBUILD_CACHE"] = str(tmp_path / "cache")

    def run(*arguments: str, where: Path = tmp_path) -> str:
        done = subprocess.run(
            [str(program), *arguments], cwd=where, env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    book = Path(run("new", "a-book", "--title", "A Book").strip())
    first = Path(run("build", where=book).strip())
    assert "A Book" in first.read_text("utf-8")
    page = (first.parent / "least-squares" / "best-guess.html").read_text("utf-8")
    assert "best guess: 13.5 minutes, error: 5.25" in page
    assert run("check", where=book) == ""
    assert [line.split()[0] for line in run("status", where=book).splitlines()[1:]] == ["fresh", "fresh"]
