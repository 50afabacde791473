"""How long the PDF of a real book takes, with nothing executed, beside bare passes of XeLaTeX over the same text.

    python bench/pdf.py BOOK [--framework NAME] [--passes 4]

The book is copied and stays as it is. Printed are wall times in seconds, of a build from nothing, of one with nothing
changed, and of one after a prose edit, each also as a multiple of what one pass takes; then the largest process.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from d2lbuild.config import load_config

# Both as users have them: with their modules compiled, even where this program runs from its sources.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("book", type=Path)
    parser.add_argument("--framework", help="default: the book's first")
    parser.add_argument("--passes", type=int, default=4, help="how many bare passes the build is held against")
    options = parser.parse_args()
    framework = options.framework or load_config(options.book).default_framework
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        times = builds(options.book, folder, framework)
        latex = folder / "output" / framework / "pdf-work" / "latex"
        passes = [bare_pass(latex) for _ in range(options.passes)]
        one = statistics.median(passes)
        print(f"{'work':30}{'seconds':>10}{'passes':>10}")
        for work, seconds in times.items():
            print(f"{work:30}{seconds:10.2f}{seconds / one:10.2f}")
        print(f"{'one bare pass':30}{one:10.2f}{1:10.2f}")
        print(f"{f'{options.passes} bare passes':30}{sum(passes):10.2f}{sum(passes) / one:10.2f}")
        print(f"\ncold, against {options.passes} bare passes: {times['cold'] / sum(passes):.2f}")
    print(f"largest process: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB")
    return 0


def builds(book: Path, folder: Path, framework: str) -> dict[str, float]:
    """Return the times of builds."""
    copy = folder / "book"
    shutil.copytree(book, copy, ignore=shutil.ignore_patterns(".git", "_build"))
    program = str(Path(sys.executable).with_name("d2lbuild"))
    choices = ["--no-execute", "--framework", framework, "--to", "pdf", "--book", str(copy)]
    command = [program, "build", *choices, "--output", str(folder / "output")]
    times = {"cold": seconds(command, copy, folder), "unchanged": seconds(command, copy, folder)}
    section = max(copy.rglob("*.md"), key=lambda path: path.stat().st_size)
    text = section.read_text(encoding="utf-8")
    section.write_text(text.replace("\n\n", "\n\nThese words were added by a benchmark.\n\n", 1), encoding="utf-8")
    times["one prose edit"] = seconds(command, copy, folder)
    return times


def bare_pass(latex: Path) -> float:
    """Return the time of one pass over the written LaTeX, which knows what earlier passes have noted."""
    return seconds(["xelatex", "-interaction=batchmode", "book.tex"], latex, latex)


def seconds(command: Sequence[str], where: Path, folder: Path) -> float:
    """Run a command and return its wall time; a book may have errors of its own."""
    begun = time.perf_counter()
    environment = {**ENVIRONMENT, "D2LBUILD_CACHE": str(folder / "cache")}
    done = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 1}:
        raise SystemExit(f"{' '.join(command)} exited with {done.returncode}:\n{done.stderr[-2000:]}")
    return time.perf_counter() - begun


if __name__ == "__main__":
    raise SystemExit(main())
