"""How long running all notebooks of a book takes: d2lbuild beside `jupyter nbconvert --execute`, in turns, in one run.

    python bench/execution.py [--book BOOK] [--frameworks pytorch jax] [--sections SECTION …] [--rounds 1]

Ours is a whole `d2lbuild build` with an empty cache of results, the website included. nbconvert, in an environment
of its own, runs the notebooks that d2lbuild writes with the same environments of the frameworks: in one process,
and in two at once. It gets all notebooks of a framework in one call, so that it starts as rarely as it can; the two
processes share them evenly, by the times that d2lbuild has measured.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from d2lbuild.config import Config, load_config
from d2lbuild.execution.environments.environments import find
from d2lbuild.execution.home import cache_home

PEER = ("nbconvert==7.16.6", "nbclient==0.10.2", "jupyter-client==8.6.3", "nbformat==5.10.4")

Job = tuple[str, str]
"""A framework and a section."""


@dataclass(frozen=True)
class Place:
    """Where everything happens."""

    folder: Path
    config: Config
    frameworks: tuple[str, ...]
    sections: tuple[str, ...]

    @property
    def environment(self) -> dict[str, str]:
        """The variables for d2lbuild: results of its own, but the environments that are there."""
        return {**os.environ, "D2LBUILD_CACHE": str(self.folder / "cache")}

    def ours(self, command: str, *arguments: str) -> list[str]:
        """Return a command line of d2lbuild."""
        program = str(Path(sys.executable).with_name("d2lbuild"))
        chosen = ["--book", str(self.config.root), "--framework", ",".join(self.frameworks)]
        return [program, command, *chosen, *arguments, *self.sections]


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--book", type=Path, default=Path(__file__).parents[1])
    parser.add_argument("--frameworks", nargs="+", metavar="NAME", help="Default: all.")
    parser.add_argument(
        "--sections", nargs="+", default=[], metavar="SECTION", help="Sections or folders. Default: all."
    )
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    config = load_config(options.book.absolute())
    frameworks = tuple(options.frameworks or (framework.name for framework in config.frameworks))
    peer = peer_command()
    with tempfile.TemporaryDirectory(prefix="d2lbench") as folder:
        place = Place(Path(folder), config, frameworks, tuple(options.sections))
        prepare(place)
        times: dict[str, list[float]] = {}
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
            measure(place, peer, times)
    show({name: statistics.median(found) for name, found in times.items()})
    return 0


def prepare(place: Place) -> None:
    """Make what is no part of the work: environments, notebooks for nbconvert, descriptions of kernels."""
    run([str(Path(sys.executable).with_name("d2lbuild")), "env", "sync", "--book", str(place.config.root)])
    (place.folder / "cache").mkdir()
    (place.folder / "cache" / "environments").symlink_to(cache_home() / "environments")
    written = place.folder / "written"
    run(place.ours("build", "--no-execute", "--to", "notebooks", "--output", str(written)), place.environment)
    (edition,) = (path for path in written.iterdir() if (path / "notebooks").is_dir())
    shutil.move(edition / "notebooks", place.folder / "notebooks")
    chapters = place.config.root / place.config.chapters
    for name in place.frameworks:
        for pattern in place.config.resources:
            for source in chapters.glob(pattern.rstrip("/")):
                copy(source, place.folder / "notebooks" / name / source.relative_to(chapters))
        found = find(place.config.framework(name), cache_home())
        assert found is not None
        kernel = {
            "argv": [str(found.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": name,
            "language": "python",
            "env": {"PYTHONPATH": str(written / "lib")},
        }
        kernels = place.folder / "jupyter" / "kernels" / f"bench-{name}"
        kernels.mkdir(parents=True)
        (kernels / "kernel.json").write_text(json.dumps(kernel), encoding="utf-8")


def copy(source: Path, target: Path) -> None:
    """Copy a file or a folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)


