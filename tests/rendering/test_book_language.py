"""What a book's language changes in Sphinx."""

import pytest

from d2lbuild.rendering.book_language import SearchChinese, translations_script
from d2lbuild.rendering.locale import languages


def test_chinese_words_are_pairs_of_characters_and_each_character() -> None:
    language = SearchChinese({})
    assert language.split("线性回归 uses ResNet-18，熵") == [
        *("线", "性", "回", "归", "线性", "性回", "回归"),
        *("uses", "ResNet", "18", "熵"),
    ]
    assert language.stem("networks") == "network"
    assert language.stem("回归") == "回归"
    assert language.word_filter("熵")
    assert not language.word_filter("the")


@pytest.mark.parametrize("language", [*languages(), "de"])
def test_texts_of_scripts_have_no_gaps_and_make_no_code_of_strings(language: str) -> None:
    script = translations_script(language)
    assert '"Search Results": "' in script
    assert '""' not in script
    assert "PLURAL_EXPR = (n) => Number(" in script
    assert "new Function" not in script


def test_english_needs_no_texts_of_scripts() -> None:
    assert translations_script("en") == ""
