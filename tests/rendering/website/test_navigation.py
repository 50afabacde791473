"""The sidebar's tree: what a page fills in, and what large books leave out."""

import re

from d2lbuild.rendering.website.navigation import NavigationTree


def _entry(address: str, below: str = "") -> str:
    box = f'<input class="toctree-checkbox" type="checkbox"/><label></label><ul>{below}</ul>' if below else ""
    return f'<li class="toctree-l1"><a class="reference internal" href="{address}">{address}</a>{box}</li>'


TREE = "<ul>{}{}{}</ul>".format(
    _entry("a.html"),
    _entry("b/index.html", _entry("b/one.html", _entry("b/deep.html")) + _entry("b/two.html")),
    _entry("c/index.html", _entry("c/one.html")),
)


def shown(html: str) -> list[str]:
    return re.findall(r'href="([^"]*)"', html)


def test_a_page_is_current_and_its_branch_open() -> None:
    html = NavigationTree(TREE).for_page("b/one.html", "../")
    assert shown(html) == [
        *("../a.html", "../b/index.html", "#", "../b/deep.html", "../b/two.html", "../c/index.html", "../c/one.html"),
    ]
    assert re.findall(r'class="toctree-l1 (current[^"]*)"', html) == ["current", "current current-page"]
    assert html.count("checked") == 2
    assert "@@" not in html


def test_a_large_tree_shows_the_branch_of_the_page_only() -> None:
    tree = NavigationTree(TREE, large=3)
    assert shown(tree.for_page("a.html", "")) == ["#", "b/index.html", "c/index.html"]
    html = tree.for_page("b/deep.html", "../")
    assert shown(html) == ["../a.html", "../b/index.html", "../b/one.html", "#", "../b/two.html", "../c/index.html"]
    assert html.count("<li") == html.count("</li>") == 6
    assert html.count("checked") == 2
    assert "@@" not in html


def test_a_page_that_is_not_in_the_tree_opens_nothing() -> None:
    html = NavigationTree(TREE, large=3).for_page("search.html", "")
    assert shown(html) == ["a.html", "b/index.html", "c/index.html"]
    assert "current" not in html
