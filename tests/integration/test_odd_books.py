"""Books that are odd enough to have stopped a build once."""

from pathlib import Path

import pytest

from d2lbuild.config import load_config
from d2lbuild.errors import BookError
from d2lbuild.pipeline import BuildRequest, build
from tests.books import write_book

pytestmark = pytest.mark.integration


def site(root: Path, files: dict[str, str | bytes]) -> Path:
    """Build the website of a book for its first framework; return its folder."""
    config = load_config(write_book(root, files))
    return build(config, BuildRequest(("pytorch",), execute=False, jobs=1)).outputs["html"].parent


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("D2LBUILD_CACHE", str(tmp_path / "cache"))


def test_markdown_that_a_page_shows_is_no_page(tmp_path: Path) -> None:
    # It is copied beside the page of the same name, and is not even text.
    files: dict[str, str | bytes] = {
        "index.md": "# Book\n\n```toc\none\n```\n\n![x](one.md) and [y](notes.md)\n",
        "one.md": b"# One\n\n\x9f\n",
        "notes.md": "# Notes\n",
    }
    folder = site(tmp_path / "book", files)
    assert "One" in (folder / "one.html").read_text("utf-8")
    assert not (folder / "notes.html").exists()


def test_a_book_without_any_title(tmp_path: Path) -> None:
    folder = site(tmp_path / "book", {"index.md": "# \n\nText.\n"})
    assert "Text." in (folder / "index.html").read_text("utf-8")
    assert (folder / "searchindex.js").is_file()


def test_a_first_section_without_a_page_is_an_error_of_the_book(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"index.md": "# Book\n\n```{.python .input}\n#@tab jax\n1\n```\n"}
    with pytest.raises(BookError, match=r"chapters/index\.md has no page in this edition"):
        site(tmp_path / "book", files)
