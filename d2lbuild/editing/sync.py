"""A section and the notebook that it is edited in: whichever was changed, the other follows.

The notebook names in its metadata what it was made from. That is kept, so that a notebook which was opened long ago can
still be compared with its beginning, and be put together with what has become of the section since.
"""

import contextlib
import enum
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from d2lbuild.config import Config
from d2lbuild.editing.kernels import kernel_name
from d2lbuild.editing.merging import merge
from d2lbuild.editing.notebook import KEY, Json, notebook_file, notebook_for_editing, source_of, with_outputs_of
from d2lbuild.editing.pictures import attachments_as_files
from d2lbuild.editing.write_back import Written, write_back
from d2lbuild.errors import BookError, UsageError
from d2lbuild.files import copy_if_changed, write_atomically, write_if_changed
from d2lbuild.model import Section
from d2lbuild.source.book import framework_names
from d2lbuild.source.links import resolve_path
from d2lbuild.source.markdown import parse_section

__all__ = ["EditedSection", "Outcome", "Synced", "unsaved"]

_KEPT = 20
"""How many earlier notebooks of a section may still be open somewhere."""


class Outcome(enum.Enum):
    """What a look at both files led to."""

    NOTHING = "nothing"
    SAVED = "saved"
    """The notebook's changes are in the section."""
    RENEWED = "renewed"
    """The notebook was made anew from the section."""
    MERGED = "merged"
    """Both had changed, and both have both changes now."""
    CONFLICT = "conflict"
    """Both have changed the same block: neither file was written."""


@dataclass(frozen=True, slots=True)
class Synced:
    """What was done."""

    outcome: Outcome
    notes: tuple[str, ...] = ()


