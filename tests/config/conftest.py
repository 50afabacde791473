from collections.abc import Callable
from pathlib import Path

import pytest

from d2lbuild.config import load_config
from d2lbuild.errors import ConfigError

Write = Callable[[str, str], Path]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """An empty folder for a book, beside the folder of definitions that come with the program."""
    folder = tmp_path / "my book ü"
    folder.mkdir()
    return folder


@pytest.fixture
def write(book: Path) -> Write:
    def write_file(name: str, text: str) -> Path:
        path = book / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


@pytest.fixture
def defaults(tmp_path: Path) -> Path:
    """Two packaged definitions, the first with all files."""
    torch = tmp_path / "defaults" / "pytorch"
    torch.mkdir(parents=True)
    (torch / "framework.toml").write_text(
        'title = "PyTorch"\nmodule = "torch"\nprefix = "torch"\npackages = ["torch"]\npython = "3.11"\n'
        '[aliases]\nsame = ["ones"]\n[aliases.simple]\nconcat = "cat"\n',
        encoding="utf-8",
    )
    (torch / "requirements.in").write_text("torch\n", encoding="utf-8")
    (torch / "requirements.txt").write_text("torch==2.0\n", encoding="utf-8")
    (torch / "header.py").write_text("import torch\n", encoding="utf-8")
    jax = tmp_path / "defaults" / "jax"
    jax.mkdir()
    (jax / "framework.toml").write_text('title = "JAX"\nmodule = "jax"\n', encoding="utf-8")
    return tmp_path / "defaults"


@pytest.fixture
def wrong(book: Path, defaults: Path) -> Callable[[], list[str]]:
    """Load the book, which must fail, and return the findings as they are printed."""

    def findings() -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load_config(book, defaults=defaults)
        return [str(finding) for finding in caught.value.findings]

    return findings
