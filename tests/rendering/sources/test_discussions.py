import pytest

from d2lbuild.rendering.sources.discussions import Discussion, take_discussions
from tests.rendering.pages import PageBuilder

BOTH = ("pytorch", "jax")
THREAD = "https://discuss.example.org/t/27"


def _page(*pieces: tuple[str, tuple[str, ...]]) -> PageBuilder:
    page = PageBuilder("page", BOTH)
    for text, frameworks in pieces:
        page.prose(text, *frameworks)
    return page


def test_each_framework_has_its_thread() -> None:
    page = _page(
        ("1. An exercise\n", ()),
        (f"[Discussions]({THREAD})\n", ("pytorch",)),
        ("\n", ()),
        ("[讨论](https://discuss.example.org/t/a-title/187)", ("jax",)),
    ).page()
    shorter, found = take_discussions(page)
    assert found == (
        Discussion(THREAD, ("pytorch",)),
        Discussion("https://discuss.example.org/t/a-title/187", ("jax",)),
    )
    assert [cell.source for cell in shorter.cells] == ["1. An exercise\n"]
    assert shorter.section is page.section


def test_a_thread_for_all_is_cut_off_the_last_words() -> None:
    page = _page((f"Words.\n\n* a\n* b\n\n[Discussions]({THREAD})\n", ())).page()
    shorter, found = take_discussions(page)
    assert found == (Discussion(THREAD, ()),)
    assert shorter.cells[0].source == "Words.\n\n* a\n* b\n"
    assert len(shorter.cells[0].lines) == 5


@pytest.mark.parametrize(
    "text",
    [
        "Words.",
        f"See [the forum]({THREAD}).",
        f"[one]({THREAD}) [two]({THREAD})",
        f"* an item\n\n  [Discussions]({THREAD})",
        f"```\n[Discussions]({THREAD})\n```",
        "[Discussions](https://discuss.example.org/c/5)",
        "[Discussions](t/27)",
        f"[Discussions]({THREAD})\n\nMore words.",
        f"![Discussions]({THREAD})",
    ],
)
def test_other_links_stay(text: str) -> None:
    page = _page((text, ())).page()
    assert take_discussions(page) == (page, ())


def test_a_forum_can_be_configured() -> None:
    page = _page(("[Talk](https://talk.example.org/page/one)", ()), (f"[Discussions]({THREAD})", ())).page()
    assert take_discussions(page, "https://talk.example.org/") == (page, ())
    _, found = take_discussions(_page(("[Talk](https://talk.example.org/one)", ())).page(), "https://talk.example.org/")
    assert found == (Discussion("https://talk.example.org/one", ()),)


def test_code_after_a_link_keeps_it() -> None:
    builder = _page((f"[Discussions]({THREAD})", ()))
    builder.code("x")
    assert take_discussions(builder.page())[1] == ()
