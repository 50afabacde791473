"""Notebooks that failed, as findings: each at the line of the chapter, for programs that show such."""

from collections.abc import Iterable, Iterator

from d2lbuild import __version__
from d2lbuild.building import NotebookReport
from d2lbuild.checking.formats import as_sarif
from d2lbuild.model import Finding, Span
from d2lbuild.reporting.account import Account, error_of, failing_place, has_failed, readable, source_path

__all__ = ["failures_as_findings", "sarif"]


def failures_as_findings(notebooks: Iterable[NotebookReport]) -> Iterator[Finding]:
    """Yield a finding for each notebook that did not run to its end."""
    for one in notebooks:
        if has_failed(one):
            path = source_path(one)
            place = failing_place(one) or (Span(path, 1, 1) if path else None)
            name, first = error_of(one)
            yield Finding("notebook-failed", readable(f"{one.framework}: {name}{f': {first}' if first else ''}"), place)


def sarif(account: Account) -> str:
    """Return the failures of a build in the form of SARIF 2.1.0."""
    return as_sarif(list(failures_as_findings(account.notebooks)), __version__, account.folder)
