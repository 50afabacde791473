"""What the tool before this one did wrong, case by case; the cases say which function each goes through."""

from collections.abc import Callable
from pathlib import Path

import pytest

from d2lbuild.config import Aliases, Framework
from d2lbuild.edition.aliases import expand_code
from d2lbuild.edition.branches import resolve_branches
from d2lbuild.edition.library import extract
from d2lbuild.edition.saved import docstring_with, saved_statements
from d2lbuild.edition.select import select
from d2lbuild.rendering.sources.displayed_code import displayed_code
from tests.books import INDEX, book, read_cases

CASES = read_cases(Path(__file__).parent / "cases" / "old_bugs.txt")
JAX = Framework("jax", "JAX", "jax")
ALIASES = Aliases(
    simple={"to": "jax.device_put"},
    fluent={"numpy": "asnumpy"},
    args=(("zeros(a_1, device=k)", "np.zeros(a_1, ctx=k)"), ("swap(a_1, a_2)", "np.swap(a_2, a_1)")),
    reverse=((r"d2l\.size\(([\w\_\d]+)\)", r"\1.size"),),
)


def _library(chapter: str, root: Path) -> str:
    sections = book(root, {"index.md": INDEX, "one.md": f"{chapter}\n", "two.md": "# Two\n"}).sections
    library = extract([select(sections["one"], "jax", ["pytorch", "jax"])], JAX)
    return "\n".join(f"{block.code}\n---" for block in library.blocks)


TRIED: dict[str, Callable[[str, Path], str]] = {
    "saved": lambda cell, _: "\n".join(f"{one.code}\n---" for one in saved_statements(cell)[0]),
    "docstring": lambda code, _: docstring_with(
        saved_statements(f"#@save\n{code}")[0][0], "Defined in :numref:`sec_x`"
    ),
    "library": _library,
    "aliases": lambda cell, _: expand_code(cell, ALIASES),
    "branches": lambda cell, _: resolve_branches(cell, "jax").source,
    "shown": lambda cell, _: displayed_code(cell)[0],
}


@pytest.mark.parametrize(("title", "source", "expected"), CASES, ids=[case[0] for case in CASES])
def test_an_old_bug(tmp_path: Path, title: str, source: str, expected: str) -> None:
    assert TRIED[title.partition(":")[0]](source, tmp_path) == expected


def test_every_function_has_its_cases() -> None:
    assert {title.partition(":")[0] for title, _, _ in CASES} == TRIED.keys()


def test_many_calls_in_one_cell() -> None:
    """The old tool stopped after a hundred."""
    assert expand_code("d2l.numpy(x)\n" * 150, ALIASES) == "x.asnumpy()\n" * 150
