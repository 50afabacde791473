from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from d2lbuild.config.types import Elsewhere, Html, NotebookService
from d2lbuild.rendering.website.page_links import PageLink, edit_address, page_links
from tests.rendering.pages import PageBuilder, make_config

BOTH = ("pytorch", "jax")
HTML = Html(
    repository="https://github.com/someone/book/",
    pdf={"pytorch": "https://x.org/a.pdf", "jax": "https://x.org/a.pdf"},
    services=(NotebookService("Colab", {"pytorch": "https://colab.x/{section}.ipynb", "mxnet": "https://no"}),),
)


def _page() -> PageBuilder:
    page = PageBuilder("ch/one & two", BOTH)
    page.code("x", "pytorch")
    page.code("y", "jax")
    return page


def test_what_is_for_one_framework_names_it() -> None:
    found = page_links(_page().page(), make_config(Path("/book"), html=HTML), BOTH)
    assert found.links == (
        PageLink("notebook", "Download the notebook", "_notebooks/pytorch/ch/one & two.ipynb", "pytorch", "PyTorch"),
        PageLink("notebook", "Download the notebook", "_notebooks/jax/ch/one & two.ipynb", "jax", "JAX"),
        PageLink("open", "Open in Colab", "https://colab.x/ch/one%20%26%20two.ipynb", "pytorch", "PyTorch"),
        PageLink("pdf", "The book as a PDF", "https://x.org/a.pdf"),
        PageLink("edit", "Edit this page", "https://github.com/someone/book/edit/main/chapters/ch/one%20%26%20two.md"),
    )


@pytest.mark.parametrize(
    ("pattern", "linked"),
    [
        ("ch/one & two", False),
        ("ch/*", False),
        ("**/one*", False),
        ("**", False),
        ("ch/**", False),
        ("**/ch/**/*two", False),
        ("*", True),
        ("one & two", True),
        ("ch", True),
        ("ch/one", True),
        ("**/ch/*/*two", True),
    ],
)
def test_a_book_may_say_which_pages_do_not_lead_to_a_service(pattern: str, linked: bool) -> None:
    excluded = {"colab": Elsewhere(exclusions=("other", pattern)), "sagemaker": Elsewhere(exclusions=("**",))}
    found = page_links(_page().page(), make_config(Path("/book"), html=HTML, elsewhere=excluded), BOTH)
    assert ("open" in [link.kind for link in found.links]) is linked
    assert "notebook" in [link.kind for link in found.links]


def test_a_site_for_one_framework_need_not_name_it() -> None:
    page = replace(_page().page(), frameworks=("pytorch",), outdated={"pytorch": "Old."})
    found = page_links(page, make_config(Path("/book"), html=HTML), ("pytorch",))
    assert [link.kind for link in found.links] == ["notebook", "open", "pdf", "edit"]
    assert {link.framework for link in found.links} == {""}
    assert found.notices == (("", "Old."),)


def test_a_page_without_code_has_no_notebook() -> None:
    page = PageBuilder("page", BOTH)
    page.prose("Words.")
    found = page_links(page.page(), make_config(Path("/book"), html=HTML), BOTH)
    assert [link.kind for link in found.links] == ["pdf", "edit"]


def test_a_book_that_configures_nothing_has_its_notebooks_only() -> None:
    found = page_links(_page().page(), make_config(Path("/book")), BOTH)
    assert {link.kind for link in found.links} == {"notebook"}


def test_pdfs_of_their_own_name_their_framework() -> None:
    html = Html(pdf={"pytorch": "https://x.org/pytorch.pdf", "jax": "https://x.org/jax.pdf"})
    found = page_links(_page().page(), make_config(Path("/book"), html=html), BOTH)
    assert [(link.address, link.title) for link in found.links if link.kind == "pdf"] == [
        ("https://x.org/pytorch.pdf", "PyTorch"),
        ("https://x.org/jax.pdf", "JAX"),
    ]


@pytest.mark.parametrize(
    ("repository", "address"),
    [
        ("https://github.com/a/b", "https://github.com/a/b/edit/v%201/x/y.md"),
        ("https://gitlab.example.org/a/b/", "https://gitlab.example.org/a/b/-/edit/v%201/x/y.md"),
        ("git@github.com:a/b", ""),
        ("", ""),
    ],
)
def test_where_a_page_is_edited(repository: str, address: str) -> None:
    config = make_config(Path("/book"), html=Html(repository=repository, branch="v 1"))
    assert edit_address(config, PurePosixPath("x/y.md")) == address
