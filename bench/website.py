"""How long the website of a real book takes, with nothing executed: d2lbuild beside d2lbook, in turns, in one run.

    python bench/website.py BOOK [--rounds 1] [--skip-peer] [--large]

d2lbook is installed into an environment of its own below the cache, and needs pandoc. For all frameworks it takes a
command for each of them, and one more that joins them. Both work on copies, so the book stays as it is. Printed are
medians of wall times in seconds, and d2lbook's divided by ours; then the largest process, and with --large how a book
of ten times the sections compares.
"""

import argparse
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from d2lbuild.config import load_config
from d2lbuild.execution.home import cache_home

# The versions that d2lbook 1.0.3 still runs with.
PEER = ("d2lbook==1.0.3", "pybtex<0.25", "setuptools<81")
EDITED = "chapter_linear-regression/linear-regression.md"
WORDS = "These words were added by a benchmark, in round {} of its edits."
EDITS = 3
# Both as users have them: with their modules compiled, even where this program runs from its sources.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass
class Runs:
    """The wall times of one program for one edition, by kind of work."""

    commands: Sequence[Sequence[str]]
    """What it takes to build, one after the other."""
    book: Path
    environment: dict[str, str]
    folders: tuple[Path, ...]
    """What to remove for a build from nothing."""
    site: Path
    """The folder in which the website is, somewhere."""
    times: dict[str, list[float]] = field(default_factory=dict)

    def round(self) -> None:
        """Build from nothing; then, some times over, with nothing changed and with one edit."""
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)
        self._note("cold", self.seconds())
        chapter = self.book / EDITED
        before = chapter.read_bytes()
        try:
            for number in range(EDITS):
                self._note("unchanged", self.seconds())
                words = WORDS.format(number)
                chapter.write_bytes(before.replace(b"\n\n", f"\n\n{words}\n\n".encode(), 1))
                self._note("one prose edit", self.seconds())
                if not self._shows(words):
                    raise SystemExit(f"the website in {self.site} does not show the edit")
        finally:
            chapter.write_bytes(before)

    def _note(self, work: str, taken: float) -> None:
        self.times.setdefault(work, []).append(taken)

    def _shows(self, words: str) -> bool:
        """Whether words are on the page, whichever of the folders that hold it was written last."""
        name = Path(EDITED).with_suffix(".html")
        found = [path for path in self.site.rglob(name.name) if path.match(str(name))]
        return bool(found) and words in max(found, key=lambda path: path.stat().st_mtime).read_text(encoding="utf-8")

    def seconds(self) -> float:
        """Run the commands and return their wall time."""
        begun = time.perf_counter()
        for command in self.commands:
            done = subprocess.run(
                command, cwd=self.book, env=self.environment, capture_output=True, text=True, check=False
            )
            if done.returncode not in {0, 1}:  # 1: the book has errors of its own
                raise SystemExit(f"{' '.join(command)} exited with {done.returncode}:\n{done.stderr[-2000:]}")
        return time.perf_counter() - begun


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("book", type=Path, help="a book with a config.ini")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--skip-peer", action="store_true", help="measure d2lbuild only")
    parser.add_argument("--large", action="store_true", help="also build a book of ten times the sections")
    options = parser.parse_args()
    print(f"{'work':36}{'d2lbook':>10}{'d2lbuild':>10}{'ratio':>8}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = edition_of(options.book)
        for title, frameworks in (("one framework", first), ("all frameworks", "all")):
            mine = ours(options.book, folder / f"ours-{frameworks}", frameworks)
            peer = None if options.skip_peer else theirs(options.book, folder / f"theirs-{frameworks}", frameworks)
            for _ in range(options.rounds):
                for runs in (peer, mine):
                    if runs is not None:
                        runs.round()
            show(title, mine, peer)
        print(f"\nlargest process: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB")
        if options.large:
            show_growth(options.book, folder)
    return 0


def show(title: str, mine: Runs, peer: Runs | None) -> None:
    """Print the lines of one edition."""
    for work, times in mine.times.items():
        here = statistics.median(times)
        if peer is None:
            print(f"{f'{title}, {work}':36}{'':>10}{here:10.2f}", flush=True)
        else:
            there = statistics.median(peer.times[work])
            print(f"{f'{title}, {work}':36}{there:10.2f}{here:10.2f}{there / here:8.1f}", flush=True)


def ours(book: Path, folder: Path, frameworks: str) -> Runs:
    """Return d2lbuild's runs."""
    copy, output, cache = folder / "book", folder / "output", folder / "cache"
    shutil.copytree(book, copy, ignore=shutil.ignore_patterns(".git", "_build"))
    program = str(Path(sys.executable).with_name("d2lbuild"))
    command = [
        program,
        "build",
        "--no-execute",
        "--framework",
        frameworks,
        "--book",
        str(copy),
        "--output",
        str(output),
    ]
    return Runs([command], copy, {**ENVIRONMENT, "D2LBUILD_CACHE": str(cache)}, (output, cache), output)


def theirs(book: Path, folder: Path, frameworks: str) -> Runs:
    """Return d2lbook's runs, on a copy whose configuration it can build today."""
    copy = folder / "book"
    shutil.copytree(book, copy, ignore=shutil.ignore_patterns(".git", "_build"))
    settings = copy / "config.ini"
    text = settings.read_text(encoding="utf-8")
    # It would run the notebooks, and download fonts for a PDF that nobody asked for.
    for section, key, value in (("build", "eval_notebook", "False"), ("pdf", "style", ""), ("pdf", "latex_url", "")):
        text = with_setting(text, section, key, value)
    settings.write_text(text, encoding="utf-8")
    program = peer_command()
    # What is joined to "all" are notebooks that the commands for single frameworks have left.
    names = [one.name for one in load_config(book).frameworks] if frameworks == "all" else []
    commands = [[program, "build", "eval", "--tab", name] for name in names]
    environment = {**ENVIRONMENT, "PATH": f"{Path(program).parent}{os.pathsep}{os.environ['PATH']}"}
    return Runs(
        commands=[*commands, [program, "build", "html", "--tab", frameworks]],
        book=copy,
        environment=environment,
        folders=(copy / "_build",),
        site=copy / "_build",
    )


def with_setting(text: str, section: str, key: str, value: str) -> str:
    """Return a configuration in which a key has a value; a value of several lines is replaced as a whole."""
    text = re.sub(rf"(?m)^{key}[ \t]*=.*\n(?:[ \t]+\S.*\n)*", "", text)
    if f"[{section}]" not in text:
        text += f"\n[{section}]\n"
    return text.replace(f"[{section}]\n", f"[{section}]\n{key} = {value}\n", 1)


def peer_command() -> str:
    """Install d2lbook, unless it is there, and return its program."""
    if shutil.which("pandoc") is None:
        raise SystemExit("d2lbook needs pandoc: install it, or leave d2lbook out with --skip-peer")
    folder = cache_home() / "bench" / "d2lbook-1.0.3"
    program = folder / "bin" / "d2lbook"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(folder / "bin" / "pip"), "install", "--quiet", *PEER], check=True)
    return str(program)


