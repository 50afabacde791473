"""Whether the cells of a translation do what those of the origin do: comments and docstrings may differ."""

import ast
from collections.abc import Sequence
from difflib import SequenceMatcher

from d2lbuild.model import Block, BlockKind, Section
from d2lbuild.translation.parts import Change, Part, changes_within

__all__ = ["code_differences"]


def code_differences(origin: Section, translation: Section, frameworks: frozenset[str]) -> tuple[Change, ...]:
    """Return the cells that differ, for the frameworks that both books have; `before` stands in the origin."""
    before, after = (_cells(section, frameworks) for section in (origin, translation))
    matcher = SequenceMatcher(None, [key for key, _ in before], [key for key, _ in after], autojunk=False)
    found: list[Change] = []
    for tag, low, high, start, end in matcher.get_opcodes():
        if tag != "equal":
            stretches = [part for _, part in before[low:high]], [part for _, part in after[start:end]]
            found += changes_within(*stretches, low)
    return tuple(found)


def _cells(section: Section, frameworks: frozenset[str]) -> Sequence[tuple[tuple[object, ...], Part]]:
    """Return the cells for any of the frameworks, each with what has to be the same."""
    found = []
    for block in section.blocks:
        if block.kind is BlockKind.CODE:
            seen = frameworks if block.frameworks is None else frameworks & block.frameworks
            if seen:
                part = Part(block.kind, block.content, block.span.first, block.span.last, seen)
                found.append(((seen, *_meaning(block)), part))
    return found


def _meaning(block: Block) -> tuple[object, ...]:
    """Return what a cell does, as far as it can be told: its syntax without docstrings, and its commands."""
    lines = block.content.split("\n")
    commands = tuple(line.strip() for line in lines if line.lstrip().startswith(("%", "!")))
    code = "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)
    saved = block.content.count("@save")
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        plain = tuple(line.rstrip() for line in lines if line.strip() and not line.lstrip().startswith("#"))
        return plain, saved
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and ast.get_docstring(node) is not None
        ):
            node.body[0] = ast.Pass()
    return ast.dump(tree), commands, saved
