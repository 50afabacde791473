"""Whole PDFs of a mini book, read again with Poppler's programs: numbers, text, fonts, and what errors lead to."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pypdf
import pytest

from d2lbuild.config import load_config
from d2lbuild.pipeline import BuildReport, BuildRequest, build
from d2lbuild.rendering.pdf import xelatex
from tests.integration.whole_books import BOOK, make
from tests.rendering.numbers import numbers_of_website
from tests.rendering.pdf.whole import WholePdf, faults

needs_tex = pytest.mark.skipif(
    any(shutil.which(name) is None for name in ("xelatex", "rsvg-convert", "pdftotext")),
    reason="XeLaTeX, rsvg-convert or Poppler is not installed: `make pdf` installs them",
)
pytestmark = [pytest.mark.integration, needs_tex]

PDF = ("pdf",)
BROKEN = """\
# Tabs

Good.

$$\\undefinedcommand{x} + \\frac{a}$$

Still $\\alsoundefined$ good.

- one
- two $}$

After.
"""
CHINESE = """\
# 线性回归
:label:`sec_tabs`

这是一个足够长的段落，因此必须在行尾断开，而不能超出页面的边界。模型见 :numref:`sec_deeper`；α 和罕见字：龘。

$$f(\\text{猫}) = 狗$$

```{.python .input}
#@tab all
x = "中文"  # 这是注释
```
"""


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


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The programs that typesetting has started."""
    programs: list[str] = []
    original = xelatex.Typesetter._run

    def run(self: xelatex.Typesetter, *command: str) -> None:
        programs.append(command[0])
        original(self, *command)

    monkeypatch.setattr(xelatex.Typesetter, "_run", run)
    return programs


def test_a_pdf_says_what_the_website_says(built: tuple[Path, BuildReport]) -> None:
    root, report = built
    assert [str(finding) for finding in report.findings] == []
    folder = root / "_build" / "pytorch"
    site = numbers_of_website(folder / "html")
    assert {"1", "1.1", "1.1.1", "1.1.1.1", "2", "2.1"} <= set(site.values())
    assert len([place for place in site if place[1].startswith("equation")]) == 1
    assert faults(folder) == {}


def test_the_text_is_that_of_the_framework(built: tuple[Path, BuildReport]) -> None:
    text = " ".join(read(built[1].outputs["pdf"]).split())
    for words in (
        *("Rules & More", "Section 1.1", "(1.1.1)", "Fig. 1.1.1 A rule of Knuth (1984)", "Table 1.1.1 A table", "α→2"),
        *(
            "Only for PyTorch.",
            "Knuth, 1984",
            "a drawing",
            "https://example.org/a_b?c=d%20e",
            "discuss.d2l.ai/t/42",
            "THE END",
        ),
        *("书", "😀", "β ≤ ∞ │ 书 │", "Preface", "Emoji"),
    ):
        assert words in text, words
    assert "Only for JAX." not in text
    assert "??" not in text


def test_parts_have_pages_of_their_own_and_chapters_are_counted_through(built: tuple[Path, BuildReport]) -> None:
    path = built[1].outputs["pdf"]
    outline: Any = pypdf.PdfReader(path).outline
    top = [str(entry.title) for entry in outline if not isinstance(entry, list)]
    assert top == [
        "Contents",
        "Preface",
        'I Ones & "Others": 50%',
        "II Twos",
        "Works",
        "API Reference",
        "Index of the library",
    ]
    second = outline[outline.index(next(entry for entry in outline if getattr(entry, "title", "") == "II Twos")) + 1]
    assert str(second[0].title) == "2 Frameworks"
    pages = [page.split() for page in read(path).split("\f")]
    assert ["Part", "II", "Twos"] in pages


def test_fonts_and_data(built: tuple[Path, BuildReport]) -> None:
    path = built[1].outputs["pdf"]
    facts = read(path, "pdfinfo")
    assert re.search(r"^Title: +A Mini Book$", facts, re.MULTILINE)
    assert re.search(r"^Author: +Nobody$", facts, re.MULTILINE)
    assert re.search(r"^Subject: +PyTorch$", facts, re.MULTILINE)
    fonts = read(path, "pdffonts").splitlines()[2:]
    assert fonts
    assert all(line[-27:].split()[0] == "yes" for line in fonts), fonts


def test_nothing_is_started_for_what_is_there(tmp_path: Path, ran: list[str], built: tuple[Path, BuildReport]) -> None:
    first = built[1].outputs["pdf"].read_bytes()
    path = make(tmp_path / "another", to=PDF).outputs["pdf"]
    assert path.read_bytes() == first  # in another folder, without the website

    ran.clear()
    drawing = next((path.parents[1] / "pdf-work" / "latex" / "images").glob("*.pdf"))
    converted = drawing.stat().st_mtime_ns
    make(tmp_path / "another", to=PDF)
    assert ran == []
    make(
        tmp_path / "another",
        {"preface.md": (BOOK / "chapters" / "preface.md").read_text("utf-8").replace("Anyone.", "Someone.")},
        to=PDF,
    )
    assert ran.count("xelatex") == 1
    assert drawing.stat().st_mtime_ns == converted
    assert "Someone." in read(path)