def show_growth(book: Path, folder: Path) -> None:
    """Print how long a book of ten times the sections takes."""
    large = folder / "large"
    shutil.copytree(book, large, ignore=shutil.ignore_patterns(".git", "_build", "chapter_*"))
    chapters = sorted(path for path in book.glob("chapter_*") if path.is_dir())
    index = (book / "index.md").read_text(encoding="utf-8")
    for number in range(10):
        for chapter in chapters:
            copy_chapter(chapter, large / f"{chapter.name}-{number}", number)
    listed = [line for line in index.splitlines() if line.startswith("chapter_") and (book / f"{line}.md").is_file()]
    for line in listed:
        name, _, page = line.partition("/")
        copies = [f"{name}-{number}/{page}" for number in range(10)]
        index = re.sub(rf"(?m)^{re.escape(line)}$", "\n".join(copies), index)
    (large / "index.md").write_text(index, encoding="utf-8")
    times = {}
    for name, where in (("as it is", book), ("ten times", large)):
        runs = ours(where, folder / f"growth-{name}", edition_of(book))
        times[name] = runs.seconds()
        print(f"{f'the book {name}':36}{'':>10}{times[name]:10.2f}", flush=True)
    print(f"{'':36}{'':>10}{'':>10}{times['ten times'] / times['as it is']:8.1f}")
    print(f"largest process: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB")


def copy_chapter(chapter: Path, target: Path, number: int) -> None:
    """Copy a chapter, with labels of its own; the library is saved in the first copy."""
    shutil.copytree(chapter, target)
    for path in target.rglob("*.md"):
        text = path.read_text(encoding="utf-8")
        text = re.sub(r":((?:eq)?label|numref|ref|eqref):`([^`]*)`", rf":\1:`\2_{number}`", text)
        path.write_text(text.replace("#@save", "") if number else text, encoding="utf-8")


def edition_of(book: Path) -> str:
    """Return the book's first framework."""
    return load_config(book).default_framework


if __name__ == "__main__":
    raise SystemExit(main())
