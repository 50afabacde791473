"""Whole PDFs of a mini book, read again with Poppler's programs: numbers, text, fonts, links, and what errors lead to."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from d2lbuild.config import load_config
from d2lbuild.pipeline import BuildReport, BuildRequest, build
from d2lbuild.rendering.pdf import xelatex
from tests.books import CONF, write_book
from tests.rendering.pdf.numbers import differing, numbers_of_pdf, numbers_of_website

needs_tex = pytest.mark.skipif(
    any(shutil.which(name) is None for name in ("xelatex", "rsvg-convert", "pdftotext")),
    reason="XeLaTeX, rsvg-convert or Poppler is not installed: `make pdf` installs them",
)
pytestmark = [pytest.mark.integration, needs_tex]

DRAWING = """\
<svg xmlns="http://www.w3.org/2000/svg" width="200" height="80" viewBox="0 0 200 80">
<rect width="180" height="60" x="10" y="10" fill="none" stroke="black"/><text x="40" y="45">a drawing</text></svg>
"""
FILES: dict[str, str | bytes] = {
    "index.md": "# The Book\n\n```toc\npreface\n```\n\n```toc\n:numbered:\n\none/index\ntwo/index\n```\n\n```toc\nworks\n```\n",
    "preface.md": "# Preface\n:label:`chap_preface`\n\nIt leads to :numref:`sec_rules` and :eqref:`eq_rule`.\n\n## For Whom\n\nAnyone.\n",
    "one/index.md": "# Rules of $x^2$\n:label:`chap_rules`\n\n```toc\nrules\n```\n",
    "one/rules.md": """\
# Rules & More
:label:`sec_rules`

