"""Reads what a `config.ini` says of one framework: its aliases, and the hand-written head of its library file."""

import re
from collections.abc import Iterator
from dataclasses import replace

from d2lbuild.config.frameworks import Definitions
from d2lbuild.config.ini import Ini
from d2lbuild.config.languages import comment_sign
from d2lbuild.config.problems import UnreadableError, inside, read_text
from d2lbuild.config.types import Aliases, Framework, Text
from d2lbuild.config.values import call_name, is_expression, regex_problem
from d2lbuild.model import Span

__all__ = ["hand_written", "read_framework"]

_ARROW = re.compile(r"\s*->\s*")


def read_framework(name: str, ini: Ini, definitions: Definitions, *, named: Span | None) -> Framework:
    """Return a framework of an existing book.

    Title, packages, environment come from its definition; aliases and header from the section ``[library-NAME]`` where
    there is one.
    """
    framework = _definition(name, definitions, named)
    section = f"library-{name}"
    if section not in ini.sections:
        return framework
    reader = _Section(section, ini, definitions)
    prefix = ini.text(section, "lib_name") or framework.prefix
    framework = replace(framework, prefix=prefix, aliases=reader.aliases(prefix), header=None)
    return reader.with_library_file(framework)


def hand_written(text: str) -> str:
    """Return the part of a library module above the mark that says that the rest is generated.

    The mark is a comment with the word WARNING, followed within two lines by one that says "generated automatically".
    A file without the mark has no such part.
    """
    lines = text.split("\n")
    for number, line in enumerate(lines):
        following = lines[number + 1 : number + 3]
        if re.match(r"#+\s*WARNING\b", line) and any("generated automatically" in other for other in following):
            return "\n".join(lines[:number]).rstrip()
    return ""


def _definition(name: str, definitions: Definitions, named: Span | None) -> Framework:
    folder = definitions.folder(name)
    found = definitions.read(folder) if folder else None
    if found:
        return found
    if folder is None and named is not None:
        message = f"nothing describes the framework `{name}`: it has no environment to run notebooks in"
        definitions.problems.warn("unknown-framework", message, named, definitions.near(name))
    # Without tabs there is one edition, and what it is called is the language of its cells.
    language, comment = (name, comment_sign(name)) if named is None else ("python", "#")
    return Framework(name=name, title=name.capitalize(), module=name, language=language, comment=comment)


class _Section:
    """One section ``[library-NAME]``."""

    def __init__(self, section: str, ini: Ini, definitions: Definitions) -> None:
        self.section = section
        self.ini = ini
        self.root = definitions.root
        self.problems = definitions.problems

    def aliases(self, prefix: str) -> Aliases:
        return Aliases(
            simple=self.simple(prefix),
            fluent=self.fluent(),
            args=self.args(),
            plain=tuple(self.lines("alias")),
            reverse=self.reverse(),
        )

    def with_library_file(self, framework: Framework) -> Framework:
        """Add where the library module is and the header that it keeps."""
        entry = self.ini.entry(self.section, "lib_file")
        if entry is None:
            return framework
        path = inside(entry.value)
        if path is None or path.suffix != ".py" or not path.stem.isidentifier():
            message = f"[{self.section}] `lib_file` must be a Python file of the book, is `{entry.value}`: ignored"
            self.problems.warn("bad-value", message, entry.span)
            return framework
        header = None
        if (self.root / path).is_file():
            try:
                text = hand_written(read_text(self.root / path, path, self.problems))
            except UnreadableError:
                text = ""
            header = Text(f"{text}\n", Span(path, 1, text.count("\n") + 1)) if text else None
        return replace(framework, module=path.stem, library_file=path, header=header)

    def simple(self, prefix: str) -> dict[str, str]:
        found = {name: target for name, target, span in self.pairs("simple_alias") if self.usable(name, target, span)}
        entry = self.ini.entry(self.section, "simple_alias")
        if found and not prefix and entry:
            message = f"[{self.section}] `simple_alias` is of no use without `lib_name`: ignored"
            self.problems.warn("missing-key", message, entry.span)
            return {}
        return {name: f"{prefix}.{target}" for name, target in found.items()}

    def fluent(self) -> dict[str, str]:
        return {name: target for name, target, span in self.pairs("fluent_alias") if self.usable(name, target, span)}

    def args(self) -> tuple[tuple[str, str], ...]:
        found: list[tuple[str, str]] = []
        for line in self.lines("args_alias"):
            pattern, _, body = (part.strip() for part in line.text.partition("->"))
            if call_name(pattern) and is_expression(body):
                found.append((pattern, body))
            else:
                self.ignored("args_alias", line, "is not `f(a_1, key=k) -> expression`")
        return tuple(found)

    def reverse(self) -> tuple[tuple[str, str], ...]:
        found: list[tuple[str, str]] = []
        for line in self.lines("reverse_alias"):
            pattern, arrow, replacement = line.text.rpartition(" -> " if " -> " in line.text else "->")
            problem = regex_problem(pattern.strip(), replacement.strip()) if arrow else "there is no `->`"
            if problem:
                self.ignored("reverse_alias", line, f"is not usable: {problem}")
            else:
                found.append((pattern.strip(), replacement.strip()))
        return tuple(found)

    def lines(self, key: str) -> Iterator[Text]:
        """Yield the lines of a value that are not blank."""
        entry = self.ini.entry(self.section, key)
        yield from (line for line in (entry.lines if entry else ()) if line.text)

    def pairs(self, key: str) -> Iterator[tuple[str, str, Span]]:
        """Yield the items ``a`` and ``a -> b`` of a list; an open parenthesis at the end is part of neither."""
        for line in self.lines(key):
            for item in filter(None, map(str.strip, line.text.split(","))):
                name, *rest = _ARROW.split(item, maxsplit=1)
                target = rest[0] if rest else name
                yield name.removesuffix("("), target.removesuffix("("), line.span

    def usable(self, name: str, target: str, span: Span) -> bool:
        if name.isidentifier() and is_expression(f"x.{target}"):
            return True
        message = f"[{self.section}]: `{name} -> {target}` is not an alias: ignored"
        self.problems.warn("bad-value", message, span)
        return False

    def ignored(self, key: str, line: Text, why: str) -> None:
        self.problems.warn("bad-value", f"[{self.section}] `{key}`: `{line.text}` {why}: ignored", line.span)
