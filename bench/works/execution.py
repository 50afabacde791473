"""How long running the notebooks of a book takes, beside nbconvert, nbclient, papermill and jupyter-cache."""

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from bench import peers
from bench.measuring import ENVIRONMENT, OURS, Rows, Setting, ours, run
from d2lbuild.config import Config, load_config
from d2lbuild.execution.environments.environments import find
from d2lbuild.execution.home import cache_home

TITLE = "Running notebooks"
ABOUT = """\
Four sections of this repository's own book, with the environments of its frameworks. d2lbuild
plans, makes the library and writes the notebooks with their outputs; the others get notebooks that are written
already, with the library on their path, and run them one after the other, as they do by themselves, all that is
possible in one call. What keeps nothing runs everything again after any change."""
PEER_KERNEL = "bench"

_BOOK = Path(__file__).resolve().parents[2]
_SECTIONS = tuple(f"linear-regression/{name}" for name in ("synthetic-data", "from-scratch", "concise", "weight-decay"))
_SAVED = "Examples of a linear relation with normal noise."
_SAVING = _BOOK / "chapters" / "linear-regression" / "synthetic-data.md"

JUPYTER_CACHE = """\
import sys
from jupyter_cache import get_cache
from jupyter_cache.executors import load_executor

cache = get_cache(sys.argv[1])
for record in cache.list_project_records():
    cache.remove_nb_from_project(record.pk)
for path in sys.argv[2:]:
    cache.add_nb_to_project(path)
result = load_executor("local-serial", cache).run_and_cache(timeout=600)
if not result.all() == result.succeeded:
    sys.exit(f"failed: {result}")
"""
"""Runs the notebooks of its arguments that the cache in the first one does not have."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything happens."""

    setting: Setting
    config: Config

    def ours(self, frameworks: str, task: str, rows: Rows) -> int:
        """Build with the results that there are, and return how many notebooks ran."""
        report = self.setting.folder / "report.xml"
        output = self.setting.folder / "execution" / "output"
        choices = ["--framework", frameworks, "--to", "notebooks", "--output", output, "--report", report]
        done = run(
            ours("build", "--book", self.config.root, *choices, *_SECTIONS),
            environment=self.setting.environment("execution"),
        )
        rows.note(task, OURS, done.seconds)
        return len(ran(report))

    def forget(self) -> None:
        """Remove the results, but not the environments."""
        cache = self.setting.folder / "execution" / "cache"
        shutil.rmtree(self.setting.folder / "execution", ignore_errors=True)
        cache.mkdir(parents=True)
        (cache / "environments").symlink_to(cache_home() / "environments")


def measure(setting: Setting) -> Rows:
    """Run all notebooks of one framework and of all, then those that a change concerns."""
    rows = Rows()
    book = Setting(_BOOK, setting.folder, 1).copy("repository", without=("docs", "tests", "d2lbuild"))
    place = Place(setting, load_config(book))
    run(ours("env", "sync", "--book", book))
    names = [one.name for one in place.config.frameworks]
    for title, frameworks in (("one framework", names[:1]), ("all frameworks", names)):
        chosen = ",".join(frameworks)
        place.forget()
        count = place.ours(chosen, f"{title}, nothing kept", rows)
        rows.note(f"{title}, notebooks", OURS, count, "notebooks")
        if setting.peers:
            _their_turn(place, title, frameworks, rows)
        place.ours(chosen, f"{title}, nothing changed", rows)
    section = book / _SAVING.relative_to(_BOOK)
    text = section.read_text("utf-8")
    if _SAVED not in text:
        raise SystemExit(f"{_SAVING} has changed: bench/works/execution.py cannot edit it")
    section.write_text(text.replace(_SAVED, f"{_SAVED[:-1]}, once more."), "utf-8")
    count = place.ours(",".join(names), "all frameworks, one saved function changed", rows)
    rows.note("all frameworks, notebooks that use it", OURS, count, "notebooks")
    return rows


def ran(report: Path) -> list[tuple[str, str]]:
    """Return the notebooks that a build ran, from its report: framework and section."""
    root = ET.parse(report).getroot()
    if (root.get("failures"), root.get("errors"), root.get("skipped")) != ("0", "0", "0"):
        raise SystemExit(
            f"notebooks failed or were skipped: times would say nothing\n{report.read_text('utf-8')[:3000]}"
        )
    return [
        (case.attrib["classname"], case.attrib["name"])
        for case in root.iter("testcase")
        if case.find("properties/property[@name='cached']").get("value") == "false"  # type: ignore[union-attr]
    ]


