"""An edition that is not in Python: TypeScript, run by Deno's kernel in an environment from its own lock."""

import re
import secrets
from pathlib import Path

import pytest

from d2lbuild.config import load_config
from d2lbuild.model import Status
from d2lbuild.pipeline import BuildReport, BuildRequest, build
from tests.books import write_book

pytestmark = [pytest.mark.integration, pytest.mark.frameworks, pytest.mark.timeout(1200)]

CONF = """\
[book]
name = "mini"
title = "A Mini Book"
frameworks = ["deno"]
resources = ["numbers.txt"]
[execution]
startup_timeout = 300
[check.rules]
long-line = "off"
"""

DEFINITION = """\
title = "Deno"
language = "typescript"
packages = ["deno"]
[kernel]
command = ["{environment}/bin/deno", "jupyter", "--kernel", "--conn", "{connection_file}"]
[variables]
DENO_DIR = "{downloads}/deno"
NO_COLOR = "1"
"""

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><circle cx="5" cy="5" r="4"/></svg>'

INDEX = """\
# The Book

```toc
one
wrong
```

```{.typescript .input}
//@tab all
const unused: number = 1;
```
"""

ONE = f"""\
# One

```{{.typescript .input}}
//@tab deno
//@needs timeout=500
const numbers: number[] = Deno.readTextFileSync("numbers.txt").trim().split(" ").map(Number);
console.log("the sum is", numbers.reduce((a, b) => a + b));
```

```{{.typescript .input}}
Deno.jupyter.svg`{SVG}`
```
"""

WRONG = """\
# Wrong

```{.typescript .input}
const deep = (): never => { throw new Error("on purpose"); };
deep();
```

```{.typescript .input}
console.log("never");
```
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {"index.md": INDEX, "one.md": ONE, "wrong.md": WRONG, "numbers.txt": "1 2 39\n"}
    root = write_book(tmp_path_factory.mktemp("book"), files, conf=CONF)
    folder = root / "frameworks" / "deno"
    folder.mkdir(parents=True)
    (folder / "framework.toml").write_text(DEFINITION)
    (folder / "requirements.txt").write_text("deno==2.9.8\n")
    return root


@pytest.fixture(scope="module")
def report(root: Path) -> BuildReport:
    return build(load_config(root), BuildRequest(("deno",), ("html", "notebooks"), execute=True, force=True))


def page(report: BuildReport, name: str) -> str:
    return (report.outputs["html"].parent / f"{name}.html").read_text(encoding="utf-8")


def test_outputs_are_on_the_page(report: BuildReport) -> None:
    one = page(report, "one")
    assert "the sum is 42" in one
    assert "<circle" in one or re.search(r'<img[^>]*src="_images/[0-9a-f]+\.svg"', one)
    assert "highlight-typescript" in one
    assert "@needs" not in one
    assert re.search(r"Run on \d{4}-\d\d-\d\d with Deno 2\.9\.8", re.sub(r"<[^>]*>", "", one))


def test_a_failing_cell_is_told_with_its_place(report: BuildReport) -> None:
    (failure,) = report.failures
    assert (failure.section, failure.result.status) == ("wrong", Status.FAILED)
    assert failure.result.failure
    assert (failure.result.failure.cell, failure.result.failure.message) == (0, "on purpose")
    assert failure.place
    assert str(failure.place).startswith("chapters/wrong.md:")
    assert "on purpose" in page(report, "wrong")


def test_there_is_no_library(root: Path, report: BuildReport) -> None:
    assert not list((root / "_build" / "lib").rglob("deno.py"))
    assert report.findings == ()


def test_a_second_build_runs_nothing_until_a_file_changes(root: Path, report: BuildReport) -> None:
    request = BuildRequest(("deno",), execute=True)
    assert build(load_config(root), request).executed == 0
    # A number that no earlier test has seen: results outlive them.
    number = secrets.randbelow(10**12)
    (root / "chapters" / "numbers.txt").write_text(f"1 2 {number}\n")
    again = build(load_config(root), request)
    assert again.executed == 1
    assert f"the sum is {number + 3}" in page(again, "one")
