"""The files that let a service, or any shell, check, run and publish a book."""

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from d2lbuild.errors import UsageError
from d2lbuild.files import write_atomically

__all__ = ["INSTALL", "SERVICES", "Continuous", "write_ci_file"]

_FOLDER = Path(__file__).parent / "ci"
SERVICES = {"github": PurePosixPath(".github/workflows/book.yml"), "shell": PurePosixPath("ci/book.sh")}
"""What there is a file for, and where a book keeps it."""
INSTALL = "d2lbuild[html] @ git+https://github.com/d2lbuild/d2lbuild"
"""What pip installs on the machines of a service."""
_WORD = re.compile(r"<<(\w+)>>")


@dataclass(frozen=True, slots=True)
class Continuous:
    """What a file for continuous integration depends on."""

    service: str
    frameworks: Sequence[str]
    shards: int = 1
    """In how many parts each framework's notebooks run beside each other."""
    install: str = INSTALL
    output: str = "_build"
    """The folder of the book that is built in."""

    def text(self) -> str:
        """Return the file."""
        values = {
            "command": self.command(),
            "frameworks": json.dumps(list(self.frameworks)),
            # A JSON string is a YAML string too, whatever stands in it.
            "install": json.dumps(self.install, ensure_ascii=False),
            "names": " ".join(self.frameworks),
            "output": self.output,
            "parts": json.dumps(list(range(1, self.shards + 1))),
            "shards": str(self.shards),
        }
        text = (_FOLDER / SERVICES[self.service].name).read_text("utf-8")
        return _WORD.sub(lambda match: values[match[1]], text)

    def command(self) -> str:
        """Return the command that writes the file, which the file names."""
        if not self.install.isprintable():
            raise UsageError("what is installed has characters that cannot be printed", hint="write it on one line")
        words = ["d2lbuild", "ci", "init"]
        words += [self.service] if self.service != "github" else []
        words += ["--shards", str(self.shards)] if self.shards > 1 else []
        words += ["--install", self.install] if self.install != INSTALL else []
        return shlex.join(words)


def write_ci_file(root: Path, continuous: Continuous, *, force: bool = False) -> Path:
    """Write the file for a book, and return its path; one that is there and differs is replaced only by `force`."""
    path, text = root / SERVICES[continuous.service], continuous.text()
    if path.exists() and path.read_text("utf-8", "replace") != text and not force:
        raise UsageError(f"{path} is there already", hint="--force replaces it")
    write_atomically(path, text)
    if path.suffix == ".sh":
        path.chmod(0o755)
    return path
