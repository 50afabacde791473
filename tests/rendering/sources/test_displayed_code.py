import pytest

from d2lbuild.rendering.sources.displayed_code import displayed_code


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("def f(x):  #@save\n    return x", "def f(x):\n    return x"),
        ("@d2l.add_to_class(C)  # @save\ndef f(self):\n    pass", "@d2l.add_to_class(C)\ndef f(self):\n    pass"),
        ("#@save\nimport torch", "import torch"),
    ],
)
def test_save_marks_are_not_shown(code: str, shown: str) -> None:
    assert displayed_code(code) == (shown, True)


def test_stray_framework_marks_are_not_shown_either() -> None:
    assert displayed_code("x = 1\n# %%tab jax\n#@tab pytorch, mxnet\ny = 2") == ("x = 1\ny = 2", False)


@pytest.mark.parametrize("code", ['text = "#@save"', "x = 1  # @saved elsewhere", "x = (1  #@save", "x = 1"])
def test_what_is_no_save_mark_stays(code: str) -> None:
    assert displayed_code(code) == (code, False)
