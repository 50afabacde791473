"""Whether a library module can be imported where its notebooks run.

What came out is kept under a digest of the module and its environment: frameworks take seconds to import.
"""

import hashlib
import json
import os
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from d2lbuild.edition.library import Library
from d2lbuild.edition.library_checks import place
from d2lbuild.execution.environments.environments import Environment
from d2lbuild.execution.placeholders import filled
from d2lbuild.files import write_atomically
from d2lbuild.model import Finding, Severity

__all__ = ["import_library"]

_SCRIPT = """
import importlib, json, sys, traceback
name, file, answer = sys.argv[1:]
found = {"error": "", "message": "", "line": 0, "missing": ""}
try:
    importlib.import_module(name)
except BaseException as error:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    if isinstance(error, SyntaxError) and error.filename == file:
        lines.append(error.lineno)
    found["error"] = type(error).__name__
    found["message"] = str(error)
    found["line"] = lines[-1] if lines else 0
    if isinstance(error, ModuleNotFoundError):
        found["missing"] = error.name or ""
with open(answer, "w", encoding="utf-8") as stream:
    json.dump(found, stream)
"""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How an import ended; `error` is empty if it succeeded."""

    error: str = ""
    message: str = ""
    line: int = 0
    """The last line of the module that was being executed; 0 if there is none."""
    missing: str = ""
    """The module that was not found."""


def import_library(library: Library, environment: Environment, home: Path, *, timeout: float = 120.0) -> Finding | None:
    """Import the module in its environment, in a process of its own; return what went wrong, None if nothing did."""
    cached = home / "imports" / f"{_key(library, environment)}.json"
    try:
        outcome = _Outcome(**json.loads(cached.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        outcome = _import(library, environment, timeout)
        if outcome.error != _CHANCE:
            write_atomically(cached, json.dumps(asdict(outcome)))
    return _finding(library, outcome) if outcome.error else None


_CHANCE = "died"


def _key(library: Library, environment: Environment) -> str:
    name = f"{library.package}.{library.framework.module}"
    parts = [name, library.source, environment.digest, dict(library.framework.variables)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _import(library: Library, environment: Environment, timeout: float) -> _Outcome:
    with tempfile.TemporaryDirectory(prefix="d2lbuild-") as temporary:
        folder = Path(temporary).resolve()
        package = folder / library.package
        package.mkdir()
        (package / "__init__.py").touch()
        module = package / f"{library.framework.module}.py"
        module.write_text(library.source, encoding="utf-8")
        answer = folder / "answer.json"
        name = f"{library.package}.{library.framework.module}"
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        stated = filled(library.framework.variables, threads=1, downloads=folder / "downloads")
        try:
            done = subprocess.run(
                [str(environment.python), "-c", _SCRIPT, name, str(module), str(answer)],
                cwd=folder,
                env={**inherited, "MPLBACKEND": "agg", "PYTHONUTF8": "1", **stated},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=timeout,
            )
            return _Outcome(**json.loads(answer.read_text("utf-8")))
        except subprocess.TimeoutExpired:
            return _Outcome(_CHANCE, f"it has not ended after {timeout:g} s")
        except OSError as error:
            if not isinstance(error, FileNotFoundError) or error.filename != str(answer):
                return _Outcome(_CHANCE, f"{environment.python} does not run: {error.strerror}")
            lines = done.stderr.decode(errors="replace").strip().splitlines() or [""]
            return _Outcome(_CHANCE, f"the process ended with {done.returncode}: {lines[-1]}".rstrip(": "))


def _finding(library: Library, outcome: _Outcome) -> Finding:
    name = f"{library.package}.{library.framework.module}"
    reason = f"{outcome.error}: {outcome.message}" if outcome.error != _CHANCE else outcome.message
    message = f"importing {name} fails in the environment of {library.framework.name}: {reason}"
    span = place(library, outcome.line) if outcome.line else None
    if outcome.missing and outcome.missing.split(".")[0] != library.package:
        hint = f"if the book needs it, add what has '{outcome.missing}' to the framework's requirements.in"
        return Finding("library-import", message, span, Severity.WARNING, hint)
    return Finding("library-import", message, span)
