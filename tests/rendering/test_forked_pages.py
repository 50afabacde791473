"""Work on pages: the same results in one process and in several; what goes wrong is raised here."""

import os
import signal

import pytest

from d2lbuild.errors import BookError, D2lbuildError
from d2lbuild.rendering.forked_pages import on_pages

SIZES = {f"page{number}": number % 7 for number in range(30)}


class UnpicklableError(Exception):
    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} {two}")
        self.code = lambda: None


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_results_are_the_same_in_any_number_of_processes(jobs: int) -> None:
    found = dict(on_pages(lambda name: (name.upper(), os.getpid()), SIZES, jobs))
    assert {name: upper for name, (upper, _) in found.items()} == {name: name.upper() for name in SIZES}
    assert (os.getpid() in {process for _, process in found.values()}) == (jobs == 1)


def test_no_pages_are_no_work() -> None:
    assert list(on_pages(str.upper, {}, 4)) == []


def test_one_process_takes_the_largest_first() -> None:
    names = [name for name, _ in on_pages(str.upper, SIZES, 1)]
    assert [SIZES[name] for name in names] == sorted(SIZES.values(), reverse=True)


@pytest.mark.parametrize("jobs", [1, 3])
def test_an_error_is_raised_as_it_is(jobs: int) -> None:
    def work(name: str) -> str:
        if name == "page17":
            raise BookError("wrong", hint="mend it")
        return name

    with pytest.raises(BookError, match="wrong") as raised:
        list(on_pages(work, SIZES, jobs))
    assert raised.value.hint == "mend it"


def test_an_error_that_cannot_be_sent_is_described() -> None:
    def work(_name: str) -> str:
        raise UnpicklableError("quite", "odd")

    with pytest.raises(RuntimeError, match="quite odd") as raised:
        list(on_pages(work, SIZES, 2))
    assert "UnpicklableError" in str(raised.value)


def test_a_process_that_is_killed_is_reported() -> None:
    def work(name: str) -> str:
        if name == "page17":
            os.kill(os.getpid(), signal.SIGKILL)
        return name

    with pytest.raises(D2lbuildError, match="ended from outside"):
        list(on_pages(work, SIZES, 2))
