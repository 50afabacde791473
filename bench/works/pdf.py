"""How long the PDF of a real book takes, with nothing executed, beside bare passes of XeLaTeX over the same text."""

import shutil
from pathlib import Path

from bench.measuring import MEGABYTE, OURS, Rows, Setting, edited_section, first_framework, ours, run

TITLE = "The PDF"
ABOUT = """\
One framework, nothing executed. No other tool makes a PDF of this book that can be compared: d2lbook fails at its
fonts and its LaTeX. So the builds stand beside one bare pass of XeLaTeX over the very text that d2lbuild has written,
without which no tool can do."""
_BARE = "one pass of XeLaTeX"
_WORDS = "\n\nThese words were added by a benchmark.\n\n"


def measure(setting: Setting) -> Rows:
    """Build from nothing, with nothing changed, and after an edit."""
    rows = Rows()
    if shutil.which("xelatex") is None:
        rows.cannot("cold", OURS, "XeLaTeX is not installed here")
        return rows
    book = setting.copy("pdf")
    framework = first_framework(book)
    output = setting.folder / "pdf" / "output"
    choices = ["--no-execute", "--framework", framework, "--to", "pdf", "--book", book, "--output", output]
    section = book / edited_section(book)
    for task in ("cold", "unchanged", "one prose edit"):
        if task == "one prose edit":
            text = section.read_text(encoding="utf-8")
            section.write_text(text.replace("\n\n", _WORDS, 1), encoding="utf-8")
        command, environment = ours("build", *choices), setting.environment("pdf")
        done = run(command, where=book, environment=environment, allowed=(0, 1), watched=task == "cold")
        rows.note(task, OURS, done.seconds)
        if task == "cold":
            rows.note("cold, memory", OURS, done.memory / MEGABYTE, "MB")
    bare = _bare_pass(output / framework / "pdf-work" / "latex")
    for task in ("cold", "one prose edit"):
        rows.note(task, _BARE, bare)
    return rows


def _bare_pass(latex: Path) -> float:
    """Return the time of one pass over the written LaTeX, which knows what earlier passes have noted."""
    return run(["xelatex", "-interaction=batchmode", "book.tex"], where=latex, allowed=(0, 1)).seconds
