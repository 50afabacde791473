"""Measures d2lbuild beside the other tools of the field: `make bench CORPUS=/path/to/d2l-en`.

    python -m bench BOOK [--works check,html] [--rounds 3] [--skip-peers]

Peers are installed into environments of their own, once. The book is copied and stays as it is. Each work is printed
when it is done and kept in bench/results; at the end tables and plots of docs/benchmarks.md are made of all results,
and the exit status is 1 if d2lbuild misses a bar of bench/bars.py.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from bench import page, results
from bench.bars import missed
from bench.measuring import Setting
from bench.works import WORKS


def main() -> int:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("book", type=Path, help="a real book, such as d2l-en")
    parser.add_argument("--works", default="", metavar="NAMES", help=f"of {','.join(WORKS)}; default: all")
    parser.add_argument("--rounds", type=int, default=3, help="of what takes seconds; what takes minutes has one")
    parser.add_argument("--skip-peers", action="store_true", help="measure d2lbuild only, and keep nothing")
    options = parser.parse_args()
    works = [name for name in options.works.split(",") if name] or list(WORKS)
    if unknown := sorted({*works} - {*WORKS}):
        parser.error(f"there is no work {', '.join(unknown)}")
    begun = time.monotonic()
    for name in works:
        print(f"\n{name}", flush=True)
        with tempfile.TemporaryDirectory(prefix="bench") as folder:
            setting = Setting(options.book.absolute(), Path(folder), options.rounds, not options.skip_peers)
            result = results.made(name, page.module_of(name).measure(setting).all(), setting.book)
        print(page.table(result), flush=True)
        print(f"({time.monotonic() - begun:.0f} s since the start)", file=sys.stderr)
        if setting.peers:
            results.write(result)
        for line in missed({name: result}):
            print(f"MISSED {line}", flush=True)
    if options.skip_peers:
        return 0
    return page.main([])


if __name__ == "__main__":
    raise SystemExit(main())