# --- the others -----------------------------------------------------------------------------------------------------


def _their_turn(place: Place, title: str, frameworks: Sequence[str], rows: Rows) -> None:
    task = f"{title}, nothing kept"
    found = {name: _notebooks(place, name) for name in frameworks}
    rows.note(task, "nbconvert", _each(place, found, nbconvert))
    if len(frameworks) > 1:
        return  # these do the same, one notebook after the other, and would take minutes
    rows.note(task, "nbclient", _each(place, found, nbclient))
    rows.note(task, "papermill", _each(place, found, papermill))
    rows.note(task, "jupyter-cache", _each(place, found, _jupyter_cache(place)))
    rows.note(f"{title}, nothing changed", "jupyter-cache", _each(place, found, _jupyter_cache(place)))


Commands = Callable[[Sequence[str]], list[list[str]]]
"""Returns what runs notebooks with one of the others."""


def nbconvert(files: Sequence[str]) -> list[list[str]]:
    """Return what runs notebooks with nbconvert."""
    return [[peers.program("execution", "jupyter-nbconvert"), "--to", "notebook", "--inplace", "--execute", *files]]


def nbclient(files: Sequence[str]) -> list[list[str]]:
    """Return what runs notebooks with nbclient's own program."""
    return [[peers.program("execution", "jupyter-execute"), "--inplace", *files]]


def papermill(files: Sequence[str]) -> list[list[str]]:
    """Return what runs notebooks with papermill, which takes one at a time."""
    program = peers.program("execution", "papermill")
    return [[program, "--no-progress-bar", "--cwd", str(Path(file).parent), file, file] for file in files]


def _jupyter_cache(place: Place) -> Commands:
    cache = place.setting.folder / "jupyter-cache"

    def commands(files: Sequence[str]) -> list[list[str]]:
        return [[peers.program("execution", "python"), "-c", JUPYTER_CACHE, str(cache), *files]]

    return commands


def _each(place: Place, found: Mapping[str, Sequence[str]], commands: Commands) -> float:
    """Return the seconds that one of the others takes for the notebooks of all frameworks."""
    environment = peer_environment(place.setting.folder / "jupyter")
    return sum(run(one, environment=environment).seconds for files in found.values() for one in commands(files))


def _notebooks(place: Place, framework: str) -> list[str]:
    """Write the notebooks of a framework for the others, and the kernel that they name; return their files."""
    setting, config = place.setting, place.config
    environment = setting.environment("execution")
    output, library = setting.folder / "written", setting.folder / "library"
    choices = ["--no-execute", "--framework", framework, "--to", "notebooks", "--output", output]
    run(ours("build", "--book", config.root, *choices), environment=environment)
    run(ours("extract-lib", "--no-import", "--book", config.root, "--output", library), environment=environment)
    python = find(config.framework(framework), cache_home())
    assert python is not None
    kernel = f"{PEER_KERNEL}-{framework}"
    argv = [str(python.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    write_kernel(setting.folder / "jupyter", kernel, argv, {"PYTHONPATH": str(library)})
    folder = output / framework / "notebooks" / framework
    wanted = [folder / f"{section}.ipynb" for section in _SECTIONS]
    return [str(path) for path in wanted if _name_kernel(path, kernel)]


def write_kernel(jupyter: Path, name: str, argv: Sequence[str], variables: Mapping[str, str]) -> None:
    """Describe a kernel to Jupyter."""
    folder = jupyter / "kernels" / name
    folder.mkdir(parents=True, exist_ok=True)
    spec = {"argv": list(argv), "display_name": name, "language": "python", "env": dict(variables)}
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")


def peer_environment(jupyter: Path) -> dict[str, str]:
    """Return variables with which the others find such kernels, and nothing of the user's."""
    own = dict.fromkeys(("JUPYTER_PATH", "JUPYTER_CONFIG_DIR", "IPYTHONDIR"), str(jupyter))
    path = f"{peers.folder('execution') / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {**{name: value for name, value in ENVIRONMENT.items() if name != "PYTHONPATH"}, **own, "PATH": path}


def _name_kernel(path: Path, kernel: str) -> bool:
    """Let a notebook name a kernel; return whether it has code."""
    notebook = json.loads(path.read_text("utf-8"))
    notebook["metadata"]["kernelspec"] = {"name": kernel, "display_name": kernel, "language": "python"}
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return any(cell["cell_type"] == "code" for cell in notebook["cells"])
