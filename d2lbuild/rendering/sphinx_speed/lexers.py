"""Pygments: at each place of a text only those rules of a lexer are tried that can match what begins there.

A lexer for Python tries sixty rules for a token. Which characters a rule can begin with is read off its regular
expression; where that cannot be told for certain, the rule is tried everywhere, as Pygments does.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from pygments.token import Error, Whitespace, _TokenType  # type: ignore[import-untyped,unused-ignore]

from d2lbuild.rendering.sphinx_speed.override import Override

try:
    from re import _constants as _codes  # type: ignore[attr-defined]
    from re import _parser  # type: ignore[attr-defined]
except ImportError:  # of another version of Python
    _parser = None

__all__ = ["first_characters", "overrides"]

_Rule = tuple[Any, Any, Any]
_Characters = frozenset[str] | None
"""What a match can begin with, among `_ALPHABET`; None if that is not known, or if it can be empty."""

_FEW = 20_000
"""So many characters are lexed before it is worth looking at the rules."""

_ALPHABET = tuple(map(chr, range(128)))


def overrides() -> list[Override]:
    """Return what makes lexers faster."""
    if _parser is None:
        return []
    return [Override("Pygments", "2", "pygments.lexer", "RegexLexer.get_tokens_unprocessed", _with_few_rules)]


def _with_few_rules(original: Any) -> Any:
    seen: Counter[type] = Counter()

    def get_tokens_unprocessed(
        self: Any, text: str, stack: Sequence[str] = ("root",)
    ) -> Iterator[tuple[int, _TokenType, str]]:
        seen[type(self)] += len(text)
        if seen[type(self)] > _FEW and getattr(type(self), "_tokens", None) is self._tokens:
            return _tokens(self, text, stack)
        # There is little to do, or the rules are of this lexer alone.
        found: Iterator[tuple[int, _TokenType, str]] = original(self, text, stack)
        return found

    return get_tokens_unprocessed


def _tokens(self: Any, text: str, stack: Sequence[str]) -> Iterator[tuple[int, _TokenType, str]]:
    lexer: Any = type(self)
    states = _states(lexer)
    above = list(stack)
    rules = states[above[-1]]
    position, end = 0, len(text)
    while True:
        character = text[position] if position < end else ""
        for match_rule, action, following in rules.get(character) or rules[None]:
            if match := match_rule(text, position):
                if action is not None:
                    if type(action) is _TokenType:
                        yield position, action, match.group()
                    else:
                        yield from action(self, match)
                position = match.end()
                if following is not None:
                    _enter(above, following)
                    rules = states[above[-1]]
                break
        else:
            if position >= end:
                return
            if character == "\n":
                above = ["root"]
                rules = states["root"]
                yield position, Whitespace, "\n"
            else:
                yield position, Error, character
            position += 1


def _enter(above: list[str], following: Any) -> None:
    """Change the stack of states as a rule says."""
    if isinstance(following, int):
        del above[max(len(above) + following, 1) if following < 0 else following :]
        return
    for state in following if isinstance(following, tuple) else (following,):
        if state == "#pop":
            if len(above) > 1:
                above.pop()
        else:
            above.append(above[-1] if state == "#push" else state)


class _States(dict[str, dict[str | None, tuple[_Rule, ...]]]):
    """The rules of each state, by the character that a token begins with; under None for any other."""

    def __init__(self, lexer: Any) -> None:
        super().__init__()
        self._rules = lexer._tokens

    def __missing__(self, state: str) -> dict[str | None, tuple[_Rule, ...]]:
        # Most states, such as those for all kinds of strings, are never entered.
        self[state] = found = _by_character(self._rules[state])
        return found


_states = cache(_States)


def _by_character(rules: Sequence[_Rule]) -> dict[str | None, tuple[_Rule, ...]]:
    starts = [(first_characters(_pattern(rule[0])), rule) for rule in rules]
    found: dict[str | None, tuple[_Rule, ...]] = {
        character: tuple(rule for first, rule in starts if first is None or character in first)
        for character in _ALPHABET
    }
    # Other characters, and the end of the text, which has none.
    found[None] = tuple(rules)
    return found


def _pattern(match: Any) -> re.Pattern[str] | None:
    pattern = getattr(match, "__self__", None)
    return pattern if isinstance(pattern, re.Pattern) else None


@cache
def first_characters(pattern: re.Pattern[str] | None) -> _Characters:
    """Return the characters below 128 that a match can begin with; None if it can begin with any, or be empty."""
    if pattern is None or pattern.flags & re.LOCALE:
        return None
    first, empty = _of_sequence(_parser.parse(pattern.pattern, pattern.flags), bool(pattern.flags & re.IGNORECASE))
    return None if empty else first


def _of_sequence(items: Any, any_case: bool) -> tuple[_Characters, bool]:
    """Return the first characters of what stands one after the other, and whether it can also be empty."""
    found: frozenset[str] = frozenset()
    for code, value in items:
        if code in {_codes.AT, _codes.ASSERT, _codes.ASSERT_NOT}:
            continue
        first, empty = _of_item(code, value, any_case)
        if first is None:
            return None, False
        found |= first
        if not empty:
            return found, False
    return found, True


def _of_item(code: Any, value: Any, any_case: bool) -> tuple[_Characters, bool]:
    if code is _codes.LITERAL:
        return _of_set(((code, value),), any_case), False
    if code is _codes.NOT_LITERAL:
        return _of_set(((_codes.NEGATE, None), (_codes.LITERAL, value)), any_case), False
    if code is _codes.IN:
        return _of_set(value, any_case), False
    if code is _codes.BRANCH:
        parts = [_of_sequence(branch, any_case) for branch in value[1]]
        if any(first is None for first, _ in parts):
            return None, False
        return frozenset().union(*(first or () for first, _ in parts)), any(empty for _, empty in parts)
    if code is _codes.SUBPATTERN:
        # Flags may be set for a group alone.
        return (None, False) if value[1] or value[2] else _of_sequence(value[3], any_case)
    if code in {_codes.MAX_REPEAT, _codes.MIN_REPEAT, _codes.POSSESSIVE_REPEAT}:
        first, empty = _of_sequence(value[2], any_case)
        return first, empty or value[0] == 0
    return None, False


def _of_set(items: Any, any_case: bool) -> _Characters:
    found: set[str] = set()
    negated = False
    for code, value in items:
        if code is _codes.NEGATE:
            negated = True
        elif code is _codes.CATEGORY and value in _CATEGORIES:
            found.update(filter(_CATEGORIES[value].match, _ALPHABET))
        elif code in {_codes.LITERAL, _codes.RANGE}:
            first, last = (value, value) if code is _codes.LITERAL else value
            if any_case and (last > 127 or negated):
                return None  # some letters have relatives below 128
            found.update(map(chr, range(first, min(last, 127) + 1)))
        else:
            return None
    if any_case:
        found |= {one.swapcase() for one in found}
    return frozenset(set(_ALPHABET) - found if negated else found)


_CATEGORIES: dict[Any, re.Pattern[str]] = (
    {
        _codes.CATEGORY_DIGIT: re.compile(r"\d"),
        _codes.CATEGORY_NOT_DIGIT: re.compile(r"\D"),
        _codes.CATEGORY_SPACE: re.compile(r"\s"),
        _codes.CATEGORY_NOT_SPACE: re.compile(r"\S"),
        _codes.CATEGORY_WORD: re.compile(r"\w"),
        _codes.CATEGORY_NOT_WORD: re.compile(r"\W"),
    }
    if _parser is not None
    else {}
)
