"""The process that follows a book: builds in it hold up no reader, and one that crashes is begun again.

It is told when to look, and says what has changed. What is not urgent is done when nothing has changed for a while.
"""

import sys
from pathlib import Path
from queue import Empty, SimpleQueue

from d2lbuild.serving.engine import Engine, Preview, Settled
from d2lbuild.serving.messages import Line, Wire
from d2lbuild.serving.settling import Aside, can_fork

__all__ = ["follow", "main"]

_QUIET = 0.5
"""Seconds without a change after which the whole book is built, where only pages were."""
_GLANCE = 0.05


def follow(engine: Engine, wire: Wire) -> None:
    """Serve until the server has gone."""
    settling: Aside[Settled] | None = None
    rested = True
    try:
        while True:
            waits = _GLANCE if settling else _QUIET if not (rested and engine.is_settled) else None
            line = _next(wire.lines, waits)
            if line is None:
                return
            if line:
                if settling is not None:
                    settling.end()
                    settling = None
                _look(engine, wire, force=bool(line.get("force")))
                rested = False
            elif settling is not None:
                if settling.is_done():
                    settled, settling = settling.result(), None
                    _take(engine, wire, settled or engine.settle())
            elif not engine.is_settled:
                if can_fork():
                    settling = Aside(engine.settle)
                else:
                    _take(engine, wire, engine.settle())
            else:
                engine.rest()
                rested = True
    finally:
        if settling is not None:
            settling.end()
        engine.close()


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


def _look(engine: Engine, wire: Wire, *, force: bool) -> None:
    wire.send({"busy": True})
    update = engine.look(force=force)
    wire.send({"update": update.as_json(), "settled": engine.is_settled} if update else {"settled": engine.is_settled})


def _take(engine: Engine, wire: Wire, settled: Settled) -> None:
    wire.send({"update": engine.take(settled).as_json(), "settled": True})


def main() -> None:
    """Follow the book that the command line names: its folder, frameworks by commas, and an output folder or ``-``."""
    book, frameworks, output = sys.argv[1:]
    try:
        wire = Wire()
        preview = Preview(Path(book), tuple(frameworks.split(",")), None if output == "-" else Path(output))
        follow(Engine(preview, preview.config(), lambda names: wire.send({"busy": True, "early": names})), wire)
    except (KeyboardInterrupt, BrokenPipeError):
        return


if __name__ == "__main__":
    main()
