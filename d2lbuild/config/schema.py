"""What `conf/book.toml` and `framework.toml` may contain, as pydantic models. Only this package uses pydantic."""

import ast
import re
import warnings
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from d2lbuild.config.problems import inside

__all__ = [
    "AliasesTable",
    "BookFile",
    "BookTable",
    "ExecutionTable",
    "FrameworkFile",
    "HeaderLinkTable",
    "HtmlTable",
    "LibraryTable",
    "OutputTable",
    "Table",
    "call_name",
    "framework_name",
    "is_expression",
    "parse_python",
    "regex_problem",
]


def _wrong(message: str) -> PydanticCustomError:
    # The message goes in as a value, since braces in a template would be taken for fields.
    return PydanticCustomError("bad-value", "{message}", {"message": message})


def _filled(value: str) -> str:
    if not value.strip():
        raise _wrong("must not be empty")
    return value


def _file_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", value):
        raise _wrong("must consist of letters, digits, `.`, `-` and `_`, since files are named after it")
    return value


def framework_name(value: str) -> str:
    """Return the name of a framework; ValueError says what is wrong with it."""
    if value == "all":
        raise _wrong("cannot be called `all`, which means every framework")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", value):
        raise _wrong("must be a name of lower-case letters, digits and `_`")
    return value


def _identifier(value: str) -> str:
    if not value.isidentifier():
        raise _wrong("must be a Python name")
    return value


def _dotted(value: str) -> str:
    if value and not all(part.isidentifier() for part in value.split(".")):
        raise _wrong("must be Python names joined by dots")
    return value


def _below(value: str) -> str:
    path = inside(value)
    if path is None:
        raise _wrong("must be a path with `/` that does not leave the book")
    return str(path)


def _pattern(value: str) -> str:
    if inside(value) is None or ".." in value.split("/"):
        raise _wrong("must be a pattern with `/` that does not leave the book")
    if any("**" in part and part != "**" for part in value.split("/")):
        raise _wrong("must have `**` only alone between slashes, as in `**/*.md`")
    return value


