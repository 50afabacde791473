"""What a reader's browser makes of outputs: nothing runs, all of it fits, and keys reach what scrolls."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from d2lbuild.model import CellKind
from d2lbuild.rendering.sources.page_notebook import Prose
from d2lbuild.rendering.website.html import RenderContext, render
from tests.rendering.outputs.test_animation import jshtml, png
from tests.rendering.outputs.test_display import data, stream
from tests.rendering.pages import PYTORCH, PageBuilder, as_myst, make_book, make_config

pytestmark = [pytest.mark.browser, pytest.mark.integration]

ELSEWHERE = "http://127.0.0.1:9"
HOSTILE = [
    "<script>document.title = 'owned'</script>",
    "<img src=x onerror=\"document.title = 'owned'\">",
    f"<img src='{ELSEWHERE}/a.png'><link rel=stylesheet href='{ELSEWHERE}/a.css'><iframe src='{ELSEWHERE}'></iframe>",
    f"<style>@import url({ELSEWHERE}/b.css); body {{ display: none }} p {{ background: url({ELSEWHERE}) }}</style>a",
    "<div style='position: fixed; inset: 0; z-index: 999; background: red'>cover</div>",
    "<svg onload=\"document.title = 'owned'\"></svg>b",
]
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="2000" height="50" onload="document.title = \'owned\'">'
    f'<image href="{ELSEWHERE}/c.png"/><text y="20">wide</text></svg>'
)
PALE = "\n".join(f"\x1b[38;5;{number}mx\x1b[0m" for number in range(256))
TABLE = f"<table><tr>{'<td>a wide cell</td>' * 40}</tr></table>"


def _translator(*_: object) -> Prose:
    return as_myst


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    root: Path = tmp_path_factory.mktemp("outputs")
    (root / "chapters").mkdir()
    builder = PageBuilder("index", ["pytorch"])
    builder.prose("# Outputs")
    outputs = [data({"text/html": html}) for html in HOSTILE]
    outputs += [data({"text/markdown": html}) for html in HOSTILE]
    outputs += [data({"image/svg+xml": SVG}), stream("x" * 500), data({"text/html": TABLE})]
    outputs += [stream(PALE), data({"text/html": jshtml(png(0), png(255))})]
    for output in outputs:
        builder.add(CellKind.CODE, "f()", outputs=[output])
    builder.add(CellKind.CODE, "hidden()", tags=frozenset({"hide-input"}))
    page = builder.page()
    context = RenderContext(make_config(root, [PYTORCH]), make_book(page), ("pytorch",), root / "_build" / "html")
    return render([page], context, _translator).path.as_uri()


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def page(browser: Browser, address: str, scheme: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 380, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address, wait_until="networkidle")
    assert not [url for url in asked if url.startswith("http")]
    yield page
    context.close()


def test_nothing_runs_loads_or_covers_the_page(page: Page) -> None:
    assert page.title() == "A Mini Book"
    assert page.locator("h1").is_visible()
    covering = (
        "() => [...document.querySelectorAll('article *')].filter(e => getComputedStyle(e).position === 'fixed').length"
    )
    assert page.evaluate(covering) == 0


def test_what_is_wide_scrolls_in_its_box(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    assert page.evaluate("document.querySelector('img.d2l-picture').getBoundingClientRect().width") <= 380
    box = page.locator("[role=region][aria-label=Table]")
    box.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.scrollLeft > 0")


def test_long_text_scrolls_in_its_box(page: Page) -> None:
    box = page.locator("[role=region][aria-label='Output, 256 lines']")
    height = box.bounding_box()
    assert height is not None
    assert height["height"] < 600
    box.focus()
    page.keyboard.press("End")
    page.wait_for_function("document.activeElement.scrollTop > 1000")


def test_all_colours_can_be_read(page: Page) -> None:
    script = """() => {
        const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
        const context = canvas.getContext('2d', { willReadFrequently: true });
        const light = colour => {
            context.fillStyle = colour;
            context.fillRect(0, 0, 1, 1);
            const parts = [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).map(part => part / 255)
                .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
            return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
        };
        const paper = light(getComputedStyle(document.body).backgroundColor);
        return Math.min(...[...document.querySelectorAll('[class*=ansi-front]')].map(span => {
            const ink = light(getComputedStyle(span).color);
            return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
        }));
    }"""
    assert page.locator("[class*=ansi-front]").count() == 256
    assert page.evaluate(script) > 4.5


def test_keys_open_what_is_folded(page: Page) -> None:
    for name in ("Show code", "Play the animation (2 frames)"):
        page.locator("summary", has_text=name).focus()
        page.keyboard.press("Enter")
    assert page.get_by_text("Hide code").is_visible()
    assert page.get_by_text("hidden()").is_visible()
    page.wait_for_function("document.querySelector('.d2l-folded img').naturalWidth === 2")
