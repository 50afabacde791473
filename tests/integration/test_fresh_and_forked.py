"""Forked kernels change nothing: every section of our book gives the same outputs as in processes of their own."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from d2lbuild.config import load_config
from d2lbuild.execution.environments.environments import sync
from d2lbuild.execution.home import cache_home
from d2lbuild.pipeline import BuildRequest, Observer, build, select_frameworks

pytestmark = [pytest.mark.integration, pytest.mark.frameworks, pytest.mark.timeout(3600)]

ROOT = Path(__file__).parents[2]


class Notes(Observer):
    """Keeps what a user would be told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)


def outputs(folder: Path, *, fork: bool) -> dict[str, Any]:
    """Return all notebooks of the book with their outputs, by name; errors name files where environments lie."""
    config = replace(load_config(ROOT), output=folder)
    notes = Notes()
    report = build(
        config, BuildRequest(select_frameworks(config, ["all"]), ("notebooks",), execute=True, fork=fork), notes
    )
    assert (report.failures, notes.notes) == ((), [])
    made = report.outputs["notebooks"]
    here = str(cache_home())
    return {
        path.relative_to(made).as_posix(): json.loads(path.read_text("utf-8").replace(here, "~"))
        for path in sorted(made.rglob("*.ipynb"))
    }


def test_every_section_gives_the_same_fresh_and_forked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for framework in load_config(ROOT).frameworks:
        sync(framework, cache_home())
    environments = cache_home() / "environments"
    # Forking is the default, so what the cache holds has been forked.
    forked = outputs(tmp_path / "forked", fork=True)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "environments").symlink_to(environments, target_is_directory=True)
    monkeypatch.setenv("D2LBUILD_CACHE", str(tmp_path / "cache"))
    fresh = outputs(tmp_path / "fresh", fork=False)
    assert len(fresh) >= 4 * 8
    assert forked.keys() == fresh.keys()
    for name, notebook in forked.items():
        assert notebook == fresh[name], name
