"""The command line: parse, call, show; one short file a command."""

from d2lbuild.cli.app import main

__all__ = ["main"]
