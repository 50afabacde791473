"""How long the notebooks of a real book take, without outputs, for one framework and for all, beside d2lbook."""

import shutil
from pathlib import Path

from bench import peers
from bench.measuring import OURS, Rows, Setting, chapters_of, edited_section, ours, run
from bench.works.html import WORDS, make_buildable, with_programs
from d2lbuild.config import load_config

TITLE = "Notebooks"
ABOUT = """\
Notebooks without outputs. d2lbook makes one framework's with `d2lbook build eval --tab NAME`, evaluation turned off,
and takes a command for each. Jupytext turns the same files into notebooks as they stand, with all frameworks' cells
in one, links and references as they are written: it knows neither frameworks nor books."""
_ONE = "one framework"
_ALL = "all frameworks"


def measure(setting: Setting) -> Rows:
    """Write all notebooks from nothing, with nothing changed, and after an edit of prose."""
    rows = Rows()
    names = [one.name for one in load_config(setting.book).frameworks]
    book = setting.copy("ours")
    for number in range(setting.rounds):
        for title, chosen in ((_ONE, names[0]), (_ALL, "all")):
            _our_turn(setting, rows, book=book, title=title, chosen=chosen, number=number)
        if setting.peers:
            rows.note(f"{_ONE}, cold", "jupytext", _jupytext(setting, number))
    if setting.peers and (setting.book / "config.ini").is_file() and shutil.which("pandoc"):
        _their_turn(setting, names, rows)
    return rows


def _our_turn(setting: Setting, rows: Rows, *, book: Path, title: str, chosen: str, number: int) -> None:
    output = setting.folder / "ours" / "output"
    for folder in (output, setting.folder / "ours" / "cache"):
        shutil.rmtree(folder, ignore_errors=True)
    choices = ["--no-execute", "--to", "notebooks", "--framework", chosen, "--book", book, "--output", output]
    section = book / edited_section(book)
    before = section.read_bytes()
    for task in ("cold", "unchanged", "one prose edit"):
        if task == "one prose edit":
            section.write_bytes(_edited(before, number))
        done = run(ours("build", *choices), where=book, environment=setting.environment("ours"), allowed=(0, 1))
        rows.note(f"{title}, {task}", OURS, done.seconds)
    section.write_bytes(before)


def _their_turn(setting: Setting, names: list[str], rows: Rows) -> None:
    book = setting.copy("d2lbook")
    make_buildable(book)
    program = peers.program("d2lbook", "d2lbook")
    section = book / edited_section(book)
    for task in ("cold", "unchanged", "one prose edit"):
        if task == "one prose edit":
            section.write_bytes(_edited(section.read_bytes(), 0))
        command = [program, "build", "eval", "--tab"]
        seconds = [
            run([*command, name], where=book, environment=with_programs(program), allowed=(0, 1)).seconds
            for name in names
        ]
        rows.note(f"{_ONE}, {task}", "d2lbook", seconds[0])
        rows.note(f"{_ALL}, {task}", "d2lbook", sum(seconds))


def _jupytext(setting: Setting, number: int) -> float:
    """Let Jupytext convert copies of all sections in one call."""
    folder = setting.folder / f"jupytext-{number}"
    chapters = chapters_of(setting.book)
    files = []
    for section in chapters.rglob("*.md"):
        copy = folder / section.relative_to(chapters)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(section, copy)
        files.append(str(copy))
    return run([peers.program("jupytext", "jupytext"), "--quiet", "--to", "ipynb", *files], where=folder).seconds


def _edited(before: bytes, number: int) -> bytes:
    return before.replace(b"\n\n", f"\n\n{WORDS.format(number)}\n\n".encode(), 1)
