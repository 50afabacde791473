"""A contributor's change, from the clone to the published page, and a framework's upgrade, as one story."""

import json
from pathlib import Path
from typing import Any

import pytest

from d2lbuild.cli.app import run
from tests.books import write_book
from tests.test_affected import git

pytestmark = [pytest.mark.integration, pytest.mark.frameworks, pytest.mark.timeout(900)]

CELL = "```{.python .input}\n#@tab pytorch\n%s\n```\n"
USE = "# Two\n:label:`sec_two`\n\n" + CELL % "import d2l.torch as d2l" + "\n" + CELL % "print(d2l.f(20))"
FILES = {
    "index.md": "# The Book\n:label:`sec_book`\n\n```toc\none\ntwo\nthree\n```\n",
    "one.md": "# One\n:label:`sec_one`\n\n" + CELL % "def f(x):  #@save\n    return x + 1",
    "two.md": USE,
    "three.md": "# Three\n:label:`sec_three`\n\n" + CELL % "import six\nprint('six', six.__version__)",
}
CONF = '[book]\nname = "story"\ntitle = "A Story"\nrelease = "1.0"\nframeworks = ["pytorch"]\n'
DEFINITION = 'title = "PyTorch"\nmodule = "torch"\npackages = ["six"]\n'


class Machine:
    """A computer with a cache of its own; environments are shared, since making them takes longest."""

    def __init__(self, folder: Path, name: str, patched: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.cache = folder / "machines" / name
        self.cache.mkdir(parents=True)
        environments = folder / "environments"
        environments.mkdir(exist_ok=True)
        (self.cache / "environments").symlink_to(environments)
        self._patched, self._capfd = patched, capfd

    def __call__(self, book: Path, *arguments: str, code: int = 0) -> str:
        """Run a command; return everything that it says."""
        self._patched.setenv("D2LBUILD_CACHE", str(self.cache))
        self._patched.chdir(book)
        self._capfd.readouterr()
        found = run(list(arguments))
        said = "".join(self._capfd.readouterr())
        assert found == code, said
        return said


def change(book: Path, name: str, old: str, new: str) -> None:
    path = book / "chapters" / name
    assert old in path.read_text("utf-8")
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


def test_the_story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    def machine(name: str) -> Machine:
        return Machine(tmp_path, name, monkeypatch, capfd)

    origin = write_book(tmp_path / "origin", dict(FILES), conf=CONF)
    place = origin / "frameworks" / "pytorch"
    place.mkdir(parents=True)
    (place / "framework.toml").write_text(DEFINITION, "utf-8")
    (place / "requirements.in").write_text("ipykernel>=6.29\nsix==1.16.0\n", "utf-8")
    (origin / ".gitignore").write_text("_build/\n*.zip\n", "utf-8")
    git(origin, "init", "-q")
    maintainer = machine("maintainer")
    maintainer(origin, "env", "lock", "pytorch")
    git(origin, "add", "-A")
    git(origin, "commit", "-qm", "The book")
    git(origin, "branch", "-M", "main")
    maintainer(origin, "build", "--to", "none")
    shared = str(tmp_path / "shared")
    assert "3 results" in maintainer(origin, "cache", "push", shared)

    # A contributor changes a saved function, and breaks who uses it.
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(origin), str(clone))
    git(clone, "switch", "-qc", "better")
    change(clone, "one.md", "return x + 1", "return x.plus(1)")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    parts = [machine("part 1"), machine("part 2")]
    since = ("--changed-since", "origin/main")
    told = []
    for number, part in enumerate(parts, start=1):
        assert "1 new result; 2 notebooks without one" in part(clone, "cache", "pull", shared)
        broken = number == 2  # the parts have a notebook each
        options = ("--shard", f"{number}/2", "--to", "none")
        told.append(part(clone, "build", *since, *options, code=int(broken)))
    where = "file=chapters/two.md,line=11"
    assert [where in said for said in told] == [False, True]
    assert (
        f"::error {where},title=notebook-failed::pytorch: AttributeError: 'int' object has no attribute 'plus'"
        in told[1]
    )
    assert "| `chapters/two.md:11` | pytorch | **AttributeError**" in summary.read_text("utf-8")

    # It is mended; the parts run again, and their results are put together.
    change(clone, "one.md", "return x.plus(1)", "return x + 22")
    git(clone, "commit", "-qam", "Better")
    publisher = machine("publisher")
    for number, part in enumerate(parts, start=1):
        said = part(clone, "build", *since, "--shard", f"{number}/2", "--to", "none")
        assert "notebooks: 1 to run" in said
        part(clone, "cache", "export", f"part-{number}.zip")
        publisher(clone, "cache", "import", f"part-{number}.zip")
    assert "3 cached" in publisher(clone, "plan")
    publisher(clone, "build", "--no-execute", "--strict")
    site = tmp_path / "www"
    publisher(clone, "deploy", str(site))
    assert "<pre>42</pre>" in (site / "two.html").read_text("utf-8")
    before = {path: path.stat().st_mtime_ns for path in site.rglob("*")}
    assert "0 files written, 0 removed" in publisher(clone, "deploy", str(site))
    assert {path: path.stat().st_mtime_ns for path in site.rglob("*")} == before
    assert "2 notebooks without a result for origin/main" in publisher(clone, "diff", "origin/main")
    publisher(origin, "cache", "pull", shared)
    assert "chapters/two.md:11: pytorch: numbers, by up to 50.00%" in publisher(clone, "diff", "origin/main", code=1)

    # The framework is upgraded, and the outputs that it changes are named.
    requirements = clone / "frameworks" / "pytorch" / "requirements.in"
    requirements.write_text("ipykernel>=6.29\nsix==1.17.0\n", "utf-8")
    report = tmp_path / "upgrade.html"
    said = publisher(clone, "env", "upgrade", "pytorch", "--report", str(report), code=1)
    assert "chapters/three.md:6: pytorch:" in said
    assert "chapters/two.md" not in said
    assert "3 notebooks compared: 1 with other outputs" in said
    assert "six 1.16.0 → 1.17.0" in report.read_text("utf-8")
    publisher(clone, "plan")
    found: Any = json.loads(publisher(clone, "diff", "HEAD", "--json", code=1).partition("\n}")[0] + "\n}")
    assert [one["section"] for one in found["differing"]] == ["three"]
