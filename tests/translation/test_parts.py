"""What counts as a part, and what becomes of parts."""

from collections.abc import Sequence
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2lbuild.model import BlockKind, Section
from d2lbuild.source.markdown import FrameworkNames, cut_section
from d2lbuild.translation.code import code_differences
from d2lbuild.translation.parts import Change, ChangeKind, Part, changes_between, lines_near, parts_of

BOTH = frozenset({"pytorch", "jax"})
TEXT = """\
# Title
:label:`sec_a`

A paragraph
of two lines.

$$
a

b
$$

* one
* two

```python
listing

goes on
```

:begin_tab:`jax`
Only JAX.

Still.
:end_tab:

```{.python .input}
#@tab jax
x = 1

y = 2
```
"""


def section(text: str, *names: str) -> Section:
    return cut_section(text, PurePosixPath("a.md"), FrameworkNames(names or ("pytorch", "jax")))


def parts(text: str) -> tuple[Part, ...]:
    return parts_of(section(text), BOTH)


def cell(code: str, mark: str = "#@tab all\n") -> str:
    return f"```{{.python .input}}\n{mark}{code}\n```\n"


def lines(changes: Sequence[Change]) -> list[tuple[str, int | None, int | None]]:
    def first(part: Part | None) -> int | None:
        return part.first if part else None

    return [(one.kind.value, first(one.before), first(one.after)) for one in changes]


def told(before: str, after: str) -> list[tuple[str, int | None, int | None]]:
    return lines(changes_between(parts(before), parts(after)))


def test_parts_have_their_lines() -> None:
    found = [(part.first, part.last, part.text.split("\n")[0]) for part in parts(TEXT)]
    assert found == [
        (1, 2, "# Title"),
        (4, 5, "A paragraph"),
        (7, 11, "$$"),
        (13, 14, "* one"),
        (16, 20, "```python"),
        (23, 23, "Only JAX."),
        (25, 25, "Still."),
        (28, 33, "x = 1"),
    ]
    only = parts_of(section(TEXT), frozenset({"pytorch"}))
    assert [part.first for part in only] == [1, 4, 7, 13, 16]


def test_a_paragraph_that_is_broken_elsewhere_is_the_same() -> None:
    assert told("One two\nthree.\n", "One\ntwo three.\n") == []
    assert told(cell("x = 1\ny = 2"), cell("x = 1; y = 2")) == [("changed", 1, 1)]


def test_a_cell_is_the_same_however_it_is_marked() -> None:
    assert told(cell("x = 1", ""), cell("x = 1", "#@tab pytorch\n")) == []
    assert told(cell("x = 1", "%%tab pytorch, jax\n"), cell("x = 1")) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("A b c d.\n\nE f.\n", "A b c x.\n\nE f.\n", [("changed", 1, 1)]),
        ("A.\n\nB.\n", "A.\n\nNew one.\n\nB.\n", [("added", None, 3)]),
        ("A.\n\nOld one.\n\nB.\n", "A.\n\nB.\n", [("removed", 3, None)]),
        (
            "one two three four\n\nfive six seven eight\n",
            "new words first\n\nfive six seven nine\n",
            [("removed", 1, None), ("added", None, 1), ("changed", 3, 3)],
        ),
        ("", "A.\n", [("added", None, 1)]),
    ],
)
def test_what_becomes_of_parts(before: str, after: str, expected: list[tuple[str, int | None, int | None]]) -> None:
    assert told(before, after) == expected


WORDS = st.lists(st.sampled_from(["a b c d", "a b c e", "x y z", "$$q$$", "# h", "long text of words"]), max_size=8)


@given(WORDS, WORDS)
def test_changes_tell_how_one_becomes_the_other(before: list[str], after: list[str]) -> None:
    old, new = ("\n\n".join(one) for one in (before, after))
    changes = changes_between(parts(old), parts(new))
    gone = {one.before for one in changes if one.before}
    come = [one.after for one in changes if one.after]
    assert len(gone) == sum(one.before is not None for one in changes)
    rest = [part.text for part in parts(old) if part not in gone]
    stays = [part.text for part in parts(new) if part not in come]
    assert rest == stays
    assert [part.first for part in come] == sorted(part.first for part in come)
    assert bool(changes) == (before != after)
    if before == after:
        assert changes == ()


def test_lines_of_the_translation_are_found_by_form() -> None:
    before = parts("# One\n\nFirst words here.\n\n$$a$$\n\nSecond words here.\n")
    now = parts("# One\n\nFirst words here.\n\n$$a$$\n\nSecond words there.\n")
    here = parts("# Eins\n\nErste.\n\nVon uns.\n\n$$a$$\n\nZweite.\n")
    (change,) = changes_between(before, now)
    assert lines_near([change], before, here) == (9,)
    assert lines_near([change], before, ()) == (None,)


# --- code ---


def code(origin: str, translation: str, *names: str) -> list[tuple[str, int | None, int | None]]:
    return lines(code_differences(section(origin), section(translation, *names), BOTH))


def test_comments_and_docstrings_may_be_translated() -> None:
    one = cell('def f(a):  #@save\n    """Say it."""\n    # Now\n    return a')
    other = cell('def f(a):  #@save\n    """说。"""\n    return a  # 现在')
    assert code(one, other) == []
    assert code(cell("%matplotlib inline\nx"), cell("# !\n%matplotlib inline\nx")) == []
    assert code(cell("x ="), cell("x =  \n# 等")) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("f(1)", "f(2)"),
        ("%matplotlib inline\nx", "x"),
        ("def f(): pass  #@save", "def f(): pass"),
        ("!pip a", "!pip b"),
        ("x = 'a'", "x = 'b'"),
    ],
)
def test_code_that_does_something_else_differs(one: str, other: str) -> None:
    assert code(cell(one), cell(other)) in ([("changed", 1, 1)], [("removed", 1, None), ("added", None, 1)])


def test_only_frameworks_of_both_books_count() -> None:
    origin = cell("x = 1", "#@tab pytorch\n") + cell("y = 2", "#@tab jax\n")
    translation = cell("x = 1", "#@tab pytorch\n") + cell("z = 3", "#@tab paddle\n")
    shared = frozenset({"pytorch"})
    found = code_differences(section(origin), section(translation, "pytorch", "paddle"), shared)
    assert found == ()
    assert [one.kind for one in code_differences(section(origin), section(""), shared)] == [ChangeKind.REMOVED]
    assert parts(origin)[0].kind is BlockKind.CODE
