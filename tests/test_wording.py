import pytest

from d2lbuild.wording import count, duration


def test_numbers_and_their_nouns() -> None:
    assert [count(number, "page") for number in (0, 1, 1234)] == ["0 pages", "1 page", "1,234 pages"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (0.01, "<0.1 s"), (3.21, "3.2 s"), (59.96, "1 min 00 s"), (125, "2 min 05 s"), (3840, "1 h 04 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
