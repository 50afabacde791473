"""The texts of pages in other languages than English."""

import ast
import gettext
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import sphinx

from d2lbuild import rendering
from d2lbuild.model import Status
from d2lbuild.rendering import reader_texts, run_records
from d2lbuild.rendering.epub import extension
from d2lbuild.rendering.locale import (
    Texts,
    language_tag,
    languages,
    numbering_formats,
    sphinx_language,
    texts_of,
    translated,
)
from d2lbuild.rendering.outputs import display, on_pages, text_boxes

FOLDER = Path(rendering.__file__).parent
SAYING = {"translated", "_text", "says"}
"""Functions that return a text in the language of the book."""
OF_THE_THEME = (
    *("base.html", "page.html", "search.html", "sidebar/brand.html", "sidebar/search.html"),
    *("components/edit-this-page.html", "components/view-this-page.html"),
)
"""The templates of the theme that pages are made with."""
NEVER_SAID = {"Copyright", "On Read the Docs", "On GitHub", "Last updated on %(last_updated)s"}
"""What stands in them for sites that no book makes, by an own page of rights, say."""


def test_there_are_the_languages_of_the_books() -> None:
    assert languages() == ["pt", "tr", "zh"]


def test_a_text_is_english_where_nothing_else_is_known() -> None:
    assert translated("zh", "Functions") == "函数"
    assert translated("zh_CN", "Functions") == translated("zh-Hans", "Functions") == "函数"
    assert translated("pt_BR", "Functions") == "Funções"
    assert translated("de", "Functions") == translated("en", "Functions") == "Functions"
    assert translated("zh", "no such text") == "no such text"


@pytest.mark.parametrize("language", languages())
def test_all_tables_have_the_same_texts_with_the_same_places(language: str) -> None:
    table, first = texts_of(language), texts_of(languages()[0])
    assert table.keys() == first.keys()
    for text, translation in table.items():
        missing = set(_places(text)) - set(_places(translation))
        assert set(_places(translation)) <= set(_places(text)), text
        assert missing == set(), text
        assert translation.strip(), text


def _places(text: str) -> list[str]:
    return re.findall(r"\{\w+\}|%s|%\(\w+\)s|`", text)


def _texts_of_code() -> Iterator[str]:
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in SAYING and node.args:
                value = node.args[-1]
                if isinstance(value, ast.Constant):
                    yield str(value.value)


def _texts_of_templates() -> Iterator[str]:
    theirs = [Path(str(import_module("furo").__file__)).parent / "theme" / "furo" / name for name in OF_THE_THEME]
    for path in [*(FOLDER / "theme" / "templates").rglob("*.html"), *theirs]:
        text = path.read_text(encoding="utf-8")
        yield from re.findall(r"""\b_\(\s*["'](.+?)["']\s*\)""", text)
        yield from re.findall(r"aria-label=\"(\w[^\"{]*)\"", text)
        for found in re.findall(r"\{%-?\s*trans\b[^%]*%\}(.*?)\{%-?\s*endtrans", text, re.DOTALL):
            yield re.sub(r"\{\{\s*(\w+)\s*\}\}", r"%(\1)s", found).strip()


@pytest.mark.parametrize("language", languages())
def test_every_text_is_translated(language: str) -> None:
    table = texts_of(language)
    found = {
        *_texts_of_code(),
        *run_records._ENDINGS.values(),
        *reader_texts._TEXTS.values(),
        display._ELSEWHERE,
        display._INTERACTIVE,
        *text_boxes._LABELS.values(),
        *(words for both in on_pages._OPENED.values() for words in both),
        *extension._HIDDEN.values(),
    } - {""}
    assert len(found) > 70
    assert found <= table.keys()
    folder = Path(sphinx.__file__).parent / "locale"
    catalogue = gettext.translation("sphinx", folder, [sphinx_language(language)])
    said = {text for text in _texts_of_templates() if "<" not in text} - NEVER_SAID
    assert {"Toggle site navigation sidebar", "Back to top", "Framework"} <= said
    assert [text for text in said if text not in table and catalogue.gettext(text) == text] == []


def test_every_ending_of_a_run_is_told() -> None:
    assert {*run_records._ENDINGS} == {*Status} - {Status.SKIPPED}


def test_texts_of_templates_keep_the_white_space_around_them() -> None:
    assert Texts("pt").gettext("Made with ") == "Feito com "
    assert Texts("pt").gettext("\n  Back to top\n") == "\n  Voltar ao topo\n"
    assert Texts("pt").gettext(" unknown ") == " unknown "


def test_names_of_languages() -> None:
    assert [sphinx_language(name) for name in ("zh", "pt", "tr", "zh-TW", "en")] == [
        *("zh_CN", "pt_BR", "tr", "zh_TW", "en")
    ]
    assert [language_tag(name) for name in ("zh", "pt", "tr", "zh_TW", "en")] == ["zh-CN", "pt", "tr", "zh-TW", "en"]
    assert numbering_formats("zh")["section"] % "3.1" == "3.1节"
    assert numbering_formats("de") == {}
