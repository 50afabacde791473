"""Every error a user can cause, with the exit code it leads to.

    D2lbuildError
    ├── BookError        1  the book is wrong (findings say where)
    ├── ConfigError      2  the configuration is wrong (findings say where)
    ├── UsageError       2  the command line asks for something impossible
    ├── SetupError       3  an environment, a package or a system program is missing
    └── StaleError       4  `--check` found files that are out of date

Only the command line prints these and exits; anything else that escapes is a defect of the tool: a traceback.
"""

from collections.abc import Sequence

from d2lbuild.model import Finding

__all__ = ["BookError", "ConfigError", "D2lbuildError", "SetupError", "StaleError", "UsageError"]


class D2lbuildError(Exception):
    """The base of all errors that are shown without a traceback."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "", findings: Sequence[Finding] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        """What the user can do about it; empty if the message says so."""
        self.findings = tuple(findings)
        """The single problems, each with its place, where there are several."""


class BookError(D2lbuildError):
    """Something in the book's sources keeps it from being built."""


class ConfigError(D2lbuildError):
    """The configuration cannot be read, or asks for something unknown."""

    exit_code = 2


class UsageError(D2lbuildError):
    """The command line names something that does not exist."""

    exit_code = 2


class SetupError(D2lbuildError):
    """An environment, a package or a system program is missing or broken."""

    exit_code = 3


class StaleError(D2lbuildError):
    """Files on disk differ from what the sources give."""

    exit_code = 4
