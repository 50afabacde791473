"""Notebooks from elsewhere as sections."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from d2lbuild.editing.importing import Imported, import_notebook, read_foreign
from d2lbuild.errors import BookError, UsageError
from tests.editing.conftest import NAMES

PNG = b"\x89PNG\r\n\x1a\n"


def imported(tmp_path: Path, cells: Sequence[Any], framework: str = "pytorch", **metadata: Any) -> Imported:
    path = tmp_path / "My Notes.ipynb"
    made = new_notebook(cells=list(cells), metadata=metadata)  # type: ignore[no-untyped-call]
    nbformat.write(made, path)  # type: ignore[no-untyped-call]
    return import_notebook(read_foreign(path), path, "part/my-notes", framework, NAMES, labels=["sec_my_notes"])


def code(source: str, **more: Any) -> Any:
    return new_code_cell(source, **more)  # type: ignore[no-untyped-call]


def text(source: str, **more: Any) -> Any:
    return new_markdown_cell(source, **more)  # type: ignore[no-untyped-call]


TITLE = "# T\n:label:`sec_t`"


def test_cells_become_fences_and_outputs_go(tmp_path: Path) -> None:
    output = new_output("stream", text="secret")  # type: ignore[no-untyped-call]
    made = imported(
        tmp_path, [text(TITLE), code("%matplotlib inline\n!ls", outputs=[output]), code(""), text("End.\n")]
    )
    assert made.text == f"{TITLE}\n\n```{{.python .input}}\n%matplotlib inline\n!ls\n```\n\nEnd.\n"
    assert made.notes == []


@pytest.mark.parametrize(("framework", "mark"), [("pytorch", ""), ("jax", "#@tab jax\n"), ("all", "#@tab all\n")])
def test_cells_are_marked_for_their_framework(tmp_path: Path, framework: str, mark: str) -> None:
    made = imported(tmp_path, [text(TITLE), code("%%time\na")], framework)
    assert made.text == f"{TITLE}\n\n```{{.python .input}}\n{mark}%%time\na\n```\n"


def test_tags_become_marks_where_there_is_one(tmp_path: Path) -> None:
    hidden = code("a", metadata={"tags": ["remove-input"]})
    failing = code("b", metadata={"tags": ["raises-exception", "mine"]})
    made = imported(tmp_path, [text(TITLE), hidden, failing], "jax")
    assert "```{.python .input}\n#@tab jax\n#@hide_code\na\n```" in made.text
    assert "```{code-cell}\n:tags: [raises-exception]\n#@tab jax\nb\n```" in made.text


def test_a_title_and_a_label_are_given(tmp_path: Path) -> None:
    made = imported(tmp_path, [text("Words.")])
    assert made.text == "# My Notes\n:label:`sec_my_notes_2`\n\nWords.\n"
    assert made.notes == ["it had no title: it is called 'My Notes' now", "its label is `sec_my_notes_2`"]


def test_text_right_below_the_title_keeps_its_distance_from_the_label(tmp_path: Path) -> None:
    assert imported(tmp_path, [text("# T\nwords")]).text == "# T\n:label:`sec_my_notes_2`\n\nwords\n"


def test_several_titles_are_told(tmp_path: Path) -> None:
    assert "it has 2 titles" in imported(tmp_path, [text(TITLE), text("# U")]).notes[0]


def test_pictures_are_taken_along(tmp_path: Path) -> None:
    (tmp_path / "pics").mkdir()
    (tmp_path / "pics" / "a b.svg").write_text("<svg/>")
    attached = {"An Image.png": {"image/png": base64.b64encode(PNG).decode()}}
    source = (
        f"{TITLE}\n\n![x](attachment:An Image.png) ![y](pics/a%20b.svg) ![z](https://example.org/z.png) ![w](no.png)"
    )
    made = imported(tmp_path, [text(source, attachments=attached)])
    assert made.pictures == {"my-notes-an-image.png": PNG, "my-notes-a-b.svg": b"<svg/>"}
    assert (
        "![x](img/my-notes-an-image.png) ![y](img/my-notes-a-b.svg) ![z](https://example.org/z.png) ![w](no.png)"
        in (made.text)
    )
    assert made.notes == ["the image no.png does not exist beside My Notes.ipynb"]


def test_different_pictures_of_one_name_stay_apart(tmp_path: Path) -> None:
    cells = [
        text(f"{TITLE if n == 0 else ''}\n\n![x](attachment:image.png)", attachments={"image.png": {"image/png": data}})
        for n, data in enumerate(base64.b64encode(PNG + bytes([n])).decode() for n in range(2))
    ]
    made = imported(tmp_path, cells)
    assert sorted(made.pictures) == ["my-notes-image-2.png", "my-notes-image.png"]


def test_what_is_not_closed_is_closed(tmp_path: Path) -> None:
    made = imported(tmp_path, [text(f"{TITLE}\n\n```bash\nls"), code('"""\n```\n"""')])
    assert "```bash\nls\n```\n\n````{.python .input}\n" in made.text


def test_raw_cells_become_listings(tmp_path: Path) -> None:
    raw = new_raw_cell("x")  # type: ignore[no-untyped-call]
    assert imported(tmp_path, [text(TITLE), raw]).text == f"{TITLE}\n\n```\nx\n```\n"


def test_another_language_is_refused(tmp_path: Path) -> None:
    kernel = {"name": "ir", "language": "R", "display_name": "R"}
    with pytest.raises(UsageError, match="in python"):
        imported(tmp_path, [text(TITLE)], kernelspec=kernel)


def test_code_within_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BookError, match="its code would not be the same"):
        imported(tmp_path, [text(f"{TITLE}\n\n```{{.python .input}}\n1/0\n```"), code("a")])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.py", "# %% [markdown]\n# # T\n# :label:`sec_t`\n\n# %%\nimport os\n"),
        ("a.md", "# T\n:label:`sec_t`\n\n```python\nimport os\n```\n"),
    ],
)
def test_what_jupytext_reads_is_taken(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    made = import_notebook(read_foreign(tmp_path / name), tmp_path / name, "a", "pytorch", NAMES)
    assert made.text == f"{TITLE}\n\n```{{.python .input}}\nimport os\n```\n"


@pytest.mark.parametrize(("content", "message"), [(None, "does not exist"), ("{", "cannot be read")])
def test_what_cannot_be_read_is_an_error(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "a.ipynb"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match=message):
        read_foreign(path)
