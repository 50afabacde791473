"""What the log and the times of access are turned into; the log is that of the real hook in a real process."""

import hashlib
import os
import py_compile
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from d2lbuild.execution.inputs import Accesses, accesses, prepare
from d2lbuild.execution.kernels import watch_hook
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.execution.results.keys import ABSENT, FileDigests
from d2lbuild.execution.scratch import Place, place_for

MakeRequest = Callable[..., ExecutionRequest]

HOOK = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("hook", sys.argv[1])
hook = importlib.util.module_from_spec(spec)
spec.loader.exec_module(hook)
hook.install(sys.argv[2])
import os
from pathlib import Path
outside, kept = Path(sys.argv[3]), Path(sys.argv[4])
"""


class Book:
    """A book with an image and a table, and ways to run code in a copy of it."""

    def __init__(self, folder: Path, make_request: MakeRequest) -> None:
        self.root = folder / "book"
        self.outside = folder / "outside"
        self.kept = folder / "kept"
        for path in (self.root / "img/a.png", self.root / "chapter/b.csv", self.outside / "c.txt", self.kept / "d.txt"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(path.name)
        names = ("img/a.png", "chapter/b.csv")
        self.request = make_request(files={name: self.root / name for name in names}, kept={"data": self.kept})
        self.digest_of = FileDigests(self.root, self.request.files, self.request.kept)

    @contextmanager
    def place(self) -> Iterator[Place]:
        with place_for(self.request) as place:
            prepare(self.request, place)
            yield place

    def watched(self, code: str) -> Accesses:
        """Run code as a notebook of the chapter, with the hook."""
        with self.place() as place:
            self.run(place, code)
            return accesses(self.request, place)

    def run(self, place: Place, code: str) -> None:
        arguments = [watch_hook.__file__, str(place.access_log), str(self.outside), str(self.kept)]
        subprocess.run([sys.executable, "-c", HOOK + code, *arguments], cwd=place.folder, check=True)


@pytest.fixture
def book(tmp_path: Path, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch) -> Book:
    # Files below the folder for temporary ones are no inputs, and the tests' own lie there.
    monkeypatch.setattr("d2lbuild.execution.inputs._SYSTEM", {})
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return Book(tmp_path, make_request)


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("", []),
        ("open('b.csv').read()", ["chapter/b.csv"]),
        ("open('../img/a.png').read()", ["img/a.png"]),
        ("open(os.path.abspath('b.csv')).read()", ["chapter/b.csv"]),
        ("os.chdir('../img'); open('a.png').read()", ["img/a.png"]),
        ("os.path.exists('none.csv') or Path('none.csv').exists()", []),
        ("\ntry: open('none.csv')\nexcept OSError: pass", ["chapter/none.csv"]),
        ("os.listdir('../img')", ["img/"]),
        ("list(Path('..').glob('img/*.png'))", ["img/"]),
        ("os.listdir('..')", ["./"]),
        ("os.listdir('../data'); open('../data/d.txt').read(); open('../data/new', 'w')", []),
        ("open(kept / 'd.txt').read()", []),
        ("open('made', 'w').write('x'); open('made').read()", []),
        ("os.mkdir('made'); open('made/x', 'w'); os.listdir('made')", []),
        ("open('tmp', 'w'); os.replace('tmp', 'made'); open('made').read()", []),
        ("open('b.csv', 'w').write('x'); os.remove('b.csv')", []),
        ("open('b.csv').read(); open('b.csv', 'w').write('x')", ["chapter/b.csv"]),
        ("open('b.csv', 'a').write('x')", ["chapter/b.csv"]),
        ("open(os.devnull).read(); open('/proc/self/status').read()", []),
        ("import json, decimal, this", []),
    ],
)
def test_files_of_the_book(book: Book, code: str, names: list[str]) -> None:
    found = book.watched(code)
    assert list(found.inputs) == names
    assert found.inputs == {name: book.digest_of(name) for name in names}
    assert found.warnings == ()


def test_digests_are_those_of_the_book(book: Book) -> None:
    code = "open('b.csv').read()\ntry: open('none.csv')\nexcept OSError: pass"
    assert book.watched(code).inputs == {"chapter/b.csv": sha("b.csv"), "chapter/none.csv": ABSENT}


def test_files_elsewhere_have_absolute_names(book: Book) -> None:
    found = book.watched(
        "open(outside / 'c.txt').read(); os.listdir(outside); open(outside, opener=os.open) if 0 else 0"
    )
    assert dict(found.inputs) == {
        (book.outside / "c.txt").as_posix(): sha("c.txt"),
        f"{book.outside.as_posix()}/": book.digest_of(f"{book.outside}/"),
    }


def test_programs_that_are_not_python_are_noticed(book: Book) -> None:
    with book.place() as place:
        # A reader without the hook, as a library in C++ would be.
        (place.book / "img" / "a.png").read_bytes()
        if (place.book / "img" / "a.png").stat().st_atime_ns == 0:
            pytest.skip("this file system keeps no times of access")
        assert dict(accesses(book.request, place).inputs) == {"img/a.png": sha("a.png")}


def test_copying_is_no_reading(book: Book) -> None:
    with book.place() as place:
        assert accesses(book.request, place).inputs == {}


def test_local_modules_are_read_although_they_are_compiled(book: Book) -> None:
    helper = book.root / "chapter" / "helper.py"
    helper.write_text("x = 1\n")
    book.request.files["chapter/helper.py"] = helper  # type: ignore[index]
    with book.place() as place:
        copy = place.folder / "helper.py"
        py_compile.compile(str(copy), doraise=True)
        os.utime(copy, ns=(0, copy.stat().st_mtime_ns))
        # This reads the compiled module alone.
        book.run(place, "sys.path.insert(0, ''); import helper")
        assert dict(accesses(book.request, place).inputs) == {"chapter/helper.py": sha("x = 1\n")}


def test_a_file_that_the_author_changes_meanwhile(book: Book) -> None:
    source = book.root / "chapter" / "b.csv"
    with book.place() as place:
        book.run(place, "open('b.csv').read()")
        source.write_text("changed")
        os.utime(source, ns=(1, 1))
        assert accesses(book.request, place).inputs["chapter/b.csv"] == sha("b.csv")
        # Now nobody knows any more what has been read.
        (place.folder / "b.csv").write_text("changed by the notebook")
        assert accesses(book.request, place).inputs["chapter/b.csv"] not in {sha("b.csv"), sha("changed")}


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("open('x', 'w'); open('../img/a.png', 'a')", []),
        ("os.mkdir(outside / '__pycache__'); open(outside / '__pycache__/x.pyc', 'w')", []),
        ("open(outside / 'x', 'w')", ["x"]),
        ("open(outside / 'c.txt', 'a').write('x')", ["c.txt"]),
        ("os.makedirs(outside, exist_ok=True)", []),
        ("os.makedirs(outside / 'x', exist_ok=True)", ["x"]),
        ("os.remove(outside / 'c.txt')", ["c.txt"]),
        ("open('x', 'w'); os.rename('x', outside / 'x')", ["x"]),
        ("open(kept / 'x', 'w')", []),
        ("\ntry: open(outside / 'none' / 'x', 'w')\nexcept OSError: pass", []),
        ("open(os.devnull, 'w')", []),
    ],
)
def test_writing_elsewhere_is_a_warning(book: Book, code: str, written: list[str]) -> None:
    names = [str(book.outside / name) for name in written]
    expected = (f"it wrote outside of its folder: {', '.join(names)}",) if names else ()
    assert book.watched(code).warnings == expected


def test_many_warnings_are_one(book: Book) -> None:
    (warning,) = book.watched("for number in range(9): open(outside / str(number), 'w')").warnings
    assert warning.endswith("2 and 6 more")


@pytest.mark.parametrize("damage", ["", "no JSON\n", '{"book": []}\n', '["read"'])
def test_a_damaged_log_is_no_obstacle(book: Book, damage: str) -> None:
    with book.place() as place:
        place.access_log.write_text(damage)
        assert accesses(book.request, place) == Accesses()


def test_a_line_that_was_cut_off_is_left_out(book: Book) -> None:
    with book.place() as place:
        book.run(place, "open('b.csv').read()")
        with place.access_log.open("a") as file:
            file.write('["read", "/some/wh')
        assert list(accesses(book.request, place).inputs) == ["chapter/b.csv"]


def test_more_files_than_are_noted(book: Book) -> None:
    with book.place() as place:
        with place.access_log.open("a") as file:
            file.write('["full", ""]\n')
        (warning,) = accesses(book.request, place).warnings
        assert "declare" in warning


def test_the_code_of_the_kernel_is_no_input(book: Book) -> None:
    """Python reads it to show a line of it; another version of d2lbuild must not run the whole book again."""
    found = book.watched(f"open({watch_hook.__file__!r}).read(); open(outside / 'c.txt').read()")
    assert {Path(name).name for name in found.inputs} == {"c.txt"}
