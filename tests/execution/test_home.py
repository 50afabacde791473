"""Where things that outlive a build are kept."""

from pathlib import Path

from d2lbuild.execution.home import cache_home


def test_cache_home(tmp_path: Path) -> None:
    assert cache_home({"D2LBUILD_CACHE": str(tmp_path)}) == tmp_path
    assert cache_home({}).name == "d2lbuild"
    assert cache_home({"D2LBUILD_CACHE": ""}) == cache_home({})
