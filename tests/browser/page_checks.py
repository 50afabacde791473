"""What must hold for every page of any site, as functions that return what is wrong."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import ConsoleMessage, Page, Request

from tests.browser.chromium import next_frame, settle

WIDE, NARROW, PAPER = (1440, 900), (380, 800), (718, 1000)
"""Sizes of windows, and of what stands on a sheet of A4. In the wide one all columns are seen."""

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")

_NARROW_RULES = ("scrollable-region-focusable", "target-size", "aria-hidden-focus", "button-name", "label", "link-name")
"""Those that may find more in a narrow window, where other things scroll and other buttons are seen."""

_LOOKS: tuple[tuple[str, tuple[int, int], Scheme], ...] = (
    ("wide-light", WIDE, "light"),
    ("wide-dark", WIDE, "dark"),
    ("narrow-dark", NARROW, "dark"),
    ("narrow-light", NARROW, "light"),
)


class Watch:
    """Collects what a browser's page asks for and complains about; a broken policy is a complaint, too."""

    def __init__(self, page: Page, address: str) -> None:
        """Watch a page; the site's own addresses begin with `address`."""
        self._address = address
        self._faults: list[str] = []
        page.on("request", self._asked)
        page.on("requestfailed", self._failed)
        page.on("response", lambda response: self._add(response.status >= 400, f"{response.status} {response.url}"))
        page.on("console", self._said)
        page.on("pageerror", lambda error: self._add(True, f"error: {error}"))

    def take(self) -> list[str]:
        """Return what has been found since the last time."""
        found, self._faults = self._faults, []
        return found

    def _add(self, wrong: bool, fault: str) -> None:
        if wrong:
            self._faults.append(fault)

    def _asked(self, request: Request) -> None:
        self._add(not request.url.startswith((self._address, "data:", "blob:")), f"foreign request: {request.url}")

    def _failed(self, request: Request) -> None:
        # ERR_ABORTED is the browser that drops a request because we have gone on to the next page.
        self._add(request.failure != "net::ERR_ABORTED", f"failed request: {request.url}: {request.failure}")

    def _said(self, message: ConsoleMessage) -> None:
        self._add(message.type in {"error", "warning"}, f"console: {message.text}")


def pages_of(site: Path) -> list[str]:
    """Return the pages of a site, as they stand in addresses."""
    site = site.resolve()
    return sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))


def looks(page: Page) -> Iterator[str]:
    """Show a page wide and narrow, light and dark, and yield what each of them is called."""
    for name, size, scheme in _LOOKS:
        resize(page, size)
        page.emulate_media(color_scheme=scheme)
        yield name
    resize(page, WIDE)
    page.emulate_media(color_scheme="light")


