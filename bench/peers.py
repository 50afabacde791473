"""The other tools, each in an environment of its own, with exactly the versions of `bench/peers/NAME.txt`.

`python -m bench.peers` makes those files from `NAME.in`. Environments lie in the user's cache folder and are made once.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from platformdirs import user_cache_path
from uv import find_uv_bin

from d2lbuild.execution.environments.uv import uv_environment

LOCKS = Path(__file__).parent / "peers"
_PYTHON = "3.11"


def program(peer: str, name: str) -> str:
    """Return a program of a peer's environment, which is made unless it is there."""
    return str(folder(peer) / "bin" / name)


def folder(peer: str) -> Path:
    """Return a peer's environment, which is made unless it is there."""
    lock = LOCKS / f"{peer}.txt"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    made = user_cache_path("d2lbuild-bench") / f"{peer}-{digest}"
    done = made / "complete"
    if not done.exists():
        print(f"installing {peer} into {made}", file=sys.stderr)
        make(made, "sync", str(lock))
        done.touch()
    return made


def make(place: Path, *arguments: str) -> None:
    """Make an environment with `uv pip ARGUMENTS`; one that is there is changed."""
    if not (place / "bin" / "python").exists():
        _uv("venv", "--quiet", "--clear", "--python", _PYTHON, str(place))
    _uv("pip", *arguments, "--quiet", "--python", str(place / "bin" / "python"))


def versions() -> dict[str, str]:
    """Return the versions of all that is named in the `.in` files."""
    found = {}
    for lock in sorted(LOCKS.glob("*.txt")):
        locked = dict(line.split("==") for line in lock.read_text("utf-8").splitlines() if "==" in line)
        for line in lock.with_suffix(".in").read_text("utf-8").splitlines():
            name = line.split("#")[0].split("=")[0].split("<")[0].strip()
            if name in locked and lock.stem != "plots":
                found[name] = locked[name]
    return found


def _uv(*arguments: str) -> None:
    subprocess.run([find_uv_bin(), *arguments], env=uv_environment(os.environ), check=True)


def main() -> None:
    """Lock the newest versions that fit together."""
    for wanted in sorted(LOCKS.glob("*.in")):
        options = ["--quiet", "--upgrade", "--no-header", "--no-annotate", "--no-emit-index-url"]
        target = str(wanted.with_suffix(".txt"))
        _uv("pip", "compile", *options, "--python-version", _PYTHON, str(wanted), "--output-file", target)


if __name__ == "__main__":
    main()
