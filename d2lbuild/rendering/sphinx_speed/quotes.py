"""Smart quotes: only blocks of text that hold something to change are gone through piece by piece."""

import re
from typing import Any

from docutils import nodes, utils
from docutils.utils import smartquotes

from d2lbuild.rendering.sphinx_speed.override import Override

__all__ = ["overrides"]

_TO_EDUCATE = re.compile(r"""["'`\\\0]|--|\.\.|\. \.""")
"""Without any of these a text stays as it is."""


def overrides() -> list[Override]:
    """Return what makes smart quotes faster."""
    return [Override("docutils", "0.22", "docutils.transforms.universal", "SmartQuotes.apply", lambda _: _apply)]


def _apply(self: Any) -> None:
    """Do what `SmartQuotes.apply` does, block by block."""
    settings = self.document.settings
    chosen = settings.setdefault("smart_quotes", False)
    if not chosen:
        return
    if settings.smartquotes_locales:
        smartquotes.smartchars.quotes.update(dict(settings.smartquotes_locales))
    alternative = isinstance(chosen, str) and chosen.startswith("alt")
    for block in self.document.findall(nodes.TextElement):
        # Blocks within blocks are parts of those, and others are no running text.
        if isinstance(block, self.nodes_to_skip) or isinstance(block.parent, nodes.TextElement):
            continue
        texts = [text for text in block.findall(nodes.Text) if not isinstance(text.parent, nodes.option_string)]
        if any(map(_TO_EDUCATE.search, texts)):
            # What is literal stays as it is, and tells its neighbours its last character, as texts without quotes do.
            tokens = [(kind if _TO_EDUCATE.search(text) else "literal", text) for kind, text in self.get_tokens(texts)]
            language = _language(self, block, alternative=alternative)
            educated = smartquotes.educate_tokens(tokens, attr=self.smartquotes_action, language=language)
            for text, new in zip(texts, educated, strict=True):
                if new != text:
                    text.parent.replace(text, nodes.Text(new))
    self.unsupported_languages.clear()


def _language(self: Any, block: nodes.TextElement, *, alternative: bool) -> str:
    """Return the language whose quotes a block has; empty, with a warning, if none is known for it."""
    language: str = block.get_language_code(self.document.settings.language_code)
    if alternative:
        short = language.replace("-x-altquot", "")
        language = short if short != language else f"{language}-x-altquot"
    for tag in utils.normalize_language_tag(language):
        if tag in smartquotes.smartchars.quotes:
            return str(tag)
    if language not in self.unsupported_languages:
        self.document.reporter.warning(f'No smart quotes defined for language "{language}".', base_node=block)
        self.unsupported_languages.add(language)
    return ""