class EditedSection:
    """The two files, and what we remember of them."""

    def __init__(self, config: Config, section: Section, framework: str) -> None:
        if section.path.suffix == ".ipynb":
            raise UsageError(f"{section.path} is a notebook itself", hint="open it in Jupyter as it is")
        self.config, self.section = config, section
        self.framework = config.framework(framework)
        self.names = framework_names(config)
        self.source = (config.root / section.path).resolve()
        self.folder = config.output / "edit" / framework
        self.notebook = self.folder / f"{section.id}.ipynb"
        self.conflict = self.notebook.with_suffix(".from-notebook.md")
        """The section with the notebook's changes alone, where they clash with others."""
        self._pictures: dict[str, bytes] = {}
        """What was pasted into the notebook that was read last, by names in the folder ``img`` beside the section."""
        self._states = config.output / "edit" / ".kept" / framework / section.id

    def open(self) -> Synced:
        """Make the notebook, or bring both files up to date if it is there."""
        if not self.notebook.exists():
            self._renew(self._text(), None)
            return Synced(Outcome.RENEWED)
        self._bring_files(self._text())
        return self.sync()

    def sync(self) -> Synced:
        """Take over what was changed in either file. BookError if a change cannot be written, and then nothing is."""
        saved = self._saved()
        if saved is None:
            return Synced(Outcome.NOTHING)  # half written, or gone: later
        text, generation = self._text(), self._generation(saved)
        base, before = self._remembered(generation)
        written = write_back(base, before, saved, self.framework.name, self.names)
        if text == base:
            if written.text == base:
                return Synced(Outcome.NOTHING)
            return self._save(written.text, Outcome.SAVED, written, generation)
        if written.text in (base, text):
            self._renew(text, saved)
            return Synced(Outcome.RENEWED)
        both = merge(base, written.text, text, self.names)
        if both is None:
            write_atomically(self.conflict, written.text)
            return Synced(Outcome.CONFLICT, written.notes)
        return self._save(both, Outcome.MERGED, written, generation, saved)

    def keep(self, which: str) -> Synced:
        """End a conflict: with the changes of the ``notebook`` or with those of the ``markdown``, as both stand now."""
        saved = self._saved()
        text = self._text()
        if saved is None:
            raise UsageError(f"{self.notebook} cannot be read", hint="open the section again")
        if which == "markdown":
            earlier = self.notebook.with_suffix(".before.ipynb")
            write_atomically(earlier, self.notebook.read_bytes())
            self._renew(text, saved)
            return Synced(Outcome.RENEWED, (f"the notebook as it was is {earlier}",))
        generation = self._generation(saved)
        base, before = self._remembered(generation)
        written = write_back(base, before, saved, self.framework.name, self.names)
        earlier = self.notebook.with_suffix(".before.md")
        write_atomically(earlier, text)
        done = self._save(written.text, Outcome.SAVED, written, generation)
        return Synced(done.outcome, (*done.notes, f"the section as it was is {earlier}"))

    def _save(
        self, text: str, outcome: Outcome, written: Written, generation: str, merged: Json | None = None
    ) -> Synced:
        for name, content in self._pictures.items():
            write_if_changed(self.source.parent / "img" / name, content)
        write_atomically(self.source, text)
        self.conflict.unlink(missing_ok=True)
        # If this notebook stays open, its next changes are those since now.
        self._remember(generation, written.text, written.notebook)
        if merged is not None:
            self._renew(text, merged)
        return Synced(outcome, written.notes)

    # --- the two files ---

    def _text(self) -> str:
        try:
            return self.source.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise BookError(f"{self.source} is not UTF-8: {error.reason}", hint="save it with that encoding") from None

    def _saved(self) -> Json | None:
        try:
            saved = json.loads(self.notebook.read_bytes())
        except (OSError, ValueError):
            return None
        if not isinstance(saved, dict) or not isinstance(saved.get("cells"), list):
            return None
        saved, self._pictures = attachments_as_files(saved, self.section.id)
        return saved

    def _renew(self, text: str, old: Json | None) -> None:
        made = notebook_for_editing(text, self.framework.name, self.names)
        generation = hashlib.sha256(json.dumps([text, made]).encode()).hexdigest()[:16]
        self._remember(generation, text, made)
        if old is not None:
            made = with_outputs_of(made, old)
        about = {"base": generation, "section": str(self.source), "framework": self.framework.name}
        file = notebook_file(made, self.framework, kernel_name(self.config, self.framework.name), about)
        write_atomically(self.notebook, file)
        self._bring_files(text)
        self.conflict.unlink(missing_ok=True)

    # --- what is remembered ---

    def _generation(self, saved: Json) -> str:
        return str(saved.get("metadata", {}).get(KEY, {}).get("base", ""))

    def _remembered(self, generation: str) -> tuple[str, Json]:
        try:
            state: dict[str, Any] = json.loads((self._states / f"{generation}.json").read_text("utf-8"))
            return state["text"], state["notebook"]
        except (OSError, ValueError, KeyError):
            raise BookError(
                f"nothing is known of what {self.notebook} was made from",
                hint="keep what you need of it, remove it, and open the section again",
            ) from None

    def _remember(self, generation: str, text: str, notebook: Json) -> None:
        write_atomically(self._states / f"{generation}.json", json.dumps({"text": text, "notebook": notebook}))
        kept = sorted(self._states.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        for path in kept[:-_KEPT]:
            path.unlink()

    def _bring_files(self, text: str) -> None:
        """Let the notebook find images and data where the section does."""
        chapters = (self.config.root / self.config.chapters).resolve()
        place = self.folder
        for part in self.notebook.parent.relative_to(self.folder).parts:
            place /= part
            _make_real(place)
        # Jupyter's server shows no image that a link leads to.
        for image in parse_section(text, self.section.path, self.names).images:
            file = resolve_path(self.config.root, self.section.path, image.target)
            if file is not None and file.is_file() and file.resolve().is_relative_to(chapters):
                target = self.folder / file.resolve().relative_to(chapters)
                for folder in reversed(target.relative_to(self.folder).parents):
                    _make_real(self.folder / folder)
                target.unlink(missing_ok=True)
                copy_if_changed(file, target)
        # Where links cannot be made, code finds no data; nothing else.
        with contextlib.suppress(OSError):
            self._link(self.folder, chapters)

    def _link(self, place: Path, folder: Path) -> None:
        for one in folder.iterdir():
            link = place / one.name
            if link.is_dir() and not link.is_symlink():
                self._link(link, one)
            elif self._is_material(one) and not os.path.lexists(link):
                link.symlink_to(one)

    def _is_material(self, path: Path) -> bool:
        # The kernel imports the library of this build, not one that lies beside the sections.
        hidden = path.name.startswith((".", "_")) or path.name == self.config.library.package
        return not hidden and path.suffix not in (".md", ".ipynb") and path != self.config.output


def unsaved(config: Config) -> list[tuple[str, str]]:
    """Return the notebooks whose changes are not in their sections: the ids of these, each with the framework."""
    found = []
    for path in sorted((config.output / "edit").glob(".kept/*/**/*.json")):
        name, *parts = path.relative_to(config.output / "edit" / ".kept").parts
        section = "/".join(parts[:-1])
        notebook = config.output / "edit" / name / f"{section}.ipynb"
        with contextlib.suppress(OSError, ValueError, KeyError):
            saved, _ = attachments_as_files(json.loads(notebook.read_bytes()), section)
            if saved["metadata"][KEY]["base"] == path.stem:
                before = json.loads(path.read_bytes())["notebook"]
                if _shown(saved) != _shown(before):
                    found.append((section, name))
    return found


def _shown(notebook: Json) -> list[tuple[str, str]]:
    cells = ((cell["cell_type"], source_of(cell)) for cell in notebook["cells"])
    return [one for one in cells if one[1].strip()]


def _make_real(folder: Path) -> None:
    """Make a folder, also where a link to one stands."""
    if folder.is_symlink():
        folder.unlink()
    folder.mkdir(parents=True, exist_ok=True)
