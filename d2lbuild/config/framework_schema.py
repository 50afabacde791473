"""What a `framework.toml` may contain, as pydantic models; books with a `config.ini` need these, and no others."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from d2lbuild.config.languages import comment_sign
from d2lbuild.config.table import Table
from d2lbuild.config.values import (
    Call,
    CellLanguage,
    Comment,
    Dotted,
    Expression,
    Filled,
    Identifier,
    Method,
    Module,
    Name,
    Variable,
    Version,
    call_name,
    regex_problem,
    unique,
    wrong,
)

__all__ = ["AliasesTable", "FrameworkFile", "KernelTable"]


class AliasesTable(Table):
    """``[aliases]``: names below ``d2l.`` and what they stand for."""

    same: list[Identifier] = []
    """`["matmul"]`: `d2l.matmul(a, b)` becomes `torch.matmul(a, b)`."""
    simple: dict[Identifier, Expression] = {}
    """`concat = "cat"`: `d2l.concat(xs)` becomes `torch.cat(xs)`."""
    fluent: dict[Identifier, Method] = {}
    """`numpy = "detach().numpy"`: `d2l.numpy(x)` becomes `x.detach().numpy()`."""
    args: dict[Call, Expression] = {}
    """`"transpose(a_1)" = "a_1.T"`: `d2l.transpose(x)` becomes `x.T`."""
    plain: dict[Identifier, Expression] = {}
    """`size = "lambda a: a.numel()"`: `d2l.size(x)` stays, and is defined in the library."""
    reverse: dict[str, str] = {}
    """A regular expression and what takes its place, for what the others cannot say."""

    @model_validator(mode="after")
    def _defined_once(self) -> "AliasesTable":
        names = [*self.same, *self.simple, *self.fluent, *map(call_name, self.args), *self.plain]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise wrong(f"defines {', '.join(f'`{name}`' for name in twice)} twice")
        for pattern, replacement in self.reverse.items():
            if problem := regex_problem(pattern, replacement):
                raise wrong(f"reverse: `{pattern}` is not a usable regular expression: {problem}")
        return self


class KernelTable(Table):
    """``[kernel]``: a kernel other than IPython's."""

    command: Annotated[list[Filled], Field(min_length=1)]
    """The command, a word each, with `{connection_file}` and `{environment}`."""

    @model_validator(mode="after")
    def _has_a_connection(self) -> "KernelTable":
        names = {name for word in self.command for name in re.findall(r"\{(\w*)\}", word)}
        if unknown := sorted(names - {"connection_file", "environment"}):
            raise wrong(
                f"has `{{{unknown[0]}}}` in its command, where `{{connection_file}}` and `{{environment}}` are known"
            )
        if "connection_file" not in names:
            raise wrong("needs `{connection_file}` in its command: the kernel has to read that file")
        return self


class FrameworkFile(Table):
    """``frameworks/NAME/framework.toml``."""

    name: Name | None = None
    """That of its folder, if it is given at all."""
    language: CellLanguage = "python"
    """The language of its cells."""
    title: Filled
    """What readers see."""
    module: Annotated[str, Field(validate_default=True)] = ""
    """The library's module: `torch` for `from d2l import torch as d2l`. Frameworks in Python need it."""
    prefix: Dotted = ""
    """What an alias without a dot hangs on: `torch`, `np`, `tf`, `jnp`."""
    packages: list[Filled] = []
    """Distributions whose versions pages show."""
    python: Version = ""
    """The version of Python for its environment; otherwise that of d2lbuild."""
    interpreter: Filled | None = None
    """An existing Python, with `ipykernel`, in place of an environment."""
    comment: Comment = ""
    """What begins a comment in the language; usual languages are known."""
    preload: Annotated[list[Module], AfterValidator(unique)] = []
    """Modules that are imported once, in the process that kernels are forked from."""
    variables: dict[Variable, str] = {}
    """Environment variables for its kernels; `{threads}` is the number of threads they may use, `{downloads}` a folder
    that stays."""
    kernel: KernelTable | None = None
    """Another kernel than IPython's."""
    aliases: AliasesTable = Field(default_factory=AliasesTable)
    """What stands for what in its cells."""

    @field_validator("module")
    @classmethod
    def _module(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.data.get("language") == "python":
            raise PydanticCustomError("missing", "is missing")
        if value and not value.isidentifier():
            raise wrong("must be a Python name")
        return value

    @model_validator(mode="after")
    def _prefix_where_needed(self) -> "FrameworkFile":
        bare = [*self.aliases.same, *(name for name, value in self.aliases.simple.items() if value.isidentifier())]
        if bare and not self.prefix:
            raise wrong(f"needs a `prefix`, since the alias `{bare[0]}` stands for a name without a dot")
        return self

    @model_validator(mode="after")
    def _fits_the_language(self) -> "FrameworkFile":
        if not self.comment and not comment_sign(self.language):
            raise wrong(f"needs `comment`, what begins a comment in {self.language}")
        if self.language != "python" and self.aliases != AliasesTable():
            raise wrong(f"has aliases, which only code in Python can have, not {self.language}")
        return self
