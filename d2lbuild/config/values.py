"""Values that a configuration may have, as types that pydantic checks; what is wrong is said in words for authors."""

import ast
import re
import warnings
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from d2lbuild.config.problems import inside
from d2lbuild.notation import is_exact, parse_size

__all__ = [
    "Address",
    "Below",
    "BookAddress",
    "Call",
    "CellLanguage",
    "ClassFile",
    "Comment",
    "CoverFile",
    "Dotted",
    "Exact",
    "Expression",
    "FileName",
    "Filled",
    "FontName",
    "Identifier",
    "Language",
    "Method",
    "Module",
    "Name",
    "OneLine",
    "PageAddress",
    "PageAddresses",
    "Pattern",
    "PlaceOfVersions",
    "Seconds",
    "Size",
    "Variable",
    "Version",
    "call_name",
    "framework_name",
    "is_expression",
    "parse_python",
    "regex_problem",
    "unique",
    "wrong",
]


def wrong(message: str) -> PydanticCustomError:
    """Return the error of a value that is not what it should be."""
    # The message goes in as a value, since braces in a template would be taken for fields.
    return PydanticCustomError("bad-value", "{message}", {"message": message})


def _address(value: str) -> str:
    if not re.fullmatch(r"https?://[^/\s]+\S*", value):
        raise wrong("must be an address that begins with `https://` or `http://`")
    return value


def _for_book(value: str) -> str:
    return _placed(value, "framework")


def _for_page(value: str) -> str:
    return _placed(value, "framework", "section")


def _by_framework(value: object) -> object:
    """Return one address for all frameworks as a table, in which no name stands for all of them."""
    if isinstance(value, str):
        return {"": value}
    if isinstance(value, dict):
        return value
    raise wrong("must be an address, or a table with an address for each framework")


def _placed(value: str, *known: str) -> str:
    if unknown := sorted({*re.findall(r"\{([^}]*)\}", value)} - {*known}):
        raise wrong(f"has `{{{unknown[0]}}}`, where only {' and '.join(f'`{{{name}}}`' for name in known)} can stand")
    return value


def _filled(value: str) -> str:
    if not value.strip():
        raise wrong("must not be empty")
    return value


def _one_line(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise wrong("must be one line of text")
    return value


def _place_of_versions(value: str) -> str:
    if value and not re.fullmatch(r"(\.\./)*([\w.-]+/)*[\w.-]+\.json", value):
        raise wrong("must lead from the site's folder to a file, such as `../versions.json`")
    return value


def _file_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", value):
        raise wrong("must consist of letters, digits, `.`, `-` and `_`, since files are named after it")
    return value


def framework_name(value: str) -> str:
    """Return the name of a framework; ValueError says what is wrong with it."""
    if value == "all":
        raise wrong("cannot be called `all`, which means every framework")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", value):
        raise wrong("must be a name of lower-case letters, digits and `_`")
    return value


def _identifier(value: str) -> str:
    if not value.isidentifier():
        raise wrong("must be a Python name")
    return value


def _dotted(value: str) -> str:
    if value and not all(part.isidentifier() for part in value.split(".")):
        raise wrong("must be Python names joined by dots")
    return value


def _below(value: str) -> str:
    path = inside(value)
    if path is None:
        raise wrong("must be a path with `/` that does not leave the book")
    return str(path)


def _pattern(value: str) -> str:
    if inside(value) is None or ".." in value.split("/"):
        raise wrong("must be a pattern with `/` that does not leave the book")
    if any("**" in part and part != "**" for part in value.split("/")):
        raise wrong("must have `**` only alone between slashes, as in `**/*.md`")
    return value


def _language(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*", value):
        raise wrong("must be a language code such as `en` or `zh_CN`")
    return value


def _python(value: str) -> str:
    if not re.fullmatch(r"3\.\d+(\.\d+)?", value):
        raise wrong("must be a Python version such as `3.11`")
    return value


def _variable(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        raise wrong("is not the name of an environment variable")
    return value


def _size(value: object) -> object:
    if isinstance(value, str):
        size = parse_size(value)
        if size:
            return size
    raise wrong("must be a size such as `4GiB` or `500MB`")


def _exact(value: str) -> str:
    if not is_exact(value):
        raise wrong("must name one version of one package, such as `networkx==3.3`")
    return value


def _cell_language(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9+#_-]*", value):
        raise wrong("must be the name of a language in lower case, such as `java`")
    return value


def _comment(value: str) -> str:
    if not re.fullmatch(r"[^\w\s`{}]{1,3}", value):
        raise wrong("must be what begins a comment, such as `#` or `//`")
    return value


def unique(values: list[str]) -> list[str]:
    """Return the values, of which each may stand only once."""
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise wrong(f"names {', '.join(f'`{value}`' for value in twice)} twice")
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
        raise wrong("must be a Python expression")
    return value


def _method(value: str) -> str:
    if not is_expression(f"x.{value}"):
        raise wrong("must be what follows `x.`, such as `sum` or `detach().numpy`")
    return value


def _call(value: str) -> str:
    if not call_name(value):
        raise wrong("must be a call with names as arguments, such as `f(a_1, keepdims=k)`")
    return value


Address = Annotated[str, AfterValidator(_address)]
BookAddress = Annotated[Address, AfterValidator(_for_book)]
PageAddress = Annotated[Address, AfterValidator(_for_page)]
PageAddresses = Annotated[dict[str, PageAddress], BeforeValidator(_by_framework)]
Filled = Annotated[str, AfterValidator(_filled)]
OneLine = Annotated[str, AfterValidator(_one_line)]
PlaceOfVersions = Annotated[str, AfterValidator(_place_of_versions)]
Name = Annotated[str, AfterValidator(framework_name)]
Identifier = Annotated[str, AfterValidator(_identifier)]


def _font(value: str) -> str:
    if not re.fullmatch(r"[\w .+-]*", value):
        raise wrong("must be the name of a family of fonts")
    return value


def _class_file(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z][\w-]*\.cls", PurePosixPath(value).name):
        raise wrong("must be a file that ends in .cls, with a name of letters, digits and hyphens")
    return value


def _cover_file(value: str) -> str:
    if PurePosixPath(value).suffix.lower() not in {".png", ".jpg", ".jpeg", ".svg"}:
        raise wrong("must be a .png, .jpg or .svg file")
    return value


Below = Annotated[str, AfterValidator(_below)]
ClassFile = Annotated[Below, AfterValidator(_class_file)]
CoverFile = Annotated[Below, AfterValidator(_cover_file)]
FontName = Annotated[str, AfterValidator(_font)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Expression = Annotated[str, AfterValidator(_expression)]
Variable = Annotated[str, AfterValidator(_variable)]
Module = Annotated[Filled, AfterValidator(_dotted)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Size = Annotated[int, BeforeValidator(_size)]
Exact = Annotated[str, AfterValidator(_exact)]
Language = Annotated[str, AfterValidator(_language)]
CellLanguage = Annotated[str, AfterValidator(_cell_language)]
Comment = Annotated[str, AfterValidator(_comment)]
Dotted = Annotated[str, AfterValidator(_dotted)]
FileName = Annotated[str, AfterValidator(_file_name)]
Version = Annotated[str, AfterValidator(_python)]
Method = Annotated[str, AfterValidator(_method)]
Call = Annotated[str, AfterValidator(_call)]
