"""Links from `d2l.Name` in shown code to the API reference.

Pygments' tokens are wrapped while they are written, so that neither strings nor comments become links, and the text of
the code, which the copy button takes, stays as it is.
"""

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any, Protocol

from docutils import nodes
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped,unused-ignore]
from pygments.token import STANDARD_TYPES, Token, _TokenType  # type: ignore[import-untyped,unused-ignore]
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from d2lbuild.rendering.api.objects import builder_of, library_targets, page_framework
from d2lbuild.rendering.website.framework_tabs import FrameworkPanel, cell_metadata

__all__ = ["LinkLibraryNames", "LinkingFormatter", "linked_tokens", "use_linking_formatter"]

_Pair = tuple[_TokenType, str]


class _Stream(Protocol):
    def write(self, text: str, /) -> Any: ...


class LinkingFormatter(HtmlFormatter[str]):  # type: ignore[misc,unused-ignore]
    """Pygments' HTML, with links around `package.name` for the names of its option `links`."""

    def __init__(self, **options: Any) -> None:
        self._links: Mapping[str, str] = options.pop("links", {})
        self._package: str = options.pop("package", "")
        super().__init__(**options)

    def format_unencoded(self, tokensource: Iterable[_Pair], outfile: _Stream) -> None:
        """Write the tokens as HTML."""
        if not self._links:
            super().format_unencoded(tokensource, outfile)  # type: ignore[no-untyped-call,unused-ignore]
            return
        pieces = []
        for address, tokens in linked_tokens(tokensource, self._package, self._links):
            html = "".join(map(_span, tokens))
            pieces.append(f'<a class="d2l-name" href="{escape(address)}">{html}</a>' if address else html)
        outfile.write(f'<div class="{self.cssclass}"><pre><span></span>{"".join(pieces)}</pre></div>\n')


def _span(token: _Pair) -> str:
    kind, value = token
    while kind not in STANDARD_TYPES and kind.parent is not None:
        kind = kind.parent
    name = STANDARD_TYPES.get(kind, "")
    text = escape(value)
    return f'<span class="{name}">{text}</span>' if name else text


def linked_tokens(
    tokens: Iterable[_Pair], package: str, links: Mapping[str, str]
) -> Iterator[tuple[str, tuple[_Pair, ...]]]:
    """Group tokens into runs, each with the address that it leads to, or with the empty string."""
    every = list(tokens)
    at = 0
    while at < len(every):
        three = every[at : at + 3]
        after_dot = at > 0 and every[at - 1][1] == "."
        address = "" if after_dot else _address(three, package, links)
        run = three if address else every[at : at + 1]
        yield address, tuple(run)
        at += len(run)


def _address(three: list[_Pair], package: str, links: Mapping[str, str]) -> str:
    if len(three) < 3 or three[1][1] != ".":
        return ""
    (first, value), _, (third, name) = three
    # A decorator's token is `@d2l`.
    if value.removeprefix("@") != package or first not in Token.Name or third not in Token.Name:
        return ""
    if first in Token.Name.Namespace:  # import d2l.torch
        return ""
    return links.get(name, "")


class LinkLibraryNames(SphinxPostTransform):
    """Tells each block of code which names it shall link, and the badges of saved code what they lead to.

    It runs when the tabs and the badges are made, so that the code of each tab leads to its own framework.
    """

    default_priority = 210
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:  # noqa: ARG002
        """Go through the code of a page."""
        for cell in self.document.findall(nodes.container):
            metadata = cell_metadata(cell)
            if metadata.get("links") or metadata.get("saves"):
                self._cell(cell, metadata)
        framework = page_framework(self.env)
        if framework:
            for block in self.document.findall(nodes.literal_block):
                if "d2l-listing" in block["classes"]:
                    self._link(block, library_targets(self.env, builder_of(self.env), framework))

    def _cell(self, cell: nodes.container, metadata: Mapping[str, Any]) -> None:
        own = _panel_framework(cell)
        links: dict[str, str] = {}
        saved = ""
        # Code that all frameworks share leads to the first one that has the name.
        for framework in [own] if own else metadata["frameworks"]:
            targets = library_targets(self.env, builder_of(self.env), framework)
            names = metadata.get("links", {}).get(framework, ())
            links = {name: targets[name] for name in names if name in targets} | links
            saved = saved or targets.get(metadata.get("saves", {}).get(framework, ""), "")
        for block in cell.findall(nodes.literal_block):
            if links and block.parent.get("nb_element") == "cell_code_source":
                self._link(block, links)
        for words in cell.findall(nodes.inline):
            if saved and "d2l-saved" in words.parent["classes"]:
                words[:] = [nodes.reference("", "", *words.children, internal=True, refuri=saved)]

    def _link(self, block: nodes.literal_block, links: Mapping[str, str]) -> None:
        options: dict[str, Any] = dict(block.get("highlight_args", {}))
        block["highlight_args"] = {**options, "package": self.config.d2lbuild_package, "links": links}


def _panel_framework(node: nodes.Element | None) -> str:
    """Return the framework of the panel that a node stands in; empty if it stands in none."""
    while node is not None:
        if isinstance(node, FrameworkPanel):
            return str(node["framework"])
        node = node.parent
    return ""


def use_linking_formatter(app: Sphinx) -> None:
    """Let the builder write code with links."""
    highlighter = getattr(app.builder, "highlighter", None)
    if highlighter is not None:
        highlighter.formatter = LinkingFormatter
