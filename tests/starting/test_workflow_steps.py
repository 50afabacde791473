"""The steps of the workflow for GitHub, run here: what pull requests and the main branch read, keep and publish."""

import glob
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from d2lbuild.cli.app import run
from d2lbuild.starting.continuous import SERVICES
from tests.books import write_book

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

BASH = shutil.which("bash")
CELL = "```{.python .input}\n#@tab pytorch\n%s\n```\n"
FILES = {
    "index.md": "# Book\n\n```toc\none\ntwo\n```\n",
    "one.md": "# One\n:label:`sec_one`\n\n" + CELL % "print(6 * 7)",
    "two.md": "# Two\n:label:`sec_two`\n\n" + CELL % "print(43)",
}
CONF = '[book]\nname = "mini"\ntitle = "Mini"\nframeworks = ["pytorch"]\n'
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
MAIN, PULL_REQUEST = "refs/heads/main", "refs/pull/7/merge"


@dataclass
class Service:
    """Stands in for GitHub: runs a workflow's jobs one after another, each in a clone of its own."""

    folder: Path
    results: dict[str, Path] = field(default_factory=dict)
    """What the branch has cached that all others read."""
    published: Path | None = None
    runs: int = 0

    def __call__(self, book: Path, ref: str) -> "Run":
        self.runs += 1
        workflow = import_module("yaml").safe_load((book / SERVICES["github"]).read_text("utf-8"))
        one = Run(self, book, ref, self.folder / str(self.runs))
        for name, job in workflow["jobs"].items():
            one.job(name, job, workflow["env"])
        return one


@dataclass
class Run:
    """One run of a workflow: how its jobs ended, what they said, and what it keeps."""

    service: Service
    book: Path
    ref: str
    folder: Path
    ended: dict[str, str] = field(default_factory=dict)
    said: str = ""
    artefacts: dict[str, Path] = field(default_factory=dict)

    def job(self, name: str, job: Mapping[str, Any], variables: Mapping[str, str]) -> None:
        wanted = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
        good = all(self.ended[one] == "success" for one in wanted)
        if not (self.holds(job["if"], good=good) if "if" in job else good):
            self.ended[name] = "skipped"
            return
        matrix = job.get("strategy", {}).get("matrix", {})
        ends = {
            self.machine(f"{name}-{number}", job, variables, dict(zip(matrix, values, strict=True)))
            for number, values in enumerate(itertools.product(*matrix.values()))
        }
        self.ended[name] = "success" if ends == {True} else "failure"

    def holds(self, condition: str, *, good: bool) -> bool:
        """Return what the conditions that the workflow has come to."""
        found = {
            "always()": True,
            "always() && needs.check.result == 'success'": self.ended.get("check") == "success",
            "github.ref == 'refs/heads/main'": good and self.ref == MAIN,
            "github.ref == 'refs/heads/main' && github.event_name == 'push'": good and self.ref == MAIN,
        }
        return found[condition]

    def machine(
        self, name: str, job: Mapping[str, Any], variables: Mapping[str, str], matrix: Mapping[str, Any]
    ) -> bool:
        """Run a job's steps on a machine of its own; return whether all went well."""
        place = self.folder / name
        place.mkdir(parents=True)
        values = {f"matrix.{key}": str(value) for key, value in matrix.items()}
        values |= {"github.run_id": str(self.service.runs), "github.workspace": str(place)}

        def filled(text: object) -> str:
            return EXPRESSION.sub(lambda match: values[match[1]], str(text))

        own = {key: filled(value) for key, value in {**variables, **job.get("env", {})}.items()}
        good = True
        for step in job["steps"]:
            if not (self.holds(step["if"], good=good) if "if" in step else good):
                continue
            if "run" in step:
                good &= self.shell(filled(step["run"]), place, own)
            else:
                action = step["uses"].partition("@")[0].removeprefix("actions/").replace("/", "_").replace("-", "_")
                inputs = {key: filled(value) for key, value in step.get("with", {}).items()}
                good &= getattr(self, action)(place, **inputs) is not False
        return good

    def shell(self, script: str, place: Path, own: Mapping[str, str]) -> bool:
        """Run a step as GitHub does."""
        if script.startswith("pip install"):
            return True  # it is installed here
        assert BASH
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("D2LBUILD", "GITHUB"))},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            **own,
        }
        done = subprocess.run(
            [BASH, "-e", "-c", script], cwd=place, env=environment, capture_output=True, text=True, check=False
        )
        self.said += f"{place.name}$ {script}\n{done.stdout}{done.stderr}"
        return done.returncode == 0

    # --- the actions that the workflow uses ---

    def checkout(self, place: Path) -> None:
        shutil.copytree(self.book, place, dirs_exist_ok=True)

    def setup_python(self, place: Path, **_: str) -> None: ...

    def cache_restore(self, place: Path, path: str, **keys: str) -> None:
        found = [key for key in self.service.results if key.startswith(keys["restore-keys"])]
        if found:
            shutil.copy(self.service.results[found[-1]], place / path)

    def cache_save(self, place: Path, path: str, key: str) -> None:
        assert key not in self.service.results
        self.service.results[key] = place / path

    def upload_artifact(self, place: Path, name: str, path: str, **_: str) -> None:
        """Keep files with their paths below the folder that all patterns name before any wildcard."""
        patterns = path.split()
        found = [Path(one) for pattern in patterns for one in glob.glob(pattern, root_dir=place)]  # noqa: PTH207
        files = [one for top in found for one in ([top] if (place / top).is_file() else _files(place, top))]
        if not files:
            return
        assert name not in self.artefacts
        (common,) = {pattern.partition("*")[0].rpartition("/")[0] for pattern in patterns}
        self.artefacts[name] = self.folder / "artefacts" / name
        for file in files:
            kept = self.artefacts[name] / file.relative_to(common)
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(place / file, kept)

    def download_artifact(self, place: Path, pattern: str, path: str, **more: str) -> None:
        """Take what is kept: each into a folder of its own, unless there is only one, or all are put together."""
        found = {name: one for name, one in self.artefacts.items() if name.startswith(pattern.removesuffix("*"))}
        for name, kept in found.items():
            together = more.get("merge-multiple") == "True" or len(found) == 1
            shutil.copytree(kept, place / path if together else place / path / name, dirs_exist_ok=True)

    def upload_pages_artifact(self, place: Path, path: str) -> None:
        self.artefacts["github-pages"] = place / path

    def deploy_pages(self, place: Path) -> None:
        self.service.published = self.artefacts["github-pages"]


