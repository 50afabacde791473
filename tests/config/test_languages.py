import pytest

from d2lbuild.config.languages import comment_sign, notebook_language


@pytest.mark.parametrize(("language", "sign"), [("python", "#"), ("java", "//"), ("lua", "--"), ("nobodys", "")])
def test_what_begins_a_comment(language: str, sign: str) -> None:
    assert comment_sign(language) == sign


@pytest.mark.parametrize(
    ("metadata", "language"),
    [
        ({}, "python"),
        ({"kernelspec": {"language": "R"}}, "r"),
        ({"kernelspec": {"name": "x"}, "language_info": {"name": "typescript"}}, "typescript"),
        ({"kernelspec": 1, "language_info": {"name": 2}}, "python"),
    ],
)
def test_the_language_of_a_notebook(metadata: dict[str, object], language: str) -> None:
    assert notebook_language(metadata) == language
