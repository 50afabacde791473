"""What a build tells GitHub while it runs in one of its workflows: failures beside their lines, and a summary."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from d2lbuild.reporting.account import Account

__all__ = ["folder_in_repository", "is_github", "tell_github"]


def is_github() -> bool:
    """Whether a workflow of GitHub runs us."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def folder_in_repository(root: Path) -> str:
    """Return what stands before the paths of a book that lies below the repository or the folder where we are."""
    for base in (os.environ.get("GITHUB_WORKSPACE"), str(Path.cwd())):
        if base and root != Path(base) and root.is_relative_to(base):
            return f"{root.relative_to(base).as_posix()}/"
    return ""


def tell_github(account: "Account") -> None:
    """Show failures at their lines, and add a summary to the page of the job."""
    from d2lbuild.checking.formats import as_github  # noqa: PLC0415 - only there
    from d2lbuild.reporting.findings import failures_as_findings  # noqa: PLC0415
    from d2lbuild.reporting.summary import markdown_summary  # noqa: PLC0415

    if commands := as_github(failures_as_findings(account.notebooks), account.folder):
        sys.stderr.write(f"{commands}\n")  # not by `note`, which takes the meaning from commands
    if page := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(page).open("a", encoding="utf-8") as file:
            file.write(markdown_summary(account))