def measure(place: Place, peer: str, times: dict[str, list[float]]) -> None:
    """Let each do all of the work once."""
    for path in (place.folder / "cache").iterdir():
        if path.name != "environments":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.rmtree(place.folder / "site", ignore_errors=True)
    report = place.folder / "report.xml"
    build = place.ours("build", "--output", str(place.folder / "site"), "--report", str(report))
    taken = run(build, place.environment)
    cold = ran(report)
    times.setdefault(f"d2lbuild build, cold: {len(cold)} run", []).append(taken)
    times.setdefault("nbconvert, one after the other", []).append(converted(place, peer, [list(cold)]))
    times.setdefault("nbconvert, two processes", []).append(converted(place, peer, dealt(cold)))
    taken = run(build, place.environment)
    times.setdefault(f"d2lbuild build, warm: {len(ran(report))} run", []).append(taken)
    times.setdefault("d2lbuild plan, warm", []).append(run(place.ours("plan"), place.environment))


def ran(report: Path) -> dict[Job, float]:
    """Return the notebooks that a build ran, and for how long, from its report."""
    root = ET.parse(report).getroot()
    if (root.get("failures"), root.get("errors"), root.get("skipped")) != ("0", "0", "0"):
        raise SystemExit("notebooks failed or were skipped: times would say nothing")
    return {
        (case.attrib["classname"], case.attrib["name"]): float(case.attrib["time"])
        for case in root.iter("testcase")
        if case.find("properties/property[@name='cached']").get("value") == "false"  # type: ignore[union-attr]
    }


def dealt(jobs: Mapping[Job, float]) -> list[list[Job]]:
    """Deal notebooks to two processes, so that both have as much to do."""
    hands: list[list[Job]] = [[], []]
    sums = [0.0, 0.0]
    for job, seconds in sorted(jobs.items(), key=lambda item: -item[1]):
        least = sums.index(min(sums))
        hands[least].append(job)
        sums[least] += seconds
    return hands


def converted(place: Place, peer: str, hands: Sequence[Sequence[Job]]) -> float:
    """Let nbconvert execute notebooks, each hand in a process of its own, and return the wall time."""
    work = place.folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(place.folder / "notebooks", work)
    own = {name: str(place.folder / "jupyter") for name in ("JUPYTER_PATH", "JUPYTER_CONFIG_DIR", "IPYTHONDIR")}
    environment = {**os.environ, **own}

    def play(hand: Sequence[Job]) -> None:
        for framework in place.frameworks:
            files = [str(work / framework / f"{section}.ipynb") for name, section in hand if name == framework]
            if files:
                kernel = f"--ExecutePreprocessor.kernel_name=bench-{framework}"
                run([peer, "--to", "notebook", "--inplace", "--execute", kernel, *files], environment)

    begun = time.perf_counter()
    with ThreadPoolExecutor(len(hands)) as pool:
        list(pool.map(play, hands))
    return time.perf_counter() - begun


def peer_command() -> str:
    """Install nbconvert, unless it is there, and return its program."""
    folder = cache_home() / "bench" / PEER[0].replace("==", "-")
    program = folder / "bin" / "jupyter-nbconvert"
    if not program.exists():
        run([sys.executable, "-m", "venv", str(folder)])
        run([str(folder / "bin" / "pip"), "install", "--quiet", *PEER])
    return str(program)


def run(command: Sequence[str], environment: Mapping[str, str] = os.environ) -> float:
    """Run a command and return its wall time."""
    begun = time.perf_counter()
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
    taken = time.perf_counter() - begun
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} exited with {done.returncode}:\n{done.stderr[-3000:]}")
    return taken


def show(times: Mapping[str, float]) -> None:
    """Print the table; the first row is what the others are compared with."""
    (_, cold), *_ = times.items()
    print(f"{'work':40}{'seconds':>10}{'ratio':>8}")
    for name, seconds in times.items():
        ratio = f"{seconds / cold:8.1f}" if name.startswith("nbconvert") else ""
        print(f"{name:40}{seconds:10.2f}{ratio}")


if __name__ == "__main__":
    raise SystemExit(main())
