"""Reports of a build: files that other programs and people read when it is over."""

from d2lbuild.reporting.account import Account, Counts, counts, failing_place, slowest
from d2lbuild.reporting.html_page import html_page
from d2lbuild.reporting.junit import junit
from d2lbuild.reporting.writing import check_reports, write_report

__all__ = [
    "Account",
    "Counts",
    "check_reports",
    "counts",
    "failing_place",
    "html_page",
    "junit",
    "slowest",
    "write_report",
]
