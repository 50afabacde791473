"""Files for continuous integration: what they say, and that the steps run."""

import json
import os
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from d2lbuild.cli.app import run
from d2lbuild.starting.continuous import SERVICES, ci_file
from tests.books import write_book

ROOT = Path(__file__).parents[2]
BASH = shutil.which("bash")
FILES = {
    "index.md": "# Book\n\n```toc\none\ntwo\n```\n",
    "one.md": "# One\n:label:`sec_one`\n\n```{.python .input}\n#@tab pytorch\nprint(6 * 7)\n```\n",
    "two.md": "# Two\n:label:`sec_two`\n\n```{.python .input}\n#@tab pytorch\nprint(43)\n```\n",
}
CONF = '[book]\nname = "mini"\ntitle = "Mini"\nframeworks = ["pytorch"]\n'


def workflow(shards: int = 1) -> Any:
    return import_module("yaml").safe_load(ci_file("github", ("pytorch", "jax"), shards))


def test_frameworks_and_parts_run_beside_each_other() -> None:
    matrix = workflow(3)["jobs"]["run"]["strategy"]["matrix"]
    assert matrix == {"framework": ["pytorch", "jax"], "shard": [1, 2, 3]}
    commands = [step.get("run", "") for step in workflow(3)["jobs"]["run"]["steps"]]
    assert any("--shard ${{ matrix.shard }}/3 --to none" in command for command in commands)


def test_no_job_that_runs_code_of_the_book_can_write_or_sees_a_secret() -> None:
    text = ci_file("github", ("pytorch",))
    assert "secrets." not in text
    assert "pull_request_target" not in text
    facts = workflow()
    assert facts["permissions"] == {"contents": "read"}
    for name, job in facts["jobs"].items():
        runs_code = any(
            "d2lbuild" in step.get("run", "") or "checkout" in step.get("uses", "") for step in job["steps"]
        )
        assert runs_code == ("permissions" not in job), name
    assert facts["jobs"]["publish"]["if"] == "github.ref == 'refs/heads/main' && github.event_name == 'push'"
    saved = [step for job in facts["jobs"].values() for step in job["steps"] if "cache/save" in step.get("uses", "")]
    assert [step["if"] for step in saved] == ["github.ref == 'refs/heads/main'"]


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_is_left_to_fill_in(service: str) -> None:
    assert "<<" not in ci_file(service, ("pytorch", "jax"), 2).replace("<<<", "")


def test_the_command_writes_it_and_replaces_nothing_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = write_book(tmp_path, FILES, conf=CONF)
    options = ["--book", str(root)]
    path = root / SERVICES["github"]
    assert run(["ci", "init", *options]) == 0
    assert path.read_text("utf-8") == ci_file("github", ("pytorch",))
    assert run(["ci", "init", *options]) == 0
    assert run(["ci", "init", "--shards", "2", *options]) == 2
    assert "--force replaces it" in capsys.readouterr().err
    assert run(["ci", "init", "--shards", "2", "--force", *options]) == 0
    assert path.read_text("utf-8") == ci_file("github", ("pytorch",), 2)
    assert run(["ci", "init", "gitlab", *options]) == 2


@pytest.mark.integration
@pytest.mark.skipif(BASH is None, reason="there is no bash")
def test_the_script_runs_parts_on_machines_of_their_own_and_publishes(tmp_path: Path) -> None:
    assert BASH
    root = write_book(tmp_path / "book", FILES, conf=CONF)
    (root / "frameworks" / "pytorch").mkdir(parents=True)
    definition = f"title = 'PyTorch'\nmodule = 'torch'\ninterpreter = {json.dumps(sys.executable)}\n"
    (root / "frameworks" / "pytorch" / "framework.toml").write_text(definition, "utf-8")
    assert run(["ci", "init", "shell", "--book", str(root)]) == 0
    script = root / "ci" / "book.sh"
    assert os.access(script, os.X_OK)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def machine(name: str, *arguments: str, **more: str) -> str:
        environment = {**os.environ, "PATH": path, "D2LBUILD_CACHE": str(tmp_path / name), **more}
        done = subprocess.run(
            [BASH, str(script), *arguments], env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout + done.stderr

    for part in ("1", "2"):
        said = machine(f"machine {part}", "run", SHARD=f"{part}/2")
        assert "1 notebook" in said
        assert (root / f"results-{part}.zip").is_file()
    site = tmp_path / "www"
    machine("third", "pages", PUBLISH=str(site))
    for page, answer in (("one", "42"), ("two", "43")):
        assert f"<pre>{answer}</pre>" in (site / f"{page}.html").read_text("utf-8")
    again = machine("third", "pages", PUBLISH=str(site))
    assert "0 files written, 0 removed" in again


def faults(schema: str, text: str, tmp_path: Path) -> str:
    """Return what a schema says against a file."""
    file = tmp_path / "file.yml"
    file.write_text(text, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr if done.returncode else ""


def test_workflows_are_what_github_expects(tmp_path: Path) -> None:
    for text in (
        ci_file("github", ("pytorch", "jax"), 3),
        (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"),
    ):
        assert faults("vendor.github-workflows", text, tmp_path) == ""
    assert "runs-on" in faults("vendor.github-workflows", "on: push\njobs: {a: {steps: []}}\n", tmp_path)


def test_hooks_run_commands_that_there_are(tmp_path: Path) -> None:
    hooks = import_module("yaml").safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    root = write_book(tmp_path, FILES, conf=CONF)
    assert [hook["id"] for hook in hooks] == ["d2lbuild-check", "d2lbuild-fix"]
    for hook in hooks:
        program, *arguments = hook["entry"].split()
        assert program == "d2lbuild"
        assert run([*arguments, "--book", str(root), str(root / "chapters" / "one.md")]) == 0
