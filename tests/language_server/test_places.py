"""What stands at a position of a text, finished or not."""

from pathlib import PurePosixPath

import pytest

from d2lbuild.language_server.places import Kind, Place, place_at, places_of_label, typed_at
from d2lbuild.language_server.session import moved
from d2lbuild.model import Finding, Section, Span
from d2lbuild.source.cells import FrameworkNames
from d2lbuild.source.markdown import parse_section

NAMES = FrameworkNames(("pytorch", "jax"))
TEXT = """\
# T
:numref:``sec_a`` and :cite:`k1, k2` and [x](one.md#sec_a)

```toc
:numbered:
one/index
```

```{.python .input}
%%tab pytorch, jax
y = d2l.loss(x)  # as in :numref:`sec_a`
```
"""


def section(text: str) -> Section:
    return parse_section(text, PurePosixPath("chapters/t.md"), NAMES)


@pytest.mark.parametrize(
    ("line", "inside", "kind", "name"),
    [
        (1, "sec_a``", Kind.LABEL, "sec_a"),
        (1, "k1", Kind.WORK, "k1"),
        (1, "k2", Kind.WORK, "k2"),
        (1, "one.md", Kind.FILE, "one.md#sec_a"),
        (5, "index", Kind.ENTRY, "one/index"),
        (9, "jax", Kind.FRAMEWORK, "jax"),
        (10, "loss", Kind.SAVED, "loss"),
        (10, "sec_a", Kind.LABEL, "sec_a"),
    ],
)
def test_names(line: int, inside: str, kind: Kind, name: str) -> None:
    text = TEXT.split("\n")[line]
    place = place_at(section(TEXT), line, text, text.index(inside), "d2l")
    assert place is not None
    assert (place.kind, place.name, text[place.start : place.end]) == (kind, name, name)


@pytest.mark.parametrize(("line", "inside"), [(0, "T"), (4, "numbered"), (8, "python"), (10, "x)"), (1, "and")])
def test_nothing(line: int, inside: str) -> None:
    text = TEXT.split("\n")[line]
    assert place_at(section(TEXT), line, text, text.index(inside), "d2l") is None


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("See :numref:`", Place(Kind.LABEL, "", 1, 13, 13, "numref")),
        (":cite:`a, ", Place(Kind.WORK, "", 1, 10, 10, "cite")),
        (":class:`~d2l.Mo", Place(Kind.SAVED, "Mo", 1, 13, 15, "class")),
        ("![a](img/", Place(Kind.FILE, "img/", 1, 5, 9)),
        ("In :ci", Place(Kind.ROLE, "ci", 1, 3, 6)),
        ("At 12:30", None),
        (":numref:`a` b", None),
    ],
)
def test_what_is_typed(typed: str, expected: Place | None) -> None:
    text = f"# T\n{typed} and more\n"
    line = text.split("\n")[1]
    assert typed_at(section(text), 1, line, len(typed), "d2l") == expected


def test_places_of_a_label_are_those_of_that_label_alone() -> None:
    text = TEXT.replace("# as in", "# not :numref:`sec_ab`, but")
    found = [(one.line, one.role) for one in places_of_label(section(text), text.split("\n"), "sec_a")]
    assert found == [(1, "numref"), (10, "numref")]


@pytest.mark.parametrize(
    ("now", "lines"),
    [
        ("a b c d", [1, 3, 4]),
        ("new a b c d", [2, 4, 5]),
        ("a b new c d", [1, 4, 5]),
        ("a changed d", [1, 3]),
        ("a b", [1]),
        ("b c d", [2, 3]),
        ("", []),
    ],
)
def test_findings_stay_with_their_lines(now: str, lines: list[int]) -> None:
    path = PurePosixPath("chapters/t.md")
    findings = [Finding("rule", text, Span(path, line, line)) for line, text in ((1, "a"), (3, "c"), (4, "d"))]
    found = moved(findings, ["a", "b", "c", "d"], now.split())
    assert [one.span.first for one in found if one.span] == lines
    assert all(now.split()[one.span.first - 1] == one.message for one in found if one.span)
