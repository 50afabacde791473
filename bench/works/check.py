"""How long the check of a book takes, beside the reading of the same files by Sphinx."""

import shutil
from pathlib import Path

from bench import peers
from bench.measuring import OURS, Rows, Setting, chapters_of, edited_section, ours, run

TITLE = "Checking a book"
ABOUT = """\
`d2lbuild check` reads every section, resolves every label, citation, figure and contents entry, and makes all
editions and the library. No other tool has such a command; the nearest is Sphinx reading the same files as MyST and
writing nothing (`sphinx-build -b dummy`), which checks less."""

_CONF = """\
extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath", "amsmath"]
root_doc = "index"
suppress_warnings = ["*"]
"""
_SPHINX = "Sphinx + MyST"


def measure(setting: Setting) -> Rows:
    """Check from nothing, with nothing changed, and after an edit."""
    rows = Rows()
    book = setting.copy("check", without=("graffle",))
    environment = setting.environment("check")
    section = book / edited_section(book)
    before = section.read_bytes()
    project = _project(setting, book) if setting.peers else None
    for number in range(setting.rounds):
        theirs = project if not number else None
        if theirs is not None:
            rows.note("cold", _SPHINX, _read(theirs, fresh=True))
            rows.note("unchanged", _SPHINX, _read(theirs))
        shutil.rmtree(setting.folder / "check" / "cache", ignore_errors=True)
        for task in ("cold", "unchanged", "one prose edit"):
            if task == "one prose edit":
                words = f"\n\nWords of round {number}.\n\n".encode()
                section.write_bytes(before.replace(b"\n\n", words, 1))
                if theirs is not None:
                    copy = theirs / section.relative_to(chapters_of(book))
                    copy.write_bytes(copy.read_bytes() + words)
                    rows.note(task, _SPHINX, _read(theirs))
            done = run(ours("check", "--book", book), where=book, environment=environment, allowed=(0, 1))
            rows.note(task, OURS, done.seconds)
        section.write_bytes(before)
    return rows


def _project(setting: Setting, book: Path) -> Path:
    """Return a folder of Sphinx with the text of a book."""
    project = setting.folder / "sphinx"
    shutil.copytree(chapters_of(book), project, ignore=lambda _, names: [one for one in names if one == "conf"])
    (project / "conf.py").write_text(_CONF, encoding="utf-8")
    return project


def _read(project: Path, *, fresh: bool = False) -> float:
    program = peers.program("sphinx", "sphinx-build")
    options = ["-q", "-j", "2", "-b", "dummy", *(["-E"] if fresh else [])]
    return run([program, *options, str(project), str(project / "_build")], where=project).seconds
