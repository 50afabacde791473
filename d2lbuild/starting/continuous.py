"""The files that let a service, or any shell, check, run and publish a book."""

import json
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

__all__ = ["SERVICES", "ci_file"]

_FOLDER = Path(__file__).parent / "ci"
SERVICES = {"github": PurePosixPath(".github/workflows/book.yml"), "shell": PurePosixPath("ci/book.sh")}
"""What there is a file for, and where a book keeps it."""
_WORD = re.compile(r"<<(\w+)>>")


def ci_file(service: str, frameworks: Sequence[str], shards: int = 1) -> str:
    """Return the file for a service; each framework's notebooks run in so many parts beside each other."""
    values = {
        "frameworks": json.dumps(list(frameworks)),
        "parts": json.dumps(list(range(1, shards + 1))),
        "shards": str(shards),
        "names": " ".join(frameworks),
    }
    text = (_FOLDER / SERVICES[service].name).read_text("utf-8")
    return _WORD.sub(lambda match: values[match[1]], text)
