"""Framework-neutral calls turned into what they stand for."""

from pathlib import Path
from typing import Any

import pytest

from d2lbuild.config import Aliases, Text
from d2lbuild.edition.alias_definitions import alias_definitions, alias_names
from d2lbuild.edition.aliases import expand_code
from d2lbuild.model import Span
from tests.books import read_cases

CASES = read_cases(Path(__file__).parent / "cases" / "aliases.txt")
ALIASES = Aliases(
    simple={"matmul": "torch.matmul", "to": "jax.device_put", "nn_Module": "nn.Module"},
    fluent={"numpy": "detach().numpy", "reduce_sum": "sum"},
    args=(
        ("norm(a_1, keepdims=k)", "torch.norm(a_1, keepdim=k)"),
        ("transpose(a_1)", "a_1.T"),
        ("last(a_1)", "f(a_1, b=a_1.b, c=k, *a_1[0])"),
    ),
    plain=(Text("size = lambda a: a.numel()", Span(Path("x"), 1, 1)),),  # type: ignore[arg-type]
    reverse=((r"d2l\.size\((\w+)\)", r"\1.size"), (r"d2l\.sig", "npx.sigmoid")),
)


@pytest.mark.parametrize(("title", "source", "expected"), CASES, ids=[case[0] for case in CASES])
def test_expansion(title: str, source: str, expected: str) -> None:
    assert expand_code(source, ALIASES) == expected


@pytest.mark.parametrize(("title", "source", "expected"), CASES, ids=[case[0] for case in CASES])
def test_without_aliases_nothing_changes(title: str, source: str, expected: str) -> None:
    assert expand_code(source, Aliases()) == source


def test_definitions_do_what_the_expansions_do() -> None:
    class Tensor:
        def __init__(self, value: int) -> None:
            self.value = value
            self.T = ("transposed", value)

        def sum(self, axis: int = 0) -> tuple[str, int, int]:
            return "sum", self.value, axis

        def numel(self) -> int:
            return self.value

    class Torch:
        @staticmethod
        def norm(x: int, keepdim: bool) -> tuple[str, int, bool]:
            return "norm", x, keepdim

    definitions = dict(alias_definitions(ALIASES))
    assert alias_names(ALIASES) == definitions.keys()
    d2l: dict[str, Any] = {"torch": Torch}
    for name in ("reduce_sum", "norm", "transpose", "size"):
        exec(definitions[name], d2l)
    assert d2l["reduce_sum"](Tensor(3), axis=1) == ("sum", 3, 1)
    assert d2l["norm"](3, keepdims=True) == ("norm", 3, True)
    assert d2l["transpose"](Tensor(3)) == ("transposed", 3)
    assert d2l["size"](Tensor(3)) == 3


def test_of_two_definitions_of_a_name_the_plain_one_counts() -> None:
    plain = (Text("ones = make", Span(Path("x"), 1, 1)),)  # type: ignore[arg-type]
    aliases = Aliases(simple={"ones": "torch.ones", "to": "put"}, fluent={"to": "to"}, plain=plain)
    assert alias_definitions(aliases) == [("ones", "ones = make"), ("to", "to = put")]
