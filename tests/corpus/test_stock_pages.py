"""A real book's website, for all frameworks, is byte for byte what Sphinx makes of it without any help of ours."""

from dataclasses import replace
from pathlib import Path

import pytest

from d2lbuild.config import Config
from d2lbuild.pipeline import BuildRequest, build, select_frameworks
from d2lbuild.rendering.sphinx_speed import SWITCH, is_fast

pytestmark = [pytest.mark.integration, pytest.mark.timeout(3600)]


def _site(config: Config, output: Path, jobs: int) -> dict[str, bytes]:
    """Build the website and return its files, without Sphinx's own record, which ours leaves out."""
    request = BuildRequest(select_frameworks(config, ["all"]), execute=False, jobs=jobs)
    site = build(replace(config, output=output), request).outputs["html"].parent
    paths = (path for path in site.rglob("*") if path.is_file() and path.name != ".buildinfo")
    return {path.relative_to(site).as_posix(): path.read_bytes() for path in paths}


def test_pages_are_those_of_stock_sphinx(corpus: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_fast()
    fast = _site(corpus, tmp_path / "fast", jobs=2)
    monkeypatch.setenv(SWITCH, "1")
    stock = _site(corpus, tmp_path / "stock", jobs=1)
    assert sorted(name for name in fast.keys() | stock.keys() if fast.get(name) != stock.get(name)) == []
