"""What the theme says to who does not see a page, in the language of the book: its templates have it in English."""

import re
from typing import Any

from jinja2.ext import Extension
from sphinx.application import Sphinx

__all__ = ["connect"]

_LABEL = re.compile(r'\baria-label="([A-Z][\w /]+)"')


class _TranslatedLabels(Extension):
    """Asks for a translation where a template has a label as it is."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002
        """Change a template before it is read."""
        return _LABEL.sub(r'aria-label="{{ _("\1")|e }}"', source)


def _extend(app: Sphinx) -> None:
    builder: Any = app.builder
    if builder.format == "html":
        builder.templates.environment.add_extension(_TranslatedLabels)


def connect(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.connect("builder-inited", _extend)
