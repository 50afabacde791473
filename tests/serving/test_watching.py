"""What the preview watches."""

import asyncio
from pathlib import Path

from d2lbuild.serving.watching import changes, is_worth_a_look, watched_folders


def test_visible_folders_are_watched_and_outputs_are_not(tmp_path: Path) -> None:
    for name in ("chapters", "conf", ".git", "_build", "__pycache__", "site"):
        (tmp_path / name).mkdir()
    (tmp_path / "site" / ".d2lbuild").touch()
    (tmp_path / "file").touch()
    assert watched_folders(tmp_path, tmp_path / "_build") == [tmp_path / "chapters", tmp_path / "conf"]


def test_what_no_book_holds_is_not_worth_a_look(tmp_path: Path) -> None:
    assert is_worth_a_look(tmp_path, str(tmp_path / "chapters" / "one.md"))
    for name in ("chapters/.one.md.swp", ".git/HEAD", "chapters/__pycache__/x.pyc", "../elsewhere"):
        assert not is_worth_a_look(tmp_path, str(tmp_path / name))
    assert not is_worth_a_look(tmp_path, "/elsewhere")


def test_each_change_is_told_also_in_folders_that_are_new(tmp_path: Path) -> None:
    root, output = tmp_path / "book", tmp_path / "book" / "_build"
    for folder in (root / "chapters", output):
        folder.mkdir(parents=True)

    async def watch() -> None:
        async with asyncio.timeout(20):
            told = changes(root, output, print)
            await anext(told)  # at the start
            for path in ("chapters/one.md", "new.bib", "images/a.svg", "images/b.svg", "chapters/one.md"):
                file = root / path
                file.parent.mkdir(exist_ok=True)
                file.write_text(path, encoding="utf-8")
                await anext(told)
            await told.aclose()

    asyncio.run(watch())
