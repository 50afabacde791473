"""Every rule: its name, how bad it is where the book says nothing of it, and what it finds.

`d2lbuild check --rules` and the table in docs/checking.md show what stands here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from d2lbuild.model import Severity

__all__ = ["RULES", "Rule", "Stage", "rules_table"]


class Stage(Enum):
    """What finds it."""

    CONFIGURATION = "configuration"
    CHECK = "check"
    LINKS = "check --links"
    BUILD = "build"


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of finding."""

    name: str
    severity: Severity | None
    """Where the book says nothing; None: off. Some findings of a rule may be milder."""
    text: str
    """What it finds, in one line."""
    stage: Stage = Stage.CHECK
    fixable: bool = False
    """Whether `check --fix` mends it."""

    @property
    def level(self) -> str:
        """The severity as it stands in the configuration."""
        return self.severity.value if self.severity else "off"


_ERROR, _WARNING, _NOTE, _OFF = Severity.ERROR, Severity.WARNING, Severity.NOTE, None

_STRUCTURE = (
    Rule("broken-notebook", _ERROR, "an `.ipynb` file that cannot be read"),
    Rule("chapter-label", _NOTE, "a chapter's first page whose title has no label, so that nothing can refer to it"),
    Rule("crossed-tabs", _WARNING, "a cell inside `:begin_tab:` marked for other frameworks: nobody sees it"),
    Rule("empty-file", _WARNING, "a source without any text"),
    Rule("heading-jump", _NOTE, "a heading that is more than one level below the one before"),
    Rule("misplaced-tab", _ERROR, "`:begin_tab:` or `:end_tab:` that has no line of its own"),
    Rule("missing-cell", _NOTE, "cells side by side for some frameworks, and none for another that has the page"),
    Rule("no-framework", _ERROR, "a framework mark without a name"),
    Rule("no-title", _WARNING, "a section without a heading"),
    Rule("not-utf8", _ERROR, "bytes that are not UTF-8"),
    Rule("orphan", _NOTE, "a source that no table of contents reaches"),
    Rule("outputs-in-source", _NOTE, "an `.ipynb` source that holds outputs, which no build uses"),
    Rule("several-titles", _WARNING, "a second heading of the first level, which is no title of the page"),
    Rule("stray-end-tab", _ERROR, "`:end_tab:` that closes nothing"),
    Rule("toc-cycle", _ERROR, "a table of contents that leads back to itself"),
    Rule("toc-leaves-book", _ERROR, "an entry of a table of contents outside of the book"),
    Rule("toc-option", _ERROR, "an unknown option of a table of contents"),
    Rule("toc-repeat", _ERROR, "a section that stands in the table of contents twice"),
    Rule("toc-target", _ERROR, "an entry of a table of contents without a section"),
    Rule("unclosed-fence", _ERROR, "a fence that is never closed"),
    Rule("unclosed-math", _WARNING, "`$$` that is never closed: what follows is no formula"),
    Rule("unclosed-tab", _ERROR, "`:begin_tab:` that is not closed before the next one, or the end of the file"),
    Rule("unknown-framework", _ERROR, "a name of a framework that there is not"),
    Rule("unknown-mark", _WARNING, "a mark that the dialect does not have"),
    Rule("unreadable", _ERROR, "a file that cannot be read"),
)
_REFERENCES = (
    Rule("duplicate-label", _ERROR, "a label that is defined twice"),
    Rule("loose-label", _WARNING, "a label that follows nothing that it could name"),
    Rule("missing-anchor", _WARNING, "a link to a place that its page does not have"),
    Rule("missing-bibliography", _ERROR, "a bibliography that does not exist"),
    Rule("missing-image", _ERROR, "an image that does not exist"),
    Rule("missing-link", _ERROR, "a link to a file that does not exist"),
    Rule("remote-image", _WARNING, "an image that lies on another site"),
    Rule("undefined-citation", _ERROR, "a citation that the bibliography does not have"),
    Rule("undefined-label", _ERROR, "a reference to a label that there is not"),
    Rule("unused-label", _OFF, "a label that nothing refers to"),
    Rule("wrong-reference", _ERROR, "`:eqref:` to what is no equation, or `:numref:` to one"),
)
_PROSE = (
    Rule("byte-order-mark", _WARNING, "a byte order mark, which hides the first line's meaning", fixable=True),
    Rule("broken-mark", _WARNING, "what looks like a mark, `:numref:sec_x`, and is shown as it stands"),
    Rule("final-newline", _OFF, "a file whose last line does not end", fixable=True),
    Rule("image-alt", _NOTE, "an image without words for those who do not see it"),
    Rule("invisible-character", _WARNING, "a character that nobody sees, such as a zero-width space", fixable=True),
    Rule("line-endings", _WARNING, "line ends of two kinds in one file", fixable=True),
    Rule("nonbreaking-space", _OFF, "a plain space before a reference or a citation", fixable=True),
    Rule("repeated-word", _WARNING, "the same word twice in a row, in books in English", fixable=True),
    Rule("stray-space", _NOTE, "a space before a comma or a full stop", fixable=True),
    Rule("table-caption", _NOTE, "a table with a label but no caption"),
    Rule("unspaced-heading", _WARNING, "`#Title`, which is no heading without a space"),
    Rule("words", _WARNING, "words that `[check.words]` of the configuration does not want", fixable=True),
)
_CODE = (
    Rule("impossible-branch", _WARNING, "a condition on a framework for which its cell is not"),
    Rule("import-order", _WARNING, "a cell that uses a module which only a later cell imports"),
    Rule("long-line", _NOTE, "a line of code longer than `[check] line_length`"),
    Rule("misplaced-needs", _ERROR, "`@needs` below the first line of code, or not in the first cell"),
    Rule("odd-fence", _WARNING, "a fence that looks like a cell and is a listing"),
    Rule("self-outside-method", _WARNING, "a branch with the end of a method that is not indented as the method is"),
    Rule("syntax-error", _ERROR, "code that is not Python"),
    Rule("tab-in-code", _WARNING, "Python indented by tabs"),
    Rule("unknown-need", _ERROR, "`@needs` with a word that it does not know"),
    Rule("wrong-language", _ERROR, "a cell for a framework that speaks another language"),
    Rule("wrong-need", _ERROR, "`@needs` with a value that cannot be"),
)
_LIBRARY = (
    Rule("idle-save", _WARNING, "`#@save` that saves nothing"),
    Rule("library-syntax", _ERROR, "a library module that is not Python"),
    Rule("method-before-class", _ERROR, "a method that is saved before its class"),
    Rule("other-library", _WARNING, "an import of the library of another framework"),
    Rule("saved-magic", _ERROR, "saved code that is not plain Python"),
    Rule("saved-order", _ERROR, "saved code that needs, on import, what is only defined further down"),
    Rule("saved-twice", _WARNING, "two different saved definitions of one name"),
    Rule("undefined-library-name", _ERROR, "saved code that uses a name of the library which it does not have"),
    Rule("undefined-name", _ERROR, "saved code that uses a name which its module does not have"),
    Rule("unknown-library-name", _ERROR, "a notebook that uses a name which the library does not have"),
    Rule("unsaved-class", _ERROR, "a method saved for a class that is not saved"),
)
_OWN = (
    Rule("unknown-rule", _WARNING, "a rule that there is not, in the configuration or a comment"),
    Rule("unused-ignore", _NOTE, "a comment that ignores what is not there"),
)
_LINKS = (
    Rule("broken-link", _ERROR, "an address that its site does not have", Stage.LINKS),
    Rule("unreachable-link", _WARNING, "an address whose site did not answer, or not to programs", Stage.LINKS),
)
_CONFIGURATION = tuple(
    Rule(name, severity, text, Stage.CONFIGURATION)
    for name, severity, text in (
        ("bad-key", _ERROR, "a name in the configuration that cannot be one"),
        ("bad-value", _ERROR, "a value that cannot be"),
        ("code-not-run", _NOTE, "a program in the configuration, which is not run unasked"),
        ("encoding", _ERROR, "a file of the configuration that is not UTF-8"),
        ("missing-file", _ERROR, "a file that the configuration or a page names and that does not exist"),
        ("missing-key", _ERROR, "something that the configuration must say"),
        ("no-frameworks", _NOTE, "a `config.ini` without frameworks"),
        ("not-carried-over", _WARNING, "a key of a `config.ini` that `migrate` leaves out"),
        ("not-supported", _WARNING, "an option of older tools that has no effect"),
        ("path-leaves-book", _WARNING, "a path of the configuration outside of the book"),
        ("placeholder", _NOTE, "a value that scripts of older tools fill in"),
        ("renamed", _WARNING, "a book whose name `migrate` had to change"),
        ("repeated", _ERROR, "a key or table that stands there twice"),
        ("syntax", _ERROR, "a file of the configuration that cannot be parsed"),
        ("unknown-key", _ERROR, "a key that is not known"),
        ("unknown-section", _ERROR, "a section or table that does not exist"),
    )
)
_BUILD = tuple(
    Rule(name, severity, text, Stage.BUILD)
    for name, severity, text in (
        ("bibliography", _WARNING, "an entry of the bibliography that cannot be formatted"),
        ("fetched-from-elsewhere", _WARNING, "HTML of the book that loads something from another site"),
        ("formula-not-converted", _WARNING, "a formula that an EPUB can only show as LaTeX"),
        ("latex-error", _WARNING, "what LaTeX does not understand"),
        ("library-import", _ERROR, "a library module that its framework cannot import"),
        ("missing-character", _WARNING, "a character that the fonts of the PDF do not have"),
        ("missing-font", _WARNING, "a font that is not installed"),
        ("no-library-address", _WARNING, "notebooks elsewhere that cannot be told where the library is"),
        ("notebook-failed", _ERROR, "a notebook that did not run to its end: in reports and on GitHub"),
        ("missing-requirement", _WARNING, "a package that the library imports and its wheel does not name"),
        ("rendering", _WARNING, "anything else that Sphinx warns of"),
        ("too-wide", _WARNING, "a line of the PDF that does not fit on the page"),
        ("unknown-image", _WARNING, "an image in a format that an EPUB cannot have"),
    )
)

_ALL = (*_STRUCTURE, *_REFERENCES, *_PROSE, *_CODE, *_LIBRARY, *_OWN, *_LINKS, *_CONFIGURATION, *_BUILD)
RULES: Mapping[str, Rule] = MappingProxyType({rule.name: rule for rule in _ALL})
"""By name, in the order in which they are shown."""


def rules_table() -> Iterator[str]:
    """Yield the lines of a table of all rules in Markdown."""
    yield "| rule | found by | severity | `--fix` | what it finds |"
    yield "|---|---|---|---|---|"
    for rule in RULES.values():
        fix = "yes" if rule.fixable else ""
        yield f"| `{rule.name}` | {rule.stage.value} | {rule.level} | {fix} | {rule.text} |"
