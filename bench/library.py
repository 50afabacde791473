"""How long the library modules of a real book take: d2lbuild beside d2lbook, in turns, in one run.

    python bench/library.py BOOK [--rounds 3]

d2lbook is installed into an environment of its own below the cache. Both work on a copy of the book's text, so the book
stays as it is. Printed are medians of wall times in seconds, and d2lbook's divided by ours.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from d2lbuild.execution.home import cache_home

# The versions that d2lbook 1.0.3 still runs with.
PEER = ("d2lbook==1.0.3", "pybtex<0.25", "setuptools<81")


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("book", type=Path, help="a book with a config.ini")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    peer = peer_command()
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "book"
        shutil.copytree(options.book, book, ignore=shutil.ignore_patterns("img", "graffle", "static", ".git", "_build"))
        ours = [str(Path(sys.executable).with_name("d2lbuild")), "extract-lib", "--no-import", "--book", str(book)]
        environment = {**os.environ, "D2LBUILD_CACHE": str(Path(folder) / "cache")}
        cold: list[float] = []
        unchanged: list[float] = []
        theirs: list[float] = []
        for _ in range(options.rounds):
            theirs.append(seconds([peer, "build", "lib"], book, dict(os.environ)))
            shutil.rmtree(Path(folder) / "cache", ignore_errors=True)
            cold.append(seconds(ours, book, environment))
            unchanged.append(seconds(ours, book, environment))
    peer_time = statistics.median(theirs)
    print(f"{'work':32}{'d2lbook':>10}{'d2lbuild':>10}{'ratio':>8}")
    for name, times in (("library modules, cold", cold), ("library modules, unchanged", unchanged)):
        mine = statistics.median(times)
        print(f"{name:32}{peer_time:10.2f}{mine:10.2f}{peer_time / mine:8.1f}")
    return 0


def peer_command() -> str:
    """Install d2lbook, unless it is there, and return its program."""
    folder = cache_home() / "bench" / "d2lbook-1.0.3"
    program = folder / "bin" / "d2lbook"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(folder / "bin" / "pip"), "install", "--quiet", *PEER], check=True)
    return str(program)


def seconds(command: Sequence[str], folder: Path, environment: dict[str, str]) -> float:
    """Run a command and return its wall time."""
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    taken = time.perf_counter() - begun
    if done.returncode not in {0, 1}:  # 1: the book has errors of its own
        raise SystemExit(f"{' '.join(command)} exited with {done.returncode}:\n{done.stderr[-2000:]}")
    return taken


if __name__ == "__main__":
    raise SystemExit(main())
