"""The command line: parse, call, show; one short file a command."""

from d2lbuild.cli.entry import main

__all__ = ["main"]
