"""How long a prose edit takes to be seen: from the saving of a file to the change of the page, in a real browser."""

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from bench.measuring import OURS, Rows, Setting, chapters_of, edited_section, first_framework, ours

TITLE = "The preview"
ABOUT = """\
`d2lbuild serve`, from the saving of an edit of prose to the change of the page in Chromium. None of the other tools
shows an edit of such a book without a build."""
_EDITS = 10
_PAUSE = 2.0
"""Seconds between two edits: the build of the whole book that follows the last one may be going on."""
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
def _served(book: Path, framework: str, environment: dict[str, str]) -> Iterator[str]:
    command = ours("serve", "--book", book, "--framework", framework, "--port", "0")
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as server:
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


def _edits(page: Page, file: Path) -> list[float]:
    before = file.read_text(encoding="utf-8")
    page.evaluate(_WATCH)
    found = []
    try:
        for number in range(_EDITS):
            word = f"edit-{number}-seen"
            text = _edited(before, word)
            begun = time.time()
            file.write_text(text, encoding="utf-8")
            page.wait_for_function(f"() => window.seen && window.seen['{word}']", timeout=_PATIENCE)
            found.append(page.evaluate(f"() => window.seen['{word}']") / 1000 - begun)
            time.sleep(_PAUSE)
    finally:
        file.write_text(before, encoding="utf-8")
    return found


def measure(setting: Setting) -> Rows:
    """Edit a section some times over, and watch its page."""
    rows = Rows()
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    task = "from a saved edit to the page"
    if browser is None:
        rows.cannot(task, OURS, "there is no browser here to look with")
        return rows
    book = setting.copy("book")
    section = book / edited_section(book)
    page_name = section.relative_to(chapters_of(book)).with_suffix(".html").as_posix()
    served = _served(book, first_framework(book), setting.environment("book"))
    with served as address, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = chromium.new_page()
        page.goto(f"{address}{page_name}")
        page.wait_for_function("() => document.querySelector('d2l-preview')")
        time.sleep(5)
        times = _edits(page, section)
        chromium.close()
    for seconds in times:
        rows.note(task, OURS, seconds * 1000, "ms")
    rows.note(f"{task}, the slowest", OURS, max(times) * 1000, "ms")
    return rows
