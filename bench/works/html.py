"""How long the notebooks and the website of a real book take, with nothing executed.

They stand in one module because d2lbook makes its website of its notebooks, in commands that take minutes.
"""

import json
import os
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench import peers
from bench.measuring import (
    ENVIRONMENT,
    MEGABYTE,
    OURS,
    Rows,
    Run,
    Setting,
    chapters_of,
    edited_section,
    first_framework,
    ours,
    run,
    size_of,
)
from bench.notebook_books import JUPYTER_BOOK, SPHINX, jupyter_book, plain_notebooks, sphinx
from d2lbuild.config import load_config

TITLE = "Notebooks and the website"
ABOUT = """\
Nothing is executed. d2lbook builds the book itself: one command for each framework writes its notebooks, another one
the website, of all frameworks' notebooks if it is for all. Jupyter Book and Sphinx with MyST-NB build the notebooks
that d2lbuild writes of one framework, which is less work: numbers, references and citations are plain text in them
already. Jupytext turns the sections into notebooks as they stand, all frameworks' cells in one, links and references
as written: it knows neither frameworks nor books. Memory is what all processes of a build have at most together, disk
what the build leaves."""

WORDS = "These words were added by a benchmark, in round {} of its edits."
_EDITS = 3
_THEIR_EDITS = 1


@dataclass(frozen=True, slots=True)
class Contestant:
    """A program that builds the book."""

    who: str
    commands: Sequence[Sequence[str]]
    """What it takes to build, one after the other."""
    where: Path
    environment: dict[str, str]
    folders: tuple[Path, ...]
    """What to remove for a build from nothing."""
    site: Path
    """The folder in which the website is, somewhere."""
    source: Path
    """The file that is edited."""
    edit: Callable[[bytes, str], bytes]
    """Returns it with words added."""
    page: Path
    """The page that shows the edit, below some folder."""
    written: tuple[Path, ...] = ()
    """The folders whose size counts."""
    notebooks: int = 0
    """How many of the commands, the first ones, write notebooks; if all do, there is no website."""

    def turn(self, title: str, rows: Rows, edits: int) -> None:
        """Build from nothing; then, some times over, with nothing changed and with one edit."""
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)
        self.build(f"{title}, cold", rows)
        if self.written:
            rows.note(f"{title}, cold, disk", self.who, size_of(*self.written) / MEGABYTE, "MB")
        before = self.source.read_bytes()
        try:
            for number in range(edits):
                self.build(f"{title}, unchanged", rows)
                words = WORDS.format(number)
                self.source.write_bytes(self.edit(before, words))
                self.build(f"{title}, one prose edit", rows)
                if not self._shows(words):
                    raise SystemExit(f"what was built in {self.site} does not show the edit")
        finally:
            self.source.write_bytes(before)

    def build(self, task: str, rows: Rows) -> None:
        """Build once, and note how."""
        runs = [self._run(one, watched=task.endswith("cold")) for one in self.commands]
        if self.notebooks:
            rows.note(f"{task}: notebooks", self.who, sum(one.seconds for one in runs[: self.notebooks]))
        if self.notebooks == len(runs):
            return
        rows.note(task, self.who, sum(one.seconds for one in runs))
        if task.endswith("cold"):
            rows.note(f"{task}, memory", self.who, max(one.memory for one in runs) / MEGABYTE, "MB")

    def _run(self, command: Sequence[str], *, watched: bool) -> Run:
        # 1: the book has errors of its own.
        return run(command, where=self.where, environment=self.environment, allowed=(0, 1), watched=watched)

    def _shows(self, words: str) -> bool:
        """Whether words are on the page, whichever of the folders that hold it was written last."""
        found = [path for path in self.site.rglob(self.page.name) if path.match(str(self.page))]
        return bool(found) and words in max(found, key=lambda path: path.stat().st_mtime).read_text(encoding="utf-8")


def measure(setting: Setting) -> Rows:
    """Build for one framework and for all."""
    rows = Rows()
    first = first_framework(setting.book)
    one = [our_notebooks(setting, first), d2lbuild(setting, first)]
    every = [our_notebooks(setting, "all"), d2lbuild(setting, "all")]
    if setting.peers:
        if (setting.book / "config.ini").is_file() and shutil.which("pandoc"):
            one.append(d2lbook(setting, first))
            every.append(d2lbook(setting, "all"))
        notebooks = plain_notebooks(setting, first)
        one += [_of_notebooks(setting, notebooks, who) for who in (SPHINX, JUPYTER_BOOK)]
    for title, contestants in (("one framework", one), ("all frameworks", every)):
        for number in range(setting.rounds):
            for contestant in contestants:
                if contestant.who == OURS:
                    contestant.turn(title, rows, _EDITS)
                elif not number:
                    contestant.turn(title, rows, _THEIR_EDITS)  # these take minutes
    if setting.peers:
        rows.note("one framework, cold: notebooks", "jupytext", jupytext(setting))
        for who in (SPHINX, JUPYTER_BOOK):
            rows.cannot("all frameworks, cold", who, "has one version of a page: four frameworks are four books")
    return rows


