"""A release: one folder with everything, the same bytes for the same book."""

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from d2lbuild.cli.app import run
from tests.books import write_book

CELL = "```{.python .input}\n#@tab pytorch\ndef f(): return 1  #@save\n```\n"
CONF = '[book]\nname = "mini"\ntitle = "Mini"\nauthor = "A"\nrelease = "1.0"\nframeworks = ["pytorch", "jax"]\n'


def released(root: Path, *more: str) -> int:
    return run(["release", "--book", str(root), "--no-execute", "--to", "html,notebooks,markdown", *more])


@pytest.mark.integration
def test_everything_is_there_with_its_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("D2LBUILD_CACHE", str(tmp_path / "cache"))
    sums = []
    for name in ("one", "another 书"):
        root = write_book(tmp_path / name, {"index.md": f"# Mini\n\n{CELL}"}, conf=CONF)
        assert released(root) == 0
        folder = root / "_build" / "release" / "mini-1.0"
        lines = (folder / "SHA256SUMS").read_text("utf-8").splitlines()
        for line in lines:
            digest, file = line.split("  ")
            assert hashlib.sha256((folder / file).read_bytes()).hexdigest() == digest
        sums.append(lines)
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        files = [one["name"] for one in manifest["files"]]
        expected = {"mini-1.0-html.zip", "mini-1.0-notebooks.zip", "mini-1.0-markdown.zip", "locks/pytorch.txt"}
        assert expected < set(files)
        assert any(file.endswith(".whl") for file in files)
        assert (manifest["release"], manifest["revision"]) == ("1.0", "")
        with zipfile.ZipFile(folder / "mini-1.0-html.zip") as archive:
            assert "mini-1.0-html/index.html" in archive.namelist()
        assert released(root) == 2  # it is there already
    assert sums[0] == sums[1]


def test_a_book_without_a_release(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = write_book(tmp_path, {"index.md": "# Mini\n"}, conf=CONF.replace('release = "1.0"\n', ""))
    assert released(root) == 2
    assert "has no release" in capsys.readouterr().err
