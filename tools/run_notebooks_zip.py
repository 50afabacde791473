"""Runs the notebooks of a zip that `d2lbuild build --to notebooks` has made, as a reader would.

    python tools/run_notebooks_zip.py BOOK-notebooks.zip FRAMEWORK [--except SECTION …] [--jobs N]

The zip is unpacked into a temporary folder, an environment is made there with nothing but what `pip install -r` of the
zip's own requirements brings, and each notebook runs in it, in its own folder, with an empty home and without a
network. Prints what runs and what fails; exits with 1 if anything does.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_RUN = """
import sys, nbformat
from nbclient import NotebookClient
from d2lbuild.execution.kernels.kernel_process import leave_network
path, folder = sys.argv[1:]
if problem := leave_network():
    sys.exit(f"a network cannot be taken away: {problem}")
notebook = nbformat.read(path, as_version=4)
nbformat.validate(notebook)
NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
"""


def main() -> int:
    """Run everything and say what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("framework")
    parser.add_argument("--except", dest="left_out", action="append", default=[], metavar="SECTION")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--python", default=sys.executable, help="what the environment is made with")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        with zipfile.ZipFile(chosen.archive) as archive:
            archive.extractall(place)
        (folder,) = Path(place).glob(f"*/{chosen.framework}")
        environment = Path(place, "environment")
        begun = time.monotonic()
        subprocess.run([chosen.python, "-m", "venv", str(environment)], check=True)
        python, variables = str(environment / "bin" / "python"), _variables(Path(place), environment)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", "requirements.txt"], cwd=folder, check=True)
        # By its whole path: where a kernel is called `python`, Jupyter takes the one that it runs in itself.
        kernel = [python, "-m", "ipykernel", "install", "--prefix", str(environment)]
        subprocess.run(kernel, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        print(f"{chosen.framework}: installed in {time.monotonic() - begun:.0f} s", flush=True)
        notebooks = [path for path in sorted(folder.rglob("*.ipynb")) if _name(path, folder) not in chosen.left_out]
        begun = time.monotonic()
        with ThreadPoolExecutor(chosen.jobs) as threads:
            ended = []
            for path, said in zip(notebooks, threads.map(lambda path: _run(path, variables), notebooks), strict=True):
                ended.append(said)
                print(f"{_name(path, folder)} " + (f"fails:\n{said}\n" if said else "runs"), flush=True)
        done = f"{ended.count('')} of {len(notebooks)} notebooks run to their end"
        print(f"{chosen.framework}: {done}, in {time.monotonic() - begun:.0f} s", flush=True)
    return int(any(ended))


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).with_suffix("").as_posix()


def _variables(place: Path, environment: Path) -> dict[str, str]:
    """Return the variables for a kernel of the environment, which sees nothing of this one."""
    home = place / "home"
    home.mkdir()
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "JUPYTER", "IPYTHON"))},
        "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "JUPYTER_PATH": str(environment / "share" / "jupyter"),
        "JUPYTER_PREFER_ENV_PATH": "0",
    }


def _run(path: Path, variables: dict[str, str]) -> str:
    """Run a notebook; return the end of what was said if it failed."""
    done = subprocess.run(
        [sys.executable, "-c", _RUN, str(path), str(path.parent)],
        env=variables, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return "\n".join(done.stderr.strip().splitlines()[-12:]) if done.returncode else ""


if __name__ == "__main__":
    sys.exit(main())
