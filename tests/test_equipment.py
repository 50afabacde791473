"""What is installed, and in which version."""

import sys
from pathlib import Path

import pytest

from d2lbuild.equipment import digested_versions, installed_version


def test_the_versions_of_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, names in (
        (first, ["My_Package-1.0.dist-info", "my_package_more-7.dist-info", "other-3"]),
        (second, []),
    ):
        for name in names:
            (folder / name).mkdir(parents=True)
    (second / "my_package-2.0.dist-info").mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "nowhere"), str(first), str(second)])
    assert digested_versions(["my-package", "nothing-of-this-name"]) == ("My_Package-1.0.dist-info", "")
    (first / "My_Package-1.0.dist-info").rename(first / "My_Package-1.1.dist-info")
    assert digested_versions(["my-package"]) == ("My_Package-1.1.dist-info",)


def test_a_package_is_installed_or_is_not() -> None:
    assert installed_version("pytest") == pytest.__version__
    assert not installed_version("nothing-of-this-name")
    (told,) = digested_versions(["pytest"])
    assert pytest.__version__ in told
