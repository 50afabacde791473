from d2lbuild.cli.summary import guess_text, skipped_texts, slowest_text, warning_texts
from tests.cli.values import failed_result, reported, skipped_result


def test_the_slowest_that_ran_with_what_they_took_before() -> None:
    notebooks = [
        *(reported(f"a/{number}", seconds=float(number)) for number in range(1, 6)),
        reported("a/slow", failed_result(), seconds=75.0, expected=20.0, memory=5 * 2**30, framework="jax"),
        reported("a/slowest", seconds=100.0, cached=True),
    ]
    text = slowest_text(notebooks)
    assert text is not None
    assert text.plain.splitlines() == [
        "slowest  framework  time        before  memory  device",
        "a/slow   jax        1 min 15 s  20.0 s  5 GiB   cpu",
        "a/5      pytorch    5.0 s                       cpu",
        "a/4      pytorch    4.0 s                       cpu",
        "a/3      pytorch    3.0 s                       cpu",
        "a/2      pytorch    2.0 s                       cpu",
    ]


def test_nothing_ran() -> None:
    assert slowest_text([reported(cached=True), reported("a/c", skipped_result())]) is None


def test_skipped_ones_are_listed_by_reason() -> None:
    notebooks = [reported(f"a/{number}", skipped_result("it needs 1 GPU")) for number in range(7)]
    notebooks += [reported(), reported("a/x", skipped_result("it needs 64 GiB of memory"), framework="jax")]
    assert [text.plain for text in skipped_texts(notebooks)] == [
        "skipped: a/0 [pytorch], a/1 [pytorch], a/2 [pytorch], a/3 [pytorch], a/4 [pytorch] and 2 more: it needs 1 GPU",
        "skipped: a/x [jax]: it needs 64 GiB of memory",
    ]


def test_warnings_name_their_notebook() -> None:
    texts = [text.plain for text in warning_texts([reported(warnings=("it wrote [x]", "it left a process"))])]
    assert texts == ["note: a/b [pytorch]: it wrote [x]", "note: a/b [pytorch]: it left a process"]


def test_guesses_are_told_in_one_line() -> None:
    assert guess_text({}) is None
    text = guess_text({("a", "jax"): "its code says try_gpu()", ("b", "jax"): "its code says num_gpus=2"})
    assert text is not None
    assert text.plain.startswith("note: a [jax], b [jax] may use a GPU where there is one: its code says try_gpu(); ")
