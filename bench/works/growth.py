"""How the time and the memory of a build and of a check grow with the book."""

import re
import shutil
from pathlib import Path

from bench.measuring import MEGABYTE, OURS, Rows, Setting, chapters_of, first_framework, ours, run

TITLE = "Larger books"
ABOUT = """\
The same book with each of its chapters three and ten times, their labels told apart: a website of one framework from
nothing, and a check. The dotted lines are what twice the book would take if it took twice as long."""
PLOT = ("bench-growth", "Seconds of the website and of the check for one, three and ten times the sections.")
SIZES = {1: "the book", 3: "3 times the sections", 10: "10 times the sections"}


def measure(setting: Setting) -> Rows:
    """Build and check each size once."""
    rows = Rows()
    framework = first_framework(setting.book)
    for copies, size in SIZES.items():
        book = larger(setting, copies)
        environment = setting.environment(str(copies))
        check = run(ours("check", "--book", book), where=book, environment=environment, allowed=(0, 1))
        shutil.rmtree(setting.folder / str(copies) / "cache", ignore_errors=True)
        choices = ["--no-execute", "--framework", framework, "--book", book]
        build = run(ours("build", *choices), where=book, environment=environment, allowed=(0, 1), watched=True)
        rows.note(f"{size}: website", OURS, build.seconds)
        rows.note(f"{size}: website, memory", OURS, build.memory / MEGABYTE, "MB")
        rows.note(f"{size}: check", OURS, check.seconds)
        shutil.rmtree(book.parent)
    return rows


def larger(setting: Setting, copies: int) -> Path:
    """Return a book that has each chapter of the given one several times."""
    book = setting.copy(str(copies))
    if copies == 1:
        return book
    root = chapters_of(book)
    chapters = sorted(path.parent for path in root.glob("*/index.md"))
    for chapter in chapters:
        for number in range(copies):
            _copy_chapter(chapter, root / f"{chapter.name}-{number}", number)
        shutil.rmtree(chapter)
    index = root / "index.md"
    text = index.read_text(encoding="utf-8")
    for chapter in chapters:
        for line in re.findall(rf"(?m)^{re.escape(chapter.name)}/\S+$", text):
            page = line.partition("/")[2]
            listed = [f"{chapter.name}-{number}/{page}" for number in range(copies)]
            text = re.sub(rf"(?m)^{re.escape(line)}$", "\n".join(listed), text)
    index.write_text(text, encoding="utf-8")
    return book


def _copy_chapter(chapter: Path, target: Path, number: int) -> None:
    """Copy a chapter, with labels of its own; the library is saved in the first copy."""
    shutil.copytree(chapter, target)
    for path in target.rglob("*.md"):
        text = path.read_text(encoding="utf-8")
        text = re.sub(r":((?:eq)?label|numref|ref|eqref):`([^`]*)`", rf":\1:`\2_{number}`", text)
        path.write_text(text.replace("#@save", "") if number else text, encoding="utf-8")