def _files(place: Path, top: Path) -> Iterator[Path]:
    """Yield the files below a folder that are not hidden."""
    for one in sorted((place / top).rglob("*")):
        path = one.relative_to(place)
        if one.is_file() and not any(part.startswith(".") for part in path.parts):
            yield path


@pytest.fixture
def book(tmp_path: Path) -> Path:
    root = write_book(tmp_path / "book", FILES, conf=CONF)
    (root / "frameworks" / "pytorch").mkdir(parents=True)
    definition = f"title = 'PyTorch'\nmodule = 'torch'\ninterpreter = {json.dumps(sys.executable)}\n"
    (root / "frameworks" / "pytorch" / "framework.toml").write_text(definition, "utf-8")
    return root


@pytest.mark.skipif(BASH is None, reason="there is no bash")
def test_parts_are_put_together(tmp_path: Path, book: Path) -> None:
    assert run(["ci", "init", "--shards", "2", "--book", str(book)]) == 0
    service = Service(tmp_path / "service")
    main = service(book, MAIN)
    assert set(main.ended.values()) == {"success"}, main.said
    assert main.said.count("1 run,") == 2
    assert service.published
    assert "<pre>43</pre>" in (service.published / "two.html").read_text("utf-8")


@pytest.mark.skipif(BASH is None, reason="there is no bash")
def test_a_pull_request_gets_a_preview_and_the_main_branch_is_published(tmp_path: Path, book: Path) -> None:
    assert run(["ci", "init", "--book", str(book)]) == 0
    service = Service(tmp_path / "service")
    main = service(book, MAIN)
    assert main.ended == dict.fromkeys(("check", "run", "pages", "publish"), "success"), main.said
    assert service.published
    for page, answer in (("one", "42"), ("two", "43")):
        assert f"<pre>{answer}</pre>" in (service.published / f"{page}.html").read_text("utf-8")

    # A pull request runs what it changes alone, and everyone can look at it; what others see stays.
    two = book / "chapters" / "two.md"
    two.write_text(two.read_text("utf-8").replace("43", "44"), "utf-8")
    published, kept = service.published, dict(service.results)
    asked = service(book, PULL_REQUEST)
    assert asked.ended == {"check": "success", "run": "success", "pages": "success", "publish": "skipped"}, asked.said
    assert asked.said.count("1 run,") == 1
    (preview,) = asked.artefacts["preview"].glob("*/html")
    assert "<pre>44</pre>" in (preview / "two.html").read_text("utf-8")
    assert "<pre>42</pre>" in (preview / "one.html").read_text("utf-8")
    assert [one.name for one in asked.artefacts["preview"].glob("**/*.zip")] == ["mini-notebooks.zip"]
    assert (service.published, service.results) == (published, kept)

    # A mistake is told, and looked at just the same.
    two.write_text(two.read_text("utf-8").replace("print(44)", "print(1 / 0)"), "utf-8")
    failed = service(book, PULL_REQUEST)
    assert (failed.ended["run"], failed.ended["publish"]) == ("failure", "skipped")
    (preview,) = failed.artefacts["preview"].glob("*/html")
    assert "was not executed" in (preview / "two.html").read_text("utf-8")
    assert "<pre>42</pre>" in (preview / "one.html").read_text("utf-8")
    reports = sorted(
        one for name, kept in failed.artefacts.items() if name != "preview" for one in kept.glob("r*.html")
    )
    assert [one.name for one in reports] == ["report-pytorch-1.html"]
    assert "ZeroDivisionError" in reports[0].read_text("utf-8")
