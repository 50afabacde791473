"""What running a notebook takes: from the configuration, from the `#@needs` mark of its first code cell, or guessed.

The mark is laid over the configuration field by field. Only where neither says a word about GPUs, calls in the code
decide whether one is used.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from d2lbuild.config.types import Execution
from d2lbuild.edition.code import CodeError, is_python, tree, walk
from d2lbuild.model import Cell, Finding, Needs, Notebook, Span
from d2lbuild.notation import is_exact, parse_size

__all__ = ["needs_of", "whole_needs"]

_GPU_WORDS = ("try_gpu", "try_all_gpus", "num_gpus")
"""What books call where they use a GPU if there is one."""

_GPU_FIELDS = frozenset({"gpus", "gpu_memory", "uses_gpu"})

_SEPARATOR = re.compile(r",(?![^\[]*\])")
"""A comma, but not one between the extras of a package: ``jax[cuda12,k8s]==0.4``."""


@dataclass(frozen=True, slots=True)
class _Field:
    """One thing that a mark can state."""

    read: Callable[[str], Any]
    """Returns the value, or None if the text is none."""
    example: str


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 < seconds < float("inf") else None


def _packages(text: str) -> tuple[str, ...] | None:
    words = tuple(re.sub(r"\s*==\s*", "==", text).split())
    return words if words and all(is_exact(word) for word in words) else None


_FIELDS: Mapping[str, _Field] = {
    "gpus": _Field(_count, "gpus=1"),
    "gpu_memory": _Field(parse_size, "gpu_memory=8GiB"),
    "uses_gpu": _Field({"yes": True, "no": False}.get, "uses_gpu=yes or uses_gpu=no"),
    "memory": _Field(parse_size, "memory=4GiB"),
    "timeout": _Field(_seconds, "timeout=900, in seconds"),
    "packages": _Field(_packages, "packages=networkx==3.3, exact versions with spaces between them"),
}


def needs_of(notebook: Notebook, execution: Execution) -> tuple[Needs, tuple[Finding, ...]]:
    """Return what a notebook needs, and what is wrong with its marks; `Needs.origin` says from where it is known."""
    needs = _configured(notebook.section.id, execution.sections)
    findings: list[Finding] = []
    stated: dict[str, Any] = {}
    for number, cell in enumerate(notebook.code):
        if not cell.needs_line:
            continue
        span = Span(notebook.section.path, cell.needs_line, cell.needs_line)
        if number:
            findings.append(_misplaced(span))
            continue
        stated, wrong = _stated(cell.needs, span)
        findings += wrong
        if stated:
            needs = replace(needs, **stated, origin=_joined(str(span), needs.origin))
    needs = _with_shared_gpu(needs)
    if not _GPU_FIELDS & stated.keys() and not needs.gpus and not needs.uses_gpu:
        word = next(filter(None, map(_gpu_word, notebook.code)), "")
        if word:
            needs = replace(needs, uses_gpu=True, origin=_joined(f"its code says {word}", needs.origin))
    return needs, tuple(findings)


def whole_needs(notebook: Notebook, execution: Execution) -> Needs:
    """Return what a notebook needs, with what is configured for all that state nothing."""
    needs, _ = needs_of(notebook, execution)
    return replace(needs, memory=execution.memory) if needs.memory is None else needs


# --- the configuration ---


def _configured(section: str, configured: Mapping[str, Needs]) -> Needs:
    """Return what the configuration says of a section: itself, or the longest folder that it lies in."""
    by_name = {name.strip("/"): needs for name, needs in configured.items()}
    while section:
        if section in by_name:
            found = by_name[section]
            return found if found.origin else replace(found, origin="the configuration")
        section = section.rpartition("/")[0]
    return Needs()


def _with_shared_gpu(needs: Needs) -> Needs:
    """Let who says how much of a GPU's memory it takes use a GPU."""
    return replace(needs, uses_gpu=True) if needs.gpu_memory is not None and not needs.gpus else needs


def _joined(*origins: str) -> str:
    return ", ".join(filter(None, origins))


# --- the mark ---


def _stated(text: str, span: Span) -> tuple[dict[str, Any], list[Finding]]:
    """Return the fields that a mark states, and what is wrong with it."""
    stated: dict[str, Any] = {}
    findings: list[Finding] = []
    for name, value in _items(text):
        field = _FIELDS.get(name)
        if field is None:
            hint = _hint(name, _FIELDS, f"it can state {', '.join(_FIELDS)}")
            findings.append(Finding("unknown-need", f"unknown need '{name}'", span, hint=hint))
            continue
        read = field.read(value)
        if read is None:
            message = f"'{value}' cannot be the value of {name}" if value else f"{name} has no value"
            findings.append(Finding("wrong-need", message, span, hint=f"write {field.example}"))
        elif name in stated:
            findings.append(Finding("wrong-need", f"{name} is stated twice", span, hint="remove one of them"))
        else:
            stated[name] = read
    if not stated and not findings:
        findings.append(
            Finding("wrong-need", "the mark states nothing", span, hint="write #@needs gpus=1, or remove it")
        )
    if stated.get("gpu_memory") is not None and stated.get("gpus", 0) > 1:
        message = f"{stated['gpus']} GPUs cannot be shared"
        findings.append(Finding("wrong-need", message, span, hint="remove gpu_memory, or gpus"))
        del stated["gpu_memory"]
    if stated.get("gpus") == 0:
        # None at all, whatever the configuration says of them.
        stated = {"uses_gpu": False, "gpu_memory": None, **stated}
    return stated, findings


def _items(text: str) -> Iterator[tuple[str, str]]:
    """Yield names and values; exact packages behind further commas belong to the value before them."""
    name, value = "", ""
    for part in filter(None, map(str.strip, _SEPARATOR.split(text))):
        if name == "packages" and is_exact(part):
            value += f" {part}"
            continue
        if name:
            yield name, value
        name, _, value = (word.strip() for word in part.partition("="))
    if name:
        yield name, value


def _misplaced(span: Span) -> Finding:
    message = "only the first code cell of a notebook can state what it needs"
    return Finding("misplaced-needs", message, span, hint="move the mark there")


def _hint(name: str, known: Iterable[str], otherwise: str) -> str:
    near = get_close_matches(name.lower(), list(known), n=1)
    return f"did you mean '{near[0]}'?" if near else otherwise


# --- the code ---


def _gpu_word(cell: Cell) -> str:
    """Return the word in a cell's code from which it seems that a GPU is used, or an empty string."""
    if not any(word in cell.source for word in _GPU_WORDS) or not is_python(cell.source):
        return ""
    try:
        calls = [node for node in walk(tree(cell.source)) if isinstance(node, ast.Call)]
    except CodeError:
        return ""
    return next(filter(None, map(_word_of, calls)), "")


def _word_of(call: ast.Call) -> str:
    name = getattr(call.func, "attr", "") or getattr(call.func, "id", "")
    if name in _GPU_WORDS:
        return f"{name}()"
    for keyword in call.keywords:
        if keyword.arg == "num_gpus" and not (isinstance(keyword.value, ast.Constant) and not keyword.value.value):
            return ast.unparse(keyword)
    return ""
