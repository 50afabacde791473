"""Pictures that notebooks hold within themselves, as files beside a section."""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, unquote

from d2lbuild.editing.notebook import Json, cells_of, source_of

__all__ = ["ATTACHMENT", "Pictures", "attachments_as_files", "safe_name"]

ATTACHMENT = "attachment:"
"""What the addresses of such pictures begin with."""
_KINDS = {"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/svg+xml": ".svg"}
_ADDRESS = re.compile(r"\]\(attachment:(?P<name>[^)]+)\)")


class Pictures:
    """The pictures of a section, by their names in the folder ``img`` beside it."""

    def __init__(self, section: str) -> None:
        self._section = safe_name(PurePosixPath(section).name)
        self.made: dict[str, bytes] = {}

    def attached(self, name: str, attachments: Mapping[str, Mapping[str, Any]]) -> tuple[str, bytes] | None:
        """Return the name and the content of an attachment; None if there is none, or if it is no picture."""
        for kind, data in attachments.get(name, {}).items():
            raw = data if isinstance(data, str) else "".join(data)
            if kind not in _KINDS:
                continue
            try:
                content = raw.encode() if raw.lstrip().startswith("<") else base64.b64decode(raw)
            except (binascii.Error, ValueError):
                continue
            return PurePosixPath(name).stem + _KINDS[kind], content
        return None

    def keep(self, name: str, content: bytes) -> str:
        """Keep a picture under a safe name that no other one has, and return that."""
        path = PurePosixPath(name.replace("\\", "/"))
        stem = f"{self._section}-{safe_name(path.stem)}"
        suffix = re.sub(r"[^a-z0-9.]", "", path.suffix.lower())
        number, kept = 1, f"{stem}{suffix}"
        while self.made.get(kept, content) != content:
            number += 1
            kept = f"{stem}-{number}{suffix}"
        self.made[kept] = content
        return kept


def attachments_as_files(notebook: Json, section: str) -> tuple[Json, dict[str, bytes]]:
    """Return a notebook with addresses of files in place of attachments, and these files.

    Their names depend on what is in them, so that they are the same whenever the notebook is saved.
    """
    pictures = Pictures(section)
    cells = []
    for cell in cells_of(notebook):
        attachments = cell.get("attachments") or {}

        def address(match: re.Match[str], attachments: Mapping[str, Any] = attachments) -> str:
            name = match["name"] if match["name"] in attachments else unquote(match["name"])
            if (found := pictures.attached(name, attachments)) is None:
                return match[0]
            stem, content = PurePosixPath(found[0]), found[1]
            digest = hashlib.sha256(content).hexdigest()[:8]
            return f"](img/{quote(pictures.keep(f'{stem.stem[:12]}-{digest}{stem.suffix}', content))})"

        cells.append({**cell, "source": _ADDRESS.sub(address, source_of(cell))} if attachments else cell)
    return {**notebook, "cells": cells}, pictures.made


def safe_name(name: str) -> str:
    """Return a name with nothing but small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "image"