def test_a_list_of_works_has_a_heading(tmp_path: Path) -> None:
    """Existing books have one for the web alone."""
    text = (
        "```eval_rst\n.. only:: html\n\n   References\n   ==========\n\n```\n:bibliography:`../conf/references.bib`\n"
    )
    report = make(tmp_path, {"works.md": text}, to=PDF)
    path = report.outputs["pdf"]
    pdf = WholePdf(path, path.parents[1] / "pdf-work" / "latex" / "book.log")
    (page,) = (page for title, page in pdf.outline if title == "References")
    assert pdf.texts[page].lstrip().startswith("References")
    assert "Knuth, 1984" in pdf.texts[page]


def test_a_very_long_word_is_broken(tmp_path: Path) -> None:
    device = "function_node_wrapped_AddV2_device_/job:localhost/replica:0/task:0/device:CPU:0"
    text = f"# Preface\n:label:`chap_preface`\n\nInvalidArgumentError: {device} and more words.\n"
    report = make(tmp_path, {"preface.md": text}, to=PDF)
    assert [str(finding) for finding in report.findings] == []
    assert device in "".join(read(report.outputs["pdf"]).split())


def test_what_latex_refuses_is_shown_and_told_with_its_line(tmp_path: Path) -> None:
    wrong = {"two/tabs.md": BROKEN}
    report = make(tmp_path, wrong, to=PDF)
    errors = {str(finding.span) for finding in report.findings if finding.rule == "latex-error"}
    assert {"chapters/two/tabs.md:5", "chapters/two/tabs.md:7"} <= errors
    text = read(report.outputs["pdf"])
    for words in ("Good.", "After.", "undefinedcommand", "A rule of", "Knuth, 1984"):
        assert words in text
    assert [str(one) for one in make(tmp_path, wrong, to=PDF).findings] == [str(one) for one in report.findings]


def test_each_framework_has_its_own(tmp_path: Path) -> None:
    report = make(tmp_path, to=PDF, frameworks=("pytorch", "jax"))
    assert sorted(report.outputs) == ["pdf jax", "pdf pytorch"]
    assert "Only for JAX." in read(report.outputs["pdf jax"])
    assert report.outputs["pdf pytorch"] == tmp_path / "_build" / "pytorch" / "pdf" / "mini.pdf"


def test_the_program_of_a_book_runs_only_when_it_is_asked_for(tmp_path: Path, ran: list[str]) -> None:
    def program(word: str) -> None:
        change = f"text.replace('Anyone.', '{word}')"
        code = (
            f"import sys, pathlib\nfile = pathlib.Path(sys.argv[1])\ntext = file.read_text()\nfile.write_text({change})"
        )
        (tmp_path / "conf").mkdir(exist_ok=True)
        (tmp_path / "conf" / "change.py").write_text(code)

    program("First.")
    without = make(tmp_path, to=PDF, conf='\n[pdf]\npost_latex = "conf/change.py"\n')
    assert [finding.rule for finding in without.findings] == ["code-not-run"]
    assert "Anyone." in read(without.outputs["pdf"])

    def built() -> BuildReport:
        ran.clear()
        return build(
            load_config(tmp_path),
            BuildRequest(("pytorch",), to=("pdf",), execute=False, jobs=2, run_post_latex=True),
        )

    first = built()
    assert first.findings == ()
    assert "First." in read(first.outputs["pdf"])
    assert "xelatex" in ran
    built()
    assert ran == []
    program("Second.")
    text = read(built().outputs["pdf"])
    assert "Second." in text
    assert "First." not in text


def test_a_chinese_book_has_its_own_fonts_and_words(tmp_path: Path) -> None:
    report = make(tmp_path, {"two/tabs.md": CHINESE}, to=PDF, conf='language = "zh"\n')
    assert [str(finding) for finding in report.findings] == []
    text = "".join(read(report.outputs["pdf"]).split())
    for words in ("目录", "图1.1.1Arule", "表1.1.1", "这是一个足够长的段落", "龘", "猫", "狗", "#这是注释"):
        assert words in text, words
    assert "NotoSerifCJK" in read(report.outputs["pdf"], "pdffonts")


@pytest.mark.parametrize("variant", ["screen", "print"])
def test_on_paper_chapters_begin_on_the_right(tmp_path: Path, variant: str) -> None:
    report = make(tmp_path, to=PDF, conf=f'\n[pdf]\nvariant = "{variant}"\nmono_font = "No Such Font"\n')
    assert [finding.rule for finding in report.findings] == ["missing-font"]
    pages = ["".join(page.split()) for page in read(report.outputs["pdf"]).split("\f")]
    chapters = ("1Rules", "2Frameworks", "Works", "APIReference", "Indexofthelibrary")
    firsts = [at for at, page in enumerate(pages, start=1) if page.startswith(chapters)]
    assert len(firsts) == len(chapters)
    assert all(first % 2 for first in firsts) == (variant == "print")
