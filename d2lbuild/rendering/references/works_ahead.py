"""Formats the works of the bibliography in a process of its own, while the book is read.

That takes half a second, and nothing else of Sphinx's part can begin so early.
"""

import logging
import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from d2lbuild.config.types import Config

__all__ = ["Works", "no_works", "works_ahead"]

Works = Callable[[], Mapping[bytes, Any]]
"""Gives formatted works, by all that they depend on; it may wait for them."""


def no_works() -> Mapping[bytes, Any]:
    """Give nothing: all works are formatted when they are needed."""
    return {}


def works_ahead(config: Config, site: Path) -> Works:
    """Begin to format the works for a website in the folder `site`, unless an earlier build has; what it lacks is
    formatted later."""
    files = [config.root / path for path in config.bibliography]
    if (
        not files
        or (site.parent / f"{site.name}-work" / "entries.pickle").is_file()
        or (os.cpu_count() or 1) < 2
        or "fork" not in multiprocessing.get_all_start_methods()
    ):
        return no_works
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(sender, files), daemon=True)
    process.start()
    sender.close()

    def works() -> Mapping[bytes, Any]:
        found: Mapping[bytes, Any] = {}
        with suppress(EOFError, OSError), receiver:
            found = receiver.recv()
        process.join()
        return found

    return works


def _send(sender: Connection, files: Sequence[Path]) -> None:
    # What is wrong with the files is said by the process that makes the site.
    logging.disable()
    with suppress(Exception):
        from d2lbuild.rendering.sphinx_speed.bibliographies import formatted_works  # noqa: PLC0415 - slow to import

        sender.send(formatted_works(files))
    sender.close()
