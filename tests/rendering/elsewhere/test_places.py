from pathlib import Path

import pytest

from d2lbuild.config.types import SERVICES, Html, NotebookService
from d2lbuild.rendering.elsewhere.places import places_of
from tests.rendering.pages import make_config

RAW = "https://raw.githubusercontent.com"


@pytest.mark.parametrize(
    ("service", "address", "base"),
    [
        ("colab", "https://colab.research.google.com/github/me/b/blob/main/{section}.ipynb", f"{RAW}/me/b/main/"),
        ("colab", "https://colab.research.google.com/github/me/b/blob/x/a/b/{section}.ipynb", f"{RAW}/me/b/x/a/b/"),
        (
            "sagemaker",
            "https://studiolab.sagemaker.aws/import/github/m/b/blob/main/{section}.ipynb",
            f"{RAW}/m/b/main/",
        ),
        ("colab", "https://colab.research.google.com/drive/1#{section}", ""),
        ("colab", "https://gitlab.example/me/b/blob/main/{section}.ipynb", ""),
    ],
)
def test_a_repository_of_notebooks_holds_what_they_ask_for(service: str, address: str, base: str) -> None:
    html = Html(services=(NotebookService(SERVICES[service], {"pytorch": address}),))
    config = make_config(Path("/book"), html=html)
    found = places_of(service, "pytorch", config)
    assert found.beside == base
    assert found.wheel("a.whl") == (f"{base}a.whl" if base else "")
    assert places_of(service, "jax", config).beside == ""
    assert places_of("binder", "pytorch", config).beside == ""


def test_otherwise_the_site_does(tmp_path: Path) -> None:
    config = make_config(tmp_path, html=Html(site_url="https://book.example/"))
    assert places_of("colab", "pytorch", config).wheel("a.whl") == "https://book.example/_notebooks/a.whl"