A rule of :citet:`Knuth.1984`, with [a link](https://example.org/a_b?c=d%20e), in :numref:`fig_rule` and :numref:`tab_rule`.

$$y_\\mathcal{B} = \\mathbf{w}^\\top \\mathbf{x} + b.$$
:eqlabel:`eq_rule`

$$\\begin{aligned} a &= b \\\\ c &= d. \\end{aligned}$$

![A rule of :citet:`Knuth.1984`, with $x_i$ and 50% of it.](../img/rule.svg)
:label:`fig_rule`

:A table
|a|b|
|-|-|
|1|α → 2|
:label:`tab_rule`

```{.python .input}
#@tab all
def rule(x):  #@save
    return "β ≤ ∞ │ 书 │ a line that is much longer than the page of the book is wide, and that is wrapped in it, not cut"
```

## Deeper
:label:`sec_deeper`

### Deepest

Emoji 😀 and 书 in text, as (:eqref:`eq_rule`) says.

[Discussions](https://discuss.d2l.ai/t/42)
""",
    "two/index.md": "# Frameworks\n\n```toc\ntabs\n```\n",
    "two/tabs.md": """\
# Tabs
:label:`sec_tabs`

:begin_tab:`pytorch`
Only for PyTorch.
:end_tab:

:begin_tab:`jax`
Only for JAX.
:end_tab:

See :numref:`sec_deeper` of :numref:`chap_rules`.
""",
    "works.md": "# Works\n\n:bibliography:`../conf/references.bib`\n",
    "img/rule.svg": DRAWING,
    "../conf/references.bib": "@book{Knuth.1984, author={Knuth, Donald E.}, title={The {TeX}book}, year={1984}, "
    "publisher={Addison-Wesley}, url={https://example.org/texbook}}\n",
}


def make(
    root: Path,
    changes: dict[str, str | bytes] | None = None,
    *,
    to: tuple[str, ...] = ("pdf",),
    framework: str = "pytorch",
) -> BuildReport:
    write_book(root, {**FILES, **(changes or {})}, conf=CONF)
    return build(load_config(root), BuildRequest((framework,), to=to, execute=False, jobs=2))


def read(path: Path, program: str = "pdftotext", *arguments: str) -> str:
    command = [program, *arguments, str(path), *(["-"] if program == "pdftotext" else [])]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, BuildReport]:
    root = tmp_path_factory.mktemp("ein Buch 书")
    return root, make(root, to=("html", "pdf"))


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("D2LBUILD_CACHE", str(tmp_path / "cache"))


def test_numbers_are_those_of_the_website(built: tuple[Path, BuildReport]) -> None:
    root, report = built
    assert [str(finding) for finding in report.findings] == []
    folder = root / "_build" / "pytorch"
    site = numbers_of_website(folder / "html")
    assert {"1", "1.1", "1.1.1", "1.1.1.1", "2", "2.1"} <= set(site.values())
    assert len([place for place in site if place[1].startswith("equation")]) == 1
    assert differing(site, numbers_of_pdf(folder / "pdf-work" / "latex" / "book.aux")) == []


def test_the_text_is_that_of_the_framework(built: tuple[Path, BuildReport]) -> None:
    text = " ".join(read(built[1].outputs["pdf"]).split())
    for words in (
        *("Rules & More", "Section 1.1", "(1.1.1)", "Fig. 1.1.1 A rule of Knuth (1984)", "Table 1.1.1 A table", "α→2"),
        *("Only for PyTorch.", "Knuth, 1984", "a drawing", "https://example.org/a_b?c=d%20e", "discuss.d2l.ai/t/42"),
        *("书", "😀", "β ≤ ∞ │ 书 │", "Preface", "Emoji"),
    ):
        assert words in text, words
    assert "Only for JAX." not in text
    assert "??" not in text


def test_outline_fonts_and_data(built: tuple[Path, BuildReport]) -> None:
    path = built[1].outputs["pdf"]
    facts = read(path, "pdfinfo")
    assert re.search(r"^Title: +A Mini Book$", facts, re.MULTILINE)
    assert re.search(r"^Author: +Nobody$", facts, re.MULTILINE)
    assert re.search(r"^Subject: +PyTorch$", facts, re.MULTILINE)
    fonts = read(path, "pdffonts").splitlines()[2:]
    assert fonts
    assert all(line[-27:].split()[0] == "yes" for line in fonts), fonts
    notes = (path.parents[1] / "pdf-work" / "latex" / "book.out").read_text("utf-8")
    assert notes.count("\\BOOKMARK") >= 9


def test_nothing_is_started_for_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, built: tuple[Path, BuildReport]
) -> None:
    first = built[1].outputs["pdf"].read_bytes()
    path = make(tmp_path / "another").outputs["pdf"]
    assert path.read_bytes() == first  # in another folder, without the website

    ran: list[str] = []
    original = xelatex.Typesetter._run
    monkeypatch.setattr(
        xelatex.Typesetter, "_run", lambda self, *command: (ran.append(command[0]), original(self, *command))[1]
    )
    drawing = next((path.parents[1] / "pdf-work" / "latex" / "images").glob("*.pdf"))
    converted = drawing.stat().st_mtime_ns
    make(tmp_path / "another")
    assert ran == []
    make(tmp_path / "another", {"preface.md": str(FILES["preface.md"]).replace("Anyone.", "Someone.")})
    assert ran.count("xelatex") == 1
    assert drawing.stat().st_mtime_ns == converted
    assert "Someone." in read(path)


def test_what_latex_refuses_is_shown_and_told_with_its_line(tmp_path: Path) -> None:
    wrong = {
        "two/tabs.md": "# Tabs\n\nGood.\n\n$$\\undefinedcommand{x} + \\frac{a}$$\n\nStill $\\alsoundefined$ good.\n\n- one\n- two $}$\n\nAfter.\n"
    }
    report = make(tmp_path, wrong)
    errors = {str(finding.span) for finding in report.findings if finding.rule == "latex-error"}
    assert {"chapters/two/tabs.md:5", "chapters/two/tabs.md:7"} <= errors
    text = read(report.outputs["pdf"])
    for words in (
        "Good.",
        "After.",
        "undefinedcommand",
        "A rule of",
        "The TEXbook" if "The TEXbook" in text else "texbook",
    ):
        assert words in text
    assert [str(one) for one in make(tmp_path, wrong).findings] == [str(one) for one in report.findings]


def test_each_framework_has_its_own(tmp_path: Path) -> None:
    write_book(tmp_path, FILES, conf=CONF)
    report = build(load_config(tmp_path), BuildRequest(("pytorch", "jax"), to=("pdf",), execute=False, jobs=2))
    assert sorted(report.outputs) == ["pdf jax", "pdf pytorch"]
    assert "Only for JAX." in read(report.outputs["pdf jax"])
    assert report.outputs["pdf pytorch"] == tmp_path / "_build" / "pytorch" / "pdf" / "mini.pdf"
