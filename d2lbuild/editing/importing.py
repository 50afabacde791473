"""A foreign notebook as a section: its cells in the dialect, its pictures as files, without its outputs."""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, unquote

from d2lbuild.config.languages import notebook_language
from d2lbuild.editing.code_text import framework_language, longer_fence, marked
from d2lbuild.editing.notebook import source_of
from d2lbuild.editing.pictures import ATTACHMENT, Pictures, safe_name
from d2lbuild.errors import BookError, UsageError
from d2lbuild.source.cells import FrameworkNames
from d2lbuild.source.fences import find_fences
from d2lbuild.source.links import is_remote
from d2lbuild.source.marks import MarkKind
from d2lbuild.source.prose import parse_prose, split_lines

__all__ = ["Imported", "import_notebook", "read_foreign"]

_TAGS = {"remove-input": "@hide_code", "remove-output": "@hide_output", "remove-cell": "@hide"}
"""Tags that are marks in the dialect."""
_KNOWN = frozenset({"hide-input", "hide-output", "hide-cell", "raises-exception", "skip-execution"}) | {
    "remove-stderr",
    "remove-stdout",
}
"""Tags that only a ``{code-cell}`` can have."""


@dataclass(slots=True)
class Imported:
    """A section that was made, and the pictures that belong to it."""

    text: str
    pictures: dict[str, bytes] = field(default_factory=dict)
    """By their names in the folder ``img`` beside the section."""
    notes: list[str] = field(default_factory=list)


def read_foreign(path: Path) -> Mapping[str, Any]:
    """Read a notebook in any format that Jupytext knows. UsageError if that cannot be done."""
    import jupytext  # noqa: PLC0415 - slow to import

    try:
        with _no_aliases():
            found: Mapping[str, Any] = jupytext.read(path)
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist") from None
    except Exception as error:  # Jupytext raises whatever it meets in a broken file
        raise UsageError(f"{path} cannot be read as a notebook: {error}") from error
    return found


@contextmanager
def _no_aliases() -> Iterator[None]:
    """Let YAML name nothing that stands elsewhere: a few lines that name each other twice would fill the memory."""
    import yaml  # noqa: PLC0415 - Jupytext brings it

    compose = yaml.SafeLoader.compose_node

    def compose_plain(self: yaml.SafeLoader, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "aliases are not read", self.peek_event().start_mark)
        return compose(self, parent, index)

    yaml.SafeLoader.compose_node = compose_plain
    try:
        yield
    finally:
        yaml.SafeLoader.compose_node = compose


def import_notebook(
    notebook: Mapping[str, Any],
    origin: Path,
    section: str,
    framework: str,
    names: FrameworkNames,
    *,
    labels: Collection[str] = (),
) -> Imported:
    """Return the section that a notebook becomes, with its cells for `framework`, or for ``all``.

    `origin` is its file, which relative images are looked for beside, `section` the new section's id, and `labels` are
    those that the book has already.
    """
    importer = _Importer(origin, section, framework, names)
    spoken = notebook_language(notebook["metadata"]) if notebook["metadata"].get("kernelspec") else ""
    if spoken and spoken != importer.language.name:
        raise UsageError(
            f"{origin.name} is in {spoken}, and the cells of {framework} are in {importer.language.name}",
            hint="name another one with --framework",
        )
    parts = [made for cell in notebook["cells"] if (made := importer.cell(cell))]
    text = importer.with_title("\n\n".join(parts), notebook["metadata"].get("title"), labels)
    importer.made.text = text
    _check(importer, notebook)
    return importer.made


