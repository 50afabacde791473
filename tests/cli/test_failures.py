from d2lbuild.cli.failures import failure_text, last_frame
from d2lbuild.model import Failure, Status
from tests.cli.values import failed, failed_result, result

IN_A_LIBRARY = """\
---------------------------------------------------------------------------
NameError                                 Traceback (most recent call last)
Cell In[1], line 5
      4 line4 = 4
----> 5 loads(w)

File /lib/json/decoder.py:353, in JSONDecoder.raw_decode(self, s, idx)
    352 try:
--> 353     obj, end = self.scan_once(s, idx)
    354 except StopIteration as err:

NameError: name 'w' is not defined"""

IN_THE_CELL = """\
Cell In[1], line 5
----> 5 f()

Cell In[1], line 2, in f()
----> 2 return w

NameError: name 'w' is not defined"""


def test_place_code_and_error() -> None:
    assert failure_text(failed()).plain.splitlines() == [
        "chapters/a/b.md:15: NameError: name 'w' is not defined [pytorch]",
        "     12 │ line2 = 2",
        "     13 │ line3 = 3",
        "     14 │ line4 = 4",
        "❯    15 │ line5 = 5",
        "     16 │ line6 = 6",
        "     17 │ line7 = 7",
        "     18 │ line8 = 8",
    ]


def test_where_in_a_library_it_was_raised() -> None:
    assert failure_text(failed(failed_result(traceback=IN_A_LIBRARY))).plain.splitlines()[-2:] == [
        "  raised in /lib/json/decoder.py:353, in JSONDecoder.raw_decode(self, s, idx)",
        "      obj, end = self.scan_once(s, idx)",
    ]


def test_a_frame_in_the_cell_is_the_code_that_is_shown() -> None:
    assert last_frame(IN_THE_CELL) == []
    assert last_frame("") == []


def test_an_old_failure_says_how_to_run_it_again() -> None:
    assert failure_text(failed(fresh=False)).plain.endswith(
        "\n  unchanged since it failed; --rerun-failed runs it again"
    )
    assert "--rerun-failed" not in failure_text(failed(fresh=True)).plain


def test_a_timeout_shows_where_the_cell_begins_and_marks_no_line() -> None:
    outcome = result(status=Status.TIMEOUT, failure=Failure(0, "timeout", "longer than 3 s"))
    shown = failure_text(failed(outcome)).plain.splitlines()
    assert shown[0].endswith("timeout: longer than 3 s [pytorch]")
    assert shown[1] == "     11 │ line1 = 1"
    assert not any(line.startswith("❯") for line in shown)


def test_a_kernel_that_died_has_its_last_words() -> None:
    outcome = result(status=Status.DIED, failure=Failure(None, "kernel died", "", "one\nOut of memory"))
    shown = failure_text(failed(outcome, cell=False)).plain.splitlines()
    assert shown == ["a/b: kernel died [pytorch]", "  one", "  Out of memory"]


def test_a_long_message_is_shortened() -> None:
    outcome = failed_result("first\n" + "x" * 5000 + "\n" + "\n".join(["more"] * 40))
    shown = failure_text(failed(outcome)).plain.splitlines()
    assert shown[0].endswith("NameError: first [pytorch]")
    assert max(len(line) for line in shown) < 310
    assert "  … and 29 more lines" in shown
