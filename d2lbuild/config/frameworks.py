"""Framework definitions: a book's own folder first, then those that come with d2lbuild."""

import difflib
import os
from dataclasses import dataclass
from pathlib import Path

from d2lbuild.config.document import Document, read_document, validate
from d2lbuild.config.framework_schema import AliasesTable, FrameworkFile
from d2lbuild.config.languages import comment_sign
from d2lbuild.config.problems import Problems, UnreadableError, place_of, read_text
from d2lbuild.config.types import Aliases, Framework, Text
from d2lbuild.config.values import parse_python
from d2lbuild.model import Span

__all__ = ["Definitions", "hang_on"]

FILE = "framework.toml"


@dataclass(frozen=True, slots=True)
class Definitions:
    """Where the definitions of a book's frameworks are looked up."""

    root: Path
    """The book's folder."""
    defaults: Path
    problems: Problems

    def folder(self, name: str) -> Path | None:
        """Return the folder with the definition of a framework, or None if there is none."""
        own = self.root / "frameworks" / name
        for folder in (own, self.defaults / name):
            if (folder / FILE).is_file():
                return folder
            if folder == own and own.is_dir():
                message = f"the folder frameworks/{name} has no {FILE}: nothing in it is used"
                self.problems.warn("missing-file", message, None)
        return None

    def near(self, name: str) -> str:
        """Return a hint for a name without a definition."""
        folders = [folder for folder in (self.root / "frameworks", self.defaults) if folder.is_dir()]
        known = sorted({path.parent.name for folder in folders for path in folder.glob(f"*/{FILE}")})
        close = difflib.get_close_matches(name, known, n=1)
        wish = f"did you mean `{close[0]}`?" if close else f"known are {', '.join(known)}" if known else ""
        return f"{wish}; a new one is described in frameworks/{name}/{FILE}".lstrip("; ")

    def read(self, folder: Path) -> Framework | None:
        """Return the framework that a folder defines, or None after noting all that is wrong."""
        try:
            document = read_document(folder / FILE, self.root, self.problems)
        except UnreadableError:
            return None
        table = validate(document, FrameworkFile, self.problems)
        if table is None:
            return None
        if table.name not in (None, folder.name):
            message = f"`name` must be that of its folder, `{folder.name}`, is `{table.name}`"
            self.problems.error("bad-value", message, document.span("name"))
        return Framework(
            name=folder.name,
            title=table.title,
            module=table.module or folder.name,
            prefix=table.prefix,
            packages=tuple(table.packages),
            aliases=_aliases(table.aliases, table.prefix, document),
            header=self._header(folder / "header.py") if table.language == "python" else None,
            python=table.python,
            requirements=_if_file(folder / "requirements.in"),
            lock=_if_file(folder / "requirements.txt"),
            interpreter=self._interpreter(table.interpreter),
            gpu_requirements=_if_file(folder / "requirements-gpu.in"),
            gpu_lock=_if_file(folder / "requirements-gpu.txt"),
            variables=dict(table.variables),
            preload=tuple(table.preload),
            language=table.language,
            comment=table.comment or comment_sign(table.language),
            kernel=tuple(table.kernel.command) if table.kernel else (),
        )

    def _header(self, path: Path) -> Text | None:
        if not path.is_file():
            return None
        place = place_of(path, self.root)
        try:
            text = read_text(path, place, self.problems)
            parse_python(text, "exec")
        except UnreadableError:
            return None
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None) or 1
            message = f"is not Python: {getattr(error, 'msg', error)}"
            self.problems.error("syntax", message, Span(place, line, line))
            return None
        return Text(text, Span(place, 1, max(1, text.count("\n")))) if text.strip() else None

    def _interpreter(self, written: str | None) -> Path | None:
        # Links are kept: a virtual environment's python finds its packages by the path that it is called by.
        return Path(os.path.abspath(self.root / os.path.expanduser(written))) if written else None  # noqa: PTH100, PTH111


def hang_on(prefix: str, target: str) -> str:
    """Return what a simple alias stands for: a name without a dot hangs on the framework's prefix."""
    return f"{prefix}.{target}" if prefix and target.isidentifier() else target


def _aliases(table: AliasesTable, prefix: str, document: Document) -> Aliases:
    targets = {name: name for name in table.same} | table.simple
    plain = [Text(f"{name} = {value}", document.span("aliases", "plain", name)) for name, value in table.plain.items()]
    return Aliases(
        simple={name: hang_on(prefix, target) for name, target in targets.items()},
        fluent=dict(table.fluent),
        args=tuple(table.args.items()),
        plain=tuple(plain),
        reverse=tuple(table.reverse.items()),
    )


def _if_file(path: Path) -> Path | None:
    return path if path.is_file() else None
