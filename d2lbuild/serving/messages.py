"""Lines of JSON between the server and the processes that it starts; these end when the server does.

A process reads from its standard input in a thread. When that ends, the main thread is interrupted, so that whatever
it does is undone as by Ctrl-C: pages' writers end, kernels are killed.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from queue import SimpleQueue
from typing import Any

__all__ = ["Line", "Wire"]

Line = dict[str, Any]


class Wire:
    """This process's end. Whatever else is printed goes to stderr."""

    def __init__(self) -> None:
        self._out = os.dup(1)
        os.dup2(2, 1)
        signal.signal(signal.SIGTERM, lambda *_: _interrupt())
        self.lines: SimpleQueue[Line | None] = SimpleQueue()
        """What the server says; None at the end."""
        threading.Thread(target=self._listen, daemon=True).start()

    def send(self, line: Mapping[str, Any]) -> None:
        """Tell the server something."""
        data = json.dumps(line).encode() + b"\n"
        while data:
            data = data[os.write(self._out, data) :]

    def _listen(self) -> None:
        rest = b""
        while data := os.read(0, 65536):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self.lines.put(json.loads(line))
        self.lines.put(None)
        _interrupt()


def _interrupt() -> None:
    main = threading.main_thread().ident
    if sys.platform == "win32" or main is None:
        import _thread  # noqa: PLC0415 - there is no other way here

        _thread.interrupt_main()
    else:
        signal.pthread_kill(main, signal.SIGINT)
