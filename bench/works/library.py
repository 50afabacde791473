"""How long the modules of a book's library take, of all frameworks, beside d2lbook."""

import shutil

from bench import peers
from bench.measuring import OURS, Rows, Setting, ours, run

TITLE = "The library"
ABOUT = """\
The modules that a book's `#@save` cells make, for all frameworks: `d2lbuild extract-lib --no-import` and `d2lbook
build lib`."""


def measure(setting: Setting) -> Rows:
    """Make the modules from nothing, and again with nothing changed."""
    rows = Rows()
    book = setting.copy("library", without=("img", "graffle", "static"))
    environment = setting.environment("library")
    command = ours("extract-lib", "--no-import", "--book", book)
    peer = setting.peers and (book / "config.ini").is_file()
    d2lbook = [peers.program("d2lbook", "d2lbook"), "build", "lib"] if peer else []
    for number in range(setting.rounds):
        shutil.rmtree(setting.folder / "library" / "cache", ignore_errors=True)
        for task in ("cold", "unchanged"):
            if peer and (task == "cold" or not number):
                rows.note(task, "d2lbook", run(d2lbook, where=book, allowed=(0, 1)).seconds)
            rows.note(task, OURS, run(command, where=book, environment=environment, allowed=(0, 1)).seconds)
    return rows
