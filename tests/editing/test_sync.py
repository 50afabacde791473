"""A section and its notebook follow each other, and nothing is lost where both were changed."""

import json
from pathlib import Path
from typing import Any

import pytest

from d2lbuild.editing import session
from d2lbuild.editing.notebook import source_of
from d2lbuild.editing.session import keep_in_step
from d2lbuild.editing.sync import EditedSection, Outcome, Synced, unsaved
from d2lbuild.errors import BookError, D2lbuildError, UsageError
from d2lbuild.source.book import load_sections
from tests.books import INDEX, configuration, write_book

ONE = """\
# One

![A dot](../img/dot.svg)

```{.python .input}
#@tab jax
a = 1
```

```{.python .input}
b = 1
```

End.
"""


@pytest.fixture
def edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EditedSection:
    files = {
        "index.md": INDEX.replace("one", "part/one"),
        "part/one.md": ONE,
        "two.md": "# Two\n",
        "img/dot.svg": "<svg/>",
        "img/other.svg": "<svg/>",
        "part/data.csv": "1\n",
    }
    monkeypatch.setattr(session, "_GLANCE", 0.0)
    config = configuration(write_book(tmp_path / "book", files))
    return EditedSection(config, load_sections(config)["part/one"], "jax")


def change(edited: EditedSection, old: str, new: str) -> None:
    """Edit a cell as Jupyter would, and save."""
    notebook = json.loads(edited.notebook.read_text("utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = source_of(cell).replace(old, new).splitlines(keepends=True)
        cell["metadata"]["trusted"] = True
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["1\n"]}]
    edited.notebook.write_text(json.dumps(notebook), "utf-8")


def sources(edited: EditedSection) -> list[str]:
    notebook: dict[str, Any] = json.loads(edited.notebook.read_text("utf-8"))
    return [source_of(cell) for cell in notebook["cells"]]


def test_opening_makes_the_notebook_and_changes_nothing(edited: EditedSection) -> None:
    assert edited.open().outcome is Outcome.RENEWED
    assert sources(edited) == ["# One\n\n![A dot](../img/dot.svg)", "#@tab jax\na = 1", "End."]
    assert edited.sync() == Synced(Outcome.NOTHING)
    assert edited.source.read_text("utf-8") == ONE


def test_the_notebook_finds_images_and_data(edited: EditedSection) -> None:
    edited.open()
    folder = edited.notebook.parent
    picture = folder / "../img/dot.svg"
    assert picture.read_text("utf-8") == "<svg/>"
    assert not picture.resolve().is_relative_to(edited.source.parents[1])  # Jupyter's server follows no link
    assert (folder / "../img/other.svg").read_text("utf-8") == "<svg/>"
    assert (folder / "data.csv").read_text("utf-8") == "1\n"


def test_saving_writes_back_again_and_again(edited: EditedSection) -> None:
    edited.open()
    change(edited, "a = 1", "a = 2")
    assert edited.sync().outcome is Outcome.SAVED
    change(edited, "a = 2", "a = 3\nz = 1")
    assert edited.sync().outcome is Outcome.SAVED
    change(edited, "End.", "The end.")
    assert edited.sync().outcome is Outcome.SAVED
    assert edited.source.read_text("utf-8") == ONE.replace("a = 1", "a = 3\nz = 1").replace("End.", "The end.")
    assert edited.sync().outcome is Outcome.NOTHING


def test_a_change_of_the_section_shows_up_and_outputs_stay(edited: EditedSection) -> None:
    edited.open()
    change(edited, "nothing", "")
    edited.source.write_text(ONE.replace("End.", "More.\n\nEnd."), "utf-8")
    assert edited.sync().outcome is Outcome.RENEWED
    notebook = json.loads(edited.notebook.read_text("utf-8"))
    assert sources(edited)[-1] == "More.\n\nEnd."
    assert notebook["cells"][1]["outputs"][0]["text"] == ["1\n"]


def test_changes_of_different_blocks_are_put_together(edited: EditedSection) -> None:
    edited.open()
    change(edited, "a = 1", "a = 2")
    edited.source.write_text(ONE.replace("End.", "Bye."), "utf-8")
    assert edited.sync().outcome is Outcome.MERGED
    assert edited.source.read_text("utf-8") == ONE.replace("a = 1", "a = 2").replace("End.", "Bye.")
    assert sources(edited)[1:] == ["#@tab jax\na = 2", "Bye."]


def test_a_notebook_that_stayed_open_is_compared_with_its_own_beginning(edited: EditedSection) -> None:
    edited.open()
    opened = edited.notebook.read_text("utf-8")
    edited.source.write_text(ONE.replace("# One\n", "# One\n\nNew words.\n"), "utf-8")
    edited.sync()
    edited.notebook.write_text(opened.replace("a = 1", "a = 2"), "utf-8")  # Jupyter overwrites what we renewed
    assert edited.sync().outcome is Outcome.MERGED
    wanted = ONE.replace("# One\n", "# One\n\nNew words.\n").replace("a = 1", "a = 2")
    assert edited.source.read_text("utf-8") == wanted
    edited.notebook.write_text(opened.replace("a = 1", "a = 3"), "utf-8")
    assert edited.sync().outcome is Outcome.MERGED
    assert edited.source.read_text("utf-8") == wanted.replace("a = 2", "a = 3")


