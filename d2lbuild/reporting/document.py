"""The frame of our reports: one page without scripts, and without anything that it would have to load."""

import base64
import hashlib
import html
from collections.abc import Iterable
from importlib import resources

from d2lbuild.reporting.account import readable

__all__ = ["document", "report_text"]


def document(title: str, body: Iterable[str], *, more_style: str = "", images: bool = False) -> str:
    """Return a page with our style; its policy lets nothing in but `images` that it holds itself."""
    style = resources.files("d2lbuild.reporting").joinpath("report.css").read_text("utf-8") + more_style
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    pictures = "; img-src data:" if images else ""
    policy = f"default-src 'none'; style-src 'sha256-{digest}'{pictures}; base-uri 'none'; form-action 'none'"
    head = [
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{report_text(title)}</title>",
        f"<style>{style}</style>",
    ]
    text = ["<!doctype html>", '<html lang="en">', "<head>", *head, "</head>", "<body>", *body, "</body>", "</html>"]
    return "\n".join(text) + "\n"


def report_text(text: str) -> str:
    """Return a text for HTML."""
    return html.escape(readable(text))
