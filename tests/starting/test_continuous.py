"""Files for continuous integration: what they say, and that the steps run."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from d2lbuild.cli.app import run
from d2lbuild.starting.continuous import SERVICES, Continuous
from tests.books import write_book

ROOT = Path(__file__).parents[2]
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
BASH = shutil.which("bash")
FILES = {
    "index.md": "# Book\n\n```toc\none\ntwo\n```\n",
    "one.md": "# One\n:label:`sec_one`\n\n```{.python .input}\n#@tab pytorch\nprint(6 * 7)\n```\n",
    "two.md": "# Two\n:label:`sec_two`\n\n```{.python .input}\n#@tab pytorch\nprint(43)\n```\n",
}
CONF = '[book]\nname = "mini"\ntitle = "Mini"\nframeworks = ["pytorch"]\n'


def workflow(shards: int = 1) -> Any:
    return import_module("yaml").safe_load(Continuous("github", ("pytorch", "jax"), shards).text())


def test_frameworks_and_parts_run_beside_each_other() -> None:
    matrix = workflow(3)["jobs"]["run"]["strategy"]["matrix"]
    assert matrix == {"framework": ["pytorch", "jax"], "shard": [1, 2, 3]}
    commands = [step.get("run", "") for step in workflow(3)["jobs"]["run"]["steps"]]
    assert any("--shard ${{ matrix.shard }}/3 --to none" in command for command in commands)


def test_no_job_that_runs_code_of_the_book_can_write_or_sees_a_secret() -> None:
    text = Continuous("github", ("pytorch",)).text()
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
    assert "<<" not in Continuous(service, ("pytorch", "jax"), 2).text().replace("<<<", "")


def test_the_command_writes_it_and_replaces_nothing_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = write_book(tmp_path, FILES, conf=CONF)
    options = ["--book", str(root)]
    path = root / SERVICES["github"]
    assert run(["ci", "init", *options]) == 0
    assert path.read_text("utf-8") == Continuous("github", ("pytorch",)).text()
    assert run(["ci", "init", *options]) == 0
    assert run(["ci", "init", "--shards", "2", *options]) == 2
    assert "--force replaces it" in capsys.readouterr().err
    assert run(["ci", "init", "--shards", "2", "--force", *options]) == 0
    assert path.read_text("utf-8") == Continuous("github", ("pytorch",), 2).text()
    assert run(["ci", "init", "gitlab", *options]) == 2
    assert run(["ci", "init", "--install", "a\nb", "--force", *options]) == 2
    assert "on one line" in capsys.readouterr().err


def test_the_file_names_the_command_that_writes_it() -> None:
    assert Continuous("github", ("jax",)).command() == "d2lbuild ci init"
    wanted = Continuous("shell", ("jax",), 3, "d2lbuild @ ./a")
    assert wanted.command() == "d2lbuild ci init shell --shards 3 --install 'd2lbuild @ ./a'"
    assert f"`{wanted.command()}`" in wanted.text()


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

    def machine(name: str, *arguments: str, **more: str) -> str:
        environment = {**os.environ, "PATH": PATH, "D2LBUILD_CACHE": str(tmp_path / name), **more}
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


def workflows() -> dict[str, str]:
    """Return the workflows that there can be, and those of this repository."""
    made = {
        f"{len(frameworks)} frameworks, {shards} parts": Continuous("github", frameworks, shards).text()
        for frameworks in (("pytorch",), ("pytorch", "mxnet", "tensorflow", "jax"))
        for shards in (1, 4)
    }
    made["elsewhere"] = Continuous("github", ("jax",), install="./a folder [diff]", output="out/put").text()
    return made | {path.name: path.read_text("utf-8") for path in (ROOT / ".github" / "workflows").iterdir()}


@pytest.mark.parametrize("name", workflows())
def test_workflows_are_what_github_expects(name: str, tmp_path: Path) -> None:
    assert faults("vendor.github-workflows", workflows()[name], tmp_path) == ""


def test_what_github_does_not_expect_is_told(tmp_path: Path) -> None:
    assert "runs-on" in faults("vendor.github-workflows", "on: push\njobs: {a: {steps: []}}\n", tmp_path)


ACTIONLINT, SHELLCHECK = (shutil.which(name, path=PATH) for name in ("actionlint", "shellcheck"))


@pytest.mark.skipif(not (ACTIONLINT and SHELLCHECK), reason="actionlint and shellcheck are not installed: make setup")
def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    """Expressions, inputs of actions, their versions, and with ShellCheck what is run."""
    assert ACTIONLINT
    assert SHELLCHECK

    def lint(texts: Mapping[str, str]) -> str:
        files = []
        for number, text in enumerate(texts.values()):
            files.append(tmp_path / f"{number}.yml")
            files[-1].write_text(text, "utf-8")
        command = [ACTIONLINT, "-oneline", "-shellcheck", SHELLCHECK, *map(str, files)]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    assert lint(workflows()) == ""
    text = Continuous("github", ("jax",)).text()
    assert 'property "part"' in lint({"": text.replace("matrix.shard", "matrix.part")})
    assert "SC2086" in lint({"": text.replace('import "$part"', "import $part")})
    assert "retired" in lint({"": text.replace("checkout@v6", "checkout@v2")})


@pytest.mark.skipif(not SHELLCHECK, reason="shellcheck is not installed: make setup")
@pytest.mark.parametrize("frameworks", [("pytorch",), ("pytorch", "jax")])
def test_shellcheck_finds_nothing(frameworks: tuple[str, ...], tmp_path: Path) -> None:
    assert SHELLCHECK
    (tmp_path / "book.sh").write_text(Continuous("shell", frameworks).text(), "utf-8")
    for path in (tmp_path / "book.sh", ROOT / ".ci" / "run"):
        done = subprocess.run([SHELLCHECK, str(path)], capture_output=True, text=True, check=False)
        assert done.stdout == ""


def test_the_workflow_of_this_repository_is_what_the_command_writes(tmp_path: Path) -> None:
    ours = ROOT / SERVICES["github"]
    recorded = re.search(r"Made by `d2lbuild (ci init[^`]*)`", ours.read_text("utf-8"))
    assert recorded
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    (tmp_path / "chapters").mkdir()
    assert run([*shlex.split(recorded[1]), "--book", str(tmp_path)]) == 0
    assert (tmp_path / SERVICES["github"]).read_bytes() == ours.read_bytes()


def test_hooks_run_commands_that_there_are(tmp_path: Path) -> None:
    hooks = import_module("yaml").safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    root = write_book(tmp_path, FILES, conf=CONF)
    assert [hook["id"] for hook in hooks] == ["d2lbuild-check", "d2lbuild-fix"]
    for hook in hooks:
        program, *arguments = hook["entry"].split()
        assert program == "d2lbuild"
        assert run([*arguments, "--book", str(root), str(root / "chapters" / "one.md")]) == 0
