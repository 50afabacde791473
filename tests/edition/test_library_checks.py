"""What is wrong with libraries and with those who use them: cases in a text file."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from d2lbuild.config.types import Aliases, Framework, Text
from d2lbuild.edition.expansion import expand
from d2lbuild.edition.library import Library, extract
from d2lbuild.edition.library_checks import check_edition, joined
from d2lbuild.edition.select import select
from d2lbuild.model import Finding, Notebook, Span
from d2lbuild.source.markdown import FrameworkNames, parse_section
from tests.books import read_cases

CASES = read_cases(Path(__file__).parent / "cases" / "library_checks.txt")
HEADER = Text("\nimport numpy as np\nDATA = {}\n", Span(PurePosixPath("header.py"), 1, 3))
NAMES = ("pytorch", "jax")
FRAMEWORKS = [
    Framework(name, name, module, aliases=Aliases(simple={"concat": "np.concatenate"}), header=HEADER)
    for name, module in zip(NAMES, ("torch", "jax"), strict=True)
]


def edition(text: str, framework: Framework) -> tuple[list[Notebook], Library]:
    text = text.replace("LIB", framework.module) if "LIB" in text else text
    section = parse_section(text, PurePosixPath("one.md"), FrameworkNames(NAMES))
    notebook = select(section, framework.name, NAMES)
    return [expand(notebook, framework.aliases)], extract([notebook], framework)


def findings(text: str, frameworks: list[Framework]) -> tuple[Finding, ...]:
    found = {}
    for framework in frameworks:
        notebooks, library = edition(text, framework)
        found[framework.name] = [*library.findings, *check_edition(notebooks, library)]
    return joined(found)


def lines(found: tuple[Finding, ...]) -> Iterator[str]:
    for one in found:
        hint = f" ({one.hint})" if one.hint else ""
        yield f"{one.span.first if one.span else '-'} {one.rule}: {one.message}{hint}"


@pytest.mark.parametrize(("title", "chapter", "expected"), CASES, ids=[case[0] for case in CASES])
def test_cases(title: str, chapter: str, expected: str) -> None:
    assert "\n".join(lines(findings(chapter, FRAMEWORKS))) == expected


def test_every_line_of_the_module_knows_where_it_comes_from() -> None:
    text = next(chapter for title, chapter, _ in CASES if title == "the line of a method is that of its own cell")
    _, library = edition(
        text.replace("# One\n", "# One\n\n```{.python .input}\nimport os  #@save\n```\n"), FRAMEWORKS[0]
    )
    sources = {"one.md": text.replace("# One\n", "# One\n\n```{.python .input}\nimport os  #@save\n```\n")}
    sources["header.py"] = HEADER.text
    lines = library.source.splitlines()
    assert len(lines) == len(library.places)
    for line, span in zip(lines, library.places, strict=True):
        if span and line.strip() and "Defined in" not in line and not line.startswith("#"):
            assert line.strip() in sources[str(span.path)].splitlines()[span.first - 1]
    without = {line for line, span in zip(lines, library.places, strict=True) if not span and line[:1] not in ("", "#")}
    assert without == {"import sys", "d2l = sys.modules[__name__]", "concat = np.concatenate"}


def test_an_alias_that_needs_what_is_not_there() -> None:
    plain = Text("size = lambda a: lost(a)", Span(PurePosixPath("framework.toml"), 7, 7))
    aliases = Aliases(simple={"concat": "nowhere.concat"}, plain=(plain,))
    framework = replace(FRAMEWORKS[0], aliases=aliases)
    assert [str(one.span) for one in findings("# One\n", [framework])] == ["None", "framework.toml:7"]
    first = findings("# One\n", [framework])[0]
    assert first.message == (
        "the alias `concat = nowhere.concat` uses 'nowhere', which the library module does not have"
    )
    assert first.hint == "import 'nowhere' in the framework's header.py, or save what defines it"


def test_a_header_that_is_not_python() -> None:
    framework = replace(FRAMEWORKS[0], header=replace(HEADER, text="\nimport numpy as np\nDATA = {\n"))
    assert list(lines(findings("# One\n", [framework]))) == [
        "3 library-syntax: the library module is not Python: '{' was never closed"
    ]


def test_reverse_aliases_stand_in_notebooks_only() -> None:
    reverse = ((r"d2l\.size\((\w+)\)", r"\1.size"), (r"d2l\.(\w+_like)", r"np.\1"), ("d2l.plain", "np.plain"))
    framework = replace(FRAMEWORKS[0], aliases=Aliases(reverse=reverse))
    cell = "# One\n```{.python .input}\nd2l.size(x), d2l.ones_like(x), d2l.plain\nd2l.sized(x)\n```\n"
    for text in (cell, cell.replace("d2l.plain", "d2l.plain(d2l.size(x))")):
        section = parse_section(text, PurePosixPath("one.md"), FrameworkNames(NAMES))
        notebook = select(section, "pytorch", NAMES)
        found = check_edition([notebook], extract([notebook], framework))
        assert [(one.rule, one.span and one.span.first, one.message) for one in found] == [
            ("unknown-library-name", 4, "the library has no 'sized'")
        ]


def test_other_code_neither_hides_nor_makes_an_undefined_name() -> None:
    text = """# One

```{.python .input}
def sets():  #@save
    global later
    later = 1
```

```{.python .input}
def reads():  #@save
    return later
```

```{.python .input}
def fails():  #@save
    return sets() + missing
```
"""
    (found,) = findings(text, FRAMEWORKS[:1])
    assert (found.rule, found.span and found.span.first) == ("undefined-name", 16)
    assert "'missing'" in found.message
