"""What somebody has who installs the wheel alone: `d2lbuild new`, then a build of that book, without our sources."""

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.frameworks, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def install(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return what installs the wheel in an environment that has nothing else, with an extra or none."""
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
    shutil.rmtree(source)

    def install(extra: str) -> Path:
        subprocess.run([*pip, "--python", str(python), "install", f"{wheel}{extra}"], check=True)
        return python.with_name("d2lbuild")

    return install


def test_a_new_book_is_built_and_runs(install: Callable[[str], Path], tmp_path: Path) -> None:
    unwanted = ("PYTHONPATH", "VIRTUAL_ENV", "D2LBUILD_STOCK_SPHINX")
    environ = {name: value for name, value in os.environ.items() if name not in unwanted}
    environ["D2LBUILD_CACHE"] = str(tmp_path / "cache")

    program = install("")

    def run(*arguments: str, where: Path = tmp_path, code: int = 0, says: str = "") -> str:
        done = subprocess.run(
            [str(program), *arguments], cwd=where, env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stderr
        assert says in done.stderr
        return done.stdout

    book = Path(run("new", "a-book", "--title", "A Book").strip())
    brings = 'pip install "d2lbuild[html]"'
    notebooks = Path(run("build", where=book, says=brings).strip())
    assert "best guess: 13.5 minutes" in (notebooks / "pytorch" / "least-squares" / "best-guess.ipynb").read_text(
        "utf-8"
    )
    others = "markdown,colab,sagemaker,binder"
    assert len(run("build", "--no-execute", "--to", others, where=book).splitlines()) == 4
    run("extract-lib", where=book)
    for output in ("html", "slides", "pdf", "epub"):
        run("build", "--to", output, where=book, code=3, says=brings)
    run("serve", where=book, code=3, says='pip install "d2lbuild[serve]"')
    run("lsp", where=book, code=3, says='pip install "d2lbuild[lsp]"')

    install("[html]")
    first = Path(run("build", where=book).strip())
    assert "A Book" in first.read_text("utf-8")
    page = (first.parent / "least-squares" / "best-guess.html").read_text("utf-8")
    assert "best guess: 13.5 minutes, error: 5.25" in page
    assert run("check", where=book) == ""
    assert [line.split()[0] for line in run("status", where=book).splitlines()[1:]] == ["fresh", "fresh"]
