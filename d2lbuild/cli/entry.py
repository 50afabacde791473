"""Where the program starts, and where it ends at once if the same command line has nothing to do any more.

Importing what parses options takes several times as long as finding that out, so this comes first.
"""

import io
import os
import sys
from collections.abc import Sequence

from d2lbuild import unchanged
from d2lbuild.execution.home import cache_home
from d2lbuild.garbage import leave_at_exit

__all__ = ["drop_output", "main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    _never_fail_on_characters()
    if known := unchanged.look_up(cache_home(), arguments):
        return _say_again(known)
    from d2lbuild.cli.app import run  # noqa: PLC0415

    leave_at_exit()
    return run(arguments)


def _say_again(known: unchanged.Record) -> int:
    try:
        sys.stderr.writelines(f"{line}\n" for line in known.messages)
        sys.stdout.writelines(f"{line}\n" for line in known.out)
        sys.stdout.flush()
    except BrokenPipeError:
        drop_output()
        return 1
    return known.code


def drop_output() -> None:
    """Let what is still buffered go nowhere: the reader has seen enough, and Python must not complain when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _never_fail_on_characters() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