def _language(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*", value):
        raise _wrong("must be a language code such as `en` or `zh_CN`")
    return value


def _python(value: str) -> str:
    if not re.fullmatch(r"3\.\d+(\.\d+)?", value):
        raise _wrong("must be a Python version such as `3.11`")
    return value


def _variable(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        raise _wrong("is not the name of an environment variable")
    return value


def _unique(values: list[str]) -> list[str]:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise _wrong(f"names {', '.join(f'`{value}`' for value in twice)} twice")
    return values


def parse_python(code: str, mode: Literal["exec", "eval"]) -> ast.mod:
    """Return the syntax tree of `code`, without Python's warnings about odd but possible code."""
    with warnings.catch_warnings(action="ignore"):
        return ast.parse(code, mode=mode)


def is_expression(code: str) -> bool:
    """Tell whether `code` is one Python expression."""
    try:
        parse_python(code.strip(), "eval")
    except (SyntaxError, ValueError):
        return False
    return True


def call_name(pattern: str) -> str:
    """Return the name in a call pattern such as ``f(a_1, keepdims=k)``, or the empty string if it is none."""
    try:
        tree = parse_python(pattern.strip(), "eval")
    except (SyntaxError, ValueError):
        return ""
    call = tree.body if isinstance(tree, ast.Expression) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        return ""
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    return call.func.id if all(isinstance(argument, ast.Name) for argument in arguments) else ""


def regex_problem(pattern: str, replacement: str) -> str:
    """Return what is wrong with a regular expression and its replacement, or the empty string."""
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(pattern).sub(replacement, "")
    except (re.error, IndexError, OverflowError, RecursionError) as error:
        return str(error)
    return ""


def _expression(value: str) -> str:
    if not is_expression(value):
        raise _wrong("must be a Python expression")
    return value


def _method(value: str) -> str:
    if not is_expression(f"x.{value}"):
        raise _wrong("must be what follows `x.`, such as `sum` or `detach().numpy`")
    return value


def _call(value: str) -> str:
    if not call_name(value):
        raise _wrong("must be a call with names as arguments, such as `f(a_1, keepdims=k)`")
    return value


Filled = Annotated[str, AfterValidator(_filled)]
Name = Annotated[str, AfterValidator(framework_name)]
Identifier = Annotated[str, AfterValidator(_identifier)]
Below = Annotated[str, AfterValidator(_below)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Expression = Annotated[str, AfterValidator(_expression)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Table(BaseModel):
    """A table in which only known keys may stand."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class BookTable(Table):
    """``[book]``: what the book is and where its sources are."""

    name: Annotated[str, AfterValidator(_file_name)]
    title: Filled
    author: str = ""
    authors: list[Filled] = []
    copyright: str = ""
    release: str = ""
    language: Annotated[str, AfterValidator(_language)] = "en"
    frameworks: Annotated[list[Name], Field(min_length=1), AfterValidator(_unique)]
    chapters: Below = "chapters"
    notebooks: Annotated[list[Pattern], Field(min_length=1)] = ["**/*.md", "**/*.ipynb"]
    exclusions: list[Pattern] = []
    resources: list[Pattern] = []
    bibliography: list[Below] = []

    @model_validator(mode="after")
    def _one_author(self) -> "BookTable":
        if self.author and self.authors:
            raise _wrong("has both `author` and `authors`: keep one of them")
        return self


class HeaderLinkTable(Table):
    """One of ``html.header_links``."""

    name: Filled
    url: Filled
    icon: str = ""


class HtmlTable(Table):
    """``[html]``: the website."""

    header_links: list[HeaderLinkTable] = []
    favicon: Below | None = None
    logo: Below | None = None
    css: list[Below] = []
    javascript: list[Below] = []
    repository: str = ""
    math_macros: dict[str, str] = {}


class LibraryTable(Table):
    """``[library]``: the generated package."""

    package: Identifier = "d2l"
    version_file: Below | None = None


class ExecutionTable(Table):
    """``[execution]``: how notebooks are run."""

    enabled: bool = True
    timeout: Seconds = 600.0
    startup_timeout: Seconds = 120.0
    max_output: Annotated[int, Field(gt=0)] = 1_000_000
    data: list[Pattern] = []


class OutputTable(Table):
    """``[output]``: where everything that is built goes."""

    folder: Below = "_build"

    @model_validator(mode="after")
    def _not_the_book(self) -> "OutputTable":
        if self.folder == ".":
            raise _wrong("folder must not be the book itself, since it can be deleted as a whole")
        return self


class BookFile(Table):
    """``conf/book.toml``."""

    book: BookTable
    html: HtmlTable = HtmlTable()
    library: LibraryTable = LibraryTable()
    execution: ExecutionTable = ExecutionTable()
    output: OutputTable = OutputTable()


class AliasesTable(Table):
    """``[aliases]``: names below ``d2l.`` and what they stand for."""

    same: list[Identifier] = []
    simple: dict[Identifier, Expression] = {}
    fluent: dict[Identifier, Annotated[str, AfterValidator(_method)]] = {}
    args: dict[Annotated[str, AfterValidator(_call)], Expression] = {}
    plain: dict[Identifier, Expression] = {}
    reverse: dict[str, str] = {}

    @model_validator(mode="after")
    def _defined_once(self) -> "AliasesTable":
        names = [*self.same, *self.simple, *self.fluent, *map(call_name, self.args), *self.plain]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise _wrong(f"defines {', '.join(f'`{name}`' for name in twice)} twice")
        for pattern, replacement in self.reverse.items():
            if problem := regex_problem(pattern, replacement):
                raise _wrong(f"reverse: `{pattern}` is not a usable regular expression: {problem}")
        return self


class FrameworkFile(Table):
    """``frameworks/NAME/framework.toml``."""

    name: Name | None = None
    title: Filled
    module: Identifier
    prefix: Annotated[str, AfterValidator(_dotted)] = ""
    packages: list[Filled] = []
    python: Annotated[str, AfterValidator(_python)] = ""
    interpreter: Filled | None = None
    variables: dict[Annotated[str, AfterValidator(_variable)], str] = {}
    aliases: AliasesTable = AliasesTable()

    @model_validator(mode="after")
    def _prefix_where_needed(self) -> "FrameworkFile":
        bare = [*self.aliases.same, *(name for name, value in self.aliases.simple.items() if value.isidentifier())]
        if bare and not self.prefix:
            raise _wrong(f"needs a `prefix`, since the alias `{bare[0]}` stands for a name without a dot")
        return self
