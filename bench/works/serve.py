"""How long a prose edit takes to be seen: from the saving of a file to the change of the page, in a real browser.

python bench/serve.py BOOK SECTION [--framework all] [--edits 20] [--pause 3.0]

BOOK is changed while this runs, and put back at the end: name a copy. With a short pause edits meet the build of the
whole book that follows the last one.
"""

import argparse
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

_ADDRESS = re.compile(r"serving on (http://[0-9.:]+/)")
# The times at which words come up in the page, by the clock that this program has, too.
_WATCH = """() => {
  window.seen = {};
  const look = () => {
    for (const [word] of document.querySelector("article").textContent.matchAll(/edit-\\d+-seen/g)) {
      window.seen[word] ??= performance.timeOrigin + performance.now();
    }
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true });
}"""
_PATIENCE = 120_000


@contextmanager
def _served(book: Path, framework: str, output: str) -> Iterator[str]:
    command = [sys.executable, "-m", "d2lbuild", "serve", "--book", str(book), "--framework", framework]
    command += ["--output", output, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            yield next(found[1] for line in server.stderr if (found := _ADDRESS.search(line)))
        finally:
            server.terminate()
            server.stderr.read()


def _edited(text: str, words: str) -> str:
    """Add words to the last paragraph of plain prose."""
    paragraphs = text.split("\n\n")
    at = max(n for n, one in enumerate(paragraphs) if re.match(r"[A-Z][^`:|!$]+[.]$", one, re.DOTALL))
    paragraphs[at] += f" {words}"
    return "\n\n".join(paragraphs)


def _measure(page: Page, file: Path, edits: int, pause: float) -> list[float]:
    before = file.read_text(encoding="utf-8")
    page.evaluate(_WATCH)
    found = []
    try:
        for number in range(edits):
            word = f"edit-{number}-seen"
            text = _edited(before, word)
            begun = time.time()
            file.write_text(text, encoding="utf-8")
            page.wait_for_function(f"() => window.seen && window.seen['{word}']", timeout=_PATIENCE)
            found.append(page.evaluate(f"() => window.seen['{word}']") / 1000 - begun)
            print(f"{found[-1] * 1000:6.0f} ms", flush=True)
            time.sleep(pause)
    finally:
        file.write_text(before, encoding="utf-8")
    return found


def main() -> None:
    """Measure, and print each time and the median."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("book", type=Path)
    parser.add_argument("section", help="as its path below the book's folder, without the suffix")
    parser.add_argument("--framework", default="pytorch")
    parser.add_argument("--edits", type=int, default=20)
    parser.add_argument("--pause", type=float, default=3.0)
    parser.add_argument("--output", help="where to build; default: a new folder")
    given = parser.parse_args()
    output = given.output or tempfile.mkdtemp()
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    with _served(given.book, given.framework, output) as address, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = chromium.new_page()
        page.goto(f"{address}{given.section}.html")
        page.wait_for_function("() => document.querySelector('d2l-preview')")
        time.sleep(5)
        times = _measure(page, given.book / f"{given.section}.md", given.edits, given.pause)
        chromium.close()
    print(f"median {statistics.median(times) * 1000:.0f} ms, worst {max(times) * 1000:.0f} ms")


if __name__ == "__main__":
    main()