class _Importer:
    def __init__(self, origin: Path, section: str, framework: str, names: FrameworkNames) -> None:
        self.origin = origin
        self.section = section
        self.framework = framework
        self.names = names
        self.language = framework_language(names.book[0] if framework == "all" else framework, names)
        self.pictures = Pictures(section)
        self.made = Imported("", self.pictures.made)

    def cell(self, cell: Mapping[str, Any]) -> str:
        """Return one cell in the dialect; empty if it says nothing."""
        source = source_of(cell).strip("\n").rstrip()
        if not source.strip():
            return ""
        if cell["cell_type"] == "code":
            return self._code(source, cell.get("metadata", {}).get("tags", ()))
        if cell["cell_type"] == "raw":
            self.made.notes.append("a raw cell became a listing")
            fence = longer_fence("```", source.split("\n"))
            return f"{fence}\n{source}\n{fence}"
        return self._prose(source, cell.get("attachments", {}))

    def _code(self, source: str, tags: Collection[str]) -> str:
        sign = self.names.comments.get(self.language.name, "#")
        default = self.language.frameworks[:1] == (self.framework,)
        lines = source.split("\n")
        if not marked(lines, self.language.marks).tabs and not default:
            lines = [f"{sign}@tab {self.framework}", *lines]
        hiding = [f"{sign}{mark}" for tag, mark in _TAGS.items() if tag in tags]
        lines = [*lines[: not default], *hiding, *lines[not default :]] if hiding else lines
        info = f"{{.{self.language.name} .input}}"
        if options := sorted(_KNOWN & set(tags)):
            info = "{code-cell}" if self.language.name == "python" else f"{{code-cell}} {self.language.name}"
            lines = [f":tags: [{', '.join(options)}]", *lines]
        fence = longer_fence("```", lines)
        return "\n".join([fence + info, *lines, fence])

    # --- text and pictures ---

    def _prose(self, text: str, attachments: Mapping[str, Mapping[str, Any]]) -> str:
        lines = split_lines(text)
        for fence in find_fences(lines).values():
            if not fence.closed:
                text += f"\n{fence.markup}"
        for name in attachments:
            text = text.replace(f"](attachment:{name})", f"](attachment:{quote(name)})")
        if re.search(r"<img\s[^>]*src=[\"'](?!https?:|data:)", text):
            self.made.notes.append("an `<img>` names a file that was not taken along: write it as `![caption](file)`")
        made, at = list[str](), 0
        for mark in parse_prose(text).marks:
            if mark.kind is MarkKind.IMAGE and (name := self._picture(mark.value, attachments)):
                made += [text[at : mark.inner[1]], f"](img/{quote(name)})"]
                at = mark.end
        return "".join([*made, text[at:]])

    def _picture(self, target: str, attachments: Mapping[str, Mapping[str, Any]]) -> str:
        """Take a picture along; return its name, or nothing if it stays where it is."""
        if target.startswith(ATTACHMENT):
            return self._attachment(unquote(target.removeprefix(ATTACHMENT)), attachments)
        if is_remote(target):
            return ""
        file = self.origin.parent / unquote(target)
        if not file.is_file():
            self.made.notes.append(f"the image {target} does not exist beside {self.origin.name}")
            return ""
        return self.pictures.keep(file.name, file.read_bytes())

    def _attachment(self, name: str, attachments: Mapping[str, Mapping[str, Any]]) -> str:
        if found := self.pictures.attached(name, attachments):
            return self.pictures.keep(*found)
        self.made.notes.append(f"the attachment {name} is missing, or is no picture")
        return ""

    # --- the title ---

    def with_title(self, text: str, title: object, labels: Collection[str]) -> str:
        """Return the text with a title and a label below it, if it lacks them."""
        found = [one for one in parse_prose(text).headings if one.level == 1]
        if not found:
            words = (
                str(title) if title else PurePosixPath(self.section).name.replace("-", " ").replace("_", " ").title()
            )
            self.made.notes.append(f"it had no title: it is called '{words}' now")
            text = f"# {words}\n\n{text}"
            found = [one for one in parse_prose(text).headings if one.level == 1]
        if len(found) > 1:
            self.made.notes.append(f"it has {len(found)} titles: a section has one, its parts begin with `##`")
        first = found[0]
        if not first.labels:
            label = _label(PurePosixPath(self.section).name, labels)
            end = text.find("\n", first.end - 1)
            end = len(text) if end < 0 else end
            gap = "" if not text[end:].strip("\n") or text[end : end + 2] == "\n\n" else "\n"
            text = f"{text[:end]}\n:label:`{label}`{gap}{text[end:]}"
            self.made.notes.append(f"its label is `{label}`")
        return text.rstrip("\n") + "\n"


def _label(name: str, labels: Collection[str]) -> str:
    stem = f"sec_{safe_name(name).replace('-', '_')}"
    number, label = 1, stem
    while label in labels:
        number += 1
        label = f"{stem}_{number}"
    return label


def _check(importer: _Importer, notebook: Mapping[str, Any]) -> None:
    """Raise BookError unless all code is there."""
    from d2lbuild.editing.reading_back import shown_to  # noqa: PLC0415

    reader = importer.names.book[0] if importer.framework == "all" else importer.framework
    found = [source for kind, source in shown_to(importer.made.text, reader, importer.names) if kind == "code"]
    sources = (source_of(cell) for cell in notebook["cells"] if cell["cell_type"] == "code")
    marks = importer.language.marks
    wanted = [marked(source.strip("\n").split("\n"), marks).code for source in sources if source.strip()]
    if [one for one in found if one] != [one for one in wanted if one]:
        raise BookError(
            f"{importer.origin.name} cannot be taken over: its code would not be the same",
            hint="look for executable fences or `:begin_tab:` in its text, or for other frameworks' marks in its code",
        )