def test_a_picture_that_was_pasted_becomes_a_file(edited: EditedSection) -> None:
    edited.open()
    change(edited, "End.", "![new](attachment:An%20Image.png)")
    notebook = json.loads(edited.notebook.read_text("utf-8"))
    notebook["cells"][-1]["attachments"] = {"An Image.png": {"image/png": "iVBORw0KGgo="}}
    edited.notebook.write_text(json.dumps(notebook), "utf-8")
    assert edited.sync().outcome is Outcome.SAVED
    (picture,) = (edited.source.parent / "img").iterdir()
    assert picture.read_bytes() == b"\x89PNG\r\n\x1a\n"
    assert edited.source.read_text("utf-8") == ONE.replace("End.", f"![new](img/{picture.name})")
    assert edited.sync().outcome is Outcome.NOTHING
    assert unsaved(edited.config) == []
    edited.notebook.unlink()
    edited.open()
    assert (edited.notebook.parent / "img" / picture.name).is_file()


def clash(edited: EditedSection) -> str:
    edited.open()
    change(edited, "a = 1", "a = 2")
    theirs = ONE.replace("a = 1", "a = 3")
    edited.source.write_text(theirs, "utf-8")
    assert edited.sync().outcome is Outcome.CONFLICT
    return theirs


def test_changes_of_one_block_are_a_conflict_and_both_are_kept(edited: EditedSection) -> None:
    theirs = clash(edited)
    assert edited.source.read_text("utf-8") == theirs
    assert "#@tab jax\na = 2" in sources(edited)
    assert edited.conflict.read_text("utf-8") == ONE.replace("a = 1", "a = 2")
    assert edited.sync().outcome is Outcome.CONFLICT


def test_a_conflict_ends_when_the_section_has_the_change(edited: EditedSection) -> None:
    clash(edited)
    edited.source.write_text(ONE.replace("a = 1", "a = 2"), "utf-8")
    assert edited.sync().outcome is Outcome.RENEWED
    assert not edited.conflict.exists()


def test_a_conflict_ends_with_the_version_that_is_named(edited: EditedSection) -> None:
    theirs = clash(edited)
    note = edited.keep("notebook").notes[-1]
    assert edited.source.read_text("utf-8") == ONE.replace("a = 1", "a = 2")
    assert Path(note.removeprefix("the section as it was is ")).read_text("utf-8") == theirs
    assert edited.sync().outcome is Outcome.NOTHING


def test_a_conflict_may_end_with_the_section(edited: EditedSection) -> None:
    theirs = clash(edited)
    edited.keep("markdown")
    assert edited.source.read_text("utf-8") == theirs
    assert "#@tab jax\na = 3" in sources(edited)
    assert "a = 2" in edited.notebook.with_suffix(".before.ipynb").read_text("utf-8")


def test_a_half_written_notebook_waits(edited: EditedSection) -> None:
    edited.open()
    edited.notebook.write_text('{"cells": [', "utf-8")
    assert edited.sync().outcome is Outcome.NOTHING


def test_a_notebook_of_unknown_origin_is_refused(edited: EditedSection) -> None:
    edited.open()
    edited.notebook.write_text('{"cells": [], "metadata": {}}', "utf-8")
    with pytest.raises(BookError, match="nothing is known"):
        edited.sync()
    assert edited.source.read_text("utf-8") == ONE


def test_a_section_with_broken_bytes_is_left_alone(edited: EditedSection) -> None:
    edited.source.write_bytes(b"# \xff\n")
    with pytest.raises(BookError, match="not UTF-8"):
        edited.open()


def test_a_notebook_as_a_section_is_opened_as_it_is(tmp_path: Path) -> None:
    notebook = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    config = configuration(write_book(tmp_path, {"index.md": INDEX, "one.ipynb": notebook, "two.md": "# Two\n"}))
    with pytest.raises(UsageError, match="is a notebook itself"):
        EditedSection(config, load_sections(config)["one"], "jax")


def test_a_session_takes_over_what_is_saved_last(edited: EditedSection) -> None:
    edited.open()
    seen: list[Outcome] = []
    wrong: list[D2lbuildError] = []
    looks = iter([False, False, True])

    def ended() -> bool:
        last = next(looks)
        if last:
            change(edited, "a = 1", "a = 2")
        return last

    keep_in_step(edited, lambda synced: seen.append(synced.outcome), wrong.append, ended)
    assert seen == [Outcome.NOTHING, Outcome.SAVED]
    assert wrong == []


def test_a_session_tells_once_what_is_wrong(edited: EditedSection) -> None:
    edited.open()
    change(edited, "# One", "```\n# One")
    wrong: list[D2lbuildError] = []
    looks = iter([False, False, True])
    keep_in_step(edited, lambda _: None, wrong.append, lambda: next(looks))
    assert len(wrong) == 1
    assert edited.source.read_text("utf-8") == ONE