def d2lbuild(setting: Setting, frameworks: str, name: str = "") -> Contestant:
    """Return how d2lbuild builds."""
    name = name or f"ours-{frameworks}"
    book = setting.copy(name)
    output, cache = setting.folder / name / "output", setting.folder / name / "cache"
    edited = edited_section(book)
    return Contestant(
        who=OURS,
        commands=[ours("build", "--no-execute", "--framework", frameworks, "--book", book, "--output", output)],
        where=book,
        environment=setting.environment(name),
        folders=(output, cache),
        site=output,
        source=book / edited,
        edit=_in_markdown,
        page=_page(book, edited),
        written=(output, cache),
    )


def our_notebooks(setting: Setting, frameworks: str) -> Contestant:
    """Return how d2lbuild writes notebooks."""
    name = f"notebooks-{frameworks}"
    website = d2lbuild(setting, frameworks, name)
    (command,) = website.commands
    return replace(
        website,
        commands=[[*command, "--to", "notebooks"]],
        page=website.page.with_suffix(".ipynb"),
        written=(),
        notebooks=1,
    )


def jupytext(setting: Setting) -> float:
    """Let Jupytext make notebooks of copies of all sections, in one call, and return the seconds."""
    folder, chapters = setting.folder / "jupytext", chapters_of(setting.book)
    files = []
    for section in chapters.rglob("*.md"):
        copy = folder / section.relative_to(chapters)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(section, copy)
        files.append(str(copy))
    return run([peers.program("jupytext", "jupytext"), "--quiet", "--to", "ipynb", *files], where=folder).seconds


def d2lbook(setting: Setting, frameworks: str) -> Contestant:
    """Return how d2lbook builds, on a copy whose configuration it can build today."""
    book = setting.copy(f"d2lbook-{frameworks}")
    make_buildable(book)
    program = peers.program("d2lbook", "d2lbook")
    # What is joined to "all" are notebooks that the commands for single frameworks have left.
    names = [one.name for one in load_config(setting.book).frameworks] if frameworks == "all" else [frameworks]
    commands = [[program, "build", "eval", "--tab", name] for name in names]
    edited = edited_section(book)
    return Contestant(
        who="d2lbook",
        commands=[*commands, [program, "build", "html", "--tab", frameworks]],
        where=book,
        environment=with_programs(program),
        folders=(book / "_build",),
        site=book / "_build",
        source=book / edited,
        edit=_in_markdown,
        page=_page(book, edited),
        written=(book / "_build",),
        notebooks=len(commands),
    )


def _of_notebooks(setting: Setting, notebooks: Path, who: str) -> Contestant:
    """Return how a tool builds a folder of notebooks."""
    folder = setting.folder / who.replace(" ", "-")
    shutil.copytree(notebooks, folder / "book")
    prepare = sphinx if who == SPHINX else jupyter_book
    command, site = prepare(folder / "book", load_config(setting.book))
    page = _page(setting.book, edited_section(setting.book))
    return Contestant(
        who=who,
        commands=[command],
        where=folder / "book",
        environment=ENVIRONMENT,
        folders=(site,),
        site=site,
        source=folder / "book" / page.with_suffix(".ipynb"),
        edit=_in_notebook,
        page=page,
        written=(site,),
    )


def _page(book: Path, section: Path) -> Path:
    return section.relative_to(load_config(book).chapters).with_suffix(".html")


def _in_markdown(before: bytes, words: str) -> bytes:
    return before.replace(b"\n\n", f"\n\n{words}\n\n".encode(), 1)


def _in_notebook(before: bytes, words: str) -> bytes:
    notebook = json.loads(before)
    cell = next(one for one in notebook["cells"] if one["cell_type"] == "markdown")
    cell["source"] = ["".join(cell["source"]) + f"\n\n{words}"]
    return json.dumps(notebook).encode()


def with_programs(program: str) -> dict[str, str]:
    """Return variables with which the programs beside one are found."""
    return {**ENVIRONMENT, "PATH": f"{Path(program).parent}{os.pathsep}{os.environ['PATH']}"}


def make_buildable(book: Path) -> None:
    """Change a `config.ini` so that d2lbook builds with it."""
    settings = book / "config.ini"
    text = settings.read_text(encoding="utf-8")
    # It would run the notebooks, and download fonts for a PDF that nobody asked for.
    for section, key, value in (("build", "eval_notebook", "False"), ("pdf", "style", ""), ("pdf", "latex_url", "")):
        text = with_setting(text, section, key, value)
    settings.write_text(text, encoding="utf-8")


def with_setting(text: str, section: str, key: str, value: str) -> str:
    """Return a configuration in which a key has a value; a value of several lines is replaced as a whole."""
    text = re.sub(rf"(?m)^{key}[ \t]*=.*\n(?:[ \t]+\S.*\n)*", "", text)
    if f"[{section}]" not in text:
        text += f"\n[{section}]\n"
    return text.replace(f"[{section}]\n", f"[{section}]\n{key} = {value}\n", 1)
