"""Writing reports; their suffixes say which kind is wanted."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from d2lbuild.errors import UsageError
from d2lbuild.files import write_atomically
from d2lbuild.reporting.account import Account
from d2lbuild.reporting.findings import sarif
from d2lbuild.reporting.html_page import html_page
from d2lbuild.reporting.junit import junit
from d2lbuild.reporting.summary import markdown_summary

__all__ = ["check_reports", "write_report"]

_KINDS: Mapping[str, Callable[[Account], str]] = {
    ".xml": junit,
    ".html": html_page,
    ".htm": html_page,
    ".md": markdown_summary,
    ".sarif": sarif,
}


def check_reports(paths: Iterable[Path]) -> None:
    """Make the folders of reports. Raises UsageError if one cannot be written: better now than after the build."""
    for path in paths:
        if path.suffix.lower() not in _KINDS:
            raise UsageError(
                f"nobody knows what kind of report '{path}' is to be",
                hint="end its name in .xml for JUnit's format, .html for a page, .md for a summary, or .sarif",
            )
        if path.is_dir():
            raise UsageError(f"the report {path} is a folder", hint="name a file in it")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise UsageError(f"cannot write the report {path}: {reason}", hint="choose another folder") from None


def write_report(path: Path, account: Account) -> None:
    """Write a report, whole or not at all."""
    write_atomically(path, _KINDS[path.suffix.lower()](account))
