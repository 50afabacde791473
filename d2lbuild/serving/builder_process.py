"""The process that follows a book: builds in it hold up no reader, and one that crashes is begun again.

It is told when to look, and says what has changed. What is not urgent it does when nobody has said anything for a while.
"""

import sys
from pathlib import Path
from queue import Empty, SimpleQueue

from d2lbuild.serving.engine import Engine, Preview
from d2lbuild.serving.messages import Line, Wire
from d2lbuild.serving.state import Update

__all__ = ["follow", "main"]

_QUIET = 1.0
"""Seconds without a change after which the whole book is built, where only pages were."""


def follow(engine: Engine, wire: Wire) -> None:
    """Serve until the server has gone."""
    waiting = [engine.settle, engine.check]
    idle = True
    while True:
        line = _next(wire.lines, None if idle else _QUIET)
        if line is None:
            return
        if line:
            wire.send({"busy": True})
            _tell(wire, engine.look(force=bool(line.get("force"))))
            idle = False
            continue
        for work in waiting:
            if wire.lines.empty() and (update := work()) is not None:
                _tell(wire, update)
        engine.rest()
        idle = wire.lines.empty()


def _next(lines: SimpleQueue[Line | None], timeout: float | None) -> Line | None:
    """Return what is said next, several lines as one; an empty line if nothing is said in time, None at the end."""
    try:
        found = lines.get(timeout=timeout)
        while found is not None and not lines.empty():
            more = lines.get()
            found = None if more is None else {**more, "force": found.get("force") or more.get("force")}
    except Empty:
        return {}
    return found


def _tell(wire: Wire, update: Update | None) -> None:
    wire.send({"update": update.as_json()} if update else {"idle": True})


def main() -> None:
    """Follow the book that the command line names: its folder, frameworks by commas, and an output folder or ``-``."""
    book, frameworks, output = sys.argv[1:]
    try:
        wire = Wire()
        preview = Preview(Path(book), tuple(frameworks.split(",")), None if output == "-" else Path(output))
        follow(Engine(preview, preview.config()), wire)
    except (KeyboardInterrupt, BrokenPipeError):
        return


if __name__ == "__main__":
    main()
