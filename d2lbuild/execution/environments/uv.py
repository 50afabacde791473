"""Running uv, told about package indexes in the words of pip, and explaining what went wrong.

People who keep packages in a folder or on a mirror have told pip so through its environment variables. What pip reads
from its configuration files is not looked at.
"""

import collections
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from uv import find_uv_bin

from d2lbuild.errors import SetupError

__all__ = ["has_python", "run_uv", "uv_environment"]

_FALSE = ("", "0", "false", "no", "off")

_ADVICE = (
    (
        r"No interpreter found|No virtual environment or system Python",
        "install that version of Python, or set `python` or `interpreter` in the framework's framework.toml",
    ),
    (
        r"Failed to fetch|error sending request|dns error|Could not connect|timed out|offline|network connectivity",
        "check the network; for a mirror or a folder of wheels set PIP_INDEX_URL or PIP_FIND_LINKS",
    ),
    (
        r"no versions? of|not found in the|No solution|does not exist",
        "PIP_FIND_LINKS, PIP_INDEX_URL and PIP_EXTRA_INDEX_URL say where to look; `d2lbuild env lock` makes a new lock",
    ),
    (r"No space left", "free some space, or set D2LBUILD_CACHE to a folder on another disk"),
)
"""What to do, by what uv says."""


def uv_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for uv: pip's variables in uv's words. Variables of uv that are set already win."""
    told: dict[str, str] = {}
    for pip, uv, separator in (
        ("PIP_FIND_LINKS", "UV_FIND_LINKS", ","),
        ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", None),
        ("PIP_EXTRA_INDEX_URL", "UV_INDEX", " "),
        ("PIP_TRUSTED_HOST", "UV_INSECURE_HOST", " "),
        ("PIP_DEFAULT_TIMEOUT", "UV_HTTP_TIMEOUT", None),
        ("PIP_CERT", "SSL_CERT_FILE", None),
    ):
        value = environ.get(pip, "").strip()
        if value:
            told[uv] = value if separator is None else separator.join(value.split())
    if "UV_INDEX" in told:
        # pip takes the best version from any index; uv would stop at the first index that knows the name.
        told["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    # These would lead uv to another environment than the one it is told to fill, or into the running one.
    own = {"VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "UV_SYSTEM_PYTHON", "UV_PROJECT_ENVIRONMENT"}
    return told | {name: value for name, value in environ.items() if name not in own}


def _no_index(environ: Mapping[str, str]) -> bool:
    return environ.get("PIP_NO_INDEX", "").strip().lower() not in _FALSE


def run_uv(
    arguments: Sequence[str],
    *,
    framework: str,
    cwd: Path,
    on_line: Callable[[str], None],
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Run uv and pass each line that it says to `on_line`; SetupError with the last ones if it fails."""
    try:
        program = find_uv_bin()
    except FileNotFoundError as error:
        raise SetupError("uv is not installed", hint="run `pip install uv`") from error
    # `--no-index` has no variable of its own in uv.
    index = ["--no-index"] if arguments[0] == "pip" and _no_index(environ) else []
    command = [program, *arguments, *index]
    last: collections.deque[str] = collections.deque(maxlen=12)
    with subprocess.Popen(
        command,
        cwd=cwd,
        env={**uv_environment(environ), "NO_COLOR": "1", "UV_NO_PROGRESS": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                last.append(line.rstrip())
                on_line(line.rstrip())
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        said = "\n".join(f"  {line}" for line in last)
        shown = shlex.join(["uv", *command[1:]])
        raise SetupError(
            f"the environment of the framework {framework} cannot be made: `{shown}` failed:\n{said}",
            hint=_what_to_do("\n".join(last)),
        )


def _what_to_do(said: str) -> str:
    advice = (advice for signs, advice in _ADVICE if re.search(signs, said))
    return next(advice, "run that command by hand with `--verbose` to see more")


def has_python(version: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether uv finds a Python of some version, to make an environment with."""
    command = [find_uv_bin(), "python", "find", "--no-project", "--no-python-downloads", version]
    done = subprocess.run(
        command, env=uv_environment(environ), stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return done.returncode == 0
