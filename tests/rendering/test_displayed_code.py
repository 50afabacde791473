import pytest

from d2lbuild.rendering.displayed_code import without_save_marks


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("def f(x):  #@save\n    return x", "def f(x):\n    return x"),
        ("@d2l.add_to_class(C)  # @save\ndef f(self):\n    pass", "@d2l.add_to_class(C)\ndef f(self):\n    pass"),
        ("#@save\nimport torch", "import torch"),
    ],
)
def test_save_marks_are_not_shown(code: str, shown: str) -> None:
    assert without_save_marks(code) == (shown, True)


@pytest.mark.parametrize("code", ['text = "#@save"', "x = 1  # @saved elsewhere", "x = (1  #@save", "x = 1"])
def test_what_is_no_save_mark_stays(code: str) -> None:
    assert without_save_marks(code) == (code, False)
