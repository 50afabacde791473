"""The hook in processes of its own: a hook cannot be taken out again."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from d2lbuild.execution.kernels import watch_hook

PREAMBLE = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("hook", sys.argv[1])
hook = importlib.util.module_from_spec(spec)
spec.loader.exec_module(hook)
hook.install(sys.argv[2])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A book with a few files, next to other folders."""
    for name in ("book/img/a.txt", "skipped/b.txt", "elsewhere/c.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("text")
    first = {"book": [str(tmp_path / "book")], "skipped": [str(tmp_path / "skipped")], "started": 0}
    (tmp_path / "log").write_text(json.dumps(first) + "\n")
    return tmp_path


def command(folder: Path, code: str) -> list[str]:
    return [sys.executable, "-c", PREAMBLE + code, watch_hook.__file__, str(folder / "log")]


def noted(folder: Path, code: str) -> list[str]:
    """Run code in the book and return what was noted, with paths below the folder."""
    subprocess.run(command(folder, code), cwd=folder / "book", check=True)
    lines = [json.loads(line) for line in (folder / "log").read_text().splitlines()[1:]]
    return [f"{kind} {Path(path).relative_to(folder).as_posix()}" for kind, path in lines]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("open('img/a.txt').read()", ["read book/img/a.txt"]),
        ("open('../elsewhere/c.txt')", ["read elsewhere/c.txt"]),
        ("open('../skipped/b.txt')", []),
        ("open(hook.os.path.abspath('../skipped/b.txt'))", []),
        ("open(hook.os.path.abspath('../skipped') + '/../elsewhere/c.txt')", ["read elsewhere/c.txt"]),
        ("open(b'img/a.txt')", ["read book/img/a.txt"]),
        ("import pathlib; pathlib.Path('img/a.txt').read_bytes()", ["read book/img/a.txt"]),
        ("import os; os.close(os.open('img/a.txt', os.O_RDONLY))", ["read book/img/a.txt"]),
        ("open('img/a.txt').read(); open('img/a.txt').read()", ["read book/img/a.txt"]),
        ("import os; os.chdir('img'); open('a.txt')", ["read book/img/a.txt"]),
        ("import os; open(os.open('img/a.txt', os.O_RDONLY)).read()", ["read book/img/a.txt"]),
        ("open('img/ü\\n.txt', 'w')", ["write book/img/ü\n.txt"]),
        ("open('img/a.txt', 'a')", ["read book/img/a.txt", "write book/img/a.txt"]),
        ("open('img/a.txt', 'r+')", ["read book/img/a.txt", "write book/img/a.txt"]),
        ("open('../skipped/new', 'x')", ["write skipped/new"]),
        ("import os; os.listdir('img')", ["list book/img"]),
        ("import os; os.listdir()", ["list book"]),
        ("import pathlib; list(pathlib.Path('img').glob('*.txt'))", ["list book/img"]),
        ("import os; list(os.walk('../skipped'))", []),
        ("import os; os.makedirs('new/folder')", ["write book/new", "write book/new/folder"]),
        ("import os; os.makedirs('img', exist_ok=True)", []),
        ("import os; os.rename('img/a.txt', 'b.txt')", ["delete book/img/a.txt", "write book/b.txt"]),
        ("import os; os.remove('img/a.txt')", ["delete book/img/a.txt"]),
        ("import os; os.mkdir('new'); os.rmdir('new')", ["write book/new", "delete book/new"]),
        ("import pathlib; pathlib.Path('none').unlink(missing_ok=True)", []),
        ("import os; os.symlink('img', 'link')", ["write book/link"]),
    ],
)
def test_what_is_noted(folder: Path, code: str, expected: list[str]) -> None:
    assert noted(folder, code) == expected


def test_what_is_not_there_was_looked_for(folder: Path) -> None:
    assert noted(folder, "\ntry: open('data.csv')\nexcept FileNotFoundError: pass") == ["read book/data.csv"]


def test_looking_for_modules_is_no_listing(folder: Path) -> None:
    (folder / "book" / "helper.py").write_text("x = 1\n")
    code = """
sys.path.insert(0, "")
sys.dont_write_bytecode = True
import helper, importlib.metadata
try:
    importlib.metadata.version("nothing of the kind")
except importlib.metadata.PackageNotFoundError:
    pass
"""
    kinds = noted(folder, code)
    assert "read book/helper.py" in kinds
    assert [kind for kind in kinds if kind.startswith("list")] == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_forked_children_count(folder: Path) -> None:
    code = """
import os
if not (child := os.fork()):
    os.closerange(3, 1000)
    open("img/a.txt")
    os._exit(0)
os.waitpid(child, 0)
"""
    assert noted(folder, code) == ["read book/img/a.txt"]


def test_threads_note_each_line_whole(folder: Path) -> None:
    code = """
import threading
def work(name):
    for number in range(200):
        try: open(f"{name}-{number}")
        except FileNotFoundError: pass
threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
[one.start() for one in threads]
[one.join() for one in threads]
"""
    assert sorted(noted(folder, code)) == sorted(
        f"read book/{name}-{number}" for name in "abcd" for number in range(200)
    )


def test_the_log_lasts_when_the_process_is_killed(folder: Path) -> None:
    code = "import os; open('img/a.txt'); os.kill(os.getpid(), 9)"
    subprocess.run(command(folder, code), cwd=folder / "book", check=False)
    assert '["read", ' in (folder / "log").read_text()


@pytest.mark.parametrize(
    "code",
    [
        "import os; os.remove(sys.argv[2]); open('img/a.txt').read()",
        "sys.audit('open'); sys.audit('open', object(), None, 0); sys.audit('os.listdir', object())",
        "import os, shutil; shutil.rmtree(os.getcwd()); os.path.exists('x')",
        "import os; os.rmdir(b'none') if os.path.exists(b'none') else None; open('\\udcff.txt', 'w').close()",
    ],
)
def test_watching_disturbs_nothing(folder: Path, code: str) -> None:
    done = subprocess.run(command(folder, code), cwd=folder / "book", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_flood_of_files_ends_the_log(folder: Path) -> None:
    code = """
hook._MAX_LINES = 10
for number in range(100):
    try: open(f"{number}.txt")
    except FileNotFoundError: pass
"""
    subprocess.run(command(folder, code), cwd=folder / "book", check=True)
    lines = [json.loads(line) for line in (folder / "log").read_text().splitlines()[1:]]
    assert len(lines) == 11
    assert lines[-1] == ["full", ""]
