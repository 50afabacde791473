"""The PDF of the book's first framework, and of those that `PDFS` names, held against its website."""

import os
import shutil

import pytest

from d2lbuild.config import Config, load_config
from d2lbuild.pipeline import BuildRequest, build
from tests.rendering.pdf.whole import faults

from .conftest import CORPUS

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(shutil.which("xelatex") is None, reason="XeLaTeX is not installed: `make pdf` installs it"),
]

CONFIG = load_config(CORPUS)
NAMES = (os.environ.get("PDFS") or CONFIG.default_framework).split(",")


@pytest.mark.parametrize("name", NAMES)
def test_the_pdf_says_what_the_website_says(corpus: Config, name: str) -> None:
    made = build(corpus, BuildRequest((name,), to=("html", "pdf"), execute=False, jobs=2))
    rules = {finding.rule for finding in made.findings}
    assert not rules & {"latex-error", "missing-character", "missing-font"}
    assert faults(corpus.output / name) == {}