def resize(page: Page, size: tuple[int, int]) -> None:
    """Change the size of a page that is open."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    next_frame(page)


def page_faults(page: Page, watch: Watch, address: str, *, look: Callable[[str], None] | None = None) -> list[str]:
    """Open a page and return what is wrong with it; `look` may take pictures of each of its looks."""
    page.goto(address)
    settle(page)
    found = [*watch.take(), *twice_named(page), *untypeset(page)]
    for width in (380, 768, 1300):
        resize(page, (width, 900))
        found += (f"{width} px: {fault}" for fault in too_wide(page))
    if look:
        for name in looks(page):
            look(name)
    found += unprintable(page)
    return [*found, *watch.take()]


def accessibility_faults(page: Page, address: str) -> list[str]:
    """Open a page and return what axe-core finds: wide and narrow, in light and dark colours."""
    page.goto(address)
    settle(page)
    found: list[str] = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        found += (f"{scheme}: {fault}" for fault in _contrast(page))
    page.emulate_media(color_scheme="light")
    page.evaluate(_WITHOUT_WHAT_IS_NOT_READ)
    resize(page, NARROW)
    found += (f"narrow: {fault}" for fault in _axe(page, "document", {"runOnly": _NARROW_RULES}))
    resize(page, WIDE)
    return [*found, *_all_but_contrast(page)]


def too_wide(page: Page) -> list[str]:
    """Return the elements that make a page scroll sideways."""
    found: list[str] = page.evaluate(
        """() => {
          const root = document.documentElement, width = root.clientWidth;
          if (root.scrollWidth <= width) return [];
          const inside = (e) => {
            for (let up = e.parentElement; up; up = up.parentElement)
              if (getComputedStyle(up).overflowX !== "visible" && up !== root && up !== document.body) return true;
            return false;
          };
          const wide = [...document.querySelectorAll("body *")].filter((e) => {
            const box = e.getBoundingClientRect();
            return box.width && box.right > width + 1 && getComputedStyle(e).position !== "fixed" && !inside(e);
          });
          return [`${root.scrollWidth} px on ${width}: ` + wide.slice(0, 5).map((e) => e.outerHTML.slice(0, 120))];
        }"""
    )
    return found


def twice_named(page: Page) -> list[str]:
    """Return ids that several elements have, and links within the page that lead nowhere."""
    found: list[str] = page.evaluate(
        """() => {
          const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
          const twice = [...new Set(ids.filter((id, at) => ids.indexOf(id) !== at))];
          const lost = [...document.querySelectorAll('a[href^="#"]')]
            .filter((a) => a.hash.length > 1 && !document.getElementById(decodeURIComponent(a.hash.slice(1))));
          return [...twice.map((id) => `the id ${id} twice`), ...lost.map((a) => `${a.hash} leads nowhere`)];
        }"""
    )
    return found


def untypeset(page: Page) -> list[str]:
    """Return formulas that MathJax has left alone or refused."""
    found: list[str] = page.evaluate(
        r"""() => [
          ...[...document.querySelectorAll("mjx-merror")].map((e) => `formula: ${e.textContent}`),
          ...[...document.querySelectorAll("article .math")].filter((e) => !e.querySelector("mjx-container"))
            .map((e) => `not typeset: ${e.textContent.slice(0, 80)}`),
        ]"""
    )
    return found


def inaccessible(page: Page) -> list[str]:
    """Return what axe-core calls serious or critical."""
    return [*_contrast(page), *_all_but_contrast(page)]


def _contrast(page: Page) -> list[str]:
    """Measure the contrast of colours, which takes most of the time, once for all texts that look the same."""
    return _axe(page, f"{{ include: {_TEXTS_THAT_DIFFER} }}", {"runOnly": ["color-contrast"]})


def _all_but_contrast(page: Page) -> list[str]:
    return _axe(page, "document", {"rules": {"color-contrast": {"enabled": False}}})


# axe-core takes a look at each element: colours of code and panels that are not shown are thousands of them.
_WITHOUT_WHAT_IS_NOT_READ = """() => {
  for (const e of document.querySelectorAll("[data-framework]")) if (!e.checkVisibility()) e.remove();
  for (const e of document.querySelectorAll(".highlight pre span")) e.replaceWith(...e.childNodes);
}"""


# Texts of one size, weight, colour, ground and opacity have one contrast.
_TEXTS_THAT_DIFFER = """(() => {
  const grounds = new Map([[null, ""]]);
  const ground = (e) => {
    if (!grounds.has(e)) {
      const { backgroundColor, backgroundImage, opacity } = getComputedStyle(e);
      const own = [backgroundColor, backgroundImage, opacity].join();
      grounds.set(e, own === "rgba(0, 0, 0, 0),none,1" ? ground(e.parentElement) : `${ground(e.parentElement)} ${own}`);
    }
    return grounds.get(e);
  };
  const found = new Map();
  for (const e of document.querySelectorAll("body *")) {
    if ([...e.childNodes].some((child) => child.nodeType === 3 && child.data.trim()) && e.checkVisibility()) {
      const { color, fontSize, fontWeight } = getComputedStyle(e);
      const look = [color, fontSize, fontWeight, ground(e)].join();
      if (!found.has(look)) found.set(look, e);
    }
  }
  return [...found.values()];
})()"""


def _axe(page: Page, context: str, options: dict[str, object]) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    given = json.dumps({"resultTypes": ["violations"], "preload": False, **options})
    found = page.evaluate(f"axe.run({context}, {given}).then((results) => results.violations)")
    return [
        f"{one['id']} ({one['impact']}), {len(one['nodes'])}: {_elements(one['nodes'])}"
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]


def _elements(nodes: Sequence[dict[str, object]]) -> str:
    return "; ".join(f"{node['target']}: {str(node['failureSummary']).splitlines()[1].strip()}" for node in nodes[:3])


def unprintable(page: Page) -> list[str]:
    """Return what is wrong with a page on paper: what cannot be pressed there, what is cut, what is too much."""
    page.emulate_media(media="print")
    resize(page, PAPER)
    found: list[str] = page.evaluate(
        """() => {
          const seen = (e) => e.checkVisibility() && e.getBoundingClientRect().height > 1;
          const all = (selector) => [...document.querySelectorAll(selector)].filter(seen);
          const name = (e) => e.outerHTML.slice(0, 100);
          const useless = all("button, input, .d2l-tablist, .d2l-switcher, .sidebar-drawer, .toc-drawer, .headerlink");
          const cut = all("article, article *").filter((e) => {
            const { overflowX, overflowY } = getComputedStyle(e);
            return (overflowX !== "visible" && e.scrollWidth > e.clientWidth + 1)
              || (overflowY !== "visible" && e.scrollHeight > e.clientHeight + 1);
          }).filter((e) => !e.closest("mjx-container"));
          const shown = document.documentElement.dataset.shown;
          const others = all("[data-framework]").filter((e) => shown && e.dataset.framework !== shown);
          return [
            ...useless.map((e) => `printed: ${name(e)}`),
            ...cut.map((e) => `cut in print: ${name(e)}`),
            ...others.map((e) => `another framework in print: ${name(e)}`),
          ].slice(0, 6);
        }"""
    )
    found += too_wide(page)
    page.emulate_media(media="screen")
    resize(page, WIDE)
    return found
