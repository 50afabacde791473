import pytest
from nbformat import NotebookNode

from d2lbuild.execution.kernels.outputs import clean_outputs, failing_line, plain_text


def stream(text: str) -> NotebookNode:
    return NotebookNode(output_type="stream", name="stdout", text=text)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("printed", "kept"),
    [
        ("a\nb\n", "a\nb\n"),
        ("a\r\nb\r\n", "a\nb\n"),
        ("10%\r50%\r100%\n", "100%\n"),
        ("10%\r50%\r", "50%"),
        ("x\n\r1\r2\ny", "x\n2\ny"),
        ("/tmp/ipykernel_123/456.py:3: UserWarning: x", "<cell>:3: UserWarning: x"),
        ("x" * 2_000_000, "x" * 2_000_000),
    ],
)
def test_text_is_what_a_terminal_would_show(printed: str, kept: str) -> None:
    (output,) = clean_outputs([stream(printed)], 10)
    assert output["text"] == kept


def test_empty_streams_go() -> None:
    assert clean_outputs([stream(""), stream("\r")], 10) == ()


def test_terminal_codes_go() -> None:
    assert plain_text("\x1b[31mred\x1b[39m \x1b[1;32mbold\x1b[0m") == "red bold"


MODERN = """
ZeroDivisionError                         Traceback (most recent call last)
Cell In[3], line 12
---> 12 f(0)

Cell In[1], line 2, in f(x)
----> 2     return 1 / x
"""
RECURSIVE = """
Cell In[3], line 12
Cell In[3], line 5, in f(x)
File ~/lib/x.py:99, in g(x)
---> 99 oops
"""
OLD = """
Input In [3], in <cell line: 1>()
      1 a
----> 4 f(0)

File ~/x.py:7, in f
----> 7 oops
"""
OLDER = """
<ipython-input-3-abc> in <module>
      1 a
----> 2 f(0)

~/x.py in f(x)
----> 7 oops
"""


@pytest.mark.parametrize(
    ("traceback", "line"),
    [(MODERN, 12), (RECURSIVE, 5), (OLD, 4), (OLDER, 2), ("  Cell In[3], line 1\n    x = = 1", 1), ("nothing", None)],
)
def test_the_failing_line_is_that_of_the_last_frame_in_the_cell(traceback: str, line: int | None) -> None:
    assert failing_line(traceback, 3) == line


def test_without_a_count_no_line() -> None:
    assert failing_line(MODERN, None) is None
